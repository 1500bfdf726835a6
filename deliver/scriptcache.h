/* scriptcache - compiled scripts that a process keeps from one job to the next
 *
 * A script is known again by its path, device, inode, size, and times of
 * modification and change, and by the settings it was compiled under.  So an
 * edit, a rename over it, another target of the active link and a change of its
 * permissions all make it another script, which is read anew.  One that changed
 * so lately that a further change could carry the same times is not kept.
 * The same goes for each script that it includes, one that may be missing and is
 * counting as well; a program that includes others belongs to the folders they
 * were looked for in.
 *
 * A script in error is kept as well, with its report.  Which script has not been
 * used for the longest time goes first.  Programs do not change when they run.
 *
 * Many users have a copy of the same script, from a template or a form: files
 * with the same bytes share one program.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_SCRIPTCACHE_H
#define DELIVER_SCRIPTCACHE_H

#include <stddef.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "sieve/sieve.h"

/* Defaults of the limits. */
enum { SCRIPT_CACHE_SCRIPTS = 20000, SCRIPT_CACHE_BYTES = 16 * 1024 * 1024 };

struct script_cache_limits {
	size_t scripts;
	size_t bytes; /* of memory, about */
};

struct script_cache_counts {
	size_t scripts, bytes; /* at present */
	size_t hits, compiled; /* so far */
	size_t shared;         /* read, but with the bytes of another */
};

struct script_cache;

/* Where included scripts are (RFC 6609); NULL: nowhere. */
struct script_folders {
	const char *personal;
	const char *global;
};

/* NULL: the defaults. */
struct script_cache *script_cache_open(
	const struct script_cache_limits *limits);
void script_cache_close(struct script_cache **cache);

struct script_cache_counts script_cache_counts(
	const struct script_cache *cache);

/* Reads and compiles, or finds.  `cache` may be NULL, and so may `folders`.  The program lives until
 * the next call for this cache and at most as long as the arena.
 * LOOKUP_NONE: the report has an error.  Errors: 4.3.0 the script, or one
 * that it includes, cannot be read. */
enum lookup script_cache_load(struct script_cache *cache, struct arena *arena,
	const struct sieve_settings *settings,
	const struct script_folders *folders, const char *path,
	struct sieve_program **program_out, struct sieve_report *report,
	struct err *err) MUST_USE;

#endif
