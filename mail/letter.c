/* SPDX-License-Identifier: MIT */
#include "mail/letter.h"

#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/encode.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "mail/address.h"
#include "mail/compose.h"
#include "mail/date.h"

#include "base/banned.h"

enum {
	MESSAGE_ID_MOST = 900, /* of a line that may have 998 */
	LINE_MOST = 998,       /* RFC 5322 2.1.1: MUST */
	BOUNDARY_BYTES = 18
};

/* ---- values ---- */

static bool
is_control(char c)
{
	return (unsigned char)c < ' ' || c == 127;
}

struct str
letter_line(struct arena *arena, struct str text)
{
	char *bytes = NULL;
	size_t i;

	for (i = 0; i < text.len; i++) {
		if (!is_control(text.data[i]))
			continue;
		if (bytes == NULL) {
			bytes = arena_alloc(arena, text.len);
			memcpy(bytes, text.data, text.len);
		}
		bytes[i] = ' ';
	}
	return bytes != NULL ? str_of(bytes, text.len) : text;
}

static void
add_line(struct buf *buf, struct str name, struct str value)
{
	buf_add(buf, name);
	buf_add_text(buf, ": ");
	buf_add(buf, value);
	buf_add_char(buf, '\n');
}

static void
add_text(struct arena *arena, struct buf *buf, struct str name, struct str text)
{
	text = str_trim(letter_line(arena, text));
	if (text.len > 0)
		add_line(buf, name, compose_value(arena, name, text));
}

static bool
has_long_line(struct str name, struct str value)
{
	size_t before = name.len + 2;
	struct str line;

	while (str_next_field(&value, '\n', &line)) {
		if (before + line.len > LINE_MOST)
			return true;
		before = 0;
	}
	return false;
}

static bool
add_addresses(
	struct arena *arena, struct buf *buf, struct str name, struct str list)
{
	struct str value;

	if (!compose_addresses(arena, name, letter_line(arena, list), &value) ||
		has_long_line(name, value))
		return false;
	add_line(buf, name, value);
	return true;
}

/* ---- ids ---- */

/* RFC 5322 3.2.3: atext, and the dots between. */
static bool
is_id_char(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) ||
	       memchr("!#$%&'*+-/=?^_`{|}~.", c, 20) != NULL;
}

static void
add_id_part(struct buf *buf, struct str text, const char *otherwise)
{
	size_t before = buf->len, i;

	for (i = 0; i < text.len; i++)
		if (is_id_char(text.data[i]))
			buf_add_char(buf, text.data[i]);
	if (buf->len == before)
		buf_add_text(buf, otherwise);
}

struct str
letter_id(struct arena *arena, struct str unique, struct str host)
{
	struct buf buf;
	struct str id;

	buf_init(&buf, BUF_UNLIMITED);
	buf_add_char(&buf, '<');
	add_id_part(&buf, unique, "0");
	buf_add_char(&buf, '@');
	add_id_part(&buf, host, "localhost");
	buf_add_char(&buf, '>');
	id = arena_copy(arena, buf_view(&buf));
	buf_clear(&buf);
	return id;
}

static size_t
id_length(struct str text)
{
	size_t len = 1;

	while (len < text.len && text.data[len] > ' ' && text.data[len] < 127 &&
		text.data[len] != '<' && text.data[len] != '>')
		len++;
	return len > 1 && len < MESSAGE_ID_MOST && len < text.len &&
	                       text.data[len] == '>'
	               ? len + 1
	               : 0;
}

/* The next id in angle brackets; what stands between them is passed over. */
static bool
next_id(struct str *rest, struct str *id_out)
{
	while (rest->len > 0) {
		size_t len;

		*rest = str_skip(*rest, str_find_char(*rest, '<'));
		len = rest->len > 0 ? id_length(*rest) : 0;
		*id_out = str_slice(*rest, 0, len);
		*rest = str_skip(*rest, len > 0 ? len : 1);
		if (len > 0)
			return true;
	}
	return false;
}

static size_t
count_ids(struct str value)
{
	struct str id;
	size_t count = 0;

	while (next_id(&value, &id))
		count++;
	return count;
}

static struct str
value_of(const struct message *message, struct str name)
{
	const struct header_field *field =
		message_field_next(message, name, NULL);

	return field != NULL ? field->value : STR_EMPTY;
}

static struct str
last_bytes(struct str value, size_t most)
{
	return value.len > most ? str_skip(value, value.len - most) : value;
}

/* What the original refers to: RFC 5322 3.6.4 takes In-Reply-To where there is no
 * References, and only when it has one id. */
static struct str
ids_before(const struct message *original)
{
	struct str value = last_bytes(
		value_of(original, STR("References")), LETTER_REFERENCES_MOST);

	if (count_ids(value) > 0)
		return value;
	value = last_bytes(
		value_of(original, STR("In-Reply-To")), LETTER_REFERENCES_MOST);
	return count_ids(value) == 1 ? value : STR_EMPTY;
}

/* One to a line, so that no line is too long. */
static void
add_id(struct buf *buf, struct str id, size_t *count)
{
	buf_add_text(buf, (*count)++ == 0 ? "References: " : "\n\t");
	buf_add(buf, id);
}

