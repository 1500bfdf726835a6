/* deliver - the core: one message and all recipients of one uid
 *
 * The front ends fill a job and read the results; everything between is here:
 *
 *   loop check -> script -> detail -> plan   for each recipient
 *   write, sync, hand over, rename   for all of them, phase by phase
 *
 * Each recipient has a result of its own: one recipient's trouble never touches
 * another's.  DELIVER_SAVED and DELIVER_DISCARDED are final and mean that every
 * copy the plan named is durable.
 *
 * Runs as the recipients' uid; blocks.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_DELIVER_H
#define DELIVER_DELIVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "mail/address.h"
#include "mail/message.h"
#include "conf/conf.h"

enum deliver_outcome {
	DELIVER_PENDING,
	DELIVER_SAVED,     /* at least one copy filed */
	DELIVER_DISCARDED, /* the script wanted no copy, or only a redirect */
	DELIVER_FAILED     /* err says why; nothing was filed */
};

/* What the steps work out for one recipient; deliver's own. */
struct delivery_work;
struct script_cache;

/* One recipient of a job. */
struct delivery {
	struct address final;    /* RCPT, or -r */
	struct address original; /* ORCPT, or -a */
	const char *user; /* the user database's name; for paths and logs */
	const char *home; /* NULL: none */
	const struct settings *settings; /* the user's own included */
	struct str mailbox; /* in place of INBOX: -m; empty = detail, INBOX */
	struct str detail;  /* as the address spells it; may choose a folder */

	enum deliver_outcome outcome;
	struct err err;
	struct delivery_work *work;
};

struct job {
	struct arena *arena; /* all results live here */
	const struct message *message;
	struct address sender; /* null where nothing names it */
	bool sender_is_known;  /* else no Return-Path is written */
	const char *service;   /* "lda", "lmtp" */
	const char *session;   /* for log lines */
	/* The MTA that called us may have put a Delivered-To for this very
	 * delivery on top of the message; it is no sign of a loop. */
	bool mta_marks_delivery;
	/* What was compiled for earlier jobs (deliver/scriptcache.h); NULL for
	 * one that is alone. */
	struct script_cache *script_cache;
	struct delivery *deliveries;
	size_t count;

	/* Asked before anything becomes visible: has the client gone, or was the
	 * program told to end?  NULL: never. */
	bool (*is_abandoned)(const struct job *job);
};

/* Fills outcome and err of every delivery.  What was filed is in the log then;
 * how a delivery ended is told by deliver_report(), once the client knows. */
void deliver_job(struct job *job);

/* The log lines of deliveries that failed or had no copy. */
void deliver_report(struct job *job);

#endif
