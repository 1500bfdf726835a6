# Real MTAs and IMAP servers.
E2E_TESTS += %D%/farm.sh %D%/run.sh %D%/leaving.sh %D%/lmtp.sh %D%/quota.sh
EXTRA_DIST += %D%/farm.py %D%/farm.sh %D%/leaving.sh %D%/letters.py %D%/quota.sh %D%/quota.py %D%/run.sh %D%/lmtp.sh %D%/cases %D%/dovecot.sh %D%/imap.py %D%/postfix.sh \
	%D%/smtp.py %D%/users.sh

# Each MTA by itself, as samples/ says.
E2E_TESTS += %D%/exim.sh %D%/opensmtpd.sh %D%/sendmail.sh %D%/clients.sh
EXTRA_DIST += %D%/clients.sh %D%/exim.sh %D%/opensmtpd.sh %D%/sendmail.sh %D%/mta.sh %D%/rcpt.py
