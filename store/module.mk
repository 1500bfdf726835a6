noinst_LIBRARIES += %D%/libstore.a
%C%_libstore_a_SOURCES = \
	%D%/driver.h \
	%D%/failure.c %D%/failure.h \
	%D%/folder.c %D%/folder.h \
	%D%/keywords.c %D%/keywords.h \
	%D%/location.c %D%/location.h \
	%D%/lock.c %D%/lock.h \
	%D%/maildir.c \
	%D%/maildir_folder.c %D%/maildir_folder.h \
	%D%/maildir_measure.c %D%/maildir_measure.h \
	%D%/maildir_name.c %D%/maildir_name.h \
	%D%/maildir_target.c %D%/maildir_target.h \
	%D%/match.c %D%/match.h \
	%D%/make.c %D%/make.h \
	%D%/mbox.c \
	%D%/mbox_folder.c %D%/mbox_folder.h \
	%D%/mbox_keywords.c %D%/mbox_keywords.h \
	%D%/mbox_measure.c %D%/mbox_measure.h \
	%D%/mbox_text.c %D%/mbox_text.h \
	%D%/paths.c %D%/paths.h \
	%D%/permission.c %D%/permission.h \
	%D%/publish.c %D%/publish.h \
	%D%/store.c %D%/store.h \
	%D%/subscriptions.c %D%/subscriptions.h \
	%D%/uidlist.c %D%/uidlist.h \
	%D%/utf7.c %D%/utf7.h
