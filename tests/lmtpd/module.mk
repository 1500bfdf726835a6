TAP_TESTS += \
	%D%/processes.sh \
	%D%/reload.sh \
	%D%/start.sh
EXTRA_DIST += \
	%D%/lmtpd.sh \
	%D%/processes.sh \
	%D%/reload.sh \
	%D%/start.sh
