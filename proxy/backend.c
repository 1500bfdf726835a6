/* SPDX-License-Identifier: MIT */
#include "proxy/backend.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/memory.h"

#include "base/banned.h"

#define UPSTREAM_OF(link) CONTAINER_OF(link, struct upstream, in_pool)
#define ERRAND_OF(link) CONTAINER_OF(link, struct errand, in_line)

/* ---- which backend ---- */

/* -1: that is no address. */
static int
parse_address(const char *text, uint32_t port, struct sockaddr_storage *out,
	socklen_t *length_out)
{
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)out;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)out;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)port);
		*length_out = sizeof(*in);
		return 0;
	}
	if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons((uint16_t)port);
		*length_out = sizeof(*in6);
		return 0;
	}
	return -1;
}

/* All that makes connections different. */
static void
put_key(struct buf *key, const struct route *route, const char *addresses,
	uint32_t port)
{
	buf_add_format(key, "%s %u %d %d %d %d %d %s %s",
		addresses != NULL ? route->host : route->ip, (unsigned)port,
		(int)route->protocol, (int)route->tls, route->any_cert,
		route->no_pipelining, route->not_trusted,
		route->source_ip != NULL ? route->source_ip : "-",
		route->tls != ROUTE_TLS_NONE ? route->host : "-");
}

static struct backend **
bucket_of(struct backends *backends, struct str key)
{
	return &backends->buckets[str_hash(STR_HASH, key) % BACKENDS_BUCKETS];
}

static struct backend *
find(struct backends *backends, struct str key)
{
	struct backend *backend = *bucket_of(backends, key);

	while (backend != NULL && !str_equal(backend->key_text, key))
		backend = backend->next;
	return backend;
}

static char *
keep_text(struct str text)
{
	char *copy = memory_get(text.len + 1);

	if (text.len > 0)
		memcpy(copy, text.data, text.len);
	return copy;
}

/* Of those lines that can be reached from source_ip. */
static int
set_addresses(struct backend *backend, struct str lines, uint32_t port,
	struct err *err)
{
	const struct upstream_target *target = &backend->target;
	struct str rest = lines, line;

	backend->address_count = backend->address_at = 0;
	while (backend->address_count < BACKEND_ADDRESSES_MAX &&
		str_next_field(&rest, '\n', &line)) {
		struct backend_address *address =
			&backend->addresses[backend->address_count];
		char text[INET6_ADDRSTRLEN];

		snprintf(text, sizeof(text), "%.*s", STR_ARG(line));
		if (parse_address(text, port, &address->address,
			    &address->length) == 0 &&
			(target->source_length == 0 ||
				target->source.ss_family ==
					address->address.ss_family))
			backend->address_count++;
	}
	if (backend->address_count > 0)
		return 0;
	return err_temp(err, "4.3.5", "%s has no address that can be reached%s",
		backend->host,
		target->source_length > 0 ? " from source_ip" : "");
}

/* Where a name is now. */
static int
renew_addresses(struct backend *backend, const char *lines, uint32_t port,
	struct err *err)
{
	if (lines == NULL ||
		(backend->lines != NULL && strcmp(backend->lines, lines) == 0))
		return 0;
	memory_free(backend->lines);
	backend->lines = keep_text(str_from(lines));
	return set_addresses(backend, str_from(lines), port, err);
}

static int
set_target(struct backend *backend, const struct route *route,
	const char *addresses, uint32_t port, struct err *err)
{
	struct upstream_target *target = &backend->target;

	if (route->source_ip != NULL &&
		parse_address(route->source_ip, 0, &target->source,
			&target->source_length) < 0)
		return err_temp(err, "4.3.5", "source_ip %s is no address",
			route->source_ip);
	if (set_addresses(backend,
		    str_from(addresses != NULL ? addresses : route->ip), port,
		    err) < 0)
		return -1;
	target->host = backend->host;
	target->protocol = route->protocol;
	target->tls = route->tls;
	target->no_pipelining = route->no_pipelining;
	if (route->tls != ROUTE_TLS_NONE)
		target->trust = route->any_cert ? backend->all->lax
		                                : backend->all->strict;
	return 0;
}

static void
backend_free(struct backend *backend)
{
	memory_free(backend->key);
	memory_free(backend->name);
	memory_free(backend->host);
	memory_free(backend->lines);
	memory_free(backend);
}

