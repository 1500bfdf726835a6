/* SPDX-License-Identifier: MIT */
#include "lmtp/front.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/attributes.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/tls.h"
#include "ipc/link.h"
#include "server/certificates.h"
#include "server/confine.h"
#include "server/tlsserver.h"
#include "lmtp/connection.h"
#include "lmtp/counters.h"
#include "lmtp/dispatch.h"
#include "lmtp/listener.h"
#include "lmtp/session.h"
#include "lmtp/spool.h"

#include "base/banned.h"

enum {
	COUNTERS_MS = 1000,      /* at most so often to master */
	STATUS_FAILED = 1,       /* master has gone, or makes no sense */
	OTHER_DESCRIPTORS = 1024 /* workers, listeners, log files */
};

struct front {
	struct child *child;
	struct loop *loop;
	struct arena *frames; /* of received frames */
	struct link master;
	struct spool_budget budget;
	struct counters counters, told;
	struct loop_timer telling; /* counters */
	uint64_t told_ms;
	struct dispatch dispatch;
	struct connections connections;
	struct listeners listeners;
	struct loop_timer stopping; /* shutdown_timeout */
	bool had_single;            /* --stdio: its session has begun */
	int status;
};

/* ---- counters ---- */

static void
send_counters(struct front *front)
{
	const struct counters *counters = &front->counters;
	const struct wire_counter plain[] = {
		{"connections", counters->connections},
		{"connections_total", counters->connections_total},
		{"connections_refused", counters->connections_refused},
		{"transactions", counters->transactions},
		{"bytes", counters->bytes},
		{"recipients_accepted", counters->recipients_accepted},
		{"recipients_refused", counters->recipients_refused},
		{"delivered", counters->delivered},
		{"temporary", counters->temporary},
		{"failed", counters->failed},
		{"memory", counters->memory},
		{"confirmations", counters->confirmations},
		{"refused_unknown", counters->refused_unknown},
		{"refused_quota", counters->refused_quota},
		{"refused_other", counters->refused_other},
		{"discarded", counters->discarded},
		{"script_errors", counters->script_errors},
		{"tls_1_2", counters->tls_1_2},
		{"tls_1_3", counters->tls_1_3},
		{"tls_resumed", counters->tls_resumed},
		{"tls_failed", counters->tls_failed},
		{"tls_memory", counters->tls_memory},
	};
	struct wire_counter list[ARRAY_LENGTH(plain) + HISTOGRAM_COUNTERS_MAX];
	struct wire_counters message = {list, ARRAY_LENGTH(plain)};
	struct frame frame;

	memcpy(list, plain, sizeof(plain));
	histogram_list(counters->phases, list, &message.count);
	frame_begin(&frame, WIRE_COUNTERS);
	wire_counters(&frame, &message);
	link_send(&front->master, &frame);
	front->told = *counters;
	front->told_ms = loop_now_ms(front->loop);
}

static bool
counters_changed(const struct front *front)
{
	return memcmp(&front->counters, &front->told,
		       sizeof(front->counters)) != 0;
}

static void
on_telling(struct loop_timer *timer)
{
	struct front *front = CONTAINER_OF(timer, struct front, telling);

	if (counters_changed(front))
		send_counters(front);
}

static void
see_counters(struct front *front)
{
	front->counters.memory = front->budget.memory_used;
	front->counters.tls_memory = tls_memory();
	if (!loop_timer_is_running(&front->telling) && counters_changed(front))
		loop_timer(front->loop, &front->telling,
			front->told_ms + COUNTERS_MS);
}

/* ---- what master says ---- */

static bool
on_listener(struct front *front, struct frame *frame)
{
	struct wire_listener message = {0};

	wire_listener(frame, &message);
	if (!frame_is_whole(frame) || message.fd < 0) {
		fd_close(&message.fd);
		return false;
	}
	listeners_add(&front->listeners, &message);
	return true;
}

static bool
is_same_file(int a, int b)
{
	struct stat first, second;

	return fstat(a, &first) == 0 && fstat(b, &second) == 0 &&
	       S_ISSOCK(first.st_mode) && first.st_dev == second.st_dev &&
	       first.st_ino == second.st_ino;
}

