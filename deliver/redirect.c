/* SPDX-License-Identifier: MIT */
#include "deliver/redirect.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "outbound/outbound.h"
#include "deliver/forwardlock.h"
#include "deliver/plan.h"
#include "deliver/report.h"
#include "deliver/returnpath.h"
#include "deliver/seen.h"
#include "deliver/setup.h"
#include "deliver/work.h"

#include "base/banned.h"

const struct str redirect_mark = {"X-Sieve-Redirected-From", 23};

/* ---- whether it is to be made ---- */

enum {
	HOUR_S = 60 * 60,
	TRIES_S = 7 * 24 * HOUR_S /* no client tries for longer */
};

static void
add_text(struct digest *digest, struct str text)
{
	digest_add(digest, text);
	digest_add(digest, str_of("", 1));
}

static void
add_field(struct digest *digest, const struct job *job, struct str name)
{
	const struct header_field *field =
		message_field_next(job->message, name, NULL);

	add_text(digest, field != NULL ? str_trim(field->value) : STR_EMPTY);
}

static void
end_key(struct digest *digest, unsigned char key[SIEVE_MARK_KEY])
{
	uint8_t result[DIGEST_MAX];

	digest_end(digest, result);
	memcpy(key, result, SIEVE_MARK_KEY);
}

/* What makes two messages the same: a list's copy, or one that somebody has sent
 * on by hand, is another one. */
static void
make_key(struct job *job, struct str address, unsigned char key[SIEVE_MARK_KEY])
{
	struct digest digest;

	digest_init(&digest, DIGEST_SHA256);
	add_text(&digest, STR("redirect"));
	add_text(&digest, arena_lower(job->arena, address));
	add_field(&digest, job, STR("Message-ID"));
	add_field(&digest, job, STR("Resent-Message-ID"));
	add_field(&digest, job, STR("Resent-From"));
	add_field(&digest, job, STR("List-ID"));
	end_key(&digest, key);
}

/* It is kept, with the marks of scripts, when the delivery has succeeded. */
static void
add_mark(struct job *job, struct sieve_result *result,
	const unsigned char key[SIEVE_MARK_KEY], uint64_t seconds)
{
	struct sieve_mark *mark;

	if (result->mark_count == result->mark_size) {
		result->mark_size =
			result->mark_size > 0 ? result->mark_size * 2 : 4;
		result->marks = arena_grow(job->arena, result->marks,
			sizeof(*result->marks), result->mark_count,
			result->mark_size);
	}
	mark = &result->marks[result->mark_count++];
	*mark = (struct sieve_mark){
		.seconds = seconds, .kind = SIEVE_MARK_REDIRECT};
	memcpy(mark->key, key, SIEVE_MARK_KEY);
}

/* For how long; 0: not at all.  Without an id nobody knows what is the same. */
static uint64_t
memory_s(const struct job *job, const struct delivery *delivery)
{
	return message_field_next(job->message, STR("Message-ID"), NULL) != NULL
	               ? delivery->settings
	                                 ->sieve_redirect_duplicate_period_ms /
	                         1000
	               : 0;
}

static bool
is_duplicate(
	struct job *job, const struct delivery *delivery, struct str address)
{
	unsigned char key[SIEVE_MARK_KEY];

	if (memory_s(job, delivery) == 0)
		return false;
	make_key(job, address, key);
	return seen_find(job, delivery, key);
}

/* The same message is forwarded by one process at a time. */
static void
wait_for_others(struct job *job, const struct delivery *delivery)
{
	unsigned char key[SIEVE_MARK_KEY];

	if (memory_s(job, delivery) == 0)
		return;
	make_key(job, STR_EMPTY, key);
	forwardlock_take(job, delivery, key);
}

static void
mark_message(struct job *job, struct delivery *delivery, struct str address)
{
	uint64_t seconds = memory_s(job, delivery);
	unsigned char key[SIEVE_MARK_KEY];

	if (seconds == 0)
		return;
	make_key(job, address, key);
	add_mark(job, &delivery->work->script.result, key, seconds);
}

