/* SPDX-License-Identifier: MIT */
#include "base/ere.h"

#include <regex.h>
#include <stdlib.h>

#include "base/attributes.h"
#include "base/buf.h"
#include "base/regex.h"
#include "tests/lib/test.h"

#include "base/banned.h"

enum { STEPS = 100 * 1000, SPANS = 10 };

static struct err err;

static void
check_translation(const char *pattern, unsigned options, const char *expected)
{
	struct arena *arena = arena_open();
	struct str translated;

	if (ere_translate(
		    arena, str_from(pattern), options, &translated, &err) < 0)
		CHECK_STR(err.text, "no error");
	else
		CHECK_STR_IS(translated, expected);
	arena_close(&arena);
}

static void
check_error(const char *pattern, const char *expected)
{
	struct arena *arena = arena_open();
	struct str translated;

	if (ere_translate(arena, str_from(pattern), 0, &translated, &err) == 0)
		CHECK_STR_IS(translated, expected);
	else
		CHECK_STR(err.text, expected);
	arena_close(&arena);
}

static enum regex_result
match(const char *pattern, struct str subject, struct regex_span *spans,
	size_t *count)
{
	struct arena *arena = arena_open();
	struct regex_pattern *regex;
	enum regex_result result;
	struct str translated;

	REQUIRE(ere_translate(arena, str_from(pattern), 0, &translated, &err) ==
		0);
	REQUIRE(regex_pattern_in(arena, translated, REGEX_CODE_POINTS, NULL,
			&regex, &err) == 0);
	result = regex_pattern_match(regex, regex_matcher_in(arena, NULL),
		STEPS, subject, spans, SPANS, count);
	arena_close(&arena);
	return result;
}

static bool
matches(const char *pattern, const char *subject)
{
	struct regex_span spans[SPANS];
	size_t count;

	return match(pattern, str_from(subject), spans, &count) == REGEX_MATCH;
}

TEST(characters_stand_for_themselves)
{
	check_translation("", 0, "");
	check_translation("aZ9", 0, "aZ9");
	check_translation("a b#c-", 0, "a\\ b\\#c\\-");
	check_translation("]}", 0, "\\]\\}");
	check_translation("\u00e9\t", 0, "\\x{e9}\\x{9}");
	check_translation("\\.\\*\\\\\\/\\\u00e9", 0, "\\.\\*\\\\\\/\\x{e9}");
}

TEST(operators_keep_their_meaning)
{
	check_translation("^(a|.)*b+c?$", 0, "^(a|.)*b+c?\\z");
	check_translation("a{2}b{2,}c{2,3}d{,3}", 0, "a{2}b{2,}c{2,3}d{0,3}");
	check_translation("(a)(b)\\2\\1*", 0, "(a)(b)\\g{2}\\g{1}*");
	check_translation("()|(|a)", 0, "()|(|a)");
}

TEST(brackets_become_sets)
{
	check_translation("[abc]", 0, "[a-c]");
	check_translation("[]a-]", 0, "[\\-\\]a]");
	check_translation("[^]a]", 0, "[^\\]a]");
	check_translation("[a\\]", 0, "[\\\\a]");
	check_translation("[\\d]", 0, "[\\\\d]");
	check_translation("[[:digit:]x]", 0, "[0-9x]");
	check_translation("[^[:space:]]", 0, "[^\\x{9}-\\x{d}\\ ]");
	check_translation("[[.-.]a]", 0, "[\\-a]");
	check_translation("[[.-.]-/]", 0, "[\\--\\/]");
	check_translation("[+--]", 0, "[\\+-\\-]");
	check_translation("[\u00e0-\u00e9z-\u00ff]", 0,
		"[z-\\x{7f}\\x{e0}-\\x{e9}\\x{80}-\\x{ff}]");
	check_translation("[*+?(){}.^$|]", 0, "[\\$\\(-\\+\\.\\?\\^\\{-\\}]");
}

