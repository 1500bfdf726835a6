STORE_TEST_LIBS = %D%/libstoretest.a store/libstore.a mail/libmail.a $(TEST_LIBS)
check_LIBRARIES += %D%/libstoretest.a
%C%_libstoretest_a_SOURCES = %D%/box.c %D%/box.h

UNIT_TESTS += %D%/every_driver
%C%_every_driver_SOURCES = %D%/every_driver.c
%C%_every_driver_LDADD = $(STORE_TEST_LIBS)

UNIT_TESTS += %D%/every_fault
%C%_every_fault_SOURCES = %D%/every_fault.c
%C%_every_fault_LDADD = $(STORE_TEST_LIBS)

UNIT_TESTS += %D%/failure
%C%_failure_SOURCES = %D%/failure.c
%C%_failure_LDADD = $(STORE_TEST_LIBS)

UNIT_TESTS += %D%/folder
%C%_folder_SOURCES = %D%/folder.c
%C%_folder_LDADD = $(STORE_TEST_LIBS)

UNIT_TESTS += %D%/keywords
%C%_keywords_SOURCES = %D%/keywords.c
%C%_keywords_LDADD = $(STORE_TEST_LIBS)

UNIT_TESTS += %D%/location
%C%_location_SOURCES = %D%/location.c
%C%_location_LDADD = $(STORE_TEST_LIBS)

UNIT_TESTS += %D%/lock
%C%_lock_SOURCES = %D%/lock.c
%C%_lock_LDADD = $(STORE_TEST_LIBS)

UNIT_TESTS += %D%/maildir
%C%_maildir_SOURCES = %D%/maildir.c
%C%_maildir_LDADD = $(STORE_TEST_LIBS)

UNIT_TESTS += %D%/maildir_folder
%C%_maildir_folder_SOURCES = %D%/maildir_folder.c
%C%_maildir_folder_LDADD = $(STORE_TEST_LIBS)

UNIT_TESTS += %D%/maildir_name
%C%_maildir_name_SOURCES = %D%/maildir_name.c
%C%_maildir_name_LDADD = $(STORE_TEST_LIBS)

UNIT_TESTS += %D%/match
%C%_match_SOURCES = %D%/match.c
%C%_match_LDADD = $(STORE_TEST_LIBS)

UNIT_TESTS += %D%/mbox
%C%_mbox_SOURCES = %D%/mbox.c
%C%_mbox_LDADD = $(STORE_TEST_LIBS)

UNIT_TESTS += %D%/mbox_text
%C%_mbox_text_SOURCES = %D%/mbox_text.c
%C%_mbox_text_LDADD = $(STORE_TEST_LIBS)

UNIT_TESTS += %D%/paths
%C%_paths_SOURCES = %D%/paths.c
%C%_paths_LDADD = $(STORE_TEST_LIBS)

UNIT_TESTS += %D%/permission
%C%_permission_SOURCES = %D%/permission.c
%C%_permission_LDADD = $(STORE_TEST_LIBS)

UNIT_TESTS += %D%/publish
%C%_publish_SOURCES = %D%/publish.c
%C%_publish_LDADD = $(STORE_TEST_LIBS)

UNIT_TESTS += %D%/store
%C%_store_SOURCES = %D%/store.c
%C%_store_LDADD = $(STORE_TEST_LIBS)

UNIT_TESTS += %D%/subscriptions
%C%_subscriptions_SOURCES = %D%/subscriptions.c
%C%_subscriptions_LDADD = $(STORE_TEST_LIBS)

UNIT_TESTS += %D%/uidlist
%C%_uidlist_SOURCES = %D%/uidlist.c
%C%_uidlist_LDADD = $(STORE_TEST_LIBS)

UNIT_TESTS += %D%/utf7
%C%_utf7_SOURCES = %D%/utf7.c
%C%_utf7_LDADD = $(STORE_TEST_LIBS)
