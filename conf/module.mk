noinst_LIBRARIES += %D%/libconf.a
%C%_libconf_a_SOURCES = \
	%D%/conf.h %D%/settings.h \
	%D%/block.c %D%/block.h %D%/check.c %D%/conf.c %D%/dump.c \
	%D%/foreign.def %D%/loader.c %D%/loader.h \
	%D%/location.c %D%/location.h %D%/names.c %D%/names.h \
	%D%/group.c %D%/group.h \
	%D%/keys.c %D%/keys.h %D%/keys.def %D%/words.def \
	%D%/networks.c %D%/networks.h \
	%D%/quota.c %D%/quota.h \
	%D%/quota_names.c %D%/quota_names.h \
	%D%/report.c %D%/report.h \
	%D%/syntax.c %D%/syntax.h \
	%D%/value.c %D%/value.h

# Makes the list of settings in doorstep.conf(5); see docs/module.mk.
check_PROGRAMS += %D%/settings_table
%C%_settings_table_SOURCES = %D%/settings_table.c
%C%_settings_table_LDADD = %D%/libconf.a base/libbase.a $(CORE_LIBS)
