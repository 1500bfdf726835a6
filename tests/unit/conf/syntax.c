/* SPDX-License-Identifier: MIT */
#include "conf/syntax.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static struct arena *arena;
static struct conf_report report;

/* All lines as text: "name=value;", "name value{", "}". */
static const char *
events(struct conf_syntax *syntax)
{
	struct conf_line line;
	const char *text;
	struct buf out;

	buf_init(&out, 1 << 20);
	for (;;) {
		conf_syntax_next(syntax, &line);
		switch (line.kind) {
		case CONF_LINE_KEY:
			buf_add_format(&out, "%.*s=%s%.*s;", STR_ARG(line.name),
				line.is_path ? "<" : "", STR_ARG(line.value));
			break;
		case CONF_LINE_OPEN:
			buf_add_format(&out, "%.*s %.*s{", STR_ARG(line.name),
				STR_ARG(line.value));
			break;
		case CONF_LINE_CLOSE:
			buf_add_text(&out, "}");
			break;
		case CONF_LINE_END:
			text = arena_text(arena, buf_view(&out));
			buf_clear(&out);
			return text;
		}
	}
}

static void
begin(void)
{
	arena_close(&arena);
	arena = arena_open();
	report = (struct conf_report){.is_thorough = true};
}

static const char *
read_text(const char *text)
{
	begin();
	return events(conf_syntax_of_text(
		arena, "/etc/x.conf", str_from(text), &report));
}

static const char *
read_file(const char *path)
{
	struct conf_syntax *syntax;

	begin();
	if (conf_syntax_open(arena, path, &report, &syntax) != LOOKUP_FOUND)
		return NULL;
	return events(syntax);
}

static void
check_reported(unsigned line, const char *part)
{
	struct str text;

	if (!CHECK_UINT(report.count, 1))
		return;
	text = str_from(report.problems[0].text);
	CHECK_UINT(report.problems[0].place.line, line);
	if (!CHECK(str_find(text, str_from(part)) < text.len))
		printf("# found: %s\n", report.problems[0].text);
}

TEST(a_value_goes_to_the_end_of_the_line_and_is_trimmed)
{
	CHECK_STR(read_text("a = b  c ; d=e \t\r\n"), "a=b  c ; d=e;");
	CHECK_STR(read_text("a=b"), "a=b;");
	CHECK_STR(read_text("a ="), "a=;");
}

TEST(a_comment_begins_the_line_or_has_a_blank_before_it)
{
	CHECK_STR(
		read_text("# x = y\na = b # c\n  # d\ne = f\t#\n"), "a=b;e=f;");
	CHECK_UINT(report.count, 0);
	CHECK_STR(read_text("a = b#c # d\n"), "a=b#c;");
	check_reported(1, "\"#\" without a blank");
}

TEST(quotes_keep_blanks_and_comments)
{
	CHECK_STR(read_text("a = \" b # c \" # d\n"), "a= b # c ;");
	CHECK_STR(read_text("a = 'b \"c\"'\n"), "a=b \"c\";");
	CHECK_STR(read_text("a = \"b \\\"c\\\\\"\n"), "a=b \"c\\;");
	CHECK_STR(read_text("a = \"\"\n"), "a=;");
}

TEST(a_lone_quote_is_a_character)
{
	CHECK_STR(read_text("a = \"b\n"), "a=\"b;");
	CHECK_STR(read_text("a = it's # x\n"), "a=it's;");
}

TEST(a_backslash_at_the_end_continues_the_line)
{
	CHECK_STR(read_text("a = b \\\n   c\\\n d\ne = f\n"), "a=b c d;e=f;");
	CHECK_STR(read_text("a = b \\\n# no\n c\n"), "a=b c;");
	CHECK_STR(read_text("a = b \\"), "a=b;");
}

TEST(a_continued_line_has_the_number_of_its_first)
{
	struct conf_syntax *syntax;
	struct conf_line line;

	begin();
	syntax = conf_syntax_of_text(
		arena, "f", STR("\na = b \\\n c\n\nd = e\n"), &report);
	conf_syntax_next(syntax, &line);
	CHECK_UINT(line.place.line, 2);
	conf_syntax_next(syntax, &line);
	CHECK_UINT(line.place.line, 5);
	CHECK_STR(line.place.file, "f");
}

