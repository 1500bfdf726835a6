noinst_LIBRARIES += %D%/libipc.a
%C%_libipc_a_SOURCES = \
	%D%/channel.c %D%/channel.h \
	%D%/frame.c %D%/frame.h \
	%D%/link.c %D%/link.h
