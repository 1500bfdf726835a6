/* SPDX-License-Identifier: MIT */
#include "server/jobmemory.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

#include "base/banned.h"

void
jobmemory_init(struct jobmemory *memory, const char *path, uid_t uid)
{
	memset(memory, 0, sizeof(*memory));
	claims_init(&memory->claims, path);
	askmarks_init(&memory->marks, path);
	memory->uid = uid;
}

void
jobmemory_clear(struct jobmemory *memory)
{
	claims_clear(&memory->claims);
	askmarks_clear(&memory->marks);
	memset(memory->random, 0, sizeof(memory->random));
	memory->random_left = 0;
}

static struct remembered_job *
host_of(const struct job *job)
{
	return CONTAINER_OF((struct job *)(uintptr_t)job, struct remembered_job,
		assignment.job);
}

static void
make_secret(struct jobmemory *memory, unsigned char *secret, size_t size)
{
	unsigned char *from;

	if (memory->random_left < size) {
		clock_random(memory->random, sizeof(memory->random));
		memory->random_left = sizeof(memory->random);
	}
	memory->random_left -= size;
	from = memory->random + memory->random_left;
	memcpy(secret, from, size);
	memset(from, 0, size);
}

static void
tell_unable(struct jobmemory *memory)
{
	uint64_t now = clock_monotonic_ms();

	if (memory->unable_told_ms != 0 &&
		now - memory->unable_told_ms < JOBMEMORY_UNABLE_LOG_MS)
		return;
	memory->unable_told_ms = now;
	log_warning(
		"deliveries cannot be remembered at present: a message whose "
		"reply is lost may be filed twice");
}

static enum deliver_outcome
outcome_of(enum wire_outcome outcome)
{
	return outcome == WIRE_DISCARDED ? DELIVER_DISCARDED : DELIVER_SAVED;
}

/* One answer; what it means for the delivery's handle is kept. */
static void
take_answer(struct remembered_job *host, const struct claim *item,
	struct job_claim *claim)
{
	struct assignment_claim *known = &host->assignment.claims[claim->place];

	known->is_held = false;
	known->is_broken = false;
	known->has_handle = false;
	switch (item->state) {
	case WIRE_CLAIM_GRANTED:
		claim->state = JOB_CLAIM_GRANTED;
		known->is_held = known->has_handle = true;
		return;
	case WIRE_CLAIM_BROKEN:
		claim->state = JOB_CLAIM_BROKEN;
		claim->before = item->found;
		known->is_held = known->has_handle = known->is_broken = true;
		return;
	case WIRE_CLAIM_FINISHED:
		claim->state = JOB_CLAIM_FINISHED;
		claim->outcome = outcome_of(item->outcome);
		memcpy(known->secret, item->secret, sizeof(known->secret));
		known->has_handle = true;
		return;
	case WIRE_CLAIM_BUSY:
		claim->state = JOB_CLAIM_BUSY;
		return;
	case WIRE_CLAIM_UNABLE:
		claim->state = JOB_CLAIM_UNABLE;
		tell_unable(host->memory);
		return;
	}
}

static struct claim *
build_items(struct remembered_job *host, const struct job_claim *claims,
	size_t count)
{
	struct claim *items =
		ARENA_ARRAY(host->assignment.arena, struct claim, count);
	size_t i;

	for (i = 0; i < count; i++) {
		const struct assignment_claim *known =
			&host->assignment.claims[claims[i].place];

		memcpy(items[i].key, known->key, sizeof(known->key));
		memcpy(items[i].secret, known->secret, sizeof(known->secret));
		items[i].value = claims[i].names;
	}
	return items;
}

static void
forget_held(struct remembered_job *host, const struct job_claim *claims,
	size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		host->assignment.claims[claims[i].place].is_held = false;
}

static void
take_answers(struct remembered_job *host, const struct claim *items,
	struct job_claim *claims, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		take_answer(host, &items[i], &claims[i]);
}

static int
make_items(const struct job *job, struct job_claim *claims, size_t count,
	struct err *err)
{
	struct remembered_job *host = host_of(job);
	struct assignment *assignment = &host->assignment;
	size_t i;