/* It is not forwarded after all. */
static void
unmark_message(struct job *job, struct delivery *delivery, struct str address)
{
	struct sieve_result *result = &delivery->work->script.result;
	unsigned char key[SIEVE_MARK_KEY];
	size_t i;

	make_key(job, address, key);
	for (i = 0; i < result->mark_count; i++)
		if (memcmp(result->marks[i].key, key, sizeof(key)) == 0)
			result->marks[i].seconds = 0;
}

/* ---- what a try that failed has handed over all the same ---- */

/* What the client gives at its retry: the very same message. */
static void
make_try_key(
	struct job *job, struct str address, unsigned char key[SIEVE_MARK_KEY])
{
	uint64_t end = message_end(job->message);
	struct digest digest;
	struct str header;

	digest_init(&digest, DIGEST_SHA256);
	add_text(&digest, STR("redirect of a try"));
	add_text(&digest, arena_lower(job->arena, address));
	add_text(&digest, job->sender.text);
	digest_add(&digest, str_of((const char *)&end, sizeof(end)));
	if (message_view(job->message, message_start(job->message),
		    message_body(job->message), &header))
		digest_add(&digest, header);
	end_key(&digest, key);
}

static bool
was_done(struct job *job, const struct delivery *delivery, struct str address)
{
	unsigned char key[SIEVE_MARK_KEY];

	make_try_key(job, address, key);
	return seen_find(job, delivery, key);
}

/* That of the try, and the one of sieve_redirect_duplicate_period. */
static void
make_marks(struct job *job, const struct delivery *delivery, struct str address,
	struct sieve_mark marks[OUTBOUND_MARKS])
{
	marks[0] = (struct sieve_mark){
		.seconds = TRIES_S, .kind = SIEVE_MARK_REDIRECT};
	make_try_key(job, address, marks[0].key);
	marks[1] = (struct sieve_mark){.seconds = memory_s(job, delivery),
		.kind = SIEVE_MARK_REDIRECT};
	make_key(job, address, marks[1].key);
}

static void
mark_try(struct job *job, const struct delivery *delivery, struct str address)
{
	struct sieve_mark marks[OUTBOUND_MARKS];

	make_marks(job, delivery, address, marks);
	seen_keep_now(job, delivery, marks, OUTBOUND_MARKS);
}

/* The same bytes may come again on purpose. */
static void
forget_tries(struct job *job, const struct delivery *delivery)
{
	const struct plan *plan = delivery->work->plan;
	struct sieve_mark *marks = ARENA_ARRAY(job->arena, struct sieve_mark,
		plan->done_count + plan->redirect_count);
	size_t count = 0, i;

	for (i = 0; i < plan->done_count; i++)
		make_try_key(job, plan->done_redirects[i], marks[count++].key);
	/* The mailer has marked them. */
	for (i = 0; job->seen != NULL && i < plan->redirect_count; i++)
		if (plan->redirects[i].is_handed_over)
			make_try_key(job, plan->redirects[i].address,
				marks[count++].key);
	for (i = 0; i < count; i++)
		marks[i].kind = SIEVE_MARK_REDIRECT;
	seen_give_back(job, delivery, marks, count);
}

/* What the mailer keeps as soon as a redirect has left.  NULL: a file of the user's
 * is not its to write. */
static const struct outbound_mark *
marks_of(struct job *job, const struct delivery *delivery,
	const struct plan_redirect *redirects, size_t count)
{
	struct outbound_mark *result, *mark;
	uint64_t now = (uint64_t)clock_now().tv_sec;
	size_t i, m;

	if (job->seen == NULL)
		return NULL;
	result = mark = ARENA_ARRAY(
		job->arena, struct outbound_mark, count * OUTBOUND_MARKS);
	for (i = 0; i < count; i++) {
		struct sieve_mark marks[OUTBOUND_MARKS];

		make_marks(job, delivery, redirects[i].address, marks);
		for (m = 0; m < OUTBOUND_MARKS; m++, mark++) {
			seen_key(delivery, marks[m].key, mark->key);
			if (marks[m].seconds > 0)
				mark->expires_s = now + marks[m].seconds;
		}
	}
	return result;
}

/* ---- the limit of an hour ---- */

static const char too_many[] = "the user has forwarded too much in this hour "
			       "(sieve_max_redirects_per_hour)";

