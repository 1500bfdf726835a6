noinst_LIBRARIES += %D%/libmail.a
%C%_libmail_a_SOURCES = \
	%D%/address.c %D%/address.h \
	%D%/content.c %D%/content.h \
	%D%/date.c %D%/date.h \
	%D%/edited.c %D%/edited.h \
	%D%/encodedword.c %D%/encodedword.h \
	%D%/message.c %D%/message.h
