/* SPDX-License-Identifier: MIT */
#include "policy/policy.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/attributes.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/loop.h"
#include "ipc/link.h"
#include "server/confine.h"
#include "server/door.h"
#include "policy/client.h"

#include "base/banned.h"

enum {
	COUNTERS_MS = 1000, /* at most so often to master */
	STATUS_FAILED = 1   /* master has gone, or makes no sense */
};

struct policy {
	struct child *child;
	struct loop *loop;
	struct arena *frames; /* of received frames */
	struct link master;
	struct clients clients;
	struct doors doors;
	struct loop_timer telling; /* counters */
	uint64_t told_requests;
	size_t told_count;
	int status;
};

/* ---- counters ---- */

static void
send_counters(struct policy *policy)
{
	const struct clients *clients = &policy->clients;
	struct wire_counter list[] = {
		{"connections", clients->count},
		{"connections_total", clients->total},
		{"requests", clients->requests},
		{"questions", clients->questions},
		{"refused", clients->refused},
	};
	struct wire_counters message = {list, ARRAY_LENGTH(list)};
	struct frame frame;

	frame_begin(&frame, WIRE_COUNTERS);
	wire_counters(&frame, &message);
	link_send(&policy->master, &frame);
	policy->told_requests = clients->requests;
	policy->told_count = clients->count;
}

static bool
counters_changed(const struct policy *policy)
{
	return policy->told_requests != policy->clients.requests ||
	       policy->told_count != policy->clients.count;
}

static void
on_telling(struct loop_timer *timer)
{
	struct policy *policy = CONTAINER_OF(timer, struct policy, telling);

	if (counters_changed(policy))
		send_counters(policy);
}

/* ---- who comes in ---- */

/* NULL: it may come in. */
static const char *
find_objection(const struct policy *policy, const struct door *door, int fd,
	const struct sockaddr_storage *address)
{
	if (!door->about.is_inet)
		return door_admits_user(door, fd)
		               ? NULL
		               : "its user is not in peer_users";
	return door_admits_address(address,
		       &policy->child->settings->quota_status_allowed_networks)
	               ? NULL
	               : "not in quota_status_allowed_networks";
}

static void
on_client(struct doors *doors, const struct door *door, int fd,
	const struct sockaddr_storage *address)
{
	struct policy *policy = CONTAINER_OF(doors, struct policy, doors);
	const char *objection = find_objection(policy, door, fd, address);

	if (objection != NULL) {
		log_info("%s: refused: %s", door->about.name, objection);
		fd_close(&fd);
		return;
	}
	clients_add(&policy->clients, fd);
	doors_hold(doors, clients_are_full(&policy->clients));
}

/* ---- what master says ---- */

static bool
on_listener(struct policy *policy, struct frame *frame)
{
	struct wire_listener message = {0};

	wire_listener(frame, &message);
	if (!frame_is_whole(frame) || message.fd < 0) {
		fd_close(&message.fd);
		return false;
	}
	doors_add(&policy->doors, &message);
	return true;
}

static bool
on_ping(struct policy *policy)
{
	struct frame frame;

	frame_begin(&frame, WIRE_PONG);
	link_send(&policy->master, &frame);
	return true;
}

/* Postfix comes again when its connection closes. */
static bool
on_drain(struct policy *policy)
{
	doors_close(&policy->doors);
	clients_drain(&policy->clients);
	return true;
}

static bool
on_master(struct link *link, struct frame *frame)
{
	struct policy *policy = CONTAINER_OF(link, struct policy, master);

	switch (frame->type) {
	case WIRE_LISTENER:
		return on_listener(policy, frame);
	case WIRE_RCPT_ANSWER:
		return clients_answer(&policy->clients, frame);
	case WIRE_DRAIN:
		return on_drain(policy);
	case WIRE_LOGS:
		return child_take_logs(frame);
	case WIRE_PING:
		return on_ping(policy);
	default:
		return false;
	}
}

static void
on_master_broken(struct link *link)
{
	struct policy *policy = CONTAINER_OF(link, struct policy, master);

	policy->status = STATUS_FAILED;
	loop_stop(policy->loop);
}

/* ---- its life ---- */

static void
after_round(void *context)
{
	struct policy *policy = context;

	if (policy->clients.is_draining) {
		if (policy->clients.count == 0)
			loop_stop(policy->loop);
	} else {
		doors_hold(&policy->doors, clients_are_full(&policy->clients));
	}
	if (!loop_timer_is_running(&policy->telling) &&
		counters_changed(policy))
		loop_timer(policy->loop, &policy->telling,
			loop_now_ms(policy->loop) + COUNTERS_MS);
}

static void
open_parts(struct policy *policy)
{
	struct child *child = policy->child;

	policy->frames = arena_open();
	policy->telling.fire = on_telling;
	policy->master.received = on_master;
	policy->master.broken = on_master_broken;
	link_open(
		&policy->master, policy->loop, policy->frames, &child->master);
	policy->clients.loop = policy->loop;
	policy->clients.settings = child->settings;
	policy->clients.master = &policy->master;
	clients_open(&policy->clients);
	policy->doors.came = on_client;
	doors_open(&policy->doors, policy->loop);
}

static int
begin(struct policy *policy)
{
	struct frame frame;
	struct err err;

	/* Writing to a client that has gone is an error, not the end. */
	signal(SIGPIPE, SIG_IGN);
	if (loop_open(&policy->loop) < 0) {
		log_error("epoll_create: %s", strerror(errno));
		return -1;
	}
	open_parts(policy);
	loop_after_round(policy->loop, after_round, policy);
	if (confine(policy->child, NULL, 0, &err) < 0) {
		log_error("%s", err_log_text(&err));
		return -1;
	}
	confine_ready(policy->child, &frame);
	link_send(&policy->master, &frame);
	return 0;
}

/* The channel to master is left open, as the front's is. */
static void
end(struct policy *policy)
{
	doors_close(&policy->doors);
	clients_close(&policy->clients);
	link_detach(&policy->master, &policy->child->master);
	arena_close(&policy->frames);
	loop_close(&policy->loop);
}

int
policy_main(struct child *child)
{
	struct policy policy = {.child = child};

	if (begin(&policy) < 0)
		return STATUS_FAILED;
	loop_run(policy.loop);
	end(&policy);
	return policy.status;
}
