/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/fd.h"
#include "mail/content.h"
#include "mail/message.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool holds)
{
	if (!holds)
		abort();
}

/* Fields lie in the header, in order; every name leads back to them. */
static void
check_fields(const struct message *message)
{
	size_t count, i;
	const struct header_field *fields = message_fields(message, &count);
	uint64_t last = message_start(message);

	for (i = 0; i < count; i++) {
		const struct header_field *same = NULL;
		size_t steps = 0;

		require(fields[i].start >= last);
		require(fields[i].end > fields[i].start);
		require(fields[i].name.len > 0);
		last = fields[i].end;
		do
			same = message_field_next(
				message, fields[i].name, same);
		while (same != NULL && same != &fields[i] && steps++ < count);
		require(same == &fields[i]);
	}
	require(last <= message_body(message));
}

static void
check_same(const struct message *a, const struct message *b)
{
	size_t count_a, count_b;

	message_fields(a, &count_a);
	message_fields(b, &count_b);
	require(count_a == count_b);
	require(message_start(a) == message_start(b));
	require(message_body(a) == message_body(b));
	require(message_end(a) == message_end(b));
	require(message_size_lf(a) == message_size_lf(b));
	require(message_size_crlf(a) == message_size_crlf(b));
}

static void
convert_slowly(struct str in, enum line_ends line_ends, struct buf *out)
{
	size_t i;

	for (i = 0; i < in.len; i++) {
		char c = in.data[i];

		if (c == '\r' && i + 1 < in.len && in.data[i + 1] == '\n')
			continue;
		if (c == '\n' && line_ends == LINE_ENDS_CRLF)
			buf_add_char(out, '\r');
		buf_add_char(out, c);
	}
}

static void
check_content(const struct content *content, enum line_ends line_ends,
	struct str expected)
{
	struct content_reader reader;
	char buffer[4096];
	struct buf found, slow;
	struct str chunk;
	struct err err;

	buf_init(&found, BUF_UNLIMITED);
	buf_init(&slow, BUF_UNLIMITED);
	content_reader_init(
		&reader, content, line_ends, buffer, sizeof(buffer));
	while (content_read(&reader, &chunk, &err) == LOOKUP_FOUND) {
		require(chunk.len > 0);
		buf_add(&found, chunk);
	}
	convert_slowly(expected, line_ends, &slow);
	require(str_equal(buf_view(&found), buf_view(&slow)));
	buf_clear(&found);
	buf_clear(&slow);
}

/* [from, to) cut out and text put in front, against doing it by hand. */
static void
check_splices(const struct message *message, struct str bytes, uint64_t from,
	uint64_t to)
{
	struct arena *arena = arena_open();
	struct content *content = content_of(arena, message);
	struct buf expected;

	buf_init(&expected, BUF_UNLIMITED);
	buf_add_text(&expected, "X: y\n");
	if (from < message_start(message))
		from = message_start(message);
	if (to < from)
		to = from;
	buf_add(&expected,
		str_slice(bytes, (size_t)message_start(message), (size_t)from));
	buf_add(&expected, str_skip(bytes, (size_t)to));
	content = content_without(arena, content, from, to);
	content = content_prepend(arena, content, STR("X: y\n"));
	check_content(content, LINE_ENDS_LF, buf_view(&expected));
	check_content(content, LINE_ENDS_CRLF, buf_view(&expected));
	buf_clear(&expected);
	arena_close(&arena);
}

/* The same message from memory and, by limits that the input chooses, from a
 * descriptor and a temporary file. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct message_limits limits = {.temp_folder = "/dev/shm"};
	struct message *whole = NULL, *parts = NULL;
	struct str bytes, sender;
	struct err err;
	int fd;

	if (size < 4)
		return 0;
	limits.memory_bytes = data[0];
	limits.header_bytes = data[1] < 250 ? data[1] * 8u : 1 << 20;
	limits.header_fields = data[2] < 250 ? data[2] : 1000;
	bytes = str_of((const char *)data + 4, size - 4);
	if (message_open_bytes(bytes, &limits, &whole, &err) < 0)
		abort();
	fd = memfd_create("message", MFD_CLOEXEC);
	require(fd >= 0 && fd_write(fd, bytes) == 0);
	require(lseek(fd, 0, SEEK_SET) == 0);
	require(message_open_fd(fd, &limits, &parts, &err) == 0);
	fd_close(&fd);
	check_fields(whole);
	check_fields(parts);
	check_same(whole, parts);
	message_mbox_sender(whole, &sender);
	check_splices(whole, bytes, data[3], data[0]);
	check_splices(parts, bytes, data[3], data[0]);
	message_close(&whole);
	message_close(&parts);
	return 0;
}
