UNIT_TESTS += %D%/sendmail
%C%_sendmail_SOURCES = %D%/sendmail.c
%C%_sendmail_LDADD = tests/lib/libtest.a outbound/liboutbound.a \
	mail/libmail.a base/libbase.a $(CORE_LIBS)
