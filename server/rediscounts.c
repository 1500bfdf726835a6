/* SPDX-License-Identifier: MIT */
#include "server/rediscounts.h"

#include <inttypes.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/number.h"
#include "conf/quota.h"
#include "dict/redis.h"

#include "base/banned.h"

enum { ROOTS_MAX = 8, ANSWER_ITEMS = 5 };

struct remote_root {
	uint32_t number;
	const char *prefix;
	struct redis_options options;
	struct redis *redis;
};

struct rediscounts {
	struct remote_root roots[ROOTS_MAX];
	size_t count;
};

/* KEYS: the hash.  ARGV: action, bytes, messages, version, now. */
static const char script[] =
	"local run = string.match("
	"redis.call('INFO', 'server'), 'run_id:(%w+)')\n"
	"local key, action = KEYS[1], ARGV[1]\n"
	"local kept = redis.call('HMGET', key, 'run', 'version')\n"
	"local valid = kept[1] == run\n"
	"if action ~= 'read' then\n"
	"  redis.call('HINCRBY', key, 'version', 1)\n"
	"end\n"
	"if action == 'add' and valid then\n"
	"  redis.call('HINCRBY', key, 'bytes', ARGV[2])\n"
	"  redis.call('HINCRBY', key, 'messages', ARGV[3])\n"
	"elseif action == 'set' and (kept[2] or '0') == ARGV[4] then\n"
	"  valid = true\n"
	"  redis.call('HMSET', key, 'run', run, 'bytes', ARGV[2],\n"
	"    'messages', ARGV[3], 'counted', ARGV[5])\n"
	"elseif action == 'set' or action == 'forget' then\n"
	"  valid = false\n"
	"  redis.call('HDEL', key, 'run')\n"
	"end\n"
	"local now = redis.call('HMGET', key,\n"
	"  'version', 'bytes', 'messages', 'counted')\n"
	"return {valid and 1 or 0, now[1] or '0', now[2] or '0',\n"
	"  now[3] or '0', now[4] or '0'}\n";

static const char *const action_names[] = {
	[REQUEST_COUNT_READ] = "read",
	[REQUEST_COUNT_ADD] = "add",
	[REQUEST_COUNT_SET] = "set",
	[REQUEST_COUNT_FORGET] = "forget",
};

/* ---- opening ---- */

static const char *
text_or_null(struct arena *arena, struct str text)
{
	return text.len > 0 ? arena_text(arena, text) : NULL;
}

static void
add_root(struct rediscounts *counts, struct arena *arena,
	const struct conf_numbered *item, struct str password)
{
	struct conf_quota_root root;
	struct conf_quota_dict dict;
	struct conf_quota_fault fault;

	/* What is wrong has been told at the start. */
	if (counts->count == ROOTS_MAX ||
		conf_quota_parse_root(str_from(item->value), &root, &fault) <
			0 ||
		!str_is(root.driver, "dict") ||
		conf_quota_parse_dict(root.rest, &dict, &fault) < 0 ||
		!dict.is_redis)
		return;
	counts->roots[counts->count++] =
		(struct remote_root){.number = item->number,
			.prefix = arena_text(arena, dict.prefix),
			.options = {.host = arena_text(arena, dict.host),
				.port = (uint16_t)dict.port,
				.path = text_or_null(arena, dict.path),
				.database = dict.database,
				.password = password,
				.timeout_ms = dict.timeout_ms}};
}

struct rediscounts *
rediscounts_open(struct arena *arena, const struct settings *settings)
{
	struct rediscounts *counts = ARENA_NEW(arena, struct rediscounts);
	struct str password = STR_EMPTY;
	struct err err;
	size_t i;

	if (conf_read_text(arena, &settings->quota_redis_password, &password,
		    &err) < 0)
		log_error("quota_redis_password: %s", err_log_text(&err));
	for (i = 0; i < settings->quota.count; i++)
		add_root(counts, arena, &settings->quota.items[i], password);
	return counts->count > 0 ? counts : NULL;
}

void
rediscounts_begin(struct rediscounts *counts, struct loop *loop)
{
	size_t i;

	for (i = 0; counts != NULL && i < counts->count; i++)
		counts->roots[i].redis =
			redis_open(loop, &counts->roots[i].options);
}

void
rediscounts_close(struct rediscounts *counts)
{
	size_t i;

	for (i = 0; counts != NULL && i < counts->count; i++)
		redis_close(&counts->roots[i].redis);
}

static const struct remote_root *
find_root(const struct rediscounts *counts, uint32_t number)
{
	size_t i;

	for (i = 0; counts != NULL && i < counts->count; i++)
		if (counts->roots[i].number == number)
			return &counts->roots[i];
	return NULL;
}

bool
rediscounts_has(const struct rediscounts *counts, uint32_t root)
{
	return find_root(counts, root) != NULL;
}

/* ---- asking ---- */

struct asked {
	struct redis_question question;
	rediscounts_answered *answered;
	void *context;
	uint64_t request;
};

static bool
parse_answer(const struct redis_answer *answer, struct request_counted *counted)
{
	uint64_t valid = 0;
	uint64_t *const numbers[ANSWER_ITEMS] = {&valid, &counted->version,
		&counted->bytes, &counted->messages, &counted->counted_s};
	size_t i;

	if (answer == NULL || answer->count != ANSWER_ITEMS)
		return false;
	/* A sum below zero is none. */
	for (i = 0; i < ANSWER_ITEMS; i++)
		if (number_parse(answer->items[i], numbers[i]) < 0)
			valid = *numbers[i] = 0;
	counted->state =
		valid == 1 ? REQUEST_COUNTED_YES : REQUEST_COUNTED_NONE;
	return true;
}

static void
take_answer(struct redis_question *question, const struct redis_answer *answer)
{
	struct asked *asked = CONTAINER_OF(question, struct asked, question);
	struct request_counted counted = {.request = asked->request};

	if (!parse_answer(answer, &counted))
		counted.state = REQUEST_COUNTED_UNABLE;
	asked->answered(asked->context, &counted);
	memory_free(asked);
}

static void
ask(const struct remote_root *root, uint32_t uid,
	const struct request_count *count, uint64_t now_s,
	struct redis_question *question)
{
	struct arena *arena = arena_open();
	const struct str words[] = {STR("EVAL"), str_from(script), STR("1"),
		str_from(arena_format(arena, "%s%" PRIu32 "/%" PRIu32 "/%.*s",
			root->prefix, uid, count->root, STR_ARG(count->user))),
		str_from(action_names[count->action]),
		str_from(arena_format(arena, "%" PRIu64, count->bytes)),
		str_from(arena_format(arena, "%" PRIu64, count->messages)),
		str_from(arena_format(arena, "%" PRIu64, count->version)),
		str_from(arena_format(arena, "%" PRIu64, now_s))};

	redis_ask(root->redis, question, words, ARRAY_LENGTH(words));
	arena_close(&arena);
}

void
rediscounts_serve(struct rediscounts *counts, uint32_t uid,
	const struct request_count *count, uint64_t now_s,
	rediscounts_answered *answered, void *context)
{
	const struct remote_root *root = find_root(counts, count->root);
	struct asked *asked = memory_get(sizeof(*asked));

	if (root == NULL)
		BUG("root %" PRIu32 " is not in Redis", count->root);
	asked->question.answered = take_answer;
	asked->answered = answered;
	asked->context = context;
	asked->request = count->request;
	ask(root, uid, count, now_s, &asked->question);
}