TEST(a_folded_pattern_means_both_cases)
{
	check_translation("aB\u00c9", ERE_NOCASE, "ab\\x{c9}");
	check_translation("[A-C]", ERE_NOCASE, "[A-Ca-c]");
	check_translation("[[:upper:]]", ERE_NOCASE, "[A-Za-z]");
	check_translation("\\W", ERE_NOCASE, "[^0-9A-Z_a-z]");
}

TEST(errors_say_where_and_what)
{
#define AT "regular expression: character "
	check_error("a**",
		AT "3: \"*\" stands behind another repetition, which "
		   "POSIX does not know (neither *? nor ++): put that "
		   "into parentheses");
	check_error("(?i)a",
		AT "2: \"(?\" is Perl's: POSIX has groups only, and "
		   "\\? for the character");
	check_error("(*UTF)a",
		AT "2: \"*\" has nothing to repeat: write \\* for the "
		   "character");
	check_error("+", AT "1: \"+\" has nothing to repeat: write \\+ for the "
			    "character");
	check_error("a|?",
		AT "3: \"?\" has nothing to repeat: write \\? for the "
		   "character");
	check_error("^*",
		AT "2: \"*\" cannot repeat a place: write \\* for the "
		   "character");
	check_error("\u00e9\\d", AT "2: \\d has no meaning in an extended "
				    "regular expression: write [0-9]");
	check_error("\\D", AT "1: \\D has no meaning in an extended regular "
			      "expression: write [^0-9]");
	check_error("\\Qa\\E",
		AT "1: \\Q has no meaning in an extended regular "
		   "expression");
	check_error("a\\", AT "2: nothing stands behind the last \\");
	check_error("\\1(a)", AT "1: \\1 stands for a group that is not closed "
				 "before it");
	check_error("(a\\1)", AT "3: \\1 stands for a group that is not closed "
				 "before it");
	check_error("\\0", AT "1: there is no \\0: groups are \\1 to \\9");
	check_error("(a", AT "1: \"(\" is not closed by \")\"");
	check_error("a)", AT "2: \")\" closes nothing: write \\) for the "
			     "character");
	check_error("[a", AT "1: \"[\" is not closed by \"]\"");
	check_error("[]", AT "1: \"[\" is not closed by \"]\"");
	check_error("[[:alpha]", AT "2: \"[:\" is not closed by \":]\"");
	check_error("[[:foo:]]",
		AT "2: there is no class [:foo:]: there are alnum, alpha, "
		   "blank, cntrl, digit, graph, lower, print, punct, space, "
		   "upper and xdigit");
	check_error("[[=a=]]", AT "2: equivalence classes are not supported: "
				  "name the characters");
	check_error("[[.hyphen.]]", AT "2: \"[.\" and \".]\" may hold one "
				       "character only");
	check_error("[z-a]",
		AT "2: the end of the range stands in front of its "
		   "beginning");
	check_error("[a-c-e]", AT "5: a range cannot begin where another ends");
	check_error(
		"[[:digit:]-z]", AT "11: a class cannot be the end of a range");
	check_error(
		"[a-[:digit:]]", AT "4: a class cannot be the end of a range");
	check_error("a{", AT "2: \"{\" begins no interval such as {2,5}: write "
			     "\\{ for the character");
	check_error("a{,}",
		AT "2: \"{\" begins no interval such as {2,5}: write "
		   "\\{ for the character");
	check_error("a{x}",
		AT "2: \"{\" begins no interval such as {2,5}: write "
		   "\\{ for the character");
	check_error("a{3,2}", AT "2: the interval ends before it begins");
	check_error("a{99999999999}", AT "2: \"{\" begins no interval such as "
					 "{2,5}: write \\{ for the character");
	check_error("a{32768}", AT "2: an interval goes to 32767 at most");
	check_error("{2}",
		AT "1: \"{\" has nothing to repeat: write \\{ for the "
		   "character");
	check_error("a{2}{3}",
		AT "5: \"{\" stands behind another repetition, which POSIX "
		   "does not know (neither *? nor ++): put that into "
		   "parentheses");
	check_error("\xff", "regular expression: not UTF-8");
#undef AT
}

