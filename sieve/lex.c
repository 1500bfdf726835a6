/* SPDX-License-Identifier: MIT */
#include "sieve/lex.h"

#include "base/number.h"

#include "base/banned.h"

static const char *const names[] = {
	/* ORDER TOKENS */
	"the end of the script",
	"something unreadable",
	"a name",
	"a tag",
	"a number",
	"a string",
	"\"[\"",
	"\"]\"",
	"\"(\"",
	"\")\"",
	"\"{\"",
	"\"}\"",
	"\",\"",
	"\";\"",
};

const char *
token_name(enum token_kind kind)
{
	return names[kind];
}

void
lexer_init(struct lexer *lexer, struct arena *arena, struct reporter *reporter,
	struct str script, size_t max_string)
{
	*lexer = (struct lexer){
		.arena = arena,
		.reporter = reporter,
		.script = script,
		.line = 1,
		.max_string = max_string,
	};
	/* Editors on some systems put a byte order mark in front. */
	if (str_starts(script, STR("\xef\xbb\xbf")))
		lexer->at = lexer->line_start = 3;
}

/* The byte `ahead` of the next one; NUL behind the end, where it cannot be
 * mistaken: NUL is an error in a script. */
static char
peek(const struct lexer *lexer, size_t ahead)
{
	size_t at = lexer->at + ahead;

	return at < lexer->script.len ? lexer->script.data[at] : '\0';
}

static bool
at_end(const struct lexer *lexer)
{
	return lexer->at >= lexer->script.len;
}

/* Goes on to `to` and keeps line and column.  Bytes 10xxxxxx belong to the code
 * point before them. */
static void
move_to(struct lexer *lexer, size_t to)
{
	for (; lexer->at < to; lexer->at++) {
		unsigned char c = (unsigned char)lexer->script.data[lexer->at];

		if (c == '\n') {
			lexer->line++;
			lexer->line_start = lexer->at + 1;
		} else if ((c & 0xc0) == 0x80) {
			lexer->line_start++;
		}
	}
}

static void
move_by(struct lexer *lexer, size_t count)
{
	move_to(lexer, lexer->at + count);
}

static struct str
rest_of(const struct lexer *lexer)
{
	return str_skip(lexer->script, lexer->at);
}

/* What each ASCII character may be part of; the others stand for themselves. */
enum {
	SIMPLE = 1, /* a string that is written as it is */
	LATER = 2,  /* a name, but not its beginning */
	FIRST = 4,  /* a name's beginning */
	BLANK = 8,
	/* Short, for the table. */
	SI = SIMPLE,
	DI = SIMPLE | LATER,
	NA = SIMPLE | LATER | FIRST,
	BL = BLANK,
	SP = SIMPLE | BLANK
};

static const unsigned char uses[256] = {
	/* clang-format off */
	0,  0,  0,  0,  0,  0,  0,  0,  0,  BL, BL, 0,  0,  BL, 0,  0,
	0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,
	/*  !   "   #   $   %   &   '   (   )   *   +   ,   -   .   / */
	SP, SI, 0,  SI, SI, SI, SI, SI, SI, SI, SI, SI, SI, SI, SI, SI,
	/* 0 to 9                               :   ;   <   =   >   ? */
	DI, DI, DI, DI, DI, DI, DI, DI, DI, DI, SI, SI, SI, SI, SI, SI,
	/* @ and A to O */
	SI, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA,
	/* P to Z                                   [   \   ]   ^   _ */
	NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, SI, 0,  SI, SI, NA,
	/* ` and a to o */
	SI, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA,
	/* p to z                                   {   |   }   ~ */
	NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, SI, SI, SI, SI, 0,
	/* clang-format on */
};

static bool
may_be(char c, unsigned use)
{
	return (uses[(unsigned char)c] & use) != 0;
}

/* How many bytes from `at` on are of that use. */
static size_t
count_run(const struct lexer *lexer, size_t at, unsigned use)
{
	const char *first = lexer->script.data + at;
	const char *end = lexer->script.data + lexer->script.len;
	const char *c = first;

	while (c < end && may_be(*c, use))
		c++;
	return (size_t)(c - first);
}

/* ---- white space and comments (RFC 5228 2.2, 2.3) ---- */

