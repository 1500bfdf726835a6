UNIT_TESTS += %D%/request
%C%_request_SOURCES = %D%/request.c
%C%_request_LDADD = policy/libpolicy.a conf/libconf.a $(TEST_LIBS)
