noinst_LIBRARIES += %D%/libbase.a
%C%_libbase_a_SOURCES = \
	%D%/arena.c %D%/arena.h \
	%D%/attributes.h %D%/banned.h \
	%D%/buf.c %D%/buf.h \
	%D%/charset.c %D%/charset.h \
	%D%/clock.c %D%/clock.h \
	%D%/digest.c %D%/digest.h \
	%D%/encode.c %D%/encode.h \
	%D%/err.c %D%/err.h \
	%D%/fd.c %D%/fd.h \
	%D%/filestate.c %D%/filestate.h \
	%D%/json.c %D%/json.h \
	%D%/list.h \
	%D%/log.c %D%/log.h \
	%D%/loop.c %D%/loop.h \
	%D%/memory.c %D%/memory.h \
	%D%/number.c %D%/number.h \
	%D%/privilege.c %D%/privilege.h \
	%D%/ere.c %D%/ere.h \
	%D%/regex.c %D%/regex.h \
	%D%/session_id.c %D%/session_id.h \
	%D%/str.c %D%/str.h \
	%D%/unicode.c %D%/unicode.h \
	%D%/user.c %D%/user.h \
	%D%/utf8.c %D%/utf8.h \
	%D%/vars.c %D%/vars.h \
	%D%/vars_filter.c %D%/vars_filter.h
