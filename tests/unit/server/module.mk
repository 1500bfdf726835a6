UNIT_TESTS += %D%/wire
%C%_wire_SOURCES = %D%/wire.c
%C%_wire_LDADD = server/libserver.a ipc/libipc.a $(TEST_LIBS)
