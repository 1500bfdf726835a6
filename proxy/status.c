/* SPDX-License-Identifier: MIT */
#include "proxy/status.h"

#include "base/buf.h"
#include "base/json.h"
#include "ipc/frame.h"

#include "base/banned.h"

/* Room is left for what follows the last backend. */
enum { TEXT_MAX = FRAME_MAX - 4096 };

struct telling {
	const struct places *places;
	struct buf text;
	struct json json;
	uint64_t left_out;
};

static bool
is_full(struct telling *telling)
{
	if (telling->text.len < TEXT_MAX)
		return false;
	telling->left_out++;
	return true;
}

static void
add_counters(struct json *json, const struct backend *backend)
{
	const struct backend_counters none = {0};
	const struct backend_counters *counters =
		backend != NULL ? &backend->counters : &none;

	json_number(json, "connections",
		backend != NULL ? backend->connections : 0);
	json_number(json, "connections_total", counters->connections_total);
	json_number(json, "failures", counters->failures);
	json_number(json, "waits", counters->waits);
	json_number(json, "delivered", counters->delivered);
	json_number(json, "temporary", counters->temporary);
	json_number(json, "failed", counters->failed);
}

static void
add_member(struct telling *telling, const struct group_backend *member)
{
	struct json *json = &telling->json;

	if (is_full(telling))
		return;
	json_open(json, NULL, '{');
	json_text(json, "name", str_from(member->name));
	json_text(json, "state", str_from(health_word(member->health.state)));
	json_bool(json, "drained", member->is_drained);
	json_number(json, "weight", member->weight);
	json_number(json, "since_ms",
		loop_now_ms(telling->places->loop) - member->health.since_ms);
	json_number(json, "downs", member->health.downs);
	add_counters(json, member->backend);
	json_close(json);
}

static void
add_group(struct telling *telling, const struct group *group)
{
	struct json *json = &telling->json;
	size_t i;

	if (is_full(telling))
		return;
	json_open(json, NULL, '{');
	json_text(json, "name", str_from(group->name));
	json_bool(json, "shared_storage", group->is_shared);
	json_open(json, "backends", '[');
	for (i = 0; i < group->count; i++)
		add_member(telling, &group->backends[i]);
	json_close(json);
	json_close(json);
}

static void
add_hosts(struct telling *telling)
{
	const struct backends *all = telling->places->backends;
	const struct backend *backend;
	struct json *json = &telling->json;
	size_t i;

	for (i = 0; i < BACKENDS_BUCKETS; i++)
		for (backend = all->buckets[i]; backend != NULL;
			backend = backend->next) {
			if (backend->member != NULL || is_full(telling))
				continue;
			json_open(json, NULL, '{');
			json_text(json, "name", str_from(backend->name));
			add_counters(json, backend);
			json_close(json);
		}
}

struct str
status_text(struct arena *arena, const struct places *places)
{
	struct telling telling = {.places = places};
	struct str result;
	size_t i;

	buf_init(&telling.text, BUF_UNLIMITED);
	json_init_buf(&telling.json, &telling.text);
	json_open(&telling.json, NULL, '{');
	json_open(&telling.json, "groups", '[');
	for (i = 0; i < places->groups.count; i++)
		add_group(&telling, &places->groups.items[i]);
	json_close(&telling.json);
	json_open(&telling.json, "hosts", '[');
	add_hosts(&telling);
	json_close(&telling.json);
	json_number(&telling.json, "moved", places->groups.move_count);
	json_number(&telling.json, "not_shown", telling.left_out);
	json_close(&telling.json);
	result = arena_copy(arena, buf_view(&telling.text));
	buf_clear(&telling.text);
	return result;
}
