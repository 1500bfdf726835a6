/* SPDX-License-Identifier: MIT */
#include "dict/redis.h"

#include "config.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#ifdef HAVE_HIREDIS
#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#endif

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

#include "base/banned.h"

#ifdef HAVE_HIREDIS

enum { NUMBER_BYTES = 32 };

struct redis {
	struct loop *loop;
	struct redis_options options;
	redisAsyncContext *context; /* NULL: no connection */
	struct loop_watch watch;
	unsigned events;                      /* what hiredis waits for */
	struct redis_question *first, **last; /* in the order of answers */
	struct loop_timer timer;              /* of the first */
	uint64_t retry_ms;                    /* no connection before */
	bool is_down;                         /* and it has been told */
};

/* ---- trouble ---- */

static void
say_down(struct redis *redis, const char *why)
{
	if (redis->is_down)
		return;
	redis->is_down = true;
	if (redis->options.path != NULL)
		log_error("Redis %s: %s", redis->options.path, why);
	else
		log_error("Redis %s:%u: %s", redis->options.host,
			(unsigned)redis->options.port, why);
}

static void
say_up(struct redis *redis)
{
	if (redis->is_down)
		log_info("Redis answers again");
	redis->is_down = false;
}

/* hiredis frees it, and answers what is open. */
static void
lose(struct redis *redis, const char *why)
{
	redis->context = NULL;
	redis->retry_ms = clock_monotonic_ms() + REDIS_RETRY_MS;
	if (why != NULL)
		say_down(redis, why);
}

static void
drop(struct redis *redis, const char *why)
{
	redisAsyncContext *context = redis->context;

	if (context == NULL)
		return;
	lose(redis, why);
	redisAsyncFree(context);
}

/* ---- hiredis waits by our loop ---- */

static void
wait_for(struct redis *redis, unsigned events)
{
	redis->events = events;
	loop_watch_for(redis->loop, &redis->watch, events);
}

static void
add_read(void *data)
{
	struct redis *redis = data;

	wait_for(redis, redis->events | LOOP_READ);
}

static void
del_read(void *data)
{
	struct redis *redis = data;

	wait_for(redis, redis->events & ~(unsigned)LOOP_READ);
}

static void
add_write(void *data)
{
	struct redis *redis = data;

	wait_for(redis, redis->events | LOOP_WRITE);
}

static void
del_write(void *data)
{
	struct redis *redis = data;

	wait_for(redis, redis->events & ~(unsigned)LOOP_WRITE);
}

static void
clean_up(void *data)
{
	struct redis *redis = data;

	loop_unwatch(redis->loop, &redis->watch);
}

static void
ready(struct loop_watch *watch, unsigned events)
{
	struct redis *redis = CONTAINER_OF(watch, struct redis, watch);
	redisAsyncContext *context = redis->context;

	if ((events & (LOOP_READ | LOOP_HANGUP)) && (redis->events & LOOP_READ))
		redisAsyncHandleRead(context);
	/* It may be gone by now. */
	if (redis->context == context &&
		(events & (LOOP_WRITE | LOOP_HANGUP)) &&
		(redis->events & LOOP_WRITE))
		redisAsyncHandleWrite(context);
}

static void
connected(const redisAsyncContext *context, int status)
{
	if (status != REDIS_OK)
		lose(context->data, context->errstr);
}

static void
disconnected(const redisAsyncContext *context, int status)
{
	struct redis *redis = context->data;

	/* Not by drop(). */
	if (redis->context == context)
		lose(redis, status == REDIS_OK ? "it has closed the connection"
					       : context->errstr);
}

/* What is wrong shows by the next answer. */
static void
greet(struct redis *redis)
{
	const struct str *password = &redis->options.password;

	if (password->len > 0)
		redisAsyncCommand(redis->context, NULL, NULL, "AUTH %b",
			password->data, password->len);
	if (redis->options.database > 0)
		redisAsyncCommand(redis->context, NULL, NULL, "SELECT %llu",
			(unsigned long long)redis->options.database);
}

static bool
connect_now(struct redis *redis)
{
	const struct redis_options *options = &redis->options;
	redisAsyncContext *context;

	if (redis->context != NULL)
		return true;
	if (clock_monotonic_ms() < redis->retry_ms)
		return false;
	context = options->path != NULL
	                  ? redisAsyncConnectUnix(options->path)
	                  : redisAsyncConnect(options->host, options->port);
	if (context == NULL)
		memory_exhausted();
	if (context->err != 0 ||
		loop_watch(redis->loop, &redis->watch, context->c.fd, 0) < 0) {
		lose(redis, context->err != 0 ? context->errstr : "epoll_ctl");
		redisAsyncFree(context);
		return false;
	}
	redis->context = context;
	redis->events = 0;
	context->data = redis;
	context->ev.data = redis;
	context->ev.addRead = add_read;
	context->ev.delRead = del_read;
	context->ev.addWrite = add_write;
	context->ev.delWrite = del_write;
	context->ev.cleanup = clean_up;
	redisAsyncSetDisconnectCallback(context, disconnected);
	redisAsyncSetConnectCallback(context, connected);
	greet(redis);
	return true;
}

