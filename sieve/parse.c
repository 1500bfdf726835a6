/* SPDX-License-Identifier: MIT */
#include "sieve/parse.h"

#include "sieve/lex.h"

#include "base/banned.h"

enum { MOST_ARGUMENTS = 32 }; /* of a command, tags included */

struct parser {
	struct arena *tree;
	struct reporter *reporter;
	struct lexer lexer;
	struct token token;  /* the next one */
	struct position end; /* of the token before it */
	size_t max_nesting;
	size_t blocks; /* open now */
	size_t tests;  /* open now */
	struct parsed parsed;
};

static bool parse_tests(struct parser *parser, struct ast_command *node);

static void
next(struct parser *parser)
{
	parser->end = lexer_position(&parser->lexer);
	lexer_next(&parser->lexer, &parser->token);
}

static bool
next_is(const struct parser *parser, enum token_kind kind)
{
	return parser->token.kind == kind;
}

/* What stands there, for "... expected, but ..." */
static const char *
found(struct parser *parser)
{
	const struct token *token = &parser->token;

	if (token->kind == TOKEN_IDENTIFIER || token->kind == TOKEN_STRING)
		return report_quote(parser->reporter, token->text);
	return token_name(token->kind);
}

/* A broken token has been reported already. */
static bool
fail_expected(struct parser *parser, const char *expected)
{
	if (!next_is(parser, TOKEN_BROKEN))
		report_error(parser->reporter, parser->token.at,
			"%s expected, but %s stands here", expected,
			found(parser));
	return false;
}

/* ---- arguments ---- */

static struct ast_argument *
argument_new(struct parser *parser, enum ast_kind kind)
{
	struct ast_argument *argument =
		ARENA_NEW(parser->tree, struct ast_argument);

	argument->kind = kind;
	argument->at = parser->token.at;
	argument->number = parser->token.number;
	argument->tag = parser->token.text;
	return argument;
}

static void
add_string(struct parser *parser, struct ast_argument *argument, size_t *size)
{
	if (*size == 0) {
		*size = argument->is_list ? 4 : 1;
		argument->strings =
			ARENA_ARRAY(parser->tree, struct ast_string, *size);
	} else if (argument->count == *size) {
		size_t bigger = *size * 2;

		argument->strings = arena_grow(parser->tree, argument->strings,
			sizeof(*argument->strings), argument->count, bigger);
		*size = bigger;
	}
	argument->strings[argument->count++] =
		(struct ast_string){parser->token.text, parser->token.at};
	next(parser);
}

static bool
parse_string_list(struct parser *parser, struct ast_argument *argument)
{
	size_t size = 0;

	argument->is_list = true;
	next(parser);
	for (;;) {
		if (!next_is(parser, TOKEN_STRING))
			return fail_expected(parser, "a string");
		add_string(parser, argument, &size);
		if (next_is(parser, TOKEN_RIGHT_BRACKET))
			break;
		if (!next_is(parser, TOKEN_COMMA))
			return fail_expected(parser, "\",\" or \"]\"");
		next(parser);
	}
	next(parser);
	return true;
}

/* NULL with *is_end_out set: what stands here is no argument. */
static struct ast_argument *
parse_argument(struct parser *parser, bool *is_end_out)
{
	struct ast_argument *argument = NULL;
	size_t size = 0;

	*is_end_out = false;
	if (next_is(parser, TOKEN_STRING)) {
		argument = argument_new(parser, AST_STRINGS);
		add_string(parser, argument, &size);
	} else if (next_is(parser, TOKEN_LEFT_BRACKET)) {
		argument = argument_new(parser, AST_STRINGS);
		if (!parse_string_list(parser, argument))
			return NULL;
	} else if (next_is(parser, TOKEN_NUMBER)) {
		argument = argument_new(parser, AST_NUMBER);
		next(parser);
	} else if (next_is(parser, TOKEN_TAG)) {
		argument = argument_new(parser, AST_TAG);
		next(parser);
	} else {
		*is_end_out = true;
	}
	return argument;
}

