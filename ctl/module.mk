bin_PROGRAMS += %D%/doorstep
%C%_doorstep_SOURCES = %D%/doorstep.c %D%/ctl.h \
	%D%/config.c \
	%D%/sieve.c \
	%D%/user.c
%C%_doorstep_LDADD = $(DELIVER_LIBS)
