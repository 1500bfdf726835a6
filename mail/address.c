/* SPDX-License-Identifier: MIT */
#include "mail/address.h"

#include <stdint.h>

#include "base/utf8.h"

#include "base/banned.h"

/* ---- characters ---- */

static bool
is_control(char c)
{
	return (unsigned char)c < ' ' || c == 127;
}

static bool
is_8_bit(char c)
{
	return ((unsigned char)c & 0x80) != 0;
}

/* RFC 5322 3.2.3: what may stand in an atom beside letters, digits and octets
 * above 127 (RFC 6532 3.2). */
static bool
is_atom_sign(char c)
{
	switch (c) {
	case '!':
	case '#':
	case '$':
	case '%':
	case '&':
	case '\'':
	case '*':
	case '+':
	case '-':
	case '/':
	case '=':
	case '?':
	case '^':
	case '_':
	case '`':
	case '{':
	case '|':
	case '}':
	case '~':
		return true;
	default:
		return false;
	}
}

static bool
is_atom_char(char c)
{
	return is_8_bit(c) || ascii_is_alpha(c) || ascii_is_digit(c) ||
	       is_atom_sign(c);
}

static bool
has_control(struct str s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (is_control(s.data[i]))
			return true;
	return false;
}

static bool
is_dot_atom(struct str s)
{
	char last = '.';
	size_t i;

	for (i = 0; i < s.len; i++) {
		if (s.data[i] == '.' ? last == '.' : !is_atom_char(s.data[i]))
			return false;
		last = s.data[i];
	}
	return last != '.';
}

/* ---- writing ---- */

static size_t
add_quoted(char *out, struct str s)
{
	size_t len = 0, i;

	out[len++] = '"';
	for (i = 0; i < s.len; i++) {
		if (s.data[i] == '"' || s.data[i] == '\\')
			out[len++] = '\\';
		out[len++] = s.data[i];
	}
	out[len++] = '"';
	return len;
}

struct str
address_text(struct arena *arena, struct str local_part, struct str domain)
{
	bool plain = is_dot_atom(local_part);
	char *text;
	size_t len;

	if (local_part.len == 0 && domain.len == 0)
		return STR_EMPTY;
	text = arena_alloc(
		arena, (plain ? local_part.len : local_part.len * 2 + 2) + 1 +
			       domain.len + 1);
	if (plain) {
		memcpy(text, local_part.data, local_part.len);
		len = local_part.len;
	} else {
		len = add_quoted(text, local_part);
	}
	if (domain.len > 0) {
		text[len++] = '@';
		memcpy(text + len, domain.data, domain.len);
		len += domain.len;
	}
	return str_of(text, len);
}

static struct address
address_of(struct arena *arena, struct str local_part, struct str domain)
{
	return (struct address){
		.local_part = arena_copy(arena, local_part),
		.domain = arena_copy(arena, domain),
		.display = STR_EMPTY,
		.text = address_text(arena, local_part, domain),
	};
}

static struct address
address_null(void)
{
	return (struct address){
		STR_EMPTY, STR_EMPTY, STR_EMPTY, STR_EMPTY, .is_null = true};
}

/* ---- header lists: words ---- */

enum token_kind {
	TOKEN_END,
	TOKEN_ATOM,
	TOKEN_QUOTED,
	TOKEN_LITERAL, /* [192.0.2.1] */
	TOKEN_DOT,
	TOKEN_AT,
	TOKEN_COMMA,
	TOKEN_SEMICOLON,
	TOKEN_COLON,
	TOKEN_OPEN,  /* < */
	TOKEN_CLOSE, /* > */
	TOKEN_OTHER
};

struct token {
	enum token_kind kind;
	size_t from, to;
	bool after_blank; /* or after a comment */
};

/* Once a comment (quote) is found open, the value is read on as if that one
 * character were not there.  That happens once for each kind, so that the time
 * stays linear: from then on a comment ends at the next parenthesis, and a
 * quote is nothing. */
struct scanner {
	struct str in;
	size_t at;
	bool comments_broken;
	bool quotes_broken;
	bool after_blank;   /* since the last token was taken */
	struct str comment; /* the last one, without parentheses */
};

