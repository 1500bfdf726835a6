/* trace - the header fields that a delivery adds (RFC 5321 4.4)
 *
 *   Return-Path: <sender>
 *   Delivered-To: recipient
 *   Received: from HELO ([IP])
 *           (using TLSv1.3 with cipher ...)
 *           by HOST with LMTP
 *           id ID
 *           (envelope-from <sender>)
 *           for <recipient>; DATE
 *
 * in that order, on top of the message; every Return-Path that came with it is
 * taken out.  Which of them are wanted is the caller's policy:
 *
 *   LDA   Return-Path always; Delivered-To unless trace_has_delivered_to() shows
 *         that the MTA wrote it for this delivery; no Received, as no mail was
 *         received by a protocol
 *   LMTP  all three; Delivered-To and `for` only for a single recipient, so that
 *         copies of one transaction stay the same
 *
 * Pure.  No value can end a line: control characters become "?".
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_TRACE_H
#define DELIVER_TRACE_H

#include <stdbool.h>
#include <time.h>

#include "base/arena.h"
#include "base/str.h"
#include "mail/address.h"
#include "mail/content.h"
#include "mail/message.h"

/* Bytes of a name from the client (HELO, TLS, id); what is longer is cut. */
enum { TRACE_NAME_MOST = 255 };

/* An empty value is left out with the words around it. */
struct trace_received {
	struct str helo;
	struct str ip;       /* empty on a Unix socket */
	struct str tls;      /* "TLSv1.3 with cipher X (256/256 bits)" */
	struct str host;     /* this host */
	struct str protocol; /* LMTP, LMTPS, UTF8LMTP ... */
	struct str id;       /* of the transaction */
	const struct address *sender; /* NULL: not shown */
	struct str recipient;         /* address text; empty: not shown */
	struct tm time;               /* with its zone, tm_gmtoff */
};

struct trace {
	const struct address *sender; /* Return-Path; NULL: none is added and
				       * those that came stay */
	struct str delivered_to;      /* address text; empty: none */
	const struct trace_received *received; /* NULL: none */
};

/* Lives in the arena; the same `content` when nothing is to be done. */
const struct content *trace_add(struct arena *arena,
	const struct content *content, const struct trace *trace);

/* The header fields above the topmost Received were written after the last
 * transfer by a protocol: by the MTA of this host, for this delivery.  True when
 * a Delivered-To with this recipient (address text) is among them. */
bool trace_has_delivered_to(
	const struct message *message, struct str recipient);

/* How many fields Delivered-To name the recipient, brackets and ASCII case not
 * counting: among those above the topmost Received, and in all. */
struct trace_count {
	size_t on_top;
	size_t all;
};
struct trace_count trace_count_delivered_to(
	const struct message *message, struct str recipient);

#endif
