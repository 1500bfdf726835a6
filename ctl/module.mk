bin_PROGRAMS += %D%/doorstep
%C%_doorstep_SOURCES = %D%/doorstep.c %D%/ctl.h \
	%D%/certificates.c %D%/certificates.h \
	%D%/config.c \
	%D%/explain.c \
	%D%/corpus.c %D%/corpus.h \
	%D%/metrics.c \
	%D%/progress.c %D%/progress.h \
	%D%/proxy.c \
	%D%/quota.c \
	%D%/sieve.c %D%/sieve.h \
	%D%/sieve_compare.c \
	%D%/status.c \
	%D%/top.c \
	%D%/user.c
%C%_doorstep_LDADD = server/libserver.a ipc/libipc.a $(DELIVER_LIBS) \
	$(TLS_LIBS)
