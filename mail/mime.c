/* SPDX-License-Identifier: MIT */
#include "mail/mime.h"

#include "base/buf.h"
#include "base/charset.h"
#include "base/memory.h"
#include "mail/boundary.h"
#include "mail/mimevalue.h"

#include "base/banned.h"

enum {
	DEFAULT_PARTS = 10000,
	DEFAULT_DEPTH = 100,
	WINDOW = 64 * 1024,
	/* A line that is longer may come in pieces; no boundary is. */
	LINE_LEAST = 4 * 1024,
	TYPE_MOST = 127 /* RFC 6838 4.2 */
};

/* ---- the source ---- */

static bool
view_message(
	const void *object, uint64_t from, uint64_t to, struct str *view_out)
{
	return message_view(object, from, to, view_out);
}

static ssize_t
read_message(const void *object, void *bytes, size_t size, uint64_t offset,
	struct err *err)
{
	return message_read(object, bytes, size, offset, err);
}

struct mime_source
mime_source_message(const struct message *message)
{
	return (struct mime_source){
		.object = message,
		.start = message_start(message),
		.end = message_end(message),
		.view = view_message,
		.read = read_message,
	};
}

/* Where each piece of a content begins, and where the last one ends. */
struct pieces {
	const struct content *content;
	uint64_t *starts;
};

static uint64_t
piece_size(const struct content_piece *piece)
{
	return piece->is_text ? piece->text.len : piece->to - piece->from;
}

/* The piece that holds this offset, which is before the end. */
static size_t
piece_at(const struct pieces *pieces, uint64_t offset)
{
	size_t from = 0, to = pieces->content->count;

	while (to - from > 1) {
		size_t middle = from + (to - from) / 2;

		if (pieces->starts[middle] <= offset)
			from = middle;
		else
			to = middle;
	}
	return from;
}

static bool
view_content(
	const void *object, uint64_t from, uint64_t to, struct str *view_out)
{
	const struct pieces *pieces = object;
	const struct content_piece *piece;
	size_t index;

	*view_out = STR_EMPTY;
	if (from == to)
		return true;
	index = piece_at(pieces, from);
	if (to > pieces->starts[index + 1])
		return false;
	piece = &pieces->content->pieces[index];
	from -= pieces->starts[index];
	to -= pieces->starts[index];
	if (!piece->is_text)
		return message_view(pieces->content->message,
			piece->from + from, piece->from + to, view_out);
	*view_out = str_slice(piece->text, (size_t)from, (size_t)to);
	return true;
}

/* Up to the end of a piece. */
static ssize_t
read_content(const void *object, void *bytes, size_t size, uint64_t offset,
	struct err *err)
{
	const struct pieces *pieces = object;
	size_t index = piece_at(pieces, offset);
	const struct content_piece *piece = &pieces->content->pieces[index];
	uint64_t left = pieces->starts[index + 1] - offset;
	struct str rest;

	offset -= pieces->starts[index];
	if (size > left)
		size = (size_t)left;
	if (!piece->is_text)
		return message_read(pieces->content->message, bytes, size,
			piece->from + offset, err);
	rest = str_slice(piece->text, (size_t)offset, (size_t)offset + size);
	memcpy(bytes, rest.data, rest.len);
	return (ssize_t)rest.len;
}

struct mime_source
mime_source_content(struct arena *arena, const struct content *content)
{
	struct pieces *pieces = ARENA_NEW(arena, struct pieces);
	uint64_t end = 0;
	size_t i;

	pieces->content = content;
	pieces->starts = ARENA_ARRAY(arena, uint64_t, content->count + 1);
	for (i = 0; i < content->count; i++) {
		pieces->starts[i] = end;
		end += piece_size(&content->pieces[i]);
	}
	pieces->starts[content->count] = end;
	return (struct mime_source){
		.object = pieces,
		.end = end,
		.view = view_content,
		.read = read_content,
	};
}

