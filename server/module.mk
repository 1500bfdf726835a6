noinst_LIBRARIES += %D%/libserver.a
%C%_libserver_a_SOURCES = \
	%D%/askmarks.c %D%/askmarks.h \
	%D%/askrunner.c %D%/askrunner.h \
	%D%/askwait.c %D%/askwait.h \
	%D%/certificates.c %D%/certificates.h \
	%D%/carriers.c %D%/carriers.h \
	%D%/child.c %D%/child.h \
	%D%/claims.c %D%/claims.h \
	%D%/concurrency.c %D%/concurrency.h \
	%D%/confine.c %D%/confine.h \
	%D%/counts.c %D%/counts.h \
	%D%/control.c %D%/control.h \
	%D%/door.c %D%/door.h \
	%D%/generation.c %D%/generation.h \
	%D%/histogram.c %D%/histogram.h \
	%D%/job.c %D%/job.h \
	%D%/jobmemory.c %D%/jobmemory.h \
	%D%/ledger.c %D%/ledger.h \
	%D%/listen.c %D%/listen.h \
	%D%/login.c \
	%D%/logins.c %D%/logins.h \
	%D%/lookup.c \
	%D%/mailer.c \
	%D%/metrics.c %D%/metrics.h \
	%D%/mailsocket.c %D%/mailsocket.h \
	%D%/marks.c %D%/marks.h \
	%D%/master.c %D%/master.h \
	%D%/notify.c %D%/notify.h \
	%D%/parts.h \
	%D%/passed.c %D%/passed.h \
	%D%/pool.c %D%/pool.h \
	%D%/process.c %D%/process.h \
	%D%/proxywire.c %D%/proxywire.h \
	%D%/rcpt.c \
	%D%/rediscounts.c %D%/rediscounts.h \
	%D%/names.c %D%/names.h \
	%D%/resolver.c %D%/resolver.h \
	%D%/restart.c %D%/restart.h \
	%D%/routes.c \
	%D%/run_as.c %D%/run_as.h \
	%D%/run_files.c %D%/run_files.h \
	%D%/self.c %D%/self.h \
	%D%/spawn.c %D%/spawn.h \
	%D%/state.c %D%/state.h \
	%D%/runner.c \
	%D%/runners.c \
	%D%/tlsserver.c %D%/tlsserver.h \
	%D%/ticket.c %D%/ticket.h \
	%D%/waits.c %D%/waits.h \
	%D%/wayout.c %D%/wayout.h \
	%D%/wishes.c %D%/wishes.h \
	%D%/wire.c %D%/wire.h \
	%D%/worker.c \
	%D%/workers.c
