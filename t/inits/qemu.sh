# Machines of their own by qemu, without hardware's help, and what they boot.
# shellcheck shell=bash disable=SC2154

# Debian's kernel of an architecture as $cache/kernel-ARCH/boot/vmlinuz*, with its modules, busybox
# as bin/busybox, and musl's library where that is not our own.
kernel() { # ARCH PACKAGE-REGEX
    local d=$cache/kernel-$1 s=$work/apt-$1 p get
    [ ! -d "$d" ] || return 0
    mkdir -p "$s"/{etc/apt/{apt.conf,preferences}.d,var/lib/dpkg,debs} "$d.new" \
        "$s"/var/{lib/apt/lists,cache/apt/archives}/partial
    : >"$s/var/lib/dpkg/status"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] \
        http://deb.debian.org/debian bookworm main" >"$s/etc/apt/sources.list"
    get=(-qq -o "Dir=$s" -o "APT::Architecture=$1" -o "APT::Architectures=$1"
        -o "Dir::State::status=$s/var/lib/dpkg/status" -o APT::Sandbox::User=root)
    {
        apt-get "${get[@]}" update &&
            p=$(apt-cache "${get[@]}" search --names-only "$2" | awk '{ print $1 }' | sort -V |
                tail -n 1) &&
            cd "$s/debs" && apt-get "${get[@]}" download "$p" busybox-static musl-dev && cd "$root"
    } >"$work/log" 2>&1 || {
        leave_out "no kernel of $1: $(tail -n 1 "$work/log")"
        return
    }
    for p in "$s"/debs/*.deb; do dpkg-deb -x "$p" "$d.new"; done
    rm -rf "$d.new/lib/modules/"*/kernel/{sound,drivers/{net/wireless,gpu,media,infiniband}}
    mv "$d.new" "$d"
}

initramfs() { # FILE FOLDER
    (cd "$2" && find . | cpio -o -H newc --quiet -R 0:0 | gzip -1) >"$1"
}

# A machine's output from its serial line until it powers off.
machine() { # SECONDS ARCH INITRAMFS KERNEL-ARGUMENTS QEMU-ARGUMENT...
    local limit=$1 kernel initrd=$3 append=$4
    kernel=$(echo "$cache/kernel-$2"/boot/vmlinuz*)
    shift 4
    timeout "$limit" "$@" -smp 1 -display none -monitor none -net none -no-reboot \
        -kernel "$kernel" -initrd "$initrd" -append "$append quiet panic=-1" </dev/null 2>&1 |
        tr -d '\r'
}

# --- a device: the kernel, busybox and our static build alone ----------------

device() { # ARCH COMPILER KERNEL-ARGUMENTS QEMU-ARGUMENT...
    local arch=$1 cc=$2 append=$3 dir=$work/device-$1 c out
    shift 3
    need cpio=cpio || return
    source_copied
    mkdir -p "$dir"/{bin,dev,proc,etc}
    cp "$cache/kernel-$arch/bin/busybox" "$dir/bin"
    for c in sh cat grep sed awk tail head cut date ifconfig mount mknod nc sleep kill ps hexdump \
        poweroff rm wc tr timeout dmesg; do
        ln -s busybox "$dir/bin/$c"
    done
    make -s -C "$work/src" static ${cc:+"CC=$cc"} \
        CPPFLAGS='-DEPMD_NODE_MAX=16 -DEPMD_CONN_SPARE=16' &&
        mv "$work/src/epmd-static" "$dir/bin/epmd" || exit 1
    mknod "$dir/dev/console" c 5 1
    printf '#!/bin/sh\nexec /bin/busybox init\n' >"$dir/init"
    printf '#!/bin/sh\nmount -t proc p /proc\ndate -s @100\n' >"$dir/etc/rc"
    {
        echo '::sysinit:/etc/rc'
        sed -n 's,/usr/bin/epmd -user nobody,/bin/epmd,p' "$root/contrib/busybox/inittab"
        echo '::once:/etc/test'
    } >"$dir/etc/inittab"
    cp "$here/device.try" "$dir/etc/test"
    chmod 755 "$dir" "$dir/init" "$dir/etc/rc" "$dir/etc/test"
    initramfs "$work/device.gz" "$dir"
    out=$(machine 300 "$arch" "$work/device.gz" "$append" "$@" -serial stdio)
    while IFS='|' read -r what wanted; do
        check "$arch: $what" "$wanted" "$out"
    done <<'END'
starts while lo is down|T lo down: started 1, alive 1, daemon 0
serves once lo is up|T lo up: epmd: up.*epmd: up
rests in 140 kB, 450 kB of addresses|T rest: (1[0-3]|[0-9])[0-9] kB of ([0-3][0-9]|4[0-4])[0-9] kB
-user and -daemon without /dev/null|T no /dev/null: 0 epmd: up
-user without /etc/passwd|no such user: "nobody".*T no passwd: 1
creations over the clock's step from 1970|T creations: 10[0-9] 10[0-9] 1795[0-9]+,
a half request over that step is answered|a half request: 7700
busybox nc registers and looks up|T nc: 77001388 5000
and its end is seen|T its end: 1
16 nodes and no more|no room for another node.*T 16: 17 lines, [0-9]+ kB; 17th: 1; 6016
init starts it again|T respawned: epmd: up
under README's limits|T limits: 0 epmd: up
a full disk is told of|No space left.*T full: 1
outlives the end of memory|T oom: failed 0, 1 killed, same yes, 5000
END
}

# Debian's cross compiler with musl in the place of glibc, as musl-gcc has it.
musl_for() { # ARCH COMPILER
    local d=$cache/kernel-$1
    sed "s#/usr/\(include\|lib\)/\([a-z0-9]*-linux-musl\)#$d/usr/\1/\2#g" \
        "$d"/usr/lib/*musl*/musl-gcc.specs >"$work/specs-$1"
    echo "$2 -specs=$work/specs-$1"
}