static bool
parse_arguments(struct parser *parser, struct ast_command *node)
{
	struct ast_argument **end = &node->arguments;
	size_t count = 0;

	for (;; count++) {
		bool is_end;
		struct position at = parser->token.at;
		struct ast_argument *argument = parse_argument(parser, &is_end);

		if (argument == NULL)
			return is_end;
		if (count == MOST_ARGUMENTS) {
			report_error(parser->reporter, at,
				"there are more than %d arguments",
				MOST_ARGUMENTS);
			return false;
		}
		*end = argument;
		end = &argument->next;
	}
}

/* ---- tests ---- */

static struct ast_command *
node_new(struct parser *parser)
{
	struct ast_command *node = ARENA_NEW(parser->tree, struct ast_command);

	node->name = parser->token.text;
	node->at = parser->token.at;
	parser->parsed.count++;
	next(parser);
	return node;
}

/* A test and its arguments; NULL after an error. */
static struct ast_command *
parse_test(struct parser *parser)
{
	struct ast_command *node;

	if (!next_is(parser, TOKEN_IDENTIFIER)) {
		fail_expected(parser, "a test");
		return NULL;
	}
	node = node_new(parser);
	if (!parse_arguments(parser, node) || !parse_tests(parser, node))
		return NULL;
	return node;
}

/* Goes to the ")" that ends the broken list; false when the list is not closed
 * before the command ends. */
static bool
recover_list(struct parser *parser)
{
	size_t depth = 0;

	for (;;) {
		switch (parser->token.kind) {
		case TOKEN_LEFT_PAREN:
			depth++;
			break;
		case TOKEN_RIGHT_PAREN:
			if (depth == 0)
				return true;
			depth--;
			break;
		case TOKEN_SEMICOLON:
		case TOKEN_LEFT_BRACE:
		case TOKEN_RIGHT_BRACE:
		case TOKEN_END:
			return false;
		case TOKEN_BROKEN:
		case TOKEN_IDENTIFIER:
		case TOKEN_TAG:
		case TOKEN_NUMBER:
		case TOKEN_STRING:
		case TOKEN_COMMA:
		case TOKEN_LEFT_BRACKET:
		case TOKEN_RIGHT_BRACKET:
			break;
		}
		next(parser);
	}
}

static bool
parse_list_items(struct parser *parser, struct ast_command *node)
{
	struct ast_command **end = &node->tests;

	do {
		next(parser);
		*end = parse_test(parser);
		if (*end == NULL)
			return false;
		end = &(*end)->next;
	} while (next_is(parser, TOKEN_COMMA));
	return next_is(parser, TOKEN_RIGHT_PAREN) ||
	       fail_expected(parser, "\",\" or \")\"");
}

/* What follows a broken list is looked at as well. */
static bool
parse_test_list(struct parser *parser, struct ast_command *node)
{
	node->has_test_list = true;
	if (!parse_list_items(parser, node) && !recover_list(parser))
		return false;
	next(parser);
	return true;
}

/* The test or the test list that ends a command's arguments, if there is one. */
static bool
parse_tests(struct parser *parser, struct ast_command *node)
{
	bool is_good;

	if (!next_is(parser, TOKEN_IDENTIFIER) &&
		!next_is(parser, TOKEN_LEFT_PAREN))
		return true;
	if (parser->tests == parser->max_nesting) {
		report_error(parser->reporter, parser->token.at,
			"tests are nested deeper than %zu (sieve_max_nesting)",
			parser->max_nesting);
		return false;
	}
	parser->tests++;
	if (next_is(parser, TOKEN_LEFT_PAREN)) {
		is_good = parse_test_list(parser, node);
	} else {
		node->tests = parse_test(parser);
		is_good = node->tests != NULL;
	}
	parser->tests--;
	return is_good;
}

/* ---- commands ---- */

