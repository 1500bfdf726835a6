/* quota_names - the limits as Dovecot 2.4 names them, said by rules
 *
 *   storage_size = 1G          quota_rule    = *:storage=1073741824B
 *   message_count = 1000       quota_rule901 = *:messages=1000
 *   storage_percentage = 110   quota_rule902 = *:storage=110%%
 *   message_percentage = 110   quota_rule903 = *:messages=110%%
 *   storage_extra = 10M        quota_rule904 = *:storage=+10485760B
 *   storage_grace = 10M        quota_grace   = 10485760B
 *
 * Each has a number of its own, so that a user's record can change one of them
 * and the others stay.  Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_QUOTA_NAMES_H
#define CONF_QUOTA_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/str.h"

enum { CONF_QUOTA_NAMES = 6, CONF_QUOTA_OWN_NUMBERS = 900 };

struct conf_quota_name {
	const char *name; /* without "quota_" */
	const char *tail; /* of the family's: "_rule2" */
	const char *before, *behind;
	bool is_size;
};

extern const struct conf_quota_name conf_quota_names[CONF_QUOTA_NAMES];

/* CONF_QUOTA_NAMES where there is none of that name. */
size_t conf_quota_name_find(struct str name);

/* NULL: *expected_out says what it should be.  Empty: no limit. */
const char *conf_quota_name_value(struct arena *arena, size_t which,
	struct str text, const char **expected_out);

#endif
