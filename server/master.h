/* master - starts the other processes, and hands records and tickets between them
 *
 * It parses nothing that comes from outside.  docs/decisions/
 * processes-and-their-wire.md tells what it does with each message.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_MASTER_H
#define SERVER_MASTER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "conf/conf.h"

struct master_options {
	struct conf_source config; /* read again at each reload */
	bool is_foreground;        /* -F */
	/* --stdio: one session on these, then the end.  -1: a server. */
	int input, output;
};

/* The server's whole life; result: the exit status. */
int master_main(struct arena *arena, const struct master_options *options);

#endif