static struct backend *
add(struct backends *backends, const struct route *route, const char *addresses,
	uint32_t port, struct str key, struct err *err)
{
	struct backend *backend = memory_get(sizeof(*backend));
	const char *where = addresses != NULL ? route->host : route->ip;
	char name[ROUTE_HOST_MAX + 16];

	snprintf(name, sizeof(name), strchr(where, ':') ? "[%s]:%u" : "%s:%u",
		where, (unsigned)port);
	backend->all = backends;
	backend->key = keep_text(key);
	backend->key_text = str_of(backend->key, key.len);
	backend->name = keep_text(str_from(name));
	backend->host = keep_text(str_from(route->host));
	list_init(&backend->idle);
	list_init(&backend->busy);
	list_init(&backend->waiting);
	if (set_target(backend, route, addresses, port, err) < 0) {
		backend_free(backend);
		return NULL;
	}
	backend->next = *bucket_of(backends, key);
	*bucket_of(backends, key) = backend;
	return backend;
}

int
backends_find(struct backends *backends, const struct route *route,
	const char *addresses, uint32_t came_in_on,
	struct backend **backend_out, struct err *err)
{
	uint32_t port = route_port(route, came_in_on);
	struct buf key;

	if (route->ip == NULL && addresses == NULL)
		return err_temp(err, "4.3.5", "%s is no address", route->host);
	buf_init(&key, BUF_UNLIMITED);
	put_key(&key, route, addresses, port);
	*backend_out = find(backends, buf_view(&key));
	if (*backend_out == NULL)
		*backend_out = add(
			backends, route, addresses, port, buf_view(&key), err);
	buf_clear(&key);
	if (*backend_out == NULL)
		return -1;
	return renew_addresses(*backend_out, addresses, port, err);
}

/* ---- connections ---- */

static void serve_next(struct backend *backend);

static struct backend *
backend_of(struct upstream *upstream)
{
	return upstream->owner;
}

static void
close_upstream(struct upstream *upstream)
{
	struct backend *backend = backend_of(upstream);

	list_remove(&upstream->in_pool);
	loop_timer_stop(upstream->loop, &upstream->idle_timer);
	upstream_close(upstream);
	backend->connections--;
	backend->all->connections--;
	memory_free(upstream);
}

static void
begin(struct errand *errand, struct upstream *upstream)
{
	errand->is_begun = true;
	upstream->transactions++;
	upstream->session = errand->session;
	errand->begin(errand);
}

static void
assign(struct errand *errand, struct upstream *upstream)
{
	struct backend *backend = backend_of(upstream);

	errand->upstream = upstream;
	errand->is_begun = false;
	upstream->user = errand;
	upstream->timeout_ms = errand->timeout_ms;
	loop_timer_stop(backend->all->loop, &errand->timer);
	list_remove(&errand->in_line);
	list_remove(&upstream->in_pool);
	list_add_last(&backend->busy, &upstream->in_pool);
	if (upstream->client.is_ready)
		begin(errand, upstream);
}

static void
say_good_bye(struct upstream *upstream)
{
	client_quit(&upstream->client);
	upstream_flush(upstream);
	close_upstream(upstream);
}

static bool
is_worn_out(const struct upstream *upstream)
{
	const struct backend *backend = upstream->owner;
	const struct settings *settings = backend->all->settings;
	uint64_t most = settings->lmtp_proxy_max_transactions;

	return backend->all->is_draining ||
	       (most > 0 && upstream->transactions >= most);
}

static void
on_idle(struct loop_timer *timer)
{
	struct upstream *upstream =
		CONTAINER_OF(timer, struct upstream, idle_timer);
	struct backend *backend = backend_of(upstream);

	say_good_bye(upstream);
	serve_next(backend);
}

/* Not within a call of its own. */
static void
become_idle(struct upstream *upstream)
{
	struct backend *backend = backend_of(upstream);
	struct backends *all = backend->all;

	upstream->user = NULL;
	list_remove(&upstream->in_pool);
	if (!list_is_empty(&backend->waiting) && !is_worn_out(upstream) &&
		upstream_is_quiet(upstream)) {
		list_add_first(&backend->idle, &upstream->in_pool);
		assign(ERRAND_OF(list_first(&backend->waiting)), upstream);
		return;
	}
	list_add_first(&backend->idle, &upstream->in_pool);
	loop_timer(all->loop, &upstream->idle_timer,
		is_worn_out(upstream)
			? 0
			: loop_now_ms(all->loop) +
				  all->settings->lmtp_proxy_idle_timeout_ms);
}

static void
hear(struct backend *backend, bool is_good)
{
	if (backend->all->heard != NULL)
		backend->all->heard(backend->all, backend, is_good);
}

