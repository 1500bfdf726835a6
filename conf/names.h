/* names - names that are not in keys.def: Dovecot's other ones
 *
 * Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_NAMES_H
#define CONF_NAMES_H

#include <stdbool.h>

#include "base/str.h"
#include "conf/keys.h"

/* The same setting under another name. */
struct conf_alias {
	const char *name;
	const char *key;
	bool is_path; /* the value names the file that the key's text is in */
};

/* NULL when there is none of that name. */
const struct conf_alias *conf_alias_find(struct str name);

/* Does the key, in a block of the kind that `keys` are for, not concern us? */
bool conf_is_foreign(const struct conf_keys *keys, struct str name);
bool conf_is_foreign_section(struct str name);

/* A service of ours, and one that "protocols" may name. */
bool conf_is_service(struct str name);
bool conf_is_protocol(struct str name);

#endif
