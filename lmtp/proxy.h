/* proxy - the header by which a proxy names the client behind it
 *
 * HAProxy's PROXY protocol, versions 1 (a line) and 2 (binary).  Everything in it but
 * the client's address and port is passed over.  Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LMTP_PROXY_H
#define LMTP_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/str.h"

enum {
	PROXY_LINE_MAX = 107, /* of version 1, with CR LF */
	PROXY_BYTES_MAX = 4096
};

enum proxy_result {
	PROXY_MORE, /* not yet whole */
	PROXY_DONE,
	PROXY_BROKEN /* no header, or longer than PROXY_BYTES_MAX */
};

struct proxy_header {
	size_t length; /* bytes of it */
	/* False: the proxy speaks for itself, or does not know. */
	bool has_client;
	struct sockaddr_storage client; /* IPv4 or IPv6 */
};

/* What came in so far. */
enum proxy_result proxy_parse(
	struct str bytes, struct proxy_header *header_out);

#endif
