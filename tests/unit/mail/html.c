/* SPDX-License-Identifier: MIT */
#include "mail/html.h"

#include "base/utf8.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static void
check(const char *html, const char *expected)
{
	struct arena *arena = arena_open();

	CHECK_STR_IS(html_to_text(arena, str_from(html)), expected);
	arena_close(&arena);
}

TEST(text_without_tags_stays)
{
	check("", "");
	check("hello", "hello");
	check("a < b & c > d", "a < b & c > d");
	check("1<2", "1<2");
	check("caf\303\251", "caf\303\251");
	check("<", "<");
	check("&", "&");
	check("</ x>", "</ x>");
}

TEST(tags_vanish)
{
	check("<b>Hel</b>lo", "Hello");
	check("<a href=\"x>y\">link</a>", "link");
	check("<a title='x>y' b>link</a>", "link");
	check("<img src=x/>", "");
	check("<x", "");
	check("a<b c=\"never closed>d", "a");
	check("<!DOCTYPE html>x<?xml y?>z", "xz");
}

TEST(comments_vanish)
{
	check("a<!-- b -->c", "ac");
	check("a<!-- <b> > -- -->c", "ac");
	check("a<!---->b<!-->c", "abc");
	check("a<!-- never closed", "a");
	check("a<!x>b", "ab");
}

TEST(what_nobody_sees_vanishes)
{
	check("a<script>b</script>c", "ac");
	check("a<SCRIPT type=x>if (a</b>) \"</scr\"</Script >c", "ac");
	check("a<style>p { x: y }</style>c", "ac");
	check("a<script>never closed", "a");
	check("a<script>b</scripts>c</script>d", "ad");
	check("<title>t</title><style>s</style>b", "t\r\nb");
}

TEST(runs_of_blanks_are_one)
{
	check("  a \r\n\t b  ", "a b");
	check("a <b> b</b>", "a b");
	check("a&nbsp; b", "a b");
	check("a&#9;b&#32;c", "a b c");
}

TEST(blocks_begin_lines)
{
	check("<p>one</p><p>two</p>", "one\r\ntwo");
	check("one<br>two<BR/>three", "one\r\ntwo\r\nthree");
	check("<ul><li>a<li>b</ul>c", "a\r\nb\r\nc");
	check("<table><tr><td>a</td><td>b</td></tr><tr><td>c</table>",
		"a b\r\nc");
	check("<h1>a</h1> b", "a\r\nb");
	check("<pre>a\n  b\r\nc</pre> d  e", "a\r\n  b\r\nc\r\nd e");
	check("<div><div></div></div>x", "x");
}

TEST(characters_have_names_and_numbers)
{
	check("&lt;&gt;&amp;&quot;&apos;", "<>&\"'");
	check("&eacute;&Eacute;&euro;&hearts;", "\303\251\303\211"
						"\342\202\254\342\231\245");
	check("&#233;&#xe9;&#XE9;&#8364;&#x1F600;",
		"\303\251\303\251\303\251\342\202\254\360\237\230\200");
	check("&lt &amp;lt;", "< &lt;");
	check("&nosuch; &; &#; &#x; &#xg;", "&nosuch; &; &#; &#x; &#xg;");
	check("&thetasym;&thetasymx;", "\317\221&thetasymx;");
	check("&#0;&#xd800;&#99999999999;",
		"\357\277\275\357\277\275\357\277\275");
	check("&AMP", "&AMP");
}

/* Linear is told by what comes out and by the clock of nobody: each of these
 * took for ever if a step back were possible. */
TEST(hostile_text_is_read_in_one_pass)
{
	static const char *const texts[] = {"<", "<!", "<!--", "<!-- ",
		"<script>", "<script></", "</script", "&", "&#", "&#9", "&a",
		"<a '", "<a \"", "<pre>\n", "<p>", "</", "<a=\"", "&nsub", "\n",
		"<pre>", "&ni"};
	enum { COUNT = 300000 };
	size_t i, j;

	for (i = 0; i < ARRAY_LENGTH(texts); i++) {
		struct arena *arena = arena_open();
		size_t len = strlen(texts[i]);
		char *html = arena_alloc(arena, len * COUNT);
		size_t before = arena_used(arena);
		struct str text;

		for (j = 0; j < COUNT; j++)
			memcpy(html + j * len, texts[i], len);
		text = html_to_text(arena, str_of(html, len * COUNT));
		CHECK(text.len <= 2 * len * COUNT);
		CHECK(utf8_is_valid(text));
		CHECK(arena_used(arena) - before <= 2 * len * COUNT + 64);
		arena_close(&arena);
	}
}
