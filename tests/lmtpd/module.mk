TAP_TESTS += \
	%D%/auth.sh \
	%D%/dsn.sh \
	%D%/crash.sh \
	%D%/dict.sh \
	%D%/engine.sh \
	%D%/hammer.sh \
	%D%/hammer_dict.sh \
	%D%/leaving.sh \
	%D%/mailer.sh \
	%D%/metrics.sh \
	%D%/policy.sh \
	%D%/processes.sh \
	%D%/quota.sh \
	%D%/programs.sh \
	%D%/rawlog.sh \
	%D%/redis.sh \
	%D%/reject.sh \
	%D%/reload.sh \
	%D%/sieve.sh \
	%D%/systemd.sh \
	%D%/start.sh \
	%D%/tls.sh \
	%D%/trust.sh \
	%D%/vacation.sh \
	%D%/verbose.sh \
	%D%/warnings.sh
EXTRA_DIST += \
	%D%/auth.sh \
	%D%/dsn.sh \
	%D%/crash.sh \
	%D%/dict.sh \
	%D%/engine.sh \
	%D%/hammer.py \
	%D%/hammer.sh \
	%D%/hammer_dict.sh \
	%D%/leaving.sh \
	%D%/mailer.sh \
	%D%/metrics.sh \
	%D%/leaving.py \
	%D%/lmtpd.sh \
	%D%/policy.py %D%/policy.sh \
	%D%/processes.sh \
	%D%/quota.sh \
	%D%/programs.sh \
	%D%/rawlog.sh \
	%D%/redis.sh \
	%D%/reject.sh \
	%D%/reload.sh \
	%D%/sieve.sh \
	%D%/systemd.sh \
	%D%/start.sh \
	%D%/tls.py \
	%D%/tls.sh \
	%D%/trust.sh \
	%D%/vacation.sh \
	%D%/verbose.sh \
	%D%/warnings.sh
