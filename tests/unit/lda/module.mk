UNIT_TESTS += %D%/addresses %D%/exits
%C%_addresses_SOURCES = %D%/addresses.c lda/addresses.c
%C%_addresses_LDADD = tests/lib/libtest.a $(DELIVER_LIBS)
%C%_exits_SOURCES = %D%/exits.c lda/exits.c
%C%_exits_LDADD = $(TEST_LIBS)