static void
add_references(struct buf *buf, struct str before, struct str own)
{
	struct str id;
	size_t count = 0;

	while (next_id(&before, &id))
		if (!str_equal(id, own))
			add_id(buf, id, &count);
	if (own.len > 0)
		add_id(buf, own, &count);
	if (count > 0)
		buf_add_char(buf, '\n');
}

static void
add_thread(struct buf *buf, const struct message *original)
{
	struct str rest = value_of(original, STR("Message-ID")), own;

	if (!next_id(&rest, &own))
		own = STR_EMPTY;
	if (own.len > 0)
		add_line(buf, STR("In-Reply-To"), own);
	add_references(buf, ids_before(original), own);
}

/* ---- the head ---- */

/* RFC 5322 3.6.2: MUST be there when several people write. */
static bool
add_sender(struct arena *arena, struct buf *buf, struct str from)
{
	const struct address *addresses;

	return address_parse_list(arena, from, 2, &addresses) < 2 ||
	       add_addresses(arena, buf, STR("Sender"), addresses[0].text);
}

static bool
add_people(struct arena *arena, struct buf *buf, const struct letter *letter)
{
	return add_addresses(arena, buf, STR("From"), letter->from) &&
	       add_sender(arena, buf, letter->from) &&
	       (letter->to.len == 0 ||
		       add_addresses(arena, buf, STR("To"), letter->to));
}

static void
add_rest(struct arena *arena, struct buf *buf, const struct letter *letter)
{
	size_t i;

	add_text(arena, buf, STR("Message-ID"), letter->id);
	add_text(arena, buf, STR("Subject"), letter->subject);
	if (letter->original != NULL)
		add_thread(buf, letter->original);
	add_text(arena, buf, STR("Auto-Submitted"), letter->auto_submitted);
	for (i = 0; i < letter->field_count; i++)
		add_text(arena, buf, letter->fields[i].name,
			letter->fields[i].text);
}

bool
letter_head(
	struct arena *arena, const struct letter *letter, struct str *head_out)
{
	struct buf buf;
	bool is_good;

	buf_init(&buf, BUF_UNLIMITED);
	add_line(&buf, STR("Date"), date_text(arena, letter->date));
	is_good = add_people(arena, &buf, letter);
	if (is_good)
		add_rest(arena, &buf, letter);
	*head_out = arena_copy(arena, buf_view(&buf));
	buf_clear(&buf);
	return is_good;
}

bool
letter_compose(struct arena *arena, const struct letter *letter,
	const struct content *entity, const struct content **content_out)
{
	struct str head;

	if (!letter_head(arena, letter, &head))
		return false;
	*content_out = content_prepend(arena, entity,
		str_from(arena_format(
			arena, "%.*sMIME-Version: 1.0\n", STR_ARG(head))));
	return true;
}

/* ---- entities ---- */

static struct content_piece
piece_of_text(struct str text)
{
	return (struct content_piece){.is_text = true, .text = text};
}

static const struct content *
content_of_pieces(struct arena *arena, const struct message *base,
	const struct content_piece *pieces, size_t count)
{
	struct content *content = ARENA_NEW(arena, struct content);

	content->message = base;
	content->pieces = pieces;
	content->count = count;
	return content;
}

static const struct content *
content_of_text(
	struct arena *arena, const struct message *base, struct str text)
{
	struct content_piece *piece = ARENA_NEW(arena, struct content_piece);

	*piece = piece_of_text(text);
	return content_of_pieces(arena, base, piece, text.len > 0 ? 1 : 0);
}

const struct content *
letter_text(struct arena *arena, const struct message *base, struct str text)
{
	return content_of_text(arena, base, compose_text_part(arena, text));
}

const struct content *
letter_typed_text(struct arena *arena, const struct message *base,
	struct str fields, struct str text)
{
	return content_of_text(arena, base, compose_part(arena, fields, text));
}

static size_t
add_pieces(struct content_piece *pieces, size_t count,
	const struct content *content)
{
	if (content->count > 0)
		memcpy(pieces + count, content->pieces,
			memory_product(content->count, sizeof(*pieces)));
	return count + content->count;
}

const struct content *
letter_part(struct arena *arena, const struct message *base, struct str fields,
	struct str text, const struct content *inner)
{
	struct content_piece *pieces = ARENA_ARRAY(arena, struct content_piece,
		3 + (inner != NULL ? inner->count : 0));
	size_t count = 0;

	if (fields.len > 0)
		pieces[count++] = piece_of_text(fields);
	pieces[count++] = piece_of_text(STR("\n"));
	if (text.len > 0)
		pieces[count++] = piece_of_text(text);
	if (inner != NULL)
		count = add_pieces(pieces, count, inner);
	return content_of_pieces(arena, base, pieces, count);
}

/* "=_" stands in no text that is encoded (RFC 2045 6.7), and nobody knows the id
 * before it is made. */
