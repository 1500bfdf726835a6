UNIT_TESTS += %D%/deliver
%C%_deliver_SOURCES = %D%/deliver.c
%C%_deliver_LDADD = tests/lib/libtest.a $(DELIVER_LIBS)