static void
skip_hash_comment(struct lexer *lexer)
{
	move_by(lexer, str_find_char(rest_of(lexer), '\n'));
}

static bool
skip_bracket_comment(struct lexer *lexer)
{
	struct position start = lexer_position(lexer);
	struct str inside;
	size_t end;

	move_by(lexer, 2);
	inside = rest_of(lexer);
	end = str_find(inside, STR("*/"));
	if (end == inside.len) {
		report_error(lexer->reporter, start,
			"the comment that begins here is not closed: no \"*/\" "
			"follows");
		move_by(lexer, inside.len);
		lexer->is_cut = true;
		return false;
	}
	move_by(lexer, end + 2);
	return true;
}

static void
skip_blanks(struct lexer *lexer)
{
	const char *data = lexer->script.data;
	size_t at = lexer->at;

	for (; at < lexer->script.len && may_be(data[at], BLANK); at++)
		if (data[at] == '\n') {
			lexer->line++;
			lexer->line_start = at + 1;
		}
	lexer->at = at;
}

/* False when a comment is not closed. */
static NOINLINE bool
skip_comment(struct lexer *lexer)
{
	if (peek(lexer, 0) != '#')
		return skip_bracket_comment(lexer);
	skip_hash_comment(lexer);
	return true;
}

static bool
skip_space(struct lexer *lexer)
{
	for (;;) {
		char c = peek(lexer, 0);

		if (may_be(c, BLANK))
			skip_blanks(lexer);
		else if (c != '#' && (c != '/' || peek(lexer, 1) != '*'))
			return true;
		else if (!skip_comment(lexer))
			return false;
	}
}

/* ---- strings (RFC 5228 2.4.2) ---- */

/* The number of bytes to the closing quote, or SIZE_MAX.  *is_plain_out: the
 * bytes are the value. */
static size_t
quoted_length(struct str inside, bool *is_plain_out)
{
	size_t i;

	*is_plain_out = true;
	for (i = 0; i < inside.len && inside.data[i] != '"'; i++) {
		char c = inside.data[i];

		if (c == '\\') {
			*is_plain_out = false;
			i++;
		} else if (c == '\n' &&
			   (i == 0 || inside.data[i - 1] != '\r')) {
			*is_plain_out = false;
		}
	}
	return i < inside.len ? i : SIZE_MAX;
}

/* Adds one byte of a string's value; LF alone becomes CR LF. */
static size_t
add_value(char *value, size_t len, char c)
{
	if (c == '\n' && (len == 0 || value[len - 1] != '\r'))
		value[len++] = '\r';
	value[len++] = c;
	return len;
}

/* A backslash before any other character stands for nothing. */
static struct str
unquote(struct arena *arena, struct str quoted)
{
	char *value = arena_alloc(arena, quoted.len * 2 + 1);
	size_t i, len = 0;

	for (i = 0; i < quoted.len; i++) {
		if (quoted.data[i] == '\\' && i + 1 < quoted.len)
			i++;
		len = add_value(value, len, quoted.data[i]);
	}
	return str_of(value, len);
}

static bool
check_string(struct lexer *lexer, struct position at, struct str value)
{
	if (value.len > lexer->max_string) {
		report_error(lexer->reporter, at,
			"string is longer than %zu bytes "
			"(sieve_max_string_size)",
			lexer->max_string);
		return false;
	}
	if (str_has_char(value, '\0')) {
		report_error(lexer->reporter, at,
			"string holds a NUL byte: write ${hex:00} with "
			"require \"encoded-character\"");
		return false;
	}
	return true;
}

static NOINLINE void
lex_difficult(struct lexer *lexer, struct token *token)
{
	struct str inside;
	bool is_plain;
	size_t len;

	move_by(lexer, 1);
	inside = rest_of(lexer);
	len = quoted_length(inside, &is_plain);
	if (len == SIZE_MAX) {
		report_error(lexer->reporter, token->at,
			"the string that begins here is not closed: no '\"' "
			"follows");
		move_by(lexer, inside.len);
		lexer->is_cut = true;
		return;
	}
	move_by(lexer, len + 1);
	token->text = str_slice(inside, 0, len);
	if (!is_plain)
		token->text = unquote(lexer->arena, token->text);
	if (check_string(lexer, token->at, token->text))
		token->kind = TOKEN_STRING;
}

