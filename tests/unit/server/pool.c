/* SPDX-License-Identifier: MIT */
#include "server/pool.h"

#include "server/restart.h"
#include "tests/lib/test.h"

#include "base/banned.h"

enum { AMY = 1001, BEA = 1002, CAT = 1003 };

static struct pool_group *
group_of(struct pool *pool, uid_t uid)
{
	return pool_group_take(
		pool, &(struct identity){.uid = uid, .gid = 100});
}

static struct pool *
new_pool(size_t limit)
{
	static struct pool pool;

	pool_init(&pool);
	pool.limit = limit;
	return &pool;
}

static struct pool_step
next(struct pool *pool, uint64_t now_ms)
{
	struct pool_step step;
	uint64_t wake_ms;

	pool_next(pool, now_ms, &step, &wake_ms);
	return step;
}

/* A worker of the group that is idle. */
static void
add_idle(struct pool *pool, struct pool_group *group,
	struct pool_worker *worker, uint64_t now_ms)
{
	pool_worker_add(pool, group, worker);
	pool_worker_idle(pool, worker, now_ms);
}

TEST(the_same_identity_is_the_same_group)
{
	struct pool *pool = new_pool(1);
	gid_t groups[] = {5, 6};
	struct identity identity = {.uid = AMY, .gid = 100};
	struct pool_group *plain = pool_group_take(pool, &identity), *other;

	CHECK(pool_group_take(pool, &identity) == plain);
	identity.groups = groups;
	identity.group_count = 2;
	other = pool_group_take(pool, &identity);
	CHECK(other != plain);
	CHECK(other->number != plain->number);
	groups[1] = 7;
	CHECK(pool_group_take(pool, &identity) != other);
	identity.gid = 101;
	CHECK_UINT(pool->group_count, 3);
	pool_clear(pool);
}

TEST(the_group_of_the_spool_is_part_of_the_identity)
{
	struct pool *pool = new_pool(1);
	struct identity identity = {.uid = AMY, .gid = 100};
	struct pool_group *without = pool_group_take(pool, &identity), *with;

	identity.has_spool_group = true;
	identity.spool_group = 8;
	with = pool_group_take(pool, &identity);
	CHECK(with != without);
	CHECK(with->identity.has_spool_group);
	CHECK_UINT(with->identity.spool_group, 8);
	CHECK(pool_group_take(pool, &identity) == with);
	identity.spool_group = 9;
	CHECK(pool_group_take(pool, &identity) != with);
}

TEST(a_group_that_nobody_holds_ends)
{
	struct pool *pool = new_pool(1);
	size_t i;

	for (i = 0; i < 1000; i++)
		CHECK(group_of(pool, (uid_t)(1000 + i)) != NULL);
	for (i = 0; i < 1000; i++) {
		struct pool_group *group = group_of(pool, (uid_t)(1000 + i));

		pool_group_drop(pool, group);
		pool_group_drop(pool, group);
	}
	CHECK_UINT(pool->group_count, 0);
	pool_clear(pool);
}

TEST(a_start_gets_an_idle_worker_at_once)
{
	struct pool *pool = new_pool(1);
	struct pool_group *amy = group_of(pool, AMY);
	struct pool_worker worker;
	struct pool_start start = {0};
	struct pool_step step;

	add_idle(pool, amy, &worker, 0);
	CHECK_INT(next(pool, 0).action, POOL_NOTHING);
	pool_start_add(pool, amy, &start);
	step = next(pool, 0);
	CHECK_INT(step.action, POOL_ASSIGN);
	CHECK(step.worker == &worker && step.starts[0] == &start);
	CHECK_INT(worker.state, POOL_BUSY);
	CHECK_INT(next(pool, 0).action, POOL_NOTHING);
}

TEST(the_worker_that_was_used_last_is_used_first)
{
	struct pool *pool = new_pool(2);
	struct pool_group *amy = group_of(pool, AMY);
	struct pool_worker old, new;
	struct pool_start start = {0};

	add_idle(pool, amy, &old, 0);
	add_idle(pool, amy, &new, 1);
	pool_start_add(pool, amy, &start);
	CHECK(next(pool, 2).worker == &new);
}

