UNIT_TESTS += %D%/str
%C%_str_SOURCES = %D%/str.c
%C%_str_LDADD = $(TEST_LIBS)
