UNIT_TESTS += %D%/wire
%C%_wire_SOURCES = %D%/wire.c
%C%_wire_LDADD = server/libserver.a mail/libmail.a ipc/libipc.a $(TEST_LIBS)

SERVER_TEST_LIBS = server/libserver.a mail/libmail.a conf/libconf.a ipc/libipc.a $(TEST_LIBS)

UNIT_TESTS += %D%/concurrency
%C%_concurrency_SOURCES = %D%/concurrency.c
%C%_concurrency_LDADD = server/libserver.a mail/libmail.a $(TEST_LIBS)

UNIT_TESTS += %D%/run_as
%C%_run_as_SOURCES = %D%/run_as.c
%C%_run_as_LDADD = $(SERVER_TEST_LIBS)

UNIT_TESTS += %D%/listen
%C%_listen_SOURCES = %D%/listen.c
%C%_listen_LDADD = $(SERVER_TEST_LIBS)

UNIT_TESTS += %D%/door
%C%_door_SOURCES = %D%/door.c
%C%_door_LDADD = $(SERVER_TEST_LIBS)

UNIT_TESTS += %D%/ledger
%C%_ledger_SOURCES = %D%/ledger.c
%C%_ledger_LDADD = server/libserver.a mail/libmail.a dict/libdict.a ipc/libipc.a $(TEST_LIBS) $(BDB_LIBS)

UNIT_TESTS += %D%/job
%C%_job_SOURCES = %D%/job.c
%C%_job_LDADD = server/libserver.a mail/libmail.a ipc/libipc.a tests/lib/libtest.a \
	$(DELIVER_LIBS) $(SECCOMP_LIBS)

UNIT_TESTS += %D%/waits
%C%_waits_SOURCES = %D%/waits.c
%C%_waits_LDADD = server/libserver.a $(TEST_LIBS)

UNIT_TESTS += %D%/wayout
%C%_wayout_SOURCES = %D%/wayout.c
%C%_wayout_LDADD = server/libserver.a $(TEST_LIBS)

# With a memory of deliveries of its own.
UNIT_TESTS += %D%/worker
%C%_worker_SOURCES = %D%/worker.c %D%/stage.c %D%/stage.h
%C%_worker_LDADD = server/libserver.a mail/libmail.a ipc/libipc.a tests/lib/libtest.a \
	$(DELIVER_LIBS) $(SECCOMP_LIBS)

UNIT_TESTS += %D%/run_files
%C%_run_files_SOURCES = %D%/run_files.c
%C%_run_files_LDADD = $(SERVER_TEST_LIBS)

UNIT_TESTS += %D%/control
%C%_control_SOURCES = %D%/control.c
%C%_control_LDADD = $(SERVER_TEST_LIBS)

UNIT_TESTS += %D%/state
%C%_state_SOURCES = %D%/state.c %D%/statehelp.c %D%/statehelp.h
%C%_state_LDADD = server/libserver.a mail/libmail.a quota/libquota.a conf/libconf.a dict/libdict.a ipc/libipc.a $(TEST_LIBS) $(BDB_LIBS) $(HIREDIS_LIBS)

UNIT_TESTS += %D%/marks
%C%_marks_SOURCES = %D%/marks.c
%C%_marks_LDADD = server/libserver.a mail/libmail.a dict/libdict.a ipc/libipc.a $(TEST_LIBS) $(BDB_LIBS)

UNIT_TESTS += %D%/counts
%C%_counts_SOURCES = %D%/counts.c
%C%_counts_LDADD = server/libserver.a mail/libmail.a dict/libdict.a $(TEST_LIBS) $(BDB_LIBS)

UNIT_TESTS += %D%/askmarks
%C%_askmarks_SOURCES = %D%/askmarks.c %D%/statehelp.c %D%/statehelp.h
%C%_askmarks_LDADD = server/libserver.a mail/libmail.a quota/libquota.a conf/libconf.a dict/libdict.a ipc/libipc.a $(TEST_LIBS) $(BDB_LIBS) $(HIREDIS_LIBS)

# With the real one.
UNIT_TESTS += %D%/killed
%C%_killed_SOURCES = %D%/killed.c %D%/stage.c %D%/stage.h %D%/statehelp.c \
	%D%/statehelp.h
%C%_killed_LDADD = server/libserver.a mail/libmail.a dict/libdict.a ipc/libipc.a \
	tests/lib/libtest.a $(DELIVER_LIBS) $(SECCOMP_LIBS) $(BDB_LIBS) \
	$(HIREDIS_LIBS)

UNIT_TESTS += %D%/pool
%C%_pool_SOURCES = %D%/pool.c
%C%_pool_LDADD = $(SERVER_TEST_LIBS)

UNIT_TESTS += %D%/restart
%C%_restart_SOURCES = %D%/restart.c
%C%_restart_LDADD = $(SERVER_TEST_LIBS)

UNIT_TESTS += %D%/ticket
%C%_ticket_SOURCES = %D%/ticket.c
%C%_ticket_LDADD = $(SERVER_TEST_LIBS)

UNIT_TESTS += %D%/certificates
%C%_certificates_SOURCES = %D%/certificates.c
%C%_certificates_LDADD = $(SERVER_TEST_LIBS)

UNIT_TESTS += %D%/resolver
%C%_resolver_SOURCES = %D%/resolver.c
%C%_resolver_LDADD = $(SERVER_TEST_LIBS) -lpthread

UNIT_TESTS += %D%/self
%C%_self_SOURCES = %D%/self.c
%C%_self_LDADD = $(SERVER_TEST_LIBS)

UNIT_TESTS += %D%/wishes
%C%_wishes_SOURCES = %D%/wishes.c
%C%_wishes_LDADD = server/libserver.a mail/libmail.a dict/libdict.a conf/libconf.a ipc/libipc.a $(TEST_LIBS) $(BDB_LIBS)