TEST(a_start_without_a_worker_gets_one_up_to_the_limit)
{
	struct pool *pool = new_pool(2);
	struct pool_group *amy = group_of(pool, AMY);
	struct pool_worker workers[2];
	struct pool_start starts[3] = {{0}};
	size_t i;

	for (i = 0; i < 3; i++)
		pool_start_add(pool, amy, &starts[i]);
	for (i = 0; i < 2; i++) {
		struct pool_step step = next(pool, 0);

		CHECK_INT(step.action, POOL_SPAWN);
		CHECK(step.group == amy);
		pool_worker_add(pool, amy, &workers[i]);
	}
	CHECK_INT(next(pool, 0).action, POOL_NOTHING);
	pool_worker_idle(pool, &workers[1], 0);
	CHECK(next(pool, 0).starts[0] == &starts[0]);
	pool_worker_idle(pool, &workers[1], 0);
	CHECK(next(pool, 0).starts[0] == &starts[1]);
}

TEST(only_so_many_workers_are_started_at_a_time)
{
	struct pool *pool = new_pool(100);
	struct pool_group *amy = group_of(pool, AMY);
	struct pool_worker workers[POOL_STARTING_MAX + 1];
	struct pool_start starts[POOL_STARTING_MAX + 5] = {{0}};
	size_t i;

	for (i = 0; i < POOL_STARTING_MAX + 5; i++)
		pool_start_add(pool, amy, &starts[i]);
	for (i = 0; next(pool, 0).action == POOL_SPAWN; i++) {
		REQUIRE(i < POOL_STARTING_MAX);
		pool_worker_add(pool, amy, &workers[i]);
	}
	CHECK_UINT(i, POOL_STARTING_MAX);
	pool_worker_idle(pool, &workers[0], 0);
	CHECK_INT(next(pool, 0).action, POOL_ASSIGN);
	CHECK_INT(next(pool, 0).action, POOL_SPAWN);
}

TEST(at_the_limit_the_one_idle_longest_makes_way)
{
	struct pool *pool = new_pool(2);
	struct pool_group *amy = group_of(pool, AMY);
	struct pool_group *bea = group_of(pool, BEA);
	struct pool_worker old, new;
	struct pool_start start = {0};
	struct pool_step step;

	add_idle(pool, amy, &old, 0);
	add_idle(pool, amy, &new, 5);
	pool_start_add(pool, bea, &start);
	step = next(pool, 10);
	CHECK_INT(step.action, POOL_END);
	CHECK(step.worker == &old);
	/* Nobody else has to, and nothing begins before it has ended. */
	CHECK_INT(next(pool, 10).action, POOL_NOTHING);
	pool_worker_gone(pool, &old, 10);
	step = next(pool, 10);
	CHECK_INT(step.action, POOL_SPAWN);
	CHECK(step.group == bea);
}

TEST(a_busy_user_does_not_keep_others_out)
{
	struct pool *pool = new_pool(1);
	struct pool_group *amy = group_of(pool, AMY);
	struct pool_group *bea = group_of(pool, BEA);
	struct pool_worker worker, other;
	struct pool_start of_amy[3] = {{0}}, of_bea = {0};
	size_t i;

	add_idle(pool, amy, &worker, 0);
	for (i = 0; i < 3; i++)
		pool_start_add(pool, amy, &of_amy[i]);
	CHECK(next(pool, 0).starts[0] == &of_amy[0]);
	pool_start_add(pool, bea, &of_bea);
	CHECK_INT(next(pool, 0).action, POOL_NOTHING);
	pool_worker_idle(pool, &worker, 0);
	CHECK_INT(next(pool, 0).action, POOL_END);
	pool_worker_gone(pool, &worker, 0);
	/* Now both wait without a worker: amy began to later. */
	CHECK(next(pool, 0).group == bea);
	pool_worker_add(pool, bea, &other);
	pool_worker_idle(pool, &other, 0);
	CHECK_INT(next(pool, 0).action, POOL_END);
	pool_worker_gone(pool, &other, 0);
}