/* The index behind the closing parenthesis, or 0 when there is none. */
static size_t
comment_end(const struct scanner *scanner)
{
	struct str in = scanner->in;
	size_t depth = 0, at;

	for (at = scanner->at; at < in.len; at++) {
		char c = in.data[at];

		if (c == '\\' && !scanner->comments_broken)
			at++;
		else if (c == '(' && depth > 0 && scanner->comments_broken)
			return 0;
		else if (c == '(')
			depth++;
		else if (c == ')' && --depth == 0)
			return at + 1;
	}
	return 0;
}

/* False when a parenthesis begins no comment. */
static bool
skip_comment(struct scanner *scanner)
{
	size_t end = comment_end(scanner);

	if (end == 0) {
		scanner->comments_broken = true;
		return false;
	}
	scanner->comment = str_slice(scanner->in, scanner->at + 1, end - 1);
	scanner->at = end;
	return true;
}

static void
skip_blanks(struct scanner *scanner)
{
	size_t from = scanner->at;

	while (scanner->at < scanner->in.len) {
		char c = scanner->in.data[scanner->at];

		if (c == '(' ? !skip_comment(scanner) : !ascii_is_space(c))
			break;
		if (c != '(')
			scanner->at++;
	}
	if (scanner->at > from)
		scanner->after_blank = true;
}

/* The index behind the closing quote, or 0. */
static size_t
quoted_end(struct str in, size_t at)
{
	for (at++; at < in.len; at++) {
		if (in.data[at] == '\\')
			at++;
		else if (in.data[at] == '"')
			return at + 1;
	}
	return 0;
}

/* The index behind the closing bracket, or 0.  It stops early, so that open
 * brackets cost nothing. */
static size_t
literal_end(struct str in, size_t at)
{
	for (at++; at < in.len; at++) {
		char c = in.data[at];

		if (c == ']')
			return at + 1;
		if (is_control(c) || strchr(" [\\<>(),;@\"", c) != NULL)
			return 0;
	}
	return 0;
}

static const struct {
	char c;
	enum token_kind kind;
} specials[] = {
	{'.', TOKEN_DOT},
	{'@', TOKEN_AT},
	{',', TOKEN_COMMA},
	{';', TOKEN_SEMICOLON},
	{':', TOKEN_COLON},
	{'<', TOKEN_OPEN},
	{'>', TOKEN_CLOSE},
};

static enum token_kind
special_kind(char c)
{
	size_t i;

	for (i = 0; i < sizeof(specials) / sizeof(specials[0]); i++)
		if (specials[i].c == c)
			return specials[i].kind;
	return TOKEN_OTHER;
}

/* The token at scanner->at, which stays. */
static struct token
token_here(const struct scanner *scanner)
{
	struct str in = scanner->in;
	struct token token = {.from = scanner->at, .to = scanner->at};
	char c;

	if (token.from == in.len)
		return token;
	c = in.data[token.to];
	if (is_atom_char(c)) {
		while (token.to < in.len && is_atom_char(in.data[token.to]))
			token.to++;
		token.kind = TOKEN_ATOM;
		return token;
	}
	token.kind = special_kind(c);
	if (c == '"') {
		token.kind = TOKEN_QUOTED;
		token.to = quoted_end(in, token.from);
	} else if (c == '[') {
		token.to = literal_end(in, token.from);
		token.kind = token.to ? TOKEN_LITERAL : TOKEN_OTHER;
	}
	if (token.to <= token.from)
		token.to = token.from + 1;
	return token;
}

static bool
is_open_quote(struct scanner *scanner)
{
	size_t at = scanner->at;

	if (at == scanner->in.len || scanner->in.data[at] != '"')
		return false;
	if (!scanner->quotes_broken)
		scanner->quotes_broken = quoted_end(scanner->in, at) == 0;
	return scanner->quotes_broken;
}

/* Blanks in front are taken, the token itself by take(). */
static struct token
peek(struct scanner *scanner)
{
	struct token token;

	skip_blanks(scanner);
	while (is_open_quote(scanner)) {
		scanner->at++;
		skip_blanks(scanner);
	}
	token = token_here(scanner);
	token.after_blank = scanner->after_blank;
	return token;
}

static void
take(struct scanner *scanner, struct token token)
{
	scanner->at = token.to;
	scanner->after_blank = false;
}

/* ---- header lists: addresses ---- */

/* One address while it is read:
 *
 *	Amy Smith <amy.smith@example.org>
 *	^from      ^angle_from
 *	           '-- run --'
 */
