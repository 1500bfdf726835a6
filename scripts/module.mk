# Further suites than `make check`, and the tools of the house.  Each suite of
# scripts counts like `make check`, but is run one script after the other.
#   check-asan    make check under address and undefined-behaviour sanitizers
#   check-asan-server  the whole server under them; needs root
#   check-server  the whole server and its torture; needs root
#   check-e2e     real MTAs and IMAP servers; needs root
#   check-faults  torture: full disks, kill -9, failing calls; needs root
#   check-diff    Sieve beside Pigeonhole: DIFF_COUNT (2000) generated scripts from
#                 DIFF_SEED (the time)
#   check-perf    speed against other delivery agents
#   fuzz-smoke    each fuzzer for FUZZ_SECONDS (30); FUZZ_OTHERS_SECONDS: those
#                 that read neither scripts nor messages
SUITE = $(MAKE) $(AM_MAKEFLAGS) -j1 check-TESTS
# One make after the other: two at once would build the same libraries.
PREPARE_SUITE = $(MAKE) $(AM_MAKEFLAGS) $(check_PROGRAMS)

check-server: all
	$(PREPARE_SUITE)
	$(SUITE) TESTS='$(SERVER_TESTS)' TEST_SUITE_LOG=check-server.log
check-e2e: all
	$(PREPARE_SUITE)
	$(SUITE) TESTS='$(E2E_TESTS)' TEST_SUITE_LOG=check-e2e.log
check-faults: all
	$(PREPARE_SUITE)
	$(SUITE) TESTS='$(FAULTS_TESTS)' TEST_SUITE_LOG=check-faults.log
check-diff: all
	DIFF_COUNT=$${DIFF_COUNT:-2000} DIFF_SEED=$${DIFF_SEED:-`date +%s`} \
		$(SUITE) TESTS='$(DIFF_TESTS)' TEST_SUITE_LOG=check-diff.log
check-perf: all
	$(PREPARE_SUITE)
	$(SUITE) TESTS='$(PERF_TESTS)' TEST_SUITE_LOG=check-perf.log

# Builds of their own, below this one.
asan/config.status fuzz/config.status lint-build/config.status: \
	$(top_srcdir)/configure
asan/config.status:
	@$(MKDIR_P) asan
	cd asan && $(abs_top_srcdir)/configure -q --enable-dev \
		--enable-sanitizers
fuzz/config.status:
	@$(MKDIR_P) fuzz
	cd fuzz && $(abs_top_srcdir)/configure -q --enable-fuzzers CC=clang
lint-build/config.status:
	@$(MKDIR_P) lint-build
	cd lint-build && $(abs_top_srcdir)/configure -q --enable-dev

check-asan: asan/config.status
	cd asan && $(MAKE) $(AM_MAKEFLAGS) check
check-asan-server: asan/config.status
	cd asan && $(MAKE) $(AM_MAKEFLAGS) check-server
fuzz-smoke: fuzz/config.status
	cd fuzz && $(MAKE) $(AM_MAKEFLAGS) $(FUZZ_TESTS)
	cd fuzz && $(MAKE) $(AM_MAKEFLAGS) fuzz-search
fuzz-search:
	$(SUITE) TESTS=tests/fuzz/smoke.sh TEST_SUITE_LOG=fuzz-smoke.log

clean-local:
	rm -rf asan fuzz lint-build coverage

.PHONY: check-server check-e2e check-faults check-diff check-perf check-asan \
	check-asan-server fuzz-smoke \
	fuzz-search

# The tools of the house.
#   lint          layers, headers alone, static analysis, scripts, manual pages
#   format        clang-format on every source; format-check only complains
#   coverage      lines that make check never ran, in coverage/
#   verify        all that has to be green before a push: scripts/test
lint: all lint-build/config.status
	TEST_BUILD='$(abs_top_builddir)' $(SHELL) $(top_srcdir)/scripts/lint
format:
	$(SHELL) $(top_srcdir)/scripts/check-format --mend
format-check:
	$(SHELL) $(top_srcdir)/scripts/check-format
verify:
	$(SHELL) $(top_srcdir)/scripts/test

# A build of its own; gcov writes beside each object.
coverage:
	rm -rf coverage && $(MKDIR_P) coverage
	cd coverage && $(abs_top_srcdir)/configure -q --enable-dev \
		CFLAGS='-O0 -g --coverage' LDFLAGS=--coverage
	cd coverage && $(MAKE) $(AM_MAKEFLAGS) check
	cd coverage && find base mail conf sieve store userdb outbound deliver \
		lda ctl -name '*.gcda' 2>/dev/null | xargs gcov -n \
		-s "`realpath '$(abs_top_srcdir)'`" | $(AWK) -f $(abs_top_srcdir)/scripts/coverage.awk

.PHONY: lint format format-check coverage verify

EXTRA_DIST += .ci/run %D%/check-format %D%/check-headers %D%/check-layers %D%/coverage %D%/coverage.awk \
	%D%/deps %D%/distcheck %D%/layers.txt %D%/lint %D%/lint-cc %D%/quickstart %D%/sources \
	%D%/suites %D%/test \
	.clang-format .clang-tidy