/* Most strings are printable ASCII without a backslash: value and width are what
 * stands there. */
static void
lex_quoted(struct lexer *lexer, struct token *token)
{
	size_t inside = lexer->at + 1, end;
	size_t len = count_run(lexer, inside, SIMPLE);

	end = inside + len;
	if (len > lexer->max_string || end == lexer->script.len ||
		lexer->script.data[end] != '"') {
		lex_difficult(lexer, token);
		return;
	}
	token->text = str_of(lexer->script.data + inside, len);
	token->kind = TOKEN_STRING;
	lexer->at = end + 1;
}

/* What may stand between "text:" and the end of its line. */
static bool
skip_text_head(struct lexer *lexer)
{
	while (peek(lexer, 0) == ' ' || peek(lexer, 0) == '\t')
		move_by(lexer, 1);
	if (peek(lexer, 0) == '#')
		skip_hash_comment(lexer);
	if (peek(lexer, 0) == '\r' && peek(lexer, 1) == '\n')
		move_by(lexer, 1);
	if (peek(lexer, 0) != '\n') {
		report_error(lexer->reporter, lexer_position(lexer),
			"the text of \"text:\" begins on the next line");
		return false;
	}
	move_by(lexer, 1);
	return true;
}

/* Takes a line off the front, without its line end.  False at the end. */
static bool
next_line(struct str *rest, struct str *line_out)
{
	if (rest->len == 0 || !str_next_field(rest, '\n', line_out))
		return false;
	if (str_ends(*line_out, STR("\r")))
		line_out->len--;
	return true;
}

/* Bytes up to and with the line that holds only a dot; SIZE_MAX without one.
 * *lines_out counts the lines of the text. */
static size_t
text_length(struct str text, size_t *lines_out)
{
	struct str rest = text, line;

	*lines_out = 0;
	while (next_line(&rest, &line)) {
		if (str_is(line, "."))
			return rest.data != NULL ? text.len - rest.len
			                         : text.len;
		++*lines_out;
	}
	return SIZE_MAX;
}

/* RFC 5228 2.4.2: of two dots that begin a line one is taken away. */
static struct str
unstuff(struct arena *arena, struct str text, size_t lines)
{
	char *value = arena_alloc(arena, text.len + lines + 1);
	struct str rest = text, line;
	size_t len = 0;

	while (next_line(&rest, &line) && !str_is(line, ".")) {
		if (str_starts(line, STR("..")))
			line = str_skip(line, 1);
		if (line.len > 0)
			memcpy(value + len, line.data, line.len);
		len += line.len;
		value[len++] = '\r';
		value[len++] = '\n';
	}
	return str_of(value, len);
}

static NOINLINE void
lex_multi_line(struct lexer *lexer, struct token *token)
{
	struct str text;
	size_t len, lines;

	move_by(lexer, sizeof("text:") - 1);
	if (!skip_text_head(lexer))
		return;
	text = rest_of(lexer);
	len = text_length(text, &lines);
	if (len == SIZE_MAX) {
		report_error(lexer->reporter, token->at,
			"the \"text:\" that begins here is not closed: no line "
			"with only \".\" follows");
		move_by(lexer, text.len);
		lexer->is_cut = true;
		return;
	}
	move_by(lexer, len);
	token->text = unstuff(lexer->arena, str_slice(text, 0, len), lines);
	if (check_string(lexer, token->at, token->text))
		token->kind = TOKEN_STRING;
}

/* ---- the rest ---- */

static struct str
take_name(struct lexer *lexer)
{
	size_t at = lexer->at, len = count_run(lexer, at, LATER);

	lexer->at += len;
	return str_of(lexer->script.data + at, len);
}

static void
lex_word(struct lexer *lexer, struct token *token, enum token_kind kind)
{
	token->text = take_name(lexer);
	if (token->text.len > LONGEST_IDENTIFIER)
		report_error(lexer->reporter, token->at,
			"name %s is too long: %d characters are the limit",
			report_quote(lexer->reporter, token->text),
			LONGEST_IDENTIFIER);
	else
		token->kind = kind;
}