TEST(sections_nest_and_may_have_a_quoted_name)
{
	CHECK_STR(read_text("a {\n b \"c d\" {\n  e = f\n }\n}\n"),
		"a {b c d{e=f;}}");
	CHECK_STR(read_text("a{\n}\n"), "a {}");
}

TEST(a_section_on_one_line_is_refused)
{
	CHECK_STR(read_text("a = 1\nservice lmtp { user = x }\nb = 2\n"),
		"a=1;b=2;");
	check_reported(2, "on a line of its own");
}

TEST(a_brace_in_a_value_is_a_character)
{
	CHECK_STR(read_text("a = %{if;%d;ne;;%d} {\n"), "a=%{if;%d;ne;;%d} {;");
}

TEST(a_stray_closing_brace_is_reported)
{
	CHECK_STR(read_text("a = b\n}\nc = d\n"), "a=b;c=d;");
	check_reported(2, "no section is open");
}

TEST(a_section_left_open_is_reported_where_it_begins)
{
	CHECK_STR(read_text("a = b\nc {\nd = e\n"), "a=b;c {d=e;}");
	check_reported(2, "section \"c\" is not closed");
}

TEST(what_is_no_line_is_reported)
{
	CHECK_STR(read_text("a = b\nhello world\n"), "a=b;");
	check_reported(2, "found \"hello world\", expected");
	CHECK_STR(read_text("= b\n"), "");
	check_reported(1, "expected");
	CHECK_STR(read_text("!inklude x\n"), "");
	check_reported(1, "!inklude");
}

TEST(a_nul_byte_is_reported)
{
	begin();
	CHECK_STR(events(conf_syntax_of_text(
			  arena, "f", STR("a = b\0c\nd = e\n"), &report)),
		"d=e;");
	check_reported(1, "NUL");
}

TEST(a_file_value_is_relative_to_its_file)
{
	CHECK_STR(read_text("a = <tls/key.pem\n"), "a=</etc/tls/key.pem;");
	CHECK_STR(read_text("a = < /key.pem\n"), "a=</key.pem;");
	CHECK_STR(read_text("a = \"<x>\"\n"), "a=<x>;");
}

TEST(sections_nest_up_to_the_limit_and_no_deeper)
{
	struct buf text;
	int i;

	buf_init(&text, 1 << 16);
	for (i = 0; i < CONF_NESTING_MAX + 3; i++)
		buf_add_text(&text, "s {\n");
	for (i = 0; i < CONF_NESTING_MAX + 3; i++)
		buf_add_text(&text, "}\n");
	buf_add_text(&text, "a = b\n");
	CHECK(str_ends(str_from(read_text(buf_text(&text))), STR("}a=b;")));
	check_reported(CONF_NESTING_MAX + 1, "nested more than");
	buf_clear(&text);
}

TEST(a_line_that_is_too_long_is_reported)
{
	struct buf text;
	int i;

	buf_init(&text, 1 << 20);
	buf_add_text(&text, "a = ");
	for (i = 0; i < CONF_LINE_BYTES_MAX; i++)
		buf_add_char(&text, 'x');
	buf_add_text(&text, "\nb = c\n");
	CHECK_STR(read_text(buf_text(&text)), "b=c;");
	check_reported(1, "longer than");
	buf_clear(&text);

	buf_init(&text, 1 << 20);
	buf_add_text(&text, "a = \\\n");
	for (i = 0; i < CONF_LINE_BYTES_MAX / 2; i++)
		buf_add_text(&text, "xx \\\n");
	buf_add_text(&text, "\nb = c\n");
	CHECK_STR(read_text(buf_text(&text)), "b=c;");
	check_reported(1, "longer than");
	buf_clear(&text);
}

TEST(included_files_are_read_in_order_where_they_are_named)
{
	test_file("conf.d/20.conf", "c = 3\n");
	test_file("conf.d/10.conf", "b = 2\n");
	CHECK_STR(read_file(test_file("main.conf",
			  "a = 1\n!include conf.d/*.conf\nd = 4\n")),
		"a=1;b=2;c=3;d=4;");
	CHECK_UINT(report.count, 0);
}

TEST(an_included_file_may_stand_in_a_section)
{
	test_file("in.conf", "b = 2\n");
	CHECK_STR(read_file(test_file(
			  "main.conf", "s {\n  !include in.conf\n}\n")),
		"s {b=2;}");
	CHECK_UINT(report.count, 0);
}

