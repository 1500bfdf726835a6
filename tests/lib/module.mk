# Programs in C: tests/lib/test.h.  Shell scripts: tests/lib/tap.sh.
check_LIBRARIES += %D%/libtest.a %D%/libescape.a
%C%_libescape_a_SOURCES = %D%/escape.c %D%/escape.h
%C%_libtest_a_SOURCES = %D%/test.c %D%/test.h
%C%_libtest_a_CPPFLAGS = $(AM_CPPFLAGS) \
	-DTEST_SOURCE_FOLDER='"$(abs_top_srcdir)"'
EXTRA_DIST += %D%/lmtp.py %D%/machine.sh %D%/mta.sh %D%/relay.py %D%/report.py %D%/server.sh %D%/tap.sh

%C%_selftest_SOURCES = %D%/selftest.c
%C%_selftest_LDADD = $(TEST_LIBS)
TAP_TESTS += %D%/selftest.sh
EXTRA_DIST += %D%/selftest.sh
