/* SPDX-License-Identifier: MIT */
#include "server/pool.h"

#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "server/restart.h"

#include "base/banned.h"

enum { BUCKETS_LEAST = 64 };

#define GROUP_OF(link) CONTAINER_OF(link, struct pool_group, in_place)

void
pool_init(struct pool *pool)
{
	memset(pool, 0, sizeof(*pool));
	list_init(&pool->ready);
	list_init(&pool->starving);
	list_init(&pool->hungry);
	list_init(&pool->paused);
	list_init(&pool->idle);
	list_init(&pool->brisk);
	pool->together = 1;
	pool->brisk_most = SIZE_MAX;
	pool->patience_ms = POOL_PATIENCE_MS;
}

static void
group_free(struct pool_group *group)
{
	list_remove(&group->in_place);
	memory_free((void *)(uintptr_t)group->identity.groups);
	memory_free(group);
}

void
pool_clear(struct pool *pool)
{
	size_t i;

	for (i = 0; i < pool->bucket_count; i++)
		while (pool->buckets[i] != NULL) {
			struct pool_group *group = pool->buckets[i];

			pool->buckets[i] = group->next;
			group_free(group);
		}
	memory_free(pool->buckets);
	pool_init(pool);
}

/* ---- groups ---- */

static uint64_t
mix(uint64_t hash, uint64_t number)
{
	hash = (hash ^ number) * 0x9e3779b97f4a7c15ULL;
	return hash ^ (hash >> 29);
}

static uint64_t
hash_of(const struct identity *identity)
{
	uint64_t hash = mix(mix(1, identity->uid), identity->gid);
	size_t i;

	if (identity->has_spool_group)
		hash = mix(hash, identity->spool_group);
	for (i = 0; i < identity->group_count; i++)
		hash = mix(hash, identity->groups[i]);
	return hash;
}

static bool
is_same(const struct identity *a, const struct identity *b)
{
	return a->uid == b->uid && a->gid == b->gid &&
	       a->has_spool_group == b->has_spool_group &&
	       (!a->has_spool_group || a->spool_group == b->spool_group) &&
	       a->group_count == b->group_count &&
	       (a->group_count == 0 ||
		       memcmp(a->groups, b->groups,
			       a->group_count * sizeof(*a->groups)) == 0);
}

static struct pool_group **
bucket_of(const struct pool *pool, const struct identity *identity)
{
	return &pool->buckets[hash_of(identity) & (pool->bucket_count - 1)];
}

static void
make_room(struct pool *pool)
{
	size_t old_count = pool->bucket_count, i;
	struct pool_group **old = pool->buckets;

	if (pool->group_count < old_count)
		return;
	pool->bucket_count = old_count > 0 ? old_count * 2 : BUCKETS_LEAST;
	pool->buckets = memory_get(
		memory_product(pool->bucket_count, sizeof(*pool->buckets)));
	for (i = 0; i < old_count; i++)
		while (old[i] != NULL) {
			struct pool_group *group = old[i];
			struct pool_group **bucket =
				bucket_of(pool, &group->identity);

			old[i] = group->next;
			group->next = *bucket;
			*bucket = group;
		}
	memory_free(old);
}

static void
copy_identity(struct identity *to, const struct identity *from)
{
	size_t bytes = from->group_count * sizeof(*from->groups);
	gid_t *groups;

	*to = *from;
	to->groups = NULL;
	if (from->group_count == 0)
		return;
	groups = memory_get(bytes);
	memcpy(groups, from->groups, bytes);
	to->groups = groups;
}

static struct pool_group *
group_add(struct pool *pool, const struct identity *identity)
{
	struct pool_group *group = memory_get(sizeof(*group));
	struct pool_group **bucket;

	make_room(pool);
	group->number = ++pool->last_number;
	copy_identity(&group->identity, identity);
	list_init(&group->line);
	list_init(&group->idle);
	bucket = bucket_of(pool, identity);
	group->next = *bucket;
	*bucket = group;
	pool->group_count++;
	return group;
}

struct pool_group *
pool_group_take(struct pool *pool, const struct identity *identity)
{
	struct pool_group *group = NULL;

	if (pool->bucket_count > 0)
		for (group = *bucket_of(pool, identity);
			group != NULL && !is_same(&group->identity, identity);
			group = group->next)
			continue;
	if (group == NULL)
		group = group_add(pool, identity);
	group->references++;
	return group;
}