int
mime_source_each(const struct mime_source *source, uint64_t from, uint64_t to,
	bool (*take)(void *context, struct str piece), void *context,
	struct err *err)
{
	struct str view;
	char *window;
	ssize_t got = 0;

	if (source->view(source->object, from, to, &view)) {
		if (view.len > 0)
			(void)take(context, view);
		return 0;
	}
	window = memory_get(WINDOW);
	while (from < to) {
		size_t size = to - from < WINDOW ? (size_t)(to - from) : WINDOW;

		got = source->read(source->object, window, size, from, err);
		if (got <= 0 || !take(context, str_of(window, (size_t)got)))
			break;
		from += (size_t)got;
	}
	memory_free(window);
	return got < 0 ? -1 : 0;
}

/* ---- lines ---- */

/* A line, or a piece of a very long one. */
struct piece {
	struct str bytes; /* line end included */
	uint64_t offset;
	bool begins_line;
	bool ends_line;
};

struct lines {
	const struct mime_source *source;
	struct str rest; /* at hand and not yet given out */
	uint64_t offset; /* of rest */
	char *window;    /* NULL: everything is at hand */
	bool in_line;
};

static void
lines_start(struct lines *lines, const struct mime_source *source)
{
	*lines = (struct lines){.source = source, .offset = source->start};
	if (!source->view(
		    source->object, source->start, source->end, &lines->rest)) {
		lines->window = memory_get(WINDOW);
		lines->rest = str_of(lines->window, 0);
	}
}

/* Fills the window up: what is left moves to its beginning. */
static int
lines_fill(struct lines *lines, struct err *err)
{
	const struct mime_source *source = lines->source;
	uint64_t next = lines->offset + lines->rest.len;
	size_t room = WINDOW - lines->rest.len;
	ssize_t got;

	if (lines->rest.len > 0)
		memmove(lines->window, lines->rest.data, lines->rest.len);
	lines->rest.data = lines->window;
	if (room > source->end - next)
		room = (size_t)(source->end - next);
	got = source->read(source->object, lines->window + lines->rest.len,
		room, next, err);
	if (got < 0)
		return -1;
	if (got == 0)
		return err_temp(err, "4.3.0", "the message has become shorter");
	lines->rest.len += (size_t)got;
	return 0;
}

static bool
lines_all_read(const struct lines *lines)
{
	return lines->offset + lines->rest.len >= lines->source->end;
}

/* 1: a piece; 0: the end; -1: cannot be read. */
static int
lines_next(struct lines *lines, struct piece *piece, struct err *err)
{
	size_t len = str_find_char(lines->rest, '\n');

	while (len == lines->rest.len && lines->rest.len < LINE_LEAST &&
		!lines_all_read(lines)) {
		if (lines_fill(lines, err) < 0)
			return -1;
		len = str_find_char(lines->rest, '\n');
	}
	if (lines->rest.len == 0)
		return 0;
	piece->ends_line = len < lines->rest.len;
	if (piece->ends_line)
		len++;
	piece->bytes = str_slice(lines->rest, 0, len);
	piece->offset = lines->offset;
	piece->begins_line = !lines->in_line;
	lines->in_line = !piece->ends_line;
	lines->rest = str_skip(lines->rest, len);
	lines->offset += len;
	return 1;
}

/* ---- the parts that are open ---- */

struct frame {
	size_t part;
	struct str boundary; /* empty: no lines divide it, or no more */
	bool is_divided;     /* by one line at least */
};

struct scan {
	struct arena *arena;
	struct arena *scratch; /* while a field is read */
	struct mime_limits limits;
	struct mime_part *parts;
	size_t count, size;
	struct frame *frames; /* from the whole message to the innermost */
	size_t depth, frames_size;
	struct boundary_set boundaries;
	size_t line_end; /* bytes of the last line's end */
	bool is_cut;     /* a limit was reached */
	bool is_full;    /* that of parts: no line divides any more */

