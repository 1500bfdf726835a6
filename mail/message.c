/* SPDX-License-Identifier: MIT */
#include "mail/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/memory.h"

#include "base/banned.h"

enum { READ_STEP = 64 * 1024, LEAST_ROOM = 4 * 1024 };

#define NO_FIELD UINT32_MAX

struct message {
	/* [0, held_len) of the input: all of it, or (with a file) the part of
	 * the header block that may be indexed. */
	const char *held;
	size_t held_len;
	char *memory; /* what `held` points to when it is ours */
	int fd;       /* everything, when it was too much for memory; or -1 */

	uint64_t start, header_end, body, end;
	bool ends_in_line;
	uint64_t line_ends; /* LF, with or without CR; in [start, end) */
	uint64_t crlf;      /* those with a CR */

	struct header_field *fields;
	size_t count;
	uint32_t *by_name;   /* field numbers by name, then position */
	uint32_t *next_same; /* next field of the same name, or NO_FIELD */
};

/* Where the scan for the empty line stands. */
enum scan_state { LINE_START, LINE_START_CR, IN_LINE, HEADER_ENDED };

struct scan {
	enum scan_state state;
	uint64_t offset; /* of the next byte */
	uint64_t empty;  /* the empty line; valid when HEADER_ENDED */
	uint64_t body;   /* the same */
	uint64_t line_ends;
	uint64_t crlf;
	bool last_was_cr;
	bool last_was_lf;
};

static void
scan_for_body(struct scan *scan, struct str chunk)
{
	size_t at = 0;

	while (at < chunk.len && scan->state != HEADER_ENDED) {
		const char *line_end;

		if (scan->state != IN_LINE && chunk.data[at] == '\n') {
			scan->body = scan->offset + at + 1;
			scan->empty = scan->body -
			              (scan->state == LINE_START_CR ? 2 : 1);
			scan->state = HEADER_ENDED;
			return;
		}
		if (scan->state == LINE_START && chunk.data[at] == '\r') {
			scan->state = LINE_START_CR;
			at++;
			continue;
		}
		scan->state = IN_LINE;
		line_end = memchr(chunk.data + at, '\n', chunk.len - at);
		if (line_end == NULL)
			return;
		at = (size_t)(line_end - chunk.data) + 1;
		scan->state = LINE_START;
	}
}

