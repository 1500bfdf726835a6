# Every test prints TAP.  A folder's module.mk appends to
#   UNIT_TESTS  programs in C, named by their path without .c
#   TAP_TESTS   shell scripts *.sh that use tests/lib/tap.sh
#   SERVER_TESTS E2E_TESTS FAULTS_TESTS DIFF_TESTS PERF_TESTS   the same for suites that are not part
#               of `make check` (scripts/module.mk)
# and a program says what it is made of, for example in tests/unit/mail:
#   UNIT_TESTS += %D%/header
#   %C%_header_SOURCES = %D%/header.c
#   %C%_header_LDADD = mail/libmail.a $(TEST_LIBS)
# Data that a script reads belongs into EXTRA_DIST (a folder will do).
TEST_LIBS = tests/lib/libtest.a base/libbase.a $(CORE_LIBS) $(SECCOMP_LIBS)

if FUZZERS
check_PROGRAMS += $(FUZZ_TESTS)
else
check_PROGRAMS += $(UNIT_TESTS) tests/lib/selftest
endif
TESTS = $(UNIT_TESTS) $(TAP_TESTS)
TEST_EXTENSIONS = .sh

# Programs have no extension and use LOG_DRIVER; scripts use SH_LOG_DRIVER.
TAP_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) \
	$(top_srcdir)/build-aux/tap-driver.sh
LOG_DRIVER = $(TAP_DRIVER)
SH_LOG_DRIVER = $(TAP_DRIVER)
SH_LOG_COMPILER = /bin/sh
AM_TESTS_ENVIRONMENT = \
	TEST_SOURCE='$(abs_top_srcdir)'; export TEST_SOURCE; \
	TEST_BUILD='$(abs_top_builddir)'; export TEST_BUILD;

include tests/build/module.mk
include tests/lib/module.mk
include tests/unit/base/module.mk
include tests/unit/ipc/module.mk
include tests/unit/policy/module.mk
include tests/unit/mail/module.mk
include tests/unit/conf/module.mk
include tests/unit/dict/module.mk
include tests/unit/userdb/module.mk
include tests/unit/store/module.mk
include tests/unit/sieve/module.mk
include tests/unit/engine/module.mk
include tests/unit/outbound/module.mk
include tests/unit/proxy/module.mk
include tests/unit/quota/module.mk
include tests/unit/deliver/module.mk
include tests/unit/server/module.mk
include tests/unit/lmtp/module.mk
include tests/unit/lda/module.mk
include tests/unit/ctl/module.mk
include tests/docs/module.mk
include tests/svtest/module.mk
include tests/mail/module.mk
include tests/sieve/module.mk
include tests/lmtp/module.mk
include tests/lda/module.mk
include tests/lmtpd/module.mk
include tests/fuzz/module.mk
include tests/server/module.mk
include tests/e2e/module.mk
include tests/faults/module.mk
include tests/diff/module.mk
include tests/perf/module.mk