	/* The innermost part's header. */
	bool in_header;
	bool has_type, has_encoding; /* the first field of each counts */
	struct str boundary;
	bool in_field; /* Content-... */
	struct buf field;
	uint64_t work;
};

static struct mime_part *
innermost(struct scan *scan)
{
	return &scan->parts[scan->frames[scan->depth - 1].part];
}

static bool
is_digest(const struct mime_part *part)
{
	return part->is_multipart && str_is(part->subtype, "digest");
}

/* RFC 2045 5.2, RFC 2046 5.1.5 */
static void
set_default_type(struct scan *scan, struct mime_part *part)
{
	bool in_digest =
		scan->depth > 1 && is_digest(&scan->parts[part->parent]);

	part->type = in_digest ? STR("message") : STR("text");
	part->subtype = in_digest ? STR("rfc822") : STR("plain");
}

static void
open_part(struct scan *scan, uint64_t at)
{
	struct mime_part *part;

	if (scan->count == scan->size) {
		size_t size = scan->size > 0 ? scan->size * 2 : 8;

		scan->parts = memory_resize(scan->parts,
			memory_product(size, sizeof(*scan->parts)));
		scan->size = size;
	}
	if (scan->depth == scan->frames_size) {
		size_t size = scan->frames_size > 0 ? scan->frames_size * 2 : 8;

		scan->frames = memory_resize(scan->frames,
			memory_product(size, sizeof(*scan->frames)));
		scan->frames_size = size;
	}
	part = &scan->parts[scan->count];
	*part = (struct mime_part){
		.header = at,
		.body = at,
		.charset = STR_EMPTY,
		.parent = scan->depth > 0 ? scan->frames[scan->depth - 1].part
	                                  : 0,
		.depth = scan->depth,
	};
	scan->frames[scan->depth++] =
		(struct frame){.part = scan->count++, .boundary = STR_EMPTY};
	set_default_type(scan, part);
	scan->in_header = true;
	scan->in_field = scan->has_type = scan->has_encoding = false;
	scan->boundary = STR_EMPTY;
}

/* ---- headers ---- */

static struct str
parameter_value(const struct mimevalue *mimevalue, const char *name)
{
	const struct mime_parameter *parameter =
		mimevalue_find(mimevalue, str_from(name));

	return parameter != NULL ? parameter->value : STR_EMPTY;
}

/* Longer words than RFC 6838 4.2 allows name nothing. */
static void
set_type(struct scan *scan, struct mime_part *part,
	const struct mimevalue *mimevalue)
{
	if (mimevalue->type.len > TYPE_MOST ||
		mimevalue->subtype.len > TYPE_MOST) {
		part->type = STR("application");
		part->subtype = STR("octet-stream");
		return;
	}
	part->type = arena_lower(scan->arena, mimevalue->type);
	part->subtype = arena_lower(scan->arena, mimevalue->subtype);
}

/* A value without a type or subtype counts as none (RFC 2045 5.2). */
static void
take_type(struct scan *scan, struct mime_part *part, struct str value)
{
	struct arena_mark mark = arena_mark(scan->scratch);
	struct mimevalue mimevalue;
	struct str boundary, charset;

	mimevalue_parse(scan->scratch, value, &mimevalue);
	if (mimevalue.type.len > 0 && mimevalue.subtype.len > 0) {
		set_type(scan, part, &mimevalue);
		charset = parameter_value(&mimevalue, "charset");
		if (charset.len <= CHARSET_NAME_MOST)
			part->charset = arena_lower(scan->arena, charset);
		boundary = str_trim(parameter_value(&mimevalue, "boundary"));
		if (boundary.len <= BOUNDARY_MOST)
			scan->boundary = arena_copy(scan->arena, boundary);
	}
	arena_release(scan->scratch, mark);
}

