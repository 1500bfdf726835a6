noinst_LIBRARIES += %D%/libproxy.a
%C%_libproxy_a_SOURCES = \
	%D%/groups.c %D%/groups.h \
	%D%/health.c %D%/health.h \
	%D%/ring.c %D%/ring.h
