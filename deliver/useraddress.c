/* SPDX-License-Identifier: MIT */
#include "deliver/useraddress.h"

#include <string.h>

#include "deliver/setup.h"

#include "base/banned.h"

bool
useraddress_main(const struct job *job, const struct delivery *delivery,
	struct address *address_out)
{
	const char *email = delivery->settings->sieve_user_email;
	struct str text;
	struct err err;

	if (setup_expand(job, delivery, email[0] != '\0' ? email : "%u", &text,
		    &err) < 0 ||
		address_parse_path(job->arena, text, ADDRESS_BRACKETS_OPTIONAL,
			address_out, &err) < 0)
		*address_out = delivery->final;
	return address_out->domain.len > 0;
}

/* A field of a passwd-file holds no blank, so commas part them as well. */
static bool
take_alias(struct str *rest, struct str *alias_out)
{
	size_t end;

	while (rest->len > 0 && strchr(", \t", rest->data[0]) != NULL)
		*rest = str_skip(*rest, 1);
	end = str_find_any(*rest, ", \t");
	*alias_out = str_slice(*rest, 0, end);
	*rest = str_skip(*rest, end);
	return alias_out->len > 0;
}

bool
useraddress_alias(
	const struct delivery *delivery, size_t index, struct str *address_out)
{
	struct str rest = str_from(delivery->settings->sieve_user_aliases);

	*address_out = delivery->final.text;
	for (; index > 0; index--)
		if (!take_alias(&rest, address_out))
			return false;
	return true;
}