static void
end_field(struct scan *scan)
{
	struct str field = buf_view(&scan->field);
	size_t colon = str_find_char(field, ':');
	struct str name = str_trim(str_slice(field, 0, colon));
	struct str value = str_skip(field, colon + 1);
	struct mime_part *part = innermost(scan);

	if (!scan->in_field)
		return;
	scan->in_field = false;
	if (colon == field.len)
		return;
	if (str_is_nocase(name, "Content-Type") && !scan->has_type) {
		scan->has_type = true;
		take_type(scan, part, value);
	} else if (str_is_nocase(name, "Content-Transfer-Encoding") &&
		   !scan->has_encoding) {
		scan->has_encoding = true;
		part->encoding = transfer_find(value);
	}
}

static size_t
line_end_length(struct str line)
{
	size_t len = line.len;

	if (len == 0 || line.data[len - 1] != '\n')
		return 0;
	return len > 1 && line.data[len - 2] == '\r' ? 2 : 1;
}

static bool
has_room_inside(struct scan *scan)
{
	if (scan->depth <= scan->limits.depth &&
		scan->count < scan->limits.parts)
		return true;
	scan->is_cut = true;
	return false;
}

static bool
is_nested_message(const struct mime_part *part)
{
	return str_is(part->type, "message") &&
	       (str_is(part->subtype, "rfc822") ||
		       str_is(part->subtype, "global")) &&
	       part->encoding == TRANSFER_IDENTITY;
}

/* At the empty line.  A transfer encoding of a multipart is forbidden (RFC 2045
 * 6.4); those who name one do not mean it. */
static void
end_header(struct scan *scan, uint64_t header_end, uint64_t body)
{
	struct mime_part *part = innermost(scan);

	part->header_end = header_end;
	part->body = body;
	part->has_body = true;
	part->is_multipart = str_is(part->type, "multipart");
	scan->in_header = false;
	if (part->is_multipart && scan->boundary.len > 0 &&
		has_room_inside(scan)) {
		scan->frames[scan->depth - 1].boundary = scan->boundary;
		boundary_add(
			&scan->boundaries, scan->boundary, scan->depth - 1);
	} else if (is_nested_message(part) && has_room_inside(scan)) {
		part->is_message = true;
		open_part(scan, body);
	}
}

/* A piece that goes on with the line before is more of the same. */
static void
header_piece(struct scan *scan, const struct piece *piece)
{
	bool is_new =
		piece->begins_line && !ascii_is_blank(piece->bytes.data[0]);

	if (piece->begins_line &&
		piece->bytes.len == line_end_length(piece->bytes)) {
		end_field(scan);
		end_header(
			scan, piece->offset, piece->offset + piece->bytes.len);
		return;
	}
	if (is_new) {
		end_field(scan);
		scan->in_field =
			str_starts_nocase(piece->bytes, STR("content-"));
		buf_reset(&scan->field);
	}
	if (scan->in_field)
		buf_add(&scan->field, piece->bytes);
}

/* ---- boundaries ---- */

/* `end`: where its content ends.  A header that a boundary cuts off has no line
 * end to give away, nor has an empty body.  The result is where it did end. */
static uint64_t
end_part(struct scan *scan, uint64_t end, uint64_t line)
{
	struct frame *frame = &scan->frames[scan->depth - 1];
	struct mime_part *part = innermost(scan);

	if (scan->in_header) {
		end_field(scan);
		scan->in_header = false;
		part->is_multipart = str_is(part->type, "multipart");
		part->header_end = part->body = line;
	}
	if (frame->boundary.len > 0)
		boundary_remove(&scan->boundaries, frame->boundary);
	part->end = end > part->body ? end : part->body;
	if (!frame->is_divided || part->prologue_end > part->end)
		part->prologue_end = part->end;
	if (part->epilogue > part->end)
		part->epilogue = part->end;
	part->next = scan->count;
	scan->depth--;
	return part->end;
}

static void
close_multipart(struct scan *scan, uint64_t epilogue)
{
	struct frame *frame = &scan->frames[scan->depth - 1];
	struct mime_part *part = innermost(scan);

	boundary_remove(&scan->boundaries, frame->boundary);
	frame->boundary = STR_EMPTY;
	part->has_epilogue = true;
	part->epilogue = epilogue;
}

