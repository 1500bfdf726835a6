noinst_LIBRARIES += %D%/liblmtp.a
%C%_liblmtp_a_SOURCES = \
	%D%/command.c %D%/command.h \
	%D%/data.c %D%/data.h \
	%D%/reply.c %D%/reply.h \
	%D%/session.c %D%/session.h \
	%D%/spool.h \
	%D%/xclient.c %D%/xclient.h
