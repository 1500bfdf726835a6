/* SPDX-License-Identifier: MIT */
#include "mail/edited.h"

#include <string.h>

#include "base/memory.h"

#include "base/banned.h"

enum { FIELDS_OF_A_BYTE = 8, READ_BYTES = 16 * 1024 };

struct added {
	struct header_field
		field;   /* the first member: a field is known by it */
	struct str text; /* all of it, line end included */
	bool at_end;
	struct added *next, *previous;
	struct added *self; /* to be changed by who knows the field only */
};

/* New fields beside each other. */
struct added_list {
	struct added *first, *last;
	size_t count;
	uint64_t bytes;
};

/* [from, to): where the piece was when the body was marked; a text that was put
 * there since takes the place of just that. */
struct body_piece {
	struct content_piece piece;
	uint64_t from, to;
	bool is_marked;
	bool is_new;
};

struct body {
	struct body_piece *pieces;
	size_t count, size;
};

struct edited {
	struct arena *arena;
	const struct message *message;
	const struct header_field *fields; /* of the message */
	size_t count;                      /* of them; 0 when begun anew */
	unsigned char *deleted;            /* one bit for each */
	size_t deleted_count;
	struct added_list top, bottom;
	bool is_begun_anew;
	bool has_own_body;               /* that of the message */
	struct body body;                /* else this */
	const struct content *innermost; /* before the first edited_enclose() */
	struct body spare;               /* for the next edited_replace() */
	/* Line ends as CR LF; what the message has, and the edits changed.  True
	 * as long as the body is the message's. */
	uint64_t size_crlf;
};

struct edited *
edited_of(struct arena *arena, const struct message *message)
{
	struct edited *edited = ARENA_NEW(arena, struct edited);

	*edited = (struct edited){
		.arena = arena,
		.message = message,
		.has_own_body = true,
		.size_crlf = message_size_crlf(message),
	};
	edited->fields = message_fields(message, &edited->count);
	edited->deleted =
		arena_alloc(arena, edited->count / FIELDS_OF_A_BYTE + 1);
	return edited;
}

const struct message *
edited_message(const struct edited *edited)
{
	return edited->message;
}

/* ---- lists of new fields ---- */

static void
list_insert(struct added_list *list, struct added *added, bool at_end)
{
	added->previous = at_end ? list->last : NULL;
	added->next = at_end ? NULL : list->first;
	if (added->previous != NULL)
		added->previous->next = added;
	else
		list->first = added;
	if (added->next != NULL)
		added->next->previous = added;
	else
		list->last = added;
	list->count++;
	list->bytes += added->text.len;
}

/* It still knows what came behind it: a walk may go on from there. */
static void
list_remove(struct added_list *list, struct added *added)
{
	if (added->previous != NULL)
		added->previous->next = added->next;
	else
		list->first = added->next;
	if (added->next != NULL)
		added->next->previous = added->previous;
	else
		list->last = added->previous;
	list->count--;
	list->bytes -= added->text.len;
}

static void
list_copy(struct arena *arena, struct added_list *to,
	const struct added_list *from)
{
	const struct added *added;

	*to = (struct added_list){.count = 0};
	for (added = from->first; added != NULL; added = added->next) {
		struct added *copy = ARENA_NEW(arena, struct added);

		*copy = *added;
		copy->self = copy;
		list_insert(to, copy, true);
	}
}

struct edited *
edited_copy(struct arena *arena, const struct edited *edited)
{
	struct edited *copy = ARENA_NEW(arena, struct edited);
	size_t bytes = edited->count / FIELDS_OF_A_BYTE + 1;

	*copy = *edited;
	copy->arena = arena;
	copy->deleted = arena_alloc(arena, bytes);
	memcpy(copy->deleted, edited->deleted, bytes);
	copy->spare = (struct body){.count = 0};
	copy->body.pieces = arena_grow(arena, edited->body.pieces,
		sizeof(*edited->body.pieces), edited->body.count,
		edited->body.count + 1);
	copy->body.size = edited->body.count + 1;
	list_copy(arena, &copy->top, &edited->top);
	list_copy(arena, &copy->bottom, &edited->bottom);
	return copy;
}

