/* SPDX-License-Identifier: MIT */
#include "mail/content.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static struct message *
open_message(struct str bytes, uint64_t memory_bytes)
{
	struct message_limits limits = {
		.memory_bytes = memory_bytes,
		.header_bytes = 1024 * 1024,
		.header_fields = 1000,
		.temp_folder = test_folder(),
	};
	const char *path = test_file_bytes("message", bytes);
	struct message *message = NULL;
	struct err err;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	REQUIRE(fd >= 0);
	REQUIRE(message_open_fd(fd, &limits, &message, &err) == 0);
	fd_close(&fd);
	return message;
}

enum { IN_MEMORY = 1 << 20, IN_A_FILE = 0 };

static void
read_all(const struct content *content, enum line_ends line_ends, size_t size,
	struct buf *out)
{
	struct content_reader reader;
	char *buffer = malloc(size);
	uint64_t lines = 0;
	struct str chunk;
	enum lookup found;
	struct err err;
	size_t i;

	REQUIRE(buffer != NULL);
	buf_reset(out);
	content_reader_init(&reader, content, line_ends, buffer, size);
	while ((found = content_read(&reader, &chunk, &err)) == LOOKUP_FOUND) {
		REQUIRE(chunk.len > 0);
		buf_add(out, chunk);
	}
	CHECK_INT(found, LOOKUP_NONE);
	CHECK_INT(content_read(&reader, &chunk, &err), LOOKUP_NONE);
	for (i = 0; i < out->len; i++)
		lines += out->data[i] == '\n';
	CHECK_UINT(reader.lines, lines);
	free(buffer);
}

static void
check_content(const struct content *content, const char *lf, const char *crlf)
{
	struct buf out;

	buf_init(&out, BUF_UNLIMITED);
	read_all(content, LINE_ENDS_LF, 4096, &out);
	CHECK_STR_IS(buf_view(&out), lf);
	read_all(content, LINE_ENDS_CRLF, 4096, &out);
	CHECK_STR_IS(buf_view(&out), crlf);
	buf_clear(&out);
}

TEST(a_message_comes_out_with_the_line_ends_asked_for)
{
	struct arena *arena = arena_open();
	uint64_t memory;

	for (memory = IN_A_FILE; memory <= IN_MEMORY; memory += IN_MEMORY) {
		struct message *message =
			open_message(STR("A: b\r\n\nc\rd\r\r\ne\r"), memory);

		check_content(content_of(arena, message), "A: b\n\nc\rd\r\ne\r",
			"A: b\r\n\r\nc\rd\r\r\ne\r");
		message_close(&message);
	}
	arena_close(&arena);
}

TEST(a_lone_cr_survives_in_a_message_that_has_only_lf)
{
	struct arena *arena = arena_open();
	uint64_t memory;

	for (memory = IN_A_FILE; memory <= IN_MEMORY; memory += IN_MEMORY) {
		struct message *message =
			open_message(STR("A\rb\n\nend\r"), memory);

		CHECK(message_has_only_lf(message));
		check_content(content_of(arena, message), "A\rb\n\nend\r",
			"A\rb\r\n\r\nend\r");
		message_close(&message);
	}
	arena_close(&arena);
}

TEST(an_empty_message_gives_no_chunk)
{
	struct arena *arena = arena_open();
	struct message *message = open_message(STR(""), IN_MEMORY);

	check_content(content_of(arena, message), "", "");
	check_content(content_prepend(
			      arena, content_of(arena, message), STR("A: b\n")),
		"A: b\n", "A: b\r\n");
	message_close(&message);
	arena_close(&arena);
}

TEST(pieces_of_nothing_are_passed_over)
{
	struct arena *arena = arena_open();
	struct message *message = open_message(STR(""), IN_MEMORY);
	const struct content_piece pieces[] = {
		{.is_text = true, .text = STR("")}, {.from = 0, .to = 0},
		{.is_text = true, .text = STR("one\n")},
		{.is_text = true, .text = STR("")},
		{.is_text = true, .text = STR("two\n")}, {.from = 0, .to = 0},
		{.is_text = true, .text = STR("")}};
	struct content content = {.message = message,
		.pieces = pieces,
		.count = ARRAY_LENGTH(pieces)};

	check_content(&content, "one\ntwo\n", "one\r\ntwo\r\n");
	content.count = 2;
	check_content(&content, "", "");
	message_close(&message);
	arena_close(&arena);
}

TEST(the_mbox_line_is_not_part_of_the_content)
{
	struct arena *arena = arena_open();
	struct message *message =
		open_message(STR("From amy Fri\nA: b\n\n"), IN_MEMORY);

	check_content(content_of(arena, message), "A: b\n\n", "A: b\r\n\r\n");
	message_close(&message);
	arena_close(&arena);
}

