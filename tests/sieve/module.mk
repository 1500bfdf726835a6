# Cases are data: FOLDER/a_sentence.case, read by one program.
check_PROGRAMS += %D%/runner
%C%_runner_SOURCES = %D%/runner.c
%C%_runner_LDADD = tests/lib/libescape.a sieve/libsieve.a mail/libmail.a base/libbase.a $(CORE_LIBS)

TAP_TESTS += %D%/cases.sh %D%/starved.sh %D%/svtest.sh %D%/command.sh %D%/compare.sh %D%/coverage.sh
EXTRA_DIST += %D%/cases.sh %D%/starved.sh %D%/svtest.sh %D%/command.sh %D%/compare.sh %D%/coverage.sh %D%/testsuite \
	%D%/engine %D%/regex %D%/vendor %D%/rfc3894 %D%/rfc4790 %D%/rfc5051 \
	%D%/rfc5173 %D%/rfc5183 %D%/rfc5228 %D%/rfc5229 %D%/rfc5230 %D%/rfc5231 %D%/rfc5232 \
	%D%/rfc5233 %D%/rfc5235 %D%/rfc5260 %D%/rfc5293 %D%/rfc5429 %D%/rfc5435 %D%/rfc5436 %D%/rfc5463 \
	%D%/rfc5490 %D%/rfc5703 %D%/rfc6009 %D%/rfc6131 %D%/rfc6134 %D%/rfc6558 %D%/rfc6609 %D%/rfc7352 \
	%D%/rfc8579 %D%/rfc8580 %D%/rfc9042
