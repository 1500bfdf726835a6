/* SPDX-License-Identifier: MIT */
#include "conf/location.h"

#include "base/banned.h"

static const char *const names[CONF_LOCATION_PARTS] = {
	[CONF_LOCATION_DRIVER] = "mail_driver",
	[CONF_LOCATION_PATH] = "mail_path",
	[CONF_LOCATION_INBOX] = "mail_inbox_path",
	[CONF_LOCATION_INDEX] = "mail_index_path",
	[CONF_LOCATION_CONTROL] = "mail_control_path",
	[CONF_LOCATION_LAYOUT] = "mailbox_list_layout",
	[CONF_LOCATION_UTF8] = "mailbox_list_utf8",
};

static const char *const options[CONF_LOCATION_PARTS] = {
	[CONF_LOCATION_INBOX] = "INBOX=",
	[CONF_LOCATION_INDEX] = "INDEX=",
	[CONF_LOCATION_CONTROL] = "CONTROL=",
	[CONF_LOCATION_LAYOUT] = "LAYOUT=",
	[CONF_LOCATION_UTF8] = "UTF-8",
};

bool
conf_location_find(struct str name, enum conf_location_part *part_out)
{
	size_t i;

	for (i = 0; i < CONF_LOCATION_PARTS; i++)
		if (str_is(name, names[i])) {
			*part_out = (enum conf_location_part)i;
			return true;
		}
	return false;
}

static const char *
default_path(const char *driver)
{
	return str_is(str_from(driver), "maildir") ? "~/Maildir" : "~/mail";
}

/* Is this option of the old location replaced by a part that was given? */
static bool
is_replaced(struct str option, const struct conf_location *given)
{
	size_t i;

	for (i = CONF_LOCATION_INBOX; i < CONF_LOCATION_PARTS; i++)
		if (given->parts[i] != NULL &&
			str_starts(option, str_from(options[i])))
			return true;
	return false;
}

static const char *
given_option(struct arena *arena, enum conf_location_part part,
	const struct conf_location *given)
{
	struct str value = str_from(given->parts[part]);

	if (part == CONF_LOCATION_UTF8)
		return str_is_nocase(value, "yes") ? ":UTF-8" : "";
	if (value.len == 0)
		return "";
	return arena_format(arena, ":%s%.*s", options[part], STR_ARG(value));
}

const char *
conf_location_merge(struct arena *arena, const char *location,
	const struct conf_location *given)
{
	struct str rest = str_from(location), driver = STR_EMPTY;
	struct str path = STR_EMPTY, option;
	const char *text;
	size_t i;

	(void)(str_next_field(&rest, ':', &driver) &&
		str_next_field(&rest, ':', &path));
	if (given->parts[CONF_LOCATION_DRIVER] != NULL &&
		!str_is(driver, given->parts[CONF_LOCATION_DRIVER])) {
		driver = str_from(given->parts[CONF_LOCATION_DRIVER]);
		path = str_from(default_path(driver.data));
		rest = STR_EMPTY;
	}
	if (given->parts[CONF_LOCATION_PATH] != NULL)
		path = str_from(given->parts[CONF_LOCATION_PATH]);
	text = arena_format(arena, "%.*s:%.*s", STR_ARG(driver), STR_ARG(path));
	while (str_next_field(&rest, ':', &option))
		if (option.len > 0 && !is_replaced(option, given))
			text = arena_format(
				arena, "%s:%.*s", text, STR_ARG(option));
	for (i = CONF_LOCATION_INBOX; i < CONF_LOCATION_PARTS; i++)
		if (given->parts[i] != NULL)
			text = arena_format(arena, "%s%s", text,
				given_option(arena, (enum conf_location_part)i,
					given));
	return text;
}
