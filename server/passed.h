/* passed - listening sockets that the service manager has opened (sd_listen_fds(3))
 *
 * LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES say which.  listen.c takes those that a
 * listener of the configuration wants, by their address or by their name.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_PASSED_H
#define SERVER_PASSED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"

struct passed_socket {
	int fd;           /* close-on-exec, does not block */
	const char *name; /* FileDescriptorName=; "" = none */
	const char
		*address; /* "/run/doorstep/lmtp", "127.0.0.1:24", "[::]:24" */
	bool is_inet;
	bool is_dual; /* "[::]" for IPv4 as well */
	bool is_used;
};

struct passed {
	struct passed_socket *sockets;
	size_t count;
};

/* Moves them to descriptors from `least` on and takes their variables out of the
 * environment; none is no error.  Lives in the arena.  -1: 4.3.5, one of them is no
 * listening stream socket. */
MUST_USE int passed_open(struct arena *arena, int least,
	struct passed *passed_out, struct err *err);
void passed_close(struct passed *passed);

/* "127.0.0.1:24", "[::1]:24" */
const char *passed_inet_name(
	struct arena *arena, const char *host, unsigned port);

#endif
