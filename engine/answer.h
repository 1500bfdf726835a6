/* answer - the actions of a run, as bytes from a child that is not trusted
 *
 *   record = kind (1 octet)  length (4 octets, most significant first)  value
 *
 *   K         keep              G  a flag of the K or F before it
 *   F MAILBOX fileinto          P  line (4 octets) and text: an error, the
 *   R ADDRESS redirect             script has failed
 *   D         discard           E  the end; without it the answer is half
 *
 * The child adds records, the parent reads them all and believes nothing: kinds,
 * lengths, order, mailbox names, addresses and counts are checked.  Flags that
 * cannot be flags are passed over (RFC 5232 2).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ENGINE_ANSWER_H
#define ENGINE_ANSWER_H

#include <stddef.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "sieve/sieve.h"

enum {
	ANSWER_BYTES_MOST = 1024 * 1024,
	ANSWER_PROBLEM_MOST = 300 /* bytes of one text */
};

enum answer_kind {
	ANSWER_KEEP = 'K',
	ANSWER_FILEINTO = 'F',
	ANSWER_REDIRECT = 'R',
	ANSWER_DISCARD = 'D',
	ANSWER_FLAG = 'G',
	ANSWER_PROBLEM = 'P',
	ANSWER_END = 'E'
};

/* ---- the child ---- */

void answer_add(struct buf *answer, enum answer_kind kind, struct str value);
void answer_add_problem(struct buf *answer, unsigned line, struct str text);

/* ---- the parent ---- */

struct answer {
	struct sieve_action *actions;
	size_t count, size;
	struct sieve_problem *problems;
	size_t problem_count, problem_size;
};

/* Reads the whole of it; `script` becomes the place of actions and problems.
 * All lives in the arena.  -1: the bytes are no answer or ask for what is not
 * allowed; err->text says what, for people. */
MUST_USE int answer_read(struct arena *arena, struct str bytes,
	const char *script, const struct sieve_settings *settings,
	struct answer *answer_out, struct err *err);

#endif