struct item {
	size_t from;
	size_t angle_from; /* behind < */
	bool in_angle;
	bool is_broken;
	bool has_words; /* before the run, outside of <> */
	struct buf run; /* words and dots without blanks between: what may
			     * become a local part */
	bool run_is_broken;
	bool run_ends_in_word;
	bool has_run;
	struct str display;
};

struct list {
	struct arena *arena;
	struct scanner scanner;
	struct item item;
	struct buf domain;
	struct address *addresses;
	size_t count, size, most;
};

static void
run_reset(struct item *item)
{
	buf_reset(&item->run);
	item->run_is_broken = false;
	item->run_ends_in_word = false;
	item->has_run = false;
}

static void
item_reset(struct list *list)
{
	struct item *item = &list->item;

	run_reset(item);
	item->in_angle = false;
	item->is_broken = false;
	item->has_words = false;
	item->display = STR_EMPTY;
	list->scanner.comment = STR_EMPTY;
	skip_blanks(&list->scanner);
	item->from = list->scanner.at;
}

static void
list_add(struct list *list, struct address address)
{
	if (list->count == list->most)
		return;
	if (list->count == list->size) {
		size_t size = list->size ? list->size * 2 : 4;

		list->addresses = arena_grow(list->arena, list->addresses,
			sizeof(address), list->count, size);
		list->size = size;
	}
	list->addresses[list->count++] = address;
}

static void
emit_broken(struct list *list, size_t end)
{
	struct item *item = &list->item;
	size_t from = item->in_angle ? item->angle_from : item->from;
	struct address address = {STR_EMPTY, STR_EMPTY, item->display,
		str_trim(str_slice(list->scanner.in, from, end)),
		.is_broken = true};

	if (address.text.len > 0)
		list_add(list, address);
}

static void
emit(struct list *list, struct str domain)
{
	struct item *item = &list->item;
	struct address address =
		address_of(list->arena, buf_view(&item->run), domain);

	address.display = item->display;
	/* RFC 822's habit: amy@example.org (Amy Smith) */
	if (!item->in_angle && address.display.len == 0)
		address.display = str_trim(list->scanner.comment);
	list_add(list, address);
}

/* The item ends at `end` without an @. */
static void
emit_rest(struct list *list, size_t end)
{
	struct item *item = &list->item;

	if (item->is_broken || item->run_is_broken || item->has_words)
		emit_broken(list, end);
	else if (item->run.len > 0)
		emit(list, STR_EMPTY);
	else if (item->has_run)
		emit_broken(list, end);
}

static void
add_unquoted(struct buf *buf, struct str quoted)
{
	struct str s = str_slice(quoted, 1, quoted.len - 1);
	size_t i;

	for (i = 0; i < s.len; i++) {
		/* A fold inside: only its line end goes (RFC 5322 3.2.4). */
		if (s.data[i] == '\r' || s.data[i] == '\n')
			continue;
		if (s.data[i] == '\\' && i + 1 < s.len)
			i++;
		buf_add_char(buf, s.data[i]);
	}
}

static void
run_add_word(struct list *list, struct token token)
{
	struct item *item = &list->item;
	struct str word = str_slice(list->scanner.in, token.from, token.to);
	size_t before;

	if (item->has_run && item->run_ends_in_word) {
		if (token.after_blank) {
			run_reset(item);
			item->has_words = true;
		} else {
			item->run_is_broken = true;
		}
	}
	before = item->run.len;
	if (token.kind == TOKEN_QUOTED)
		add_unquoted(&item->run, word);
	else
		buf_add(&item->run, word);
	if (has_control(str_skip(buf_view(&item->run), before)))
		item->run_is_broken = true;
	item->has_run = true;
	item->run_ends_in_word = true;
}

static void
run_add_dot(struct item *item)
{
	buf_add_char(&item->run, '.');
	item->has_run = true;
	item->run_ends_in_word = false;
}

/* What can stand in no address.  It counts as a word, so that a blank behind it
 * begins a new run. */
static void
run_add_other(struct item *item)
{
	item->run_is_broken = true;
	item->has_run = true;
	item->run_ends_in_word = true;
}

/* Blanks around the dots (RFC 5322 4.4) only inside of <>: elsewhere they rather
 * mean that a comma is missing. */
static bool
may_follow(const struct list *list, struct token token)
{
	return list->item.in_angle || !token.after_blank;
}

