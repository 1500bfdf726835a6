QUOTA_TEST_LIBS = quota/libquota.a store/libstore.a \
	conf/libconf.a ipc/libipc.a mail/libmail.a $(TEST_LIBS)

UNIT_TESTS += %D%/limits
%C%_limits_SOURCES = %D%/limits.c
%C%_limits_LDADD = $(QUOTA_TEST_LIBS)

UNIT_TESTS += %D%/maildirsize
%C%_maildirsize_SOURCES = %D%/maildirsize.c
%C%_maildirsize_LDADD = $(QUOTA_TEST_LIBS)

UNIT_TESTS += %D%/quota
%C%_quota_SOURCES = %D%/quota.c
%C%_quota_LDADD = tests/unit/store/libstoretest.a $(QUOTA_TEST_LIBS)

UNIT_TESTS += %D%/fs
%C%_fs_SOURCES = %D%/fs.c
%C%_fs_LDADD = tests/unit/store/libstoretest.a $(QUOTA_TEST_LIBS)
%C%_fs_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=syscall

UNIT_TESTS += %D%/race
%C%_race_SOURCES = %D%/race.c
%C%_race_LDADD = tests/unit/store/libstoretest.a $(QUOTA_TEST_LIBS)
%C%_race_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=rename
