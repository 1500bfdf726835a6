UNIT_TESTS += %D%/every_driver
%C%_every_driver_SOURCES = %D%/every_driver.c
%C%_every_driver_LDADD = dict/libdict.a $(TEST_LIBS) $(BDB_LIBS)

UNIT_TESTS += %D%/bdb
%C%_bdb_SOURCES = %D%/bdb.c
%C%_bdb_LDADD = dict/libdict.a $(TEST_LIBS) $(BDB_LIBS)

UNIT_TESTS += %D%/file
%C%_file_SOURCES = %D%/file.c
%C%_file_LDADD = dict/libdict.a $(TEST_LIBS)

EXTRA_DIST += %D%/maps
