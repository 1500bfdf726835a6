/* notify - what the service manager is told (sd_notify(3)), by hand
 *
 * Where NOTIFY_SOCKET names a socket, it gets READY=1, RELOADING=1, STOPPING=1 and
 * a status for people; with WATCHDOG_USEC a sign of life twice within that time.
 * Elsewhere nothing happens.  Never waits: what cannot be sent is not.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_NOTIFY_H
#define SERVER_NOTIFY_H

#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/attributes.h"

struct notify {
	int fd; /* -1: nobody listens */
	struct sockaddr_un address;
	socklen_t address_len;
	uint64_t every_ms; /* how often WATCHDOG=1 is due; 0 = never */
};

/* Reads the environment and takes what it reads out of it: nobody else of this
 * process is meant. */
void notify_open(struct notify *notify);
void notify_close(struct notify *notify);

/* "READY=1\nSTATUS=..." */
void notify_send(const struct notify *notify, const char *format, ...)
	PRINTF_LIKE(2, 3);

#endif
