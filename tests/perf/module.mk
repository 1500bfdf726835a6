# Cost of one delivery by the command line, beside other agents.
check_PROGRAMS += %D%/oneshot
%C%_oneshot_SOURCES = %D%/oneshot.c
%C%_oneshot_LDADD = base/libbase.a
PERF_TESTS += %D%/run.sh
EXTRA_DIST += %D%/run.sh %D%/rules.sieve

# Deliveries by LMTP.
check_PROGRAMS += %D%/lmtpload
%C%_lmtpload_SOURCES = %D%/lmtpload.c
%C%_lmtpload_LDADD = base/libbase.a
PERF_TESTS += %D%/lmtp.sh
EXTRA_DIST += %D%/lmtp.sh

# Sieve alone, beside Pigeonhole and libsieve.
check_PROGRAMS += %D%/sievebench
%C%_sievebench_SOURCES = %D%/sievebench.c
%C%_sievebench_LDADD = engine/libengine.a sieve/libsieve.a mail/libmail.a \
	base/libbase.a $(CORE_LIBS)
PERF_TESTS += %D%/sieve.sh
EXTRA_DIST += %D%/sieve.sh

# A look at the quota.
PERF_TESTS += %D%/quota.sh
EXTRA_DIST += %D%/quota.sh

# Passing mail on.
check_PROGRAMS += %D%/lmtpsink
%C%_lmtpsink_SOURCES = %D%/lmtpsink.c
%C%_lmtpsink_LDADD = base/libbase.a
PERF_TESTS += %D%/proxy.sh
EXTRA_DIST += %D%/proxy.sh
