# The whole server.
SERVER_TESTS += %D%/run.sh
# The server with another front: one that has been taken over.
check_PROGRAMS += %D%/evil-lmtpd
%C%_evil_lmtpd_SOURCES = lmtp/lmtpd.c %D%/evil.c
%C%_evil_lmtpd_LDADD = $(lmtp_doorstep_lmtpd_LDADD)

# A user's process that asks state.
check_PROGRAMS += %D%/askstate
%C%_askstate_SOURCES = %D%/askstate.c
%C%_askstate_LDADD = server/libserver.a mail/libmail.a ipc/libipc.a $(TEST_LIBS)

EXTRA_DIST += %D%/run.sh %D%/attack.py %D%/backend.py %D%/campaign.py %D%/cases %D%/connect.py %D%/crowd.py \
	%D%/deliver.py %D%/farm.py %D%/load.py %D%/retry.py %D%/slow.py %D%/stored.py \
	%D%/systemd-drive.sh %D%/systemd-enter.sh \
	%D%/together.py
