/* stage - a front in a process of its own; the test plays everybody else
 *
 * Master, workers and state are socket pairs that speak server/wire.h, clients are
 * sockets.  Everything waits up to STAGE_MS and then fails the test.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_UNIT_LMTP_STAGE_H
#define TESTS_UNIT_LMTP_STAGE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "ipc/channel.h"
#include "ipc/frame.h"
#include "server/wire.h"

enum { STAGE_MS = 20000 };

struct stage {
	struct arena *arena;
	struct channel master;
	pid_t front;
	const char *log; /* file */
	const char *socket;
};

/* `settings`: text of a configuration.  Both wait for READY. */
struct stage stage_open(const char *settings);
struct stage stage_open_single(const char *settings);
/* Master has gone; the front's exit status. */
int stage_close(struct stage *stage);
/* Its exit status, when it ends by itself. */
int stage_wait(struct stage *stage);
/* The log so far. */
const char *stage_log(const struct stage *stage);
/* Waits until the log has `text` `count` times. */
void stage_wait_for_log(
	const struct stage *stage, const char *text, unsigned count);

/* A Unix listener at stage->socket. */
void stage_listen(struct stage *stage);
/* A TCP listener on a loopback address ("127.0.0.1", "::"); its port. */
unsigned stage_listen_inet(struct stage *stage, const char *address);
void stage_stdio(struct stage *stage, int input, int output);
void stage_drain(struct stage *stage, bool is_stop);
/* The channel is the test's end. */
struct channel stage_worker(struct stage *stage, uint32_t number);
struct channel stage_state(struct stage *stage);

/* ---- frames ---- */

/* The next one that is not WIRE_COUNTERS; its type has to be this. */
struct frame stage_receive(
	struct stage *stage, struct channel *channel, enum wire_type type);
void stage_send(struct channel *channel, struct frame *frame);
/* Nothing but WIRE_COUNTERS comes for some time. */
bool stage_is_silent(struct stage *stage, struct channel *channel);

/* ---- clients ---- */

int client_connect(const struct stage *stage);
/* Somebody listens there. */
bool client_may_connect(const struct stage *stage);
int client_connect_inet(const char *address, unsigned port);
void client_say(int client, const char *text);
/* Reads lines up to the last of a reply, checks that it begins so. */
void client_expect(int client, const char *beginning);
/* The front has closed it; what came before is not looked at. */
void client_expect_end(int client);

#endif