static void
lex_identifier(struct lexer *lexer, struct token *token)
{
	if (ascii_lower(peek(lexer, 0)) == 't' &&
		str_starts_nocase(rest_of(lexer), STR("text:"))) {
		lex_multi_line(lexer, token);
		return;
	}
	lex_word(lexer, token, TOKEN_IDENTIFIER);
}

static void
lex_tag(struct lexer *lexer, struct token *token)
{
	lexer->at++;
	if (!may_be(peek(lexer, 0), FIRST)) {
		report_error(lexer->reporter, token->at,
			"a name has to follow \":\" without a blank");
		return;
	}
	lex_word(lexer, token, TOKEN_TAG);
}

/* 1 for no suffix, 0 when there is no such suffix. */
static uint64_t
quantifier(struct str suffix)
{
	if (suffix.len == 0)
		return 1;
	if (str_is_nocase(suffix, "K"))
		return UINT64_C(1) << 10;
	if (str_is_nocase(suffix, "M"))
		return UINT64_C(1) << 20;
	if (str_is_nocase(suffix, "G"))
		return UINT64_C(1) << 30;
	return 0;
}

static NOINLINE void
lex_number(struct lexer *lexer, struct token *token)
{
	struct str word = take_name(lexer), digits;
	uint64_t value, factor;
	size_t count = 0;

	while (count < word.len && ascii_is_digit(word.data[count]))
		count++;
	digits = str_slice(word, 0, count);
	factor = quantifier(str_skip(word, count));
	if (factor == 0) {
		report_error(lexer->reporter, token->at,
			"%s is not a number: only K, M or G may follow the "
			"digits",
			report_quote(lexer->reporter, word));
		return;
	}
	if (number_parse(digits, &value) < 0 ||
		!number_multiply(value, factor, &token->number)) {
		report_error(lexer->reporter, token->at,
			"number %s is too large: the largest is "
			"18446744073709551615",
			report_quote(lexer->reporter, word));
		return;
	}
	token->kind = TOKEN_NUMBER;
}

static enum token_kind
separator(char c)
{
	switch (c) {
	case '[':
		return TOKEN_LEFT_BRACKET;
	case ']':
		return TOKEN_RIGHT_BRACKET;
	case '(':
		return TOKEN_LEFT_PAREN;
	case ')':
		return TOKEN_RIGHT_PAREN;
	case '{':
		return TOKEN_LEFT_BRACE;
	case '}':
		return TOKEN_RIGHT_BRACE;
	case ',':
		return TOKEN_COMMA;
	case ';':
		return TOKEN_SEMICOLON;
	default:
		return TOKEN_BROKEN;
	}
}

/* A run of wrong bytes is one error. */
static NOINLINE void
lex_wrong(struct lexer *lexer, struct token *token)
{
	struct str rest = rest_of(lexer), wrong;
	size_t len = 1;

	while (len < rest.len && (unsigned char)rest.data[len] >= 0x80)
		len++;
	wrong = str_slice(rest, 0, len);
	move_by(lexer, len);
	if (wrong.data[0] == '\0')
		report_error(lexer->reporter, token->at,
			"a NUL byte may not stand in a script");
	else
		report_error(lexer->reporter, token->at,
			"%s may only stand in a string or a comment",
			report_quote(lexer->reporter, wrong));
}

static void
lex_token(struct lexer *lexer, struct token *token)
{
	char c = peek(lexer, 0);

	if (may_be(c, FIRST)) {
		lex_identifier(lexer, token);
	} else if (ascii_is_digit(c)) {
		lex_number(lexer, token);
	} else if (c == '"') {
		lex_quoted(lexer, token);
	} else if (c == ':') {
		lex_tag(lexer, token);
	} else if ((token->kind = separator(c)) != TOKEN_BROKEN) {
		lexer->at++;
	} else {
		lex_wrong(lexer, token);
	}
}

void
lexer_next(struct lexer *lexer, struct token *token_out)
{
	bool is_good;

	*token_out = (struct token){.kind = TOKEN_BROKEN};
	is_good = skip_space(lexer);
	token_out->at = lexer_position(lexer);
	if (!is_good)
		return;
	if (at_end(lexer))
		token_out->kind = TOKEN_END;
	else
		lex_token(lexer, token_out);
}
