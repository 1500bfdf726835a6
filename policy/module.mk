noinst_LIBRARIES += %D%/libpolicy.a
%C%_libpolicy_a_SOURCES = \
	%D%/answer.c %D%/answer.h \
	%D%/client.c %D%/client.h \
	%D%/policy.c %D%/policy.h \
	%D%/request.c %D%/request.h