TEST(groups_that_wait_get_their_workers_in_turn)
{
	struct pool *pool = new_pool(3);
	struct pool_group *groups[] = {
		group_of(pool, AMY), group_of(pool, BEA), group_of(pool, CAT)};
	struct pool_worker workers[3];
	struct pool_start starts[9] = {{0}};
	size_t i;

	for (i = 0; i < 9; i++)
		pool_start_add(pool, groups[i / 3], &starts[i]);
	for (i = 0; i < 3; i++) {
		struct pool_step step = next(pool, 0);

		CHECK_INT(step.action, POOL_SPAWN);
		CHECK(step.group == groups[i]);
		pool_worker_add(pool, step.group, &workers[i]);
	}
}

TEST(workers_that_die_before_they_are_ready_come_slower_and_slower)
{
	struct pool *pool = new_pool(1);
	struct pool_group *amy = group_of(pool, AMY);
	struct pool_worker worker;
	struct pool_start start = {0};
	struct pool_step step;
	uint64_t now_ms = 1000, wake_ms, before = 0;
	size_t i;

	pool_start_add(pool, amy, &start);
	for (i = 0; i < 10; i++) {
		CHECK_INT(pool_next(pool, now_ms, &step, &wake_ms), POOL_SPAWN);
		pool_worker_add(pool, amy, &worker);
		pool_worker_gone(pool, &worker, now_ms);
		CHECK_INT(
			pool_next(pool, now_ms, &step, &wake_ms), POOL_NOTHING);
		REQUIRE(wake_ms > now_ms);
		CHECK(wake_ms - now_ms >= before);
		CHECK(wake_ms - now_ms <= RESTART_PAUSE_MOST_MS);
		before = wake_ms - now_ms;
		now_ms = wake_ms;
	}
	CHECK_UINT(before, RESTART_PAUSE_MOST_MS);
	/* One that gets ready ends the matter. */
	add_idle(pool, amy, &worker, now_ms);
	CHECK_INT(next(pool, now_ms).action, POOL_ASSIGN);
	pool_worker_gone(pool, &worker, now_ms);
	pool_start_add(pool, amy, &start);
	CHECK_INT(next(pool, now_ms).action, POOL_SPAWN);
}

TEST(a_worker_that_is_not_needed_ends_after_idle_kill)
{
	struct pool *pool = new_pool(3);
	struct pool_group *amy = group_of(pool, AMY);
	struct pool_worker workers[3];
	struct pool_step step;
	uint64_t wake_ms;
	size_t i;

	pool->idle_kill_ms = 100;
	pool->least = 1;
	for (i = 0; i < 3; i++)
		add_idle(pool, amy, &workers[i], i * 10);
	CHECK_INT(pool_next(pool, 99, &step, &wake_ms), POOL_NOTHING);
	CHECK_UINT(wake_ms, 100);
	CHECK(next(pool, 200).worker == &workers[0]);
	CHECK(next(pool, 200).worker == &workers[1]);
	CHECK_INT(pool_next(pool, 200, &step, &wake_ms), POOL_NOTHING);
	CHECK_UINT(wake_ms, 0);
}

TEST(workers_of_a_kept_group_are_started_without_work)
{
	struct pool *pool = new_pool(10);
	struct pool_group *amy = group_of(pool, AMY);
	struct pool_worker workers[2];

	pool_group_keep(pool, amy, 2);
	CHECK_INT(next(pool, 0).action, POOL_SPAWN);
	pool_worker_add(pool, amy, &workers[0]);
	CHECK_INT(next(pool, 0).action, POOL_SPAWN);
	pool_worker_add(pool, amy, &workers[1]);
	CHECK_INT(next(pool, 0).action, POOL_NOTHING);
	pool_worker_idle(pool, &workers[0], 0);
	pool_worker_gone(pool, &workers[0], 0);
	CHECK_INT(next(pool, 0).action, POOL_SPAWN);
}

