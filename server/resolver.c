/* SPDX-License-Identifier: MIT */
#include "server/resolver.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/list.h"
#include "base/memory.h"

#include "base/banned.h"

enum {
	LINES_MAX = RESOLVER_ADDRESSES_MAX * (INET6_ADDRSTRLEN + 1),
	BUCKETS = 1024
};

/* A name.  The thread that asks for it owns `found` and `fault` meanwhile. */
struct name {
	struct list_link link; /* in a list of the desk */
	struct name *next;     /* in the bucket */
	bool is_asked;         /* waiting, or in a thread's hands, or done */
	const char *fault;
	char found[LINES_MAX];

	bool has_addresses;
	char addresses[LINES_MAX];
	uint64_t until_ms, stale_until_ms;
	struct err err; /* of the last question, where it failed */
	char host[];
};

#define NAME_OF(link_) CONTAINER_OF(link_, struct name, link)

/* What the process and its threads share.  A thread may be the last to leave. */
struct desk {
	pthread_mutex_t mutex;
	pthread_cond_t more;
	resolver_find *find;
	struct list waiting, done;
	size_t waiting_count;
	int fds[2]; /* a pipe: a byte for each result */
	unsigned holders;
	bool is_closed;
};

struct resolver {
	struct desk *desk;
	uint64_t keep_ms;
	unsigned threads;
	size_t asked; /* that have no result yet */
	struct name *names[BUCKETS];
	size_t count;
};

const char *
resolver_by_system(const char *host, char *lines, size_t size)
{
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL, *item;
	int error = getaddrinfo(host, NULL, &hints, &list);
	size_t used = 0, count = 0;

	lines[0] = '\0';
	if (error != 0)
		return gai_strerror(error);
	for (item = list; item != NULL; item = item->ai_next) {
		char text[INET6_ADDRSTRLEN];

		if (count == RESOLVER_ADDRESSES_MAX ||
			getnameinfo(item->ai_addr, item->ai_addrlen, text,
				sizeof(text), NULL, 0, NI_NUMERICHOST) != 0 ||
			used + strlen(text) + 2 > size)
			continue;
		used += (size_t)snprintf(
			lines + used, size - used, "%s\n", text);
		count++;
	}
	freeaddrinfo(list);
	return NULL;
}

/* ---- threads ----------------------------------------------------------- */

/* With the mutex, which it gives back. */
static void
leave(struct desk *desk)
{
	bool is_last = --desk->holders == 0;

	pthread_mutex_unlock(&desk->mutex);
	if (!is_last)
		return;
	pthread_mutex_destroy(&desk->mutex);
	pthread_cond_destroy(&desk->more);
	fd_close(&desk->fds[0]);
	fd_close(&desk->fds[1]);
	memory_free(desk);
}

/* With the mutex; NULL: it is to end. */
static struct name *
next_name(struct desk *desk)
{
	while (!desk->is_closed) {
		struct list_link *link = list_first(&desk->waiting);

		if (link != NULL) {
			list_remove(link);
			desk->waiting_count--;
			return NAME_OF(link);
		}
		pthread_cond_wait(&desk->more, &desk->mutex);
	}
	return NULL;
}

/* The pipe has room for a byte of each thread and name. */
static void *
work(void *argument)
{
	struct desk *desk = argument;
	struct name *name;

	pthread_mutex_lock(&desk->mutex);
	while ((name = next_name(desk)) != NULL) {
		pthread_mutex_unlock(&desk->mutex);
		name->fault = desk->find(
			name->host, name->found, sizeof(name->found));
		pthread_mutex_lock(&desk->mutex);
		if (desk->is_closed) {
			memory_free(name);
			break;
		}
		list_add_last(&desk->done, &name->link);
		(void)!write(desk->fds[1], "", 1);
	}
	leave(desk);
	return NULL;
}

/* Signals are not its to take; nobody waits for its end. */
static int
start_thread(struct desk *desk)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	pthread_t thread;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_mutex_lock(&desk->mutex);
	error = pthread_create(&thread, &attributes, work, desk);
	if (error == 0)
		desk->holders++;
	pthread_mutex_unlock(&desk->mutex);
	pthread_attr_destroy(&attributes);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

/* ---- the process ------------------------------------------------------- */

int
resolver_open(struct resolver **resolver_out, resolver_find *find,
	uint64_t keep_ms, struct err *err)
{
	struct desk *desk = memory_get(sizeof(*desk));
	struct resolver *resolver;

	if (pipe2(desk->fds, O_CLOEXEC | O_NONBLOCK) < 0) {
		memory_free(desk);
		return err_temp_errno(err, "4.3.0", "pipe2");
	}
	pthread_mutex_init(&desk->mutex, NULL);
	pthread_cond_init(&desk->more, NULL);
	list_init(&desk->waiting);
	list_init(&desk->done);
	desk->find = find;
	desk->holders = 1;
	resolver = memory_get(sizeof(*resolver));
	resolver->desk = desk;
	resolver->keep_ms = keep_ms;
	*resolver_out = resolver;
	return 0;
}

int
resolver_fd(const struct resolver *resolver)
{
	return resolver->desk->fds[0];
}

static struct name **
find_name(struct resolver *resolver, const char *host)
{
	struct name **at =
		&resolver->names[str_hash_nocase(STR_HASH, str_from(host)) %
				 BUCKETS];

	while (*at != NULL && !str_is_nocase(str_from(host), (*at)->host))
		at = &(*at)->next;
	return at;
}