static void
scan_line_ends(struct scan *scan, struct str chunk)
{
	const char *at = chunk.data, *end = chunk.data + chunk.len;

	while (at < end &&
		(at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		scan->line_ends++;
		if (at > chunk.data ? at[-1] == '\r' : scan->last_was_cr)
			scan->crlf++;
		at++;
	}
	scan->last_was_cr = end[-1] == '\r';
	scan->last_was_lf = end[-1] == '\n';
}

static void
scan_chunk(struct scan *scan, struct str chunk)
{
	if (chunk.len == 0)
		return;
	scan_for_body(scan, chunk);
	scan_line_ends(scan, chunk);
	scan->offset += chunk.len;
}

/* "From : x" is a field with a blank too many, not an mbox line. */
static bool
is_mbox_line(struct str line)
{
	const struct str word = STR("From ");
	size_t at = word.len;

	if (!str_starts(line, word))
		return false;
	while (at < line.len && (line.data[at] == ' ' || line.data[at] == '\t'))
		at++;
	return at == line.len || line.data[at] != ':';
}

/* A first line that goes on beyond the header limit is taken for mail. */
static void
drop_mbox_line(struct message *message, const struct message_limits *limits)
{
	struct str line = str_of(message->held, message->held_len);
	size_t end;

	if (line.len > limits->header_bytes)
		line.len = (size_t)limits->header_bytes;
	end = str_find_char(line, '\n');
	if (!is_mbox_line(str_slice(line, 0, end)))
		return;
	if (end == line.len) {
		if (end == message->end)
			message->start = end;
		return;
	}
	message->start = end + 1;
	message->line_ends--;
	if (line.data[end - 1] == '\r')
		message->crlf--;
}

/* The length of the line at `at`, its line end included. */
static size_t
line_length(struct str block, size_t at)
{
	const char *end = memchr(block.data + at, '\n', block.len - at);

	return end ? (size_t)(end - block.data) + 1 - at : block.len - at;
}

/* The end of the field (or of the line that is none) at `at`, folds included. */
static size_t
field_end(struct str block, size_t at)
{
	do
		at += line_length(block, at);
	while (at < block.len && ascii_is_blank(block.data[at]));
	return at;
}

static struct str
without_line_end(struct str s)
{
	if (s.len > 0 && s.data[s.len - 1] == '\n') {
		s.len--;
		if (s.len > 0 && s.data[s.len - 1] == '\r')
			s.len--;
	}
	return s;
}

static bool
is_field_name(struct str name)
{
	return name.len > 0 && str_find_any(name, " \t") == name.len;
}

/* False when the bytes are no field: no colon in the first line, a blank in
 * front (nothing to continue), no name. */
static bool
field_split(struct str bytes, struct header_field *field)
{
	struct str line = str_slice(bytes, 0, line_length(bytes, 0));
	size_t colon = str_find_char(line, ':'), name_len = colon;

	if (colon == line.len)
		return false;
	/* RFC 5322 4.5: blanks before the colon are obsolete, not wrong. */
	while (name_len > 0 && ascii_is_blank(bytes.data[name_len - 1]))
		name_len--;
	field->name = str_slice(bytes, 0, name_len);
	field->value = str_skip(without_line_end(bytes), colon + 1);
	return is_field_name(field->name);
}

static void
index_add(struct message *message, size_t *room, struct header_field field)
{
	if (message->count == *room) {
		*room = *room ? *room * 2 : 32;
		message->fields = memory_resize(
			message->fields, memory_product(*room, sizeof(field)));
	}
	message->fields[message->count++] = field;
}

/* What the limits leave of the header block, without the empty line. */
static struct str
indexed_block(const struct message *message,
	const struct message_limits *limits, bool *is_cut_out)
{
	uint64_t end = message->body;

	*is_cut_out = false;
	if (end > message->held_len || end > limits->header_bytes) {
		end = message->held_len;
		if (end > limits->header_bytes)
			end = limits->header_bytes;
		*is_cut_out = end < message->body;
	}
	return str_of(message->held, (size_t)end);
}

static bool
is_empty_line(struct str block, size_t at)
{
	size_t len = line_length(block, at);

	return block.data[at] == '\n' || (len == 2 && block.data[at] == '\r' &&
						 block.data[at + 1] == '\n');
}

static void
index_fields(struct message *message, const struct message_limits *limits)
{
	bool is_cut;
	struct str block = indexed_block(message, limits, &is_cut);
	size_t at = (size_t)message->start, room = 0;
	size_t most = limits->header_fields;

	if (most >= NO_FIELD)
		most = NO_FIELD - 1;
	while (at < block.len && message->count < most &&
		!is_empty_line(block, at)) {
		struct header_field field = {.start = at};
		size_t end = field_end(block, at);

		/* The rest of this field lies beyond the limit. */
		if (is_cut && end == block.len)
			break;
		field.end = end;
		if (field_split(str_slice(block, at, end), &field))
			index_add(message, &room, field);
		at = end;
	}
}

bool
message_block_field(struct str block, size_t *at, struct header_field *field)
{
	while (*at < block.len && !is_empty_line(block, *at)) {
		size_t end = field_end(block, *at);

		*field = (struct header_field){.start = *at, .end = end};
		*at = end;
		if (field_split(
			    str_slice(block, (size_t)field->start, end), field))
			return true;
	}
	return false;
}

/* Any total order will do; the length first is the cheapest. */
static int
compare_names(struct str a, struct str b)
{
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return str_compare_nocase(a, b);
}

static int
compare_numbers(const void *a, const void *b, void *context)
{
	const struct message *message = context;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int order =
		compare_names(message->fields[x].name, message->fields[y].name);

	if (order == 0)
		order = x < y ? -1 : x > y;
	return order;
}

/* Sorted rather than hashed: no sender can choose names that make it slow. */
static void
index_names(struct message *message)
{
	size_t bytes = memory_product(message->count, sizeof(uint32_t));
	size_t i;

	if (message->count == 0)
		return;
	message->by_name = memory_get(bytes);
	message->next_same = memory_get(bytes);
	for (i = 0; i < message->count; i++)
		message->by_name[i] = (uint32_t)i;
	qsort_r(message->by_name, message->count, sizeof(uint32_t),
		compare_numbers, message);
	for (i = 0; i < message->count; i++) {
		uint32_t field = message->by_name[i];
		uint32_t next = NO_FIELD;

		if (i + 1 < message->count &&
			compare_names(message->fields[field].name,
				message->fields[message->by_name[i + 1]]
					.name) == 0)
			next = message->by_name[i + 1];
		message->next_same[field] = next;
	}
}

static void
message_index(struct message *message, const struct scan *scan,
	const struct message_limits *limits)
{
	message->end = scan->offset;
	message->body = scan->state == HEADER_ENDED ? scan->body : scan->offset;
	message->header_end =
		scan->state == HEADER_ENDED ? scan->empty : scan->offset;
	message->ends_in_line = scan->last_was_lf;
	message->line_ends = scan->line_ends;
	message->crlf = scan->crlf;
	drop_mbox_line(message, limits);
	index_fields(message, limits);
	index_names(message);
}

/* A message while it comes in.  There is always room for the next chunk behind
 * what is held. */
struct intake {
	struct message *message;
	const struct message_limits *limits;
	struct scan scan;
	size_t size; /* of message->memory */
};

static char *
intake_room(struct intake *intake, size_t *room_out)
{
	struct message *message = intake->message;

	if (intake->size - message->held_len < LEAST_ROOM) {
		intake->size = intake->size ? intake->size * 2 : READ_STEP;
		message->memory = memory_resize(message->memory, intake->size);
		message->held = message->memory;
	}
	*room_out = intake->size - message->held_len;
	if (*room_out > READ_STEP)
		*room_out = READ_STEP;
	return message->memory + message->held_len;
}

static int
fail_temporary_file(const char *folder, struct err *err)
{
	bool is_full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
	const char *status = is_full ? "4.3.1" : "4.3.0";

	return err_temp_errno(
		err, status, "cannot write a temporary file in %s", folder);
}

/* Memory was enough so far if there is no file; then all that is held goes
 * first. */
static int
intake_to_file(struct intake *intake, struct str chunk, struct err *err)
{
	struct message *message = intake->message;
	const char *folder = intake->limits->temp_folder;

	if (message->fd < 0) {
		message->fd = fd_temporary(folder);
		if (message->fd < 0)
			return fail_temporary_file(folder, err);
		chunk = str_of(message->held, message->held_len + chunk.len);
	}
	if (fd_write(message->fd, chunk) < 0)
		return fail_temporary_file(folder, err);
	return 0;
}

/* With a file only the header block stays in memory, up to its limit. */
static void
intake_hold(struct intake *intake, size_t count)
{
	struct message *message = intake->message;
	uint64_t most = intake->limits->header_bytes;

	message->held_len += count;
	if (message->fd < 0)
		return;
	if (intake->scan.state == HEADER_ENDED && intake->scan.body < most)
		most = intake->scan.body;
	if (message->held_len > most)
		message->held_len = (size_t)most;
}

static int
check_size(uint64_t size, const struct message_limits *limits, struct err *err)
{
	if (limits->message_bytes == 0 || size <= limits->message_bytes)
		return 0;
	return err_set(err, ERR_TOO_BIG, "5.2.3",
		"Message size exceeds fixed limit (%llu bytes)",
		(unsigned long long)limits->message_bytes);
}

static int
intake_chunk(struct intake *intake, struct str chunk, struct err *err)
{
	const struct message_limits *limits = intake->limits;

	scan_chunk(&intake->scan, chunk);
	if (check_size(intake->scan.offset, limits, err) < 0)
		return -1;
	if ((intake->message->fd >= 0 ||
		    intake->scan.offset > limits->memory_bytes) &&
		intake_to_file(intake, chunk, err) < 0)
		return -1;
	intake_hold(intake, chunk.len);
	return 0;
}

static int
intake_run(struct intake *intake, int fd, struct err *err)
{
	for (;;) {
		size_t room;
		char *at = intake_room(intake, &room);
		ssize_t got = fd_read(fd, at, room);

		if (got < 0)
			return err_temp_errno(
				err, "4.3.0", "cannot read the message");
		if (got == 0)
			return 0;
		if (intake_chunk(intake, str_of(at, (size_t)got), err) < 0)
			return -1;
	}
}

static void
intake_end(struct intake *intake)
{
	struct message *message = intake->message;

	/* The room for the next chunk is not needed any more. */
	message->memory = memory_resize(message->memory, message->held_len + 1);
	message->held = message->memory;
	message_index(message, &intake->scan, intake->limits);
}

static struct message *
message_new(void)
{
	struct message *message = memory_get(sizeof(*message));

	message->fd = -1;
	return message;
}

int
message_open_fd(int fd, const struct message_limits *limits,
	struct message **message_out, struct err *err)
{
	struct message *message = message_new();
	struct intake intake = {.message = message, .limits = limits};

	if (intake_run(&intake, fd, err) < 0) {
		message_close(&message);
		return -1;
	}
	intake_end(&intake);
	*message_out = message;
	return 0;
}

static int
check_file(int fd, uint64_t size, struct err *err)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return err_temp_errno(err, "4.3.0", "cannot read the message");
	/* Reading a pipe or a device could take for ever. */
	if (!S_ISREG(status.st_mode))
		return err_temp(err, "4.3.0", "the message is no file");
	if ((uint64_t)status.st_size != size)
		return err_temp(err, "4.3.0",
			"the message has %llu bytes, not %llu as was said",
			(unsigned long long)status.st_size,
			(unsigned long long)size);
	return 0;
}

