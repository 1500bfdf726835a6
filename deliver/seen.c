/* SPDX-License-Identifier: MIT */
#include "deliver/seen.h"

#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "deliver/report.h"
#include "deliver/seenfile.h"
#include "deliver/work.h"

#include "base/banned.h"

enum { LOCK_TIMEOUT_MS = 5000 };

static uint64_t
now_s(void)
{
	return (uint64_t)clock_now().tv_sec;
}

/* Users may share a uid, and a home. */
void
seen_key(const struct delivery *delivery,
	const unsigned char mark[SIEVE_MARK_KEY], unsigned char key[SEEN_KEY])
{
	unsigned char result[DIGEST_MAX];
	struct digest digest;

	digest_init(&digest, DIGEST_SHA256);
	digest_add(&digest, str_from(delivery->user));
	digest_add(&digest, str_of("", 1));
	digest_add(&digest, str_of((const char *)mark, SIEVE_MARK_KEY));
	digest_end(&digest, result);
	memcpy(key, result, SEEN_KEY);
}

static enum seen_kind
kind_of(const struct sieve_mark *mark)
{
	switch (mark->kind) {
	case SIEVE_MARK_VACATION:
		return SEEN_VACATION;
	case SIEVE_MARK_REDIRECT:
		return SEEN_REDIRECT;
	case SIEVE_MARK_DUPLICATE:
		break;
	}
	return SEEN_DUPLICATE;
}

static bool
is_down(const struct job *job, const struct delivery *delivery)
{
	return job->seen != NULL ? job->work->seen_is_down
	                         : delivery->work->seen_is_down;
}

static void
give_up(const struct job *job, const struct delivery *delivery,
	const char *what, const struct err *err)
{
	log_error("sieve: duplicates are not %s: %s", what, err_log_text(err));
	if (job->seen != NULL)
		job->work->seen_is_down = true;
	else
		delivery->work->seen_is_down = true;
}

/* NULL: there is no place for it. */
static const char *
own_file(
	const struct job *job, const struct delivery *delivery, struct err *err)
{
	if (delivery->home != NULL)
		return arena_format(
			job->arena, "%s/" SEEN_FILE, delivery->home);
	err_temp(err, "4.3.5",
		"they are remembered in the home folder, and user %s has none",
		delivery->user);
	return NULL;
}

static enum lookup
find(const struct job *job, const struct delivery *delivery,
	const unsigned char key[SEEN_KEY], struct err *err)
{
	const char *path;

	if (job->seen != NULL)
		return job->seen->find(job, key, err);
	path = own_file(job, delivery, err);
	return path == NULL ? LOOKUP_ERROR
	                    : seenfile_find(path, key, now_s(), err);
}

bool
seen_find(const struct job *job, const struct delivery *delivery,
	const unsigned char mark[SIEVE_MARK_KEY])
{
	unsigned char key[SEEN_KEY];
	enum lookup found;
	struct err err;

	if (is_down(job, delivery))
		return false;
	seen_key(delivery, mark, key);
	found = find(job, delivery, key, &err);
	if (found == LOOKUP_ERROR)
		give_up(job, delivery, "looked for", &err);
	return found == LOOKUP_FOUND;
}

/* ---- jobs that come in together ---- */

static bool
wants_same_mark(
	const struct sieve_result *later, const struct sieve_result *earlier)
{
	size_t i, j;

	for (i = 0; i < later->mark_count; i++)
		for (j = 0; j < earlier->mark_count; j++)
			if (!later->marks[i].was_seen &&
				earlier->marks[j].seconds > 0 &&
				memcmp(later->marks[i].key,
					earlier->marks[j].key,
					SIEVE_MARK_KEY) == 0)
				return true;
	return false;
}

static bool
has_marks(const struct delivery *delivery)
{
	return delivery_is_open(delivery) &&
	       delivery->work->script.result.mark_count > 0;
}

/* The users' names decide, as in seen_key(). */
static bool
waits_for(const struct delivery *later, const struct job *earlier)
{
	size_t d;

	for (d = 0; d < earlier->count; d++) {
		const struct delivery *other = &earlier->deliveries[d];

		if (has_marks(other) && strcmp(later->user, other->user) == 0 &&
			wants_same_mark(&later->work->script.result,
				&other->work->script.result))
			return true;
	}
	return false;
}

