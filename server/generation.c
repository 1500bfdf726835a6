/* SPDX-License-Identifier: MIT */
#include "server/generation.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "deliver/recipient.h"
#include "server/certificates.h"
#include "server/child.h"
#include "server/confine.h"
#include "server/parts.h"

#include "base/banned.h"

static struct loop *
loop_of(const struct generation *generation)
{
	return generation->host->processes->loop;
}

/* Who asks for mail to be handed over, each with a message. */
enum { MAILER_DESCRIPTORS = 10000 };

/* ---- BOOT ---- */

static const unsigned kind_bits[] = {
	[WIRE_KIND_FRONT] = CONF_KIND_FRONT,
	[WIRE_KIND_LOOKUP] = CONF_KIND_LOOKUP,
	[WIRE_KIND_STATE] = CONF_KIND_STATE,
	[WIRE_KIND_WORKER] = CONF_KIND_WORKER,
	[WIRE_KIND_MAILER] = CONF_KIND_MAILER,
	[WIRE_KIND_POLICY] = CONF_KIND_POLICY,
	[WIRE_KIND_PROXY] = CONF_KIND_PROXY,
};

/* Nobody can change it any more: the next child must read what this one did. */
static int
seal(int fd, struct err *err)
{
	if (fcntl(fd, F_ADD_SEALS,
		    F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) <
		0)
		return err_temp_errno(err, "4.3.0", "cannot seal a file");
	return 0;
}