/* ---- fields ---- */

static bool
is_of_message(const struct edited *edited, const struct header_field *field)
{
	return edited->count > 0 && field >= edited->fields &&
	       field < edited->fields + edited->count;
}

static bool
is_deleted(const struct edited *edited, size_t field)
{
	return edited->deleted[field / FIELDS_OF_A_BYTE] >>
	               (field % FIELDS_OF_A_BYTE) &
	       1;
}

static struct added *
added_of(const struct header_field *field)
{
	return ((const struct added *)(const void *)field)->self;
}

/* A name without length stands for every name. */
static const struct header_field *
find_added(const struct added *added, struct str name)
{
	for (; added != NULL; added = added->next)
		if (name.len == 0 || str_equal_nocase(added->field.name, name))
			return &added->field;
	return NULL;
}

static const struct header_field *
step_in_message(const struct edited *edited, struct str name,
	const struct header_field *after)
{
	if (name.len > 0)
		return message_field_next(edited->message, name, after);
	if (after == NULL)
		return edited->count > 0 ? edited->fields : NULL;
	return after + 1 < edited->fields + edited->count ? after + 1 : NULL;
}

static const struct header_field *
find_in_message(const struct edited *edited, struct str name,
	const struct header_field *after)
{
	const struct header_field *field = after;

	if (edited->count == 0)
		return NULL;
	do
		field = step_in_message(edited, name, field);
	while (field != NULL &&
		is_deleted(edited, (size_t)(field - edited->fields)));
	return field;
}

static const struct header_field *
find_after(const struct edited *edited, struct str name,
	const struct header_field *after)
{
	bool is_new = after != NULL && !is_of_message(edited, after);
	const struct header_field *found = NULL;

	if (is_new && added_of(after)->at_end)
		return find_added(added_of(after)->next, name);
	if (after == NULL)
		found = find_added(edited->top.first, name);
	else if (is_new)
		found = find_added(added_of(after)->next, name);
	if (found == NULL)
		found = find_in_message(edited, name, is_new ? NULL : after);
	if (found == NULL)
		found = find_added(edited->bottom.first, name);
	return found;
}

const struct header_field *
edited_field_next(const struct edited *edited, struct str name,
	const struct header_field *after)
{
	return name.len > 0 ? find_after(edited, name, after) : NULL;
}

const struct header_field *
edited_field_after(
	const struct edited *edited, const struct header_field *after)
{
	return find_after(edited, STR_EMPTY, after);
}

size_t
edited_field_count(const struct edited *edited)
{
	return edited->count + edited->top.count + edited->bottom.count;
}

/* ---- edits ---- */

/* Lone LFs become CR LF. */
static uint64_t
size_crlf(struct str bytes)
{
	uint64_t size = bytes.len;
	size_t i;

	for (i = 0; i < bytes.len; i++)
		size += bytes.data[i] == '\n' &&
		        (i == 0 || bytes.data[i - 1] != '\r');
	return size;
}

/* "name: value LF" */
static struct str
field_text(struct arena *arena, struct str name, struct str value)
{
	size_t len = name.len + value.len + 3;
	char *text = arena_alloc(arena, len);

	memcpy(text, name.data, name.len);
	memcpy(text + name.len, ": ", 2);
	if (value.len > 0)
		memcpy(text + name.len + 2, value.data, value.len);
	text[len - 1] = '\n';
	return str_of(text, len);
}

void
edited_add(
	struct edited *edited, struct str name, struct str value, bool at_end)
{
	struct added *added = ARENA_NEW(edited->arena, struct added);
	struct str text = field_text(edited->arena, name, value);

	*added = (struct added){
		.field = {.name = str_slice(text, 0, name.len),
			.value = str_slice(text, name.len + 1, text.len - 1)},
		.text = text,
		.at_end = at_end,
		.self = added,
	};
	list_insert(at_end ? &edited->bottom : &edited->top, added, at_end);
	edited->size_crlf += size_crlf(text);
}

