# The static build by Debian's cross compilers, as README shows it, run by qemu's user mode.
# shellcheck shell=bash disable=SC2016,SC2154

run_case() {
    need aarch64-linux-gnu-gcc='gcc-aarch64-linux-gnu libc6-dev-arm64-cross' \
        arm-linux-gnueabihf-gcc='gcc-arm-linux-gnueabihf libc6-dev-armhf-cross' \
        qemu-aarch64-static=qemu-user-static musl-gcc=musl-tools || return
    source_copied
    check 'README shows a cross build' '^make static CC=aarch64-linux-gnu-gcc$' \
        "$(grep -o 'make static CC=[a-z0-9-]*' "$root/README.md")"
    for_machine aarch64-linux-gnu-gcc qemu-aarch64-static AArch64
    for_machine arm-linux-gnueabihf-gcc qemu-arm-static ARM
}

# musl-gcc is there: what the user says wins over it, wherever he says it.
for_machine() { # COMPILER QEMU MACHINE
    local e=$work/cross-$3 port
    check "$3: CC on the command line" "Machine: *$3\$" "$(
        make -s -C "$work/src" static CC="$1" 2>&1
        readelf -h "$work/src/epmd-static" | grep Machine)"
    rm -f "$work/src/epmd-static"
    check "$3: CC in the environment" "Machine: *$3\$" "$(
        CC=$1 make -s -C "$work/src" static 2>&1
        readelf -h "$work/src/epmd-static" | grep Machine)"
    mv "$work/src/epmd-static" "$e"
    "$root/t/tools/build" "$work" raw
    port=$("$work/raw" -f)
    export ERL_EPMD_PORT=$port
    "$2" "$e" -address 127.0.0.1 >/dev/null 2>&1 &
    remember $!
    check "$3: it serves" 'running' "$("$2" "$e" -wait 20 -names)"
    "$work/raw" -p "$port" many 1000 20 hold >"$work/many-$3" &
    remember $!
    within 60 [ -s "$work/many-$3" ]
    check "$3: a thousand nodes, and -status of all in time" '^1000 1000$' \
        "$(cat "$work/many-$3") $("$2" "$e" -status | wc -l)"
    end_started
    unset ERL_EPMD_PORT
}
