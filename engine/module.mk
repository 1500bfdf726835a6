noinst_LIBRARIES += %D%/libengine.a
%C%_libengine_a_SOURCES = \
	%D%/answer.c %D%/answer.h \
	%D%/child.c %D%/child.h \
	%D%/engine.c %D%/engine.h %D%/engines.h \
	%D%/native.c
if LIBSIEVE
%C%_libengine_a_SOURCES += %D%/libsieve.c
endif
EXTRA_DIST += %D%/libsieve.c