/* [0, size) of the file once, to find the header and to count line ends. */
static int
intake_scan_file(struct intake *intake, int fd, uint64_t size, struct err *err)
{
	while (intake->scan.offset < size) {
		uint64_t left = size - intake->scan.offset;
		size_t room;
		char *at = intake_room(intake, &room);
		ssize_t got;

		if (room > left)
			room = (size_t)left;
		got = fd_read_at(fd, at, room, intake->scan.offset);
		if (got < 0)
			return err_temp_errno(
				err, "4.3.0", "cannot read the message");
		if ((size_t)got < room)
			return err_temp(err, "4.3.0",
				"the message is shorter than was said");
		scan_chunk(&intake->scan, str_of(at, room));
		intake_hold(intake, room);
	}
	return 0;
}

int
message_open_file_take(int *fd, uint64_t size,
	const struct message_limits *limits, struct message **message_out,
	struct err *err)
{
	struct message *message = message_new();
	struct intake intake = {.message = message, .limits = limits};
	int file = *fd;

	*fd = -1;
	if (size > limits->memory_bytes)
		message->fd = file;
	if (check_file(file, size, err) < 0 ||
		check_size(size, limits, err) < 0 ||
		intake_scan_file(&intake, file, size, err) < 0) {
		if (message->fd < 0)
			fd_close(&file);
		message_close(&message);
		return -1;
	}
	if (message->fd < 0)
		fd_close(&file);
	intake_end(&intake);
	*message_out = message;
	return 0;
}