static bool
on_stdio(struct front *front, struct frame *frame)
{
	struct wire_stdio message = {0};

	wire_stdio(frame, &message);
	if (!frame_is_whole(frame) || message.input < 0 || message.output < 0) {
		fd_close(&message.input);
		fd_close(&message.output);
		return false;
	}
	/* A socket as both is treated as the socket it is. */
	if (is_same_file(message.input, message.output)) {
		fd_close(&message.output);
		message.output = message.input;
	}
	connections_add(&front->connections,
		&(struct connection_start){
			.input = message.input, .output = message.output});
	front->had_single = true;
	return true;
}

/* Clients hear that it was us, before master ends what is left. */
static void
stop_late(struct loop_timer *timer)
{
	struct front *front = CONTAINER_OF(timer, struct front, stopping);

	connections_drain(&front->connections, CONNECTIONS_LATE);
}

static void
begin_stop(struct front *front)
{
	if (front->connections.drain >= CONNECTIONS_STOP)
		return;
	connections_drain(&front->connections, CONNECTIONS_STOP);
	front->stopping.fire = stop_late;
	loop_timer(front->loop, &front->stopping,
		loop_now_ms(front->loop) +
			front->child->settings->shutdown_timeout_ms);
}

static bool
on_drain(struct front *front, struct frame *frame)
{
	struct wire_drain message = {0};

	wire_drain(frame, &message);
	if (!frame_is_whole(frame))
		return false;
	listeners_close(&front->listeners);
	if (message.is_stop)
		begin_stop(front);
	else
		connections_drain(&front->connections, CONNECTIONS_RELOAD);
	return true;
}

static bool
on_ping(struct front *front)
{
	struct frame frame;

	frame_begin(&frame, WIRE_PONG);
	link_send(&front->master, &frame);
	return true;
}

static bool
on_master(struct link *link, struct frame *frame)
{
	struct front *front = CONTAINER_OF(link, struct front, master);

	switch (frame->type) {
	case WIRE_LISTENER:
		return on_listener(front, frame);
	case WIRE_STDIO:
		return on_stdio(front, frame);
	case WIRE_DRAIN:
		return on_drain(front, frame);
	case WIRE_LOGS:
		return child_take_logs(frame);
	case WIRE_PING:
		return on_ping(front);
	default:
		return dispatch_received(&front->dispatch, frame);
	}
}

static void
on_master_broken(struct link *link)
{
	struct front *front = CONTAINER_OF(link, struct front, master);

	front->status = STATUS_FAILED;
	loop_stop(front->loop);
}

/* ---- its life ---- */

static bool
is_finished(const struct front *front)
{
	return front->connections.count == 0 &&
	       (front->connections.drain != CONNECTIONS_SERVE ||
		       (front->child->boot.is_single && front->had_single));
}

static void
after_round(void *context)
{
	struct front *front = context;

	connections_after_round(&front->connections);
	dispatch_after_round(&front->dispatch);
	see_counters(front);
	if (is_finished(front)) {
		send_counters(front);
		loop_stop(front->loop);
	}
}

static void
set_log_prefix(void)
{
	char prefix[32];

	snprintf(prefix, sizeof(prefix), "lmtp(%ld):", (long)clock_pid());
	log_set_prefix(prefix);
}

static void
open_budget(struct front *front)
{
	const struct settings *settings = front->child->settings;

	front->budget.memory_max = settings->lmtp_memory_limit;
	front->budget.message_max = session_message_max(settings);
	spool_budget_open(&front->budget, settings->mail_temp_dir);
}

static void
open_dispatch(struct front *front)
{
	const struct settings *settings = front->child->settings;

	front->dispatch = (struct dispatch){.loop = front->loop,
		.arena = front->frames,
		.delivery_timeout_ms = settings->lmtp_delivery_timeout_ms,
		.login_timeout_ms = settings->lookup_timeout_ms,
		.login_delay_ms = settings->auth_failure_delay_ms,
		.budget = &front->budget,
		.tls_memory_limit = settings->lmtp_tls_memory_limit,
		.counters = &front->counters,
		.master = &front->master,
		.wake = connection_wake};
	dispatch_open(&front->dispatch);
}

