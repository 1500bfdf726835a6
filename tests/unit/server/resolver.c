/* SPDX-License-Identifier: MIT */
#include "server/resolver.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/test.h"

#include "base/banned.h"

static struct resolver *resolver;
static struct resolver_answer answer;
static struct err err;

/* Held: the name server does not answer for "slow". */
static pthread_mutex_t silence = PTHREAD_MUTEX_INITIALIZER;
static atomic_int asked;
static atomic_bool is_broken;

static const char *
fake_find(const char *host, char *lines, size_t size)
{
	asked++;
	if (strncmp(host, "slow", 4) == 0) {
		pthread_mutex_lock(&silence);
		pthread_mutex_unlock(&silence);
	}
	lines[0] = '\0';
	if (strcmp(host, "bad") == 0 || is_broken)
		return "is not known";
	if (strcmp(host, "empty") != 0)
		snprintf(lines, size, "192.0.2.1\n2001:db8::1\n");
	return NULL;
}

static void
begin(void)
{
	asked = 0;
	is_broken = false;
	REQUIRE(resolver_open(&resolver, fake_find, 60000, &err) == 0);
}

static enum lookup
ask(const char *host, uint64_t now_ms)
{
	return resolver_ask(resolver, host, now_ms, &answer, &err);
}

static void
take(uint64_t now_ms)
{
	struct pollfd polled = {.fd = resolver_fd(resolver), .events = POLLIN};

	REQUIRE(poll(&polled, 1, 10000) == 1);
	REQUIRE(resolver_take(resolver, now_ms, &answer) == LOOKUP_FOUND);
}

TEST(a_name_is_found_beside_the_process_and_kept)
{
	begin();
	CHECK_INT(ask("a.example", 0), LOOKUP_NONE);
	take(1000);
	CHECK_STR(answer.host, "a.example");
	CHECK_STR(answer.addresses, "192.0.2.1\n2001:db8::1\n");
	CHECK_UINT(answer.good_ms, 60000);
	CHECK_INT(answer.err.kind, ERR_NONE);
	CHECK_INT(ask("A.Example", 11000), LOOKUP_FOUND);
	CHECK_UINT(answer.good_ms, 50000);
	CHECK_INT(ask("a.example", 61000), LOOKUP_NONE);
	take(61000);
	CHECK_INT(asked, 2);
	resolver_close(&resolver);
}

TEST(a_slow_name_keeps_nobody_else_waiting)
{
	begin();
	pthread_mutex_lock(&silence);
	CHECK_INT(ask("slow", 0), LOOKUP_NONE);
	CHECK_INT(ask("fast", 0), LOOKUP_NONE);
	take(0);
	CHECK_STR(answer.host, "fast");
	CHECK_INT(resolver_take(resolver, 0, &answer), LOOKUP_NONE);
	pthread_mutex_unlock(&silence);
	take(0);
	CHECK_STR(answer.host, "slow");
	resolver_close(&resolver);
}

TEST(a_name_is_asked_for_once_however_many_want_it)
{
	begin();
	pthread_mutex_lock(&silence);
	CHECK_INT(ask("slow", 0), LOOKUP_NONE);
	CHECK_INT(ask("slow", 0), LOOKUP_NONE);
	CHECK_INT(ask("SLOW", 0), LOOKUP_NONE);
	pthread_mutex_unlock(&silence);
	take(0);
	CHECK_INT(resolver_take(resolver, 0, &answer), LOOKUP_NONE);
	CHECK_INT(asked, 1);
	resolver_close(&resolver);
}

TEST(a_failure_is_temporary_and_kept_for_seconds)
{
	begin();
	CHECK_INT(ask("bad", 0), LOOKUP_NONE);
	take(0);
	CHECK(answer.addresses == NULL);
	CHECK_INT(answer.err.kind, ERR_TEMPORARY);
	CHECK_STR(answer.err.status, "4.4.0");
	CHECK_STR(answer.err.text, "Proxy failed (DNS lookup)");
	CHECK_STR(answer.err.detail, "host bad: is not known");
	CHECK_INT(ask("bad", 4999), LOOKUP_FOUND);
	CHECK_INT(ask("bad", 5000), LOOKUP_NONE);
	take(5000);
	CHECK_INT(ask("empty", 0), LOOKUP_NONE);
	take(0);
	CHECK_STR(answer.err.detail, "host empty: has no address");
	resolver_close(&resolver);
}

TEST(what_was_known_counts_while_name_servers_are_in_trouble)
{
	begin();
	CHECK_INT(ask("a", 0), LOOKUP_NONE);
	take(0);
	is_broken = true;
	CHECK_INT(ask("a", 60000), LOOKUP_NONE);
	take(60000);
	CHECK_STR(answer.addresses, "192.0.2.1\n2001:db8::1\n");
	CHECK_INT(answer.err.kind, ERR_NONE);
	CHECK_UINT(answer.good_ms, RESOLVER_FAILURE_MS);
	/* Not for ever. */
	CHECK_INT(ask("a", 60000 + RESOLVER_STALE_MS), LOOKUP_NONE);
	take(60000 + RESOLVER_STALE_MS);
	CHECK(answer.addresses == NULL);
	resolver_close(&resolver);
}

TEST(too_many_slow_names_are_refused)
{
	char host[32];
	unsigned i, waiting = 0;

	begin();
	pthread_mutex_lock(&silence);
	for (i = 0; i < RESOLVER_WAITING_MAX + RESOLVER_THREADS + 1; i++) {
		snprintf(host, sizeof(host), "slow%u", i);
		waiting += ask(host, 0) == LOOKUP_NONE;
	}
	CHECK(waiting >= RESOLVER_WAITING_MAX);
	CHECK(waiting <= RESOLVER_WAITING_MAX + RESOLVER_THREADS);
	CHECK_STR(err.status, "4.3.2");
	/* Nobody is waited for. */
	resolver_close(&resolver);
	CHECK(resolver == NULL);
	pthread_mutex_unlock(&silence);
}

TEST(the_system_knows_this_host)
{
	char lines[1024];

	CHECK(resolver_by_system("localhost", lines, sizeof(lines)) == NULL);
	CHECK(strstr(lines, "127.0.0.1\n") != NULL ||
		strstr(lines, "::1\n") != NULL);
	CHECK(resolver_by_system("192.0.2.77", lines, sizeof(lines)) == NULL);
	CHECK_STR(lines, "192.0.2.77\n");
}
