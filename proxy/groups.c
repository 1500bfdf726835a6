/* SPDX-License-Identifier: MIT */
#include "proxy/groups.h"

#include <string.h>

#include "base/arena.h"
#include "base/memory.h"
#include "conf/group.h"

#include "base/banned.h"

struct group_move {
	struct group_move *next; /* in the bucket */
	char *user, *backend;
};

/* ---- opening ---- */

static void
open_backend(struct groups *groups, struct group *group, size_t place,
	const struct conf_backend *from, uint64_t now_ms)
{
	struct group_backend *backend = &group->backends[place];
	struct conf_backend_address address;

	if (!conf_backend_parse(groups->arena, from->name, &address))
		BUG("backend %s was not checked", from->name);
	*backend = (struct group_backend){.group = group,
		.name = from->name,
		.host = address.host,
		.port = address.port,
		.weight = (uint32_t)from->weight};
	health_init(&backend->health, now_ms);
	group->members[place] = (struct ring_member){
		.hash = ring_hash(
			arena_lower(groups->arena, str_from(from->name))),
		.weight = backend->weight};
}

static void
open_group(struct groups *groups, struct group *group,
	const struct conf_proxy_group *from, uint64_t now_ms)
{
	size_t i;

	*group = (struct group){.name = from->name,
		.is_shared = from->shared_storage,
		.probe_timeout_ms = from->health_timeout_ms,
		.health = {.interval_ms = from->health_interval_ms,
			.falls = (uint32_t)from->health_falls,
			.rises = (uint32_t)from->health_rises},
		.count = from->backend_count,
		.backends = ARENA_ARRAY(groups->arena, struct group_backend,
			from->backend_count),
		.members = ARENA_ARRAY(groups->arena, struct ring_member,
			from->backend_count)};
	for (i = 0; i < from->backend_count; i++)
		open_backend(groups, group, i, &from->backends[i], now_ms);
}

void
groups_open(
	struct groups *groups, const struct settings *settings, uint64_t now_ms)
{
	size_t i;

	*groups = (struct groups){
		.arena = arena_open(), .count = settings->proxy_group_count};
	groups->items = ARENA_ARRAY(groups->arena, struct group, groups->count);
	for (i = 0; i < groups->count; i++)
		open_group(groups, &groups->items[i],
			&settings->proxy_groups[i], now_ms);
}

static void
free_move(struct group_move *move)
{
	memory_free(move->user);
	memory_free(move->backend);
	memory_free(move);
}

void
groups_close(struct groups *groups)
{
	size_t i;

	for (i = 0; i < GROUPS_BUCKETS; i++)
		while (groups->moves[i] != NULL) {
			struct group_move *move = groups->moves[i];

			groups->moves[i] = move->next;
			free_move(move);
		}
	arena_close(&groups->arena);
}

struct group *
groups_find(const struct groups *groups, const char *name)
{
	size_t i;

	for (i = 0; i < groups->count; i++)
		if (str_is_nocase(str_from(name), groups->items[i].name))
			return &groups->items[i];
	return NULL;
}

static struct group_backend *
find_in_group(const struct group *group, struct str name)
{
	size_t i;

	for (i = 0; i < group->count; i++)
		if (str_is_nocase(name, group->backends[i].name))
			return &group->backends[i];
	return NULL;
}

struct group_backend *
groups_find_backend(const struct groups *groups, struct str name)
{
	struct group_backend *backend = NULL;
	size_t i;

	for (i = 0; i < groups->count && backend == NULL; i++)
		backend = find_in_group(&groups->items[i], name);
	return backend;
}

struct group_backend *
groups_find_host(const struct groups *groups, const char *host, uint32_t port)
{
	size_t i, j;

	for (i = 0; i < groups->count; i++)
		for (j = 0; j < groups->items[i].count; j++) {
			struct group_backend *backend =
				&groups->items[i].backends[j];

			if (str_is_nocase(str_from(host), backend->host) &&
				(port == 0 || backend->port == 0 ||
					port == backend->port))
				return backend;
		}
	return NULL;
}

