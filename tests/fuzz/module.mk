# One fuzzer per parser of untrusted bytes.  fuzz-NAME.c is registered as
#   FUZZ_TESTS += %D%/fuzz-NAME
#   %C%_fuzz_NAME_SOURCES = %D%/fuzz-NAME.c
#   %C%_fuzz_NAME_LDADD = FOLDER/libFOLDER.a $(FUZZ_LIBS)
# with a corpus in corpus/NAME and, if wanted, a dictionary NAME.dict.
# In a normal build it is a test that reads its corpus; `make fuzz-smoke` builds
# it with clang and lets it search.
FUZZ_TESTS =
if FUZZERS
FUZZ_LIBS = base/libbase.a $(CORE_LIBS) $(FUZZ_ENGINE)
else
FUZZ_LIBS = tests/fuzz/libcorpus.a base/libbase.a $(CORE_LIBS)
UNIT_TESTS += $(FUZZ_TESTS)
check_LIBRARIES += %D%/libcorpus.a
%C%_libcorpus_a_SOURCES = %D%/corpus.c
%C%_libcorpus_a_CPPFLAGS = $(AM_CPPFLAGS) \
	-DTEST_SOURCE_FOLDER='"$(abs_top_srcdir)"'
endif
EXTRA_DIST += %D%/corpus.c %D%/smoke.sh

FUZZ_TESTS += %D%/fuzz-utf8
%C%_fuzz_utf8_SOURCES = %D%/fuzz-utf8.c
%C%_fuzz_utf8_LDADD = $(FUZZ_LIBS)
EXTRA_DIST += %D%/corpus/utf8

FUZZ_TESTS += %D%/fuzz-utf7
%C%_fuzz_utf7_SOURCES = %D%/fuzz-utf7.c
%C%_fuzz_utf7_LDADD = store/libstore.a $(FUZZ_LIBS)
EXTRA_DIST += %D%/corpus/utf7

FUZZ_TESTS += %D%/fuzz-folder
%C%_fuzz_folder_SOURCES = %D%/fuzz-folder.c
%C%_fuzz_folder_LDADD = store/libstore.a mail/libmail.a $(FUZZ_LIBS)
EXTRA_DIST += %D%/corpus/folder

FUZZ_TESTS += %D%/fuzz-vars
%C%_fuzz_vars_SOURCES = %D%/fuzz-vars.c
%C%_fuzz_vars_LDADD = $(FUZZ_LIBS)
EXTRA_DIST += %D%/corpus/vars %D%/vars.dict

FUZZ_TESTS += %D%/fuzz-passwd-file
%C%_fuzz_passwd_file_SOURCES = %D%/fuzz-passwd-file.c
%C%_fuzz_passwd_file_LDADD = userdb/libuserdb.a mail/libmail.a \
	$(FUZZ_LIBS)
EXTRA_DIST += %D%/corpus/passwd-file

FUZZ_TESTS += %D%/fuzz-conf
%C%_fuzz_conf_SOURCES = %D%/fuzz-conf.c
%C%_fuzz_conf_LDADD = conf/libconf.a $(FUZZ_LIBS)
EXTRA_DIST += %D%/corpus/conf

FUZZ_TESTS += %D%/fuzz-sieve-compile
%C%_fuzz_sieve_compile_SOURCES = %D%/fuzz-sieve-compile.c
%C%_fuzz_sieve_compile_LDADD = sieve/libsieve.a mail/libmail.a $(FUZZ_LIBS)
EXTRA_DIST += %D%/corpus/sieve-compile %D%/sieve-compile.dict

FUZZ_TESTS += %D%/fuzz-sieve-run
%C%_fuzz_sieve_run_SOURCES = %D%/fuzz-sieve-run.c
%C%_fuzz_sieve_run_LDADD = sieve/libsieve.a mail/libmail.a $(FUZZ_LIBS)
EXTRA_DIST += %D%/corpus/sieve-run %D%/sieve-run.dict

FUZZ_TESTS += %D%/fuzz-address
%C%_fuzz_address_SOURCES = %D%/fuzz-address.c
%C%_fuzz_address_LDADD = mail/libmail.a $(FUZZ_LIBS)
EXTRA_DIST += %D%/corpus/address %D%/address.dict

FUZZ_TESTS += %D%/fuzz-date
%C%_fuzz_date_SOURCES = %D%/fuzz-date.c
%C%_fuzz_date_LDADD = mail/libmail.a $(FUZZ_LIBS)
EXTRA_DIST += %D%/corpus/date

FUZZ_TESTS += %D%/fuzz-encodedword
%C%_fuzz_encodedword_SOURCES = %D%/fuzz-encodedword.c
%C%_fuzz_encodedword_LDADD = mail/libmail.a $(FUZZ_LIBS)
EXTRA_DIST += %D%/corpus/encodedword %D%/encodedword.dict

