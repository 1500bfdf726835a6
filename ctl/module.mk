bin_PROGRAMS += %D%/doorstep
%C%_doorstep_SOURCES = %D%/doorstep.c %D%/ctl.h \
	%D%/config.c \
	%D%/sieve.c \
	%D%/status.c \
	%D%/user.c
%C%_doorstep_LDADD = server/libserver.a ipc/libipc.a $(DELIVER_LIBS)