/* The n-th redirect of this hour has a mark of its own. */
static void
make_hour_key(uint64_t hour, uint64_t n, unsigned char key[SIEVE_MARK_KEY])
{
	char text[80];
	struct digest digest;

	snprintf(text, sizeof(text), "redirects of hour %llu: %llu",
		(unsigned long long)hour, (unsigned long long)n);
	digest_init(&digest, DIGEST_SHA256);
	add_text(&digest, str_from(text));
	end_key(&digest, key);
}

/* How many there were in this hour, `limit` at most.  They are counted in order,
 * so that a few questions find the end. */
static uint64_t
count_of_hour(const struct job *job, const struct delivery *delivery,
	uint64_t hour, uint64_t limit)
{
	uint64_t least = 0, most = limit;

	while (least < most) {
		uint64_t middle = least + (most - least) / 2;
		unsigned char key[SIEVE_MARK_KEY];

		make_hour_key(hour, middle, key);
		if (seen_find(job, delivery, key))
			least = middle + 1;
		else
			most = middle;
	}
	return least;
}

static uint64_t
this_hour(void)
{
	return (uint64_t)clock_now().tv_sec / HOUR_S;
}

/* As far as can be said now. */
static bool
has_place(const struct job *job, const struct delivery *delivery)
{
	uint64_t limit = delivery->settings->sieve_max_redirects_per_hour;

	return limit == 0 ||
	       count_of_hour(job, delivery, this_hour(), limit) +
	                       delivery->work->plan->redirect_count <
	               limit;
}

/* Takes a place of this hour, which no delivery at the same time can have as well;
 * false: there is none.  A memory in trouble counts nothing. */
static bool
take_place(const struct job *job, const struct delivery *delivery,
	struct sieve_mark *place_out)
{
	uint64_t limit = delivery->settings->sieve_max_redirects_per_hour;
	uint64_t hour = this_hour(), n;
	struct err err;

	if (limit == 0)
		return true;
	for (n = count_of_hour(job, delivery, hour, limit); n < limit; n++) {
		make_hour_key(hour, n, place_out->key);
		place_out->seconds = HOUR_S;
		switch (seen_claim(job, delivery, place_out, &err)) {
		case LOOKUP_FOUND:
			return true;
		case LOOKUP_NONE:
			break;
		case LOOKUP_ERROR:
			log_error("sieve: redirects of this hour are not "
				  "counted: %s",
				err_log_text(&err));
			place_out->seconds = 0;
			return true;
		}
	}
	place_out->seconds = 0;
	return false;
}

static void
give_places_back(struct job *job, const struct delivery *delivery)
{
	const struct plan *plan = delivery->work->plan;
	size_t i;

	for (i = 0; i < plan->redirect_count; i++)
		if (plan->redirects[i].place.seconds > 0 &&
			!plan->redirects[i].is_handed_over)
			seen_give_back(
				job, delivery, &plan->redirects[i].place, 1);
}

/* ---- the end of a delivery ---- */

void
redirect_remember(struct job *job, const struct delivery *delivery)
{
	const struct plan *plan = delivery->work->plan;
	bool has_failed = delivery->outcome == DELIVER_FAILED;
	size_t i;

	if (plan == NULL)
		return;
	give_places_back(job, delivery);
	if (!has_failed) {
		forget_tries(job, delivery);
		return;
	}
	for (i = 0; i < plan->done_count; i++)
		mark_try(job, delivery, plan->done_redirects[i]);
	for (i = 0; i < plan->redirect_count; i++)
		if (plan->redirects[i].is_handed_over)
			mark_try(job, delivery, plan->redirects[i].address);
}

/* ---- circles ---- */

/* Whose redirect it was.  A name without a domain is somebody else's on another
 * host. */
static struct str
mark_of(const struct job *job, const struct delivery *delivery)
{
	if (strchr(delivery->user, '@') != NULL)
		return str_from(delivery->user);
	return str_from(arena_format(job->arena, "%s@%.*s", delivery->user,
		STR_ARG(setup_hostname(delivery->settings))));
}

