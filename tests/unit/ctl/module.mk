TAP_TESTS += %D%/config.sh %D%/quota.sh %D%/status.sh %D%/user.sh
EXTRA_DIST += %D%/config.sh %D%/quota.sh %D%/status.sh %D%/terminal.py \
	%D%/user.sh

check_PROGRAMS += %D%/fake_server
%C%_fake_server_SOURCES = %D%/fake_server.c
%C%_fake_server_LDADD = server/libserver.a mail/libmail.a conf/libconf.a ipc/libipc.a \
	base/libbase.a $(CORE_LIBS)

UNIT_TESTS += %D%/progress
%C%_progress_SOURCES = %D%/progress.c ctl/progress.c
%C%_progress_LDADD = $(TEST_LIBS)
