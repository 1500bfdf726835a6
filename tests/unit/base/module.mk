UNIT_TESTS += %D%/arena
%C%_arena_SOURCES = %D%/arena.c
%C%_arena_LDADD = $(TEST_LIBS)

UNIT_TESTS += %D%/buf
%C%_buf_SOURCES = %D%/buf.c
%C%_buf_LDADD = $(TEST_LIBS)

UNIT_TESTS += %D%/charset
%C%_charset_SOURCES = %D%/charset.c
%C%_charset_LDADD = $(TEST_LIBS)

UNIT_TESTS += %D%/clock
%C%_clock_SOURCES = %D%/clock.c
%C%_clock_LDADD = $(TEST_LIBS)

UNIT_TESTS += %D%/err
%C%_err_SOURCES = %D%/err.c
%C%_err_LDADD = $(TEST_LIBS)

UNIT_TESTS += %D%/fd
%C%_fd_SOURCES = %D%/fd.c
%C%_fd_LDADD = $(TEST_LIBS)

UNIT_TESTS += %D%/filestate
%C%_filestate_SOURCES = %D%/filestate.c
%C%_filestate_LDADD = $(TEST_LIBS)

UNIT_TESTS += %D%/flush
%C%_flush_SOURCES = %D%/flush.c
%C%_flush_LDADD = $(TEST_LIBS)

UNIT_TESTS += %D%/crash
%C%_crash_SOURCES = %D%/crash.c
%C%_crash_LDADD = $(TEST_LIBS)

UNIT_TESTS += %D%/log
%C%_log_SOURCES = %D%/log.c
%C%_log_LDADD = $(TEST_LIBS)

UNIT_TESTS += %D%/loop
%C%_loop_SOURCES = %D%/loop.c
%C%_loop_LDADD = $(TEST_LIBS)

UNIT_TESTS += %D%/memory
%C%_memory_SOURCES = %D%/memory.c
%C%_memory_LDADD = $(TEST_LIBS)

UNIT_TESTS += %D%/number
%C%_number_SOURCES = %D%/number.c
%C%_number_LDADD = $(TEST_LIBS)

UNIT_TESTS += %D%/privilege
%C%_privilege_SOURCES = %D%/privilege.c
%C%_privilege_LDADD = $(TEST_LIBS)

UNIT_TESTS += %D%/session_id
%C%_session_id_SOURCES = %D%/session_id.c
%C%_session_id_LDADD = $(TEST_LIBS)

UNIT_TESTS += %D%/sandbox
%C%_sandbox_SOURCES = %D%/sandbox.c
%C%_sandbox_LDADD = $(TEST_LIBS)

UNIT_TESTS += %D%/str
%C%_str_SOURCES = %D%/str.c
%C%_str_LDADD = $(TEST_LIBS)

UNIT_TESTS += %D%/utf8
%C%_utf8_SOURCES = %D%/utf8.c
%C%_utf8_LDADD = $(TEST_LIBS)

UNIT_TESTS += %D%/digest
%C%_digest_SOURCES = %D%/digest.c
%C%_digest_LDADD = $(TEST_LIBS)

UNIT_TESTS += %D%/vars
%C%_vars_SOURCES = %D%/vars.c
%C%_vars_LDADD = $(TEST_LIBS)

UNIT_TESTS += %D%/encode
%C%_encode_SOURCES = %D%/encode.c
%C%_encode_LDADD = $(TEST_LIBS)

UNIT_TESTS += %D%/ere
%C%_ere_SOURCES = %D%/ere.c
%C%_ere_LDADD = $(TEST_LIBS)

UNIT_TESTS += %D%/password
%C%_password_SOURCES = %D%/password.c
%C%_password_LDADD = $(TEST_LIBS) $(CRYPT_LIBS) $(ARGON2_LIBS)

UNIT_TESTS += %D%/regex
%C%_regex_SOURCES = %D%/regex.c
%C%_regex_LDADD = $(TEST_LIBS)

UNIT_TESTS += %D%/unicode
%C%_unicode_SOURCES = %D%/unicode.c
%C%_unicode_LDADD = $(TEST_LIBS)

UNIT_TESTS += %D%/user
%C%_user_SOURCES = %D%/user.c
%C%_user_LDADD = $(TEST_LIBS)

UNIT_TESTS += %D%/json
%C%_json_SOURCES = %D%/json.c
%C%_json_LDADD = $(TEST_LIBS)

UNIT_TESTS += %D%/program
%C%_program_SOURCES = %D%/program.c
%C%_program_LDADD = $(TEST_LIBS)