static bool
is_loop(const struct job *job, const struct delivery *delivery)
{
	const struct header_field *field = NULL;
	struct str mark = mark_of(job, delivery);

	while ((field = message_field_next(
			job->message, redirect_mark, field)) != NULL)
		if (str_equal_nocase(str_trim(field->value), mark))
			return true;
	return false;
}

enum redirect_need
redirect_need(struct job *job, struct delivery *delivery,
	const struct plan_redirect *redirect, const char **why_out)
{
	bool is_known;

	*why_out = NULL;
	wait_for_others(job, delivery);
	if (is_loop(job, delivery)) {
		*why_out = "it was forwarded by this user before";
		return REDIRECT_UNWANTED;
	}
	is_known = is_duplicate(job, delivery, redirect->address);
	if ((is_known || memory_s(job, delivery) == 0) &&
		was_done(job, delivery, redirect->address))
		return REDIRECT_DONE;
	else if (is_known)
		*why_out = "it was forwarded there before "
			   "(sieve_redirect_duplicate_period)";
	else if (!has_place(job, delivery))
		*why_out = too_many;
	if (*why_out != NULL)
		return REDIRECT_UNWANTED;
	/* Only now: what is held back was not forwarded. */
	mark_message(job, delivery, redirect->address);
	return REDIRECT_WANTED;
}

/* ---- what is sent ---- */

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
		str_from(arena_format(job->arena, "%.*s: %.*s\n",
			STR_ARG(redirect_mark),
			STR_ARG(mark_of(job, delivery)))));
}

static bool
is_same_content(const struct content *a, const struct content *b)
{
	return a == b || (a != NULL && b != NULL && content_is_same(a, b));
}

static bool
is_same_time(const struct sieve_deliver_by *a, const struct sieve_deliver_by *b)
{
	return a->is_set == b->is_set && a->seconds == b->seconds &&
	       a->returns == b->returns && a->traces == b->traces;
}

static bool
go_together(const struct plan_redirect *a, const struct plan_redirect *b)
{
	return is_same_content(a->content, b->content) &&
	       str_equal(a->action->redirect.notify,
		       b->action->redirect.notify) &&
	       str_equal(a->action->redirect.ret, b->action->redirect.ret) &&
	       is_same_time(&a->action->redirect.by, &b->action->redirect.by);
}

/* ---- handing over ---- */

/* Nobody waits for what comes later. */
static void
limit_time(const struct job *job, struct outbound_settings *settings)
{
	uint64_t now = clock_monotonic_ms();
	uint64_t left = job->deadline_ms > now ? job->deadline_ms - now : 1;

	if (job->deadline_ms > 0 && settings->timeout_ms > left)
		settings->timeout_ms = left;
}

static struct outbound_pending *
begin(struct job *job, struct delivery *delivery,
	const struct plan_handover *handover)
{
	const struct plan_redirect *redirects =
		delivery->work->plan->redirects + handover->first;
	const struct sieve_action *action = redirects[0].action;
	struct outbound_mail *mail =
		ARENA_NEW(job->arena, struct outbound_mail);
	struct str *addresses =
		ARENA_ARRAY(job->arena, struct str, handover->count);
	struct outbound_settings *settings =
		ARENA_NEW(job->arena, struct outbound_settings);
	size_t i;

	for (i = 0; i < handover->count; i++)
		addresses[i] = redirects[i].address;
	*settings = setup_outbound(delivery->settings);
	limit_time(job, settings);
	*mail = (struct outbound_mail){.sender = return_path(job, delivery),
		.recipients = addresses,
		.count = handover->count,
		.content =
			forwarded_content(job, delivery, redirects[0].content),
		.wishes = {.notify = action->redirect.notify,
			.ret = action->redirect.ret,
			.by = sieve_deliver_by_text(
				job->arena, &action->redirect.by)}};
	mail->is_forwarded = str_equal(mail->sender, job->sender.text);
	mail->marks = marks_of(job, delivery, redirects, handover->count);
	return outbound_begin(job->arena, settings, mail);
}