int
generation_config(const struct settings *settings, enum wire_kind kind,
	int *fd_out, struct err *err)
{
	struct arena *arena = arena_open();
	struct buf text;
	int fd = memfd_create("settings", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int result;

	buf_init(&text, CONF_TOTAL_BYTES_MAX);
	conf_dump_kind(arena, settings, kind_bits[kind], &text);
	if (fd < 0 || fd_write(fd, buf_view(&text)) < 0)
		result = err_temp_errno(
			err, "4.3.0", "cannot write settings for children");
	else
		result = seal(fd, err);
	buf_clear(&text);
	arena_close(&arena);
	if (result < 0)
		fd_close(&fd);
	*fd_out = fd;
	return result;
}

void
generation_boot(struct process *process, const struct wire_boot *from)
{
	struct wire_boot boot = *from;
	struct frame frame;

	boot.kind = process->kind;
	if (process->kind != WIRE_KIND_FRONT)
		boot.certificates = -1;
	log_descriptors(boot.logs);
	frame_begin(&frame, WIRE_BOOT);
	wire_boot(&frame, &boot);
	process_send(process, &frame);
}

/* ---- for people ---- */

void
process_list_add(struct process_list *list, const struct process *process,
	uint32_t generation, const char *state, uint64_t jobs)
{
	if (list->count == list->size) {
		list->size = list->size > 0 ? list->size * 2 : 64;
		list->items = arena_grow(list->arena, list->items,
			sizeof(*list->items), list->count, list->size);
	}
	list->items[list->count++] =
		(struct control_process){.kind = child_kind_name(process->kind),
			.pid = process->pid,
			.uid = process->uid,
			.generation = generation,
			.state = state,
			.jobs = jobs,
			.since_s = process->since_s,
			.confinement = process->confinement,
			.counters = process->counters.counters,
			.counter_count = process->counters.count};
}

static void
list_keeper(const struct keeper *keeper, struct process_list *list)
{
	const struct process *process = &keeper->process;

	if (!process_is_running(process))
		return;
	process_list_add(list, process, keeper->generation->number,
		process->is_draining ? "draining"
		: process->is_ready  ? "running"
				     : "starting",
		0);
}

void
generation_list(const struct generation *generation, struct process_list *list)
{
	list_keeper(&generation->front, list);
	list_keeper(&generation->policy, list);
	list_keeper(&generation->lookup, list);
	list_keeper(&generation->mailer, list);
	list_keeper(&generation->proxy, list);
	workers_list(generation, list);
	runners_list(generation, list);
}

/* ---- the front ---- */

static void
send_listeners(struct generation *generation, struct process *process)
{
	bool is_policy = process->kind == WIRE_KIND_POLICY;
	const struct listeners *listeners = generation->listeners;
	size_t i;

	for (i = 0; listeners != NULL && i < listeners->count; i++) {
		const struct listener *from = &listeners->items[i];
		struct wire_listener listener = {.fd = from->fd,
			.name = from->name,
			.is_inet = from->is_inet,
			.ssl = from->ssl,
			.haproxy = from->haproxy,
			.peers = from->peers,
			.peer_count = from->peer_count,
			.is_trusted = from->is_trusted};
		struct frame frame;

		if (from->is_policy != is_policy)
			continue;
		frame_begin(&frame, WIRE_LISTENER);
		wire_listener(&frame, &listener);
		process_send(process, &frame);
	}
}

static void
send_stdio(struct generation *generation)
{
	struct wire_stdio stdio = {.input = generation->host->input,
		.output = generation->host->output};
	struct frame frame;

	if (!generation->host->is_single)
		return;
	frame_begin(&frame, WIRE_STDIO);
	wire_stdio(&frame, &stdio);
	process_send(&generation->front.process, &frame);
}

static void
front_received(struct process *process, struct frame *frame)
{
	struct generation *generation =
		CONTAINER_OF(process, struct generation, front.process);

	switch (frame->type) {
	case WIRE_RCPT:
		rcpt_ask(generation, process, frame);
		break;
	case WIRE_LOGIN:
		login_ask(generation, frame);
		break;
	case WIRE_START:
		workers_start(generation, frame);
		break;
	case WIRE_RELEASE:
		rcpt_release(generation, frame);
		break;
	case WIRE_START_CANCEL:
		workers_cancel(generation, frame);
		break;
	case WIRE_READY:
		generation_check_ready(generation);
		break;
	default:
		process_breach(process, frame);
		break;
	}
}

static void
finish(struct generation *generation)
{
	process_drain(&generation->lookup.process, true);
	process_drain(&generation->proxy.process, true);
	workers_drain(generation);
	generation_check_end(generation);
}

void
generation_keeper_failed(struct keeper *keeper)
{
	struct generation *generation = keeper->generation;

	loop_timer(loop_of(generation), &keeper->timer,
		loop_now_ms(loop_of(generation)) +
			process_restart_ms(
				&keeper->process, &keeper->failures));
}

static void
generation_fail(struct generation *generation)
{
	generation->has_failed = true;
	generation_kill(generation);
	generation_check_end(generation);
}

/* Any but the front. */
void
generation_keeper_ended(struct keeper *keeper)
{
	struct generation *generation = keeper->generation;

	if (generation->state == GENERATION_STARTING)
		generation_fail(generation);
	else if (!keeper->process.is_draining && !generation->is_killed)
		generation_keeper_failed(keeper);
	generation_check_end(generation);
}

int
generation_launch(struct generation *generation, struct process *process,
	const struct spawn_order *order, struct err *err)
{
	const struct generation_host *host = generation->host;

	if (process_start(host->processes, process, order, err) < 0)
		return -1;
	generation_boot(process,
		&(struct wire_boot){.generation = generation->number,
			.config = generation->config_fds[order->kind],
			.certificates = generation->certificates,
			.root = order->changes_root ? host->run_as->root : NULL,
			.state = order->kind == WIRE_KIND_PROXY ? host->state
	                                                        : NULL,
			.has_no_memory = host->has_no_memory,
			.is_single = host->is_single});
	return 0;
}

static void
begin_running(struct generation *generation)
{
	loop_timer_stop(loop_of(generation), &generation->start_timer);
	generation->state = GENERATION_RUNNING;
	if (generation->kept != NULL)
		pool_group_keep(&generation->pool, generation->kept,
			generation->pool.least);
	workers_pump(generation);
	generation->host->ready(generation->host, generation);
}

static void
front_ended(struct process *process)
{
	struct generation *generation =
		CONTAINER_OF(process, struct generation, front.process);

	rcpt_front_gone(generation);
	workers_front_gone(generation);
	switch (generation->state) {
	case GENERATION_STARTING:
		if (!generation->host->is_single || !process->is_ready) {
			generation_fail(generation);
			break;
		}
		/* A short session is over before the others are ready. */
		begin_running(generation);
		generation->state = GENERATION_DRAINING;
		finish(generation);
		break;
	case GENERATION_RUNNING:
		if (!generation->host->is_single) {
			generation_keeper_failed(&generation->front);
			break;
		}
		generation->state = GENERATION_DRAINING;
		finish(generation);
		break;
	case GENERATION_DRAINING:
		finish(generation);
		break;
	case GENERATION_ENDED:
		break;
	}
}

/* Sockets of clients, channels of workers, and some more. */
static uint64_t
front_descriptors(const struct generation *generation)
{
	return generation->settings->lmtp_max_connections +
	       generation->pool.limit * 2 + 64;
}

static int
front_start(struct generation *generation, struct err *err)
{
	struct process *process = &generation->front.process;
	const struct run_as *run_as = generation->host->run_as;
	const struct spawn_order order = {.kind = WIRE_KIND_FRONT,
		.identity = run_as->is_root ? &run_as->login : NULL,
		/* Each client may have a long message in a file. */
		.descriptors = front_descriptors(generation) +
	                       generation->settings->lmtp_max_connections,
		.descriptors_least = front_descriptors(generation),
		.changes_root = run_as->root != NULL,
		.gains_nothing = true};

	/* One session may be stopped by whoever called it. */
	process->answer_ms = generation->host->is_single
	                             ? 0
	                             : generation->settings->lookup_timeout_ms;
	process->received = front_received;
	process->ended = front_ended;
	if (generation_launch(generation, process, &order, err) < 0)
		return -1;
	send_listeners(generation, process);
	send_stdio(generation);
	generation->host->front_started(generation->host, generation);
	workers_link(generation);
	routes_link(generation);
	return 0;
}

/* ---- policy ---- */

/* Clients (policy/client.h), listeners, and some more. */
enum { POLICY_DESCRIPTORS = 16 * 1024 + 64 };

static bool
wants_policy(const struct generation *generation)
{
	const struct listeners *listeners = generation->listeners;
	size_t i;

	for (i = 0; listeners != NULL && i < listeners->count; i++)
		if (listeners->items[i].is_policy)
			return true;
	return false;
}

static void
policy_received(struct process *process, struct frame *frame)
{
	struct generation *generation =
		CONTAINER_OF(process, struct generation, policy.process);

	switch (frame->type) {
	case WIRE_RCPT:
		rcpt_ask(generation, process, frame);
		break;
	case WIRE_READY:
		generation_check_ready(generation);
		break;
	default:
		process_breach(process, frame);
		break;
	}
}

/* Nobody's mail depends on it. */
static void
policy_ended(struct process *process)
{
	struct generation *generation =
		CONTAINER_OF(process, struct generation, policy.process);

	generation->policy_number++;
	generation_keeper_ended(&generation->policy);
}

static int
policy_start(struct generation *generation, struct err *err)
{
	struct process *process = &generation->policy.process;
	const struct run_as *run_as = generation->host->run_as;
	const struct spawn_order order = {.kind = WIRE_KIND_POLICY,
		.identity = run_as->is_root ? &run_as->login : NULL,
		.descriptors = POLICY_DESCRIPTORS,
		.changes_root = run_as->root != NULL,
		.gains_nothing = true};

	process->answer_ms = generation->settings->lookup_timeout_ms;
	process->received = policy_received;
	process->ended = policy_ended;
	if (generation_launch(generation, process, &order, err) < 0)
		return -1;
	send_listeners(generation, process);
	return 0;
}

/* ---- lookup ---- */

static void
lookup_received(struct process *process, struct frame *frame)
{
	struct generation *generation =
		CONTAINER_OF(process, struct generation, lookup.process);

	switch (frame->type) {
	case WIRE_RECORD:
		rcpt_record(generation, frame);
		break;
	case WIRE_RESOLVED:
		routes_resolved(generation, frame);
		break;
	case WIRE_LOGGED_IN:
		login_answer(generation, frame);
		break;
	case WIRE_READY:
		generation_check_ready(generation);
		break;
	default:
		process_breach(process, frame);
		break;
	}
}

static void
lookup_ended(struct process *process)
{
	struct generation *generation =
		CONTAINER_OF(process, struct generation, lookup.process);

	rcpt_lookup_gone(generation, "lookup has died");
	generation_keeper_ended(&generation->lookup);
}

static int
lookup_start(struct generation *generation, struct err *err)
{
	struct process *process = &generation->lookup.process;
	const struct run_as *run_as = generation->host->run_as;
	const struct spawn_order order = {.kind = WIRE_KIND_LOOKUP,
		.identity = run_as->is_root ? &run_as->internal : NULL,
		.gains_nothing = true};

	process->received = lookup_received;
	process->ended = lookup_ended;
	if (generation_launch(generation, process, &order, err) < 0)
		return -1;
	return 0;
}

/* ---- the mailer ---- */

static void
mailer_received(struct process *process, struct frame *frame)
{
	struct generation *generation =
		CONTAINER_OF(process, struct generation, mailer.process);

	if (frame->type != WIRE_READY) {
		process_breach(process, frame);
		return;
	}
	generation->host->mailer_started(generation->host, generation);
	generation_check_ready(generation);
}

static void
mailer_ended(struct process *process)
{
	struct generation *generation =
		CONTAINER_OF(process, struct generation, mailer.process);

	generation_keeper_ended(&generation->mailer);
}

void
generation_send_mailer_socket(struct generation *generation)
{
	struct wire_listener listener = {
		.fd = generation->host->mailer_listener, .name = "mailer"};
	struct frame frame;

	if (listener.fd < 0 ||
		!process_is_running(&generation->mailer.process) ||
		generation->mailer.process.is_draining)
		return;
	frame_begin(&frame, WIRE_LISTENER);
	wire_listener(&frame, &listener);
	process_send(&generation->mailer.process, &frame);
}

static int
mailer_start(struct generation *generation, struct err *err)
{
	struct process *process = &generation->mailer.process;
	const struct run_as *run_as = generation->host->run_as;
	const struct spawn_order order = {.kind = WIRE_KIND_MAILER,
		.identity = run_as->is_root ? &run_as->mailer : NULL,
		.descriptors = MAILER_DESCRIPTORS,
		.gains_nothing = !confine_keeps_rights(
			WIRE_KIND_MAILER, generation->settings)};

	process->answer_ms = generation->host->is_single
	                             ? 0
	                             : generation->settings->lookup_timeout_ms;
	process->received = mailer_received;
	process->ended = mailer_ended;
	if (generation_launch(generation, process, &order, err) < 0)
		return -1;
	generation_send_mailer_socket(generation);
	/* It was drained before it died. */
	if (generation->state == GENERATION_DRAINING)
		process_drain(process, false);
	return 0;
}

/* ---- again ---- */

static void
restart(struct keeper *keeper,
	int (*start)(struct generation *generation, struct err *err))
{
	struct err err;

	if (keeper->generation->is_killed)
		return;
	if (start(keeper->generation, &err) == 0)
		return;
	log_error("%s", err_log_text(&err));
	generation_keeper_failed(keeper);
}

static void
restart_front(struct loop_timer *timer)
{
	struct generation *generation =
		CONTAINER_OF(timer, struct generation, front.timer);

	if (generation->state == GENERATION_RUNNING)
		restart(&generation->front, front_start);
}

static void
restart_policy(struct loop_timer *timer)
{
	struct generation *generation =
		CONTAINER_OF(timer, struct generation, policy.timer);

	if (generation->state == GENERATION_RUNNING)
		restart(&generation->policy, policy_start);
}

/* Sessions of a draining generation still ask. */
static void
restart_lookup(struct loop_timer *timer)
{
	restart(&CONTAINER_OF(timer, struct generation, lookup.timer)->lookup,
		lookup_start);
}

static void
restart_mailer(struct loop_timer *timer)
{
	struct generation *generation =
		CONTAINER_OF(timer, struct generation, mailer.timer);

	if (generation->state == GENERATION_RUNNING ||
		!list_is_empty(&generation->workers))
		restart(&generation->mailer, mailer_start);
}

/* ---- the generation ---- */

void
generation_check_ready(struct generation *generation)
{
	if (generation->state != GENERATION_STARTING ||
		!generation->front.process.is_ready ||
		(wants_policy(generation) &&
			!generation->policy.process.is_ready) ||
		!generation->lookup.process.is_ready ||
		!generation->mailer.process.is_ready ||
		!routes_is_ready(generation))
		return;
	begin_running(generation);
}

static void
stop_timers(struct generation *generation)
{
	struct loop *loop = loop_of(generation);

	loop_timer_stop(loop, &generation->start_timer);
	loop_timer_stop(loop, &generation->front.timer);
	loop_timer_stop(loop, &generation->policy.timer);
	loop_timer_stop(loop, &generation->lookup.timer);
	loop_timer_stop(loop, &generation->mailer.timer);
	loop_timer_stop(loop, &generation->proxy.timer);
	loop_timer_stop(loop, &generation->lookup_timer);
	loop_timer_stop(loop, &generation->pool_timer);
}

void
generation_check_end(struct generation *generation)
{
	if (generation->state == GENERATION_ENDED ||
		(generation->state != GENERATION_DRAINING &&
			!generation->is_killed) ||
		process_is_running(&generation->front.process) ||
		process_is_running(&generation->policy.process) ||
		process_is_running(&generation->lookup.process) ||
		process_is_running(&generation->proxy.process) ||
		!list_is_empty(&generation->workers) ||
		!list_is_empty(&generation->runners))
		return;
	/* It goes last: workers have mail until their end, and after a reload
	 * there may be notices that cannot leave yet. */
	if (process_is_running(&generation->mailer.process)) {
		process_drain(
			&generation->mailer.process, generation->is_stopping);
		return;
	}
	generation->state = GENERATION_ENDED;
	stop_timers(generation);
	generation->host->ended(generation->host, generation);
}

static void
start_late(struct loop_timer *timer)
{
	struct generation *generation =
		CONTAINER_OF(timer, struct generation, start_timer);

	log_error("the new processes are not ready in time");
	generation_fail(generation);
}

void
generation_drain(struct generation *generation, bool is_stop)
{
	if (generation->state == GENERATION_STARTING) {
		generation_fail(generation);
		return;
	}
	if (generation->state == GENERATION_ENDED)
		return;
	generation->state = GENERATION_DRAINING;
	generation->is_stopping |= is_stop;
	loop_timer_stop(loop_of(generation), &generation->front.timer);
	loop_timer_stop(loop_of(generation), &generation->policy.timer);
	process_drain(&generation->policy.process, is_stop);
	/* Who has not asked yet asks the new one's. */
	if (!is_stop)
		process_drain(&generation->mailer.process, false);
	if (process_is_running(&generation->front.process))
		process_drain(&generation->front.process, is_stop);
	else
		finish(generation);
}

void
generation_kill(struct generation *generation)
{
	generation->is_killed = true;
	process_kill(&generation->front.process, NULL);
	process_kill(&generation->policy.process, NULL);
	process_kill(&generation->lookup.process, NULL);
	process_kill(&generation->mailer.process, NULL);
	process_kill(&generation->proxy.process, NULL);
	workers_kill(generation);
	runners_kill(generation);
	generation_check_end(generation);
}

static const struct conf_service *
find_service(const struct settings *settings)
{
	size_t i;

	for (i = 0; i < settings->service_count; i++)
		if (strcmp(settings->services[i].name, "lmtp") == 0)
			return &settings->services[i];
	return NULL;
}

/* As a user there is one identity: whoever we are. */
static void
find_home(struct generation *generation)
{
	const struct identity self = {.uid = geteuid(), .gid = getegid()};

	if (generation->host->run_as->is_root)
		return;
	generation->home = pool_group_take(&generation->pool, &self);
}

/* Whose workers can be started before anybody is known.  Lookup will say what is
 * wrong with mail_uid, if anything is. */
static void
find_kept(struct generation *generation)
{
	struct arena *arena;
	struct identity identity;
	struct err err;

	generation->kept = generation->home;
	if (generation->home != NULL || generation->pool.least == 0)
		return;
	arena = arena_open();
	if (recipient_common_identity(arena, generation->settings, &identity,
		    &err) == LOOKUP_FOUND)
		generation->kept =
			pool_group_take(&generation->pool, &identity);
	arena_close(&arena);
}

static int
make_configs(struct generation *generation, struct err *err)
{
	static const enum wire_kind kinds[] = {WIRE_KIND_FRONT,
		WIRE_KIND_LOOKUP, WIRE_KIND_WORKER, WIRE_KIND_MAILER,
		WIRE_KIND_POLICY, WIRE_KIND_PROXY};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(generation->config_fds); i++)
		generation->config_fds[i] = -1;
	generation->certificates = -1;
	for (i = 0; i < ARRAY_LENGTH(kinds); i++)
		if (generation_config(generation->settings, kinds[i],
			    &generation->config_fds[kinds[i]], err) < 0)
			return -1;
	if (generation->host->is_single)
		return 0;
	return certificates_write(
		generation->settings, &generation->certificates, err);
}

