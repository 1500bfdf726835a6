noinst_LIBRARIES += %D%/libconf.a
%C%_libconf_a_SOURCES = \
	%D%/conf.h %D%/settings.h \
	%D%/keys.c %D%/keys.h %D%/keys.def %D%/words.def \
	%D%/report.c %D%/report.h \
	%D%/syntax.c %D%/syntax.h \
	%D%/value.c %D%/value.h
