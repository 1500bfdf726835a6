/* SPDX-License-Identifier: MIT */
#include "deliver/remember.h"

#include "base/buf.h"
#include "deliver/execute.h"
#include "deliver/reject.h"
#include "deliver/report.h"
#include "deliver/work.h"

#include "base/banned.h"

/* ---- names ---- */

/* Each with a NUL behind it; an empty one for a copy that has no name. */
static struct str
names_of_copies(struct job *job, const struct delivery *delivery)
{
	const struct plan *plan = delivery->work->plan;
	struct buf names;
	struct str result;
	size_t i;

	buf_init(&names, REMEMBER_NAMES_MAX);
	for (i = 0; i < plan->copy_count; i++) {
		struct store_copy *copy = plan->copies[i].copy;
		const char *name = copy != NULL ? store_copy_target(copy)
		                                : plan->copies[i].kept;

		if (copy == NULL && name == NULL)
			continue;
		if (name != NULL)
			buf_add_text(&names, name);
		buf_add_char(&names, '\0');
	}
	result = names.overflowed ? str_of("", 1)
	                          : arena_copy(job->arena, buf_view(&names));
	buf_clear(&names);
	return result;
}

/* What a delivery that broke off has left. */
struct remains {
	size_t wanted;      /* copies it meant to make */
	const char **paths; /* of those that are there */
	size_t count;
};

static int
find_remains(struct job *job, const struct delivery *delivery, struct str names,
	struct remains *remains, struct err *err)
{
	*remains = (struct remains){.paths = ARENA_ARRAY(job->arena,
					    const char *, REMEMBER_COPIES_MAX)};
	while (names.len > 0 && remains->wanted < REMEMBER_COPIES_MAX) {
		size_t end = str_find_char(names, '\0');
		const char *path, *name = arena_text(
					  job->arena, str_slice(names, 0, end));

		names = str_skip(names, end + 1);
		remains->wanted++;
		switch (store_find_target(
			delivery->work->store, name, &path, err)) {
		case LOOKUP_ERROR:
			return -1;
		case LOOKUP_NONE:
			break;
		case LOOKUP_FOUND:
			remains->paths[remains->count++] = path;
			break;
		}
	}
	return 0;
}

static bool
is_complete(const struct remains *remains)
{
	return remains->wanted > 0 && remains->count == remains->wanted;
}

static int
flush_remains(const struct delivery *delivery, const struct remains *remains,
	struct err *err)
{
	size_t i;

	for (i = 0; i < remains->count; i++)
		if (store_flush_target(
			    delivery->work->store, remains->paths[i], err) < 0)
			return -1;
	return 0;
}

/* The copy of today for the folder that `path` is in; NULL: none. */
static struct plan_copy *
find_copy_beside(const struct delivery *delivery, const char *path)
{
	const struct plan *plan = delivery->work->plan;
	size_t i;

	for (i = 0; i < plan->copy_count; i++)
		if (plan->copies[i].copy != NULL &&
			store_copy_is_beside(plan->copies[i].copy, path))
			return &plan->copies[i];
	return NULL;
}

/* What is there stands for the copy that would be made. */
static int
keep(const struct delivery *delivery, struct plan_copy *copy, const char *path,
	struct err *err)
{
	if (store_flush_target(delivery->work->store, path, err) < 0)
		return -1;
	execute_give_up(delivery, copy);
	copy->kept = path;
	return 0;
}

static int
use_remains(const struct delivery *delivery, const struct remains *remains,
	struct err *err)
{
	size_t i;

