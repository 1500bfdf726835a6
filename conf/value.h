/* value - one value: text to field and back
 *
 * BOOL yes or no (y, n, 1, 0) - NUMBER digits - SIZE digits and B k M G T -
 * DURATION digits and ms, s, mins, hours, days, weeks - OCTAL digits 0-7 - PATH
 * from "/" - LOG_TARGET a path or "syslog" - LIST and NETWORKS words with blanks
 * or commas between - CHARACTER at most one.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/buf.h"
#include "base/str.h"
#include "conf/keys.h"

/* Fills the field of `key` in `object`.  `value` must have no NUL.  FAMILY keys
 * are not for this.  -1 and what was expected ("yes or no") when it is wrong.
 * Results live in the arena. */
MUST_USE int conf_value_parse(struct arena *arena, const struct conf_key *key,
	struct str value, void *object, const char **expected_out);

/* A TEXT key's value that stands in a file. */
void conf_value_set_path(
	const struct conf_key *key, const char *path, void *object);

/* The field in the words of the configuration, one way for each value. */
void conf_value_format(
	const struct conf_key *key, const void *object, struct buf *out);

/* What conf_value_parse() expects of a key, for people. */
const char *conf_value_expected(
	struct arena *arena, const struct conf_key *key);

#endif