static void
set_timers(struct generation *generation)
{
	generation->start_timer.fire = start_late;
	generation->lookup_timer.fire = rcpt_lookup_late;
	generation->front.timer.fire = restart_front;
	generation->policy.timer.fire = restart_policy;
	generation->lookup.timer.fire = restart_lookup;
	generation->mailer.timer.fire = restart_mailer;
	generation->proxy.timer.fire = routes_again;
	generation->front.generation = generation;
	generation->policy.generation = generation;
	generation->lookup.generation = generation;
	generation->mailer.generation = generation;
	generation->proxy.generation = generation;
}

static int
start(struct generation *generation, struct err *err)
{
	if (make_configs(generation, err) < 0 ||
		lookup_start(generation, err) < 0)
		return -1;
	/* From here on it ends by the usual way. */
	if (mailer_start(generation, err) < 0 ||
		(wants_policy(generation) &&
			policy_start(generation, err) < 0) ||
		routes_start(generation, err) < 0 ||
		front_start(generation, err) < 0) {
		log_error("%s", err_log_text(err));
		generation_fail(generation);
		return 0;
	}
	loop_timer(loop_of(generation), &generation->start_timer,
		loop_now_ms(loop_of(generation)) + GENERATION_START_MS);
	return 0;
}

int
generation_open(struct generation_host *host, uint32_t number,
	const struct settings *settings, const struct listeners *listeners,
	struct generation **generation_out, struct err *err)
{
	struct generation *generation = memory_get(sizeof(*generation));

	generation->host = host;
	generation->number = number;
	generation->settings = settings;
	generation->listeners = listeners;
	generation->service = find_service(settings);
	list_init(&generation->questions);
	tickets_init(&generation->tickets, TICKETS_BYTES_MAX);
	concurrency_init(&generation->concurrency);
	set_timers(generation);
	list_init(&generation->runners);
	workers_open(generation);
	find_home(generation);
	find_kept(generation);
	*generation_out = generation;
	if (start(generation, err) == 0)
		return 0;
	generation_close(generation_out);
	return -1;
}

void
generation_close(struct generation **generation_in)
{
	struct generation *generation = *generation_in;
	size_t i;

	if (generation == NULL)
		return;
	*generation_in = NULL;
	stop_timers(generation);
	rcpt_lookup_gone(generation, "the server ends");
	rcpt_front_gone(generation);
	workers_close(generation);
	for (i = 0; i < ARRAY_LENGTH(generation->config_fds); i++)
		fd_close(&generation->config_fds[i]);
	fd_close(&generation->certificates);
	memory_free(generation->proxy_status);
	memory_free(generation);
}
