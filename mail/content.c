/* SPDX-License-Identifier: MIT */
#include "mail/content.h"

#include <string.h>

#include "base/memory.h"

#include "base/banned.h"

static struct content *
content_new(struct arena *arena, const struct message *message, size_t most,
	struct content_piece **pieces_out)
{
	struct content *content = ARENA_NEW(arena, struct content);

	*pieces_out = ARENA_ARRAY(arena, struct content_piece, most);
	content->message = message;
	content->pieces = *pieces_out;
	return content;
}

static struct content_piece
piece_of_message(uint64_t from, uint64_t to)
{
	return (struct content_piece){.from = from, .to = to};
}

static bool
piece_is_empty(const struct content_piece *piece)
{
	return piece->is_text ? piece->text.len == 0 : piece->from >= piece->to;
}

struct content *
content_of(struct arena *arena, const struct message *message)
{
	struct content_piece *pieces;
	struct content *content = content_new(arena, message, 1, &pieces);

	pieces[0] =
		piece_of_message(message_start(message), message_end(message));
	content->count = piece_is_empty(&pieces[0]) ? 0 : 1;
	return content;
}

struct content *
content_prepend(
	struct arena *arena, const struct content *content, struct str text)
{
	struct content_piece *pieces;
	struct content *more = content_new(
		arena, content->message, content->count + 1, &pieces);

	if (text.len > 0)
		pieces[more->count++] = (struct content_piece){
			.is_text = true, .text = arena_copy(arena, text)};
	if (content->count > 0)
		memcpy(pieces + more->count, content->pieces,
			memory_product(content->count, sizeof(*pieces)));
	more->count += content->count;
	return more;
}

/* Adds what is left of the piece: nothing, one piece or two. */
static void
add_without(struct content_piece *pieces, size_t *count,
	const struct content_piece *piece, uint64_t from, uint64_t to)
{
	struct content_piece before, behind;

	if (piece->is_text || to <= piece->from || from >= piece->to) {
		pieces[(*count)++] = *piece;
		return;
	}
	before = piece_of_message(piece->from, from);
	behind = piece_of_message(to, piece->to);
	if (!piece_is_empty(&before))
		pieces[(*count)++] = before;
	if (!piece_is_empty(&behind))
		pieces[(*count)++] = behind;
}

struct content *
content_without(struct arena *arena, const struct content *content,
	uint64_t from, uint64_t to)
{
	struct content_piece *pieces;
	struct content *less = content_new(
		arena, content->message, content->count * 2, &pieces);
	size_t i;

	for (i = 0; i < content->count; i++) {
		if (from < to)
			add_without(pieces, &less->count, &content->pieces[i],
				from, to);
		else
			pieces[less->count++] = content->pieces[i];
	}
	return less;
}

static size_t
count_fields(const struct message *message, struct str name)
{
	const struct header_field *field = NULL;
	size_t count = 0;

	while ((field = message_field_next(message, name, field)) != NULL)
		count++;
	return count;
}

/* Adds what the fields called `name`, from *field on, leave of the piece.  Pieces
 * and fields both come in the order of the message. */
static void
add_without_fields(struct content *content, struct content_piece *pieces,
	const struct content_piece *piece, struct str name,
	const struct header_field **field)
{
	struct content_piece rest = *piece;

	while (*field != NULL && (*field)->start < rest.to) {
		struct content_piece before =
			piece_of_message(rest.from, (*field)->start);

		if (!piece_is_empty(&before))
			pieces[content->count++] = before;
		if ((*field)->end > rest.from)
			rest.from = (*field)->end;
		if (rest.from > rest.to)
			return;
		*field = message_field_next(content->message, name, *field);
	}
	if (!piece_is_empty(&rest))
		pieces[content->count++] = rest;
}

static bool
is_named(struct str line, struct str name)
{
	struct str rest = str_skip(line, name.len);
	size_t colon = str_find_char(rest, ':');

	return str_starts_nocase(line, name) && colon < rest.len &&
	       str_trim(str_slice(rest, 0, colon)).len == 0;
}

