/* SPDX-License-Identifier: MIT */
#include "sieve/legacy.h"

#include <stdint.h>

#include "base/arena.h"
#include "sieve/ast.h"
#include "sieve/lex.h"
#include "sieve/parse.h"
#include "sieve/report.h"
#include "sieve/settings.h"

#include "base/banned.h"

/* A script may have many strings; those that come later are like these. */
enum { MOST_WARNINGS = 1000 };

struct legacy {
	struct reporter reporter;
	struct arena *arena;
	struct sieve_settings settings;
	size_t setflags; /* so far */
	bool sets_flags; /* setflag, addflag or removeflag stand in it */
};

static void
warn(struct legacy *legacy, struct position at, const char *text)
{
	report_warning(&legacy->reporter, at, "%s", text);
}

/* ---- how it is written ---- */

/* What stands before a token. */
static struct str
skip_space(struct str text)
{
	for (;;) {
		size_t end;

		if (text.len > 0 && ascii_is_space(text.data[0]))
			end = 1;
		else if (str_starts(text, STR("#")))
			end = str_find_char(text, '\n');
		else if (str_starts(text, STR("/*")))
			end = str_find(text, STR("*/")) + 2;
		else
			return text;
		text = str_skip(text, end);
	}
}

static bool
has_upper(struct str text)
{
	size_t i;

	for (i = 0; i < text.len; i++)
		if (text.data[i] >= 'A' && text.data[i] <= 'Z')
			return true;
	return false;
}

/* `raw`: the token as it stands in the script. */
static void
check_token(struct legacy *legacy, const struct token *token, struct str raw)
{
	switch ((int)token->kind) {
	case TOKEN_STRING:
		if (str_starts(raw, STR("\"")) && str_has_char(raw, '\\'))
			report_warning(&legacy->reporter, token->at,
				"libsieve kept the backslashes of %s; here "
				"it is %s",
				report_quote(&legacy->reporter,
					str_slice(raw, 1, raw.len - 1)),
				report_quote(&legacy->reporter, token->text));
		break;
	case TOKEN_IDENTIFIER:
	case TOKEN_TAG:
		if (has_upper(token->text))
			warn(legacy, token->at,
				"libsieve knew only small letters: it kept all "
				"mail for this word");
		break;
	case TOKEN_NUMBER:
		if (str_ends(raw, STR("G")) || str_ends(raw, STR("g")))
			warn(legacy, token->at,
				"libsieve did not know G: it kept all mail");
		else if (token->number > INT32_MAX)
			warn(legacy, token->at,
				"libsieve read numbers above 2147483647 as "
				"other, smaller ones");
		break;
	default:
		break;
	}
}

static void
check_tokens(struct legacy *legacy, struct str text)
{
	/* What cannot be read sieve_compile() tells. */
	struct sieve_report silent;
	struct reporter reporter;
	struct lexer lexer;
	struct token token;

	sieve_report_init(&silent, legacy->arena);
	reporter_init(&reporter, &silent, "", legacy->settings.max_errors);
	lexer_init(&lexer, legacy->arena, &reporter, text,
		legacy->settings.max_string);
	do {
		size_t before = lexer.at;

		lexer_next(&lexer, &token);
		check_token(legacy, &token,
			skip_space(str_slice(text, before, lexer.at)));
	} while (token.kind != TOKEN_END);
}

/* ---- what it says ---- */

static bool
is_named(const struct ast_command *node, const char *name)
{
	return str_is_nocase(node->name, name);
}

static const struct ast_argument *
find_tag(const struct ast_command *node, const char *tag)
{
	const struct ast_argument *argument = node->arguments;

	while (argument != NULL && !(argument->kind == AST_TAG &&
					   str_is_nocase(argument->tag, tag)))
		argument = argument->next;
	return argument;
}

/* The strings behind that tag; NULL: it has none. */
static const struct ast_argument *
value_of_tag(const struct ast_command *node, const char *tag)
{
	const struct ast_argument *argument = find_tag(node, tag);

	if (argument == NULL || argument->next == NULL ||
		argument->next->kind != AST_STRINGS)
		return NULL;
	return argument->next;
}

static bool
is_known_comparator(struct str name)
{
	return str_is(name, "i;octet") || str_is(name, "i;ascii-casemap") ||
	       str_is(name, "i;ascii-numeric");
}

static void
check_comparator(struct legacy *legacy, const struct ast_command *node)
{
	const struct ast_argument *value = value_of_tag(node, "comparator");

	if (value == NULL || value->count != 1)
		return;
	if (!is_known_comparator(value->strings[0].text))
		warn(legacy, value->at,
			"with a comparator that libsieve did not know the test "
			"was false, whatever the mail");
	else if (str_is(value->strings[0].text, "i;ascii-numeric") &&
		 find_tag(node, "value") != NULL)
		warn(legacy, value->at,
			"libsieve took what is no number for 0; here it is "
			"greater than every number (RFC 4790 9.1.1)");
}

/* The first strings that belong to no tag with a value. */
static const struct ast_argument *
first_positional(const struct ast_command *node)
{
	const struct ast_argument *argument = node->arguments;

	for (; argument != NULL; argument = argument->next) {
		if (argument->kind == AST_STRINGS)
			return argument;
		if (argument->kind == AST_TAG && argument->next != NULL &&
			(str_is_nocase(argument->tag, "comparator") ||
				str_is_nocase(argument->tag, "count") ||
				str_is_nocase(argument->tag, "value")))
			argument = argument->next;
	}
	return NULL;
}

