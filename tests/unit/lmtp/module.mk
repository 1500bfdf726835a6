LMTP_TEST_LIBS = lmtp/liblmtp.a server/libserver.a mail/libmail.a ipc/libipc.a \
	conf/libconf.a mail/libmail.a $(TEST_LIBS) $(TLS_LIBS)

UNIT_TESTS += %D%/spool
%C%_spool_SOURCES = %D%/spool.c
%C%_spool_LDADD = $(LMTP_TEST_LIBS)

UNIT_TESTS += %D%/front
%C%_front_SOURCES = %D%/front.c %D%/stage.c %D%/stage.h
%C%_front_LDADD = $(LMTP_TEST_LIBS)
UNIT_TESTS += %D%/proxy
%C%_proxy_SOURCES = %D%/proxy.c
%C%_proxy_LDADD = lmtp/liblmtp.a conf/libconf.a mail/libmail.a $(TEST_LIBS)
UNIT_TESTS += %D%/relay
%C%_relay_SOURCES = %D%/relay.c
%C%_relay_LDADD = lmtp/liblmtp.a $(TEST_LIBS)
