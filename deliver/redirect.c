/* SPDX-License-Identifier: MIT */
#include "deliver/redirect.h"

#include "outbound/outbound.h"
#include "deliver/plan.h"
#include "deliver/report.h"
#include "deliver/returnpath.h"
#include "deliver/setup.h"
#include "deliver/work.h"

#include "base/banned.h"

const struct str redirect_mark = {"X-Sieve-Redirected-From", 23};

bool
redirect_is_loop(const struct job *job, const struct delivery *delivery)
{
	const struct header_field *field = NULL;

	while ((field = message_field_next(
			job->message, redirect_mark, field)) != NULL)
		if (str_is_nocase(str_trim(field->value), delivery->user))
			return true;
	return false;
}

static struct str
return_path(const struct job *job, const struct delivery *delivery)
{
	return returnpath_of(job, delivery, "sieve_redirect_envelope_from",
		delivery->settings->sieve_redirect_envelope_from);
}

/* The message as the script had it, without its Return-Path: that is the next
 * delivery's to write (RFC 5321 4.4). */
static const struct content *
forwarded_content(const struct job *job, const struct delivery *delivery,
	const struct content *content)
{
	if (content == NULL)
		content = content_of(job->arena, job->message);
	content =
		content_without_fields(job->arena, content, STR("Return-Path"));
	return content_prepend(job->arena, content,
		str_from(arena_format(job->arena, "%.*s: %s\n",
			STR_ARG(redirect_mark), delivery->user)));
}

static bool
is_same_content(const struct content *a, const struct content *b)
{
	return a == b || (a != NULL && b != NULL && content_is_same(a, b));
}

/* The addresses, from `first` on, that get the same content; *first is moved
 * behind the last of them. */
static size_t
take_addresses(struct arena *arena, const struct plan *plan, size_t *first,
	struct str **addresses_out)
{
	const struct plan_redirect *redirects = plan->redirects + *first;
	size_t most = plan->redirect_count - *first, count;

	*addresses_out = ARENA_ARRAY(arena, struct str, most);
	for (count = 0;
		count < most &&
		is_same_content(redirects[count].content, redirects[0].content);
		count++)
		(*addresses_out)[count] = redirects[count].address;
	*first += count;
	return count;
}

int
redirect_hand_over(struct job *job, struct delivery *delivery, struct err *err)
{
	const struct plan *plan = delivery->work->plan;
	const struct outbound_settings settings =
		setup_outbound(delivery->settings);
	size_t next = 0, i;

	while (next < plan->redirect_count) {
		const struct content *content = plan->redirects[next].content;
		struct str *addresses;
		size_t count =
			take_addresses(job->arena, plan, &next, &addresses);

		if (outbound_submit(&settings, return_path(job, delivery),
			    addresses, count,
			    forwarded_content(job, delivery, content), err) < 0)
			return -1;
	}
	for (i = 0; i < plan->redirect_count; i++)
		report_line(job, delivery, NULL, "forwarded to <%.*s>",
			STR_ARG(plan->redirects[i].address));
	return 0;
}
