# A device of 40 MB, s390x: big-endian.
# shellcheck shell=bash disable=SC2154

. "$here/qemu.sh"

run_case() {
    need qemu-system-s390x=qemu-system-misc \
        s390x-linux-gnu-gcc='gcc-s390x-linux-gnu libc6-dev-s390x-cross' || return
    kernel s390x '^linux-image-6.1.0-[0-9]*-s390x$' || return
    device s390x "$(musl_for s390x s390x-linux-gnu-gcc)" 'console=ttyS0 conmode=sclp' \
        qemu-system-s390x -M s390-ccw-virtio -cpu max -m 40
}