static void
on_ready(struct upstream *upstream)
{
	struct errand *errand = upstream->user;

	hear(backend_of(upstream), true);
	if (errand != NULL && !errand->is_begun)
		begin(errand, upstream);
	else if (errand == NULL)
		become_idle(upstream);
}

static void
on_rcpt(struct upstream *upstream, void *recipient,
	const struct backend_reply *reply)
{
	struct errand *errand = upstream->user;

	if (errand != NULL)
		errand->rcpt(errand, recipient, reply);
}

static void
on_result(struct upstream *upstream, void *recipient,
	const struct backend_reply *reply)
{
	struct errand *errand = upstream->user;

	if (errand != NULL)
		errand->result(errand, recipient, reply);
}

/* It had been idle, and nothing was answered. */
static bool
was_dead(const struct upstream *upstream, const struct errand *errand)
{
	return errand->is_begun && upstream->transactions > 1 &&
	       !upstream->client.has_answered && !errand->is_second;
}

static void open_upstream(struct backend *backend, struct errand *errand);

/* The next address of the name, unless another connection has found that out
 * already. */
static bool
may_try_next(struct backend *backend, const struct upstream *upstream,
	struct errand *errand)
{
	if (upstream->has_connected ||
		errand->tries + 1 >= backend->address_count)
		return false;
	errand->tries++;
	if (backend->address_at == upstream->address)
		backend->address_at =
			(backend->address_at + 1) % backend->address_count;
	return true;
}

static void
on_gone(struct upstream *upstream, const char *words, const char *detail)
{
	struct backend *backend = backend_of(upstream);
	struct errand *errand = upstream->user;
	bool is_dead = errand != NULL && was_dead(upstream, errand);
	bool has_next =
		errand != NULL && may_try_next(backend, upstream, errand);
	char text[512];

	snprintf(text, sizeof(text), "%s", detail);
	close_upstream(upstream);
	if (errand != NULL) {
		errand->upstream = NULL;
		if (is_dead || has_next) {
			errand->is_second |= is_dead;
			open_upstream(backend, errand);
			return;
		}
		backend->counters.failures++;
		hear(backend, false);
		errand->backend = NULL;
		errand->lost(errand, words, text);
	}
	serve_next(backend);
}

static void
open_upstream(struct backend *backend, struct errand *errand)
{
	struct upstream *upstream = memory_get(sizeof(*upstream));

	upstream->loop = backend->all->loop;
	upstream->name = backend->all->name;
	upstream->address = backend->address_at;
	backend->target.address = backend->addresses[upstream->address].address;
	backend->target.length = backend->addresses[upstream->address].length;
	/* Each of its addresses has a share of the time. */
	upstream->timeout_ms = errand->timeout_ms;
	if (errand->tries + 1 < backend->address_count)
		upstream->timeout_ms /= backend->address_count - errand->tries;
	upstream->ready = on_ready;
	upstream->rcpt = on_rcpt;
	upstream->result = on_result;
	upstream->gone = on_gone;
	upstream->idle_timer.fire = on_idle;
	upstream->owner = backend;
	backend->connections++;
	backend->all->connections++;
	backend->counters.connections_total++;
	list_add_last(&backend->busy, &upstream->in_pool);
	upstream_open(upstream, &backend->target);
	assign(errand, upstream);
}

/* ---- errands ---- */

/* The one that its session had last, as nothing has to be told anew there, or the
 * one that was used last. */
static struct upstream *
find_idle(const struct backend *backend, uint32_t session)
{
	struct upstream *chosen = NULL;
	struct list_link *link;

	for (link = list_first(&backend->idle); link != NULL;
		link = list_next(&backend->idle, link)) {
		struct upstream *upstream = UPSTREAM_OF(link);

		if (upstream->state == UPSTREAM_GONE || is_worn_out(upstream))
			continue;
		if (upstream->session == session)
			return upstream;
		if (chosen == NULL)
			chosen = upstream;
	}
	return chosen;
}

/* What is not quiet is not found again. */
static struct upstream *
choose(const struct backend *backend, uint32_t session)
{
	struct upstream *upstream;

	do
		upstream = find_idle(backend, session);
	while (upstream != NULL && !upstream_is_quiet(upstream));
	return upstream;
}

static void
on_late(struct loop_timer *timer)
{
	struct errand *errand = CONTAINER_OF(timer, struct errand, timer);

	list_remove(&errand->in_line);
	errand->backend = NULL;
	errand->lost(errand, "timed out",
		"all connections to the backend are in use");
}

