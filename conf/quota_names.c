/* SPDX-License-Identifier: MIT */
#include "conf/quota_names.h"

#include <inttypes.h>

#include "base/number.h"

#include "base/banned.h"

const struct conf_quota_name conf_quota_names[CONF_QUOTA_NAMES] = {
	{"storage_size", "_rule", "*:storage=", "B", true},
	{"message_count", "_rule901", "*:messages=", "", false},
	{"storage_percentage", "_rule902", "*:storage=", "%%", false},
	{"message_percentage", "_rule903", "*:messages=", "%%", false},
	{"storage_extra", "_rule904", "*:storage=+", "B", true},
	{"storage_grace", "_grace", "", "B", true},
};

size_t
conf_quota_name_find(struct str name)
{
	size_t i = 0;

	while (i < CONF_QUOTA_NAMES && !str_is(name, conf_quota_names[i].name))
		i++;
	return i;
}

const char *
conf_quota_name_value(struct arena *arena, size_t which, struct str text,
	const char **expected_out)
{
	const struct conf_quota_name *name = &conf_quota_names[which];
	uint64_t number;

	if (str_is_nocase(text, "unlimited"))
		return "";
	*expected_out = name->is_size ? "a size such as 1G" : "a number";
	if (name->is_size ? number_parse_size(text, 1, &number) < 0
			  : number_parse(text, &number) < 0)
		return NULL;
	return arena_format(
		arena, "%s%" PRIu64 "%s", name->before, number, name->behind);
}