static void
check_count(struct legacy *legacy, const struct ast_command *node)
{
	const struct ast_argument *names = first_positional(node);

	if (find_tag(node, "count") != NULL && names != NULL &&
		names->count > 1)
		warn(legacy, names->at,
			"libsieve counted the fields of each name alone; here "
			"they are added up (RFC 5231 4.2)");
}

/* From <> is the empty address. */
static void
check_envelope(struct legacy *legacy, const struct ast_command *node)
{
	const struct ast_argument *argument = first_positional(node);
	size_t i;

	argument = argument != NULL ? argument->next : NULL;
	for (i = 0; argument != NULL && i < argument->count; i++)
		if (argument->strings[i].text.len == 0)
			warn(legacy, argument->strings[i].at,
				"in libsieve \"\" never matched; here it is "
				"the sender of bounces, <>");
}

static void
check_hasflag(struct legacy *legacy, const struct ast_command *node)
{
	const struct ast_argument *argument = node->arguments;

	if (argument != NULL && argument->kind == AST_TAG)
		warn(legacy, argument->at,
			"libsieve crashed on hasflag with a tag, and all mail "
			"was kept");
}

static void
check_test(struct legacy *legacy, const struct ast_command *test)
{
	check_comparator(legacy, test);
	check_count(legacy, test);
	if (is_named(test, "envelope"))
		check_envelope(legacy, test);
	if (is_named(test, "hasflag"))
		check_hasflag(legacy, test);
}

/* Tests within tests are as deep as the parser allows. */
static void
check_tests(struct legacy *legacy, const struct ast_command *tests)
{
	for (; tests != NULL; tests = tests->next) {
		check_test(legacy, tests);
		check_tests(legacy, tests->tests);
	}
}

static void
check_setflag(struct legacy *legacy, const struct ast_command *node)
{
	const struct ast_argument *flags = node->arguments;

	if (++legacy->setflags > 1)
		warn(legacy, node->at,
			"libsieve crashed on the second setflag of a run, or "
			"set what it liked");
	if (flags != NULL && flags->kind == AST_STRINGS && flags->count > 1)
		warn(legacy, flags->at,
			"libsieve set only the first of these flags");
}

static void
check_require(struct legacy *legacy, const struct ast_command *node)
{
	static const char *const known[] = {"envelope", "fileinto",
		"imap4flags", "notify", "regex", "reject", "relational",
		"subaddress", "vacation", "comparator-i;octet",
		"comparator-i;ascii-casemap", "comparator-i;ascii-numeric"};
	const struct ast_argument *names = node->arguments;
	size_t i, j;

	for (i = 0; names != NULL && i < names->count; i++) {
		for (j = 0; j < ARRAY_LENGTH(known); j++)
			if (str_is(names->strings[i].text, known[j]))
				break;
		if (j == ARRAY_LENGTH(known))
			report_warning(&legacy->reporter, names->strings[i].at,
				"libsieve had no %s: it kept all mail",
				report_quote(&legacy->reporter,
					names->strings[i].text));
	}
}

/* In one block both are executed. */
static void
check_conflicts(struct legacy *legacy, const struct ast_command *first)
{
	const struct ast_command *reject = NULL, *node;
	bool delivers = false;

	for (node = first; node != NULL; node = node->next) {
		if (is_named(node, "reject"))
			reject = node;
		delivers |= is_named(node, "keep") ||
		            is_named(node, "fileinto") ||
		            is_named(node, "redirect");
	}
	if (reject != NULL && delivers)
		warn(legacy, reject->at,
			"libsieve let a message be rejected and delivered; by "
			"RFC 5429 2.1 that is an error, and it is kept");
}

static void
check_command(struct legacy *legacy, const struct ast_command *node)
{
	legacy->sets_flags |=
		is_named(node, "setflag") || is_named(node, "addflag");
	if (is_named(node, "setflag"))
		check_setflag(legacy, node);
	if (is_named(node, "require"))
		check_require(legacy, node);
}

/* Blocks within blocks are as deep as the parser allows. */
static void
check_block(struct legacy *legacy, const struct ast_command *first)
{
	const struct ast_command *node;

	check_conflicts(legacy, first);
	for (node = first; node != NULL; node = node->next) {
		check_command(legacy, node);
		check_tests(legacy, node->tests);
		check_block(legacy, node->block);
	}
}

static void
check_tree(struct legacy *legacy, struct str text)
{
	struct sieve_report silent;
	struct reporter reporter;
	struct ast_command *first;

	sieve_report_init(&silent, legacy->arena);
	reporter_init(&reporter, &silent, "", legacy->settings.max_errors);
	first = parse_script(legacy->arena, legacy->arena, &legacy->settings,
		&reporter, text)
	                .first;
	check_block(legacy, first);
	if (legacy->sets_flags)
		warn(legacy, first->at,
			"libsieve gave flags to keep and fileinto only; here "
			"the implicit keep has them, too");
}

void
sieve_check_legacy(const struct sieve_settings *settings, const char *script,
	struct str text, struct sieve_report *report)
{
	struct legacy legacy = {.settings = settings_filled(settings)};

	legacy.arena = arena_open();
	reporter_init(&legacy.reporter, report, script, MOST_WARNINGS);
	if (text.len <= legacy.settings.max_script_size) {
		check_tokens(&legacy, text);
		check_tree(&legacy, text);
	}
	reporter_sort(&legacy.reporter);
	arena_close(&legacy.arena);
}
