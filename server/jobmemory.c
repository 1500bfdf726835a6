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
	switch (outcome) {
	case WIRE_DISCARDED:
		return DELIVER_DISCARDED;
	case WIRE_REFUSED:
		return DELIVER_REFUSED;
	case WIRE_SAVED:
	case WIRE_FAILED: /* never remembered */
		break;
	}
	return DELIVER_SAVED;
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

/* All jobs that are asked about are one worker's. */
static struct jobmemory *
memory_of(const struct job_claim *claims)
{
	return host_of(claims[0].job)->memory;
}

static struct arena *
arena_of(const struct job_claim *claims)
{
	return claims[0].job->arena;
}

static struct assignment_claim *
known_of(const struct job_claim *claim)
{
	return &host_of(claim->job)->assignment.claims[claim->place];
}

/* Without those that have no key. */
static size_t
build_items(
	const struct job_claim *claims, size_t count, struct claim **items_out)
{
	struct claim *items =
		ARENA_ARRAY(arena_of(claims), struct claim, count);
	size_t built = 0, i;

	for (i = 0; i < count; i++) {
		const struct assignment_claim *known = known_of(&claims[i]);
		struct claim *item = &items[built];

		if (host_of(claims[i].job)->keys_failed != NULL)
			continue;
		memcpy(item->key, known->key, sizeof(known->key));
		memcpy(item->secret, known->secret, sizeof(known->secret));
		item->value = claims[i].names;
		built++;
	}
	*items_out = items;
	return built;
}

static void
forget_held(const struct job_claim *claims, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		known_of(&claims[i])->is_held = false;
}

static void
take_answers(const struct claim *items, struct job_claim *claims, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		struct remembered_job *host = host_of(claims[i].job);

		if (host->keys_failed == NULL) {
			take_answer(host, items++, &claims[i]);
			continue;
		}
		claims[i].state = JOB_CLAIM_FAILED;
		claims[i].err = host->keys_failed;
	}
}

static void
make_keys(struct remembered_job *host)
{
	struct err err;
	struct err *copy;

	host->keys_failed = NULL;
	if (assignment_make_keys(&host->assignment, host->memory->uid, &err) ==
		0)
		return;
	copy = ARENA_NEW(host->assignment.arena, struct err);
	*copy = err;
	host->keys_failed = copy;
}

/* The claims of a job stand together. */
static void
jobmemory_begin(struct job_claim *claims, size_t count)
{
	struct jobmemory *memory = memory_of(claims);
	size_t i;

	for (i = 0; i < count; i++) {
		struct assignment_claim *known = known_of(&claims[i]);

		if (i == 0 || claims[i].job != claims[i - 1].job)
			make_keys(host_of(claims[i].job));
		make_secret(memory, known->secret, sizeof(known->secret));
	}
	memory->item_count = build_items(claims, count, &memory->items);
	if (memory->item_count > 0)
		claims_send(&memory->claims, arena_of(claims), memory->items,
			memory->item_count);
}

static int
jobmemory_claim(struct job_claim *claims, size_t count, struct err *err)
{
	struct jobmemory *memory = memory_of(claims);

	if (memory->item_count > 0 &&
		claims_ask(&memory->claims, arena_of(claims), memory->items,
			memory->item_count, err) < 0) {
		/* Then nothing of it is held. */
		forget_held(claims, count);
		return -1;
	}
	take_answers(memory->items, claims, count);
	return 0;
}

static int
jobmemory_claim_again(struct job_claim *claims, size_t count, struct err *err)
{
	struct claim *items;
	size_t built = build_items(claims, count, &items);

	if (claims_again(&memory_of(claims)->claims, arena_of(claims), items,
		    built, err) < 0) {
		forget_held(claims, count);
		return -1;
	}
	take_answers(items, claims, count);
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
	case DELIVER_REFUSED:
		return WIRE_REFUSED;
	case DELIVER_PENDING:
	case DELIVER_FAILED:
		break;
	}
	return WIRE_FAILED;
}

/* What a predecessor left is still to be looked after. */
static bool
is_given_back(
	const struct delivery *delivery, const struct assignment_claim *known)
{
	return delivery->is_half_done ||
	       (known->is_broken && delivery->outcome == DELIVER_FAILED);
}

/* Result: whether something of it is given back. */
static bool
add_finished(struct job *job, struct wire_finish_item *items, size_t *count)
{
	struct assignment *assignment = &host_of(job)->assignment;
	bool gives_back = false;
	size_t d;

	for (d = 0; d < job->count; d++) {
		struct assignment_claim *known = &assignment->claims[d];
		const struct delivery *delivery = &job->deliveries[d];

		if (!known->is_held)
			continue;
		known->is_held = false;
		if (is_given_back(delivery, known)) {
			gives_back = true;
			continue;
		}
		memcpy(items[*count].key, known->key, sizeof(known->key));
		items[(*count)++].outcome = wire_outcome_of(delivery->outcome);
	}
	return gives_back;
}

static size_t
count_deliveries(struct job *const *jobs, size_t count)
{
	size_t deliveries = 0, j;

	for (j = 0; j < count; j++)
		deliveries += jobs[j]->count;
	return deliveries;
}

static void
jobmemory_finish(struct job *const *jobs, size_t job_count)
{
	struct jobmemory *memory = host_of(jobs[0])->memory;
	struct wire_finish_item *items = ARENA_ARRAY(jobs[0]->arena,
		struct wire_finish_item, count_deliveries(jobs, job_count));
	bool gives_back = false;
	size_t count = 0, j;
	struct err err;

	for (j = 0; j < job_count; j++)
		if (add_finished(jobs[j], items, &count))
			gives_back = true;
	/* A retry finds out by itself. */
	if (count > 0 && claims_finish(&memory->claims, items, count, &err) < 0)
		log_warning("state: %s", err_log_text(&err));
	/* The end of the connection makes it BROKEN for the next one who asks. */
	if (gives_back)
		claims_clear(&memory->claims);
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

static enum lookup
jobmemory_claim_mark(
	const struct job *job, const struct seen_mark *mark, struct err *err)
{
	return askmarks_claim(&host_of(job)->memory->marks, mark, err);
}

const struct job_seen jobmemory_seen = {
	.find = jobmemory_find_mark,
	.keep = jobmemory_keep_marks,
	.claim = jobmemory_claim_mark,
};
