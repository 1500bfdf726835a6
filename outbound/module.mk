noinst_LIBRARIES += %D%/liboutbound.a
%C%_liboutbound_a_SOURCES = %D%/outbound.h %D%/sendmail.c
