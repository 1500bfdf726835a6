noinst_LIBRARIES += %D%/libconf.a
%C%_libconf_a_SOURCES = \
	%D%/conf.h %D%/settings.h \
	%D%/block.c %D%/check.c %D%/conf.c %D%/dump.c \
	%D%/foreign.def %D%/loader.c %D%/loader.h \
	%D%/location.c %D%/location.h %D%/names.c %D%/names.h \
	%D%/keys.c %D%/keys.h %D%/keys.def %D%/words.def \
	%D%/report.c %D%/report.h \
	%D%/syntax.c %D%/syntax.h \
	%D%/value.c %D%/value.h