/* Complete fields in LF lines.  `text` itself when nothing is to be taken out. */
static struct str
text_without_fields(struct arena *arena, struct str text, struct str name)
{
	char *kept = NULL;
	size_t len = 0, at = 0;
	bool is_dropped = false;

	while (at < text.len) {
		struct str rest = str_skip(text, at);
		size_t line = str_find_char(rest, '\n') + 1;

		if (rest.data[0] != ' ' && rest.data[0] != '\t')
			is_dropped = is_named(rest, name);
		if (line > rest.len)
			line = rest.len;
		if (is_dropped && kept == NULL) {
			kept = arena_alloc(arena, text.len);
			memcpy(kept, text.data, at);
		}
		if (!is_dropped && kept != NULL)
			memcpy(kept + len, rest.data, line);
		len += is_dropped ? 0 : line;
		at += line;
	}
	return kept != NULL ? str_of(kept, len) : text;
}

static void
add_text_without_fields(struct arena *arena, struct content *content,
	struct content_piece *pieces, struct str text, struct str name)
{
	text = text_without_fields(arena, text, name);
	if (text.len > 0)
		pieces[content->count++] =
			(struct content_piece){.is_text = true, .text = text};
}

struct content *
content_without_fields(
	struct arena *arena, const struct content *content, struct str name)
{
	const struct message *message = content->message;
	const struct header_field *field =
		message_field_next(message, name, NULL);
	struct content_piece *pieces;
	struct content *less = content_new(arena, message,
		content->count + count_fields(message, name), &pieces);
	bool is_header = true;
	size_t i;

	for (i = 0; i < content->count; i++) {
		const struct content_piece *piece = &content->pieces[i];

		/* The empty line ends the header: in a text, or where the
		 * message has it. */
		if (piece->is_text && str_starts(piece->text, STR("\n")))
			is_header = false;
		if (!is_header)
			pieces[less->count++] = *piece;
		else if (piece->is_text)
			add_text_without_fields(
				arena, less, pieces, piece->text, name);
		else
			add_without_fields(less, pieces, piece, name, &field);
		if (!piece->is_text && piece->to > message_header_end(message))
			is_header = false;
	}
	return less;
}

static bool
piece_is_same(const struct content_piece *a, const struct content_piece *b)
{
	if (a->is_text != b->is_text)
		return false;
	if (a->is_text)
		return str_equal(a->text, b->text);
	return a->from == b->from && a->to == b->to;
}

bool
content_is_same(const struct content *a, const struct content *b)
{
	size_t i;

	if (a->message != b->message || a->count != b->count)
		return false;
	for (i = 0; i < a->count; i++)
		if (!piece_is_same(&a->pieces[i], &b->pieces[i]))
			return false;
	return true;
}

void
content_reader_init(struct content_reader *reader,
	const struct content *content, enum line_ends line_ends, char *buffer,
	size_t size)
{
	/* Converted bytes are at most twice as many, and a kept CR. */
	size_t input = (size - 1) / 3;

	*reader = (struct content_reader){
		.content = content,
		.line_ends = line_ends,
		.size = input,
		.input = buffer,
		.output = buffer + input,
	};
}

static uint64_t
piece_length(const struct content_piece *piece)
{
	return piece->is_text ? piece->text.len : piece->to - piece->from;
}

/* A message of nothing is a piece, too. */
static void
skip_empty(struct content_reader *reader)
{
	while (reader->piece < reader->content->count &&
		piece_is_empty(&reader->content->pieces[reader->piece]))
		reader->piece++;
}

/* The bytes that come next, one at least, at most `most` of them unless that is 0
 * and they are in memory; they are taken by advance(). */
static enum lookup
peek(struct content_reader *reader, size_t most, struct str *bytes_out,
	struct err *err)
{
	const struct message *message = reader->content->message;
	const struct content_piece *piece;
	uint64_t from, to;
	ssize_t got;

	skip_empty(reader);
	if (reader->piece == reader->content->count)
		return LOOKUP_NONE;
	piece = &reader->content->pieces[reader->piece];
	if (piece->is_text) {
		*bytes_out = str_skip(piece->text, (size_t)reader->offset);
		if (most > 0)
			*bytes_out = str_slice(*bytes_out, 0, most);
		return LOOKUP_FOUND;
	}
	from = piece->from + reader->offset;
	to = piece->to;
	if (most > 0 && to - from > most)
		to = from + most;
	if (message_view(message, from, to, bytes_out))
		return LOOKUP_FOUND;
	if (to - from > reader->size)
		to = from + reader->size;
	got = message_read(
		message, reader->input, (size_t)(to - from), from, err);
	if (got <= 0)
		return got < 0 ? LOOKUP_ERROR : LOOKUP_NONE;
	*bytes_out = str_of(reader->input, (size_t)got);
	return LOOKUP_FOUND;
}

