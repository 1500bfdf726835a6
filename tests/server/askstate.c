/* askstate - a process of some user that asks the server's memory directly
 *
 *	askstate SOCKET mark|seen|claim|finish KEY
 *
 * KEY is one letter, of which the whole key consists.  Prints what state answered:
 * "yes" or "no" for marks, "granted", "busy", "broken" or "finished" for claims.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ipc/channel.h"
#include "server/wire.h"

#include "base/banned.h"

enum { ANSWER_MS = 10000 };

static const char *const marked[] = {"no", "yes", "unable"};
static const char *const claimed[] = {
	"granted", "busy", "broken", "finished", "unable"};

struct asker {
	struct arena *arena;
	struct channel state;
	char letter;
};

static void
send_frame(struct asker *asker, struct frame *frame)
{
	struct err err;

	if (channel_send(&asker->state, frame, &err) < 0)
		printf("not sent\n");
}

static void
put_seen(struct asker *asker)
{
	struct wire_seen seen = {.request = 1};
	struct frame frame;

	memset(seen.key, asker->letter, sizeof(seen.key));
	frame_begin(&frame, WIRE_SEEN);
	wire_seen(&frame, &seen);
	send_frame(asker, &frame);
}

static void
put_mark(struct asker *asker)
{
	struct wire_mark_item item = {
		.expires_s = (uint64_t)clock_now().tv_sec + 3600};
	struct wire_mark mark = {.request = 1, .items = &item, .count = 1};
	struct frame frame;

	memset(item.key, asker->letter, sizeof(item.key));
	frame_begin(&frame, WIRE_MARK);
	wire_mark(&frame, &mark);
	send_frame(asker, &frame);
}

static void
put_claim(struct asker *asker)
{
	struct wire_claim_item item = {.value = STR("nothing")};
	struct wire_claim claim = {.request = 1, .items = &item, .count = 1};
	struct frame frame;

	memset(item.key, asker->letter, sizeof(item.key));
	memset(item.secret, 's', sizeof(item.secret));
	frame_begin(&frame, WIRE_CLAIM);
	wire_claim(&frame, &claim);
	send_frame(asker, &frame);
}

/* After a claim; state does not answer it. */
static void
put_finish(struct asker *asker)
{
	struct wire_finish_item item = {.outcome = WIRE_SAVED};
	struct wire_finish finish = {.items = &item, .count = 1};
	struct frame frame;

	memset(item.key, asker->letter, sizeof(item.key));
	frame_begin(&frame, WIRE_FINISH);
	wire_finish(&frame, &finish);
	send_frame(asker, &frame);
}

static bool
receive(struct asker *asker, struct frame *frame)
{
	struct err err;

	return channel_wait(&asker->state, clock_monotonic_ms() + ANSWER_MS) &&
	       channel_receive(&asker->state, asker->arena, frame, &err) ==
	               LOOKUP_FOUND;
}

static void
print_answer(struct asker *asker)
{
	struct wire_marked mark = {.request = 0};
	struct wire_claimed claim = {.request = 0};
	struct frame frame;

	if (!receive(asker, &frame)) {
		puts("closed");
		return;
	}
	if (frame.type == WIRE_MARKED) {
		wire_marked(&frame, &mark);
		puts(marked[mark.state]);
	} else if (frame.type == WIRE_CLAIMED) {
		wire_claimed(&frame, &claim);
		if (claim.count == 1)
			puts(claimed[claim.items[0].state]);
	}
	frame_close(&frame);
}

static void
ask(struct asker *asker, const char *question)
{
	if (strcmp(question, "seen") == 0)
		put_seen(asker);
	else if (strcmp(question, "mark") == 0)
		put_mark(asker);
	else
		put_claim(asker);
	print_answer(asker);
	if (strcmp(question, "finish") != 0)
		return;
	put_finish(asker);
	/* So that it was read before we end. */
	put_seen(asker);
	print_answer(asker);
}

int
main(int argc, char **argv)
{
	struct asker asker = {.arena = arena_open()};
	int fd;

	if (argc != 4) {
		fputs("usage: askstate SOCKET mark|seen|claim|finish KEY\n",
			stderr);
		return 64;
	}
	fd = channel_connect(argv[1]);
	if (fd < 0) {
		puts("no socket");
		return 1;
	}
	channel_open(&asker.state, fd, true);
	asker.letter = argv[3][0];
	ask(&asker, argv[2]);
	channel_close(&asker.state);
	arena_close(&asker.arena);
	return 0;
}