/* Workers hold a reference, too. */
void
pool_group_drop(struct pool *pool, struct pool_group *group)
{
	struct pool_group **link;

	if (--group->references > 0 || group->line_len > 0)
		return;
	link = bucket_of(pool, &group->identity);
	while (*link != group)
		link = &(*link)->next;
	*link = group->next;
	pool->group_count--;
	group_free(group);
}

/* How many more of its workers may begin now. */
static size_t
brisk_left(const struct pool *pool, const struct pool_group *group)
{
	return group->brisk < pool->brisk_most ? pool->brisk_most - group->brisk
	                                       : 0;
}

/* Whether it wants more workers than it has or are about to come. */
static bool
wants_worker(const struct pool *pool, const struct pool_group *group)
{
	if (group->workers < group->least)
		return true;
	return group->line_len > group->starting &&
	       brisk_left(pool, group) > group->starting;
}

static enum pool_place
place_of(const struct pool *pool, const struct pool_group *group)
{
	if (group->line_len > 0 && !list_is_empty(&group->idle) &&
		brisk_left(pool, group) > 0)
		return POOL_READY;
	if (!wants_worker(pool, group))
		return POOL_QUIET;
	if (group->pause_until_ms > 0)
		return POOL_PAUSED;
	return group->line_len > 0 && group->workers == 0 ? POOL_STARVING
	                                                  : POOL_HUNGRY;
}

/* After each change: puts the group to the end of the list it belongs to now. */
static void
set_place(struct pool *pool, struct pool_group *group)
{
	enum pool_place place = place_of(pool, group);

	if (place == group->place)
		return;
	list_remove(&group->in_place);
	group->place = place;
	switch (place) {
	case POOL_QUIET:
		break;
	case POOL_READY:
		list_add_last(&pool->ready, &group->in_place);
		break;
	case POOL_STARVING:
		list_add_last(&pool->starving, &group->in_place);
		break;
	case POOL_HUNGRY:
		list_add_last(&pool->hungry, &group->in_place);
		break;
	case POOL_PAUSED:
		list_add_last(&pool->paused, &group->in_place);
		break;
	}
}

void
pool_group_keep(struct pool *pool, struct pool_group *group, size_t least)
{
	group->least = least;
	set_place(pool, group);
}

/* ---- starts ---- */

void
pool_start_add(
	struct pool *pool, struct pool_group *group, struct pool_start *start)
{
	start->group = group;
	list_add_last(&group->line, &start->in_line);
	group->line_len++;
	pool->waiting++;
	group->references++;
	set_place(pool, group);
}

void
pool_start_remove(struct pool *pool, struct pool_start *start)
{
	struct pool_group *group = start->group;

	if (group == NULL)
		return;
	start->group = NULL;
	list_remove(&start->in_line);
	group->line_len--;
	pool->waiting--;
	set_place(pool, group);
	pool_group_drop(pool, group);
}

/* ---- workers ---- */

void
pool_worker_add(
	struct pool *pool, struct pool_group *group, struct pool_worker *worker)
{
	memset(worker, 0, sizeof(*worker));
	worker->group = group;
	worker->state = POOL_STARTING;
	group->references++;
	group->workers++;
	group->starting++;
	pool->workers++;
	pool->starting++;
	set_place(pool, group);
}

static void
end_brisk(struct pool_worker *worker)
{
	if (!worker->is_brisk)
		return;
	worker->is_brisk = false;
	list_remove(&worker->in_brisk);
	worker->group->brisk--;
}

/* Out of the state it is in. */
static void
leave(struct pool *pool, struct pool_worker *worker)
{
	switch (worker->state) {
	case POOL_STARTING:
		worker->group->starting--;
		pool->starting--;
		break;
	case POOL_IDLE:
		worker->group->idle_count--;
		list_remove(&worker->in_group);
		list_remove(&worker->in_idle);
		break;
	case POOL_BUSY:
		end_brisk(worker);
		break;
	case POOL_ENDING:
		pool->ending--;
		break;
	}
}

void
pool_worker_idle(struct pool *pool, struct pool_worker *worker, uint64_t now_ms)
{
	struct pool_group *group = worker->group;

	if (worker->state == POOL_ENDING || worker->state == POOL_IDLE)
		return;
	leave(pool, worker);
	worker->state = POOL_IDLE;
	worker->idle_since_ms = now_ms;
	group->failures = 0;
	group->pause_until_ms = 0;
	group->idle_count++;
	list_add_first(&group->idle, &worker->in_group);
	list_add_last(&pool->idle, &worker->in_idle);
	set_place(pool, group);
}

