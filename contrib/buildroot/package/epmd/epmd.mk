################################################################################
#
# epmd
#
################################################################################

# This folder's contrib/buildroot is an external tree, and the source is what it stands in:
#     make BR2_EXTERNAL=/path/to/epmd/contrib/buildroot menuconfig
# finds epmd under "External options".
EPMD_SITE = $(BR2_EXTERNAL_EPMD_PATH)/../..
EPMD_SITE_METHOD = local
EPMD_LICENSE = ISC
EPMD_LICENSE_FILES = LICENSE

# Where Erlang is built too, /usr/bin/epmd is this one.
EPMD_DEPENDENCIES = $(if $(BR2_PACKAGE_ERLANG),erlang)

EPMD_MAKE_OPTS = $(TARGET_CONFIGURE_OPTS) \
	CPPFLAGS="$(TARGET_CPPFLAGS) $(call qstrip,$(BR2_PACKAGE_EPMD_LIMITS))"

# -B: the tree may hold an epmd that was built for this host.
define EPMD_BUILD_CMDS
	$(TARGET_MAKE_ENV) $(MAKE) -B -C $(@D) $(EPMD_MAKE_OPTS)
endef

define EPMD_INSTALL_TARGET_CMDS
	$(TARGET_MAKE_ENV) $(MAKE) -C $(@D) $(EPMD_MAKE_OPTS) \
		install DESTDIR=$(TARGET_DIR) PREFIX=/usr
endef

define EPMD_INSTALL_INIT_SYSV
	$(INSTALL) -D -m 0755 $(EPMD_PKGDIR)/S50epmd $(TARGET_DIR)/etc/init.d/S50epmd
endef

define EPMD_INSTALL_INIT_OPENRC
	$(INSTALL) -D -m 0755 $(@D)/contrib/openrc/epmd $(TARGET_DIR)/etc/init.d/epmd
endef

define EPMD_INSTALL_INIT_SYSTEMD
	$(INSTALL) -D -m 0644 $(@D)/contrib/systemd/epmd.service \
		$(TARGET_DIR)/usr/lib/systemd/system/epmd.service
	$(INSTALL) -D -m 0644 $(@D)/contrib/systemd/epmd.socket \
		$(TARGET_DIR)/usr/lib/systemd/system/epmd.socket
endef

$(eval $(generic-package))