static bool
add_domain_atoms(struct list *list)
{
	struct scanner *scanner = &list->scanner;
	struct token token = peek(scanner);

	while (token.kind == TOKEN_ATOM) {
		buf_add(&list->domain,
			str_slice(scanner->in, token.from, token.to));
		take(scanner, token);
		token = peek(scanner);
		if (token.kind != TOKEN_DOT || !may_follow(list, token))
			return true;
		take(scanner, token);
		token = peek(scanner);
		/* A dot at the end of a domain says nothing new. */
		if (token.kind != TOKEN_ATOM)
			return token.kind != TOKEN_DOT;
		if (!may_follow(list, token))
			return true;
		buf_add_char(&list->domain, '.');
	}
	return false;
}

/* What follows an @.  False when it is no domain. */
static bool
read_domain(struct list *list)
{
	struct scanner *scanner = &list->scanner;
	struct token token = peek(scanner);

	buf_reset(&list->domain);
	if (token.kind != TOKEN_LITERAL)
		return add_domain_atoms(list);
	buf_add(&list->domain, str_slice(scanner->in, token.from, token.to));
	take(scanner, token);
	return true;
}

static bool
ends_item(enum token_kind kind)
{
	return kind == TOKEN_END || kind == TOKEN_COMMA ||
	       kind == TOKEN_SEMICOLON;
}

/* Where an address may end though no comma follows. */
static bool
may_end(const struct list *list, struct token next)
{
	if (list->item.in_angle)
		return next.kind == TOKEN_CLOSE || ends_item(next.kind);
	return ends_item(next.kind) || next.kind == TOKEN_CLOSE ||
	       next.after_blank;
}

/* At an @ that was taken: the run is its local part. */
static void
read_address(struct list *list)
{
	struct item *item = &list->item;
	bool is_fine = item->has_run && !item->run_is_broken &&
	               !(item->in_angle && item->has_words);
	struct token next;

	list->scanner.comment = STR_EMPTY;
	if (!read_domain(list))
		is_fine = false;
	next = peek(&list->scanner);
	if (!item->in_angle && next.kind == TOKEN_OPEN) {
		/* amy@example.org <amy@example.org>: it was a phrase. */
		return;
	}
	if (!is_fine || !may_end(list, next)) {
		item->is_broken = true;
		return;
	}
	emit(list, buf_view(&list->domain));
	if (next.kind == TOKEN_CLOSE)
		take(&list->scanner, next);
	item_reset(list);
}

static bool
is_route_char(char c)
{
	return is_atom_char(c) || ascii_is_space(c) ||
	       (c != '\0' && strchr("@,.[]", c) != NULL);
}

/* RFC 5321 4.1.2: the route in <@a,@b:amy@c> is to be ignored.  An open one is
 * taken whole. */
static void
skip_route(struct list *list)
{
	struct scanner *scanner = &list->scanner;

	if (peek(scanner).kind != TOKEN_AT)
		return;
	while (scanner->at < scanner->in.len &&
		is_route_char(scanner->in.data[scanner->at]))
		scanner->at++;
	if (scanner->at < scanner->in.len &&
		scanner->in.data[scanner->at] == ':')
		scanner->at++;
	else
		list->item.is_broken = true;
}

/* At a < that was taken: all before it is the display name. */
static void
open_angle(struct list *list, struct token token)
{
	struct item *item = &list->item;

	if (!item->in_angle)
		item->display = str_trim(
			str_slice(list->scanner.in, item->from, token.from));
	run_reset(item);
	item->in_angle = true;
	item->is_broken = false;
	item->has_words = false;
	item->angle_from = token.to;
	skip_route(list);
}

/* At a > that was taken: no @ came since the <. */
static void
close_angle(struct list *list, struct token token)
{
	struct item *item = &list->item;
	struct address null = address_null();

	if (!item->in_angle)
		return;
	if (!item->is_broken && !item->has_run && !item->has_words) {
		null.display = item->display;
		list_add(list, null);
	} else {
		emit_rest(list, token.from);
	}
	item_reset(list);
}

static void
end_item(struct list *list, struct token token)
{
	emit_rest(list, token.from);
	item_reset(list);
}

