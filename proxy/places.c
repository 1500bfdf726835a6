/* SPDX-License-Identifier: MIT */
#include "proxy/places.h"

#include "base/log.h"
#include "base/memory.h"

#include "base/banned.h"

/* A question to a backend, whether it still answers. */
struct probe {
	struct errand errand;
	struct group_backend *member;
};

#define PROBE_OF(errand_) CONTAINER_OF(errand_, struct probe, errand)

/* ---- finding ----------------------------------------------------------- */

/* NONE: the record names no group and no backend of one. */
static enum lookup
find_member(struct places *places, const char *user, const struct route *route,
	struct group_backend **member_out, struct err *err)
{
	struct group *group = groups_find(&places->groups, route->host);

	*member_out = NULL;
	if (group != NULL)
		return group_choose(&places->groups, group, user, member_out,
			       err) < 0
		               ? LOOKUP_ERROR
		               : LOOKUP_FOUND;
	*member_out =
		groups_find_host(&places->groups, route->host, route->port);
	if (*member_out == NULL)
		return LOOKUP_NONE;
	return group_backend_check(*member_out, err) < 0 ? LOOKUP_ERROR
	                                                 : LOOKUP_FOUND;
}

/* hostip is of the host that the record names, not of a group's. */
static void
use_member(const struct group_backend *member, struct route *route)
{
	route->host = member->host;
	if (member->port != 0)
		route->port = member->port;
	route->ip = route_is_address(member->host) ? member->host : NULL;
}

static void begin_probing(struct places *places);

static void
join(struct places *places, struct group_backend *member,
	struct backend *backend)
{
	bool is_new = backend->member != member || member->backend != backend;

	backend->member = member;
	member->backend = backend;
	if (is_new)
		begin_probing(places);
}

enum lookup
places_find(struct places *places, const char *user, const struct route *route,
	uint32_t came_in_on, struct host_wait *wait,
	struct backend **backend_out, struct err *err)
{
	struct group_backend *member;
	struct route target = *route;
	const char *addresses = NULL;
	enum lookup found;

	if (find_member(places, user, route, &member, err) == LOOKUP_ERROR)
		return LOOKUP_ERROR;
	if (member != NULL)
		use_member(member, &target);
	if (target.ip == NULL) {
		found = hosts_find(
			&places->hosts, target.host, wait, &addresses, err);
		if (found != LOOKUP_FOUND)
			return found;
	}
	if (backends_find(places->backends, &target, addresses, came_in_on,
		    backend_out, err) < 0)
		return LOOKUP_ERROR;
	if (member != NULL)
		join(places, member, *backend_out);
	return LOOKUP_FOUND;
}

/* ---- health ------------------------------------------------------------ */

static void
log_change(const struct group_backend *member)
{
	const char *word = health_word(member->health.state);

	if (member->health.state == HEALTH_UP)
		log_info("backend %s of %s is %s", member->name,
			member->group->name, word);
	else
		log_warning("backend %s of %s is %s", member->name,
			member->group->name, word);
}

static void
hear(struct places *places, struct group_backend *member, bool is_good)
{
	uint64_t now_ms = loop_now_ms(places->loop);
	const struct health_settings *settings = &member->group->health;
	bool is_changed =
		is_good ? health_success(&member->health, settings, now_ms)
			: health_failure(&member->health, settings, now_ms);

	if (is_changed) {
		places->changes++;
		log_change(member);
	}
	if (is_changed || !is_good)
		begin_probing(places);
}

void
places_heard(struct places *places, struct backend *backend, bool is_good)
{
	if (backend->member != NULL)
		hear(places, backend->member, is_good);
}

/* ---- probes ------------------------------------------------------------ */

static void
end_probe(struct group_backend *member)
{
	struct probe *probe = member->probe;

	member->probe = NULL;
	errand_end(&probe->errand);
	memory_free(probe);
}

/* It has greeted us and answered LHLO: places_heard() was told already. */
static void
probe_begin(struct errand *errand)
{
	end_probe(PROBE_OF(errand)->member);
}

