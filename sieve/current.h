/* current - the message as it is at this moment of a run
 *
 * Tests and actions look at the message through these functions and never at
 * run->message: a script may have changed it (editheader, replace, enclose), or
 * a script before it in the sequence.  As long as nobody has, they are as quick
 * as message_field_next() and need no memory.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_CURRENT_H
#define SIEVE_CURRENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/str.h"
#include "mail/content.h"
#include "mail/edited.h"
#include "mail/message.h"
#include "sieve/evaluate.h"

/* The next field called `name` after `after`, the first one when that is NULL;
 * NULL at the end. */
const struct header_field *run_field_next(const struct run *run,
	struct str name, const struct header_field *after);

/* The same whatever the name is: all fields, in order. */
const struct header_field *run_field_after(
	const struct run *run, const struct header_field *after);

/* Takes the steps of one walk over the fields of a name. */
MUST_USE enum sieve_status run_charge_fields(struct run *run);

/* Every line end counted as CR LF (RFC 5228 5.9). */
MUST_USE enum sieve_status run_size(struct run *run, uint64_t *size_out);

/* The whole message; NULL as long as it is as it came.  Lives in the result's
 * arena; the same one is given out until the next change. */
MUST_USE enum sieve_status run_content(
	struct run *run, const struct content **content_out);

/* The message as an action that runs now is to remember it. */
MUST_USE enum sieve_status run_action_content(
	struct run *run, struct sieve_action *action);

/* To be changed: every call is taken for a change.  It lives in the result's
 * arena, which run_reserve() watches; the result gets it when the run ends well
 * (a script in error has changed nothing, RFC 5293 7). */
struct edited *run_edit(struct run *run);

/* Another message takes the place of the one that is judged; what was changed is
 * forgotten. */
void run_set_message(struct run *run, const struct message *message);

/* ---- for evaluate.c ---- */

void current_begin(struct run *run);
/* The run has ended well: the result gets what was changed. */
void current_end(struct run *run);

#endif
