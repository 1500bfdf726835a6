MAIL_TEST_LIBS = mail/libmail.a $(TEST_LIBS)

UNIT_TESTS += %D%/address
%C%_address_SOURCES = %D%/address.c
%C%_address_LDADD = $(MAIL_TEST_LIBS)

UNIT_TESTS += %D%/automatic
%C%_automatic_SOURCES = %D%/automatic.c
%C%_automatic_LDADD = $(MAIL_TEST_LIBS)

UNIT_TESTS += %D%/compose
%C%_compose_SOURCES = %D%/compose.c
%C%_compose_LDADD = $(MAIL_TEST_LIBS)

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

UNIT_TESTS += %D%/letter
%C%_letter_SOURCES = %D%/letter.c
%C%_letter_LDADD = $(MAIL_TEST_LIBS)

UNIT_TESTS += %D%/mailto
%C%_mailto_SOURCES = %D%/mailto.c
%C%_mailto_LDADD = $(MAIL_TEST_LIBS)

UNIT_TESTS += %D%/message
%C%_message_SOURCES = %D%/message.c
%C%_message_LDADD = $(MAIL_TEST_LIBS)

UNIT_TESTS += %D%/boundary
%C%_boundary_SOURCES = %D%/boundary.c
%C%_boundary_LDADD = $(MAIL_TEST_LIBS)

UNIT_TESTS += %D%/html
%C%_html_SOURCES = %D%/html.c
%C%_html_LDADD = $(MAIL_TEST_LIBS)

UNIT_TESTS += %D%/mime
%C%_mime_SOURCES = %D%/mime.c
%C%_mime_LDADD = $(MAIL_TEST_LIBS)

UNIT_TESTS += %D%/mimevalue
%C%_mimevalue_SOURCES = %D%/mimevalue.c
%C%_mimevalue_LDADD = $(MAIL_TEST_LIBS)

UNIT_TESTS += %D%/reports
%C%_reports_SOURCES = %D%/reports.c
%C%_reports_LDADD = $(MAIL_TEST_LIBS)

UNIT_TESTS += %D%/route
%C%_route_SOURCES = %D%/route.c
%C%_route_LDADD = $(MAIL_TEST_LIBS)

UNIT_TESTS += %D%/transfer
%C%_transfer_SOURCES = %D%/transfer.c
%C%_transfer_LDADD = $(MAIL_TEST_LIBS)
