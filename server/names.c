/* SPDX-License-Identifier: MIT */
#include "server/names.h"

#include <limits.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

#include "base/banned.h"

struct waiter {
	struct list_link link;
	struct arena *arena; /* of the rest */
	const char *host;
	uint64_t deadline_ms;
	bool is_question;
	struct wire_resolve resolve;
	struct wire_lookup question;
};

#define WAITER_OF(link_) CONTAINER_OF(link_, struct waiter, link)

int
names_open(struct names *names, uint64_t keep_ms, uint64_t lookup_timeout_ms,
	struct err *err)
{
	list_init(&names->waiters);
	names->wait_ms = lookup_timeout_ms / 2 < NAMES_WAIT_MS
	                         ? lookup_timeout_ms / 2
	                         : NAMES_WAIT_MS;
	return resolver_open(
		&names->resolver, resolver_by_system, keep_ms, err);
}

static struct waiter *
add_waiter(struct names *names, const char *host)
{
	struct waiter *waiter = memory_get(sizeof(*waiter));

	waiter->arena = arena_open();
	waiter->host = arena_text(waiter->arena, str_from(host));
	waiter->deadline_ms = clock_monotonic_ms() + names->wait_ms;
	list_add_last(&names->waiters, &waiter->link);
	names->count++;
	return waiter;
}

static void
waiter_close(struct names *names, struct waiter *waiter)
{
	list_remove(&waiter->link);
	names->count--;
	arena_close(&waiter->arena);
	memory_free(waiter);
}

void
names_close(struct names *names)
{
	struct list_link *link;

	if (names->resolver == NULL)
		return;
	while ((link = list_first(&names->waiters)) != NULL)
		waiter_close(names, WAITER_OF(link));
	resolver_close(&names->resolver);
}

/* ---- asking ---- */

static int
too_many(struct err *err)
{
	return err_temp(
		err, "4.3.2", "%d wait for names of hosts", NAMES_WAITERS_MAX);
}

static int
answer_resolve(struct names *names, const struct wire_resolve *question,
	const struct resolver_answer *found, struct err *err)
{
	struct wire_resolved answer = {.request = question->request,
		.err = found->err,
		.addresses = found->addresses,
		.good_ms = found->good_ms};

	if (found->err.kind != ERR_NONE)
		log_warning("%s", err_log_text(&found->err));
	return names->resolved(names, &answer, err);
}

static int
refuse_resolve(struct names *names, const struct wire_resolve *question,
	const struct err *why, struct err *err)
{
	const struct resolver_answer none = {.err = *why};

	return answer_resolve(names, question, &none, err);
}

int
names_resolve(struct names *names, const struct wire_resolve *question,
	struct err *err)
{
	struct resolver_answer found;
	struct waiter *waiter;
	struct err why;

	switch (names_find(names, question->host, &found, &why)) {
	case LOOKUP_FOUND:
		return answer_resolve(names, question, &found, err);
	case LOOKUP_NONE:
		break;
	case LOOKUP_ERROR:
		return refuse_resolve(names, question, &why, err);
	}
	waiter = add_waiter(names, question->host);
	waiter->resolve = *question;
	waiter->resolve.host = waiter->host;
	return 0;
}

enum lookup
names_find(struct names *names, const char *host,
	struct resolver_answer *answer_out, struct err *err)
{
	if (names->count >= NAMES_WAITERS_MAX) {
		too_many(err);
		return LOOKUP_ERROR;
	}
	return resolver_ask(
		names->resolver, host, clock_monotonic_ms(), answer_out, err);
}

void
names_wait(struct names *names, const char *host,
	const struct wire_lookup *question)
{
	struct waiter *waiter = add_waiter(names, host);
	struct arena *arena = waiter->arena;

	waiter->is_question = true;
	waiter->question = (struct wire_lookup){.request = question->request,
		.local_part = arena_copy(arena, question->local_part),
		.domain = arena_copy(arena, question->domain),
		.session =
			question->session != NULL
				? arena_text(arena, str_from(question->session))
				: NULL};
}

/* ---- answering ---- */

static int
serve_waiter(struct names *names, struct waiter *waiter,
	const struct resolver_answer *found, struct err *err)
{
	int result;

	list_remove(&waiter->link);
	result = waiter->is_question
	                 ? names->again(
				   names, &waiter->question, &found->err, err)
	                 : answer_resolve(names, &waiter->resolve, found, err);
	waiter_close(names, waiter);
	return result;
}

static int
serve_name(struct names *names, const struct resolver_answer *found,
	struct err *err)
{
	struct list_link *link = list_first(&names->waiters);

	while (link != NULL) {
		struct waiter *waiter = WAITER_OF(link);

		link = list_next(&names->waiters, link);
		if (str_is_nocase(str_from(found->host), waiter->host) &&
			serve_waiter(names, waiter, found, err) < 0)
			return -1;
	}
	return 0;
}

static int
serve_late(struct names *names, uint64_t now_ms, struct err *err)
{
	struct resolver_answer none = {.addresses = NULL};
	struct list_link *link;

	err_set(&none.err, ERR_TEMPORARY, "4.4.0", "Proxy failed (DNS lookup)");
	while ((link = list_first(&names->waiters)) != NULL &&
		WAITER_OF(link)->deadline_ms <= now_ms) {
		err_detail(&none.err, "host %s: no name server has answered",
			WAITER_OF(link)->host);
		if (serve_waiter(names, WAITER_OF(link), &none, err) < 0)
			return -1;
	}
	return 0;
}

/* Whoever is served may ask for other names, for which this one makes room. */
static int
serve_copy(struct names *names, const struct resolver_answer *found,
	struct err *err)
{
	struct arena *arena = arena_open();
	struct resolver_answer copy = *found;
	int result;

	copy.host = arena_text(arena, str_from(found->host));
	if (found->addresses != NULL)
		copy.addresses = arena_text(arena, str_from(found->addresses));
	result = serve_name(names, &copy, err);
	arena_close(&arena);
	return result;
}

int
names_serve(struct names *names, struct err *err)
{
	uint64_t now_ms = clock_monotonic_ms();
	struct resolver_answer found;

	while (resolver_take(names->resolver, now_ms, &found) == LOOKUP_FOUND)
		if (serve_copy(names, &found, err) < 0)
			return -1;
	return serve_late(names, now_ms, err);
}

int
names_timeout_ms(const struct names *names)
{
	struct list_link *link = list_first(&names->waiters);
	uint64_t now_ms, left_ms;

	if (link == NULL)
		return -1;
	now_ms = clock_monotonic_ms();
	if (WAITER_OF(link)->deadline_ms <= now_ms)
		return 0;
	left_ms = WAITER_OF(link)->deadline_ms - now_ms;
	return left_ms < INT_MAX ? (int)left_ms : INT_MAX;
}