static void
read_token(struct list *list, struct token token)
{
	struct item *item = &list->item;

	switch (token.kind) {
	case TOKEN_ATOM:
	case TOKEN_QUOTED:
		run_add_word(list, token);
		break;
	case TOKEN_DOT:
		run_add_dot(item);
		break;
	case TOKEN_AT:
		if (!item->is_broken)
			read_address(list);
		break;
	case TOKEN_OPEN:
		open_angle(list, token);
		break;
	case TOKEN_CLOSE:
		close_angle(list, token);
		break;
	case TOKEN_COLON:
		/* The name of a group. */
		if (item->in_angle || item->is_broken)
			run_add_other(item);
		else
			item_reset(list);
		break;
	case TOKEN_LITERAL:
	case TOKEN_OTHER:
		run_add_other(item);
		break;
	case TOKEN_COMMA:
	case TOKEN_SEMICOLON:
	case TOKEN_END:
		end_item(list, token);
		break;
	}
}

size_t
address_parse_list(struct arena *arena, struct str value, size_t most,
	const struct address **addresses_out)
{
	struct list list = {.arena = arena, .most = most, .scanner.in = value};
	struct token token;

	buf_init(&list.item.run, BUF_UNLIMITED);
	buf_init(&list.domain, BUF_UNLIMITED);
	item_reset(&list);
	do {
		token = peek(&list.scanner);
		take(&list.scanner, token);
		read_token(&list, token);
	} while (token.kind != TOKEN_END && list.count < most);
	buf_clear(&list.item.run);
	buf_clear(&list.domain);
	*addresses_out = list.addresses;
	return list.count;
}

/* ---- envelope paths ---- */

struct path {
	struct arena *arena;
	struct str in;
	size_t at;
	size_t offset; /* of `in` in what the caller gave */
	struct err *err;
};

static int
fail(const struct path *path, size_t at, const char *reason)
{
	return err_set(path->err, ERR_USAGE, "5.1.3",
		"Invalid address: %s at byte %zu", reason,
		path->offset + at + 1);
}

static bool
path_has(const struct path *path, char c)
{
	return path->at < path->in.len && path->in.data[path->at] == c;
}

/* No control character, C1 (U+0080 to U+009F) included, and only UTF-8. */
static int
check_characters(const struct path *path)
{
	uint32_t code;
	size_t at = 0;

	while (at < path->in.len) {
		size_t here = at;

		if (!utf8_next(path->in, &at, &code))
			return fail(path, here, "bytes that are not UTF-8");
		if (code < ' ' || (code >= 127 && code < 0xa0))
			return fail(path, here, "a control character");
	}
	return 0;
}

/* RFC 5321 4.1.2: @a,@b: in front is accepted and ignored. */
static int
skip_source_route(struct path *path)
{
	if (!path_has(path, '@'))
		return 0;
	while (path->at < path->in.len && path->in.data[path->at] != ':') {
		char c = path->in.data[path->at];

		if (!is_route_char(c) || ascii_is_space(c))
			return fail(path, path->at,
				"a character that no source route has");
		path->at++;
	}
	if (path->at == path->in.len)
		return fail(path, path->at, "no colon behind a source route");
	path->at++;
	return 0;
}

static int
read_quoted_local(struct path *path, struct str *local_part_out)
{
	size_t end = quoted_end(path->in, path->at), len = 0, i;
	char *local_part;

	if (end == 0)
		return fail(path, path->at, "an open quote");
	local_part = arena_alloc(path->arena, end - path->at);
	for (i = path->at + 1; i < end - 1; i++) {
		if (path->in.data[i] == '\\')
			i++;
		local_part[len++] = path->in.data[i];
	}
	path->at = end;
	*local_part_out = str_of(local_part, len);
	return 0;
}

static int
read_local(struct path *path, struct str *local_part_out)
{
	size_t from = path->at;

	if (path_has(path, '"'))
		return read_quoted_local(path, local_part_out);
	while (path->at < path->in.len &&
		(is_atom_char(path->in.data[path->at]) || path_has(path, '.')))
		path->at++;
	if (path->at == from)
		return fail(path, from, "no local part");
	*local_part_out = str_slice(path->in, from, path->at);
	return 0;
}

/* Underscores are no host names' characters (RFC 1123) but stand in the names
 * that people gave to domains. */
static bool
is_domain_char(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || is_8_bit(c) ||
	       c == '-' || c == '_';
}