/* Makes room: what is not asked for just now. */
static void
forget_names(struct resolver *resolver)
{
	size_t i;

	for (i = 0; i < BUCKETS; i++) {
		struct name **at = &resolver->names[i];

		while (*at != NULL) {
			struct name *name = *at;

			if (name->is_asked) {
				at = &name->next;
				continue;
			}
			*at = name->next;
			memory_free(name);
			resolver->count--;
		}
	}
}

static struct name *
add_name(struct resolver *resolver, const char *host)
{
	struct name *name, **at;

	if (resolver->count >= RESOLVER_NAMES_MAX)
		forget_names(resolver);
	at = find_name(resolver, host);
	name = memory_get(sizeof(*name) + strlen(host) + 1);
	memcpy(name->host, host, strlen(host) + 1);
	*at = name;
	resolver->count++;
	return name;
}

static int
ask_threads(struct resolver *resolver, struct name *name, struct err *err)
{
	struct desk *desk = resolver->desk;
	int error = 0;
	bool is_full;

	if (resolver->threads < RESOLVER_THREADS &&
		resolver->threads <= resolver->asked) {
		error = start_thread(desk);
		resolver->threads += error == 0;
	}
	if (resolver->threads == 0)
		return err_temp(err, "4.3.0", "there can be no thread: %s",
			strerror(error));
	pthread_mutex_lock(&desk->mutex);
	is_full = desk->waiting_count >= RESOLVER_WAITING_MAX;
	if (!is_full) {
		name->is_asked = true;
		list_add_last(&desk->waiting, &name->link);
		desk->waiting_count++;
		resolver->asked++;
		pthread_cond_signal(&desk->more);
	}
	pthread_mutex_unlock(&desk->mutex);
	return is_full ? err_temp(err, "4.3.2", "%d host names wait",
				 RESOLVER_WAITING_MAX)
	               : 0;
}

static void
tell(const struct name *name, uint64_t now_ms, struct resolver_answer *answer)
{
	*answer = (struct resolver_answer){.host = name->host,
		.addresses = name->has_addresses ? name->addresses : NULL,
		.good_ms =
			name->until_ms > now_ms ? name->until_ms - now_ms : 0,
		.err = name->err};
	if (name->has_addresses)
		err_clear(&answer->err);
}

enum lookup
resolver_ask(struct resolver *resolver, const char *host, uint64_t now_ms,
	struct resolver_answer *answer_out, struct err *err)
{
	struct name *name = *find_name(resolver, host);

	if (name == NULL)
		name = add_name(resolver, host);
	if (name->until_ms > now_ms) {
		tell(name, now_ms, answer_out);
		return LOOKUP_FOUND;
	}
	if (!name->is_asked && ask_threads(resolver, name, err) < 0)
		return LOOKUP_ERROR;
	return LOOKUP_NONE;
}

/* What a thread has found becomes what is known. */
static void
keep(struct resolver *resolver, struct name *name, uint64_t now_ms)
{
	const char *fault = name->fault;

	if (fault == NULL && name->found[0] == '\0')
		fault = "has no address";
	if (fault == NULL) {
		memcpy(name->addresses, name->found, sizeof(name->addresses));
		name->has_addresses = true;
		name->until_ms = now_ms + resolver->keep_ms;
		name->stale_until_ms = name->until_ms + RESOLVER_STALE_MS;
		return;
	}
	name->until_ms = now_ms + RESOLVER_FAILURE_MS;
	if (name->stale_until_ms <= now_ms)
		name->has_addresses = false;
	err_set(&name->err, ERR_TEMPORARY, "4.4.0",
		"Proxy failed (DNS lookup)");
	err_detail(&name->err, "host %s: %s", name->host, fault);
}

enum lookup
resolver_take(struct resolver *resolver, uint64_t now_ms,
	struct resolver_answer *answer_out)
{
	struct desk *desk = resolver->desk;
	struct list_link *link;
	struct name *name;
	char byte;

	pthread_mutex_lock(&desk->mutex);
	link = list_first(&desk->done);
	if (link != NULL) {
		list_remove(link);
		(void)!read(desk->fds[0], &byte, 1);
	}
	pthread_mutex_unlock(&desk->mutex);
	if (link == NULL)
		return LOOKUP_NONE;
	name = NAME_OF(link);
	name->is_asked = false;
	resolver->asked--;
	keep(resolver, name, now_ms);
	tell(name, now_ms, answer_out);
	return LOOKUP_FOUND;
}

static void
release_list(struct list *list)
{
	struct list_link *link;

	while ((link = list_first(list)) != NULL) {
		list_remove(link);
		NAME_OF(link)->is_asked = false;
	}
}

/* Names in a thread's hands are freed by it. */
void
resolver_close(struct resolver **resolver)
{
	struct resolver *ended = *resolver;
	struct desk *desk;

	if (ended == NULL)
		return;
	desk = ended->desk;
	pthread_mutex_lock(&desk->mutex);
	desk->is_closed = true;
	release_list(&desk->waiting);
	release_list(&desk->done);
	pthread_cond_broadcast(&desk->more);
	leave(desk);
	forget_names(ended);
	memory_free(ended);
	*resolver = NULL;
}