int
message_open_bytes(struct str bytes, const struct message_limits *limits,
	struct message **message_out, struct err *err)
{
	struct message *message;
	struct scan scan = {0};

	if (check_size(bytes.len, limits, err) < 0)
		return -1;
	message = message_new();
	message->held = bytes.len > 0 ? bytes.data : "";
	message->held_len = bytes.len;
	scan_chunk(&scan, bytes);
	message_index(message, &scan, limits);
	*message_out = message;
	return 0;
}

void
message_close(struct message **message)
{
	if (*message == NULL)
		return;
	fd_close(&(*message)->fd);
	memory_free((*message)->memory);
	memory_free((*message)->fields);
	memory_free((*message)->by_name);
	memory_free((*message)->next_same);
	memory_free(*message);
	*message = NULL;
}

/* A quoted local part may hold blanks. */
static size_t
mbox_sender_length(struct str rest)
{
	bool quoted = false;
	size_t at;

	for (at = 0; at < rest.len; at++) {
		if (rest.data[at] == '"')
			quoted = !quoted;
		else if (quoted && rest.data[at] == '\\')
			at++;
		else if (!quoted && ascii_is_blank(rest.data[at]))
			break;
	}
	return at < rest.len ? at : rest.len;
}

bool
message_mbox_sender(const struct message *message, struct str *sender_out)
{
	struct str line = str_of(message->held, (size_t)message->start), sender;

	if (message->start == 0)
		return false;
	line = str_trim(str_skip(line, strlen("From ")));
	sender = str_slice(line, 0, mbox_sender_length(line));
	/* Mozilla writes "From - Fri Jul ...". */
	if (sender.len == 0 || str_is(sender, "-"))
		return false;
	if (str_is_nocase(sender, "MAILER-DAEMON") || str_is(sender, "<>"))
		sender = STR_EMPTY;
	*sender_out = sender;
	return true;
}

