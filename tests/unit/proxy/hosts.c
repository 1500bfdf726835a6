/* SPDX-License-Identifier: MIT */
#include "proxy/hosts.h"

#include <stdio.h>
#include <string.h>

#include "base/attributes.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static struct hosts hosts;
static struct wire_resolve asked;
static char asked_host[64];
static unsigned questions, told;
static struct host_wait waits[3];
static const char *addresses;
static struct err err;

static void
ask(struct hosts *all, struct wire_resolve *question)
{
	(void)all;
	asked = *question;
	snprintf(asked_host, sizeof(asked_host), "%s", question->host);
	questions++;
}

static void
on_over(struct host_wait *wait)
{
	told |= 1U << (wait - waits);
}

static void
begin(void)
{
	size_t i;

	memset(&hosts, 0, sizeof(hosts));
	memset(waits, 0, sizeof(waits));
	questions = told = 0;
	REQUIRE(loop_open(&hosts.loop) == 0);
	hosts.ask = ask;
	hosts_open(&hosts);
	for (i = 0; i < ARRAY_LENGTH(waits); i++)
		waits[i].over = on_over;
}

static void
end(void)
{
	hosts_close(&hosts);
	loop_close(&hosts.loop);
}

static enum lookup
find(const char *name, unsigned wait)
{
	err_clear(&err);
	return hosts_find(&hosts, name, &waits[wait], &addresses, &err);
}

static void
answer(uint64_t request, const char *lines)
{
	struct wire_resolved resolved = {
		.request = request, .addresses = lines, .good_ms = 60000};

	if (lines == NULL)
		err_set(&resolved.err, ERR_TEMPORARY, "4.4.0",
			"Proxy failed (DNS lookup)");
	hosts_resolved(&hosts, &resolved);
}

TEST(all_who_wait_are_told_and_one_question_is_asked)
{
	begin();
	CHECK_INT(find("a.example", 0), LOOKUP_NONE);
	CHECK_INT(find("A.example", 1), LOOKUP_NONE);
	CHECK_INT(find("b.example", 2), LOOKUP_NONE);
	CHECK_UINT(questions, 2);
	answer(asked.request - 1, "192.0.2.1\n");
	CHECK_UINT(told, 3);
	CHECK_INT(find("a.example", 0), LOOKUP_FOUND);
	CHECK_STR(addresses, "192.0.2.1\n");
	CHECK_UINT(questions, 2);
	end();
}

TEST(a_failure_is_told_and_kept)
{
	begin();
	CHECK_INT(find("a", 0), LOOKUP_NONE);
	answer(asked.request, NULL);
	CHECK_UINT(told, 1);
	CHECK_INT(find("a", 0), LOOKUP_ERROR);
	CHECK_STR(err.status, "4.4.0");
	CHECK_UINT(questions, 1);
	end();
}

TEST(an_answer_that_nobody_wants_is_dropped)
{
	begin();
	CHECK_INT(find("a", 0), LOOKUP_NONE);
	answer(asked.request + 7, "192.0.2.9\n");
	CHECK_UINT(told, 0);
	answer(asked.request, "192.0.2.1\n");
	answer(asked.request, "192.0.2.2\n");
	CHECK_INT(find("a", 0), LOOKUP_FOUND);
	CHECK_STR(addresses, "192.0.2.1\n");
	end();
}

TEST(who_has_gone_is_not_told)
{
	begin();
	CHECK_INT(find("a", 0), LOOKUP_NONE);
	CHECK_INT(find("a", 1), LOOKUP_NONE);
	host_wait_end(&waits[0]);
	answer(asked.request, "192.0.2.1\n");
	CHECK_UINT(told, 2);
	end();
}
