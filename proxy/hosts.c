/* SPDX-License-Identifier: MIT */
#include "proxy/hosts.h"

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/str.h"

#include "base/banned.h"

struct host {
	struct hosts *all;
	struct host *next; /* in the bucket */
	uint64_t request;  /* 0: nothing is asked */
	uint64_t until_ms;
	char *addresses; /* NULL: `err` */
	struct err err;
	struct list waiting; /* struct host_wait */
	struct loop_timer timer;
	char name[];
};

void
hosts_open(struct hosts *hosts)
{
	clock_random(&hosts->last_request, sizeof(hosts->last_request));
}

static void
free_host(struct host *host)
{
	struct list_link *link;

	while ((link = list_first(&host->waiting)) != NULL)
		list_remove(link);
	loop_timer_stop(host->all->loop, &host->timer);
	memory_free(host->addresses);
	memory_free(host);
}

void
hosts_close(struct hosts *hosts)
{
	size_t i;

	for (i = 0; i < HOSTS_BUCKETS; i++)
		while (hosts->buckets[i] != NULL) {
			struct host *host = hosts->buckets[i];

			hosts->buckets[i] = host->next;
			free_host(host);
		}
}

static void
tell_all(struct host *host)
{
	struct list_link *link;

	host->request = 0;
	loop_timer_stop(host->all->loop, &host->timer);
	while ((link = list_first(&host->waiting)) != NULL) {
		struct host_wait *wait =
			CONTAINER_OF(link, struct host_wait, in_line);

		list_remove(link);
		wait->over(wait);
	}
}

/* What was known stays known. */
static void
on_late(struct loop_timer *timer)
{
	struct host *host = CONTAINER_OF(timer, struct host, timer);

	err_set(&host->err, ERR_TEMPORARY, "4.4.0",
		"Proxy failed (DNS lookup)");
	err_detail(&host->err, "host %s: lookup does not answer", host->name);
	host->until_ms = loop_now_ms(host->all->loop) + HOSTS_WAIT_MS;
	tell_all(host);
}

static struct host *
get(struct hosts *hosts, const char *name)
{
	struct host **at =
		&hosts->buckets[str_hash_nocase(STR_HASH, str_from(name)) %
				HOSTS_BUCKETS];
	struct host *host;

	for (host = *at; host != NULL; host = host->next)
		if (str_is_nocase(str_from(name), host->name))
			return host;
	host = memory_get(sizeof(*host) + strlen(name) + 1);
	memcpy(host->name, name, strlen(name) + 1);
	host->all = hosts;
	host->timer.fire = on_late;
	list_init(&host->waiting);
	host->next = *at;
	*at = host;
	return host;
}

static void
ask(struct host *host)
{
	struct hosts *hosts = host->all;
	struct wire_resolve question = {.host = host->name};

	if (++hosts->last_request == 0)
		hosts->last_request++;
	host->request = question.request = hosts->last_request;
	loop_timer(hosts->loop, &host->timer,
		loop_now_ms(hosts->loop) + HOSTS_WAIT_MS);
	hosts->ask(hosts, &question);
}

enum lookup
hosts_find(struct hosts *hosts, const char *name, struct host_wait *wait,
	const char **addresses_out, struct err *err)
{
	struct host *host = get(hosts, name);

	if (loop_now_ms(hosts->loop) >= host->until_ms) {
		if (host->request == 0)
			ask(host);
		list_add_last(&host->waiting, &wait->in_line);
		return LOOKUP_NONE;
	}
	*addresses_out = host->addresses;
	if (host->addresses != NULL)
		return LOOKUP_FOUND;
	*err = host->err;
	return LOOKUP_ERROR;
}

void
host_wait_end(struct host_wait *wait)
{
	list_remove(&wait->in_line);
}

static char *
keep_text(const char *text)
{
	char *copy = memory_get(strlen(text) + 1);

	memcpy(copy, text, strlen(text) + 1);
	return copy;
}

void
hosts_resolved(struct hosts *hosts, const struct wire_resolved *answer)
{
	struct host *host = NULL;
	size_t i;

	for (i = 0; i < HOSTS_BUCKETS && host == NULL; i++)
		for (host = hosts->buckets[i]; host != NULL; host = host->next)
			if (host->request == answer->request)
				break;
	if (host == NULL)
		return;
	host->err = answer->err;
	if (host->err.kind != ERR_NONE)
		err_detail(&host->err, "host %s: its address cannot be found",
			host->name);
	if (answer->addresses != NULL) {
		memory_free(host->addresses);
		host->addresses = keep_text(answer->addresses);
	}
	/* A moment at least, in which those that wait can use it. */
	host->until_ms = loop_now_ms(hosts->loop) + answer->good_ms + 1;
	tell_all(host);
}
