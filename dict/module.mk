noinst_LIBRARIES += %D%/libdict.a
%C%_libdict_a_SOURCES = \
	%D%/bdb.c \
	%D%/dict.c %D%/dict.h \
	%D%/driver.h \
	%D%/file.c %D%/file.h \
	%D%/maps.c %D%/maps.h \
	%D%/memory.c \
	%D%/redis.c %D%/redis.h