/* The line divides the multipart that is frame number `owner`. */
static void
divide(struct scan *scan, const struct piece *piece, size_t owner,
	bool is_closing)
{
	uint64_t line = piece->offset, end = line - scan->line_end;
	uint64_t behind = line + piece->bytes.len;
	struct frame *frame = &scan->frames[owner];
	struct mime_part *part = &scan->parts[frame->part];

	while (scan->depth > owner + 1)
		end = end_part(scan, end, line);
	if (!frame->is_divided)
		part->prologue_end = end > part->body ? end : part->body;
	frame->is_divided = true;
	if (is_closing)
		close_multipart(scan, behind);
	else
		open_part(scan, behind);
}

/* False when the piece is no boundary's line. */
static bool
boundary_piece(struct scan *scan, const struct piece *piece)
{
	struct str line = piece->bytes;
	size_t owner, length;
	bool is_closing;

	if (!piece->begins_line || scan->boundaries.count == 0 ||
		!str_starts(line, STR("--")))
		return false;
	/* Longer ones come in pieces. */
	if (line.len >= LINE_LEAST)
		return false;
	line = str_slice(line, 2, line.len - line_end_length(line));
	if (!boundary_find(&scan->boundaries, line, &owner, &length))
		return false;
	is_closing = str_starts(str_skip(line, length), STR("--"));
	if (!is_closing && scan->count >= scan->limits.parts) {
		scan->is_cut = scan->is_full = true;
		return false;
	}
	divide(scan, piece, owner, is_closing);
	return true;
}

/* ---- all ---- */

/* Nothing that may follow changes what the parts are. */
static bool
is_decided(const struct scan *scan)
{
	return !scan->in_header &&
	       (scan->is_full || scan->boundaries.count == 0);
}

static int
scan_all(struct scan *scan, struct lines *lines, struct err *err)
{
	struct piece piece;
	int result;

	while (!is_decided(scan)) {
		result = lines_next(lines, &piece, err);
		if (result <= 0)
			return result;
		scan->work++;
		if (scan->is_full || !boundary_piece(scan, &piece)) {
			if (scan->in_header)
				header_piece(scan, &piece);
		}
		if (piece.ends_line)
			scan->line_end = line_end_length(piece.bytes);
	}
	return 0;
}

static struct mime *
make_result(struct scan *scan, uint64_t end)
{
	struct mime *mime = ARENA_NEW(scan->arena, struct mime);
	struct mime_part *parts;

	while (scan->depth > 0)
		end = end_part(scan, end, end);
	parts = ARENA_ARRAY(scan->arena, struct mime_part, scan->count);
	memcpy(parts, scan->parts, scan->count * sizeof(*parts));
	mime->parts = parts;
	mime->count = scan->count;
	mime->is_cut = scan->is_cut;
	mime->work = scan->work + scan->boundaries.steps;
	return mime;
}

int
mime_parse(struct arena *arena, const struct mime_source *source,
	const struct mime_limits *limits, struct mime **mime_out,
	struct err *err)
{
	struct scan scan = {
		.arena = arena,
		.scratch = arena_open(),
		.limits = *limits,
	};
	struct lines lines;
	int result;

	if (scan.limits.parts == 0)
		scan.limits.parts = DEFAULT_PARTS;
	if (scan.limits.depth == 0)
		scan.limits.depth = DEFAULT_DEPTH;
	buf_init(&scan.field, MIME_FIELD_MOST);
	lines_start(&lines, source);
	open_part(&scan, source->start);
	result = scan_all(&scan, &lines, err);
	if (result == 0)
		*mime_out = make_result(&scan, source->end);
	boundary_set_clear(&scan.boundaries);
	buf_clear(&scan.field);
	memory_free(lines.window);
	memory_free(scan.parts);
	memory_free(scan.frames);
	arena_close(&scan.scratch);
	return result;
}
