/* result - the list of actions that scripts have asked for
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_RESULT_H
#define SIEVE_RESULT_H

#include <stdbool.h>
#include <stddef.h>

#include "sieve/sieve.h"

/* Before a run: an explicit keep of a script before it only meant "go on"; it
 * is taken out, and its flags stay as those that this run starts with. */
void result_begin(struct sieve_result *result);

/* Is the same thing done already?  Then the two become one (RFC 5228 2.10.3):
 * the later flags win (RFC 5232 3). */
bool result_merge(struct sieve_result *result, size_t from,
	const struct sieve_action *action);

void result_add(struct sieve_result *result, const struct sieve_action *action);

/* The mark with this key; NULL: nobody asked for it in this delivery. */
struct sieve_mark *result_find_mark(const struct sieve_result *result,
	const unsigned char key[SIEVE_MARK_KEY]);

struct sieve_mark *result_add_mark(
	struct sieve_result *result, const unsigned char key[SIEVE_MARK_KEY]);

bool result_has_keep(const struct sieve_result *result);

#endif
