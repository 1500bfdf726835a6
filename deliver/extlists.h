/* extlists - the external lists of the settings (RFC 6134)
 *
 *   sieve_extlists_list = tag:example.org,2026:friends file:~/friends
 *   sieve_extlists_list2 = NAME [max_lookup_size=1k] [file:PATH | lines:PATH |
 *       hash:PATH | btree:PATH | cdb:PATH | texthash:PATH]
 *
 * file:PATH is a file of Dovecot's dict (dict/file.h) whose keys are
 * priv/sieve/extlists/VALUE or shared/sieve/extlists/VALUE, where "\|" is a slash
 * and "\\" a backslash; lines:PATH has a value a line.  The others are tables
 * of Postfix, whose keys are the values; of hash and btree the file is PATH.db, of cdb
 * PATH.cdb.  A list without a file is
 * empty, and so is one whose file is not there.  A file is read once for each
 * delivery that asks.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_EXTLISTS_H
#define DELIVER_EXTLISTS_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"
#include "sieve/host.h"
#include "deliver/deliver.h"

struct extlists;

/* The lists of the delivery's settings.  Job and delivery are borrowed; what it
 * reads lives in the job's arena. */
struct extlists *extlists_new(
	const struct job *job, const struct delivery *delivery);

/* Made for these settings? */
bool extlists_are_of(
	const struct extlists *lists, const struct settings *settings);

/* Do the settings know a list of this name? */
bool extlists_has_list(const struct extlists *lists, struct str name);

/* All values of the list.  NONE: there is no such list. */
MUST_USE enum lookup extlists_values(struct extlists *lists, struct str name,
	const struct str **values_out, size_t *count_out, struct err *err);

/* Is the value in the list?  NONE also when there is no such list, and for a value
 * longer than the list's max_lookup_size.  ERROR: its file cannot be read. */
MUST_USE enum lookup extlists_find(struct extlists *lists,
	const struct sieve_list_question *question, struct err *err);

#endif
