pkglibexec_PROGRAMS += %D%/doorstep-lda
%C%_doorstep_lda_SOURCES = %D%/lda.c \
	%D%/addresses.c %D%/addresses.h \
	%D%/exits.c %D%/exits.h \
	%D%/options.c %D%/options.h
%C%_doorstep_lda_LDADD = $(DELIVER_LIBS)
