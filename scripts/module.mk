# Further suites than `make check`, and the tools of the house.  Each suite of
# scripts counts like `make check`, but is run one script after the other.
#   check-asan    make check under address and undefined-behaviour sanitizers
#   check-e2e     real MTAs and IMAP servers; needs root
#   check-faults  torture: full disks, kill -9, failing calls; needs root
#   check-perf    speed against other delivery agents
#   fuzz-smoke    each fuzzer for FUZZ_SECONDS (30)
SUITE = $(MAKE) $(AM_MAKEFLAGS) -j1 check-TESTS

check-e2e: all $(check_PROGRAMS)
	$(SUITE) TESTS='$(E2E_TESTS)' TEST_SUITE_LOG=check-e2e.log
check-faults: all $(check_PROGRAMS)
	$(SUITE) TESTS='$(FAULTS_TESTS)' TEST_SUITE_LOG=check-faults.log
check-perf: all $(check_PROGRAMS)
	$(SUITE) TESTS='$(PERF_TESTS)' TEST_SUITE_LOG=check-perf.log

# Builds of their own, below this one.
asan/config.status fuzz/config.status: $(top_srcdir)/configure
asan/config.status:
	@$(MKDIR_P) asan
	cd asan && $(abs_top_srcdir)/configure -q --enable-dev \
		--enable-sanitizers
fuzz/config.status:
	@$(MKDIR_P) fuzz
	cd fuzz && $(abs_top_srcdir)/configure -q --enable-fuzzers CC=clang

check-asan: asan/config.status
	cd asan && $(MAKE) $(AM_MAKEFLAGS) check
fuzz-smoke: fuzz/config.status
	cd fuzz && $(MAKE) $(AM_MAKEFLAGS) $(FUZZ_TESTS)
	cd fuzz && $(MAKE) $(AM_MAKEFLAGS) fuzz-search
fuzz-search:
	$(SUITE) TESTS=tests/fuzz/smoke.sh TEST_SUITE_LOG=fuzz-smoke.log

clean-local:
	rm -rf asan fuzz

.PHONY: check-e2e check-faults check-perf check-asan fuzz-smoke \
	fuzz-search