const struct header_field *
message_fields(const struct message *message, size_t *count_out)
{
	*count_out = message->count;
	return message->fields;
}

/* The number of the first field of that name. */
static uint32_t
first_field(const struct message *message, struct str name)
{
	size_t from = 0, to = message->count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		uint32_t field = message->by_name[middle];

		if (compare_names(message->fields[field].name, name) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	if (from == message->count ||
		compare_names(message->fields[message->by_name[from]].name,
			name) != 0)
		return NO_FIELD;
	return message->by_name[from];
}

const struct header_field *
message_field_next(const struct message *message, struct str name,
	const struct header_field *after)
{
	uint32_t field;

	if (after != NULL && compare_names(after->name, name) == 0) {
		field = message->next_same[after - message->fields];
	} else {
		field = first_field(message, name);
		while (after != NULL && field != NO_FIELD &&
			message->fields + field < after)
			field = message->next_same[field];
	}
	return field == NO_FIELD ? NULL : message->fields + field;
}

uint64_t
message_start(const struct message *message)
{
	return message->start;
}

uint64_t
message_body(const struct message *message)
{
	return message->body;
}

uint64_t
message_end(const struct message *message)
{
	return message->end;
}

uint64_t
message_header_end(const struct message *message)
{
	return message->header_end;
}

bool
message_ends_in_line(const struct message *message)
{
	return message->ends_in_line;
}

uint64_t
message_size_crlf(const struct message *message)
{
	return message->end - message->start + message->line_ends -
	       message->crlf;
}

uint64_t
message_size_lf(const struct message *message)
{
	return message->end - message->start - message->crlf;
}

bool
message_has_only_lf(const struct message *message)
{
	return message->crlf == 0;
}

bool
message_view(const struct message *message, uint64_t from, uint64_t to,
	struct str *view_out)
{
	if (from > to || to > message->held_len)
		return false;
	*view_out = str_of(message->held + from, (size_t)(to - from));
	return true;
}

ssize_t
message_read(const struct message *message, void *bytes, size_t size,
	uint64_t offset, struct err *err)
{
	struct str view;
	ssize_t got;

	if (offset >= message->end)
		return 0;
	if (size > message->end - offset)
		size = (size_t)(message->end - offset);
	if (message_view(message, offset, offset + size, &view)) {
		memcpy(bytes, view.data, view.len);
		return (ssize_t)view.len;
	}
	got = fd_read_at(message->fd, bytes, size, offset);
	if (got < 0)
		return err_temp_errno(
			err, "4.3.0", "cannot read the temporary file");
	if ((size_t)got < size)
		return err_temp(err, "4.3.0",
			"the temporary file is shorter than what was written");
	return got;
}
