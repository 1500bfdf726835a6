UNIT_TESTS += %D%/channel
%C%_channel_SOURCES = %D%/channel.c
%C%_channel_LDADD = ipc/libipc.a $(TEST_LIBS)

UNIT_TESTS += %D%/frame
%C%_frame_SOURCES = %D%/frame.c
%C%_frame_LDADD = ipc/libipc.a $(TEST_LIBS)
