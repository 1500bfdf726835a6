noinst_LIBRARIES += %D%/libdeliver.a
%C%_libdeliver_a_SOURCES = \
	%D%/abuse.c %D%/abuse.h \
	%D%/attributes.c %D%/attributes.h \
	%D%/decision.c %D%/decision.h \
	%D%/decisionlog.c %D%/decisionlog.h \
	%D%/deliver.c %D%/deliver.h \
	%D%/detail.c %D%/detail.h \
	%D%/execute.c %D%/execute.h \
	%D%/forwardlock.c %D%/forwardlock.h \
	%D%/explain.c %D%/explain.h \
	%D%/environment.c %D%/environment.h \
	%D%/extlists.c %D%/extlists.h \
	%D%/host.c %D%/host.h \
	%D%/include.c %D%/include.h \
	%D%/loopcheck.c %D%/loopcheck.h \
	%D%/mailboxes.c %D%/mailboxes.h \
	%D%/notices.c %D%/notices.h \
	%D%/notify.c %D%/notify.h \
	%D%/plan.c %D%/plan.h \
	%D%/programs.c %D%/programs.h \
	%D%/receipt.c %D%/receipt.h \
	%D%/quota.c %D%/quota.h \
	%D%/recipient.c %D%/recipient.h \
	%D%/redirect.c %D%/redirect.h \
	%D%/reject.c %D%/reject.h \
	%D%/remember.c %D%/remember.h \
	%D%/report.c %D%/report.h \
	%D%/returnpath.c %D%/returnpath.h \
	%D%/script.c %D%/script.h \
	%D%/scriptcache.c %D%/scriptcache.h \
	%D%/seen.c %D%/seen.h \
	%D%/seenfile.c %D%/seenfile.h \
	%D%/scriptfile.c %D%/scriptfile.h \
	%D%/setup.c %D%/setup.h \
	%D%/trace.c %D%/trace.h \
	%D%/userlog.c %D%/userlog.h \
	%D%/useraddress.c %D%/useraddress.h \
	%D%/vacation.c %D%/vacation.h \
	%D%/warnings.c %D%/warnings.h \
	%D%/work.h

# The core and all below it, in the linker's order.
DELIVER_LIBS = %D%/libdeliver.a outbound/liboutbound.a engine/libengine.a \
	sieve/libsieve.a quota/libquota.a \
	ipc/libipc.a store/libstore.a userdb/libuserdb.a conf/libconf.a mail/libmail.a \
	dict/libdict.a base/libbase.a $(CORE_LIBS)
