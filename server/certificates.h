/* certificates - the server's TLS certificates, from master to the front
 *
 * Keys are files that only master can read.  It reads them, without looking what is
 * in them, into a file without a name; the front takes them from there.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_CERTIFICATES_H
#define SERVER_CERTIFICATES_H

#include <stddef.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"
#include "conf/settings.h"

enum { CERTIFICATES_BYTES_MAX = 16 * 1024 * 1024 };

struct certificate {
	const char *name; /* local_name; "" for the first one */
	struct str chain, key, password;
};

struct certificates {
	struct str authorities; /* ssl_ca */
	struct certificate *items;
	size_t count;
};

/* *fd_out is -1 where there is no TLS: `ssl = no`, no ssl_cert, and no listener
 * that needs one.  -1: 4.3.5 with the setting. */
MUST_USE int certificates_write(
	const struct settings *settings, int *fd_out, struct err *err);

/* Lives in the arena.  -1: 4.3.0. */
MUST_USE int certificates_read(struct arena *arena, int fd,
	struct certificates *certificates_out, struct err *err);

#endif
