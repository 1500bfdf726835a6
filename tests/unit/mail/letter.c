/* SPDX-License-Identifier: MIT */
#include "mail/letter.h"

#include "base/buf.h"
#include "mail/compose.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static struct arena *arena;
static struct message *original;

static void
set_up(const char *text)
{
	const struct message_limits limits = {.memory_bytes = 1 << 20,
		.header_bytes = 1 << 20,
		.header_fields = 1000};
	struct err err;

	arena = arena_open();
	REQUIRE(message_open_bytes(str_from(text), &limits, &original, &err) ==
		0);
}

static void
tear_down(void)
{
	message_close(&original);
	arena_close(&arena);
}

static struct letter
simple(void)
{
	return (struct letter){
		.date = {.tm_mday = 21,
			.tm_mon = 10,
			.tm_year = 126,
			.tm_wday = 6,
			.tm_hour = 20},
		.id = STR("<1@mx.test>"),
		.from = STR("amy@example.test"),
	};
}

static const char *
head(const struct letter *letter)
{
	struct str text;

	return letter_head(arena, letter, &text) ? arena_text(arena, text)
	                                         : "(broken)";
}

static const char *
bytes_of(const struct content *content)
{
	struct content_reader reader;
	struct str chunk;
	struct err err;
	struct buf buf;
	const char *text;
	char *buffer = arena_alloc(arena, 4096);

	buf_init(&buf, BUF_UNLIMITED);
	content_reader_init(&reader, content, LINE_ENDS_LF, buffer, 4096);
	while (content_read(&reader, &chunk, &err) == LOOKUP_FOUND)
		buf_add(&buf, chunk);
	text = arena_text(arena, buf_view(&buf));
	buf_clear(&buf);
	return text;
}

#define START "Date: Sat, 21 Nov 2026 20:00:00 +0000\n"
#define FROM START "From: amy@example.test\n"
#define ID "Message-ID: <1@mx.test>\n"

TEST(a_letter_has_date_from_and_id)
{
	struct letter letter = simple();

	set_up("\n");
	CHECK_STR(head(&letter), FROM ID);
	tear_down();
}

TEST(all_that_is_given_has_a_field)
{
	const struct letter_field fields[] = {
		{STR("Precedence"), STR("bulk")},
		{STR("X-Empty"), STR(" ")},
	};
	struct letter letter = simple();

	set_up("\n");
	letter.to = STR("Ada <ada@partner.test>, <bo@partner.test>");
	letter.subject = STR("Gr\xc3\xbc\xc3\x9f"
			     "e");
	letter.auto_submitted = STR("auto-replied (vacation)");
	letter.fields = fields;
	letter.field_count = 2;
	CHECK_STR(head(&letter),
		FROM "To: Ada <ada@partner.test>,\n\tbo@partner.test\n" ID
		     "Subject: =?utf-8?b?R3LDvMOfZQ==?=\n"
		     "Auto-Submitted: auto-replied (vacation)\n"
		     "Precedence: bulk\n");
	tear_down();
}

TEST(no_value_makes_a_second_field)
{
	const struct letter_field fields[] = {
		{STR("X-One"), STR("a\r\nBcc: b@evil.test\r\n\r\nbody")},
	};
	struct letter letter = simple();

	set_up("\n");
	letter.from = STR("\"A\r\nBcc: x@evil.test\" <amy@example.test>");
	letter.to = STR("ada@partner.test\n");
	letter.subject = STR("a\nBcc: c@evil.test\rd\0e");
	letter.auto_submitted = STR("auto-replied\r\n\r\nbody");
	letter.fields = fields;
	letter.field_count = 1;
	CHECK_STR(head(&letter), START
		"From: \"A  Bcc: x@evil.test\" <amy@example.test>\n"
		"To: ada@partner.test\n" ID "Subject: a Bcc: c@evil.test d e\n"
		"Auto-Submitted: auto-replied    body\n"
		"X-One: a  Bcc: b@evil.test    body\n");
	tear_down();
}

TEST(from_and_to_have_to_be_addresses)
{
	struct letter letter = simple();

	set_up("\n");
	letter.from = STR("nobody");
	CHECK_STR(head(&letter), "(broken)");
	letter.from = STR("");
	CHECK_STR(head(&letter), "(broken)");
	letter.from = STR("amy@example.test");
	letter.to = STR("@");
	CHECK_STR(head(&letter), "(broken)");
	tear_down();
}

/* A name is encoded, which makes lines of it. */
TEST(a_name_that_no_line_could_hold_stays)
{
	static char name[2000 + sizeof(" <amy@example.test>")];
	struct letter letter = simple();
	struct str rest, line;

	set_up("\n");
	memset(name, 'a', 2000);
	memcpy(name + 2000, " <amy@example.test>", 20);
	letter.from = str_from(name);
	rest = str_from(head(&letter));
	CHECK(str_find(rest, STR(" <amy@example.test>\n")) < rest.len);
	while (str_next_field(&rest, '\n', &line))
		CHECK(line.len <= 100);
	tear_down();
}