	if (assignment_make_keys(assignment, host->memory->uid, err) < 0)
		return -1;
	for (i = 0; i < count; i++) {
		struct assignment_claim *known =
			&assignment->claims[claims[i].place];

		make_secret(host->memory, known->secret, sizeof(known->secret));
	}
	host->items = build_items(host, claims, count);
	return 0;
}

static void
jobmemory_begin(const struct job *job, struct job_claim *claims, size_t count)
{
	struct remembered_job *host = host_of(job);
	struct err err;

	host->items = NULL;
	/* Trouble is told when it is asked for. */
	if (make_items(job, claims, count, &err) == 0)
		claims_send(&host->memory->claims, host->assignment.arena,
			host->items, count);
}

static int
jobmemory_claim(const struct job *job, struct job_claim *claims, size_t count,
	struct err *err)
{
	struct remembered_job *host = host_of(job);

	if (host->items == NULL && make_items(job, claims, count, err) < 0)
		return -1;
	if (claims_ask(&host->memory->claims, host->assignment.arena,
		    host->items, count, err) < 0) {
		/* Then nothing of it is held. */
		forget_held(host, claims, count);
		return -1;
	}
	take_answers(host, host->items, claims, count);
	return 0;
}

static int
jobmemory_claim_again(const struct job *job, struct job_claim *claims,
	size_t count, struct err *err)
{
	struct remembered_job *host = host_of(job);
	struct claim *items = build_items(host, claims, count);

	if (claims_again(&host->memory->claims, host->assignment.arena, items,
		    count, err) < 0) {
		forget_held(host, claims, count);
		return -1;
	}
	take_answers(host, items, claims, count);
	return 0;
}

static enum wire_outcome
wire_outcome_of(enum deliver_outcome outcome)
{
	switch (outcome) {
	case DELIVER_SAVED:
		return WIRE_SAVED;
	case DELIVER_DISCARDED:
		return WIRE_DISCARDED;
	case DELIVER_PENDING:
	case DELIVER_FAILED:
		break;
	}
	return WIRE_FAILED;
}

static void
jobmemory_finish(const struct job *job)
{
	struct remembered_job *host = host_of(job);
	struct wire_finish_item *items = ARENA_ARRAY(
		host->assignment.arena, struct wire_finish_item, job->count);
	bool gives_back = false;
	size_t count = 0, d;
	struct err err;

	for (d = 0; d < job->count; d++) {
		struct assignment_claim *known = &host->assignment.claims[d];

		if (!known->is_held)
			continue;
		known->is_held = false;
		if (job->deliveries[d].is_half_done ||
			(known->is_broken &&
				job->deliveries[d].outcome == DELIVER_FAILED)) {
			gives_back = true;
			continue;
		}
		memcpy(items[count].key, known->key, sizeof(known->key));
		items[count++].outcome =
			wire_outcome_of(job->deliveries[d].outcome);
	}
	/* A retry finds out by itself. */
	if (count > 0 &&
		claims_finish(&host->memory->claims, items, count, &err) < 0)
		log_warning("state: %s", err_log_text(&err));
	/* What a predecessor left is still to be looked after: the end of the
	 * connection makes it BROKEN for the next one who asks. */
	if (gives_back)
		claims_clear(&host->memory->claims);
}

const struct job_memory jobmemory_ops = {
	.begin = jobmemory_begin,
	.claim = jobmemory_claim,
	.claim_again = jobmemory_claim_again,
	.finish = jobmemory_finish,
};

static enum lookup
jobmemory_find_mark(const struct job *job, const unsigned char key[SEEN_KEY],
	struct err *err)
{
	return askmarks_find(&host_of(job)->memory->marks, key, err);
}

static int
jobmemory_keep_marks(const struct job *job, const struct seen_mark *marks,
	size_t count, struct err *err)
{
	return askmarks_keep(&host_of(job)->memory->marks, marks, count, err);
}

const struct job_seen jobmemory_seen = {
	.find = jobmemory_find_mark,
	.keep = jobmemory_keep_marks,
};