FUZZ_TESTS += %D%/fuzz-letter
%C%_fuzz_letter_SOURCES = %D%/fuzz-letter.c
%C%_fuzz_letter_LDADD = mail/libmail.a $(FUZZ_LIBS)
EXTRA_DIST += %D%/corpus/letter %D%/letter.dict

FUZZ_TESTS += %D%/fuzz-ere
%C%_fuzz_ere_SOURCES = %D%/fuzz-ere.c
%C%_fuzz_ere_LDADD = $(FUZZ_LIBS)
EXTRA_DIST += %D%/corpus/ere

FUZZ_TESTS += %D%/fuzz-message
%C%_fuzz_message_SOURCES = %D%/fuzz-message.c
%C%_fuzz_message_LDADD = mail/libmail.a $(FUZZ_LIBS)
EXTRA_DIST += %D%/corpus/message %D%/message.dict

FUZZ_TESTS += %D%/fuzz-session
%C%_fuzz_session_SOURCES = %D%/fuzz-session.c \
	tests/lmtp/fake_spool.c tests/lmtp/fake_spool.h
%C%_fuzz_session_LDADD = lmtp/liblmtp.a conf/libconf.a mail/libmail.a \
	$(FUZZ_LIBS)
EXTRA_DIST += %D%/corpus/session %D%/session.dict

FUZZ_TESTS += %D%/fuzz-mime
%C%_fuzz_mime_SOURCES = %D%/fuzz-mime.c
%C%_fuzz_mime_LDADD = mail/libmail.a $(FUZZ_LIBS)
EXTRA_DIST += %D%/corpus/mime %D%/mime.dict

FUZZ_TESTS += %D%/fuzz-transfer
%C%_fuzz_transfer_SOURCES = %D%/fuzz-transfer.c
%C%_fuzz_transfer_LDADD = mail/libmail.a $(FUZZ_LIBS)
EXTRA_DIST += %D%/corpus/transfer

FUZZ_TESTS += %D%/fuzz-html
%C%_fuzz_html_SOURCES = %D%/fuzz-html.c
%C%_fuzz_html_LDADD = mail/libmail.a $(FUZZ_LIBS)
EXTRA_DIST += %D%/corpus/html %D%/html.dict

FUZZ_TESTS += %D%/fuzz-wire
%C%_fuzz_wire_SOURCES = %D%/fuzz-wire.c
%C%_fuzz_wire_LDADD = server/libserver.a mail/libmail.a ipc/libipc.a $(FUZZ_LIBS)
EXTRA_DIST += %D%/corpus/wire

FUZZ_TESTS += %D%/fuzz-decision
%C%_fuzz_decision_SOURCES = %D%/fuzz-decision.c
%C%_fuzz_decision_LDADD = deliver/libdeliver.a $(FUZZ_LIBS)
EXTRA_DIST += %D%/corpus/decision

FUZZ_TESTS += %D%/fuzz-tickets
%C%_fuzz_tickets_SOURCES = %D%/fuzz-tickets.c
%C%_fuzz_tickets_LDADD = server/libserver.a mail/libmail.a ipc/libipc.a $(FUZZ_LIBS)
EXTRA_DIST += %D%/corpus/tickets

FUZZ_TESTS += %D%/fuzz-proxy
%C%_fuzz_proxy_SOURCES = %D%/fuzz-proxy.c
%C%_fuzz_proxy_LDADD = lmtp/liblmtp.a conf/libconf.a mail/libmail.a $(FUZZ_LIBS)
EXTRA_DIST += %D%/corpus/proxy

FUZZ_TESTS += %D%/fuzz-reply
%C%_fuzz_reply_SOURCES = %D%/fuzz-reply.c
%C%_fuzz_reply_LDADD = outbound/liboutbound.a $(FUZZ_LIBS)
EXTRA_DIST += %D%/corpus/reply %D%/reply.dict

FUZZ_TESTS += %D%/fuzz-backend
%C%_fuzz_backend_SOURCES = %D%/fuzz-backend.c
%C%_fuzz_backend_LDADD = proxy/libproxy.a outbound/liboutbound.a $(FUZZ_LIBS)
EXTRA_DIST += %D%/corpus/backend

FUZZ_TESTS += %D%/fuzz-policy
%C%_fuzz_policy_SOURCES = %D%/fuzz-policy.c
%C%_fuzz_policy_LDADD = policy/libpolicy.a $(FUZZ_LIBS)
EXTRA_DIST += %D%/corpus/policy %D%/policy.dict

FUZZ_TESTS += %D%/fuzz-maildirsize
%C%_fuzz_maildirsize_SOURCES = %D%/fuzz-maildirsize.c
%C%_fuzz_maildirsize_LDADD = quota/libquota.a store/libstore.a \
	conf/libconf.a ipc/libipc.a mail/libmail.a $(FUZZ_LIBS)
EXTRA_DIST += %D%/corpus/maildirsize
