# A device of 80 MB, x86-64.
# shellcheck shell=bash disable=SC2154

. "$here/qemu.sh"

run_case() {
    need qemu-system-x86_64=qemu-system-x86 musl-gcc=musl-tools || return
    kernel amd64 '^linux-image-6.1.0-[0-9]*-cloud-amd64-unsigned$' || return
    device amd64 '' 'console=ttyS0 mitigations=off nokaslr' \
        qemu-system-x86_64 -accel tcg -cpu qemu64 -machine pc -m 80
}
