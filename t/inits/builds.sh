# The packages of contrib/buildroot, contrib/yocto and contrib/openwrt, with stand-ins for what
# builds them: each is compiled and installed by the words of its own file.
# shellcheck shell=bash disable=SC2016,SC2154

run_case() {
    need busybox=busybox-static kconfig-conf=kconfig-frontends-nox musl-gcc=musl-tools \
        aarch64-linux-gnu-gcc='gcc-aarch64-linux-gnu libc6-dev-arm64-cross' || return
    source_copied
    buildroot
    yocto
    openwrt
    sysv
}

machine_of() { readelf -h "$1" 2>&1 | sed -n 's/^ *Machine: *//p'; }
files_of() { (cd "$1" 2>/dev/null && find . -type f | sort | xargs); }

# --- Buildroot -------------------------------------------------------------

buildroot() {
    local d=$work/buildroot t="$work/buildroot/target"
    mkdir -p "$d"
    # as its package/pkg-generic.mk goes through a package
    cat >"$d/Makefile" <<'END'
qstrip = $(strip $(subst ",,$(1)))
INSTALL = install
TARGET_CONFIGURE_OPTS = CC="$(TARGET_CC)" CFLAGS="-Os" CPPFLAGS="" LDFLAGS=""
pkgname = $(lastword $(subst /, ,$(dir $(lastword $(MAKEFILE_LIST)))))
define generic-package
EPMD_PKGDIR = $(dir $(lastword $(MAKEFILE_LIST)))
$(BUILD_DIR)/built:
	cp -r $$(EPMD_SITE) $$(@D)
	test "$(pkgname) $$(EPMD_SITE_METHOD)" = "epmd local"
	test -e $$(@D)/$$(EPMD_LICENSE_FILES)
	$$(EPMD_BUILD_CMDS)
	$$(EPMD_INSTALL_TARGET_CMDS)
	$$(EPMD_INSTALL_INIT_$$(INIT))
endef
include $(BR2_EXTERNAL_EPMD_PATH)/external.mk
END
    (cd "$work/src" && make -s) # for this host
    for init in SYSV OPENRC SYSTEMD; do
        rm -rf "$t" "$d/build"
        make -s -f "$d/Makefile" INIT=$init BUILD_DIR="$d/build" TARGET_DIR="$t" \
            TARGET_CC=aarch64-linux-gnu-gcc BR2_EXTERNAL_EPMD_PATH="$work/src/contrib/buildroot" \
            BR2_PACKAGE_EPMD_LIMITS='"-DEPMD_NODE_MAX=16 -DEPMD_CONN_SPARE=16"' >"$work/log" 2>&1
        check "Buildroot: $init, its files" "^$(buildroot_files $init)\$" \
            "$(files_of "$t" || cat "$work/log")"
        check "Buildroot: $init, for its machine" '^AArch64$' "$(machine_of "$t/usr/bin/epmd")"
    done
    check 'Buildroot: with the limits of its configuration' '^[0-9]{1,6}$' \
        "$(aarch64-linux-gnu-size "$t/usr/bin/epmd" | awk 'NR == 2 { print $3 }')"
    check 'Buildroot: its configuration, as kconfig reads it' \
        '^BR2_PACKAGE_EPMD=y BR2_PACKAGE_EPMD_LIMITS="-DEPMD_NODE_MAX=16 -DEPMD_CONN_SPARE=16"$' "$(
            cd "$d" || exit
            cat >Kconfig <<END
config BR2_EXTERNAL_EPMD_PATH
	string
	default "$root/contrib/buildroot"
config BR2_USE_MMU
	def_bool y
source "$root/contrib/buildroot/Config.in"
END
            CONFIG_='' \
                kconfig-conf --allyesconfig Kconfig >"$work/log" 2>&1 || cat "$work/log"
            grep '^BR2_PACKAGE' .config | xargs -d '\n')"
}

buildroot_files() { # INIT
    case $1 in
    SYSV) echo ./etc/init.d/S50epmd ./usr/bin/epmd ./usr/share/man/man8/epmd.8 ;;
    OPENRC) echo ./etc/init.d/epmd ./usr/bin/epmd ./usr/share/man/man8/epmd.8 ;;
    SYSTEMD) echo ./usr/bin/epmd ./usr/lib/systemd/system/epmd.service \
        ./usr/lib/systemd/system/epmd.socket ./usr/share/man/man8/epmd.8 ;;
    esac
}

# --- Yocto -----------------------------------------------------------------

yocto() {
    local bb d=$work/yocto feature
    local -A files=(
        [systemd]='^./usr/bin/epmd .*system/epmd.service .*system/epmd.socket '
        [sysvinit]='^./etc/init.d/epmd ./usr/bin/epmd ./usr/share/man/man8/epmd.8$'
    )
    bb=$(echo "$root"/contrib/yocto/epmd_*.bb)
    check 'Yocto: the licence is the one that it names' \
        "md5=$(md5sum <"$root/LICENSE" | cut -d' ' -f1)" "$(grep LIC_FILES_CHKSUM "$bb")"
    for feature in systemd sysvinit; do
        rm -rf "$d"
        cp -r "$work/src" "$d"
        make -s -C "$d" clean
        # what is left of do_compile and do_install once bitbake has expanded them
        {
            echo "D=$d/image prefix=/usr bindir=/usr/bin mandir=/usr/share/man sysconfdir=/etc"
            echo 'systemd_system_unitdir=/usr/lib/systemd/system'
            echo 'oe_runmake() { make -s "$@"; }'
            sed -n '/^do_[a-z]*() {/,/^}/p' "$bb" |
                sed "s/\${@bb[^}]*'$feature'[^}]*}/true/; s/\${@bb[^}]*}/false/"
            echo 'do_compile && do_install'
        } >"$d/recipe"
        (cd "$d" && CC=aarch64-linux-gnu-gcc CFLAGS=-Os sh -eu ./recipe) >"$work/log" 2>&1
        check "Yocto: with $feature" "${files[$feature]}" \
            "$(files_of "$d/image" || cat "$work/log")"
        check 'Yocto: for its machine' '^AArch64$' "$(machine_of "$d/image/usr/bin/epmd")"
    done
}

