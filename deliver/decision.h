/* decision - what was decided about one message for one user, as one line
 *
 *   {"time":1700000000,"session":"...","service":"lmtp","user":"amy",
 *    "sender":"ada@client.example","recipient":"amy@example.org",
 *    "message_id":"<1@client.example>","size":1234,
 *    "scripts":[{"script":"/home/amy/.dovecot.sieve"}],
 *    "actions":[{"action":"fileinto","target":"Lists",
 *      "script":"/home/amy/.dovecot.sieve","line":12,"column":3,
 *      "result":"filed","mailbox":"Lists","file":"1700000000.M1P2.mx"}],
 *    "outcome":"saved"}
 *
 * JSON without a line end inside, whatever the message has brought along.  What is
 * empty, false or 0 is left out.  Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_DECISION_H
#define DELIVER_DECISION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

enum {
	DECISION_LINE_MAX = 128 * 1024, /* bytes, line end included */
	DECISION_ACTIONS_MAX = 256,     /* that are read from a line */
	DECISION_SCRIPTS_MAX = 256
};

/* A script that ran. */
struct decision_script {
	struct str script; /* its path */
	/* Why it failed: one line, with the place in front. */
	struct str error;
};

struct decision_action {
	struct str
		action; /* "fileinto", "keep", "redirect" ...: Sieve's word */
	struct str target; /* mailbox, address or program that was asked for */
	/* Who asked: empty and 0 for the implicit keep, and what the delivery
	 * added by itself. */
	struct str script;
	uint64_t line, column;
	uint64_t rule; /* line of the if, elsif or else around it; 0: none */
	bool is_implicit;
	/* "filed", "merged" (into the copy of another action), "sent", "before"
	 * (an earlier try has done it), "done", "failed", "refused", "planned"
	 * (mail that leaves afterwards), "none" (nothing to do), "undone". */
	struct str result;
	struct str mailbox; /* where the copy is */
	struct str file;    /* its name in a Maildir */
	struct str why;     /* for people */
};

struct decision {
	uint64_t time_s; /* since 1970 */
	struct str session;
	struct str service; /* "lda", "lmtp" */
	struct str user;
	struct str sender;
	struct str recipient;
	struct str original; /* where it is another one than `recipient` */
	struct str message_id;
	uint64_t size;       /* with LF line ends */
	bool is_before_data; /* decided at RCPT: there was no message */
	struct decision_script *scripts;
	size_t script_count;
	struct decision_action *actions;
	size_t action_count;
	uint64_t dropped; /* actions that had no place in the line */
	/* "saved", "discarded", "refused", "failed" (to be tried again) */
	struct str outcome;
	bool is_repeated;  /* it was delivered before, and this was a retry */
	struct str status; /* RFC 3463; of a failure or refusal */
	struct str error;
};

/* What stands in a Message-ID field, as it is kept and looked for: in one line,
 * UTF-8, without the brackets and what is around them. */
struct str decision_message_id(struct arena *arena, struct str value);

/* A name in a Maildir without what mail clients change: the flags. */
struct str decision_file(struct str name);

/* Adds the line to `out`, at most DECISION_LINE_MAX bytes.  Values are cut. */
void decision_write(struct buf *out, const struct decision *decision);

/* False for a line that is none.  What lives in it lives in the arena.  A line
 * that somebody began before it, and did not end, is passed over. */
bool decision_read(
	struct arena *arena, struct str line, struct decision *decision_out);

#endif