static void
delete_of_message(struct edited *edited, const struct header_field *field)
{
	size_t number = (size_t)(field - edited->fields);
	struct str bytes;

	if (is_deleted(edited, number))
		return;
	edited->deleted[number / FIELDS_OF_A_BYTE] |=
		(unsigned char)(1U << (number % FIELDS_OF_A_BYTE));
	edited->deleted_count++;
	if (message_view(edited->message, field->start, field->end, &bytes))
		edited->size_crlf -= size_crlf(bytes);
}

void
edited_delete(struct edited *edited, const struct header_field *field)
{
	struct added *added;

	if (is_of_message(edited, field)) {
		delete_of_message(edited, field);
		return;
	}
	added = added_of(field);
	edited->size_crlf -= size_crlf(added->text);
	list_remove(added->at_end ? &edited->bottom : &edited->top, added);
}

/* ---- body ---- */

static void
body_add(struct edited *edited, struct body *body, struct body_piece piece)
{
	if (body->count == body->size) {
		size_t size = body->size > 0 ? body->size * 2 : 8;

		body->pieces = arena_grow(edited->arena, body->pieces,
			sizeof(piece), body->count, size);
		body->size = size;
	}
	body->pieces[body->count++] = piece;
}

static void
body_add_text(struct edited *edited, struct body *body, struct str text)
{
	if (text.len > 0)
		body_add(edited, body,
			(struct body_piece){.piece = {
						    .is_text = true,
						    .text = text,
					    }});
}

void
edited_set_body(
	struct edited *edited, const struct content_piece *pieces, size_t count)
{
	size_t i;

	edited->has_own_body = false;
	edited->body = (struct body){.count = 0};
	for (i = 0; i < count; i++)
		body_add(edited, &edited->body,
			(struct body_piece){.piece = pieces[i]});
}

static void
give_up_own_body(struct edited *edited)
{
	struct content_piece piece = {.from = message_body(edited->message),
		.to = message_end(edited->message)};

	if (edited->has_own_body)
		edited_set_body(edited, &piece, piece.from < piece.to ? 1 : 0);
}

size_t
edited_body_count(const struct edited *edited)
{
	return edited->body.count;
}

static uint64_t
piece_size(const struct content_piece *piece)
{
	return piece->is_text ? piece->text.len : piece->to - piece->from;
}

void
edited_mark_body(struct edited *edited, uint64_t start)
{
	size_t i;

	give_up_own_body(edited);
	for (i = 0; i < edited->body.count; i++) {
		struct body_piece *piece = &edited->body.pieces[i];

		piece->from = start;
		start += piece_size(&piece->piece);
		piece->to = start;
		piece->is_marked = true;
		piece->is_new = false;
	}
}

/* What [from, to) of the places leaves of the piece. */
static struct body_piece
cut_piece(const struct body_piece *piece, uint64_t from, uint64_t to)
{
	struct body_piece cut = *piece;
	uint64_t skipped = from - piece->from;

	if (cut.piece.is_text) {
		cut.piece.text = str_slice(piece->piece.text, (size_t)skipped,
			(size_t)(to - piece->from));
	} else {
		cut.piece.from += skipped;
		cut.piece.to = cut.piece.from + (to - from);
	}
	cut.from = from;
	cut.to = to;
	return cut;
}

static bool
is_within(const struct body_piece *piece, uint64_t from, uint64_t to)
{
	return piece->is_new && piece->from <= from && to <= piece->to &&
	       (piece->from < from || to < piece->to);
}

static bool
is_gone(const struct edited *edited, uint64_t from, uint64_t to)
{
	size_t i;

	for (i = 0; i < edited->body.count; i++)
		if (is_within(&edited->body.pieces[i], from, to))
			return true;
	return false;
}

static bool
is_same_place(const struct body_piece *a, const struct body_piece *b)
{
	return a->from == b->from && a->to == b->to;
}

