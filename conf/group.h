/* group - what stands in a proxy_group
 *
 * Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_GROUP_H
#define CONF_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/str.h"

struct conf_backend_address {
	const char *host; /* a name, or an address without brackets */
	uint32_t port;    /* 0: none is given */
};

/* "a.example", "a.example:24", "192.0.2.1:24", "[::1]:24", "::1"; false: it is none of
 * these. */
MUST_USE bool conf_backend_parse(struct arena *arena, const char *name,
	struct conf_backend_address *address_out);

/* Letters, digits, "-" and "_". */
bool conf_is_group_name(struct str name);

#endif
