/* SPDX-License-Identifier: MIT */
#include "mail/mimevalue.h"

#include "base/buf.h"
#include "tests/lib/test.h"

#include "base/banned.h"

/* "type/subtype name=value name=value", parameters by name. */
static const char *
parsed(struct arena *arena, struct str value)
{
	struct mimevalue mimevalue;
	struct buf buf;
	size_t i;
	char *text;

	mimevalue_parse(arena, value, &mimevalue);
	buf_init(&buf, BUF_UNLIMITED);
	buf_add(&buf, mimevalue.type);
	buf_add_char(&buf, '/');
	buf_add(&buf, mimevalue.subtype);
	for (i = 0; i < mimevalue.count; i++) {
		buf_add_char(&buf, '|');
		buf_add(&buf, mimevalue.parameters[i].name);
		buf_add_char(&buf, '=');
		buf_add(&buf,
			mime_parameter_text(arena, &mimevalue.parameters[i]));
	}
	text = arena_text(arena, buf_view(&buf));
	buf_clear(&buf);
	return text;
}

static void
check(const char *value, const char *expected)
{
	struct arena *arena = arena_open();

	CHECK_STR(parsed(arena, str_from(value)), expected);
	arena_close(&arena);
}

/* RFC 2045 5.1 */
TEST(types_and_parameters_are_found)
{
	check(" text/plain", "text/plain");
	check("text/plain; charset=us-ascii", "text/plain|charset=us-ascii");
	check("Multipart/Mixed;\r\n\tboundary=\"a b\"",
		"Multipart/Mixed|boundary=a b");
	check("text/plain;b=2;a=1", "text/plain|a=1|b=2");
	check("text/plain; a=\"q\\\"u\\\\o\"", "text/plain|a=q\"u\\o");
	check("attachment; filename=x.pdf", "attachment/|filename=x.pdf");
	check("inline", "inline/");
}

TEST(comments_stand_anywhere)
{
	check("(a(b)c) text (d) / (e) plain (f); (g) a (h) = (i) 1 (j)",
		"text/plain|a=1");
	check("text/plain; charset=us-ascii (Plain text)",
		"text/plain|charset=us-ascii");
	check("text/plain (never closed; a=1", "text/plain");
	check("text/plain; a=\"(no comment)\"", "text/plain|a=(no comment)");
}

TEST(broken_values_give_what_there_is)
{
	check("", "/");
	check(";", "/");
	check("/", "/");
	check("text", "text/");
	check("text/plain;", "text/plain");
	check("text/plain;;;a=1;", "text/plain|a=1");
	check("text/plain charset=utf-8", "text/plain|charset=utf-8");
	check("text/plain; charset=utf-8 format=flowed",
		"text/plain|charset=utf-8|format=flowed");
	check("attachment; filename=my nice file.pdf; size=3",
		"attachment/|filename=my nice file.pdf|size=3");
	check("attachment; filename=file(1).pdf",
		"attachment/|filename=file(1).pdf");
	check("attachment; filename=\"never closed",
		"attachment/|filename=never closed");
	check("attachment; filename=\"ends with \\",
		"attachment/|filename=ends with \\");
	check("text/plain; =1; a", "text/plain");
	check("text/plain; \"a\"=1; b=2", "text/plain|b=2");
	check("charset=utf-8", "/|charset=utf-8");
	check("text/plain; a=", "text/plain|a=");
	check("text/plain; a=\"\"", "text/plain|a=");
	check("text/plain; a=1; A=2", "text/plain|a=1");
}

/* RFC 2231 3 */
TEST(pieces_of_a_value_are_joined)
{
	check("a/b; url*0=\"ftp://\";\r\n url*1=\"example.org/x\"",
		"a/b|url=ftp://example.org/x");
	check("a/b; n*2=c; n*0=a; n*1=b", "a/b|n=abc");
	check("a/b; n*0=a; n*2=c", "a/b|n=a");
	check("a/b; n*1=a; n*2=b", "a/b|n=ab");
	check("a/b; n*0=a; n*1=b; n*1=x", "a/b|n=ab");
	check("a/b; n=plain; n*2=x", "a/b|n=plain");
	check("a/b; n=plain; n*0=x; n*1=y", "a/b|n=xy");
}

/* RFC 2231 4, 4.1 */
TEST(charsets_of_values_become_UTF_8)
{
	check("a/b; n*=us-ascii'en-us'This%20is%20fun", "a/b|n=This is fun");
	check("a/b; n*=iso-8859-1''caf%E9", "a/b|n=caf\303\251");
	check("a/b; n*=utf-8''%E2%82%AC; n=EUR", "a/b|n=\342\202\254");
	check("a/b; n*0*=iso-8859-1''caf%E9; n*1=%41; n*2*=%42",
		"a/b|n=caf\303\251%41B");
	check("a/b; n*=no-such-charset''%E9x", "a/b|n=\357\277\275x");
	check("a/b; n*=without%20charset", "a/b|n=without charset");
	check("a/b; n*=utf-8''%", "a/b|n=%");
	check("a/b; n*=utf-8''%4", "a/b|n=%4");
	check("a/b; n*=utf-8''%zz", "a/b|n=%zz");
	check("a/b; n*x=1", "a/b|n*x=1");
	check("a/b; *=1", "a/b|*=1");
}

/* Against RFC 2047 5, and everywhere. */
TEST(encoded_words_in_values_are_decoded)
{
	check("a/b; n=\"=?iso-8859-1?q?caf=E9?=\"", "a/b|n=caf\303\251");
	check("a/b; n*=utf-8''=?utf-8?q?x?=", "a/b|n==?utf-8?q?x?=");
}

TEST(a_parameter_is_found_in_any_case)
{
	struct arena *arena = arena_open();
	struct mimevalue mimevalue;

	mimevalue_parse(arena, STR("a/b; Name=1"), &mimevalue);
	CHECK(mimevalue_find(&mimevalue, STR("name")) != NULL);
	CHECK(mimevalue_find(&mimevalue, STR("nam")) == NULL);
	CHECK(mimevalue_find(&mimevalue, STR("name*")) == NULL);
	arena_close(&arena);
}

static struct str
repeated(struct arena *arena, const char *text, size_t count)
{
	size_t len = strlen(text), i;
	char *all = arena_alloc(arena, len * count + 1);

	for (i = 0; i < count; i++)
		memcpy(all + i * len, text, len);
	return str_of(all, len * count);
}

/* What is built from a hostile value is not much larger than the value. */
TEST(hostile_values_cost_memory_in_proportion)
{
	static const char *const texts[] = {"(", "\"", "\\", ";a=\"\\\"\"",
		";a=1", ";a*0=x", ";a*", "=", " ", " a", "x y=", "a'b'c", "%"};
	struct arena *texts_arena = arena_open();
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(texts); i++) {
		struct str value = repeated(texts_arena, texts[i], 20000);
		struct arena *arena = arena_open();
		struct mimevalue mimevalue;

		mimevalue_parse(arena, value, &mimevalue);
		CHECK(mimevalue.count <= MIMEVALUE_PIECES_MOST);
		CHECK(arena_used(arena) <=
			4 * value.len + 100 * MIMEVALUE_PIECES_MOST);
		arena_close(&arena);
	}
	arena_close(&texts_arena);
}
