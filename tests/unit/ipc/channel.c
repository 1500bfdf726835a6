/* SPDX-License-Identifier: MIT */
#include "ipc/channel.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static void
make_pair(struct channel *a, struct channel *b)
{
	int fds[2];

	REQUIRE(channel_pair(fds) == 0);
	channel_open(a, fds[0], false);
	channel_open(b, fds[1], false);
}

static struct frame
text_frame(unsigned type, struct str text, int fd)
{
	struct frame frame;

	frame_begin(&frame, type);
	frame_str(&frame, &text);
	frame_fd(&frame, &fd);
	return frame;
}

static enum lookup
receive(struct channel *channel, struct arena *arena, unsigned *type_out,
	struct str *text_out, int *fd_out)
{
	struct frame frame;
	struct err err;
	enum lookup result = channel_receive(channel, arena, &frame, &err);

	if (result != LOOKUP_FOUND)
		return result;
	*type_out = frame.type;
	frame_str(&frame, text_out);
	frame_fd(&frame, fd_out);
	CHECK(frame_is_whole(&frame));
	frame_close(&frame);
	return result;
}

TEST(a_frame_arrives_with_its_descriptor)
{
	struct arena *arena = arena_open();
	struct channel a, b;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), got = -1;
	struct frame frame = text_frame(9, STR("hello"), null);
	struct str text = STR_EMPTY;
	unsigned type = 0;
	struct err err;

	make_pair(&a, &b);
	CHECK_INT(channel_send(&a, &frame, &err), 0);
	CHECK_INT(receive(&b, arena, &type, &text, &got), LOOKUP_FOUND);
	CHECK_UINT(type, 9);
	CHECK_STR_IS(text, "hello");
	CHECK(got >= 0 && got != null);
	CHECK(fcntl(got, F_GETFD) & FD_CLOEXEC);
	CHECK_INT(receive(&b, arena, &type, &text, &got), LOOKUP_NONE);
	channel_close(&a);
	channel_close(&b);
	arena_close(&arena);
}

TEST(what_the_socket_does_not_take_is_queued_and_keeps_its_order)
{
	enum { COUNT = 500 };
	static char bytes[60 * 1024];
	struct arena *arena = arena_open();
	struct channel a, b;
	struct err err;
	unsigned i, seen = 0;
	bool last_is_to_come = true;

	make_pair(&a, &b);
	for (i = 0; i < COUNT; i++) {
		struct frame frame =
			text_frame(i + 1, str_of(bytes, sizeof(bytes)), a.fd);

		if (!CHECK_INT(channel_send(&a, &frame, &err), 0))
			break;
	}
	CHECK(channel_is_waiting(&a));
	while (seen < COUNT + 1) {
		struct str text = STR_EMPTY;
		unsigned type = 0;
		int fd = -1;

		if (receive(&b, arena, &type, &text, &fd) == LOOKUP_FOUND) {
			seen++;
			if (!CHECK_UINT(type, seen) ||
				!CHECK_UINT(text.len, sizeof(bytes)) ||
				!CHECK(fd >= 0))
				break;
			close(fd);
		}
		/* There is room now, but others were first. */
		if (seen == 1 && last_is_to_come) {
			struct frame frame = text_frame(
				COUNT + 1, str_of(bytes, sizeof(bytes)), a.fd);

			last_is_to_come = false;
			CHECK_INT(channel_send(&a, &frame, &err), 0);
		}
		if (!CHECK_INT(channel_flush(&a, &err), 0))
			break;
	}
	CHECK(!channel_is_waiting(&a));
	channel_close(&a);
	channel_close(&b);
	arena_close(&arena);
}

TEST(a_peer_that_takes_nothing_is_given_up)
{
	static char bytes[FRAME_MAX - 100];
	struct channel a, b;
	struct err err;
	size_t sent = 0;

	make_pair(&a, &b);
	for (;;) {
		struct frame frame =
			text_frame(1, str_of(bytes, sizeof(bytes)), -1);

		if (channel_send(&a, &frame, &err) < 0)
			break;
		sent += sizeof(bytes);
		REQUIRE(sent < 2 * (size_t)CHANNEL_QUEUE_MAX);
	}
	CHECK(sent > CHANNEL_QUEUE_MAX / 2);
	channel_close(&a);
	channel_close(&b);
}

