/* SPDX-License-Identifier: MIT */
#include "mail/reports.h"

#include <string.h>

#include "base/buf.h"
#include "tests/lib/test.h"

#include "base/banned.h"

struct fixture {
	struct arena *arena;
	struct message *message;
	struct report_about about;
};

static void
begin(struct fixture *f, struct str text)
{
	const struct message_limits limits = {.memory_bytes = 1024 * 1024,
		.header_bytes = 1024 * 1024,
		.header_fields = 10000,
		.temp_folder = "/tmp"};
	struct err err;

	f->arena = arena_open();
	REQUIRE(message_open_bytes(text, &limits, &f->message, &err) == 0);
	f->about = (struct report_about){.original = f->message,
		.id = STR("<1@mx.example.test>"),
		.host = STR("mx.example.test"),
		.text = STR("No."),
		.final_recipient = STR("amy@example.test")};
}

static void
finish(struct fixture *f)
{
	message_close(&f->message);
	arena_close(&f->arena);
}

static const char *
text_of(struct fixture *f, const struct content *content)
{
	struct content_reader reader;
	struct str chunk;
	struct buf text;
	const char *result;
	struct err err;

	buf_init(&text, BUF_UNLIMITED);
	content_reader_init(&reader, content, LINE_ENDS_LF,
		arena_alloc(f->arena, 65536), 65536);
	while (content_read(&reader, &chunk, &err) == LOOKUP_FOUND)
		buf_add(&text, chunk);
	result = arena_text(f->arena, buf_view(&text));
	buf_clear(&text);
	return result;
}

/* How often. */
static int
holds(const char *text, const char *needle)
{
	int count = 0;

	while ((text = strstr(text, needle)) != NULL) {
		count++;
		text++;
	}
	return count;
}

TEST(values_cannot_make_fields)
{
	struct fixture f;
	const char *text;

	begin(&f, STR("Subject: x\n\n"));
	f.about.final_recipient = STR("a@b\nBcc: c@d\r\n\r\nbody");
	f.about.orcpt = STR("rfc822;e@f\nStatus: 2.0.0");
	f.about.envid = STR("1\nAction: delivered");
	text = text_of(
		&f, report_failed_delivery(f.arena, &f.about, STR("5.7.1")));
	CHECK_INT(holds(text, "\nBcc:"), 0);
	CHECK_INT(holds(text, "\nStatus: 5.7.1\n"), 1);
	CHECK_INT(holds(text, "\nStatus: 2"), 0);
	CHECK_INT(holds(text, "\nAction:"), 1);
	finish(&f);
}

TEST(a_delivery_has_the_original_recipient_of_orcpt_or_none)
{
	struct fixture f;
	const char *text;

	begin(&f, STR("Original-Recipient: rfc822;one@a\n\nbody\n"));
	f.about.original_recipient = STR("three@a");
	text = text_of(&f, report_delivery(f.arena, &f.about));
	CHECK_INT(
		holds(text, "\nOriginal-Recipient: "), 1); /* its own header */
	CHECK_INT(holds(text, "\nAction: delivered\nStatus: 2.0.0\n"), 1);
	CHECK_INT(holds(text, "\nbody\n"), 0);
	f.about.orcpt = STR("rfc822;two@a\nStatus: 5.0.0");
	text = text_of(&f, report_delivery(f.arena, &f.about));
	CHECK_INT(
		holds(text, "\nOriginal-Recipient: rfc822;two@a Status: "), 1);
	CHECK_INT(holds(text, "\nStatus: 5"), 0);
	finish(&f);
}

/* RFC 6522 4, RFC 2045 6.7 */
TEST(a_header_that_is_not_ascii_is_encoded)
{
	struct fixture f;
	const char *text;

	begin(&f, STR("Subject: Gr\xfc\xdf"
		      "e=a\r\nX: a\0b\rc \n\nbody\n"));
	text = text_of(&f, report_disposition(f.arena, &f.about));
	CHECK_INT(holds(text, "\nContent-Type: text/rfc822-headers\n"
			      "Content-Disposition: attachment\n"
			      "Content-Transfer-Encoding: quoted-printable\n\n"
			      "Subject: Gr=FC=DFe=3Da\nX: a=00b=0Dc=20\n"),
		1);
	CHECK_INT(holds(text, "8bit"), 0);
	finish(&f);
}

