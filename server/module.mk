noinst_LIBRARIES += %D%/libserver.a
%C%_libserver_a_SOURCES = \
	%D%/claims.h \
	%D%/wire.c %D%/wire.h