/* Pieces without a place stand around those that have one. */
static size_t
count_before(const struct body *body, const struct body_piece *new)
{
	bool has_place = false;
	size_t i;

	for (i = 0; i < body->count; i++) {
		const struct body_piece *piece = &body->pieces[i];

		if (piece->is_marked ? piece->to > new->from ||
					       is_same_place(piece, new)
				     : has_place)
			break;
		has_place = piece->is_marked;
	}
	return i;
}

bool
edited_replace(
	struct edited *edited, uint64_t from, uint64_t to, struct str text)
{
	const struct body_piece new = {
		.piece = {.is_text = true, .text = text},
		.from = from,
		.to = to,
		.is_marked = true,
		.is_new = true,
	};
	const struct body old = edited->body;
	const struct body_piece *at = old.pieces, *end;
	struct body *out = &edited->spare;

	if (is_gone(edited, from, to))
		return false;
	out->count = 0;
	for (end = at + count_before(&old, &new); at < end; at++)
		body_add(edited, out, *at);
	end = old.pieces + old.count;
	if (at < end && at->is_marked && at->from < from)
		body_add(edited, out, cut_piece(at, at->from, from));
	body_add(edited, out, new);
	while (at < end && at->is_marked && at->to <= to)
		at++;
	if (at < end && at->is_marked && at->from < to) {
		body_add(edited, out, cut_piece(at, to, at->to));
		at++;
	}
	for (; at < end; at++)
		body_add(edited, out, *at);
	edited->body = *out;
	edited->spare = old;
	return true;
}

/* ---- content ---- */

/* Text on top, before the body and the body's empty line; runs of the message:
 * one more than there are holes. */
static size_t
most_pieces(const struct edited *edited)
{
	return edited->deleted_count + edited->body.count + 5;
}

uint64_t
edited_content_cost(const struct edited *edited)
{
	return sizeof(struct content) + edited->top.bytes +
	       edited->bottom.bytes + 2 +
	       (uint64_t)most_pieces(edited) * sizeof(struct content_piece);
}

struct builder {
	struct arena *arena;
	const struct edited *edited;
	struct content_piece *pieces;
	size_t count;
};

static void
build_text(struct builder *builder, struct str text)
{
	if (text.len > 0)
		builder->pieces[builder->count++] =
			(struct content_piece){.is_text = true, .text = text};
}

static bool
ends_at(const struct builder *builder, uint64_t at)
{
	const struct content_piece *last;

	if (builder->count == 0)
		return false;
	last = &builder->pieces[builder->count - 1];
	return !last->is_text && last->to == at;
}

/* Runs of the message that meet are one. */
static void
build_run(struct builder *builder, uint64_t from, uint64_t to)
{
	if (from >= to)
		return;
	if (ends_at(builder, from))
		builder->pieces[builder->count - 1].to = to;
	else
		builder->pieces[builder->count++] =
			(struct content_piece){.from = from, .to = to};
}

static void
build_list(struct builder *builder, const struct added_list *list)
{
	char *text = arena_alloc(builder->arena, (size_t)list->bytes + 1);
	const struct added *added;
	size_t len = 0;

	for (added = list->first; added != NULL; added = added->next) {
		memcpy(text + len, added->text.data, added->text.len);
		len += added->text.len;
	}
	build_text(builder, str_of(text, len));
}

static void
build_old_header(struct builder *builder)
{
	const struct edited *edited = builder->edited;
	const struct message *message = edited->message;
	uint64_t at = message_start(message);
	size_t i, left = edited->deleted_count;

	for (i = 0; left > 0; i++) {
		if (!is_deleted(edited, i))
			continue;
		build_run(builder, at, edited->fields[i].start);
		at = edited->fields[i].end;
		left--;
	}
	build_run(builder, at, message_header_end(message));
}

/* A message that ends in the middle of its last field. */
static bool
lacks_line_end(const struct builder *builder)
{
	const struct message *message = builder->edited->message;

	return ends_at(builder, message_end(message)) &&
	       !message_ends_in_line(message);
}

