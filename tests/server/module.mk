# The whole server.
SERVER_TESTS += %D%/run.sh
# The server with another front: one that has been taken over.
check_PROGRAMS += %D%/evil-lmtpd
%C%_evil_lmtpd_SOURCES = lmtp/lmtpd.c %D%/evil.c
%C%_evil_lmtpd_LDADD = $(lmtp_doorstep_lmtpd_LDADD)

EXTRA_DIST += %D%/run.sh %D%/cases %D%/connect.py %D%/crowd.py \
	%D%/deliver.py %D%/load.py %D%/retry.py %D%/slow.py %D%/stored.py \
	%D%/together.py