static void
advance(struct content_reader *reader, size_t count)
{
	const struct content_piece *piece =
		&reader->content->pieces[reader->piece];

	reader->offset += count;
	if (reader->offset >= piece_length(piece)) {
		reader->piece++;
		reader->offset = 0;
	}
}

/* CR LF to LF.  A CR at the end waits for what follows. */
static size_t
convert_to_lf(struct content_reader *reader, struct str in, char *out)
{
	const char *at = in.data, *end = in.data + in.len;
	char *out_start = out;

	if (reader->pending_cr && *at != '\n')
		*out++ = '\r';
	reader->pending_cr = false;
	while (at < end) {
		const char *cr = memchr(at, '\r', (size_t)(end - at));
		size_t run = (size_t)((cr ? cr : end) - at);

		memcpy(out, at, run);
		out += run;
		at += run;
		if (cr == NULL)
			break;
		at++;
		if (at == end)
			reader->pending_cr = true;
		else if (*at != '\n')
			*out++ = '\r';
	}
	return (size_t)(out - out_start);
}

/* LF to CR LF.  pending_cr: the last byte given out was a CR. */
static size_t
convert_to_crlf(struct content_reader *reader, struct str in, char *out)
{
	const char *at = in.data, *end = in.data + in.len;
	char *out_start = out;

	while (at < end) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));
		size_t run = (size_t)((lf ? lf : end) - at);

		memcpy(out, at, run);
		out += run;
		at += run;
		if (run > 0)
			reader->pending_cr = at[-1] == '\r';
		if (lf == NULL)
			break;
		if (!reader->pending_cr)
			*out++ = '\r';
		*out++ = '\n';
		reader->pending_cr = false;
		at++;
	}
	return (size_t)(out - out_start);
}

static enum lookup
read_converted(
	struct content_reader *reader, struct str *chunk_out, struct err *err)
{
	struct str in;
	size_t len = 0;

	while (len == 0) {
		enum lookup found = peek(reader, reader->size, &in, err);

		if (found != LOOKUP_FOUND)
			return found;
		if (reader->line_ends == LINE_ENDS_LF)
			len = convert_to_lf(reader, in, reader->output);
		else
			len = convert_to_crlf(reader, in, reader->output);
		advance(reader, in.len);
	}
	*chunk_out = str_of(reader->output, len);
	return LOOKUP_FOUND;
}

/* Without a copy: the message has no CR LF.  Where two pieces meet there might
 * be one, so a CR at the end of a piece is left to read_converted(). */
static enum lookup
read_as_it_is(
	struct content_reader *reader, struct str *chunk_out, struct err *err)
{
	enum lookup found = peek(reader, 0, chunk_out, err);

	if (found != LOOKUP_FOUND)
		return found;
	if (chunk_out->data[chunk_out->len - 1] == '\r')
		return read_converted(reader, chunk_out, err);
	advance(reader, chunk_out->len);
	return LOOKUP_FOUND;
}

static uint64_t
count_lines(struct str chunk)
{
	const char *at = chunk.data, *end = chunk.data + chunk.len;
	uint64_t lines = 0;

	while (at < end &&
		(at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		lines++;
		at++;
	}
	return lines;
}

enum lookup
content_read(
	struct content_reader *reader, struct str *chunk_out, struct err *err)
{
	enum lookup found;

	if (reader->line_ends == LINE_ENDS_LF && !reader->pending_cr &&
		message_has_only_lf(reader->content->message))
		found = read_as_it_is(reader, chunk_out, err);
	else
		found = read_converted(reader, chunk_out, err);
	if (found == LOOKUP_FOUND) {
		reader->lines += count_lines(*chunk_out);
		return found;
	}
	/* A CR that nothing followed. */
	if (found == LOOKUP_NONE && reader->pending_cr &&
		reader->line_ends == LINE_ENDS_LF) {
		reader->pending_cr = false;
		*chunk_out = STR("\r");
		return LOOKUP_FOUND;
	}
	return found;
}
