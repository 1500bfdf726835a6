# The command line of doorstep-lda, without root.
TAP_TESTS += \
	%D%/broken.sh \
	%D%/detail.sh \
	%D%/duplicate.sh \
	%D%/engine.sh \
	%D%/environment.sh \
	%D%/exits.sh \
	%D%/explain.sh \
	%D%/folders.sh \
	%D%/include.sh \
	%D%/kernel_quota.sh \
	%D%/log.sh \
	%D%/loop.sh \
	%D%/mbox.sh \
	%D%/mbox_crowd.sh \
	%D%/message.sh \
	%D%/notify.sh \
	%D%/options.sh \
	%D%/programs.sh \
	%D%/reject.sh \
	%D%/report.sh \
	%D%/quota.sh \
	%D%/sieve.sh \
	%D%/spamtest.sh \
	%D%/surroundings.sh \
	%D%/vacation.sh \
	%D%/warnings.sh
EXTRA_DIST += \
	%D%/broken.py \
	%D%/broken.sh \
	%D%/detail.sh \
	%D%/duplicate.sh \
	%D%/engine.sh \
	%D%/environment.sh \
	%D%/exits.sh \
	%D%/explain.sh \
	%D%/folders.sh \
	%D%/include.sh \
	%D%/kernel_quota.sh \
	%D%/lda.sh \
	%D%/log.sh \
	%D%/loop.sh \
	%D%/mbox.sh \
	%D%/mbox_crowd.sh \
	%D%/message.sh \
	%D%/notify.sh \
	%D%/options.sh \
	%D%/programs.sh \
	%D%/reject.sh \
	%D%/report.sh \
	%D%/quota.sh \
	%D%/sieve.sh \
	%D%/spamtest.sh \
	%D%/surroundings.sh \
	%D%/vacation.py %D%/vacation.sh \
	%D%/warnings.sh
