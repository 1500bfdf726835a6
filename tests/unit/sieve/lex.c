/* SPDX-License-Identifier: MIT */
#include "sieve/lex.h"

#include "base/arena.h"
#include "tests/lib/test.h"

#include "base/banned.h"

struct lexing {
	struct arena *arena;
	struct sieve_report report;
	struct reporter reporter;
	struct lexer lexer;
	struct token token;
};

static struct lexing *
lex(struct str script)
{
	struct arena *arena = arena_open();
	struct lexing *lexing = ARENA_NEW(arena, struct lexing);

	lexing->arena = arena;
	sieve_report_init(&lexing->report, arena);
	reporter_init(&lexing->reporter, &lexing->report, "script", 10);
	lexer_init(&lexing->lexer, arena, &lexing->reporter, script, 1000);
	return lexing;
}

static void
end(struct lexing *lexing)
{
	struct arena *arena = lexing->arena;

	arena_close(&arena);
}

static enum token_kind
next(struct lexing *lexing)
{
	lexer_next(&lexing->lexer, &lexing->token);
	return lexing->token.kind;
}

TEST(every_token_has_its_kind)
{
	struct lexing *lexing = lex(STR("name:tag 12K\"s\"[](){},;"));

	CHECK_INT(next(lexing), TOKEN_IDENTIFIER);
	CHECK_STR_IS(lexing->token.text, "name");
	CHECK_INT(next(lexing), TOKEN_TAG);
	CHECK_STR_IS(lexing->token.text, "tag");
	CHECK_INT(next(lexing), TOKEN_NUMBER);
	CHECK_UINT(lexing->token.number, 12 * 1024);
	CHECK_INT(next(lexing), TOKEN_STRING);
	CHECK_STR_IS(lexing->token.text, "s");
	CHECK_INT(next(lexing), TOKEN_LEFT_BRACKET);
	CHECK_INT(next(lexing), TOKEN_RIGHT_BRACKET);
	CHECK_INT(next(lexing), TOKEN_LEFT_PAREN);
	CHECK_INT(next(lexing), TOKEN_RIGHT_PAREN);
	CHECK_INT(next(lexing), TOKEN_LEFT_BRACE);
	CHECK_INT(next(lexing), TOKEN_RIGHT_BRACE);
	CHECK_INT(next(lexing), TOKEN_COMMA);
	CHECK_INT(next(lexing), TOKEN_SEMICOLON);
	CHECK_INT(next(lexing), TOKEN_END);
	CHECK_INT(next(lexing), TOKEN_END);
	end(lexing);
}

TEST(columns_count_code_points_and_lines_begin_anew)
{
	struct lexing *lexing =
		lex(STR("\"\xc3\xa4\xe2\x82\xac\" a /* \n */ b\r\n\tc"));

	CHECK_INT(next(lexing), TOKEN_STRING);
	CHECK_INT(next(lexing), TOKEN_IDENTIFIER);
	CHECK_UINT(lexing->token.at.line, 1);
	CHECK_UINT(lexing->token.at.column, 6);
	CHECK_INT(next(lexing), TOKEN_IDENTIFIER);
	CHECK_UINT(lexing->token.at.line, 2);
	CHECK_UINT(lexing->token.at.column, 5);
	CHECK_INT(next(lexing), TOKEN_IDENTIFIER);
	CHECK_UINT(lexing->token.at.line, 3);
	CHECK_UINT(lexing->token.at.column, 2);
	end(lexing);
}

/* A plain string is a part of the script: no copy is made. */
TEST(a_string_without_escapes_is_not_copied)
{
	struct str script = STR("\"plain\" \"q\\\"\"");
	struct lexing *lexing = lex(script);

	CHECK_INT(next(lexing), TOKEN_STRING);
	CHECK(lexing->token.text.data == script.data + 1);
	CHECK_INT(next(lexing), TOKEN_STRING);
	CHECK_STR_IS(lexing->token.text, "q\"");
	end(lexing);
}

TEST(what_is_not_closed_ends_the_script_with_one_error)
{
	static const char *const scripts[] = {"a \"b", "a /* b", "a text:\nb",
		"a \"b\\", "a text:\n.", "a text:\nb\n..\n"};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(scripts); i++) {
		struct lexing *lexing = lex(str_from(scripts[i]));

		CHECK_INT(next(lexing), TOKEN_IDENTIFIER);
		/* A final dot may stand at the end of the file. */
		if (i == 4) {
			CHECK_INT(next(lexing), TOKEN_STRING);
			end(lexing);
			continue;
		}
		CHECK_INT(next(lexing), TOKEN_BROKEN);
		CHECK_INT(next(lexing), TOKEN_END);
		CHECK_UINT(lexing->report.errors, 1);
		CHECK_UINT(lexing->report.problems[0].column, 3);
		CHECK(lexing->lexer.is_cut);
		end(lexing);
	}
}

TEST(wrong_bytes_in_a_row_are_one_error)
{
	struct lexing *lexing = lex(STR("\xff\xfe\xfd a"));

	CHECK_INT(next(lexing), TOKEN_BROKEN);
	CHECK_INT(next(lexing), TOKEN_IDENTIFIER);
	CHECK_UINT(lexing->report.errors, 1);
	end(lexing);
}
