noinst_LIBRARIES += %D%/libquota.a
%C%_libquota_a_SOURCES = \
	%D%/ask.c %D%/ask.h \
	%D%/backend.h \
	%D%/count.c \
	%D%/dict.c \
	%D%/fs.c \
	%D%/limits.c %D%/limits.h \
	%D%/maildirsize.c %D%/maildirsize.h \
	%D%/quota.c %D%/quota.h \
	%D%/request.c %D%/request.h \
	%D%/reserve.c %D%/reserve.h \
	%D%/scan.c %D%/scan.h