/* ---- questions ---- */

static void
set_timer(struct redis *redis)
{
	if (redis->first == NULL)
		loop_timer_stop(redis->loop, &redis->timer);
	else
		loop_timer(redis->loop, &redis->timer, redis->first->until_ms);
}

static void
add_question(struct redis *redis, struct redis_question *question)
{
	question->redis = redis;
	question->next = NULL;
	question->until_ms = clock_monotonic_ms() + redis->options.timeout_ms;
	*redis->last = question;
	redis->last = &question->next;
	set_timer(redis);
}

/* Answers come in the order of questions. */
static void
take_question(struct redis *redis, const struct redis_question *question)
{
	if (redis->first != question)
		BUG("Redis answers out of order");
	redis->first = question->next;
	if (redis->first == NULL)
		redis->last = &redis->first;
	set_timer(redis);
}

static void
no_answer_in_time(struct loop_timer *timer)
{
	drop(CONTAINER_OF(timer, struct redis, timer), "no answer in time");
}

/* `number`: room for its text. */
static struct str
text_of(const redisReply *reply, char number[NUMBER_BYTES])
{
	if (reply->type == REDIS_REPLY_INTEGER) {
		snprintf(number, NUMBER_BYTES, "%lld", reply->integer);
		return str_from(number);
	}
	if (reply->type == REDIS_REPLY_STRING ||
		reply->type == REDIS_REPLY_STATUS)
		return str_of(reply->str, (size_t)reply->len);
	return STR_EMPTY;
}

static void
give_answer(struct redis_question *question, const redisReply *reply)
{
	char numbers[REDIS_WORDS_MAX][NUMBER_BYTES];
	struct redis_answer answer = {.count = 1};
	size_t i;

	if (reply->type == REDIS_REPLY_ARRAY) {
		answer.count = reply->elements < REDIS_WORDS_MAX
		                       ? reply->elements
		                       : REDIS_WORDS_MAX;
		for (i = 0; i < answer.count; i++)
			answer.items[i] =
				text_of(reply->element[i], numbers[i]);
	} else {
		answer.items[0] = text_of(reply, numbers[0]);
	}
	question->answered(question, &answer);
}

/* No reply: the connection is gone. */
static void
replied(redisAsyncContext *context UNUSED, void *data, void *private_data)
{
	struct redis_question *question = private_data;
	struct redis *redis = question->redis;
	const redisReply *reply = data;

	take_question(redis, question);
	if (reply == NULL) {
		question->answered(question, NULL);
		return;
	}
	if (reply->type == REDIS_REPLY_ERROR) {
		say_down(redis, reply->str);
		question->answered(question, NULL);
		return;
	}
	say_up(redis);
	give_answer(question, reply);
}

void
redis_ask(struct redis *redis, struct redis_question *question,
	const struct str *words, size_t count)
{
	const char *texts[REDIS_WORDS_MAX];
	size_t lengths[REDIS_WORDS_MAX], i;

	if (count > REDIS_WORDS_MAX)
		BUG("too many words for Redis");
	if (!connect_now(redis)) {
		question->answered(question, NULL);
		return;
	}
	for (i = 0; i < count; i++) {
		texts[i] = words[i].data;
		lengths[i] = words[i].len;
	}
	if (redisAsyncCommandArgv(redis->context, replied, question, (int)count,
		    texts, lengths) == REDIS_OK)
		add_question(redis, question);
	else
		question->answered(question, NULL); /* it is closing */
}

struct redis *
redis_open(struct loop *loop, const struct redis_options *options)
{
	struct redis *redis = memory_get(sizeof(*redis));

	redis->loop = loop;
	redis->options = *options;
	redis->watch = (struct loop_watch){-1, 0, ready};
	redis->timer.fire = no_answer_in_time;
	redis->last = &redis->first;
	return redis;
}

void
redis_close(struct redis **redis)
{
	if (*redis == NULL)
		return;
	drop(*redis, NULL);
	loop_timer_stop((*redis)->loop, &(*redis)->timer);
	memory_free(*redis);
	*redis = NULL;
}

#else

struct redis {
	struct redis_options options;
};

struct redis *
redis_open(struct loop *loop UNUSED, const struct redis_options *options)
{
	struct redis *redis = memory_get(sizeof(*redis));

	redis->options = *options;
	return redis;
}

void
redis_close(struct redis **redis)
{
	memory_free(*redis);
	*redis = NULL;
}

void
redis_ask(struct redis *redis UNUSED, struct redis_question *question,
	const struct str *words UNUSED, size_t count UNUSED)
{
	question->answered(question, NULL);
}

#endif
