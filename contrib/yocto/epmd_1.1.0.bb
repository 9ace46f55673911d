# A recipe for a layer of one's own, as recipes-extended/epmd/epmd_1.1.0.bb; what `make dist` makes
# goes beside it, into the folder files.
SUMMARY = "Erlang Port Mapper Daemon, in C, without Erlang"
DESCRIPTION = "It tells the nodes of distributed Erlang at which port of a host another listens."
LICENSE = "ISC"
LIC_FILES_CHKSUM = "file://LICENSE;md5=95acef6921987a9c4640fd86112de414"

SRC_URI = "file://${BPN}-${PV}.tar.gz"

inherit systemd update-rc.d

SYSTEMD_SERVICE:${PN} = "epmd.socket epmd.service"
INITSCRIPT_NAME = "epmd"
INITSCRIPT_PARAMS = "defaults 50"

# The limits, for a device: CPPFLAGS:append = " -DEPMD_NODE_MAX=16 -DEPMD_CONN_SPARE=16"

do_compile() {
    oe_runmake
}

do_install() {
    oe_runmake install DESTDIR=${D} PREFIX=${prefix} BINDIR=${bindir} MANDIR=${mandir}
    if ${@bb.utils.contains('DISTRO_FEATURES', 'systemd', 'true', 'false', d)}; then
        install -d ${D}${systemd_system_unitdir}
        install -m 0644 contrib/systemd/epmd.service contrib/systemd/epmd.socket \
            ${D}${systemd_system_unitdir}
    fi
    if ${@bb.utils.contains('DISTRO_FEATURES', 'sysvinit', 'true', 'false', d)}; then
        install -d ${D}${sysconfdir}/init.d
        install -m 0755 contrib/buildroot/package/epmd/S50epmd ${D}${sysconfdir}/init.d/epmd
    fi
}
