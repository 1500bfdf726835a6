/* Frames between the server's processes, in both directions: whatever comes, a
 * reader finds a message or a fault; what it found can be written, and is then
 * read as the same again.
 *
 * The first byte chooses the message, the second how many descriptors come with
 * it; the rest is the frame behind its head, or with the highest bit of the first
 * byte all of it.
 *
 * SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "ipc/frame.h"
#include "server/proxywire.h"
#include "server/wire.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MESSAGES(do)                                                           \
	do                                                                     \
	(boot) do(ready) do(drain) do(                                         \
		logs) do(counters) do(listener) do(stdio) do(state_link) do(worker) do(rcpt) do(rcpt_answer) do(lookup) do(user) do(route) do(resolve) do(resolved) do(record) do(check) do(checked) do(start) do(job_number) do(assigned) do(release) do(assign) do(job_recipients) do(job) do(result) do(claim) do(claimed) do(finish) do(confirm) do(confirmed) do(seen) do(mark) do(marked) do(status_text) do(login) do(logged_in) do(wait_order) do(may_wait) do(mark_of) do(proxy_link) do(proxy_route) do(proxy_mail) do(proxy_rcpt) do(proxy_data) do(proxy_end) do(proxy_answer) do(proxy_wish) do(proxy_status)

#define MEMBER(name) struct wire_##name name;
union message {
	MESSAGES(MEMBER)
};

#define VISIT(name)                                                            \
	static void visit_##name(struct frame *frame, union message *message)  \
	{                                                                      \
		wire_##name(frame, &message->name);                            \
	}
MESSAGES(VISIT)

#define ENTRY(name) visit_##name,
static void (*const visits[])(struct frame *frame, union message *message) = {
	MESSAGES(ENTRY)};

/* Fewer than a frame may have leave a place for a fault. */
static size_t
make_descriptors(int fds[FRAME_FDS_MAX], unsigned wanted)
{
	size_t count = wanted % (FRAME_FDS_MAX + 1), i;

	for (i = 0; i < count; i++)
		fds[i] = dup(STDERR_FILENO);
	return count;
}

static void
close_taken(const int *fds, size_t first, size_t count)
{
	for (; first < count; first++)
		close(fds[first]);
}

/* The message as a frame of ours. */
static struct buf
write_again(size_t number, union message *message)
{
	struct frame frame;

	frame_begin(&frame, 1);
	visits[number](&frame, message);
	if (frame.is_broken)
		BUG("what was read cannot be written");
	return frame.bytes;
}

/* Of texts with a NUL less is left than came, so that only the second writing has
 * to be like the first. */
static void
check_again(struct arena *arena, size_t number, union message *message,
	const int *fds, size_t fd_count)
{
	struct buf first = write_again(number, message), second;
	union message read;
	struct frame frame;

	memset(&read, 0, sizeof(read));
	frame_open(&frame, arena, buf_view(&first), fds, fd_count);
	visits[number](&frame, &read);
	if (!frame_is_whole(&frame))
		BUG("what was written cannot be read");
	second = write_again(number, &read);
	if (!str_equal(buf_view(&first), buf_view(&second)))
		BUG("what was written is read as something else");
	buf_clear(&first);
	buf_clear(&second);
}

static void
read_message(struct arena *arena, struct str bytes, size_t number,
	unsigned descriptors)
{
	int fds[FRAME_FDS_MAX] = {0};
	size_t fd_count = make_descriptors(fds, descriptors), taken;
	union message message;
	struct frame frame;
	bool is_whole;

	memset(&message, 0, sizeof(message));
	frame_open(&frame, arena, bytes, fds, fd_count);
	visits[number](&frame, &message);
	is_whole = frame_is_whole(&frame);
	taken = frame.fds_read;
	if (is_whole)
		check_again(arena, number, &message, fds, taken);
	frame_close(&frame);
	close_taken(fds, 0, taken);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena;
	struct frame frame;
	struct str rest;

	if (size < 2 || size > FRAME_MAX)
		return 0;
	arena = arena_open();
	rest = str_of((const char *)data + 2, size - 2);
	frame_begin(&frame, 1);
	buf_add(&frame.bytes, rest);
	read_message(arena,
		(data[0] & 0x80) != 0 ? rest : buf_view(&frame.bytes),
		(data[0] & 0x7f) % ARRAY_LENGTH(visits), data[1]);
	frame_close(&frame);
	arena_close(&arena);
	return 0;
}