TEST(a_worker_is_replaced_after_service_count_jobs)
{
	struct pool *pool = new_pool(2);
	struct pool_group *amy = group_of(pool, AMY);
	struct pool_worker worker;
	struct pool_start starts[3] = {{0}};
	size_t i;

	pool->service_count = 2;
	add_idle(pool, amy, &worker, 0);
	for (i = 0; i < 2; i++) {
		pool_start_add(pool, amy, &starts[i]);
		CHECK_INT(next(pool, 0).action, POOL_ASSIGN);
		pool_worker_idle(pool, &worker, 0);
	}
	pool_start_add(pool, amy, &starts[2]);
	CHECK_INT(next(pool, 0).action, POOL_END);
	CHECK_INT(next(pool, 0).action, POOL_SPAWN);
}

TEST(a_start_that_is_taken_back_wants_nothing)
{
	struct pool *pool = new_pool(2);
	struct pool_group *amy = group_of(pool, AMY);
	struct pool_start start = {0};

	pool_start_add(pool, amy, &start);
	pool_start_remove(pool, &start);
	pool_start_remove(pool, &start);
	CHECK_INT(next(pool, 0).action, POOL_NOTHING);
	pool_group_drop(pool, amy);
	CHECK_UINT(pool->group_count, 0);
}

/* ---- several starts for one worker ---- */

static struct pool *
new_pool_together(size_t together, size_t brisk)
{
	struct pool *pool = new_pool(100);

	pool->together = together;
	pool->brisk_most = brisk;
	return pool;
}

static void
add_starts(struct pool *pool, struct pool_group *group,
	struct pool_start *starts, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		pool_start_add(pool, group, &starts[i]);
}

TEST(starts_wait_for_the_worker_that_comes_back_soon_and_it_takes_all_of_them)
{
	struct pool *pool = new_pool_together(16, 1);
	struct pool_group *amy = group_of(pool, AMY);
	struct pool_worker workers[2];
	struct pool_start starts[4] = {{0}};
	struct pool_step step;

	add_idle(pool, amy, &workers[0], 0);
	add_idle(pool, amy, &workers[1], 0);
	pool_start_add(pool, amy, &starts[0]);
	step = next(pool, 0);
	CHECK_UINT(step.start_count, 1);
	add_starts(pool, amy, &starts[1], 3);
	CHECK_INT(next(pool, 1).action, POOL_NOTHING);
	pool_worker_idle(pool, step.worker, 2);
	step = next(pool, 2);
	CHECK_INT(step.action, POOL_ASSIGN);
	CHECK_UINT(step.start_count, 3);
	CHECK(step.starts[0] == &starts[1] && step.starts[2] == &starts[3]);
	CHECK_UINT(step.worker->jobs, 4);
	CHECK_INT(next(pool, 2).action, POOL_NOTHING);
}

TEST(a_worker_that_stays_away_is_not_waited_for)
{
	struct pool *pool = new_pool_together(16, 1);
	struct pool_group *amy = group_of(pool, AMY);
	struct pool_worker workers[2];
	struct pool_start starts[2] = {{0}};
	struct pool_step step;
	uint64_t wake_ms;

	add_idle(pool, amy, &workers[0], 0);
	add_idle(pool, amy, &workers[1], 0);
	pool_start_add(pool, amy, &starts[0]);
	next(pool, 10);
	pool_start_add(pool, amy, &starts[1]);
	CHECK_INT(pool_next(pool, 11, &step, &wake_ms), POOL_NOTHING);
	CHECK_UINT(wake_ms, 10 + POOL_PATIENCE_MS);
	step = next(pool, wake_ms);
	CHECK_INT(step.action, POOL_ASSIGN);
	CHECK(step.starts[0] == &starts[1]);
	CHECK(step.worker == &workers[0]);
}