/* ---- choosing ---- */

static bool
is_usable(const struct group_backend *backend)
{
	return !backend->is_drained && health_is_usable(&backend->health);
}

static int
refuse(const struct group_backend *backend, struct err *err)
{
	if (backend->is_drained) {
		err_set(err, ERR_TEMPORARY, "4.3.2",
			"Mailbox host is out of service, try again later");
		return err_detail(err, "backend %s is drained", backend->name);
	}
	err_set(err, ERR_TEMPORARY, "4.4.0", "Proxy failed (backend is down)");
	return err_detail(err, "backend %s is down", backend->name);
}

int
group_backend_check(const struct group_backend *backend, struct err *err)
{
	return is_usable(backend) ? 0 : refuse(backend, err);
}

/* Whose the user is, whatever its state. */
static struct group_backend *
find_home(const struct groups *groups, struct group *group, struct str user,
	uint64_t hash)
{
	const char *moved = groups_moved_to(groups, user);
	struct group_backend *home = NULL;
	size_t i;

	if (moved != NULL)
		home = find_in_group(group, str_from(moved));
	if (home != NULL)
		return home;
	for (i = 0; i < group->count; i++)
		group->members[i].is_out = false;
	return &group->backends[ring_choose(
		group->members, group->count, hash)];
}

/* The next best one of those that can be used; NULL: none can. */
static struct group_backend *
find_other(struct group *group, uint64_t hash)
{
	size_t place, i;

	for (i = 0; i < group->count; i++)
		group->members[i].is_out = !is_usable(&group->backends[i]);
	place = ring_choose(group->members, group->count, hash);
	return place < group->count ? &group->backends[place] : NULL;
}

int
group_choose(const struct groups *groups, struct group *group, const char *user,
	struct group_backend **backend_out, struct err *err)
{
	uint64_t hash = ring_hash(str_from(user));
	struct group_backend *home =
		find_home(groups, group, str_from(user), hash);

	*backend_out = home;
	if (is_usable(home))
		return 0;
	if (!group->is_shared)
		return refuse(home, err);
	*backend_out = find_other(group, hash);
	return *backend_out != NULL ? 0 : refuse(home, err);
}

/* ---- moved users ---- */

static char *
keep_text(struct str text)
{
	char *copy = memory_get(text.len + 1);

	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	return copy;
}

static struct group_move **
find_move(const struct groups *groups, struct str user)
{
	struct group_move **at =
		(struct group_move **)(uintptr_t)&groups
			->moves[str_hash(STR_HASH, user) % GROUPS_BUCKETS];

	while (*at != NULL && !str_is(user, (*at)->user))
		at = &(*at)->next;
	return at;
}

const char *
groups_moved_to(const struct groups *groups, struct str user)
{
	const struct group_move *move = *find_move(groups, user);

	return move != NULL ? move->backend : NULL;
}

static void
remove_move(struct groups *groups, struct group_move **at)
{
	struct group_move *move = *at;

	*at = move->next;
	free_move(move);
	groups->move_count--;
}

int
groups_move(struct groups *groups, struct str user, struct str backend,
	struct err *err)
{
	struct group_move **at = find_move(groups, user), *move;

	if (*at != NULL)
		remove_move(groups, at);
	if (backend.len == 0)
		return 0;
	if (groups->move_count == GROUPS_MOVES_MAX)
		return err_temp(err, "4.3.1",
			"more than %d users are moved: let the user database "
			"say where users live",
			GROUPS_MOVES_MAX);
	move = memory_get(sizeof(*move));
	*move = (struct group_move){.user = keep_text(user),
		.backend = keep_text(backend),
		.next = *find_move(groups, user)};
	*find_move(groups, user) = move;
	groups->move_count++;
	return 0;
}
