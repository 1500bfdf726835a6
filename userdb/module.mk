noinst_LIBRARIES += %D%/libuserdb.a
%C%_libuserdb_a_SOURCES = \
	%D%/driver.h \
	%D%/passwd.c \
	%D%/passwd_file.c \
	%D%/passwd_index.c %D%/passwd_index.h \
	%D%/passwd_lines.c %D%/passwd_lines.h \
	%D%/record.c %D%/record.h \
	%D%/static.c \
	%D%/userdb.c %D%/userdb.h