TEST(no_more_workers_are_started_than_may_begin)
{
	struct pool *pool = new_pool_together(16, 2);
	struct pool_group *amy = group_of(pool, AMY);
	struct pool_worker workers[3];
	struct pool_start starts[8] = {{0}};
	size_t i;

	add_starts(pool, amy, starts, 8);
	for (i = 0; i < 2; i++) {
		CHECK_INT(next(pool, 0).action, POOL_SPAWN);
		pool_worker_add(pool, amy, &workers[i]);
	}
	CHECK_INT(next(pool, 0).action, POOL_NOTHING);
	pool_worker_idle(pool, &workers[0], 0);
	CHECK_UINT(next(pool, 0).start_count, 8);
}

TEST(idle_workers_share_what_waits)
{
	struct pool *pool = new_pool_together(4, 8);
	struct pool_group *amy = group_of(pool, AMY);
	struct pool_worker workers[3];
	struct pool_start starts[11] = {{0}};

	add_starts(pool, amy, starts, 5);
	add_idle(pool, amy, &workers[0], 0);
	add_idle(pool, amy, &workers[1], 0);
	CHECK_UINT(next(pool, 0).start_count, 3);
	CHECK_UINT(next(pool, 0).start_count, 2);
	/* Not more than a worker may have. */
	add_starts(pool, amy, &starts[5], 6);
	add_idle(pool, amy, &workers[2], 0);
	CHECK_UINT(next(pool, 0).start_count, 4);
	CHECK_UINT(amy->line_len, 2);
}

TEST(what_is_to_go_alone_goes_alone)
{
	struct pool *pool = new_pool_together(16, 1);
	struct pool_group *amy = group_of(pool, AMY);
	struct pool_worker worker;
	struct pool_start starts[4] = {{0}};
	size_t each[] = {1, 1, 2}, i;

	starts[1].is_alone = true;
	add_starts(pool, amy, starts, 4);
	pool_worker_add(pool, amy, &worker);
	for (i = 0; i < ARRAY_LENGTH(each); i++) {
		pool_worker_idle(pool, &worker, 0);
		CHECK_UINT(next(pool, 0).start_count, each[i]);
	}
}

TEST(a_worker_gets_no_more_starts_than_service_count_leaves_it)
{
	struct pool *pool = new_pool_together(16, 1);
	struct pool_group *amy = group_of(pool, AMY);
	struct pool_worker worker;
	struct pool_start starts[9] = {{0}};

	pool->service_count = 5;
	add_starts(pool, amy, starts, 3);
	add_idle(pool, amy, &worker, 0);
	CHECK_UINT(next(pool, 0).start_count, 3);
	add_starts(pool, amy, &starts[3], 6);
	pool_worker_idle(pool, &worker, 0);
	CHECK_UINT(next(pool, 0).start_count, 2);
	pool_worker_idle(pool, &worker, 0);
	CHECK_INT(next(pool, 0).action, POOL_END);
}

TEST(after_a_death_with_several_jobs_they_go_one_by_one_for_a_while)
{
	struct pool *pool = new_pool_together(16, 1);
	struct pool_group *amy = group_of(pool, AMY);
	struct pool_worker worker;
	struct pool_start starts[3] = {{0}};

	pool_worker_add(pool, amy, &worker);
	pool_group_alone(amy, 1000);
	add_starts(pool, amy, starts, 3);
	pool_worker_idle(pool, &worker, 1000);
	CHECK_UINT(next(pool, 1000).start_count, 1);
	pool_worker_idle(pool, &worker, 1000 + POOL_ALONE_MS);
	CHECK_UINT(next(pool, 1000 + POOL_ALONE_MS).start_count, 2);
}

TEST(another_groups_workers_are_counted_by_themselves)
{
	struct pool *pool = new_pool_together(16, 1);
	struct pool_group *amy = group_of(pool, AMY);
	struct pool_group *bea = group_of(pool, BEA);
	struct pool_worker workers[2];
	struct pool_start starts[2] = {{0}};

	add_idle(pool, amy, &workers[0], 0);
	add_idle(pool, bea, &workers[1], 0);
	pool_start_add(pool, amy, &starts[0]);
	pool_start_add(pool, bea, &starts[1]);
	CHECK_INT(next(pool, 0).action, POOL_ASSIGN);
	CHECK_INT(next(pool, 0).action, POOL_ASSIGN);
}
