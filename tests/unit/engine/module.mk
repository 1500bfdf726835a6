UNIT_TESTS += %D%/answer
%C%_answer_SOURCES = %D%/answer.c
%C%_answer_LDADD = engine/libengine.a sieve/libsieve.a mail/libmail.a \
	$(TEST_LIBS)

UNIT_TESTS += %D%/child
%C%_child_SOURCES = %D%/child.c
%C%_child_LDADD = engine/libengine.a $(TEST_LIBS)

UNIT_TESTS += %D%/libsieve
%C%_libsieve_SOURCES = %D%/libsieve.c \
	tests/unit/sieve/world.c tests/unit/sieve/world.h
%C%_libsieve_LDADD = engine/libengine.a sieve/libsieve.a mail/libmail.a \
	$(TEST_LIBS)
