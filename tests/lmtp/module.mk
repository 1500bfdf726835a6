# Cases are data: FOLDER/a_sentence.case, read by one program.
check_PROGRAMS += %D%/runner
%C%_runner_SOURCES = %D%/runner.c %D%/fake_spool.c %D%/fake_spool.h
%C%_runner_LDADD = tests/lib/libescape.a lmtp/liblmtp.a conf/libconf.a mail/libmail.a \
	base/libbase.a $(CORE_LIBS)

TAP_TESTS += %D%/cases.sh
EXTRA_DIST += %D%/cases.sh \
	%D%/basic %D%/data %D%/end %D%/limits %D%/log %D%/results %D%/rfc1870 \
	%D%/rfc2033 %D%/rfc2034 %D%/rfc2920 %D%/rfc3461 %D%/rfc5321 %D%/rfc5429 \
	%D%/ignorequota %D%/rfc3030 %D%/rfc3207 %D%/rfc4954 %D%/rfc6152 %D%/rfc6531 %D%/table %D%/twins %D%/unconfirmed \
	%D%/workarounds %D%/xclient %D%/xforward
