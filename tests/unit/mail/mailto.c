/* SPDX-License-Identifier: MIT */
#include "mail/mailto.h"

#include <string.h>

#include "base/buf.h"
#include "tests/lib/test.h"

#include "base/banned.h"

enum { RECIPIENTS = 8, HEADERS = 4 };

/* "to, to | cc ; subject ; body ; name=value", or what is wrong with it. */
static const char *
read_uri(struct arena *arena, const char *uri)
{
	struct mailto mailto;
	struct buf buf;
	const char *text;
	struct err err;
	size_t i;

	if (mailto_parse(arena, str_from(uri), RECIPIENTS, HEADERS, &mailto,
		    &err) < 0)
		return arena_format(arena, "%s", err.text);
	buf_init(&buf, BUF_UNLIMITED);
	for (i = 0; i < mailto.count; i++)
		buf_add_format(&buf, "%s%.*s",
			i == 0                 ? ""
			: i == mailto.to_count ? " | "
					       : ", ",
			STR_ARG(mailto.recipients[i]));
	if (mailto.has_subject)
		buf_add_format(&buf, "; %.*s", STR_ARG(mailto.subject));
	if (mailto.has_body)
		buf_add_format(&buf, "; %.*s", STR_ARG(mailto.body));
	for (i = 0; i < mailto.header_count; i++)
		buf_add_format(&buf, "; %.*s=%.*s",
			STR_ARG(mailto.headers[i].name),
			STR_ARG(mailto.headers[i].value));
	text = arena_text(arena, buf_view(&buf));
	buf_clear(&buf);
	return text;
}

TEST(what_rfc_2368_and_6068_show_can_be_read)
{
	static const struct {
		const char *uri, *expected;
	} cases[] = {
		{"mailto:chris@example.com", "chris@example.com"},
		{"mailto:infobot@example.com?subject=current-issue",
			"infobot@example.com; current-issue"},
		{"mailto:infobot@example.com?body=send%20current-issue%0D%0A"
		 "send%20index",
			"infobot@example.com; send current-issue\r\nsend "
			"index"},
		{"mailto:joe@example.com?cc=bob@example.com&body=hello",
			"joe@example.com | bob@example.com; hello"},
		{"mailto:?to=joe@example.com&cc=bob@example.com&body=hello",
			"joe@example.com | bob@example.com; hello"},
		{"mailto:gorby%25kremvax@example.com",
			"gorby%kremvax@example.com"},
		{"mailto:unlikely%3Faddress@example.com?blat=foop",
			"unlikely?address@example.com; blat=foop"},
		{"mailto:Mike%26family@example.org", "Mike&family@example.org"},
		{"mailto:%22not%40me%22@example.org", "\"not@me\"@example.org"},
		{"mailto:user@example.org?subject=caf%C3%A9",
			"user@example.org; caf\xc3\xa9"},
		{"mailto:addr1@example.com%2C%20addr2@example.com",
			"addr1@example.com, addr2@example.com"},
		{"MAILTO:a@b.example,c@d.example?to=e@f.example",
			"a@b.example, c@d.example, e@f.example"},
		{"mailto:", ""},
		{"mailto:a@b.example?", "a@b.example"},
	};
	struct arena *arena = arena_open();
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(cases); i++)
		CHECK_STR(read_uri(arena, cases[i].uri), cases[i].expected);
	arena_close(&arena);
}

TEST(what_is_wrong_is_told)
{
	static const struct {
		const char *uri, *expected;
	} cases[] = {
		{"joe@example.com",
			"this is no mailto URI: \"joe@example.com\""},
		{"mailto:joe", "this is no address: \"joe\""},
		{"mailto:joe@example.com?cc=bob@example.com?body=hello",
			"a character is not encoded in "
			"\"bob@example.com?body=hello\""},
		{"mailto:joe@example.com?subject",
			"there is no \"=\" in \"subject\""},
		{"mailto:joe@example.com?&", "there is no \"=\" in \"\""},
		{"mailto:joe@example.com?a=b=c",
			"a character is not encoded in \"b=c\""},
		{"mailto:j oe@example.com",
			"a character is not encoded in \"j oe@example.com\""},
		{"mailto:joe;bob@example.com", "a character is not encoded in "
					       "\"joe;bob@example.com\""},
		{"mailto:j\xc3\xb6@example.com",
			"a character is not encoded in "
			"\"j\xc3\xb6@example.com\""},
		{"mailto:joe@example.com?subject=%4",
			"a \"%\" is wrong in \"%4\""},
		{"mailto:joe@example.com?subject=%zz",
			"a \"%\" is wrong in \"%zz\""},
		{"mailto:joe@example.com?subject=%00",
			"a \"%\" is wrong in \"%00\""},
		{"mailto:joe@example.com?subject=%ff",
			"what is encoded is not UTF-8 in \"%ff\""},
		{"mailto:joe@example.com?a%20b=c",
			"this is no name of a field: \"a b\""},
		{"mailto:joe@example.com?a%0D%0Abcc=c",
			"this is no name of a field: \"a\r\nbcc\""},
		{"mailto:joe@example.com?cc=%3C%3E",
			"this is no address: \"\""},
		{"mailto:1@a.b,2@a.b,3@a.b,4@a.b,5@a.b,6@a.b,7@a.b,8@a.b,9@a.b",
			"it has more than 8 recipients "
			"(sieve_notify_mailto_max_recipients)"},
		{"mailto:1@a.b?a=1&b=1&c=1&d=1&e=1",
			"it has more than 4 headers "
			"(sieve_notify_mailto_max_headers)"},
	};
	struct arena *arena = arena_open();
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(cases); i++)
		CHECK_STR(read_uri(arena, cases[i].uri), cases[i].expected);
	arena_close(&arena);
}

TEST(nobody_is_named_twice_and_the_first_subject_counts)
{
	struct arena *arena = arena_open();

	CHECK_STR(read_uri(arena, "mailto:a@b.c,A@B.c?cc=a@b.c&to=a@b.c"),
		"a@b.c");
	CHECK_STR(read_uri(arena,
			  "mailto:a@b.c?subject=1&Subject=2&body=3&BODY=4"),
		"a@b.c; 1; 3");
	arena_close(&arena);
}
