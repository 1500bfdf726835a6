/* SPDX-License-Identifier: MIT */
#include "proxy/proxy.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/attributes.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/loop.h"
#include "ipc/link.h"
#include "server/confine.h"
#include "server/proxywire.h"
#include "proxy/backend.h"
#include "proxy/places.h"
#include "proxy/status.h"
#include "proxy/transaction.h"

#include "base/banned.h"

enum {
	COUNTERS_MS = 1000, /* at most so often to master */
	/* Master keeps 256 counters of those that have ended. */
	BACKENDS_COUNTED = 30,
	COUNTERS_OF_BACKEND = 8,
	STATUS_FAILED = 1 /* master has gone, or makes no sense */
};

struct proxy {
	struct child *child;
	struct loop *loop;
	struct arena *frames; /* of received frames */
	struct link master, front;
	struct backends backends;
	struct places places;
	struct memory memory;
	struct transactions transactions;
	struct loop_timer telling; /* counters */
	uint64_t told;             /* a sum of them */
	bool is_draining;
	int status;
};

/* ---- counters ---- */

static uint64_t
sum_of(const struct proxy *proxy)
{
	const struct transactions *all = &proxy->transactions;

	return all->delivered + all->temporary + all->failed + all->refused +
	       proxy->backends.connections * 1000003 +
	       proxy->places.changes * 1000000007;
}

static void
send_status(struct proxy *proxy)
{
	struct arena *arena = arena_open();
	struct wire_proxy_status status = {
		.json = status_text(arena, &proxy->places)};
	struct frame frame;

	frame_begin(&frame, WIRE_PROXY_STATUS);
	wire_proxy_status(&frame, &status);
	link_send(&proxy->master, &frame);
	arena_close(&arena);
}

/* "10.0.0.1:24/delivered": server/metrics.c makes a label of what is in front. */
static void
count_backend(struct arena *arena, const struct backend *backend,
	struct wire_counters *message)
{
	const struct backend_counters *counters = &backend->counters;
	const struct wire_counter list[COUNTERS_OF_BACKEND] = {
		{"connections", backend->connections},
		{"connections_total", counters->connections_total},
		{"failures", counters->failures},
		{"delivered", counters->delivered},
		{"temporary", counters->temporary},
		{"failed", counters->failed},
		{"answers", counters->answers},
		{"answers_us", counters->answers_us},
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(list); i++)
		message->counters[message->count++] = (struct wire_counter){
			arena_format(
				arena, "%s/%s", backend->name, list[i].name),
			list[i].value};
}

static void
count_backends(const struct proxy *proxy, struct arena *arena,
	struct wire_counters *message)
{
	const struct backend *backend;
	size_t i, left = BACKENDS_COUNTED;

	for (i = 0; i < BACKENDS_BUCKETS; i++)
		for (backend = proxy->backends.buckets[i];
			backend != NULL && left > 0; backend = backend->next) {
			count_backend(arena, backend, message);
			left--;
		}
}

static void
send_counters(struct proxy *proxy)
{
	const struct transactions *all = &proxy->transactions;
	const struct wire_counter own[] = {
		{"connections", proxy->backends.connections},
		{"delivered", all->delivered},
		{"temporary", all->temporary},
		{"failed", all->failed},
		{"recipients_refused", all->refused},
	};
	struct arena *arena = arena_open();
	struct wire_counters message = {.count = ARRAY_LENGTH(own)};
	struct frame frame;

	message.counters = ARENA_ARRAY(arena, struct wire_counter,
		ARRAY_LENGTH(own) + BACKENDS_COUNTED * COUNTERS_OF_BACKEND);
	memcpy(message.counters, own, sizeof(own));
	count_backends(proxy, arena, &message);
	frame_begin(&frame, WIRE_COUNTERS);
	wire_counters(&frame, &message);
	link_send(&proxy->master, &frame);
	arena_close(&arena);
	proxy->told = sum_of(proxy);
	send_status(proxy);
}

static void
on_telling(struct loop_timer *timer)
{
	struct proxy *proxy = CONTAINER_OF(timer, struct proxy, telling);

	if (proxy->told != sum_of(proxy))
		send_counters(proxy);
}

/* ---- the front ---- */

static bool
on_front(struct link *link, struct frame *frame)
{
	struct proxy *proxy = CONTAINER_OF(link, struct proxy, front);

	return transactions_received(&proxy->transactions, frame);
}

/* Its clients have lost their connections: what was not yet taken by a backend is
 * not delivered. */
static void
leave_front(struct proxy *proxy)
{
	if (!link_is_open(&proxy->front))
		return;
	transactions_close(&proxy->transactions);
	link_close(&proxy->front);
}

static void
on_front_broken(struct link *link)
{
	leave_front(CONTAINER_OF(link, struct proxy, front));
}

static bool
on_link(struct proxy *proxy, struct frame *frame)
{
	struct wire_proxy_link message = {.fd = -1};
	struct channel channel;

	wire_proxy_link(frame, &message);
	if (!frame_is_whole(frame) || message.fd < 0) {
		fd_close(&message.fd);
		return false;
	}
	leave_front(proxy);
	proxy->front.received = on_front;
	proxy->front.broken = on_front_broken;
	channel_open(&channel, message.fd, false);
	link_open(&proxy->front, proxy->loop, proxy->frames, &channel);
	return true;
}

/* ---- backends ---- */

static void
on_heard(struct backends *backends, struct backend *backend, bool is_good)
{
	struct proxy *proxy = CONTAINER_OF(backends, struct proxy, backends);

	places_heard(&proxy->places, backend, is_good);
}