	for (i = 0; i < remains->count; i++) {
		const char *path = remains->paths[i];
		struct plan_copy *copy = find_copy_beside(delivery, path);

		if (copy == NULL)
			store_remove_target(delivery->work->store, path);
		else if (keep(delivery, copy, path, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- what the answers mean ---- */

static void
fail(struct delivery *delivery, const struct err *err)
{
	execute_abandon(delivery);
	delivery_fail(delivery, err);
}

/* A refusal is told in today's words, which are those of that time unless the
 * script has changed. */
static void
repeat(struct job *job, struct delivery *delivery, enum deliver_outcome outcome)
{
	static const struct sieve_action without_words = {.kind = SIEVE_REJECT};
	const struct sieve_action *refusal = delivery->work->plan->refusal;

	execute_abandon(delivery);
	delivery->outcome = outcome;
	if (outcome == DELIVER_REFUSED)
		reject_tell(
			delivery, refusal != NULL ? refusal : &without_words);
	delivery->work->is_repeated = true;
	report_line(job, delivery, NULL,
		"not filed again: it was delivered before, and the reply was "
		"lost");
}

/* Of a delivery whose copies are all there. */
static enum deliver_outcome
outcome_of_remains(const struct job *job, const struct delivery *delivery)
{
	const struct sieve_action *refusal = delivery->work->plan->refusal;

	return refusal != NULL && !reject_is_by_mail(job, delivery, refusal)
	               ? DELIVER_REFUSED
	               : DELIVER_SAVED;
}

/* True: it is to be done anew. */
static bool
mend(struct job *job, struct delivery *delivery, const struct job_claim *claim)
{
	struct remains remains;
	struct err err;

	if (find_remains(job, delivery, claim->before, &remains, &err) < 0 ||
		(is_complete(&remains)
				? flush_remains(delivery, &remains, &err)
				: use_remains(delivery, &remains, &err)) < 0) {
		fail(delivery, &err);
		delivery->is_half_done = true;
		return false;
	}
	if (is_complete(&remains)) {
		repeat(job, delivery, outcome_of_remains(job, delivery));
		return false;
	}
	return true;
}

/* True: it has to be claimed again. */
static bool
obey(struct job *job, struct delivery *delivery, const struct job_claim *claim)
{
	struct err err;

	report_begin(job, delivery);
	switch (claim->state) {
	case JOB_CLAIM_GRANTED:
	case JOB_CLAIM_UNABLE:
		return false;
	case JOB_CLAIM_FINISHED:
		repeat(job, delivery, claim->outcome);
		return false;
	case JOB_CLAIM_BROKEN:
		return mend(job, delivery, claim);
	case JOB_CLAIM_FAILED:
		fail(delivery, claim->err);
		return false;
	case JOB_CLAIM_BUSY:
		break;
	}
	err_temp(&err, "4.3.0",
		"this very message is being delivered at this moment");
	fail(delivery, &err);
	delivery->work->is_ordinary = true;
	return false;
}

static struct delivery *
delivery_of(const struct job_claim *claim)
{
	return &claim->job->deliveries[claim->place];
}

static void
fail_all(const struct job_claim *claims, size_t count, const struct err *err)
{
	size_t i;

	for (i = 0; i < count; i++) {
		struct delivery *delivery = delivery_of(&claims[i]);

		if (!delivery_is_open(delivery))
			continue;
		report_begin(claims[i].job, delivery);
		fail(delivery, err);
	}
}

static size_t
collect(struct job *job, struct job_claim *claims)
{
	size_t count = 0, d;

	for (d = 0; d < job->count; d++)
		if (delivery_is_open(&job->deliveries[d]))
			claims[count++] = (struct job_claim){.job = job,
				.place = d,
				.names = names_of_copies(
					job, &job->deliveries[d])};
	return count;
}

/* Keeps those that have to be claimed again in front; how many. */
static size_t
obey_all(struct job_claim *claims, size_t count)
{
	size_t again = 0, i;

	for (i = 0; i < count; i++) {
		struct delivery *delivery = delivery_of(&claims[i]);

		if (!delivery_is_open(delivery) ||
			!obey(claims[i].job, delivery, &claims[i]))
			continue;
		claims[i].names = names_of_copies(claims[i].job, delivery);
		claims[again++] = claims[i];
	}
	return again;
}

static const struct job_memory *
memory_of(const struct batch *batch)
{
	return batch->jobs[0]->memory;
}

void
remember_begin(struct batch *batch)
{
	size_t most = 0, j;

	if (memory_of(batch) == NULL)
		return;
	for (j = 0; j < batch->count; j++)
		most += batch->jobs[j]->count;
	batch->claims = ARENA_ARRAY(batch->arena, struct job_claim, most);
	for (j = 0; j < batch->count; j++)
		batch->claim_count += collect(
			batch->jobs[j], batch->claims + batch->claim_count);
	if (batch->claim_count > 0)
		memory_of(batch)->begin(batch->claims, batch->claim_count);
}

void
remember_ask(struct batch *batch)
{
	struct job_claim *claims = batch->claims;
	size_t count = batch->claim_count;
	struct err err;

	if (count == 0)
		return;
	if (memory_of(batch)->claim(claims, count, &err) < 0) {
		fail_all(claims, count, &err);
		return;
	}
	count = obey_all(claims, count);
	if (count > 0 && memory_of(batch)->claim_again(claims, count, &err) < 0)
		fail_all(claims, count, &err);
}

/* Copies that stayed while what was to be made beside them was not. */
static void
mark_half_done(struct delivery *delivery)
{
	const struct plan *plan = delivery->work->plan;
	size_t i;

	if (delivery->outcome != DELIVER_FAILED || plan == NULL)
		return;
	for (i = 0; i < plan->copy_count; i++)
		if (plan->copies[i].kept != NULL)
			delivery->is_half_done = true;
}

void
remember_finish(struct batch *batch)
{
	size_t j, d;

	if (memory_of(batch) == NULL)
		return;
	for (j = 0; j < batch->count; j++)
		for (d = 0; d < batch->jobs[j]->count; d++)
			mark_half_done(&batch->jobs[j]->deliveries[d]);
	memory_of(batch)->finish(batch->jobs, batch->count);
}