static void
probe_lost(struct errand *errand, const char *words, const char *detail)
{
	struct group_backend *member = PROBE_OF(errand)->member;

	log_debug("backend %s of %s: probe: %s: %s", member->name,
		member->group->name, words, detail);
	end_probe(member);
}

static void
ignore_reply(struct errand *errand, void *recipient,
	const struct backend_reply *reply)
{
	(void)errand;
	(void)recipient;
	(void)reply;
}

static void
send_probe(struct places *places, struct group_backend *member)
{
	struct probe *probe = memory_get(sizeof(*probe));

	probe->member = member;
	probe->errand.timeout_ms = member->group->probe_timeout_ms;
	probe->errand.begin = probe_begin;
	probe->errand.rcpt = ignore_reply;
	probe->errand.result = ignore_reply;
	probe->errand.lost = probe_lost;
	member->probe = probe;
	health_probe_begin(&member->health, loop_now_ms(places->loop));
	backend_probe(member->backend, &probe->errand);
}

/* Of one that nobody was sent to yet it is not known how to speak there. */
static uint64_t
probe_at(const struct group_backend *member)
{
	if (member->backend == NULL || member->probe != NULL)
		return UINT64_MAX;
	return health_probe_at(&member->health, &member->group->health);
}

/* The time of the next one. */
static uint64_t
send_probes(struct places *places, bool may_send)
{
	uint64_t now_ms = loop_now_ms(places->loop), next_ms = UINT64_MAX;
	size_t i, j;

	for (i = 0; i < places->groups.count; i++)
		for (j = 0; j < places->groups.items[i].count; j++) {
			struct group_backend *member =
				&places->groups.items[i].backends[j];

			if (may_send && probe_at(member) <= now_ms)
				send_probe(places, member);
			if (probe_at(member) < next_ms)
				next_ms = probe_at(member);
		}
	return next_ms;
}

static void
set_timer(struct places *places, uint64_t next_ms)
{
	if (next_ms == UINT64_MAX)
		loop_timer_stop(places->loop, &places->probing);
	else
		loop_timer(places->loop, &places->probing, next_ms);
}

static void
on_probing(struct loop_timer *timer)
{
	struct places *places = CONTAINER_OF(timer, struct places, probing);

	set_timer(places, send_probes(places, true));
}

static void
begin_probing(struct places *places)
{
	set_timer(places, send_probes(places, false));
}

/* ---- the admin --------------------------------------------------------- */

static void
drain(struct group_backend *member, bool is_drained)
{
	if (member->is_drained != is_drained)
		log_info("backend %s of %s is %s", member->name,
			member->group->name,
			is_drained ? "drained" : "in service");
	member->is_drained = is_drained;
	if (is_drained && member->backend != NULL)
		backend_rest(member->backend);
}

void
places_drain(struct places *places, const char *name, bool is_drained)
{
	size_t i, j;

	for (i = 0; i < places->groups.count; i++)
		for (j = 0; j < places->groups.items[i].count; j++) {
			struct group_backend *member =
				&places->groups.items[i].backends[j];

			if (str_is_nocase(str_from(name), member->name))
				drain(member, is_drained);
		}
	places->changes++;
}

int
places_move(struct places *places, const char *user, const char *backend,
	struct err *err)
{
	places->changes++;
	return groups_move(
		&places->groups, str_from(user), str_from(backend), err);
}

/* ---- its life ---------------------------------------------------------- */

void
places_open(struct places *places)
{
	places->probing.fire = on_probing;
	places->hosts.loop = places->loop;
	hosts_open(&places->hosts);
	groups_open(
		&places->groups, places->settings, loop_now_ms(places->loop));
}

void
places_close(struct places *places)
{
	size_t i, j;

	for (i = 0; i < places->groups.count; i++)
		for (j = 0; j < places->groups.items[i].count; j++)
			if (places->groups.items[i].backends[j].probe != NULL)
				end_probe(&places->groups.items[i].backends[j]);
	loop_timer_stop(places->loop, &places->probing);
	hosts_close(&places->hosts);
	groups_close(&places->groups);
}