static void
wait_in_line(struct backend *backend, struct errand *errand)
{
	struct loop *loop = backend->all->loop;

	backend->counters.waits++;
	list_add_last(&backend->waiting, &errand->in_line);
	errand->timer.fire = on_late;
	loop_timer(
		loop, &errand->timer, loop_now_ms(loop) + errand->timeout_ms);
}

static bool
has_room(const struct backend *backend)
{
	return backend->connections <
	       backend->all->settings->lmtp_proxy_connections;
}

void
backend_want(struct backend *backend, struct errand *errand)
{
	struct upstream *upstream = choose(backend, errand->session);

	errand->backend = backend;
	errand->is_second = false;
	errand->tries = 0;
	if (upstream != NULL) {
		loop_timer_stop(backend->all->loop, &upstream->idle_timer);
		assign(errand, upstream);
	} else if (has_room(backend)) {
		open_upstream(backend, errand);
	} else {
		wait_in_line(backend, errand);
	}
}

void
backend_probe(struct backend *backend, struct errand *errand)
{
	errand->backend = backend;
	errand->is_second = false;
	errand->tries = 0;
	open_upstream(backend, errand);
}

static void
serve_next(struct backend *backend)
{
	struct list_link *link;

	while ((link = list_first(&backend->waiting)) != NULL &&
		has_room(backend)) {
		list_remove(link);
		loop_timer_stop(backend->all->loop, &ERRAND_OF(link)->timer);
		open_upstream(backend, ERRAND_OF(link));
	}
}

/* What is left of it is read by nobody.  The connection can be used again when
 * the backend has answered all. */
static void
give_back(struct upstream *upstream, bool is_begun)
{
	struct backend *backend = backend_of(upstream);

	upstream->user = NULL;
	if (upstream->state == UPSTREAM_GONE) {
		/* Its end is on its way. */
	} else if (upstream->client.is_ready) {
		become_idle(upstream);
	} else if (!is_begun) {
		/* It becomes idle when it is there. */
	} else if (upstream->client.is_body_done) {
		/* The same: what was sent cannot be taken back. */
	} else if (client_reset(&upstream->client)) {
		upstream_flush(upstream);
	} else {
		close_upstream(upstream);
		serve_next(backend);
	}
}

void
errand_end(struct errand *errand)
{
	struct backend *backend = errand->backend;
	struct upstream *upstream = errand->upstream;

	if (backend == NULL)
		return;
	errand->backend = NULL;
	errand->upstream = NULL;
	list_remove(&errand->in_line);
	loop_timer_stop(backend->all->loop, &errand->timer);
	if (upstream != NULL)
		give_back(upstream, errand->is_begun);
}

/* ---- the life of all ---- */

static struct tls_client *
open_trust(const struct settings *settings, bool verify)
{
	const struct tls_client_settings wanted = {
		.ca_file = settings->ssl_client_ca_file,
		.ca_dir = settings->ssl_client_ca_dir,
		.verify = verify};
	struct tls_client *client;
	struct err err;

	if (tls_client_open(&wanted, &client, &err) == 0)
		return client;
	log_error("%s", err_log_text(&err));
	return NULL;
}

void
backends_open(struct backends *backends)
{
	const struct settings *settings = backends->settings;

	backends->strict =
		open_trust(settings, settings->ssl_client_require_valid_cert);
	backends->lax = open_trust(settings, false);
}

static void
close_all(struct list *list)
{
	struct list_link *link;

	while ((link = list_first(list)) != NULL)
		say_good_bye(UPSTREAM_OF(link));
}

void
backend_rest(struct backend *backend)
{
	close_all(&backend->idle);
}

static void
backend_close(struct backend *backend)
{
	close_all(&backend->idle);
	close_all(&backend->busy);
	backend_free(backend);
}

/* No errand is left. */
void
backends_close(struct backends *backends)
{
	size_t i;

	for (i = 0; i < BACKENDS_BUCKETS; i++)
		while (backends->buckets[i] != NULL) {
			struct backend *backend = backends->buckets[i];

			backends->buckets[i] = backend->next;
			backend_close(backend);
		}
	tls_client_close(&backends->strict);
	tls_client_close(&backends->lax);
}

void
backends_drain(struct backends *backends)
{
	size_t i;
	struct backend *backend;

	backends->is_draining = true;
	for (i = 0; i < BACKENDS_BUCKETS; i++)
		for (backend = backends->buckets[i]; backend != NULL;
			backend = backend->next)
			close_all(&backend->idle);
}
