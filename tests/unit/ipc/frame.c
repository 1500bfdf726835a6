/* SPDX-License-Identifier: MIT */
#include "ipc/frame.h"

#include <fcntl.h>
#include <unistd.h>

#include "tests/lib/test.h"

#include "base/banned.h"

struct sample {
	uint32_t small;
	uint64_t large;
	bool yes;
	struct str name;
	const char *there, *missing;
	uint32_t *items;
	size_t count;
	struct err err;
};

static void
visit_sample(struct frame *frame, struct sample *sample)
{
	size_t i;

	frame_u32(frame, &sample->small);
	frame_u64(frame, &sample->large);
	frame_bool(frame, &sample->yes);
	frame_str(frame, &sample->name);
	frame_text(frame, &sample->there);
	frame_text(frame, &sample->missing);
	frame_count(frame, &sample->count, 4);
	sample->items = frame_array(
		frame, sample->items, sizeof(*sample->items), sample->count);
	for (i = 0; i < sample->count; i++)
		frame_u32(frame, &sample->items[i]);
	frame_err(frame, &sample->err);
}

static struct str
write_sample(struct arena *arena)
{
	uint32_t items[] = {7, 0, UINT32_MAX};
	struct sample sample = {.small = UINT32_MAX,
		.large = UINT64_MAX - 1,
		.yes = true,
		.name = STR("a\0b"),
		.there = "",
		.items = items,
		.count = 3};
	struct frame frame;
	struct str bytes;

	err_set(&sample.err, ERR_OVER_QUOTA, "5.2.2", "full\nvery");
	frame_begin(&frame, 300);
	visit_sample(&frame, &sample);
	REQUIRE(frame_is_whole(&frame));
	bytes = arena_copy(arena, buf_view(&frame.bytes));
	frame_close(&frame);
	return bytes;
}

TEST(what_is_written_is_read)
{
	struct arena *arena = arena_open();
	struct sample sample = {0};
	struct frame frame;

	frame_open(&frame, arena, write_sample(arena), NULL, 0);
	CHECK_UINT(frame.type, 300);
	visit_sample(&frame, &sample);
	CHECK(frame_is_whole(&frame));
	CHECK_UINT(sample.small, UINT32_MAX);
	CHECK(sample.large == UINT64_MAX - 1);
	CHECK(sample.yes);
	CHECK_STR_EQUAL(sample.name, STR("a\0b"));
	CHECK_STR(sample.there, "");
	CHECK_STR(sample.missing, NULL);
	CHECK_UINT(sample.count, 3);
	CHECK_UINT(sample.items[2], UINT32_MAX);
	CHECK_INT(sample.err.kind, ERR_OVER_QUOTA);
	CHECK_STR(sample.err.status, "5.2.2");
	CHECK_STR(sample.err.text, "full\nvery");
	arena_close(&arena);
}

TEST(a_frame_cut_anywhere_is_not_whole)
{
	struct arena *arena = arena_open();
	struct str bytes = write_sample(arena);
	size_t len;

	for (len = 0; len < bytes.len; len++) {
		struct sample sample = {0};
		struct frame frame;

		frame_open(&frame, arena, str_slice(bytes, 0, len), NULL, 0);
		visit_sample(&frame, &sample);
		if (!CHECK(!frame_is_whole(&frame)))
			break;
	}
	arena_close(&arena);
}

TEST(bytes_left_over_are_a_fault)
{
	struct arena *arena = arena_open();
	struct str bytes = write_sample(arena);
	struct sample sample = {0};
	struct frame frame;

	/* arena_copy() keeps a NUL behind the bytes. */
	frame_open(&frame, arena, str_of(bytes.data, bytes.len + 1), NULL, 0);
	visit_sample(&frame, &sample);
	CHECK(!frame_is_whole(&frame));
	arena_close(&arena);
}

TEST(a_frame_of_another_version_is_broken)
{
	struct arena *arena = arena_open();
	struct frame frame;

	frame_open(&frame, arena, STR("\x02\0\1\0"), NULL, 0);
	CHECK(frame.is_broken);
	arena_close(&arena);
}

static struct frame
read_bytes(struct arena *arena, struct str fields)
{
	struct frame frame;
	struct buf buf;

	buf_init(&buf, FRAME_MAX);
	buf_add(&buf, STR("\1\0\1\0"));
	buf_add(&buf, fields);
	frame_open(&frame, arena, arena_copy(arena, buf_view(&buf)), NULL, 0);
	buf_clear(&buf);
	return frame;
}

