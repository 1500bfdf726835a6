/* control - what `doorstep status` asks master
 *
 * A socket `control` in base_dir that only the server's own user (root) may
 * connect to.  A client sends WIRE_STATUS and gets WIRE_STATUS_TEXT, a JSON text:
 *
 *   {"version":, "pid":, "state":, "mode": "root"|"user", "uid":, "since":,
 *    "now":, "generation":, "reload_error":, "listeners": ["..."],
 *    "processes": [{"kind":, "pid":, "uid":, "generation":, "state":, "jobs":,
 *                   "since":, "confinement":, "counters": {...}}],
 *    "processes_not_shown":, "counters": {...},
 *    "ended": [{"kind":, "counters": {...}}]}
 *
 * PROXY_STATUS and PROXY_WISH (server/proxywire.h) are answered by texts of their own.
 *
 * Times are seconds of the wall clock.  Event-driven; never waits for a client.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_CONTROL_H
#define SERVER_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/str.h"
#include "server/wire.h"

enum { CONTROL_CLIENTS_MAX = 16 }; /* one more, and the oldest is dropped */

struct control_process {
	const char *kind;
	pid_t pid;
	uint32_t uid;
	uint32_t generation;
	const char
		*state; /* "starting", "running", "idle", "busy", "draining" */
	uint64_t jobs;  /* done so far */
	uint64_t since_s;
	const char *confinement; /* what confines it; "" = nothing, or it has
	                          * not said */
	const struct wire_counter *counters;
	size_t counter_count;
};

/* What processes of a kind have counted that are no more. */
struct control_ended {
	const char *kind;
	const struct wire_counter *counters;
	size_t counter_count;
};

struct control_status {
	const char *version;
	pid_t pid;
	const char *state; /* run_state_name() */
	bool is_root;      /* each kind of process has a user of its own */
	uint32_t uid;
	uint64_t since_s, now_s;
	uint32_t generation;
	const char *reload_error; /* of the last one; "" = none */
	const char *const *listeners;
	size_t listener_count;
	const struct control_process *processes;
	size_t process_count;
	const struct wire_counter *counters; /* the server's as a whole */
	size_t counter_count;
	const struct control_ended *ended; /* NULL: nothing ended */
	size_t ended_count;
};

/* The text, short enough for a frame: processes that do not fit are counted.
 * Pure. */
struct str control_status_json(
	struct arena *arena, const struct control_status *status);

struct control_client;

/* The owner sets `describe` and embeds it; CONTAINER_OF gets back there. */
struct control {
	/* Fills what is to be shown; the arena lives until it was sent. */
	void (*describe)(struct control *control, struct arena *arena,
		struct control_status *status_out);
	/* Answers what is no STATUS, with a JSON text of the arena.  False:
	 * that is no question. */
	bool (*other)(struct control *control, struct arena *arena,
		struct frame *frame, struct str *json_out);
	struct loop *loop;
	const char *path;
	struct loop_watch watch;
	struct control_client *clients; /* the newest first */
	size_t client_count;
};

/* Listens from now on.  -1: 4.3.5. */
MUST_USE int control_open(struct control *control, struct loop *loop,
	struct arena *arena, const char *base_dir, struct err *err);
/* Removes the socket, and drops all clients; nothing when not open. */
void control_close(struct control *control);

/* ---- for doorstep ---- */

/* Asks the server of base_dir, blocking, for `timeout_ms` at most.  -1: 4.3.0. */
MUST_USE int control_ask(struct arena *arena, const char *base_dir,
	uint64_t timeout_ms, struct str *json_out, struct err *err);

/* The same for another question; the frame is closed. */
MUST_USE int control_ask_frame(struct arena *arena, const char *base_dir,
	uint64_t timeout_ms, struct frame *question, struct str *json_out,
	struct err *err);

/* The process that listens, by its number for us, as the kernel knows it; 0: it
 * has none in our PID namespace.  Says nothing to the server.  -1: 4.3.0. */
MUST_USE int control_peer(struct arena *arena, const char *base_dir,
	pid_t *pid_out, struct err *err);

#endif
