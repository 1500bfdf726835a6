noinst_LIBRARIES += %D%/liboutbound.a
%C%_liboutbound_a_SOURCES = \
	%D%/carrier.c %D%/carrier.h \
	%D%/dialog.c %D%/dialog.h \
	%D%/lmtp.c \
	%D%/mailer.c %D%/mailer.h \
	%D%/outbound.c %D%/outbound.h \
	%D%/reply.c %D%/reply.h \
	%D%/request.c %D%/request.h \
	%D%/sendmail.c %D%/sendmail.h \
	%D%/smtp.c %D%/smtp.h \
	%D%/srs.c %D%/srs.h

# What speaks TLS is a program of its own: doorstep-lda pays for no library that
# most deliveries do not need.
pkglibexec_PROGRAMS += %D%/doorstep-submit
%C%_doorstep_submit_SOURCES = %D%/submit.c
%C%_doorstep_submit_LDADD = %D%/liboutbound.a ipc/libipc.a mail/libmail.a \
	base/libbase.a $(TLS_LIBS) $(CORE_LIBS)
