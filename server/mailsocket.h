/* mailsocket - where those who have mail that leaves find a mailer
 *
 * Master listens, so that somebody who asks while a mailer is started anew waits
 * for it; each generation's mailer accepts.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_MAILSOCKET_H
#define SERVER_MAILSOCKET_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/attributes.h"
#include "base/err.h"

struct mailsocket {
	const char *path; /* "@NAME": one that is no file */
	int fd;           /* -1: none */
	dev_t device;     /* where the path led when it was made */
	ino_t inode;
};

/* `path` is borrowed.  -1: 4.3.5. */
MUST_USE int mailsocket_open(
	struct mailsocket *socket, const char *path, struct err *err);

/* Makes it anew where somebody has removed it; false: it was there, or cannot be
 * made (which is logged). */
bool mailsocket_renew(struct mailsocket *socket);

void mailsocket_close(struct mailsocket *socket);

#endif