TEST(an_included_file_cannot_close_the_section_of_another)
{
	test_file("in.conf", "}\nt {\n");
	CHECK_STR(read_file(test_file(
			  "main.conf", "s {\n!include in.conf\na = 1\n}\n")),
		"s {t {}a=1;}");
	CHECK_UINT(report.errors, 2);
}

TEST(an_include_without_a_match_is_an_error)
{
	CHECK_STR(read_file(test_file(
			  "main.conf", "a = 1\n!include none/*.conf\n")),
		"a=1;");
	check_reported(2, "there is no file");
}

TEST(an_include_try_without_a_match_is_none)
{
	CHECK_STR(read_file(test_file(
			  "main.conf", "!include_try none.conf\na = 1\n")),
		"a=1;");
	CHECK_UINT(report.count, 0);
}

TEST(an_include_try_passes_over_what_the_user_may_not_read)
{
	if (geteuid() == 0)
		SKIP("root may read everything");
	CHECK(chmod(test_file("secret.conf", "x = y\n"), 0) == 0);
	CHECK_STR(read_file(test_file(
			  "main.conf", "!include_try secret.conf\na = 1\n")),
		"a=1;");
	CHECK_UINT(report.count, 0);
	CHECK_STR(read_file(test_file(
			  "main.conf", "!include secret.conf\na = 1\n")),
		"a=1;");
	check_reported(1, "secret.conf");
}

TEST(a_file_that_includes_itself_is_reported)
{
	test_file("b.conf", "!include a.conf\n");
	CHECK_STR(read_file(test_file("a.conf", "!include b.conf\nc = d\n")),
		"c=d;");
	check_reported(1, "includes itself");
}

TEST(files_include_each_other_up_to_the_limit_and_no_deeper)
{
	char name[32], text[64];
	int i;

	for (i = 0; i <= CONF_INCLUDE_DEPTH_MAX; i++) {
		(void)snprintf(name, sizeof(name), "%d.conf", i);
		(void)snprintf(text, sizeof(text), "!include %d.conf\n", i + 1);
		test_file(name, text);
	}
	CHECK_STR(read_file(test_path("0.conf")), "");
	check_reported(1, "files include each other");
}

TEST(the_number_of_files_is_limited)
{
	char name[32];
	int i;

	for (i = 0; i < CONF_FILES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "d/%03d.conf", i);
		test_file(name, "");
	}
	CHECK(read_file(test_file("main.conf", "!include d/*.conf\n")) != NULL);
	check_reported(1, "files are included");
}

TEST(a_file_that_is_too_long_is_reported)
{
	static char bytes[CONF_FILE_BYTES_MAX + 1];

	memset(bytes, '\n', CONF_FILE_BYTES_MAX + 1);
	test_file_bytes("big.conf", str_of(bytes, CONF_FILE_BYTES_MAX + 1));
	CHECK(read_file(test_path("big.conf")) == NULL);
	check_reported(0, "is longer than");
	test_file_bytes("big.conf", str_of(bytes, CONF_FILE_BYTES_MAX));
	CHECK_STR(read_file(test_path("big.conf")), "");
}

TEST(the_length_of_all_files_together_is_limited)
{
	static char bytes[CONF_FILE_BYTES_MAX];
	char name[32];
	int i;

	memset(bytes, '\n', CONF_FILE_BYTES_MAX);
	for (i = 0; i < CONF_TOTAL_BYTES_MAX / CONF_FILE_BYTES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "d/%d.conf", i);
		test_file_bytes(name, str_of(bytes, CONF_FILE_BYTES_MAX));
	}
	CHECK(read_file(test_file("main.conf", "!include d/*.conf\n")) != NULL);
	check_reported(1, "together");
}

TEST(a_missing_file_is_no_error_here)
{
	struct conf_syntax *syntax;

	begin();
	CHECK_INT(conf_syntax_open(
			  arena, test_path("none.conf"), &report, &syntax),
		LOOKUP_NONE);
	CHECK_UINT(report.count, 0);
}

TEST(a_folder_is_no_file)
{
	struct conf_syntax *syntax;

	begin();
	CHECK_INT(conf_syntax_open(arena, test_folder(), &report, &syntax),
		LOOKUP_ERROR);
	check_reported(0, "cannot read");
}
