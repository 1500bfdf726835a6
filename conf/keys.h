/* keys - the table of settings that keys.def gives
 *
 * Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_KEYS_H
#define CONF_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "conf/settings.h"

enum conf_type {
	CONF_TYPE_STRING,
	CONF_TYPE_TEMPLATE,
	CONF_TYPE_PATH,
	CONF_TYPE_LOG_TARGET,
	CONF_TYPE_CHOICE,
	CONF_TYPE_TEXT,
	CONF_TYPE_CHARACTER,
	CONF_TYPE_BOOL,
	CONF_TYPE_NUMBER,
	CONF_TYPE_SIZE,
	CONF_TYPE_DURATION,
	CONF_TYPE_OCTAL,
	CONF_TYPE_ENUM,
	CONF_TYPE_LIST,
	CONF_TYPE_NETWORKS,
	CONF_TYPE_FAMILY
};

/* Which variables a template may name. */
enum conf_vars {
	CONF_VARS_NONE,
	CONF_VARS_NAME,   /* an address that becomes a user name */
	CONF_VARS_RECORD, /* what is used before the user's record is whole */
	CONF_VARS_HOST,   /* where there may be no user */
	CONF_VARS_USER,   /* a known user */
	CONF_VARS_LOG,
	CONF_VARS_DELIVER,
	CONF_VARS_REJECTION,
	CONF_VARS_WARNING
};

struct conf_bounds {
	uint64_t least, most;     /* numbers, bytes, ms; most 0 = no bounds */
	bool has_unlimited;       /* "unlimited" is another word for 0 */
	const char *const *words; /* ends with NULL */
	enum conf_vars vars;
};

struct conf_key {
	const char *name;
	size_t name_len;
	enum conf_type type;
	size_t offset; /* of the field in its struct */
	const char *fallback;
	struct conf_bounds bounds;
	unsigned kinds;
	const char *help;
};

struct conf_keys {
	const struct conf_key *items;
	size_t count;
};

extern const struct conf_keys conf_top_keys, conf_userdb_keys,
	conf_namespace_keys, conf_mailbox_keys, conf_service_keys,
	conf_listener_keys, conf_local_name_keys, conf_proxy_group_keys,
	conf_backend_keys;

/* NULL when there is none of that name. */
const struct conf_key *conf_key_find(
	const struct conf_keys *keys, struct str name);

/* Nothing in this release reads it. */
bool conf_key_is_later(const struct conf_key *key);

/* "sieve_before2", "quota2_rule3": the FAMILY key and the numbers in the name;
 * NULL when it is no such name. */
const struct conf_key *conf_key_find_family(
	struct str name, unsigned *root_out, unsigned *number_out);

/* The name as it would be written: "quota2_rule3".  Lives in the arena. */
const char *conf_family_name(struct arena *arena, const struct conf_key *key,
	unsigned root, unsigned number);

/* The name that was probably meant, or NULL. */
const char *conf_key_suggest(const struct conf_keys *keys, struct str name);

#endif
