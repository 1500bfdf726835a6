PROXY_TEST_LIBS = proxy/libproxy.a conf/libconf.a $(TEST_LIBS)

UNIT_TESTS += %D%/groups
%C%_groups_SOURCES = %D%/groups.c
%C%_groups_LDADD = $(PROXY_TEST_LIBS)

UNIT_TESTS += %D%/health
%C%_health_SOURCES = %D%/health.c
%C%_health_LDADD = $(PROXY_TEST_LIBS)

UNIT_TESTS += %D%/ring
%C%_ring_SOURCES = %D%/ring.c
%C%_ring_LDADD = $(PROXY_TEST_LIBS)

UNIT_TESTS += %D%/client
%C%_client_SOURCES = %D%/client.c
%C%_client_LDADD = proxy/libproxy.a outbound/liboutbound.a mail/libmail.a \
	conf/libconf.a $(TEST_LIBS)

UNIT_TESTS += %D%/hosts
%C%_hosts_SOURCES = %D%/hosts.c
%C%_hosts_LDADD = proxy/libproxy.a server/libserver.a ipc/libipc.a mail/libmail.a $(TEST_LIBS)
