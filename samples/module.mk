EXTRA_DIST += %D%/README.md %D%/container.conf %D%/doorstep.conf %D%/lmtp-one-user.conf \
	%D%/lmtp-system-users.conf %D%/lmtp-virtual-users.conf %D%/quota.conf %D%/quota-status.conf %D%/submission.conf %D%/system-users.conf \
	%D%/virtual-users.conf
EXTRA_DIST += %D%/postfix %D%/exim %D%/opensmtpd %D%/sendmail %D%/qmail
EXTRA_DIST += %D%/quickstart
EXTRA_DIST += %D%/farm %D%/grafana %D%/systemd
