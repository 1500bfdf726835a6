TAP_TESTS += \
	%D%/engine.sh \
	%D%/processes.sh \
	%D%/reject.sh \
	%D%/reload.sh \
	%D%/sieve.sh \
	%D%/start.sh
EXTRA_DIST += \
	%D%/engine.sh \
	%D%/lmtpd.sh \
	%D%/processes.sh \
	%D%/reject.sh \
	%D%/reload.sh \
	%D%/sieve.sh \
	%D%/start.sh