/* By way of master. */
static void
ask_lookup(struct hosts *hosts, struct wire_resolve *question)
{
	struct proxy *proxy = CONTAINER_OF(hosts, struct proxy, places.hosts);
	struct frame frame;

	frame_begin(&frame, WIRE_RESOLVE);
	wire_resolve(&frame, question);
	link_send(&proxy->master, &frame);
}

/* What the admin wants.  One of whom no group knows waits for a reload. */
static bool
on_wish(struct proxy *proxy, struct frame *frame)
{
	struct wire_proxy_wish wish;
	struct err err;

	wire_proxy_wish(frame, &wish);
	if (!frame_is_whole(frame) || wish.name == NULL || wish.value == NULL)
		return false;
	switch (wish.kind) {
	case WIRE_WISH_MOVE:
		if (places_move(&proxy->places, wish.name, wish.value, &err) <
			0)
			log_error("%s", err_log_text(&err));
		break;
	case WIRE_WISH_DRAIN:
		places_drain(&proxy->places, wish.name, wish.value[0] != '\0');
		break;
	}
	return true;
}

static bool
on_resolved(struct proxy *proxy, struct frame *frame)
{
	struct wire_resolved answer;

	wire_resolved(frame, &answer);
	if (!frame_is_whole(frame))
		return false;
	hosts_resolved(&proxy->places.hosts, &answer);
	return true;
}

/* ---- what master says ---- */

static bool
on_ping(struct proxy *proxy)
{
	struct frame frame;

	frame_begin(&frame, WIRE_PONG);
	link_send(&proxy->master, &frame);
	return true;
}

static bool
on_drain(struct proxy *proxy)
{
	proxy->is_draining = true;
	backends_drain(&proxy->backends);
	return true;
}

static bool
on_master(struct link *link, struct frame *frame)
{
	struct proxy *proxy = CONTAINER_OF(link, struct proxy, master);

	switch (frame->type) {
	case WIRE_PROXY_LINK:
		return on_link(proxy, frame);
	case WIRE_PROXY_ROUTE:
		return transactions_route(&proxy->transactions, frame);
	case WIRE_PROXY_WISH:
		return on_wish(proxy, frame);
	case WIRE_RESOLVED:
		return on_resolved(proxy, frame);
	case WIRE_DRAIN:
		return on_drain(proxy);
	case WIRE_LOGS:
		return child_take_logs(frame);
	case WIRE_PING:
		return on_ping(proxy);
	default:
		return false;
	}
}

static void
on_master_broken(struct link *link)
{
	struct proxy *proxy = CONTAINER_OF(link, struct proxy, master);

	proxy->status = STATUS_FAILED;
	loop_stop(proxy->loop);
}

/* ---- its life ---- */

/* Master drains it when its front has ended. */
static void
after_round(void *context)
{
	struct proxy *proxy = context;

	if (proxy->is_draining && !link_is_open(&proxy->front)) {
		send_counters(proxy);
		loop_stop(proxy->loop);
		return;
	}
	if (!loop_timer_is_running(&proxy->telling) &&
		proxy->told != sum_of(proxy))
		loop_timer(proxy->loop, &proxy->telling,
			loop_now_ms(proxy->loop) + COUNTERS_MS);
}

static void
open_parts(struct proxy *proxy)
{
	const struct settings *settings = proxy->child->settings;

	proxy->frames = arena_open();
	proxy->telling.fire = on_telling;
	proxy->master.received = on_master;
	proxy->master.broken = on_master_broken;
	link_open(&proxy->master, proxy->loop, proxy->frames,
		&proxy->child->master);
	proxy->backends.loop = proxy->loop;
	proxy->backends.settings = settings;
	proxy->backends.name = settings->hostname[0] != '\0'
	                               ? settings->hostname
	                               : clock_host();
	proxy->backends.heard = on_heard;
	backends_open(&proxy->backends);
	proxy->places.loop = proxy->loop;
	proxy->places.settings = settings;
	proxy->places.backends = &proxy->backends;
	proxy->places.hosts.ask = ask_lookup;
	places_open(&proxy->places);
	proxy->memory.loop = proxy->loop;
	proxy->memory.arena = proxy->frames;
	if (!proxy->child->boot.has_no_memory)
		proxy->memory.path = proxy->child->boot.state;
	memory_open(&proxy->memory);
	proxy->transactions.loop = proxy->loop;
	proxy->transactions.settings = settings;
	proxy->transactions.places = &proxy->places;
	proxy->transactions.front = &proxy->front;
	proxy->transactions.memory = &proxy->memory;
	transactions_open(&proxy->transactions);
}

static int
begin(struct proxy *proxy)
{
	struct frame frame;
	struct err err;

	/* Writing to a backend that has gone is an error, not the end. */
	signal(SIGPIPE, SIG_IGN);
	if (loop_open(&proxy->loop) < 0) {
		log_error("epoll_create: %s", strerror(errno));
		return -1;
	}
	open_parts(proxy);
	loop_after_round(proxy->loop, after_round, proxy);
	if (confine(proxy->child, NULL, 0, &err) < 0) {
		log_error("%s", err_log_text(&err));
		return -1;
	}
	confine_ready(proxy->child, &frame);
	link_send(&proxy->master, &frame);
	send_status(proxy);
	return 0;
}

/* The channel to master is left open, as the front's is. */
static void
end(struct proxy *proxy)
{
	leave_front(proxy);
	transactions_close(&proxy->transactions);
	memory_close(&proxy->memory);
	places_close(&proxy->places);
	backends_close(&proxy->backends);
	link_detach(&proxy->master, &proxy->child->master);
	arena_close(&proxy->frames);
	loop_close(&proxy->loop);
}

int
proxy_main(struct child *child)
{
	struct proxy proxy = {.child = child};

	if (begin(&proxy) < 0)
		return STATUS_FAILED;
	loop_run(proxy.loop);
	end(&proxy);
	return proxy.status;
}
