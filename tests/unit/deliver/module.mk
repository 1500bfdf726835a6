UNIT_TESTS += %D%/deliver
%C%_deliver_SOURCES = %D%/deliver.c
%C%_deliver_LDADD = tests/lib/libtest.a $(DELIVER_LIBS)

UNIT_TESTS += %D%/recipient
%C%_recipient_SOURCES = %D%/recipient.c
%C%_recipient_LDADD = tests/lib/libtest.a $(DELIVER_LIBS)

UNIT_TESTS += %D%/scriptcache
%C%_scriptcache_SOURCES = %D%/scriptcache.c
%C%_scriptcache_LDADD = tests/lib/libtest.a $(DELIVER_LIBS)

UNIT_TESTS += %D%/loopcheck
%C%_loopcheck_SOURCES = %D%/loopcheck.c
%C%_loopcheck_LDADD = tests/lib/libtest.a $(DELIVER_LIBS)

UNIT_TESTS += %D%/trace
%C%_trace_SOURCES = %D%/trace.c
%C%_trace_LDADD = tests/lib/libtest.a $(DELIVER_LIBS)

UNIT_TESTS += %D%/extlists
%C%_extlists_SOURCES = %D%/extlists.c
%C%_extlists_LDADD = tests/lib/libtest.a $(DELIVER_LIBS)

UNIT_TESTS += %D%/seen
%C%_seen_SOURCES = %D%/seen.c
%C%_seen_LDADD = tests/lib/libtest.a $(DELIVER_LIBS)

UNIT_TESTS += %D%/seenfile
%C%_seenfile_SOURCES = %D%/seenfile.c
%C%_seenfile_LDADD = tests/lib/libtest.a $(DELIVER_LIBS)

UNIT_TESTS += %D%/remember
%C%_remember_SOURCES = %D%/remember.c
%C%_remember_LDADD = tests/lib/libtest.a $(DELIVER_LIBS)

UNIT_TESTS += %D%/mailboxes
%C%_mailboxes_SOURCES = %D%/mailboxes.c
%C%_mailboxes_LDADD = tests/lib/libtest.a $(DELIVER_LIBS)

UNIT_TESTS += %D%/notices
%C%_notices_SOURCES = %D%/notices.c
%C%_notices_LDADD = tests/lib/libtest.a $(DELIVER_LIBS)

UNIT_TESTS += %D%/decision
%C%_decision_SOURCES = %D%/decision.c
%C%_decision_LDADD = tests/lib/libtest.a $(DELIVER_LIBS)

UNIT_TESTS += %D%/decisionlog
%C%_decisionlog_SOURCES = %D%/decisionlog.c
%C%_decisionlog_LDADD = tests/lib/libtest.a $(DELIVER_LIBS)