static int
read_domain_name(struct path *path, struct str *domain_out)
{
	size_t from = path->at, label = from;

	for (; path->at < path->in.len; path->at++) {
		if (path_has(path, '.')) {
			if (path->at == label)
				return fail(path, path->at,
					"an empty part of the domain");
			label = path->at + 1;
		} else if (!is_domain_char(path->in.data[path->at])) {
			break;
		}
	}
	if (path->at == from)
		return fail(path, from, "no domain");
	if (path->at == label)
		return fail(path, label - 1, "a dot behind the domain");
	*domain_out = str_slice(path->in, from, path->at);
	return 0;
}

static int
read_path_domain(struct path *path, struct str *domain_out)
{
	size_t from = path->at, end;

	if (!path_has(path, '['))
		return read_domain_name(path, domain_out);
	end = literal_end(path->in, from);
	if (end <= from + 2)
		return fail(path, from, "a broken domain literal");
	path->at = end;
	*domain_out = str_slice(path->in, from, end);
	return 0;
}

static int
check_parts(const struct path *path, const struct address *address)
{
	if (address->text.len == 0)
		return fail(path, 0, "an empty local part without domain");
	if (address->local_part.len > ADDRESS_LOCAL_PART_MOST)
		return fail(path, 0, "a local part that is too long");
	if (address->domain.len > ADDRESS_DOMAIN_MOST)
		return fail(path, 0, "a domain that is too long");
	return 0;
}

/* All of path->in is local@domain, or local. */
static int
read_mailbox(struct path *path, unsigned flags, struct str *local_part_out,
	struct str *domain_out)
{
	*domain_out = STR_EMPTY;
	if (read_local(path, local_part_out) < 0)
		return -1;
	if (path->at == path->in.len) {
		if ((flags & ADDRESS_LOCAL_ALLOWED) == 0)
			return fail(path, path->at, "no domain");
		return 0;
	}
	if (!path_has(path, '@'))
		return fail(path, path->at, "an unexpected character");
	path->at++;
	if (read_path_domain(path, domain_out) < 0)
		return -1;
	if (path->at < path->in.len)
		return fail(path, path->at, "an unexpected character");
	return 0;
}

/* Everything before the last @ is the local part. */
static int
read_unquoted_mailbox(struct path *path, unsigned flags,
	struct str *local_part_out, struct str *domain_out)
{
	size_t sign = str_find_last_char(path->in, '@');

	*domain_out = STR_EMPTY;
	*local_part_out = str_slice(path->in, 0, sign);
	if (sign == 0)
		return fail(path, 0, "no local part");
	if (sign == path->in.len) {
		if ((flags & ADDRESS_LOCAL_ALLOWED) == 0)
			return fail(path, sign, "no domain");
		return 0;
	}
	path->at = sign + 1;
	if (read_path_domain(path, domain_out) < 0)
		return -1;
	if (path->at < path->in.len)
		return fail(path, path->at, "an unexpected character");
	return 0;
}

static int
strip_brackets(struct path *path, unsigned flags)
{
	size_t len = path->in.len;

	if (path_has(path, '<')) {
		if (path->in.data[len - 1] != '>')
			return fail(path, len, "no closing bracket");
		path->in = str_slice(path->in, 1, len - 1);
		path->offset = 1;
		return 0;
	}
	if (len > 0 && (flags & ADDRESS_BRACKETS_OPTIONAL) == 0)
		return fail(path, 0, "no opening bracket");
	return 0;
}

int
address_parse_path(struct arena *arena, struct str text, unsigned flags,
	struct address *address_out, struct err *err)
{
	struct path path = {.arena = arena, .in = text, .err = err};
	struct str local_part = STR_EMPTY, domain = STR_EMPTY;

	if (check_characters(&path) < 0 || strip_brackets(&path, flags) < 0)
		return -1;
	if (path.in.len == 0) {
		if ((flags & ADDRESS_NULL_ALLOWED) == 0)
			return fail(&path, 0, "nothing");
		*address_out = address_null();
		return 0;
	}
	if (skip_source_route(&path) < 0)
		return -1;
	path.in = str_skip(path.in, path.at);
	path.offset += path.at;
	path.at = 0;
	if (read_mailbox(&path, flags, &local_part, &domain) < 0) {
		if ((flags & ADDRESS_QUOTES_OPTIONAL) == 0)
			return -1;
		path.at = 0;
		if (read_unquoted_mailbox(&path, flags, &local_part, &domain) <
			0)
			return -1;
	}
	*address_out = address_of(arena, local_part, domain);
	return check_parts(&path, address_out);
}