static void
build_piece(struct builder *builder, const struct content_piece *piece)
{
	if (piece->is_text)
		build_text(builder, piece->text);
	else
		build_run(builder, piece->from, piece->to);
}

static void
build_body(struct builder *builder)
{
	const struct edited *edited = builder->edited;
	const struct message *message = edited->message;
	size_t i;

	if (edited->has_own_body) {
		build_run(builder, message_header_end(message),
			message_end(message));
		return;
	}
	build_text(builder, STR("\n"));
	for (i = 0; i < edited->body.count; i++)
		build_piece(builder, &edited->body.pieces[i].piece);
}

static struct builder
builder_of(struct arena *arena, const struct edited *edited)
{
	return (struct builder){
		.arena = arena,
		.edited = edited,
		.pieces = ARENA_ARRAY(
			arena, struct content_piece, most_pieces(edited)),
	};
}

/* All fields, every one with its line end. */
static void
build_header(struct builder *builder)
{
	const struct edited *edited = builder->edited;

	build_list(builder, &edited->top);
	if (!edited->is_begun_anew)
		build_old_header(builder);
	if (lacks_line_end(builder) &&
		(edited->bottom.count > 0 || !edited->has_own_body))
		build_text(builder, STR("\n"));
	build_list(builder, &edited->bottom);
}

const struct content *
edited_content(struct arena *arena, const struct edited *edited)
{
	struct content *content = ARENA_NEW(arena, struct content);
	struct builder builder = builder_of(arena, edited);

	build_header(&builder);
	build_body(&builder);
	*content = (struct content){
		.message = edited->message,
		.pieces = builder.pieces,
		.count = builder.count,
	};
	return content;
}

/* ---- a new message around it ---- */

static void
forget_fields(struct edited *edited)
{
	edited->is_begun_anew = true;
	edited->count = edited->deleted_count = 0;
	edited->top = edited->bottom = (struct added_list){.count = 0};
}

/* The pieces of the old body are known by their places still. */
void
edited_enclose(struct edited *edited, struct str before, struct str behind)
{
	struct body old, *body = &edited->body;
	struct builder header;
	size_t i;

	if (edited->innermost == NULL)
		edited->innermost = edited_content(edited->arena, edited);
	give_up_own_body(edited);
	header = builder_of(edited->arena, edited);
	build_header(&header);
	old = edited->body;
	*body = (struct body){.count = 0};
	body_add_text(edited, body, before);
	for (i = 0; i < header.count; i++)
		body_add(edited, body,
			(struct body_piece){.piece = header.pieces[i]});
	body_add_text(edited, body, STR("\n"));
	for (i = 0; i < old.count; i++)
		body_add(edited, body, old.pieces[i]);
	body_add_text(edited, body, behind);
	forget_fields(edited);
}

const struct content *
edited_innermost(const struct edited *edited)
{
	return edited->innermost;
}

/* ---- size ---- */

static int
read_size(const struct content *content, uint64_t *size_out, struct err *err)
{
	struct content_reader reader;
	char buffer[READ_BYTES];
	enum lookup found;
	struct str chunk;

	*size_out = 0;
	content_reader_init(
		&reader, content, LINE_ENDS_CRLF, buffer, sizeof(buffer));
	while ((found = content_read(&reader, &chunk, err)) == LOOKUP_FOUND)
		*size_out += chunk.len;
	return found == LOOKUP_ERROR ? -1 : 0;
}

/* edited_content() may have to supply a line end. */
static bool
is_cut_short(const struct edited *edited)
{
	const struct message *message = edited->message;

	return edited->bottom.count > 0 && !message_ends_in_line(message) &&
	       message_header_end(message) == message_end(message);
}

int
edited_size_crlf(
	const struct edited *edited, uint64_t *size_out, struct err *err)
{
	struct arena *arena;
	int result;

	if (edited->has_own_body && !is_cut_short(edited)) {
		*size_out = edited->size_crlf;
		return 0;
	}
	arena = arena_open();
	result = read_size(edited_content(arena, edited), size_out, err);
	arena_close(&arena);
	return result;
}