TEST(fields_are_put_in_front_and_cut_out)
{
	struct arena *arena = arena_open();
	struct message *message = open_message(
		STR("A: 1\r\nB: 2\r\nC: 3\r\n\r\nbody"), IN_A_FILE);
	struct content *content = content_of(arena, message);

	content = content_without(arena, content, 6, 12);
	check_content(
		content, "A: 1\nC: 3\n\nbody", "A: 1\r\nC: 3\r\n\r\nbody");
	content = content_prepend(arena, content, STR("X: y\n"));
	check_content(content, "X: y\nA: 1\nC: 3\n\nbody",
		"X: y\r\nA: 1\r\nC: 3\r\n\r\nbody");
	check_content(content_without(arena, content, 0, 6),
		"X: y\nC: 3\n\nbody", "X: y\r\nC: 3\r\n\r\nbody");
	check_content(content_without(arena, content, 3, 14),
		"X: y\nA:  3\n\nbody", "X: y\r\nA:  3\r\n\r\nbody");
	check_content(
		content_without(arena, content, 0, 1000), "X: y\n", "X: y\r\n");
	check_content(content_without(arena, content, 7, 7),
		"X: y\nA: 1\nC: 3\n\nbody", "X: y\r\nA: 1\r\nC: 3\r\n\r\nbody");
	message_close(&message);
	arena_close(&arena);
}

TEST(all_fields_of_a_name_are_cut_out)
{
	struct arena *arena = arena_open();
	struct message *message = open_message(
		STR("X: 1\nA: 2\n b\nX: 3\nx: 4\nB: 5\nX: 6\n\nX: 7\n"),
		IN_MEMORY);
	struct content *whole = content_of(arena, message);
	struct content *content =
		content_without_fields(arena, whole, STR("X"));

	check_content(content, "A: 2\n b\nB: 5\n\nX: 7\n",
		"A: 2\r\n b\r\nB: 5\r\n\r\nX: 7\r\n");
	check_content(content_without_fields(arena,
			      content_prepend(arena, content, STR("X: 0\n")),
			      STR("b")),
		"X: 0\nA: 2\n b\n\nX: 7\n",
		"X: 0\r\nA: 2\r\n b\r\n\r\nX: 7\r\n");
	CHECK(content_is_same(
		whole, content_without_fields(arena, whole, STR("none"))));
	/* Fields that are out already, partly or whole. */
	content = content_without(arena, whole, 3, 20);
	check_content(content_without_fields(arena, content, STR("x")),
		"B: 5\n\nX: 7\n", "B: 5\r\n\r\nX: 7\r\n");
	message_close(&message);
	arena_close(&arena);
}

TEST(a_hundred_thousand_fields_are_cut_out_in_linear_time)
{
	struct arena *arena = arena_open();
	struct message_limits limits = {
		.memory_bytes = 16 * 1024 * 1024,
		.header_bytes = 16 * 1024 * 1024,
		.header_fields = 200000,
		.temp_folder = test_folder(),
	};
	struct message *message = NULL;
	struct buf bytes;
	struct err err;
	int i;

	buf_init(&bytes, BUF_UNLIMITED);
	for (i = 0; i < 100000; i++)
		buf_add_text(&bytes, "X: 1\nY: 2\n");
	REQUIRE(message_open_bytes(buf_view(&bytes), &limits, &message, &err) ==
		0);
	CHECK_INT(content_without_fields(
			  arena, content_of(arena, message), STR("X"))
			  ->count,
		100000);
	message_close(&message);
	buf_clear(&bytes);
	arena_close(&arena);
}

/* A splice inside a line is no use of ours, but must not lie about line ends. */
TEST(a_line_end_that_a_splice_puts_together_counts_as_one)
{
	struct arena *arena = arena_open();
	uint64_t memory;

	for (memory = IN_A_FILE; memory <= IN_MEMORY; memory += IN_MEMORY) {
		struct message *message =
			open_message(STR("a\rbc\nd\n"), memory);
		struct content *content = content_of(arena, message);

		check_content(content_without(arena, content, 2, 4), "a\nd\n",
			"a\r\nd\r\n");
		check_content(content_without(arena, content, 2, 5), "a\rd\n",
			"a\rd\r\n");
		message_close(&message);
	}
	arena_close(&arena);
}

