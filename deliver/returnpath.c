/* SPDX-License-Identifier: MIT */
#include "deliver/returnpath.h"

#include "base/log.h"
#include "deliver/setup.h"

#include "base/banned.h"

/* An address that a setting names; the sender where it cannot be read. */
static struct str
address_of(const struct job *job, const struct delivery *delivery,
	const char *setting, const char *template)
{
	struct address address;
	struct str text;
	struct err err;

	if (setup_expand(job, delivery, template, &text, &err) < 0 ||
		address_parse_path(job->arena, text,
			ADDRESS_BRACKETS_OPTIONAL | ADDRESS_NULL_ALLOWED,
			&address, &err) < 0) {
		log_error("%s: %s", setting, err_log_text(&err));
		return job->sender.text;
	}
	return address.text;
}

struct str
returnpath_of(const struct job *job, const struct delivery *delivery,
	const char *setting, const char *policy)
{
	const struct settings *settings = delivery->settings;

	if (job->sender.is_null || str_is(str_from(policy), "sender"))
		return job->sender.text;
	if (str_is(str_from(policy), "recipient"))
		return delivery->final.text;
	if (str_is(str_from(policy), "orig_recipient"))
		return delivery->original.text;
	if (str_is(str_from(policy), "user_email"))
		return address_of(job, delivery, setting,
			settings->sieve_user_email[0] != '\0'
				? settings->sieve_user_email
				: "%u");
	if (str_is(str_from(policy), "postmaster"))
		policy = settings->postmaster_address;
	return address_of(job, delivery, setting, policy);
}