static void
open_connections(struct front *front)
{
	const struct settings *settings = front->child->settings;
	const char *hostname = settings->hostname[0] != '\0'
	                               ? settings->hostname
	                               : clock_host();

	front->connections = (struct connections){.loop = front->loop,
		.settings = settings,
		.session = {.settings = settings,
			.budget = &front->budget,
			.events = &dispatch_events,
			.hostname = hostname},
		.dispatch = &front->dispatch,
		.budget = &front->budget,
		.counters = &front->counters};
	rawlogs_open(&front->connections.rawlogs, settings);
	connections_open(&front->connections);
}

static void
open_listeners(struct front *front)
{
	front->listeners =
		(struct listeners){.settings = front->child->settings,
			.connections = &front->connections,
			.counters = &front->counters};
	listeners_open(&front->listeners, front->loop);
}

/* ---- TLS ---- */

/* What is wrong with a certificate must be known before we are ready: then the front
 * of before goes on. */
static int
open_tls(struct front *front, struct err *err)
{
	struct child *child = front->child;
	struct certificates certificates;
	const char *ending;

	if (child->boot.certificates < 0)
		return 0;
	if (certificates_read(child->arena, child->boot.certificates,
		    &certificates, err) < 0)
		return -1;
	fd_close(&child->boot.certificates);
	if (tlsserver_open(child->settings, &certificates,
		    &front->connections.tls, err) < 0)
		return -1;
	ending = tlsserver_ending(child->arena, &certificates);
	if (ending != NULL)
		log_warning("%s", ending);
	return 0;
}

static void
open_master(struct front *front)
{
	front->master.received = on_master;
	front->master.broken = on_master_broken;
	link_open(&front->master, front->loop, front->frames,
		&front->child->master);
}

static void
say_ready(struct front *front)
{
	struct frame frame;

	confine_ready(front->child, &frame);
	link_send(&front->master, &frame);
}

/* A descriptor for each connection, and for each message that is a file. */
static void
raise_descriptor_limit(const struct front *front)
{
	uint64_t wanted = front->child->settings->lmtp_max_connections * 2 +
	                  OTHER_DESCRIPTORS;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_warning("setrlimit: %s", strerror(errno));
	if (limit.rlim_cur < front->child->settings->lmtp_max_connections +
				     OTHER_DESCRIPTORS)
		log_warning("lmtp_max_connections is %llu, but the limit of "
			    "open files only %llu",
			(unsigned long long)
				front->child->settings->lmtp_max_connections,
			(unsigned long long)limit.rlim_cur);
}

static int
begin(struct front *front)
{
	struct err err;

	set_log_prefix();
	raise_descriptor_limit(front);
	/* Writing to a client that has gone is an error, not the end. */
	signal(SIGPIPE, SIG_IGN);
	if (loop_open(&front->loop) < 0) {
		log_error("epoll_create: %s", strerror(errno));
		return -1;
	}
	front->frames = arena_open();
	front->telling.fire = on_telling;
	open_budget(front);
	open_master(front);
	open_dispatch(front);
	open_connections(front);
	open_listeners(front);
	if (open_tls(front, &err) < 0) {
		log_error("%s", err_log_text(&err));
		return -1;
	}
	loop_after_round(front->loop, after_round, front);
	if (confine(front->child, NULL, 0, &err) == 0)
		return 0;
	log_error("%s", err_log_text(&err));
	return -1;
}

/* The channel to master is left open: master takes its end for ours, and would not
 * wait for our exit status. */
static void
end(struct front *front)
{
	listeners_close(&front->listeners);
	connections_close(&front->connections);
	rawlogs_close(&front->connections.rawlogs);
	tls_server_close(&front->connections.tls);
	dispatch_close(&front->dispatch);
	link_detach(&front->master, &front->child->master);
	arena_close(&front->frames);
	loop_close(&front->loop);
	spool_budget_close(&front->budget);
}

int
front_main(struct child *child)
{
	struct front front = {.child = child};

	if (begin(&front) < 0)
		return STATUS_FAILED;
	say_ready(&front);
	loop_run(front.loop);
	end(&front);
	return front.status;
}