# --- OpenWrt ---------------------------------------------------------------

openwrt() {
    local d=$work/openwrt
    mkdir -p "$d/include"
    cp -r "$work/src" "$d/source"
    make -s -C "$d/source" clean
    cat >"$d/rules.mk" <<'END'
INCLUDE_DIR = $(TOPDIR)/include
INSTALL_DIR = install -d -m0755
INSTALL_BIN = install -m0755
END
    # as its include/package-defaults.mk and package-ipkg.mk go through a package
    cat >"$d/include/package.mk" <<'END'
PKG_BUILD_DIR = $(TOPDIR)/source
define BuildPackage
all:
	test "$$(PKG_SOURCE)" = "epmd-$$(PKG_VERSION).tar.gz"
	CFLAGS="-Os $$(EXTRA_CFLAGS)" LDFLAGS= $$(MAKE) -s -C $$(PKG_BUILD_DIR) CC=$$(TARGET_CC)
	$$(call Package/$(1)/install,$$(TOPDIR)/image)
endef
END
    make -s -C "$root/contrib/openwrt" TOPDIR="$d" TARGET_CC=aarch64-linux-gnu-gcc >"$work/log" 2>&1
    check 'OpenWrt: its files' '^./etc/init.d/epmd ./usr/bin/epmd$' \
        "$(files_of "$d/image" || cat "$work/log")"
    check 'OpenWrt: for its machine' '^AArch64$' "$(machine_of "$d/image/usr/bin/epmd")"
    # procd's shell functions, as /lib/functions/procd.sh has them, write down what they are told
    check 'OpenWrt: what procd is told' '/usr/bin/epmd -address 127.0.0.1 .*respawn 3600 1 0' "$(
        busybox sh -c '
            procd_open_instance() { :; }
            procd_close_instance() { :; }
            procd_set_param() { echo "$*"; }
            . "$1"
            start_service' sh "$d/image/etc/init.d/epmd" 2>&1 | xargs)"
}

# --- S50epmd under busybox ---------------------------------------------------

# The script with busybox' shell and tools alone, in a network and a root of its own.
sysv() {
    local d=$work/sysv out c
    mkdir -p "$d"/{bin,usr/bin,etc/init.d,proc,dev}
    cp "$(command -v busybox)" "$d/bin"
    for c in sh sleep start-stop-daemon ps grep; do ln -s busybox "$d/bin/$c"; done
    make -s -C "$work/src" static && mv "$work/src/epmd-static" "$d/usr/bin/epmd"
    cp "$root/contrib/buildroot/package/epmd/S50epmd" "$d/etc/init.d"
    echo 'nobody:x:65534:65534:nobody:/:/bin/false' >"$d/etc/passwd"
    cat >"$d/try" <<'END'
s=/etc/init.d/S50epmd
t() { echo "T $*"; }
t "start: $($s start; echo $?)"
t "status: $($s status; echo $?)"
t "user: $(ps | grep '[e]pmd -user nobody -daemon -address 127' | grep -c ' 65534 \| nobody ')"
t "again: $($s start 2>&1; echo $?)"
epmd -wait 5 -register one 5000 >/one &
epmd -wait 5 -lookup one >/out
t "stop: $($s stop; echo $?)"
t "status: $($s status; echo $?)"
echo 'EPMD_ARGS="-address 127.0.0.1 -port 5999"' >/etc/default/epmd
t "restart: $($s restart >/out 2>&1; echo $?) $(epmd -port 5999 -names)"
t "end: $($s stop; echo $?) $(epmd -port 5999 -started; echo $?)"
END
    mkdir "$d/etc/default"
    out=$(timeout 60 unshare --mount --net --pid --fork --kill-child sh -c '
        ip link set lo up
        mount -t proc p "$1/proc"
        exec env -i PATH=/bin:/usr/bin "$(command -v chroot)" "$1" /bin/sh /try' sh "$d" 2>&1)
    check 'S50epmd: start' 'T start: Starting epmd: OK.0' "$out"
    check 'S50epmd: as nobody, on loopback alone' 'T status: 0.T user: 1' "$out"
    check 'S50epmd: a second start starts nothing' 'T again: Starting epmd: .*FAIL.1' "$out"
    check 'S50epmd: stop, once it has ended' 'T stop: Stopping epmd: OK.0.T status: 1' "$out"
    check 'S50epmd: restart, by /etc/default/epmd' 'T restart: 0 epmd: up .* 5999' "$out"
    check 'S50epmd: and stop' 'T end: Stopping epmd: OK.0 1' "$out"
}