TEST(a_count_that_cannot_be_asks_for_no_memory)
{
	struct arena *arena = arena_open();
	struct frame frame = read_bytes(arena, STR("\xff\xff\xff\xff"));
	size_t before = arena_used(arena), count = 0;

	frame_count(&frame, &count, 4);
	frame_array(&frame, NULL, 4, count);
	CHECK_UINT(count, 0);
	CHECK(!frame_is_whole(&frame));
	CHECK(arena_used(arena) < before + 100);
	arena_close(&arena);
}

TEST(a_length_beyond_the_frame_is_a_fault)
{
	struct arena *arena = arena_open();
	struct frame frame = read_bytes(arena, STR("\x04\0\0\0abc"));
	struct str value = STR("x");

	frame_str(&frame, &value);
	CHECK_UINT(value.len, 0);
	CHECK(!frame_is_whole(&frame));
	arena_close(&arena);
}

TEST(a_bool_is_0_or_1)
{
	struct arena *arena = arena_open();
	struct frame frame = read_bytes(arena, STR("\2"));
	bool value = true;

	frame_bool(&frame, &value);
	CHECK(!frame_is_whole(&frame));
	CHECK(!value);
	arena_close(&arena);
}

TEST(a_text_with_a_nul_inside_is_a_fault)
{
	struct arena *arena = arena_open();
	struct frame frame = read_bytes(arena, STR("\1\3\0\0\0a\0b"));
	const char *value = NULL;

	frame_text(&frame, &value);
	CHECK(!frame_is_whole(&frame));
	CHECK_STR(value, NULL);
	arena_close(&arena);
}

TEST(an_err_too_long_for_its_struct_is_a_fault)
{
	struct arena *arena = arena_open();
	struct frame frame = read_bytes(arena, STR("\1\0\0\0\x10\0\0\0"
						   "4.4.4.4.4.4.4.4."
						   "\0\0\0\0"));
	struct err err;

	frame_err(&frame, &err);
	CHECK(!frame_is_whole(&frame));
	CHECK_INT(err.kind, ERR_NONE);
	arena_close(&arena);
}

TEST(a_frame_that_grows_too_long_is_not_whole)
{
	static char bytes[FRAME_MAX];
	struct str long_text = str_of(bytes, sizeof(bytes) - FRAME_HEAD - 4);
	struct frame frame;

	frame_begin(&frame, 1);
	CHECK_UINT(frame_room(&frame), FRAME_MAX - FRAME_HEAD);
	frame_str(&frame, &long_text);
	CHECK(frame_is_whole(&frame));
	CHECK_UINT(frame_room(&frame), 0);
	frame_bool(&frame, &(bool){true});
	CHECK(!frame_is_whole(&frame));
	frame_close(&frame);
}

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

TEST(descriptors_that_nobody_takes_are_closed)
{
	struct arena *arena = arena_open();
	int fds[2] = {open("/dev/null", O_RDONLY | O_CLOEXEC),
		open("/dev/null", O_RDONLY | O_CLOEXEC)};
	struct frame frame;
	int fd = -1;

	frame_open(&frame, arena, STR("\1\0\1\0\1"), fds, 2);
	frame_fd(&frame, &fd);
	CHECK_INT(fd, fds[0]);
	CHECK(!frame_is_whole(&frame));
	frame_close(&frame);
	CHECK(is_open(fds[0]));
	CHECK(!is_open(fds[1]));
	close(fds[0]);
	arena_close(&arena);
}

TEST(a_descriptor_that_did_not_come_is_a_fault)
{
	struct arena *arena = arena_open();
	struct frame frame = read_bytes(arena, STR("\1"));
	int fd = 5;

	frame_fd(&frame, &fd);
	CHECK_INT(fd, -1);
	CHECK(!frame_is_whole(&frame));
	arena_close(&arena);
}

/* Those who read declare a struct and fill nothing in. */
TEST(what_a_reader_had_before_is_not_looked_at)
{
	struct arena *arena = arena_open();
	struct frame written, frame;
	struct err err, read_err;
	const char *text = "text", *read_text;
	bool flag = true, read_flag;

	err_temp(&err, "4.3.0", "detail");
	frame_begin(&written, 1);
	frame_text(&written, &text);
	frame_err(&written, &err);
	frame_bool(&written, &flag);
	memset(&read_err, 0xff, sizeof(read_err));
	memset(&read_text, 0xff, sizeof(read_text));
	memset(&read_flag, 0xff, sizeof(read_flag));
	frame_open(&frame, arena, buf_view(&written.bytes), NULL, 0);
	frame_text(&frame, &read_text);
	frame_err(&frame, &read_err);
	frame_bool(&frame, &read_flag);
	CHECK(frame_is_whole(&frame));
	CHECK_STR(read_text, "text");
	CHECK_STR(read_err.status, "4.3.0");
	CHECK(read_flag);
	frame_close(&frame);
	frame_close(&written);
	arena_close(&arena);
}
