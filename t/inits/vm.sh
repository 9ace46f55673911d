# A machine that boots Debian with our package and a node, with IPv6 and without.
# shellcheck shell=bash disable=SC2016,SC2154

. "$here/qemu.sh"

modules='virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_blk'

run_case() {
    local arg out
    need qemu-system-x86_64=qemu-system-x86 cpio=cpio mke2fs=e2fsprogs || return
    kernel amd64 '^linux-image-6.1.0-[0-9]*-cloud-amd64-unsigned$' || return
    root_of "systemd-$SUITE" systemd-sysv dbus udev || return
    packages "$cache/systemd-$SUITE" || return
    built || return
    disk || return
    first_root
    for arg in ipv6.disable=0 ipv6.disable=1; do
        cp --sparse=always "$work/disk" "$work/disk.used"
        out=$(machine 500 amd64 "$work/vm.gz" "console=ttyS0 rw mitigations=off $arg" \
            qemu-system-x86_64 -accel tcg -cpu max -machine q35 -m 512 \
            -drive "file=$work/disk.used,format=raw,if=virtio,cache=unsafe" \
            -serial "file:$work/console" -serial stdio)
        check "$arg: a boot without a failed unit" 'T failed units: 0' "$out"
        check "$arg: the socket before the node" 'T order: epmd.socket node.service' "$out"
        check "$arg: the node that starts at boot is registered" 'T node: name boot' "$out"
        check "$arg: serves where user namespaces are off" 'T no user namespaces: epmd: up' "$out"
        case $arg in
        *=0) check "$arg: listens" 'T listens: \*:4369' "$out" ;;
        *) check "$arg: listens" 'T listens: 0\.0\.0\.0:4369' "$out" ;;
        esac
    done
}

# The root with our package, erlang-base, a node and what is tried, on a disk.
disk() {
    local r=$work/vm
    cp -a "$cache/systemd-$SUITE" "$r"
    mkdir -p "$r/repo" "$r/t"
    cp "$cache/debs-$SUITE/"{Packages,erlang-base_*,libnss*} "$r/repo"
    cp "$work/epmd.deb" "$r/t"
    cat >"$r/try" <<'END'
stty -F /dev/ttyS1 raw
exec >/dev/ttyS1 2>&1
until systemctl is-system-running | grep -qE 'running|degraded'; do sleep 1; done
echo "T failed units: $(systemctl --failed --no-legend | wc -l)"
epmd -wait 60 -lookup boot >/dev/null
echo "T node: $(epmd -names | tail -n 1)"
echo "T listens: $(ss -tln | awk '/:4369/ { print $4 }' | xargs)"
echo "T order: $(journalctl -b -o cat --no-pager |
    sed -n 's/^\(Listening on\|Started\) \(epmd.socket\|node.service\).*/\2/p' | head -n 2 | xargs)"
sysctl -q -w user.max_user_namespaces=0
systemctl stop epmd.service 2>/dev/null
echo "T no user namespaces: $(epmd -timeout 20 -names)"
systemctl poweroff
END
    cat >"$r/etc/systemd/system/try.service" <<'END'
[Service]
ExecStart=/bin/bash /try
[Install]
WantedBy=multi-user.target
END
    cat >"$r/etc/systemd/system/node.service" <<'END'
[Service]
Environment=HOME=/root
ExecStart=/usr/bin/erl +S 1:1 -noinput -sname boot
[Install]
WantedBy=multi-user.target
END
    unshare --mount chroot "$r" sh -c '
        mount -t proc p /proc
        apt-get update -qq
        dpkg -i /t/epmd.deb
        apt-get install -y -qq --no-install-recommends erlang-base libnss-systemd
        systemctl enable node.service try.service epmd.socket
        umount /proc
        rm -rf /repo' >"$work/log" 2>&1
    truncate -s 900M "$work/disk"
    mke2fs -q -t ext4 -d "$r" -O ^has_journal -m 0 "$work/disk"
}

# The disk's driver is a module.
first_root() {
    local r=$work/first m
    mkdir -p "$r"/{bin,dev,new,modules}
    cp "$cache/kernel-amd64/bin/busybox" "$r/bin"
    for m in $modules; do
        find "$cache/kernel-amd64/lib/modules" -name "$m.ko" -exec cp {} "$r/modules" \;
    done
    cat >"$r/init" <<END
#!/bin/busybox sh
/bin/busybox mount -t devtmpfs d /dev
for m in $modules; do /bin/busybox insmod /modules/\$m.ko; done
until [ -b /dev/vda ]; do /bin/busybox sleep 0.1; done
/bin/busybox mount -t ext4 /dev/vda /new
/bin/busybox mount --move /dev /new/dev
exec /bin/busybox switch_root /new /sbin/init
END
    chmod 755 "$r/init"
    initramfs "$work/vm.gz" "$r"
}