TEST(the_same_splices_make_the_same_content)
{
	struct arena *arena = arena_open();
	struct message *message =
		open_message(STR("A: 1\nB: 2\n\n"), IN_MEMORY);
	struct message *other = open_message(STR("A: 1\nB: 2\n\n"), IN_MEMORY);
	struct content *whole = content_of(arena, message);
	struct content *with = content_prepend(arena, whole, STR("X: 1\n"));

	CHECK(content_is_same(whole, content_of(arena, message)));
	CHECK(!content_is_same(whole, content_of(arena, other)));
	CHECK(!content_is_same(whole, with));
	CHECK(content_is_same(
		with, content_prepend(arena, whole, STR("X: 1\n"))));
	CHECK(!content_is_same(
		with, content_prepend(arena, whole, STR("X: 2\n"))));
	CHECK(!content_is_same(with,
		content_prepend(arena, content_without(arena, whole, 0, 5),
			STR("X: 1\n"))));
	CHECK(!content_is_same(whole, content_without(arena, whole, 0, 5)));
	message_close(&message);
	message_close(&other);
	arena_close(&arena);
}

/* No conversion and no copy where none is needed. */
TEST(a_message_with_lf_in_memory_comes_in_one_chunk)
{
	struct arena *arena = arena_open();
	struct message *message =
		open_message(STR("A: 1\n\nbody\n"), IN_MEMORY);
	struct content_reader reader;
	struct str chunk, view;
	char buffer[4096];
	struct err err;

	content_reader_init(&reader, content_of(arena, message), LINE_ENDS_LF,
		buffer, sizeof(buffer));
	CHECK_INT(content_read(&reader, &chunk, &err), LOOKUP_FOUND);
	CHECK(message_view(message, 0, 11, &view));
	CHECK(chunk.data == view.data);
	CHECK_INT(chunk.len, 11);
	CHECK_INT(content_read(&reader, &chunk, &err), LOOKUP_NONE);
	message_close(&message);
	arena_close(&arena);
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

/* Every distance of CR and LF from the borders of the reader's buffer. */
TEST(conversion_is_exact_across_chunk_borders)
{
	struct arena *arena = arena_open();
	struct buf bytes, expected, found;
	size_t size, i;
	uint64_t memory;

	buf_init(&bytes, BUF_UNLIMITED);
	buf_init(&expected, BUF_UNLIMITED);
	buf_init(&found, BUF_UNLIMITED);
	for (i = 0; i < 6000; i++)
		buf_add_text(&bytes, i % 7 == 0 ? "\r" : i % 3 ? "\r\n" : "\n");
	for (memory = IN_A_FILE; memory <= IN_MEMORY; memory += IN_MEMORY) {
		struct message *message =
			open_message(buf_view(&bytes), memory);
		struct content *content = content_of(arena, message);

		for (size = 4096; size < 4110; size++) {
			buf_reset(&expected);
			convert_slowly(
				buf_view(&bytes), LINE_ENDS_LF, &expected);
			read_all(content, LINE_ENDS_LF, size, &found);
			CHECK_STR_EQUAL(buf_view(&found), buf_view(&expected));
			CHECK_UINT(found.len, message_size_lf(message));
			buf_reset(&expected);
			convert_slowly(
				buf_view(&bytes), LINE_ENDS_CRLF, &expected);
			read_all(content, LINE_ENDS_CRLF, size, &found);
			CHECK_STR_EQUAL(buf_view(&found), buf_view(&expected));
			CHECK_UINT(found.len, message_size_crlf(message));
		}
		message_close(&message);
	}
	buf_clear(&bytes);
	buf_clear(&expected);
	buf_clear(&found);
	arena_close(&arena);
}

TEST(fields_of_a_text_in_front_are_cut_out)
{
	struct message *message =
		open_message(STR("X: 1\nA: 2\n\nX: body\n"), IN_MEMORY);
	struct arena *arena = arena_open();
	struct content_piece body = {.is_text = true, .text = STR("\nX: 3\n")};
	const struct content *content = content_of(arena, message);
	struct content more;
	struct buf found;

	buf_init(&found, BUF_UNLIMITED);
	content = content_prepend(
		arena, content, STR("XX: 4\nx : 5\n\tX: 6\nB: 7\nX: 8\n"));
	content = content_without_fields(arena, content, STR("X"));
	read_all(content, LINE_ENDS_LF, 4096, &found);
	CHECK_STR(buf_text(&found), "XX: 4\nB: 7\nA: 2\n\nX: body\n");
	/* Behind the empty line nothing is a field. */
	more = (struct content){
		.message = message, .pieces = &body, .count = 1};
	content = content_without_fields(
		arena, content_prepend(arena, &more, STR("X: 1\n")), STR("X"));
	read_all(content, LINE_ENDS_LF, 4096, &found);
	CHECK_STR(buf_text(&found), "\nX: 3\n");
	buf_clear(&found);
	arena_close(&arena);
	message_close(&message);
}