/* Of deliveries at the same time some may find no place left. */
static void
take_places(struct job *job, struct delivery *delivery)
{
	struct plan *plan = delivery->work->plan;
	size_t count = plan->redirect_count, i;

	plan->redirect_count = 0;
	for (i = 0; i < count; i++) {
		struct plan_redirect redirect = plan->redirects[i];

		if (take_place(job, delivery, &redirect.place)) {
			plan->redirects[plan->redirect_count++] = redirect;
			continue;
		}
		plan->refrained[plan->refrained_count++] =
			(struct plan_refrained){redirect.address, too_many,
				redirect.content, true};
		unmark_message(job, delivery, redirect.address);
	}
}

int
redirect_begin(struct job *job, struct delivery *delivery, struct err *err)
{
	struct plan *plan = delivery->work->plan;
	size_t next = 0;

	(void)err;
	take_places(job, delivery);
	plan->handovers = ARENA_ARRAY(
		job->arena, struct plan_handover, plan->redirect_count);
	while (next < plan->redirect_count) {
		const struct plan_redirect *first = &plan->redirects[next];
		struct plan_handover *handover =
			&plan->handovers[plan->handover_count++];

		handover->first = next;
		while (next < plan->redirect_count &&
			go_together(&plan->redirects[next], first))
			next++;
		handover->count = next - handover->first;
		handover->pending = begin(job, delivery, handover);
	}
	return 0;
}

/* A relay that will never take it leaves the message here.  Temporary trouble does
 * not: the client tries again. */
static void
keep_refused(struct job *job, struct delivery *delivery,
	const struct plan_redirect *redirect, const struct err *result,
	bool *is_kept_out)
{
	log_error("sieve: failed to redirect message to <%.*s>: %s",
		STR_ARG(redirect->address), err_log_text(result));
	*is_kept_out |= plan_hold(job, delivery, redirect->content);
}

static void
keep_refrained(struct job *job, struct delivery *delivery,
	const struct plan_refrained *refrained, bool *is_kept_out)
{
	if (!refrained->is_late)
		return;
	report_line(job, delivery, NULL, "not forwarded to <%.*s>: %s",
		STR_ARG(refrained->address), refrained->why);
	*is_kept_out |= plan_hold(job, delivery, refrained->content);
}

static void
tell_results(struct job *job, struct delivery *delivery,
	const struct plan_handover *handover, const struct err *results,
	bool *is_kept_out)
{
	size_t i;

	for (i = 0; i < handover->count; i++) {
		const struct plan_redirect *redirect =
			&delivery->work->plan->redirects[handover->first + i];

		if (results[i].kind == ERR_NONE)
			report_line(job, delivery, NULL, "forwarded to <%.*s>",
				STR_ARG(redirect->address));
		else
			keep_refused(job, delivery, redirect, &results[i],
				is_kept_out);
	}
}

/* NULL: none. */
static const struct err *
find_temporary(const struct err *results, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (results[i].kind != ERR_NONE &&
			results[i].kind != ERR_REFUSED)
			return &results[i];
	return NULL;
}

static void
note_handed_over(struct plan *plan, const struct plan_handover *handover,
	const struct err *results)
{
	size_t i;

	for (i = 0; i < handover->count; i++)
		plan->redirects[handover->first + i].is_handed_over =
			results[i].kind == ERR_NONE;
}

int
redirect_finish(struct job *job, struct delivery *delivery, bool *is_kept_out,
	struct err *err)
{
	struct plan *plan = delivery->work->plan;
	const struct err **results = ARENA_ARRAY(
		job->arena, const struct err *, plan->handover_count);
	const struct err *temporary = NULL, *one;
	size_t i;

	for (i = 0; i < plan->handover_count; i++) {
		results[i] = outbound_finish(plan->handovers[i].pending);
		note_handed_over(plan, &plan->handovers[i], results[i]);
		one = find_temporary(results[i], plan->handovers[i].count);
		if (temporary == NULL)
			temporary = one;
	}
	if (temporary != NULL) {
		*err = *temporary;
		return -1;
	}
	for (i = 0; i < plan->handover_count; i++)
		tell_results(job, delivery, &plan->handovers[i], results[i],
			is_kept_out);
	for (i = 0; i < plan->refrained_count; i++)
		keep_refrained(job, delivery, &plan->refrained[i], is_kept_out);
	return 0;
}
