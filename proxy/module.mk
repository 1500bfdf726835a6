noinst_LIBRARIES += %D%/libproxy.a
%C%_libproxy_a_SOURCES = \
	%D%/backend.c %D%/backend.h \
	%D%/body.c %D%/body.h \
	%D%/client.c %D%/client.h \
	%D%/groups.c %D%/groups.h \
	%D%/health.c %D%/health.h \
	%D%/hosts.c %D%/hosts.h \
	%D%/places.c %D%/places.h \
	%D%/memory.c %D%/memory.h \
	%D%/proxy.c %D%/proxy.h \
	%D%/reply.c %D%/reply.h \
	%D%/ring.c %D%/ring.h \
	%D%/status.c %D%/status.h \
	%D%/transaction.c %D%/transaction.h \
	%D%/upstream.c %D%/upstream.h