/* RFC 5322 2.1.1: of 998 characters at most. */
TEST(a_field_that_would_be_too_long_a_line_is_left_out)
{
	struct fixture f;
	const char *text;
	char original[2000];

	memset(original, 'x', sizeof(original));
	memcpy(original, "Message-ID: <", 13);
	memcpy(original + 1020, "@y>\n\n", 6);
	begin(&f, str_from(original));
	text = text_of(&f, report_disposition(f.arena, &f.about));
	CHECK_INT(holds(text, "Original-Message-ID:"), 0);
	CHECK_INT(holds(text, "\nFinal-Recipient:"), 1);
	finish(&f);
}

TEST(addresses_that_are_not_ascii_are_written_in_it)
{
	struct fixture f;
	const char *text;

	begin(&f, STR("Subject: x\n\n"));
	f.about.final_recipient = STR("\xc3\xa4\\my@example.test");
	f.about.original_recipient = STR("\xff@example.test");
	text = text_of(&f, report_disposition(f.arena, &f.about));
	CHECK_INT(holds(text, "\nFinal-Recipient: utf-8; "
			      "\\x{E4}\\x{5C}my@example.test\n"),
		1);
	CHECK_INT(holds(text, "\nOriginal-Recipient: utf-8; ?@example.test\n"),
		1);
	finish(&f);
}

TEST(the_original_recipient_is_what_is_known_best)
{
	struct fixture f;

	begin(&f, STR("Original-Recipient: rfc822;one@a\n\n"));
	f.about.orcpt = STR("rfc822;two@a");
	f.about.original_recipient = STR("three@a");
	CHECK_INT(holds(text_of(&f, report_disposition(f.arena, &f.about)),
			  "\nOriginal-Recipient: rfc822;one@a\n"),
		2); /* and in the message's own header */
	finish(&f);
	begin(&f, STR("Original-Recipient: nonsense\n\n"));
	f.about.orcpt = STR("rfc822;two@a");
	f.about.original_recipient = STR("three@a");
	CHECK_INT(holds(text_of(&f, report_disposition(f.arena, &f.about)),
			  "\nOriginal-Recipient: rfc822;two@a\n"),
		1);
	f.about.orcpt = STR_EMPTY;
	CHECK_INT(holds(text_of(&f, report_disposition(f.arena, &f.about)),
			  "\nOriginal-Recipient: rfc822; three@a\n"),
		1);
	f.about.original_recipient = STR_EMPTY;
	CHECK_INT(holds(text_of(&f, report_disposition(f.arena, &f.about)),
			  "\nOriginal-Recipient:"),
		1); /* only there */
	finish(&f);
}

TEST(only_whole_fields_of_a_very_long_header_are_sent)
{
	struct fixture f;
	struct buf text;
	const char *report;
	int i;

	buf_init(&text, BUF_UNLIMITED);
	buf_add_text(&text, "Subject: first\n");
	for (i = 0; i < 3000; i++)
		buf_add_format(&text, "X-%d: %080d\n", i, i);
	buf_add_text(&text, "X-Last: z\n\nbody-text\n");
	begin(&f, buf_view(&text));
	report = text_of(&f, report_disposition(f.arena, &f.about));
	CHECK_INT(holds(report, "\nSubject: first\n"), 1);
	CHECK_INT(holds(report, "X-Last"), 0);
	CHECK_INT(holds(report, "body-text"), 0);
	CHECK(strlen(report) > (size_t)100 * 1024);
	CHECK(strlen(report) < (size_t)140 * 1024);
	finish(&f);
	buf_clear(&text);
}

TEST(a_report_of_abuse_has_the_whole_message_or_its_header)
{
	const struct report_feedback feedback = {.type = STR("abuse"),
		.product = STR("Doorstep/1"),
		.sender = STR("ada@client.example")};
	struct fixture f;
	const char *text;

	begin(&f, STR("Subject: x\n\nthe-body \xc3\xa4\n"));
	text = text_of(&f, report_abuse(f.arena, &f.about, &feedback, false));
	CHECK_INT(holds(text, "\nContent-Type: message/rfc822\n"), 1);
	CHECK_INT(holds(text, "\nthe-body "), 1);
	CHECK_INT(holds(text, "\nContent-Transfer-Encoding: 8bit\n"), 2);
	CHECK_INT(holds(text, "\nFeedback-Type: abuse\nUser-Agent: "
			      "Doorstep/1\nVersion: 1\n"),
		1);
	CHECK_INT(
		holds(text, "\nOriginal-Mail-From: <ada@client.example>\n"), 1);
	CHECK_INT(holds(text, "\nOriginal-Rcpt-To: <amy@example.test>\n"), 1);
	text = text_of(&f, report_abuse(f.arena, &f.about, &feedback, true));
	CHECK_INT(holds(text, "\nContent-Type: text/rfc822-headers\n"), 1);
	CHECK_INT(holds(text, "the-body"), 0);
	finish(&f);
}
