UNIT_TESTS += %D%/passwd_file
%C%_passwd_file_SOURCES = %D%/passwd_file.c
%C%_passwd_file_LDADD = userdb/libuserdb.a mail/libmail.a $(TEST_LIBS)

UNIT_TESTS += %D%/userdb
%C%_userdb_SOURCES = %D%/userdb.c
%C%_userdb_LDADD = userdb/libuserdb.a mail/libmail.a $(TEST_LIBS)

UNIT_TESTS += %D%/passwd_index
%C%_passwd_index_SOURCES = %D%/passwd_index.c
%C%_passwd_index_LDADD = userdb/libuserdb.a mail/libmail.a $(TEST_LIBS)