/* RFC 5322 3.6.2 */
TEST(the_first_of_several_authors_is_the_sender)
{
	struct letter letter = simple();

	set_up("\n");
	letter.from = STR("Amy <amy@example.test>, bo@example.test");
	CHECK(str_starts(str_from(head(&letter)),
		STR(START "From: Amy <amy@example.test>,\n\tbo@example.test\n"
			  "Sender: amy@example.test\n")));
	tear_down();
}

TEST(an_address_that_no_line_could_hold_is_none)
{
	struct letter letter = simple();
	struct buf buf;
	int i;

	set_up("\n");
	buf_init(&buf, BUF_UNLIMITED);
	for (i = 0; i < 1000; i++)
		buf_add_char(&buf, 'a');
	buf_add_text(&buf, "@example.test");
	letter.from = buf_view(&buf);
	CHECK_STR(head(&letter), "(broken)");
	letter.from = str_skip(letter.from, 100);
	CHECK(str_starts(str_from(head(&letter)), STR(START "From: aaa")));
	buf_clear(&buf);
	tear_down();
}

TEST(an_id_holds_only_what_an_id_may)
{
	set_up("\n");
	CHECK_STR_IS(
		letter_id(arena, STR("a1"), STR("mx.test")), "<a1@mx.test>");
	CHECK_STR_IS(letter_id(arena, STR("a>\r\nb c"), STR("m@x\n.test")),
		"<abc@mx.test>");
	CHECK_STR_IS(letter_id(arena, STR(""), STR(" ")), "<0@localhost>");
	tear_down();
}

/* ---- threads ---- */

static void
check_thread(const char *header, const char *expected)
{
	struct letter letter = simple();
	const char *found;

	set_up(header);
	letter.original = original;
	found = head(&letter);
	REQUIRE(str_starts(str_from(found), STR(FROM ID)));
	CHECK_STR(found + strlen(FROM ID), expected);
	tear_down();
}

TEST(an_answer_names_what_it_answers)
{
	check_thread("Message-ID: <a@b>\n\n",
		"In-Reply-To: <a@b>\nReferences: <a@b>\n");
	check_thread("References: <x@b>\n <y@b> \nMessage-ID: (c) <a@b>\n\n",
		"In-Reply-To: <a@b>\n"
		"References: <x@b>\n\t<y@b>\n\t<a@b>\n");
	check_thread("References: <x@b> <a@b>\nMessage-ID: <a@b>\n\n",
		"In-Reply-To: <a@b>\nReferences: <x@b>\n\t<a@b>\n");
}

TEST(in_reply_to_stands_for_references_when_it_has_one_id)
{
	check_thread("In-Reply-To: <x@b>\nMessage-ID: <a@b>\n\n",
		"In-Reply-To: <a@b>\nReferences: <x@b>\n\t<a@b>\n");
	check_thread("In-Reply-To: <x@b> <y@b>\nMessage-ID: <a@b>\n\n",
		"In-Reply-To: <a@b>\nReferences: <a@b>\n");
}

TEST(without_an_id_there_is_nothing_to_name)
{
	check_thread("Subject: x\n\n", "");
	check_thread("Message-ID: a@b\n\n", "");
	check_thread("Message-ID: <a b@c>\n\n", "");
	check_thread("Message-ID: <\xc3\xa4@c>\n\n", "");
	check_thread("Message-ID: <a@b\n\n", "");
	check_thread("Message-ID: <>\n\n", "");
}

TEST(only_the_end_of_very_many_references_is_named)
{
	struct letter letter = simple();
	struct buf buf;
	const char *found;
	int i;

	buf_init(&buf, BUF_UNLIMITED);
	buf_add_text(&buf, "Message-ID: <a@b>\nReferences:");
	for (i = 0; i < 5000; i++)
		buf_add_format(&buf, " <%04d@b>", i);
	buf_add_text(&buf, "\n\n");
	set_up(buf_text(&buf));
	letter.original = original;
	found = head(&letter);
	CHECK(strlen(found) < LETTER_REFERENCES_MOST * 2);
	CHECK(strstr(found, "\t<4999@b>\n\t<a@b>\n") != NULL);
	CHECK(strstr(found, "<0000@b>") == NULL);
	tear_down();
	buf_clear(&buf);
}