TEST(limits_are_held)
{
	struct arena *arena = arena_open();
	char text[ERE_BYTES_MOST + 2];
	struct str translated;

	memset(text, 'a', sizeof(text));
	CHECK_INT(ere_translate(arena, str_of(text, ERE_BYTES_MOST), 0,
			  &translated, &err),
		0);
	CHECK_INT(ere_translate(arena, str_of(text, ERE_BYTES_MOST + 1), 0,
			  &translated, &err),
		-1);
	CHECK_STR(err.text, "regular expression: longer than 1000 bytes");
	memset(text, '(', ERE_DEPTH_MOST + 1);
	CHECK_INT(ere_translate(arena, str_of(text, ERE_DEPTH_MOST + 1), 0,
			  &translated, &err),
		-1);
	CHECK_STR(err.text, "regular expression: character 51: parentheses are "
			    "nested deeper than 50");
	arena_close(&arena);
}

TEST(what_gnu_adds_works)
{
	CHECK(matches("^\\w+\\W\\w+$", "ab_9 c"));
	CHECK(!matches("^\\w$", "\u00e9"));
	CHECK(matches("^\\s\\S$", "\tx"));
	CHECK(matches("\\bfoo\\b", "a foo b"));
	CHECK(!matches("\\bfoo\\b", "a food b"));
	CHECK(matches("\\<foo\\>", "foo"));
	CHECK(!matches("\\<oo", "foo"));
	CHECK(!matches("fo\\>", "foo"));
	CHECK(matches("fo\\Bo", "foo"));
	CHECK(matches("\\`foo\\'", "foo"));
	CHECK(matches("^(.)\\1$", "\u00e9\u00e9"));
	CHECK(!matches("^(.)\\1$", "ab"));
}

TEST(a_point_is_any_code_point)
{
	CHECK(matches("^.$", "\u00e9"));
	CHECK(matches("^.$", "\n"));
	CHECK(matches("^a.b$", "a\u20acb"));
	CHECK(matches("^[^a]$", "\n"));
	CHECK(matches("^[\u00e0-\u00ef]$", "\u00e9"));
	CHECK(!matches("^a$", "a\n"));
}

TEST(the_leftmost_and_there_the_first_way_is_taken)
{
	struct regex_span spans[SPANS];
	size_t count = 0;

	CHECK_INT(match("(a|ab)(c|bcd)?", STR("xabcd"), spans, &count),
		REGEX_MATCH);
	CHECK_UINT(spans[0].from, 1);
	CHECK_UINT(spans[0].to, 5);
	CHECK_UINT(spans[1].to, 2);
	CHECK_INT(match("b|bc", STR("abc"), spans, &count), REGEX_MATCH);
	CHECK_UINT(spans[0].to, 2); /* not the longest, "bc" */
}

TEST(a_group_without_a_part_is_empty)
{
	struct regex_span spans[SPANS];
	size_t count = 0;

	CHECK_INT(match("(x)?(a)", STR("ba"), spans, &count), REGEX_MATCH);
	CHECK_UINT(count, 3);
	CHECK_UINT(spans[1].to - spans[1].from, 0);
	CHECK_UINT(spans[2].from, 1);
}

/* Neither a hostile pattern nor one too large for PCRE2 costs much. */
TEST(hostile_patterns_end)
{
	struct arena *arena = arena_open();
	struct regex_span spans[SPANS];
	struct regex_pattern *regex;
	struct str translated;
	size_t count;

	CHECK_INT(match("^(a+)+$", STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"),
			  spans, &count),
		REGEX_OVER_STEPS);
	REQUIRE(ere_translate(arena, STR("((((a{99}){99}){99}){99}){99}"), 0,
			&translated, &err) == 0);
	CHECK_INT(regex_pattern_in(arena, translated, REGEX_CODE_POINTS, NULL,
			  &regex, &err),
		-1);
	arena_close(&arena);
}

/* ---- against the C library ---- */

