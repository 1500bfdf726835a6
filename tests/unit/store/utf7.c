/* SPDX-License-Identifier: MIT */
#include "store/utf7.h"

#include "tests/lib/test.h"

#include "base/banned.h"

static const struct {
	const char *text, *name;
} pairs[] = {
	{"", ""},
	{"Lists", "Lists"},
	{"a&b", "a&-b"},
	{"&", "&-"},
	{"&&-", "&-&--"},
	{"Entw\xc3\xbcrfe", "Entw&APw-rfe"},
	/* RFC 3501 5.1.3 */
	{"~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/"
	 "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
		"~peter/mail/&U,BTFw-/&ZeVnLIqe-"},
	/* Outside the BMP: a surrogate pair. */
	{"\xf0\x9f\x93\xa7", "&2D3c5w-"},
	{"\x7f", "&AH8-"},
	{"\n", "&AAo-"},
	/* 16, 32 and 48 bits leave 4, 2 and 0 bits over. */
	{"\xc3\xa9", "&AOk-"},
	{"\xc3\xa9\xc3\xa9", "&AOkA6Q-"},
	{"\xc3\xa9\xc3\xa9\xc3\xa9", "&AOkA6QDp-"},
	{"\xc3\xa9&\xc3\xa9", "&AOk-&-&AOk-"},
};

TEST(every_text_is_spelled_as_the_rfc_says)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(pairs); i++) {
		struct buf buf;

		buf_init(&buf, BUF_UNLIMITED);
		CHECK(utf7_encode(&buf, str_from(pairs[i].text)));
		CHECK_STR(buf_text(&buf), pairs[i].name);
		buf_clear(&buf);
	}
}

TEST(every_name_is_read_back)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(pairs); i++) {
		struct buf buf;

		buf_init(&buf, BUF_UNLIMITED);
		CHECK(utf7_decode(&buf, str_from(pairs[i].name)));
		CHECK_STR(buf_text(&buf), pairs[i].text);
		buf_clear(&buf);
	}
}

TEST(what_is_not_utf8_has_no_spelling)
{
	static const char *const bad[] = {
		"\xff", "a\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xc3\xa9\x80"};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(bad); i++) {
		struct buf buf;

		buf_init(&buf, BUF_UNLIMITED);
		CHECK(!utf7_encode(&buf, str_from(bad[i])));
		buf_clear(&buf);
	}
}

TEST(a_second_spelling_of_a_text_is_none)
{
	static const char *const bad[] = {
		"&",          /* no end */
		"a&AOk",      /* no end */
		"&AOk",       /* no end */
		"&AO-",       /* not a whole unit */
		"&AOl-",      /* bits left over that are not zero */
		"&AOkA-",     /* six bits too many */
		"&AGE-",      /* "a" stands for itself */
		"&ACY-",      /* "&" is "&-" */
		"&AOk-&AOk-", /* two runs in a row */
		"&AOk=-",     /* padding */
		"&U/BTFw-",   /* "/" of plain base64 */
		"&2D0-",      /* half a pair */
		"&3OfYPQ-",   /* a pair the wrong way round */
		"&2D0AYQ-",   /* half a pair, then a letter */
		"\xc3\xa9",   /* 8 bits */
		"a\nb",       /* a control character as it is */
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(bad); i++) {
		struct buf buf;

		buf_init(&buf, BUF_UNLIMITED);
		buf_add_text(&buf, "before");
		if (!CHECK(!utf7_decode(&buf, str_from(bad[i]))))
			printf("# %s\n", bad[i]);
		CHECK_STR(buf_text(&buf), "before");
		buf_clear(&buf);
	}
}