bool
seen_waits_for(const struct job *later, const struct job *earlier)
{
	size_t d;

	for (d = 0; d < later->count; d++)
		if (has_marks(&later->deliveries[d]) &&
			waits_for(&later->deliveries[d], earlier))
			return true;
	return false;
}

/* ---- keeping ---- */

/* An empty time is no wish to remember. */
static size_t
collect(struct job *job, const struct delivery *delivery,
	const struct sieve_mark *from, size_t from_count,
	struct seen_mark **marks_out)
{
	uint64_t now = now_s();
	size_t count = 0, i;

	*marks_out = ARENA_ARRAY(job->arena, struct seen_mark, from_count);
	for (i = 0; i < from_count; i++) {
		struct seen_mark *mark = &(*marks_out)[count];

		if (from[i].seconds == 0)
			continue;
		seen_key(delivery, from[i].key, mark->key);
		mark->expires_s = now + from[i].seconds;
		mark->kind = kind_of(&from[i]);
		count++;
	}
	return count;
}

static int
keep(const struct job *job, const struct delivery *delivery,
	const struct seen_mark *marks, size_t count, struct err *err)
{
	const char *path;

	if (job->seen != NULL)
		return job->seen->keep(job, marks, count, err);
	path = own_file(job, delivery, err);
	return path == NULL ? -1
	                    : seenfile_keep(path, marks, count, now_s(),
				      LOCK_TIMEOUT_MS, err);
}

/* RFC 7352 3: not after a script that failed. */
static bool
has_succeeded(const struct delivery *delivery)
{
	return (delivery->outcome == DELIVER_SAVED ||
		       delivery->outcome == DELIVER_DISCARDED) &&
	       !delivery->work->script.has_failed;
}

void
seen_keep_now(struct job *job, const struct delivery *delivery,
	const struct sieve_mark *from, size_t from_count)
{
	struct seen_mark *marks;
	size_t count;
	struct err err;

	if (from_count == 0 || is_down(job, delivery))
		return;
	count = collect(job, delivery, from, from_count, &marks);
	if (count == 0)
		return;
	report_begin(job, delivery);
	if (keep(job, delivery, marks, count, &err) < 0)
		give_up(job, delivery, "remembered", &err);
}

static void
keep_marks(struct job *job, const struct delivery *delivery)
{
	const struct sieve_result *result = &delivery->work->script.result;

	if (has_succeeded(delivery))
		seen_keep_now(job, delivery, result->marks, result->mark_count);
}

void
seen_keep(struct job *job)
{
	size_t d;

	for (d = 0; d < job->count; d++)
		keep_marks(job, &job->deliveries[d]);
}

/* ---- at once ---- */

enum lookup
seen_claim(const struct job *job, const struct delivery *delivery,
	const struct sieve_mark *mark, struct err *err)
{
	struct seen_mark own;
	const char *path;

	seen_key(delivery, mark->key, own.key);
	own.expires_s = now_s() + mark->seconds;
	own.kind = kind_of(mark);
	if (job->seen != NULL)
		return job->seen->claim(job, &own, err);
	path = own_file(job, delivery, err);
	return path == NULL ? LOOKUP_ERROR
	                    : seenfile_claim(path, &own, now_s(),
				      LOCK_TIMEOUT_MS, err);
}

void
seen_give_back(struct job *job, const struct delivery *delivery,
	const struct sieve_mark *marks, size_t count)
{
	struct seen_mark *own =
		ARENA_ARRAY(job->arena, struct seen_mark, count);
	struct err err;
	size_t i;

	if (count == 0 || is_down(job, delivery))
		return;
	for (i = 0; i < count; i++) {
		seen_key(delivery, marks[i].key, own[i].key);
		own[i].expires_s = now_s();
		own[i].kind = kind_of(&marks[i]);
	}
	if (keep(job, delivery, own, count, &err) < 0)
		give_up(job, delivery, "forgotten", &err);
}