static struct str
boundary_of(struct arena *arena, struct str id)
{
	unsigned char result[DIGEST_MAX];
	struct digest digest;
	struct str hex;

	digest_init(&digest, DIGEST_SHA256);
	digest_add(&digest, id);
	digest_end(&digest, result);
	hex = encode_hex(arena, str_of((const char *)result, BOUNDARY_BYTES));
	return str_from(arena_format(arena, "=_%.*s", STR_ARG(hex)));
}

const struct content *
letter_multipart(struct arena *arena, const struct message *base,
	struct str type, struct str id, bool is_eight_bit,
	const struct content *const *parts, size_t count)
{
	struct str boundary = boundary_of(arena, id);
	struct content_piece *pieces;
	size_t most = count + 2, used = 0, i;

	for (i = 0; i < count; i++)
		most += parts[i]->count;
	pieces = ARENA_ARRAY(arena, struct content_piece, most);
	pieces[used++] = piece_of_text(str_from(arena_format(arena,
		"Content-Type: %.*s;\n\tboundary=\"%.*s\"\n%s", STR_ARG(type),
		STR_ARG(boundary),
		is_eight_bit ? "Content-Transfer-Encoding: 8bit\n" : "")));
	for (i = 0; i < count; i++) {
		pieces[used++] = piece_of_text(str_from(
			arena_format(arena, "\n--%.*s\n", STR_ARG(boundary))));
		used = add_pieces(pieces, used, parts[i]);
	}
	pieces[used++] = piece_of_text(str_from(
		arena_format(arena, "\n--%.*s--\n", STR_ARG(boundary))));
	return content_of_pieces(arena, base, pieces, used);
}

/* ---- one that is ready ---- */

struct ready {
	struct buf header;
	struct str body;
	bool has_type, has_encoding;
};

static bool
begins_with_field(struct str text)
{
	struct str line = str_slice(text, 0, str_find_char(text, '\n'));
	size_t colon = str_find_char(line, ':');

	return line.len == 0 ||
	       (colon < line.len && compose_is_name(str_slice(line, 0, colon)));
}

/* Behind the empty line; the end when there is none. */
static size_t
body_start(struct str text)
{
	size_t line_end;

	if (str_starts(text, STR("\n")))
		return 1;
	line_end = str_find(text, STR("\n\n"));
	return line_end < text.len ? line_end + 2 : text.len;
}

static void
take_field(struct ready *ready, const struct header_field *field)
{
	if (!str_starts_nocase(field->name, STR("Content-")) ||
		!compose_is_name(field->name) ||
		!compose_is_value(field->value) ||
		has_long_line(field->name, str_trim(field->value)))
		return;
	add_line(&ready->header, field->name, str_trim(field->value));
	ready->has_type |= str_is_nocase(field->name, "Content-Type");
	ready->has_encoding |=
		str_is_nocase(field->name, "Content-Transfer-Encoding");
}

/* False: there is 8-bit material in the header. */
static bool
take_header(struct ready *ready, struct str header)
{
	struct header_field field;
	size_t at = 0;

	if (!utf8_is_ascii(header))
		return false;
	while (message_block_field(header, &at, &field))
		take_field(ready, &field);
	return true;
}

/* RFC 2045 2.7, 2.8: a NUL is in no text of 7 or 8 bit, and this one may be a part
 * of another's message. */
static struct str
without_nuls(struct arena *arena, struct str text)
{
	struct buf buf;
	size_t i;

	if (!str_has_char(text, '\0'))
		return text;
	buf_init(&buf, BUF_UNLIMITED);
	buf_add(&buf, text);
	for (i = 0; i < buf.len; i++)
		if (buf.data[i] == '\0')
			buf.data[i] = '?';
	text = arena_copy(arena, buf_view(&buf));
	buf_clear(&buf);
	return text;
}

static bool
read_ready(struct arena *arena, struct str text, struct ready *ready)
{
	size_t body = 0;

	text = without_nuls(arena, compose_lf(arena, text));
	if (begins_with_field(text)) {
		body = body_start(text);
		if (!take_header(ready, str_slice(text, 0, body)))
			return false;
	}
	ready->body = str_skip(text, body);
	if (!utf8_is_ascii(ready->body) && !ready->has_type)
		add_line(&ready->header, STR("Content-Type"),
			STR("text/plain; charset=utf-8"));
	if (!utf8_is_ascii(ready->body) && !ready->has_encoding)
		add_line(&ready->header, STR("Content-Transfer-Encoding"),
			STR("8bit"));
	return true;
}

bool
letter_ready(struct arena *arena, const struct message *base, struct str text,
	const struct content **entity_out)
{
	struct ready ready = {.body = STR_EMPTY};
	bool is_good;

	buf_init(&ready.header, BUF_UNLIMITED);
	is_good = read_ready(arena, text, &ready);
	if (is_good) {
		buf_add_char(&ready.header, '\n');
		buf_add(&ready.header, ready.body);
		if (!str_ends(buf_view(&ready.header), STR("\n")))
			buf_add_char(&ready.header, '\n');
		*entity_out = content_of_text(arena, base,
			arena_copy(arena, buf_view(&ready.header)));
	}
	buf_clear(&ready.header);
	return is_good;
}
