include $(BR2_EXTERNAL_EPMD_PATH)/package/epmd/epmd.mk
