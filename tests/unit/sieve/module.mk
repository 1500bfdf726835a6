SIEVE_TEST_LIBS = sieve/libsieve.a mail/libmail.a $(TEST_LIBS)

UNIT_TESTS += %D%/lex
%C%_lex_SOURCES = %D%/lex.c
%C%_lex_LDADD = $(SIEVE_TEST_LIBS)

UNIT_TESTS += %D%/compile
%C%_compile_SOURCES = %D%/compile.c %D%/world.c %D%/world.h
%C%_compile_LDADD = $(SIEVE_TEST_LIBS)

UNIT_TESTS += %D%/match
%C%_match_SOURCES = %D%/match.c
%C%_match_LDADD = $(SIEVE_TEST_LIBS)

UNIT_TESTS += %D%/evaluate
%C%_evaluate_SOURCES = %D%/evaluate.c %D%/world.c %D%/world.h
%C%_evaluate_LDADD = $(SIEVE_TEST_LIBS)

UNIT_TESTS += %D%/settings
%C%_settings_SOURCES = %D%/settings.c
%C%_settings_LDADD = $(SIEVE_TEST_LIBS)

UNIT_TESTS += %D%/part
%C%_part_SOURCES = %D%/part.c %D%/world.c %D%/world.h
%C%_part_LDADD = $(SIEVE_TEST_LIBS)

UNIT_TESTS += %D%/cost
%C%_cost_SOURCES = %D%/cost.c %D%/world.c %D%/world.h
%C%_cost_LDADD = $(SIEVE_TEST_LIBS)
%C%_cost_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=memory_get \
	-Wl,--wrap=memory_resize -Wl,--wrap=encodedword_decode \
	-Wl,--wrap=address_parse_list
