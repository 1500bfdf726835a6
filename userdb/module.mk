noinst_LIBRARIES += %D%/libuserdb.a
%C%_libuserdb_a_SOURCES = \
	%D%/driver.h \
	%D%/passwd.c \
	%D%/passwd_file.c \
	%D%/record.c %D%/record.h \
	%D%/static.c \
	%D%/userdb.c %D%/userdb.h
