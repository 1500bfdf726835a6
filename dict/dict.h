/* dict - keys and values that outlive a delivery
 *
 * An entry has a key, a value and a time from which it no longer counts; whoever
 * looks decides what that means to him, dict_expire() takes such entries away.
 * Changes between dict_begin() and dict_commit() happen together or not at all;
 * a change outside of them is its own transaction.  What was committed survives
 * the end of the process at any moment, except in dict_open_memory().
 *
 * One process, one thread.  All errors are temporary.  After an err within a
 * transaction only dict_abort() makes sense.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DICT_DICT_H
#define DICT_DICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"

enum {
	DICT_KEY_MAX = 256, /* bytes, at least one */
	DICT_VALUE_MAX = 64 * 1024,
	/* Exit status of a process whose data base does not come back. */
	DICT_EXIT_HUNG = 74
};

struct dict;

struct dict_entry {
	struct str key;
	struct str value;
	uint64_t expires_s; /* wall clock */
};

/* Berkeley DB below `folder`, which is made where it is missing (not the folders
 * above it).  There are in it:
 *   db.lock     held while it is open: one process at a time
 *   db.trouble  a byte for each time that opening did not come to an end or the
 *                data base found itself broken, since it last worked for a while
 *   db/          the data base and its log
 *   db.broken-SECONDS  an environment that could not be used; a new one took its
 *                place, the log says so
 * Zero of an option is its default. */
struct dict_bdb_options {
	const char *folder;
	uint64_t cache_bytes; /* 8 MiB */
	uint64_t
		reserve_bytes; /* free space that dict_has_room() wants; 32 MiB */
	uint64_t hang_ms;      /* a call that takes longer ends the process with
			   * DICT_EXIT_HUNG; 15 s */
};

/* FOUND: open.  NONE: another process has it.  ERROR: no space, no permission ... */
enum lookup dict_open_bdb(const struct dict_bdb_options *options,
	struct dict **dict_out, struct err *err);
struct dict *dict_open_memory(void);
/* Aborts what was not committed. */
void dict_close(struct dict **dict);

/* Whether new entries may be put.  Nothing else asks: what is there already can be
 * changed and deleted while the reserve lasts.  Berkeley DB takes a full disk badly,
 * so that it is best kept from meeting one. */
MUST_USE int dict_has_room(struct dict *dict, struct err *err);

MUST_USE int dict_begin(struct dict *dict, struct err *err);
/* The transaction has ended in any case. */
MUST_USE int dict_commit(struct dict *dict, struct err *err);
void dict_abort(struct dict *dict);

/* Results of all searches live in the arena. */
MUST_USE enum lookup dict_get(struct dict *dict, struct arena *arena,
	struct str key, struct dict_entry *entry_out, struct err *err);
MUST_USE int dict_put(
	struct dict *dict, const struct dict_entry *entry, struct err *err);
/* 0 also when there is none. */
MUST_USE int dict_delete(struct dict *dict, struct str key, struct err *err);

/* Some entries in the order of their keys. */
struct dict_walk {
	struct dict_entry *entries;
	size_t count;
	struct str last; /* the key to go on behind; empty: that was the end */
	/* Of dict_expire(): the earliest time of those that stay; 0: none do. */
	uint64_t next_s;
};

/* Up to `most` entries behind the key `after`; an empty one is before all. */
MUST_USE int dict_walk(struct dict *dict, struct arena *arena, struct str after,
	size_t most, struct dict_walk *walk_out, struct err *err);

/* Looks at as many whose keys begin with `prefix` and removes what expires at `now_s`
 * or before; tells what was removed.  What others have in the dict is left to them. */
MUST_USE int dict_expire(struct dict *dict, struct arena *arena,
	struct str prefix, struct str after, size_t most, uint64_t now_s,
	struct dict_walk *removed_out, struct err *err);

/* The data base must not be used any more: it is best to end the process, and to
 * open it anew in the next one. */
bool dict_is_broken(const struct dict *dict);

/* It has worked for a while: earlier trouble is forgotten. */
void dict_is_well(struct dict *dict);

#endif
