/* groups - which backend of a proxy_group has a user, if any has now
 *
 *   - where the admin has moved the user (`doorstep proxy move`), else
 *   - where the ring says (proxy/ring.h): the user's home.
 *   - With shared_storage, where that one is down or drained: the next best of
 *     those that are neither.  Without it nobody else has the user's mail, so the
 *     user is refused for now.
 *
 * A drained backend gets nothing new; what is under way there ends as it would.
 * Knows no sockets: whoever has them tells of the backends' health.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef PROXY_GROUPS_H
#define PROXY_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"
#include "conf/settings.h"
#include "proxy/health.h"
#include "proxy/ring.h"

enum {
	GROUPS_MOVES_MAX = 1000000, /* users that were moved */
	GROUPS_BUCKETS = 4096
};

struct backend;
struct probe;
struct group;

struct group_backend {
	struct group *group;
	const char *name; /* as configured: "10.0.0.1:24" */
	const char *host; /* a name, or an address without brackets */
	uint32_t port;    /* 0: the record's */
	uint32_t weight;
	bool is_drained;
	struct health health;
	/* proxy/places.c: */
	struct backend *backend; /* its connections; NULL: nobody was sent
	                          * there yet */
	struct probe *probe;     /* under way */
};

struct group {
	const char *name;
	bool is_shared;
	uint64_t probe_timeout_ms;
	struct health_settings health;
	struct group_backend *backends;
	struct ring_member *members; /* in the same order */
	size_t count;
};

struct group_move;

struct groups {
	struct arena *arena;
	struct group *items;
	size_t count;
	struct group_move *moves[GROUPS_BUCKETS];
	size_t move_count;
};

/* `settings` are borrowed; they have passed conf_check(). */
void groups_open(struct groups *groups, const struct settings *settings,
	uint64_t now_ms);
void groups_close(struct groups *groups);

/* NULL: there is no group of that name. */
struct group *groups_find(const struct groups *groups, const char *name);
/* By its name as configured, in any case of its letters; of several groups, of the
 * first; NULL: there is none. */
struct group_backend *groups_find_backend(
	const struct groups *groups, struct str name);

/* The backend of that host; `port` 0: whatever port it has.  NULL: there is none. */
struct group_backend *groups_find_host(
	const struct groups *groups, const char *host, uint32_t port);

/* May mail be sent there now?  -1: 4.4.0 down, 4.3.2 drained. */
MUST_USE int group_backend_check(
	const struct group_backend *backend, struct err *err);

/* -1: 4.4.0, all that the user's mail may go to are down; 4.3.2, drained. */
MUST_USE int group_choose(const struct groups *groups, struct group *group,
	const char *user, struct group_backend **backend_out, struct err *err);

/* The user's mail goes to the backend of that name, if the user's group has one;
 * an empty name: where the ring says.  -1: 4.3.1 too many are moved. */
MUST_USE int groups_move(struct groups *groups, struct str user,
	struct str backend, struct err *err);
/* The backend's name; NULL: the user was not moved. */
const char *groups_moved_to(const struct groups *groups, struct str user);

#endif
