/* location - mail_location from the settings that Dovecot 2.4 parts it into
 *
 * Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_LOCATION_H
#define CONF_LOCATION_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/str.h"
#include "conf/settings.h"

enum conf_location_part {
	CONF_LOCATION_DRIVER,  /* mail_driver */
	CONF_LOCATION_PATH,    /* mail_path */
	CONF_LOCATION_INBOX,   /* mail_inbox_path */
	CONF_LOCATION_INDEX,   /* mail_index_path */
	CONF_LOCATION_CONTROL, /* mail_control_path */
	CONF_LOCATION_LAYOUT,  /* mailbox_list_layout */
	CONF_LOCATION_UTF8,    /* mailbox_list_utf8: "yes" or "no" */
	CONF_LOCATION_PARTS
};

struct conf_location {
	const char *parts[CONF_LOCATION_PARTS]; /* NULL = not given */
	struct conf_place place;                /* of the one given last */
	bool is_given;
};

/* False when the name is none of them. */
bool conf_location_find(struct str name, enum conf_location_part *part_out);

/* `location` with the given parts in place of its own.  A driver without a path
 * has Dovecot's default path. */
const char *conf_location_merge(struct arena *arena, const char *location,
	const struct conf_location *given);

#endif