static void
compare_subject(const regex_t *posix, const struct regex_pattern *regex,
	struct regex_matcher *matcher, const char *pattern, const char *subject)
{
	struct regex_span spans[SPANS];
	size_t count;
	bool expected = regexec(posix, subject, 0, NULL, 0) == 0;
	bool found =
		regex_pattern_match(regex, matcher, STEPS, str_from(subject),
			spans, SPANS, &count) == REGEX_MATCH;

	if (expected != found)
		CHECK_STR(pattern, subject);
}

/* All subjects over {a, b} of up to three letters. */
static void
compare_pattern(const char *pattern)
{
	static const char *const subjects[] = {"", "a", "b", "aa", "ab", "ba",
		"bb", "aaa", "aab", "aba", "abb", "baa", "bab", "bba", "bbb"};
	struct arena *arena = arena_open();
	struct regex_pattern *regex;
	struct regex_matcher *matcher;
	struct str translated;
	regex_t posix;
	size_t i;

	if (ere_translate(arena, str_from(pattern), 0, &translated, &err) ==
		0) {
		REQUIRE(regex_pattern_in(arena, translated, REGEX_CODE_POINTS,
				NULL, &regex, &err) == 0);
		/* What is accepted is accepted there, too. */
		if (regcomp(&posix, pattern, REG_EXTENDED | REG_NOSUB) != 0) {
			CHECK_STR(pattern, "no pattern");
		} else {
			matcher = regex_matcher_in(arena, NULL);
			for (i = 0; i < ARRAY_LENGTH(subjects); i++)
				compare_subject(&posix, regex, matcher, pattern,
					subjects[i]);
			regfree(&posix);
		}
	}
	arena_close(&arena);
}

TEST(short_patterns_match_as_in_the_c_library)
{
	static const char letters[] = "ab*?|()^$.[]-";
	enum { LETTERS = sizeof(letters) - 1, LONGEST = 4 };
	char pattern[LONGEST + 1];
	size_t len, number, all = 1, rest, i;

	for (len = 0; len <= LONGEST; len++, all *= LETTERS)
		for (number = 0; number < all; number++) {
			for (i = 0, rest = number; i < len;
				i++, rest /= LETTERS)
				pattern[i] = letters[rest % LETTERS];
			pattern[len] = '\0';
			compare_pattern(pattern);
		}
}

TEST(long_patterns_match_as_in_the_c_library)
{
	static const char *const pieces[] = {"a", "b", "a", "b", ".", "(", ")",
		"(", ")", "|", "*", "+", "?", "{2}", "{1,2}", "{,1}", "{2,}",
		"[ab]", "[^a]", "[[:alpha:]]", "^", "$"};
	unsigned state = 1;
	int round, i;

	for (round = 0; round < 20000; round++) {
		struct buf pattern;

		buf_init(&pattern, BUF_UNLIMITED);
		for (i = 0; i < 4 + round % 6; i++) {
			state = state * 1103515245 + 12345;
			buf_add_text(&pattern,
				pieces[(state >> 16) % ARRAY_LENGTH(pieces)]);
		}
		compare_pattern(buf_text(&pattern));
		buf_clear(&pattern);
	}
}

TEST(what_is_quoted_matches_itself_alone)
{
	static const char text[] = "a.b*c[d]e{f}g(h)i|j^k$l\\m+n?-\n\u00e9";
	struct arena *arena = arena_open();
	struct str quoted = ere_quote(arena, str_from(text));
	struct regex_span spans[SPANS];
	size_t count;

	CHECK_STR_IS(quoted, "a\\.b\\*c\\[d\\]e\\{f\\}g\\(h\\)i\\|j\\^k\\$l"
			     "\\\\m\\+n\\?-\n\u00e9");
	CHECK_INT(
		match(quoted.data, str_from(text), spans, &count), REGEX_MATCH);
	CHECK_UINT(spans[0].from, 0);
	CHECK_UINT(spans[0].to, sizeof(text) - 1);
	arena_close(&arena);
}
