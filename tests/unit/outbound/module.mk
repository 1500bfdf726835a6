OUTBOUND_TEST_LIBS = tests/lib/libtest.a outbound/liboutbound.a \
	ipc/libipc.a mail/libmail.a base/libbase.a $(TLS_LIBS) $(CORE_LIBS)

UNIT_TESTS += %D%/sendmail
%C%_sendmail_SOURCES = %D%/sendmail.c
%C%_sendmail_LDADD = $(OUTBOUND_TEST_LIBS)

UNIT_TESTS += %D%/reply
%C%_reply_SOURCES = %D%/reply.c
%C%_reply_LDADD = $(OUTBOUND_TEST_LIBS)

UNIT_TESTS += %D%/smtp
%C%_smtp_SOURCES = %D%/smtp.c
%C%_smtp_LDADD = $(OUTBOUND_TEST_LIBS)

UNIT_TESTS += %D%/srs
%C%_srs_SOURCES = %D%/srs.c
%C%_srs_LDADD = $(OUTBOUND_TEST_LIBS)
