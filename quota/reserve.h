/* reserve - room that deliveries under way have taken, seen by all of them
 *
 * The file doorstep-quota beside the INBOX is a table of lines of equal length:
 *
 *   ROOT BYTES MESSAGES              taken; its owner has a lock on its first byte
 *   ROOT BYTES MESSAGES UNTIL KEY    promised at RCPT, until that second or until
 *                                    the delivery of that key comes
 *   ROOT BYTES MESSAGES known        the use that warnings were last compared with
 *   (blanks)                         free
 *
 * A line that is taken without its lock is that of somebody who died: what he
 * stored may not have been counted.  Two more locks, far behind the end of the file:
 *
 *   the table    while somebody reads or changes it
 *   the names    shared by those who give copies their names and count them, alone
 *                while somebody counts anew: so a count sees each copy either with
 *                its line in the backend or not at all
 *
 * All of them are locks of the open file (F_OFD_SETLK), which end with it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QUOTA_RESERVE_H
#define QUOTA_RESERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "quota/limits.h"

enum {
	RESERVE_LINE = 128,
	RESERVE_KEY_MAX = 48,
	RESERVE_LINES_MAX = 4096, /* deliveries to one user at a time */
	RESERVE_OWN_MAX = 8,      /* lines of one delivery */
	RESERVE_WAIT_MS = 10000   /* for a lock */
};

struct reserve {
	int fd; /* -1: there is no place for the table */
	const char *path;
	uint64_t deadline_ms;
	unsigned own[RESERVE_OWN_MAX];
	size_t own_count;
	bool has_table, has_names;
};

/* One line, whoever has it. */
struct reserve_line {
	unsigned place;
	unsigned root;
	struct quota_amount amount;
	uint64_t until_s; /* 0: taken, else promised */
	char key[RESERVE_KEY_MAX + 1];
	bool is_dead;
	bool is_known; /* nothing is reserved: what the use was */
};

/* Mostly few.  Zero it, and give it the arena. */
struct reserve_lines {
	struct arena *arena;
	struct reserve_line *items;
	size_t count, size;
	unsigned first_free;
};

/* NONE: the folder it belongs to is not there, so nothing is to be reserved. */
enum lookup reserve_open(struct reserve *reserve, const char *path,
	uint64_t deadline_ms, struct err *err) MUST_USE;
/* What was put is gone. */
void reserve_close(struct reserve *reserve);

/* Errors: 4.2.0 when it cannot be had in time. */
MUST_USE int reserve_lock(struct reserve *reserve, struct err *err);
void reserve_unlock(struct reserve *reserve);

/* With the table locked: the lines of others. */
MUST_USE int reserve_read(
	struct reserve *reserve, struct reserve_lines *lines, struct err *err);
MUST_USE int reserve_put(struct reserve *reserve, struct reserve_lines *lines,
	unsigned root, struct quota_amount amount, struct err *err);
/* Nothing for a key that is too long or no word. */
MUST_USE int reserve_promise(struct reserve *reserve,
	struct reserve_lines *lines, unsigned root, struct quota_amount amount,
	const char *key, uint64_t until_s, struct err *err);
/* What the use of a root is from now on known to be; it stays in the file. */
MUST_USE int reserve_note(struct reserve *reserve, struct reserve_lines *lines,
	unsigned root, struct quota_amount use, struct err *err);
/* False: nobody has noted it. */
bool reserve_known(const struct reserve_lines *lines, unsigned root,
	struct quota_amount *use_out);
/* Of somebody who died, or a promise. */
MUST_USE int reserve_clear(
	struct reserve *reserve, unsigned place, struct err *err);

/* All own lines. */
void reserve_drop(struct reserve *reserve);

/* False: not in time. */
MUST_USE bool reserve_share_names(struct reserve *reserve);
MUST_USE bool reserve_take_names(struct reserve *reserve);
void reserve_give_names(struct reserve *reserve);

#endif