TEST(an_id_that_no_line_could_hold_is_left_out)
{
	struct buf buf;
	int i;

	buf_init(&buf, BUF_UNLIMITED);
	buf_add_text(&buf, "Message-ID: <");
	for (i = 0; i < 2000; i++)
		buf_add_char(&buf, 'a');
	buf_add_text(&buf, "@b>\n\n");
	check_thread(buf_text(&buf), "");
	buf_clear(&buf);
}

/* ---- entities ---- */

static const char *
ready(struct str text)
{
	const struct content *content;

	return letter_ready(arena, original, text, &content) ? bytes_of(content)
	                                                     : "(refused)";
}

TEST(a_ready_entity_keeps_its_own_fields)
{
	set_up("\n");
	CHECK_STR(ready(STR("Content-Type: text/html;\r\n charset=utf-8\r\n"
			    "content-language: de\r\n\r\n<b>x</b>\r\n")),
		"Content-Type: text/html;\n charset=utf-8\n"
		"content-language: de\n\n<b>x</b>\n");
	CHECK_STR(ready(STR("\nbody")), "\nbody\n");
	CHECK_STR(ready(STR("")), "\n");
	tear_down();
}

TEST(a_ready_entity_has_no_nul_and_no_line_too_long_for_a_header)
{
	char text[1200];

	set_up("\n");
	CHECK_STR(ready(STR("Content-Type: text/plain\n\na\0b\n")),
		"Content-Type: text/plain\n\na?b\n");
	snprintf(text, sizeof(text),
		"Content-Type: text/plain; x=%0990d\n"
		"Content-Language: en\n\nbody\n",
		0);
	CHECK_STR(ready(str_from(text)), "Content-Language: en\n\nbody\n");
	tear_down();
}

TEST(a_ready_entity_has_no_field_of_a_message)
{
	set_up("\n");
	CHECK_STR(ready(STR("Bcc: x@evil.test\nMIME-Version: 1.0\n"
			    "Subject: a\n b\nContent-Type: text/plain\n\nx\n")),
		"Content-Type: text/plain\n\nx\n");
	tear_down();
}

TEST(a_text_without_header_is_a_body)
{
	set_up("\n");
	CHECK_STR(ready(STR("I am away.\n\nMe\n")), "\nI am away.\n\nMe\n");
	tear_down();
}

TEST(eight_bit_bytes_are_declared)
{
	set_up("\n");
	CHECK_STR(ready(STR("Content-Type: text/html; charset=utf-8\n\n"
			    "\xc3\xa4\n")),
		"Content-Type: text/html; charset=utf-8\n"
		"Content-Transfer-Encoding: 8bit\n\n\xc3\xa4\n");
	CHECK_STR(ready(STR("\n\xc3\xa4\n")),
		"Content-Type: text/plain; charset=utf-8\n"
		"Content-Transfer-Encoding: 8bit\n\n\xc3\xa4\n");
	CHECK_STR(ready(STR("Content-Type: text/plain; name=\"\xc3\xa4\"\n"
			    "\nx\n")),
		"(refused)");
	tear_down();
}

TEST(parts_stand_between_boundaries)
{
	const struct content *parts[2], *whole;
	struct letter letter = simple();
	struct str rest, line;
	size_t boundaries = 0;

	set_up("Subject: x\n\nbody without line end");
	parts[0] = letter_text(arena, original, STR("Hello"));
	parts[1] = letter_part(arena, original,
		STR("Content-Type: message/rfc822\n"), STR_EMPTY,
		content_of(arena, original));
	REQUIRE(letter_compose(arena, &letter,
		letter_multipart(arena, original,
			STR("multipart/report; report-type=x"), letter.id, true,
			parts, 2),
		&whole));
	rest = str_from(bytes_of(whole));
	CHECK(str_starts(rest,
		STR(FROM ID "MIME-Version: 1.0\n"
			    "Content-Type: multipart/report; report-type=x;\n"
			    "\tboundary=\"=_")));
	CHECK(str_find(rest, STR("\nContent-Transfer-Encoding: 8bit\n\n")) <
		rest.len);
	CHECK(str_find(rest, STR("\nContent-Type: message/rfc822\n\n"
				 "Subject: x\n\nbody without line end\n--=_")) <
		rest.len);
	while (str_next_field(&rest, '\n', &line))
		boundaries += str_starts(line, STR("--=_"));
	CHECK_UINT(boundaries, 3);
	tear_down();
}

TEST(each_letter_has_a_boundary_of_its_own)
{
	const struct content *part;

	set_up("\n");
	part = letter_text(arena, original, STR("Hello"));
	CHECK(strcmp(bytes_of(letter_multipart(arena, original,
			     STR("multipart/mixed"), STR("<1@a>"), false, &part,
			     1)),
		      bytes_of(letter_multipart(arena, original,
			      STR("multipart/mixed"), STR("<2@a>"), false,
			      &part, 1))) != 0);
	tear_down();
}
