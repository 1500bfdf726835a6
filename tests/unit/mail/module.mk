MAIL_TEST_LIBS = mail/libmail.a $(TEST_LIBS)

UNIT_TESTS += %D%/address
%C%_address_SOURCES = %D%/address.c
%C%_address_LDADD = $(MAIL_TEST_LIBS)

UNIT_TESTS += %D%/content
%C%_content_SOURCES = %D%/content.c
%C%_content_LDADD = $(MAIL_TEST_LIBS)

UNIT_TESTS += %D%/date
%C%_date_SOURCES = %D%/date.c
%C%_date_LDADD = $(MAIL_TEST_LIBS)

UNIT_TESTS += %D%/edited
%C%_edited_SOURCES = %D%/edited.c
%C%_edited_LDADD = $(MAIL_TEST_LIBS)

UNIT_TESTS += %D%/encodedword
%C%_encodedword_SOURCES = %D%/encodedword.c
%C%_encodedword_LDADD = $(MAIL_TEST_LIBS)

UNIT_TESTS += %D%/message
%C%_message_SOURCES = %D%/message.c
%C%_message_LDADD = $(MAIL_TEST_LIBS)
