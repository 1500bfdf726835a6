noinst_LIBRARIES += %D%/libmail.a
%C%_libmail_a_SOURCES = \
	%D%/address.c %D%/address.h \
	%D%/automatic.c %D%/automatic.h \
	%D%/boundary.c %D%/boundary.h \
	%D%/compose.c %D%/compose.h \
	%D%/content.c %D%/content.h \
	%D%/date.c %D%/date.h \
	%D%/edited.c %D%/edited.h \
	%D%/encodedword.c %D%/encodedword.h \
	%D%/html.c %D%/html.h %D%/html_entities.def \
	%D%/letter.c %D%/letter.h \
	%D%/mailto.c %D%/mailto.h \
	%D%/message.c %D%/message.h \
	%D%/mime.c %D%/mime.h \
	%D%/mimevalue.c %D%/mimevalue.h \
	%D%/reports.c %D%/reports.h \
	%D%/route.c %D%/route.h \
	%D%/transfer.c %D%/transfer.h
