/* SPDX-License-Identifier: MIT */
#include "lmtp/command.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/number.h"
#include "base/utf8.h"

#include "base/banned.h"

#define INVALID_PARAMETERS "501 5.5.4 Invalid parameters"
#define UNSUPPORTED_PARAMETERS "555 5.5.4 Unsupported parameters"

/* ---- the line ---- */

static const char *const names[COMMAND_VERBS] = {
	[COMMAND_LHLO] = "LHLO",
	[COMMAND_MAIL] = "MAIL",
	[COMMAND_RCPT] = "RCPT",
	[COMMAND_DATA] = "DATA",
	[COMMAND_RSET] = "RSET",
	[COMMAND_NOOP] = "NOOP",
	[COMMAND_QUIT] = "QUIT",
	[COMMAND_VRFY] = "VRFY",
	[COMMAND_STARTTLS] = "STARTTLS",
	[COMMAND_AUTH] = "AUTH",
	[COMMAND_XCLIENT] = "XCLIENT",
	[COMMAND_XFORWARD] = "XFORWARD",
	[COMMAND_BDAT] = "BDAT",
};

const char *
command_name(enum command_verb verb)
{
	return names[verb] != NULL ? names[verb] : "";
}

static bool
is_control(char c)
{
	return ((unsigned char)c < ' ' && c != '\t') || c == 127;
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

static struct str
skip_blanks(struct str s)
{
	while (s.len > 0 && ascii_is_blank(s.data[0]))
		s = str_skip(s, 1);
	return s;
}

static struct str
trim_end(struct str s)
{
	while (s.len > 0 && ascii_is_blank(s.data[s.len - 1]))
		s.len--;
	return s;
}

static enum command_verb
verb_of(struct str name)
{
	size_t verb;

	for (verb = 0; verb < COMMAND_VERBS; verb++)
		if (names[verb] != NULL && str_is_nocase(name, names[verb]))
			return verb;
	return COMMAND_UNKNOWN;
}

struct command
command_parse(struct str line)
{
	struct command command = {COMMAND_INVALID, STR_EMPTY};
	size_t len = 0;

	while (len < line.len &&
		(ascii_is_alpha(line.data[len]) ||
			(len > 0 && ascii_is_digit(line.data[len]))))
		len++;
	if (len == 0 || has_control(line) ||
		(len < line.len && !ascii_is_blank(line.data[len])))
		return command;
	command.verb = verb_of(str_slice(line, 0, len));
	command.arguments = trim_end(skip_blanks(str_skip(line, len)));
	return command;
}

const char *
command_parse_nothing(struct str arguments)
{
	return arguments.len > 0 ? INVALID_PARAMETERS : NULL;
}

bool
command_parse_bdat(struct str arguments, uint64_t *size_out, bool *is_last_out)
{
	struct str word;

	if (!str_next_word(&arguments, &word) ||
		number_parse(word, size_out) < 0)
		return false;
	*is_last_out = str_next_word(&arguments, &word);
	if (*is_last_out && !str_is_nocase(word, "LAST"))
		return false;
	return str_trim(arguments).len == 0;
}

/* The index behind the closing quote, 0 when there is none. */
static size_t
quoted_end(struct str s, size_t at)
{
	for (at++; at < s.len; at++) {
		if (s.data[at] == '\\')
			at++;
		else if (s.data[at] == '"')
			return at + 1;
	}
	return 0;
}

const char *
command_parse_string(struct str arguments, bool is_required)
{
	if (arguments.len == 0 && is_required)
		return "501 5.5.4 Invalid string parameter: Empty";
	if (arguments.len > 0 && arguments.data[0] == '"' &&
		quoted_end(arguments, 0) == 0)
		return "501 5.5.4 Invalid string parameter: "
		       "Missing closing quote";
	return NULL;
}

/* ---- xtext and its like ---- */

static int
hex_digit(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int
command_decode_xtext(
	struct arena *arena, struct str text, struct str *bytes_out)
{
	char *bytes = arena_alloc(arena, text.len + 1);
	size_t len = 0, i;

	for (i = 0; i < text.len; i++) {
		char c = text.data[i];
		int high, low;

		if (c == '+') {
			if (i + 2 >= text.len)
				return -1;
			high = hex_digit(text.data[i + 1]);
			low = hex_digit(text.data[i + 2]);
			if (high < 0 || low < 0)
				return -1;
			c = (char)(high * 16 + low);
			i += 2;
		} else if (c < '!' || c > '~' || c == '=') {
			return -1;
		}
		bytes[len++] = c;
	}
	*bytes_out = str_of(bytes, len);
	return 0;
}

/* At "\x{"; -1 for what is no code point.  Moves *at behind the brace. */
static int
read_escape(struct str text, size_t *at, struct buf *out)
{
	uint32_t code = 0;
	size_t i, digits = 0;

	if (!str_starts(str_skip(text, *at), STR("\\x{")))
		return -1;
	for (i = *at + 3; i < text.len && text.data[i] != '}'; i++) {
		int digit = hex_digit(text.data[i]);

		if (digit < 0 || ++digits > 6)
			return -1;
		code = code * 16 + (uint32_t)digit;
	}
	if (i == text.len || digits == 0 || !utf8_add(out, code))
		return -1;
	*at = i + 1;
	return 0;
}

int
command_decode_unitext(
	struct arena *arena, struct str text, struct str *text_out)
{
	struct buf out;
	size_t at = 0;
	int result = -1;

	buf_init(&out, BUF_UNLIMITED);
	while (at < text.len) {
		if (text.data[at] != '\\')
			buf_add_char(&out, text.data[at++]);
		else if (read_escape(text, &at, &out) < 0)
			goto end;
	}
	if (!utf8_is_valid(buf_view(&out)))
		goto end;
	*text_out = arena_copy(arena, buf_view(&out));
	result = 0;
end:
	buf_clear(&out);
	return result;
}

/* ---- paths ---- */

/* Where a path is, and what stands behind it. */
struct line {
	struct arena *arena;
	const char *word; /* "FROM", "TO" */
	bool has_dsn;     /* RFC 3461's parameters are taken */
	bool has_ignorequota;
	struct str path;
	struct str rest;
};

static const char *
bad_path(const struct line *line, const char *why)
{
	return arena_format(
		line->arena, "501 5.5.4 Invalid %s: %s", line->word, why);
}

/* The length of the path at the front of `s`: up to its bracket, or to a blank
 * where there is none.  0: open quote or bracket. */
static size_t
path_length(struct str s)
{
	bool has_bracket = s.len > 0 && s.data[0] == '<';
	size_t at = 0;

	while (at < s.len) {
		if (s.data[at] == '"') {
			at = quoted_end(s, at);
			if (at == 0)
				return 0;
			continue;
		}
		if (has_bracket ? s.data[at] == '>'
				: ascii_is_blank(s.data[at]))
			return has_bracket ? at + 1 : at;
		at++;
	}
	return has_bracket ? 0 : at;
}

static const char *
find_path(struct line *line, struct str arguments,
	const struct command_workarounds *workarounds)
{
	struct str s = arguments;
	size_t len = str_from(line->word).len;

	if (!str_starts_nocase(s, str_from(line->word)) || s.len == len ||
		s.data[len] != ':')
		return INVALID_PARAMETERS;
	s = str_skip(s, len + 1);
	if (s.len > 0 && ascii_is_blank(s.data[0])) {
		if (!workarounds->whitespace)
			return bad_path(
				line, "Unexpected whitespace before path");
		s = skip_blanks(s);
	}
	if (s.len == 0)
		return bad_path(line, "Missing path");
	if (s.data[0] != '<' && !workarounds->mailbox)
		return bad_path(line, "Missing '<' before path");
	len = path_length(s);
	/* An open quote is no quote: try again up to the next bracket. */
	if (len == 0 && s.data[0] == '<') {
		len = str_find_char(s, '>') + 1;
		if (len > s.len)
			return bad_path(line, "Missing '>' behind path");
	} else if (len == 0) {
		len = str_find_any(s, " \t");
	}
	line->path = str_slice(s, 0, len);
	line->rest = str_skip(s, len);
	if (line->rest.len > 0 && !ascii_is_blank(line->rest.data[0]))
		return bad_path(line, "Unexpected character behind path");
	return NULL;
}

#define PATH_FLAGS (ADDRESS_LOCAL_ALLOWED | ADDRESS_BRACKETS_OPTIONAL)

static const char *
utf8_needed(const struct line *line)
{
	return arena_format(
		line->arena, "553 5.6.7 %s address needs SMTPUTF8", line->word);
}

/* ---- parameters ---- */

static bool
is_keyword(struct str s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (!ascii_is_alpha(s.data[i]) && !ascii_is_digit(s.data[i]) &&
			(s.data[i] != '-' || i == 0))
			return false;
	return s.len > 0;
}

/* False at the end, and for what is no parameter: then *refusal_out says so.
 * RFC 5321 4.1.2 esmtp-param */
static bool
next_parameter(struct str *rest, struct str *name_out, struct str *value_out,
	bool *has_value_out, const char **refusal_out)
{
	struct str word;
	size_t sign;

	*refusal_out = NULL;
	if (!str_next_word(rest, &word))
		return false;
	sign = str_find_char(word, '=');
	*has_value_out = sign < word.len;
	*name_out = str_slice(word, 0, sign);
	*value_out = str_skip(word, sign + 1);
	if (is_keyword(*name_out) && (!*has_value_out || value_out->len > 0))
		return true;
	*refusal_out = INVALID_PARAMETERS;
	return false;
}

static bool
is_clean_utf8(struct str text)
{
	uint32_t code;
	size_t at = 0;

	while (utf8_next(text, &at, &code))
		if (code < ' ' || (code >= 127 && code < 0xa0))
			return false;
	return at == text.len;
}

/* RFC 3461 4.3, 4.4 */
static const char *
take_dsn_parameter(struct arena *arena, struct str name, struct str value,
	struct command_mail *mail)
{
	enum { LONGEST_ENVID = 100 };

	if (str_is_nocase(name, "RET")) {
		if (mail->ret.len > 0 || (!str_is_nocase(value, "FULL") &&
						 !str_is_nocase(value, "HDRS")))
			return "501 5.5.4 Invalid RET parameter";
		mail->ret = arena_copy(arena, value);
		return NULL;
	}
	if (!str_is_nocase(name, "ENVID"))
		return UNSUPPORTED_PARAMETERS;
	if (mail->envid.len > 0 || value.len == 0 ||
		value.len > LONGEST_ENVID ||
		command_decode_xtext(arena, value, &mail->envid) < 0 ||
		!is_clean_utf8(mail->envid))
		return "501 5.5.4 Invalid ENVID parameter";
	return NULL;
}

static const char *
take_mail_parameter(struct line *line, struct str name, struct str value,
	bool has_value, struct command_mail *mail)
{
	if (str_is_nocase(name, "SIZE"))
		return number_parse(value, &mail->size) < 0 ? INVALID_PARAMETERS
		                                            : NULL;
	if (str_is_nocase(name, "BODY")) {
		if (str_is_nocase(value, "7BIT") ||
			str_is_nocase(value, "8BITMIME"))
			return NULL;
		return "555 5.5.4 Unsupported mail BODY type";
	}
	if (str_is_nocase(name, "SMTPUTF8")) {
		mail->is_utf8 = true;
		return has_value ? INVALID_PARAMETERS : NULL;
	}
	return line->has_dsn
	               ? take_dsn_parameter(line->arena, name, value, mail)
	               : UNSUPPORTED_PARAMETERS;
}

static const char *
parse_mail_parameters(struct line *line, struct command_mail *mail)
{
	const char *refusal;
	struct str rest = line->rest, name, value;
	bool has_value;

	while (next_parameter(&rest, &name, &value, &has_value, &refusal)) {
		refusal =
			take_mail_parameter(line, name, value, has_value, mail);
		if (refusal != NULL)
			break;
	}
	return refusal;
}

const char *
command_parse_mail(struct arena *arena, struct str arguments,
	const struct command_workarounds *workarounds,
	struct command_mail *mail_out)
{
	struct line line = {
		.arena = arena, .word = "FROM", .has_dsn = workarounds->dsn};
	const char *refusal;
	struct err err;

	*mail_out = (struct command_mail){.size = 0};
	refusal = find_path(&line, arguments, workarounds);
	if (refusal == NULL)
		refusal = parse_mail_parameters(&line, mail_out);
	if (refusal != NULL)
		return refusal;
	if (!mail_out->is_utf8 && !utf8_is_ascii(line.path))
		return utf8_needed(&line);
	/* A sender that nobody can answer is no reason to refuse the mail. */
	if (address_parse_path(arena, line.path,
		    PATH_FLAGS | ADDRESS_NULL_ALLOWED, &mail_out->sender,
		    &err) < 0)
		mail_out->sender = (struct address){STR_EMPTY, STR_EMPTY,
			STR_EMPTY, STR_EMPTY, .is_null = true};
	return NULL;
}

/* ---- ORCPT ---- */

/* rfc822;XTEXT and utf-8;UNITEXT, maybe in xtext.  Other types name no mail address
 * that we could use: accepted and forgotten. */
static int
decode_original(struct arena *arena, struct str value, struct str *text_out)
{
	size_t sign = str_find_char(value, ';');
	struct str type = str_slice(value, 0, sign);
	struct str text = str_skip(value, sign + 1);

	*text_out = STR_EMPTY;
	if (sign == value.len || !is_keyword(type) || text.len == 0)
		return -1;
	if (str_is_nocase(type, "rfc822")) {
		if (command_decode_xtext(arena, text, text_out) < 0)
			return -1;
	} else if (str_is_nocase(type, "utf-8")) {
		if (command_decode_unitext(arena, text, text_out) < 0)
			return -1;
	}
	return is_clean_utf8(*text_out) ? 0 : -1;
}

/* RFC 3461 4.1 */
static const char *
take_notify(struct line *line, struct str value, struct command_rcpt *rcpt)
{
	struct str rest = value, word;

	if (!line->has_dsn)
		return UNSUPPORTED_PARAMETERS;
	while (str_next_field(&rest, ',', &word)) {
		bool is_alone = word.len == value.len;

		if (!str_is_nocase(word, "SUCCESS") &&
			!str_is_nocase(word, "FAILURE") &&
			!str_is_nocase(word, "DELAY") &&
			!(is_alone && str_is_nocase(word, "NEVER")))
			return "501 5.5.4 Invalid NOTIFY parameter";
	}
	if (value.len == 0 || rcpt->notify.len > 0)
		return "501 5.5.4 Invalid NOTIFY parameter";
	rcpt->notify = arena_copy(line->arena, value);
	return NULL;
}

static void
take_original(struct arena *arena, struct str value, struct command_rcpt *rcpt)
{
	struct str type = str_slice(value, 0, str_find_char(value, ';'));

	/* Information only: no reason to refuse mail. */
	if (decode_original(arena, value, &rcpt->original) < 0)
		rcpt->original = STR_EMPTY;
	rcpt->orcpt = STR_EMPTY;
	if (rcpt->original.len > 0)
		rcpt->orcpt = str_from(arena_format(arena, "%.*s;%.*s",
			STR_ARG(type), STR_ARG(rcpt->original)));
}

static const char *
parse_rcpt_parameters(struct line *line, struct command_rcpt *rcpt)
{
	struct arena *arena = line->arena;
	const char *refusal;
	struct str rest = line->rest, name, value;
	bool has_value;

	while (next_parameter(&rest, &name, &value, &has_value, &refusal)) {
		if (str_is_nocase(name, "NOTIFY")) {
			refusal = take_notify(line, value, rcpt);
			if (refusal != NULL)
				return refusal;
			continue;
		}
		if (line->has_ignorequota &&
			str_is_nocase(name, "IGNOREQUOTA") && !has_value) {
			rcpt->ignores_quota = true;
			continue;
		}
		if (!str_is_nocase(name, "ORCPT"))
			return UNSUPPORTED_PARAMETERS;
		if (!has_value)
			return "501 5.5.4 Invalid ORCPT parameter";
		take_original(arena, value, rcpt);
	}
	return refusal;
}

const char *
command_parse_rcpt(struct arena *arena, struct str arguments,
	const struct command_workarounds *workarounds, bool is_utf8,
	struct command_rcpt *rcpt_out)
{
	struct line line = {.arena = arena,
		.word = "TO",
		.has_dsn = workarounds->dsn,
		.has_ignorequota = workarounds->ignorequota};
	struct str why, prefix = STR("Invalid address: ");
	const char *refusal;
	struct err err;

	*rcpt_out = (struct command_rcpt){.original = STR_EMPTY};
	refusal = find_path(&line, arguments, workarounds);
	if (refusal == NULL && str_is(line.path, "<>"))
		refusal = "550 5.1.1 Unacceptable TO: Empty path not allowed";
	if (refusal == NULL)
		refusal = parse_rcpt_parameters(&line, rcpt_out);
	if (refusal != NULL)
		return refusal;
	if (!is_utf8 && !utf8_is_ascii(line.path))
		return utf8_needed(&line);
	if (address_parse_path(arena, line.path, PATH_FLAGS, &rcpt_out->address,
		    &err) == 0)
		return NULL;
	why = str_from(err.text);
	if (str_starts(why, prefix))
		why = str_skip(why, prefix.len);
	return bad_path(&line, arena_text(arena, why));
}

/* ---- names ---- */

bool
command_is_domain(struct str name)
{
	size_t i;

	for (i = 0; i < name.len; i++) {
		char c = name.data[i];

		if (!ascii_is_alpha(c) && !ascii_is_digit(c) &&
			((unsigned char)c & 0x80) == 0 &&
			(c == '\0' || strchr("-_.:[]", c) == NULL))
			return false;
	}
	return name.len > 0 && name.len <= 255 && is_clean_utf8(name);
}
