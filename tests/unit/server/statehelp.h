/* statehelp - a state process of a test, and its master
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_UNIT_SERVER_STATEHELP_H
#define TESTS_UNIT_SERVER_STATEHELP_H

#include <sys/types.h>

#include "base/arena.h"
#include "ipc/channel.h"

struct state_server {
	struct arena *arena;
	const char *socket; /* what it listens at, for claims_init() */
	const char *folder; /* state_dir */
	const char *lifetime;
	int listener;
	pid_t pid;
	struct channel master; /* our end, blocking */
	struct channel link;   /* a front's */
};

/* Makes the socket; test_folder() has all of it. */
void state_server_init(struct state_server *server);
/* Runs state_main() in a process of its own and waits for READY. */
void state_server_start(struct state_server *server);
/* A mailer's link; the caller's to close. */
void state_server_link_mailer(
	struct state_server *server, struct channel *link);
/* Waits for its end: the exit status, or 128 and the signal's number. */
int state_server_wait(struct state_server *server);
int state_server_kill(struct state_server *server);
/* DRAIN, and the end. */
int state_server_stop(struct state_server *server);

#endif