void
pool_worker_busy(struct pool *pool, struct pool_worker *worker, uint64_t now_ms)
{
	leave(pool, worker);
	worker->state = POOL_BUSY;
	worker->busy_since_ms = now_ms;
	worker->is_brisk = true;
	list_add_last(&pool->brisk, &worker->in_brisk);
	worker->group->brisk++;
	set_place(pool, worker->group);
}

void
pool_worker_end(struct pool *pool, struct pool_worker *worker)
{
	if (worker->state == POOL_ENDING)
		return;
	leave(pool, worker);
	worker->state = POOL_ENDING;
	worker->group->workers--;
	pool->ending++;
	set_place(pool, worker->group);
}

/* Its workers die before they are ready. */
static void
hold_back(struct pool *pool, struct pool_group *group, uint64_t now_ms)
{
	group->pause_until_ms =
		now_ms + restart_pause_ms(&group->failures, false, 0);
	set_place(pool, group);
}

void
pool_worker_failed(struct pool *pool, struct pool_group *group, uint64_t now_ms)
{
	hold_back(pool, group, now_ms);
}

void
pool_worker_gone(struct pool *pool, struct pool_worker *worker, uint64_t now_ms)
{
	struct pool_group *group = worker->group;
	bool has_failed = worker->state == POOL_STARTING;

	leave(pool, worker);
	if (worker->state != POOL_ENDING)
		group->workers--;
	pool->workers--;
	worker->group = NULL;
	if (has_failed)
		hold_back(pool, group, now_ms);
	else
		set_place(pool, group);
	pool_group_drop(pool, group);
}

void
pool_group_alone(struct pool_group *group, uint64_t now_ms)
{
	group->alone_until_ms = now_ms + POOL_ALONE_MS;
}

struct pool_worker *
pool_idle_worker(const struct pool_group *group)
{
	struct list_link *link = list_first(&group->idle);

	return link != NULL ? CONTAINER_OF(link, struct pool_worker, in_group)
	                    : NULL;
}

/* ---- what to do next ---- */

static void
end_pauses(struct pool *pool, uint64_t now_ms)
{
	struct list_link *link = list_first(&pool->paused), *next;

	for (; link != NULL; link = next) {
		struct pool_group *group = GROUP_OF(link);

		next = list_next(&pool->paused, link);
		if (group->pause_until_ms > now_ms)
			continue;
		group->pause_until_ms = 0;
		set_place(pool, group);
	}
}

/* Those that have been away for too long are not waited for. */
static void
end_patience(struct pool *pool, uint64_t now_ms)
{
	struct list_link *link;

	while ((link = list_first(&pool->brisk)) != NULL) {
		struct pool_worker *worker =
			CONTAINER_OF(link, struct pool_worker, in_brisk);

		if (worker->busy_since_ms + pool->patience_ms > now_ms)
			return;
		end_brisk(worker);
		set_place(pool, worker->group);
	}
}

static enum pool_action
end_worker(
	struct pool *pool, struct pool_worker *worker, struct pool_step *step)
{
	pool_worker_end(pool, worker);
	step->worker = worker;
	return step->action = POOL_END;
}

static bool
is_worn_out(const struct pool *pool, const struct pool_worker *worker)
{
	return pool->service_count > 0 && worker->jobs >= pool->service_count;
}

/* A worker that ends makes room for one of them already. */
static bool
others_starve(const struct pool *pool)
{
	return !list_is_empty(&pool->starving) &&
	       pool->workers >= pool->limit && pool->ending == 0;
}

/* How many a worker may have at a time. */
static size_t
most_for(const struct pool *pool, const struct pool_worker *worker)
{
	uint64_t left = pool->service_count - worker->jobs;

	if (pool->service_count > 0 && left < pool->together)
		return (size_t)left;
	return pool->together;
}

/* So many that every worker that could begin now gets its share. */
static size_t
share_of(const struct pool *pool, const struct pool_group *group,
	const struct pool_worker *worker, uint64_t now_ms)
{
	size_t workers = brisk_left(pool, group), share, most;

	if (now_ms < group->alone_until_ms)
		return 1;
	if (workers > group->idle_count)
		workers = group->idle_count;
	/* Of a group that is ready one may. */
	if (workers == 0)
		workers = 1;
	share = (group->line_len + workers - 1) / workers;
	most = most_for(pool, worker);
	return share < most ? share : most;
}

static void
take_starts(struct pool *pool, struct pool_group *group, size_t most,
	struct pool_step *step)
{
	struct list_link *link;

	while (step->start_count < most &&
		(link = list_first(&group->line)) != NULL) {
		struct pool_start *start =
			CONTAINER_OF(link, struct pool_start, in_line);

		if (start->is_alone && step->start_count > 0)
			return;
		step->starts[step->start_count++] = start;
		pool_start_remove(pool, start);
		if (start->is_alone)
			return;
	}
}

