/* door - a listening socket that a process was given, and who comes in by it
 *
 * Master binds, others accept.  When the process or the machine has no descriptors
 * left, nobody is let in for a moment: they wait in the kernel's queue.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_DOOR_H
#define SERVER_DOOR_H

#include <stdbool.h>
#include <stdint.h>

#include <sys/socket.h>

#include "base/attributes.h"
#include "base/loop.h"
#include "conf/settings.h"
#include "server/wire.h"

enum {
	DOOR_ROUND = 64,     /* let in at once */
	DOOR_PAUSE_MS = 200, /* after running out of descriptors */
	DOOR_LOG_MS = 10000  /* between two complaints of a kind */
};

struct doors;

struct door {
	struct doors *all;
	struct door *next;
	struct loop_watch watch;
	char *name;                 /* which `about` names */
	struct wire_listener about; /* its own */
};

/* All of a process. */
struct doors {
	/* Somebody has come in; the descriptor is the receiver's and does not block.
	 */
	void (*came)(struct doors *doors, const struct door *door, int fd,
		const struct sockaddr_storage *address);
	/* Somebody for whom there is no descriptor, to be told so and closed.  NULL:
	 * they wait. */
	void (*surplus)(struct doors *doors, int fd);

	struct loop *loop; /* NULL: not open yet */
	struct door *first;
	int spare; /* given up for surplus() */
	bool is_held;
	struct loop_timer pause;
	uint64_t silent_until_ms;
};

/* The two calls are set already. */
void doors_open(struct doors *doors, struct loop *loop);
/* Nobody comes any more.  Not within came().  Nothing where they are not open. */
void doors_close(struct doors *doors);
/* In a child that was just forked: the sockets are closed, the loop, which is the
 * parent's, is left alone. */
void doors_forget(struct doors *doors);

/* Takes the descriptor of the message over; copies the rest. */
void doors_add(struct doors *doors, const struct wire_listener *message);

/* While held nobody is let in. */
void doors_hold(struct doors *doors, bool is_held);

/* Whether peer_users names the user behind this Unix socket; root always comes in,
 * and everybody where nobody is named. */
bool door_admits_user(const struct door *door, int fd);

/* Whether a TCP client's address is in one of them; one of IPv4 in IPv6
 * (::ffff:192.0.2.1) is IPv4. */
bool door_admits_address(const struct sockaddr_storage *address,
	const struct conf_networks *networks);

/* Who is behind a Unix socket, as the kernel knows it; -1 with errno. */
MUST_USE int door_peer_uid(int fd, uint32_t *uid_out);

#endif
