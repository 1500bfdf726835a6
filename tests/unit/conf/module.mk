UNIT_TESTS += %D%/check
%C%_check_SOURCES = %D%/check.c %D%/helper.h
%C%_check_LDADD = conf/libconf.a $(TEST_LIBS)

UNIT_TESTS += %D%/conf
%C%_conf_SOURCES = %D%/conf.c %D%/helper.h
%C%_conf_LDADD = conf/libconf.a $(TEST_LIBS)

UNIT_TESTS += %D%/block
%C%_block_SOURCES = %D%/block.c %D%/helper.h
%C%_block_LDADD = conf/libconf.a $(TEST_LIBS)

UNIT_TESTS += %D%/dump
%C%_dump_SOURCES = %D%/dump.c %D%/helper.h
%C%_dump_LDADD = conf/libconf.a $(TEST_LIBS)

UNIT_TESTS += %D%/keys
%C%_keys_SOURCES = %D%/keys.c
%C%_keys_LDADD = conf/libconf.a $(TEST_LIBS)

UNIT_TESTS += %D%/location
%C%_location_SOURCES = %D%/location.c
%C%_location_LDADD = conf/libconf.a $(TEST_LIBS)

UNIT_TESTS += %D%/syntax
%C%_syntax_SOURCES = %D%/syntax.c
%C%_syntax_LDADD = conf/libconf.a $(TEST_LIBS)

UNIT_TESTS += %D%/value
%C%_value_SOURCES = %D%/value.c
%C%_value_LDADD = conf/libconf.a $(TEST_LIBS)

TAP_TESTS += %D%/manual.sh
EXTRA_DIST += %D%/manual.sh

UNIT_TESTS += %D%/quota
%C%_quota_SOURCES = %D%/quota.c
%C%_quota_LDADD = conf/libconf.a $(TEST_LIBS)