static enum pool_action
next_ready(struct pool *pool, uint64_t now_ms, struct pool_step *step)
{
	size_t share;

	struct pool_group *group = GROUP_OF(list_first(&pool->ready));
	struct pool_worker *worker = pool_idle_worker(group);

	if (is_worn_out(pool, worker) || others_starve(pool))
		return end_worker(pool, worker, step);
	step->group = group;
	step->worker = worker;
	share = share_of(pool, group, worker, now_ms);
	pool_worker_busy(pool, worker, now_ms);
	take_starts(pool, group, share, step);
	worker->jobs += step->start_count;
	return step->action = POOL_ASSIGN;
}

static enum pool_action
spawn(struct pool *pool, struct list *from, struct pool_step *step)
{
	struct list_link *first = list_first(from);

	if (pool->starting >= POOL_STARTING_MAX)
		return POOL_NOTHING;
	/* The next one is another group's. */
	list_remove(first);
	list_add_last(from, first);
	step->group = GROUP_OF(first);
	return step->action = POOL_SPAWN;
}

/* No group is `ready`, so that whoever is idle has no work. */
static enum pool_action
make_way(struct pool *pool, const struct pool_group *group,
	struct pool_step *step)
{
	struct list_link *idle = list_first(&pool->idle);

	if (idle == NULL || pool->ending > 0 || group->line_len == 0)
		return POOL_NOTHING;
	return end_worker(
		pool, CONTAINER_OF(idle, struct pool_worker, in_idle), step);
}

static enum pool_action
next_hungry(struct pool *pool, struct pool_step *step)
{
	struct list *from = list_is_empty(&pool->starving) ? &pool->hungry
	                                                   : &pool->starving;

	if (list_is_empty(from))
		return POOL_NOTHING;
	if (pool->workers < pool->limit)
		return spawn(pool, from, step);
	return make_way(pool, GROUP_OF(list_first(from)), step);
}

/* Workers that nobody needed for long. */
static enum pool_action
next_idle(struct pool *pool, uint64_t now_ms, struct pool_step *step)
{
	struct list_link *first = list_first(&pool->idle);
	struct pool_worker *worker;

	if (first == NULL)
		return POOL_NOTHING;
	worker = CONTAINER_OF(first, struct pool_worker, in_idle);
	if (is_worn_out(pool, worker))
		return end_worker(pool, worker, step);
	if (pool->idle_kill_ms == 0 ||
		pool->workers - pool->ending <= pool->least ||
		now_ms < worker->idle_since_ms + pool->idle_kill_ms)
		return POOL_NOTHING;
	return end_worker(pool, worker, step);
}

static void
earlier(uint64_t *wake_ms, uint64_t other_ms)
{
	if (*wake_ms == 0 || other_ms < *wake_ms)
		*wake_ms = other_ms;
}

static uint64_t
wake_time(const struct pool *pool)
{
	struct list_link *link;
	uint64_t wake_ms = 0;

	for (link = list_first(&pool->paused); link != NULL;
		link = list_next(&pool->paused, link))
		earlier(&wake_ms, GROUP_OF(link)->pause_until_ms);
	link = list_first(&pool->idle);
	if (link != NULL && pool->idle_kill_ms > 0 &&
		pool->workers - pool->ending > pool->least)
		earlier(&wake_ms,
			CONTAINER_OF(link, struct pool_worker, in_idle)
					->idle_since_ms +
				pool->idle_kill_ms);
	link = list_first(&pool->brisk);
	if (link != NULL && pool->waiting > 0)
		earlier(&wake_ms,
			CONTAINER_OF(link, struct pool_worker, in_brisk)
					->busy_since_ms +
				pool->patience_ms);
	return wake_ms;
}

enum pool_action
pool_next(struct pool *pool, uint64_t now_ms, struct pool_step *step_out,
	uint64_t *wake_ms_out)
{
	step_out->action = POOL_NOTHING;
	step_out->group = NULL;
	step_out->worker = NULL;
	step_out->start_count = 0;
	*wake_ms_out = 0;
	end_pauses(pool, now_ms);
	end_patience(pool, now_ms);
	if (!list_is_empty(&pool->ready))
		return next_ready(pool, now_ms, step_out);
	if (next_hungry(pool, step_out) != POOL_NOTHING)
		return step_out->action;
	if (next_idle(pool, now_ms, step_out) != POOL_NOTHING)
		return step_out->action;
	*wake_ms_out = wake_time(pool);
	return POOL_NOTHING;
}