TEST(a_closed_peer_is_an_error_on_both_ways)
{
	struct arena *arena = arena_open();
	struct channel a, b;
	struct frame frame = text_frame(1, STR("x"), -1);
	struct str text;
	unsigned type;
	struct err err;
	int fd;

	make_pair(&a, &b);
	channel_close(&b);
	CHECK_INT(channel_send(&a, &frame, &err), -1);
	CHECK_INT(receive(&a, arena, &type, &text, &fd), LOOKUP_ERROR);
	channel_close(&a);
	arena_close(&arena);
}

TEST(frames_sent_before_a_close_still_arrive)
{
	struct arena *arena = arena_open();
	struct channel a, b;
	struct frame frame = text_frame(1, STR("x"), -1);
	struct str text;
	unsigned type;
	struct err err;
	int fd;

	make_pair(&a, &b);
	CHECK_INT(channel_send(&a, &frame, &err), 0);
	channel_close(&a);
	CHECK_INT(receive(&b, arena, &type, &text, &fd), LOOKUP_FOUND);
	CHECK_INT(receive(&b, arena, &type, &text, &fd), LOOKUP_ERROR);
	channel_close(&b);
	arena_close(&arena);
}

TEST(what_is_no_frame_is_an_error)
{
	struct arena *arena = arena_open();
	struct channel a, b;
	struct str text;
	unsigned type;
	int fd;

	make_pair(&a, &b);
	REQUIRE(send(a.fd, "hello", 5, 0) == 5);
	CHECK_INT(receive(&b, arena, &type, &text, &fd), LOOKUP_ERROR);
	channel_close(&a);
	channel_close(&b);
	arena_close(&arena);
}

/* Descriptors that nothing of ours would send. */
static void
refuse_descriptors(int count)
{
	enum { COUNT = FRAME_FDS_MAX + 3 };
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int) * COUNT)];
	} control;
	struct arena *arena = arena_open();
	struct channel a, b;
	char head[] = {FRAME_VERSION, 0, 1, 0};
	struct iovec part = {.iov_base = head, .iov_len = sizeof(head)};
	struct msghdr message = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count)};
	int fds[COUNT], i, before, after;
	struct str text;
	unsigned type;

	make_pair(&a, &b);
	for (i = 0; i < count; i++)
		fds[i] = a.fd;
	memset(&control, 0, sizeof(control));
	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
	memcpy(CMSG_DATA(&control.head), fds, sizeof(int) * (size_t)count);
	before = fcntl(a.fd, F_DUPFD_CLOEXEC, 0);
	close(before);
	REQUIRE(sendmsg(a.fd, &message, 0) == sizeof(head));
	CHECK_INT(receive(&b, arena, &type, &text, &i), LOOKUP_ERROR);
	after = fcntl(a.fd, F_DUPFD_CLOEXEC, 0);
	CHECK_INT(after, before); /* none was left open */
	channel_close(&a);
	channel_close(&b);
	arena_close(&arena);
}

TEST(more_descriptors_than_allowed_are_an_error)
{
	refuse_descriptors(FRAME_FDS_MAX + 1);
	refuse_descriptors(FRAME_FDS_MAX + 2);
	refuse_descriptors(FRAME_FDS_MAX + 3);
}

TEST(waiting_ends_at_its_time)
{
	struct channel a, b;
	struct frame frame = text_frame(1, STR("x"), -1);
	uint64_t now = clock_monotonic_ms();
	struct err err;

	make_pair(&a, &b);
	CHECK(!channel_wait(&b, 0));
	CHECK(!channel_wait(&b, now + 20));
	CHECK(clock_monotonic_ms() >= now + 20);
	CHECK_INT(channel_send(&a, &frame, &err), 0);
	CHECK(channel_wait(&b, 0));
	channel_close(&a);
	CHECK(channel_wait(&b, 0));
	channel_close(&b);
}

TEST(a_listening_channel_takes_the_place_of_an_old_one)
{
	const char *path = test_path("socket");
	int first = channel_listen(path, 0600), second, client;

	REQUIRE(first >= 0);
	close(first);
	second = channel_listen(path, 0666);
	REQUIRE(second >= 0);
	client = channel_connect(path);
	CHECK(client >= 0);
	close(client);
	close(second);
	CHECK_INT(channel_connect(path), -1);
}
