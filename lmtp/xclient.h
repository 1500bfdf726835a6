/* xclient - what a trusted peer tells of the client behind it
 *
 * Postfix's XCLIENT (XCLIENT_README), with the names that Dovecot's proxy sends.
 * Names that are none of these are passed over.  Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LMTP_XCLIENT_H
#define LMTP_XCLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/str.h"

enum {
	XCLIENT_SESSION_MAX = 100, /* bytes of an id */
	XCLIENT_VALUE_MAX = 255    /* bytes of any other value */
};

#define XCLIENT_NAMES "NAME ADDR PORT PROTO HELO LOGIN SESSION TTL TIMEOUT"
/* Those that scripts can ask for first: there may be no room for all. */
#define XFORWARD_NAMES "ADDR NAME PROTO HELO PORT SOURCE IDENT"

/* What was not told has `has` false.  A value that is [UNAVAILABLE] or
 * [TEMPUNAVAIL] was told and is empty. */
struct xclient_value {
	bool has;
	struct str text;
};

struct xclient {
	struct xclient_value name;
	struct xclient_value address; /* without "IPV6:" */
	struct xclient_value port;    /* checked: `port_number` */
	struct xclient_value proto;   /* "SMTP", "ESMTP", "LMTP" */
	struct xclient_value helo;
	struct xclient_value login;
	struct xclient_value session;
	struct xclient_value ttl;
	struct xclient_value timeout;
	struct xclient_value ident; /* XFORWARD: the queue id of the MTA */
	uint32_t port_number;
	uint64_t ttl_number;
	uint64_t timeout_s; /* how long the client waits for us */
};

/* NULL, or the reply that refuses the line. */
const char *xclient_parse(struct arena *arena, struct str arguments,
	struct xclient *xclient_out) MUST_USE;

/* XFORWARD (Postfix's XFORWARD_README) tells the same of whom the mail came from,
 * perhaps long before.  Nothing depends on it but what is said to people and scripts:
 * a value that is none of its kind is empty.  SOURCE is passed over. */
const char *xforward_parse(struct arena *arena, struct str arguments,
	struct xclient *xclient_out) MUST_USE;

#endif