/* Goes behind the ";" or the block that ends the broken command.  A "}" that
 * closes the surrounding block stays. */
static void
recover(struct parser *parser)
{
	size_t depth = 0;

	while (!next_is(parser, TOKEN_END)) {
		if (next_is(parser, TOKEN_SEMICOLON) && depth == 0) {
			next(parser);
			return;
		}
		if (next_is(parser, TOKEN_LEFT_BRACE))
			depth++;
		if (next_is(parser, TOKEN_RIGHT_BRACE)) {
			if (depth == 0)
				return;
			if (--depth == 0) {
				next(parser);
				return;
			}
		}
		next(parser);
	}
}

static struct ast_command *parse_commands(
	struct parser *parser, struct position opened);

static bool
parse_block(struct parser *parser, struct ast_command *node)
{
	struct position opened = parser->token.at;

	if (parser->blocks == parser->max_nesting) {
		report_error(parser->reporter, opened,
			"blocks are nested deeper than %zu (sieve_max_nesting)",
			parser->max_nesting);
		return false;
	}
	next(parser);
	parser->blocks++;
	node->has_block = true;
	node->block = parse_commands(parser, opened);
	parser->blocks--;
	if (next_is(parser, TOKEN_RIGHT_BRACE))
		next(parser);
	return true;
}

static bool
parse_command_end(struct parser *parser, struct ast_command *node)
{
	if (next_is(parser, TOKEN_LEFT_BRACE))
		return parse_block(parser, node);
	if (next_is(parser, TOKEN_SEMICOLON)) {
		next(parser);
		return true;
	}
	/* The place to put it is behind the last word, not before the next. */
	if (!next_is(parser, TOKEN_BROKEN))
		report_error(parser->reporter, parser->end,
			"\";\" is missing here, before %s", found(parser));
	return false;
}

/* NULL after an error; the parser then stands behind the broken command. */
static struct ast_command *
parse_command(struct parser *parser)
{
	struct ast_command *node;

	if (!next_is(parser, TOKEN_IDENTIFIER)) {
		fail_expected(parser, "a command");
		recover(parser);
		return NULL;
	}
	node = node_new(parser);
	if (parse_arguments(parser, node) && parse_tests(parser, node) &&
		parse_command_end(parser, node))
		return node;
	if (str_is_nocase(node->name, "require"))
		parser->parsed.lost_require = true;
	recover(parser);
	return NULL;
}

/* The commands of a block or, with line 0, of the whole script. */
static struct ast_command *
parse_commands(struct parser *parser, struct position opened)
{
	struct ast_command *first = NULL, *last = NULL;
	bool is_script = opened.line == 0, follows_error = false;

	while (!next_is(parser, TOKEN_END) &&
		!parser->reporter->report->is_full) {
		struct ast_command *node;

		if (next_is(parser, TOKEN_RIGHT_BRACE)) {
			if (!is_script)
				return first;
			report_error(parser->reporter, parser->token.at,
				"\"}\" stands here without a \"{\"");
			next(parser);
			continue;
		}
		node = parse_command(parser);
		if (node == NULL) {
			follows_error = true;
			continue;
		}
		node->follows_error = follows_error;
		follows_error = false;
		node->previous = last;
		if (last != NULL)
			last->next = node;
		else
			first = node;
		last = node;
	}
	if (!is_script && !parser->lexer.is_cut)
		report_error(parser->reporter, opened,
			"the block that begins here is not closed: no \"}\" "
			"follows");
	return first;
}

struct parsed
parse_script(struct arena *tree, struct arena *kept,
	const struct sieve_settings *settings, struct reporter *reporter,
	struct str script)
{
	struct parser parser = {
		.tree = tree,
		.reporter = reporter,
		.max_nesting = settings->max_nesting,
	};

	lexer_init(&parser.lexer, kept, reporter, script, settings->max_string);
	next(&parser);
	parser.parsed.first = parse_commands(&parser, (struct position){0, 0});
	return parser.parsed;
}
