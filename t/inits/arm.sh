# A device of 64 MB, ARM.
# shellcheck shell=bash disable=SC2154

. "$here/qemu.sh"

run_case() {
    need qemu-system-arm=qemu-system-arm \
        arm-linux-gnueabihf-gcc='gcc-arm-linux-gnueabihf libc6-dev-armhf-cross' || return
    kernel armhf '^linux-image-6.1.0-[0-9]*-armmp$' || return
    device armhf "$(musl_for armhf arm-linux-gnueabihf-gcc)" console=ttyAMA0 \
        qemu-system-arm -M virt -cpu cortex-a15 -m 64
}
