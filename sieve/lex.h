/* lex - from text to tokens (RFC 5228 8.1)
 *
 *   require "fileinto" ;      IDENTIFIER STRING SEMICOLON
 *   size :over 1M             IDENTIFIER TAG NUMBER
 *   text: ... CRLF . CRLF     STRING
 *
 * Line ends may be CR LF or LF; inside strings both become CR LF, so that a
 * script means the same however it was stored.  Strings come out decoded: a
 * part of the script where nothing had to change, else in the arena.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_LEX_H
#define SIEVE_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "sieve/report.h"

enum token_kind { /* ORDER TOKENS */
	TOKEN_END,
	TOKEN_BROKEN, /* has been reported */
	TOKEN_IDENTIFIER,
	TOKEN_TAG, /* text is without the colon */
	TOKEN_NUMBER,
	TOKEN_STRING,
	TOKEN_LEFT_BRACKET,
	TOKEN_RIGHT_BRACKET,
	TOKEN_LEFT_PAREN,
	TOKEN_RIGHT_PAREN,
	TOKEN_LEFT_BRACE,
	TOKEN_RIGHT_BRACE,
	TOKEN_COMMA,
	TOKEN_SEMICOLON
};

/* Of names and tags; longer ones are errors. */
enum { LONGEST_IDENTIFIER = 32 };

struct token {
	enum token_kind kind;
	struct position at;
	struct str text;
	uint64_t number;
};

struct lexer {
	struct arena *arena;
	struct reporter *reporter;
	struct str script;
	size_t at;
	unsigned line;
	/* Where the line would begin if every character in it were one byte. */
	size_t line_start;
	size_t max_string;
	bool is_cut; /* something was not closed: the end is no real end */
};

/* `script` has to live as long as the arena's contents are used. */
void lexer_init(struct lexer *lexer, struct arena *arena,
	struct reporter *reporter, struct str script, size_t max_string);
void lexer_next(struct lexer *lexer, struct token *token_out);

/* Where the next token is looked for. */
static inline struct position
lexer_position(const struct lexer *lexer)
{
	return (struct position){
		lexer->line, (unsigned)(lexer->at - lexer->line_start) + 1};
}

/* "a string", "\";\"" ...: for messages. */
const char *token_name(enum token_kind kind);

#endif
