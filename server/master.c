/* SPDX-License-Identifier: MIT */
#include "server/master.h"

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/encode.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/list.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/memory.h"
#include "base/sandbox.h"
#include "ipc/channel.h"
#include "server/child.h"
#include "server/generation.h"
#include "server/control.h"
#include "server/listen.h"
#include "server/mailsocket.h"
#include "server/notify.h"
#include "server/passed.h"
#include "server/process.h"
#include "server/run_as.h"
#include "server/run_files.h"
#include "server/spawn.h"
#include "server/state.h"
#include "server/wishes.h"

#include "base/banned.h"

enum {
	/* Out of the way of 0 to 3, which children get. */
	KEPT_FD_LEAST = 10,
	/* Workers, and LDAs that come by themselves. */
	STATE_DESCRIPTORS = 4096,
	/* What the children of a master that was killed may take to end. */
	ORPHANS_WAIT_MS = 3000,
	ORPHANS_PAUSE_MS = 20,
	/* Generations that end their sessions after reloads; beyond them the
	 * oldest has shutdown_timeout, as at a stop. */
	OLD_GENERATIONS_MAX = 8,
	/* Beyond shutdown_timeout, for the front's to its clients. */
	LAST_WORDS_MS = 2000
};

/* One reading of the configuration, and what came of it. */
struct edition {
	struct list_link in_all;
	struct arena *arena;
	const struct settings *settings;
	struct listeners *listeners; /* NULL: handed on to a later edition */
	struct generation *generation;
	struct loop *loop;
	struct loop_timer end_timer;
	bool is_ending; /* one of too many old ones */
};

struct state_keeper {
	struct process process;
	struct loop_timer timer;
	unsigned failures;
	int listener; /* base_dir/state; -1: there is none of ours */
	dev_t device; /* where its path led when it was made */
	ino_t inode;
	int config;
	const char *path;
	bool is_others; /* another server's is used */
	bool is_done;   /* it has ended and will not be started again */
};

struct master {
	const struct master_options *options;
	struct arena *arena;
	const char *state_dir; /* of the first edition; state keeps it */
	const char *progress;  /* what could not be done, for the last line */
	int terminal;          /* where the admin reads, until we are ready */
	int starter;           /* tells who called us; -1: nobody waits */
	int status;
	struct loop *loop;
	struct spawner spawner;
	struct processes processes;
	struct run_as run_as;
	struct {
		const char *base_dir, *state_dir, *login_user, *internal_user;
		const char *mailer_user, *mailer_socket;
	} fixed; /* settings of the start */
	struct generation_host host;
	struct state_keeper state;
	struct mailsocket mailers;
	struct list editions;
	struct edition *current; /* takes new connections */
	struct edition *next;    /* about to */
	uint32_t last_generation;
	bool is_running; /* was ready once */
	bool is_stopping;
	struct loop_timer stop_timer;
	struct loop_watch signals;
	int signal_fd;
	struct notify notify;
	struct loop_timer watchdog_timer;
	struct passed passed;
	struct run_files files;
	uint64_t orphans_until_ms; /* of the last server; 0: there are none */
	struct control control;
	struct wishes wishes;
	bool has_wishes; /* state has told them */
	enum run_state run_state;
	uint64_t since_s;
	uint32_t reloads;
	char reload_error[256]; /* of the last one */
};

#define EDITION_OF(link) CONTAINER_OF(link, struct edition, in_all)

static bool
is_single(const struct master *master)
{
	return master->options->input >= 0;
}

/* ---- what the admin is told ---- */

/* One line where the program was called. */
static void tell(const struct master *master, const char *format, ...)
	PRINTF_LIKE(2, 3);
static void
tell(const struct master *master, const char *format, ...)
{
	char text[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	dprintf(master->terminal, "doorstep-lmtpd: %s\n", text);
}

static void
tell_starter(struct master *master, int status)
{
	unsigned char byte = (unsigned char)status;

	if (master->starter < 0)
		return;
	if (fd_write(master->starter, str_of((char *)&byte, 1)) < 0)
		log_warning("whoever started the server has gone");
	fd_close(&master->starter);
}

static void
stop(struct master *master, int status)
{
	master->status = status;
	loop_stop(master->loop);
}

/* ---- what others can find out ---- */

/* A process' counter; 0: it has not told any. */
static uint64_t
counter_of(const struct process *process, const char *name)
{
	size_t i;

	for (i = 0; i < process->counters.count; i++)
		if (strcmp(process->counters.counters[i].name, name) == 0)
			return process->counters.counters[i].value;
	return 0;
}

/* "Generation 2: 12 connections, 4711 deliveries" */
static const char *
status_line(const struct master *master, char *text, size_t size)
{
	const struct generation *generation =
		master->current != NULL ? master->current->generation : NULL;
	const struct process *front;

	if (generation == NULL)
		return "Starting";
	front = &generation->front.process;
	snprintf(text, size,
		"Generation %u: %llu connections, %llu recipients "
		"delivered%s%s",
		(unsigned)generation->number,
		(unsigned long long)counter_of(front, "connections"),
		(unsigned long long)counter_of(front, "delivered"),
		master->reload_error[0] != '\0' ? "; the last reload failed: "
						: "",
		master->reload_error);
	return text;
}

static void
tell_service_manager(const struct master *master, enum run_state state)
{
	char text[512];

	switch (state) {
	case RUN_STARTING:
		notify_send(&master->notify, "STATUS=Starting");
		break;
	case RUN_RUNNING:
		notify_send(&master->notify, "READY=1\nMAINPID=%ld\nSTATUS=%s",
			(long)clock_pid(),
			status_line(master, text, sizeof(text)));
		break;
	case RUN_RELOADING:
		notify_send(&master->notify,
			"RELOADING=1\nMONOTONIC_USEC=%llu\nSTATUS=Reading the "
			"configuration again",
			(unsigned long long)clock_monotonic_us());
		break;
	case RUN_DRAINING:
		notify_send(&master->notify,
			"STOPPING=1\nSTATUS=Ending the sessions");
		break;
	}
}

/* While the loop turns. */
static void
feed_watchdog(struct loop_timer *timer)
{
	struct master *master =
		CONTAINER_OF(timer, struct master, watchdog_timer);
	char text[512];

	if (master->run_state == RUN_RUNNING)
		notify_send(&master->notify, "WATCHDOG=1\nSTATUS=%s",
			status_line(master, text, sizeof(text)));
	else
		notify_send(&master->notify, "WATCHDOG=1");
	loop_timer(master->loop, timer,
		loop_now_ms(master->loop) + master->notify.every_ms);
}

static void
set_run_state(struct master *master, enum run_state state)
{
	const struct run_status status = {.state = state,
		.since_s = master->since_s,
		.pid = clock_pid(),
		.generation = master->last_generation,
		.reloads = master->reloads,
		.error = master->reload_error};
	struct err err;

	master->run_state = state;
	if (!is_single(master))
		tell_service_manager(master, state);
	if (master->files.fd >= 0 &&
		run_files_write(&master->files, &status, &err) < 0)
		log_warning("%s", err_log_text(&err));
}

static void
end_reload(struct master *master, const char *error)
{
	snprintf(master->reload_error, sizeof(master->reload_error), "%s",
		error);
	master->reloads++;
	set_run_state(master, RUN_RUNNING);
}

static void
list_listeners(const struct master *master, struct arena *arena,
	struct control_status *out)
{
	const struct listeners *listeners =
		master->current != NULL ? master->current->listeners : NULL;
	const char **names;
	size_t i;

	if (listeners == NULL)
		return;
	names = ARENA_ARRAY(arena, const char *, listeners->count);
	for (i = 0; i < listeners->count; i++)
		names[i] = listeners->items[i].name;
	out->listeners = names;
	out->listener_count = listeners->count;
}

static void
list_processes(const struct master *master, struct process_list *list)
{
	struct list_link *link;

	if (process_is_running(&master->state.process))
		process_list_add(list, &master->state.process, 0,
			master->state.process.is_ready ? "running" : "starting",
			0);
	for (link = list_first(&master->editions); link != NULL;
		link = list_next(&master->editions, link))
		if (EDITION_OF(link)->generation != NULL)
			generation_list(EDITION_OF(link)->generation, list);
}

/* A list of many processes is cut, these numbers are not. */
static void
count_workers(const struct process_list *list, uint64_t *all, uint64_t *busy)
{
	const char *kind = child_kind_name(WIRE_KIND_WORKER);
	size_t i;

	*all = *busy = 0;
	for (i = 0; i < list->count; i++) {
		if (strcmp(list->items[i].kind, kind) != 0)
			continue;
		++*all;
		*busy += strcmp(list->items[i].state, "busy") == 0;
	}
}

static void
list_counters(const struct master *master, const struct process_list *list,
	struct arena *arena, struct control_status *out)
{
	enum { COUNTERS = 7 };
	const struct generation *generation =
		master->current != NULL ? master->current->generation : NULL;
	struct wire_counter *counters;
	uint64_t workers, busy;

	if (generation == NULL)
		return;
	count_workers(list, &workers, &busy);
	counters = ARENA_ARRAY(arena, struct wire_counter, COUNTERS);
	counters[0] =
		(struct wire_counter){"recipients", generation->recipients};
	counters[1] = (struct wire_counter){"jobs", generation->jobs};
	counters[2] =
		(struct wire_counter){"tickets", generation->tickets.count};
	counters[3] =
		(struct wire_counter){"jobs_waiting", generation->work_count};
	counters[4] = (struct wire_counter){"workers", workers};
	counters[5] = (struct wire_counter){"workers_busy", busy};
	counters[6] = (struct wire_counter){"reloads", master->reloads};
	out->counters = counters;
	out->counter_count = COUNTERS;
}

static void
list_ended(const struct master *master, struct arena *arena,
	struct control_status *out)
{
	struct control_ended *ended =
		ARENA_ARRAY(arena, struct control_ended, WIRE_KINDS);
	size_t kind;

	for (kind = 0; kind < WIRE_KINDS; kind++) {
		const struct process_totals *totals =
			&master->processes.totals[kind];
		struct wire_counter *counters = ARENA_ARRAY(
			arena, struct wire_counter, totals->count + 1);

		memcpy(counters, totals->counters,
			totals->count * sizeof(*counters));
		counters[totals->count] =
			(struct wire_counter){"deaths", totals->deaths};
		ended[kind] = (struct control_ended){
			child_kind_name((enum wire_kind)kind), counters,
			totals->count + 1};
	}
	out->ended = ended;
	out->ended_count = WIRE_KINDS;
}

static void
describe(struct control *control, struct arena *arena,
	struct control_status *status_out)
{
	const struct master *master =
		CONTAINER_OF(control, struct master, control);
	struct process_list list = {.arena = arena};

	*status_out = (struct control_status){.version = PACKAGE_VERSION,
		.pid = clock_pid(),
		.state = run_state_name(master->run_state),
		.is_root = master->run_as.is_root,
		.uid = geteuid(),
		.since_s = master->since_s,
		.now_s = (uint64_t)clock_now().tv_sec,
		.generation = master->last_generation,
		.reload_error = master->reload_error};
	list_listeners(master, arena, status_out);
	list_processes(master, &list);
	list_counters(master, &list, arena, status_out);
	list_ended(master, arena, status_out);
	status_out->processes = list.items;
	status_out->process_count = list.count;
}

/* ---- the admin's wishes ---- */

static void
send_state_wish(void *context, struct wire_proxy_wish *wish)
{
	struct master *master = context;
	struct frame frame;

	frame_begin(&frame, WIRE_PROXY_WISH);
	wire_proxy_wish(&frame, wish);
	process_send(&master->state.process, &frame);
}

static void
tell_proxies(struct master *master, struct wire_proxy_wish *wish)
{
	struct list_link *link;

	for (link = list_first(&master->editions); link != NULL;
		link = list_next(&master->editions, link))
		if (EDITION_OF(link)->generation != NULL)
			generation_send_wish(
				EDITION_OF(link)->generation, wish);
}

/* State keeps it, and each proxy is told. */
static int
take_wish(struct master *master, struct wire_proxy_wish *wish, struct err *err)
{
	if (wishes_check(master->current->settings, wish, err) < 0 ||
		wishes_set(&master->wishes, wish, err) < 0)
		return -1;
	if (process_is_running(&master->state.process))
		send_state_wish(master, wish);
	tell_proxies(master, wish);
	return 0;
}

static bool
answer_wish(struct master *master, struct arena *arena, struct frame *frame,
	struct str *json_out)
{
	struct wire_proxy_wish wish;
	struct buf text;
	struct json json;
	struct err err;

	wire_proxy_wish(frame, &wish);
	if (!frame_is_whole(frame) || wish.name == NULL || wish.value == NULL ||
		master->current == NULL)
		return false;
	err_clear(&err);
	(void)!take_wish(master, &wish, &err);
	buf_init(&text, BUF_UNLIMITED);
	json_init_buf(&json, &text);
	json_open(&json, NULL, '{');
	json_text(&json, "error", str_from(err.text));
	json_close(&json);
	*json_out = arena_copy(arena, buf_view(&text));
	buf_clear(&text);
	return true;
}

static bool
answer_other(struct control *control, struct arena *arena, struct frame *frame,
	struct str *json_out)
{
	struct master *master = CONTAINER_OF(control, struct master, control);
	const char *status = NULL;

	if (frame->type == WIRE_PROXY_WISH)
		return answer_wish(master, arena, frame, json_out);
	if (frame->type != WIRE_PROXY_STATUS || !frame_is_whole(frame))
		return false;
	if (master->current != NULL && master->current->generation != NULL)
		status = generation_proxy_status(master->current->generation);
	*json_out = str_from(status != NULL ? status : "{}");
	return true;
}

/* State begins with what it has kept; one that was started anew is told what has
 * been wished meanwhile. */
static void
take_kept_wish(struct master *master, struct frame *frame)
{
	struct wire_proxy_wish wish;
	struct err err;

	wire_proxy_wish(frame, &wish);
	if (!frame_is_whole(frame) || wish.name == NULL || wish.value == NULL) {
		process_breach(&master->state.process, frame);
		return;
	}
	if (master->has_wishes)
		return;
	if (wishes_set(&master->wishes, &wish, &err) < 0)
		log_error("%s", err_log_text(&err));
	else
		tell_proxies(master, &wish);
}

static void
state_has_told(struct master *master)
{
	if (master->has_wishes)
		wishes_each(&master->wishes, send_state_wish, master);
	master->has_wishes = true;
}

static int
open_run_files(
	struct master *master, const struct settings *settings, struct err *err)
{
	master->since_s = (uint64_t)clock_now().tv_sec;
	if (is_single(master))
		return 0;
	if (run_files_open(
		    master->arena, settings->base_dir, &master->files, err) < 0)
		return -1;
	if (master->files.was_left)
		master->orphans_until_ms =
			clock_monotonic_ms() + ORPHANS_WAIT_MS;
	set_run_state(master, RUN_STARTING);
	master->control.describe = describe;
	master->control.other = answer_other;
	return control_open(&master->control, master->loop, master->arena,
		settings->base_dir, err);
}

/* ---- editions of the configuration ---- */

static void
report_problems(struct master *master, const struct conf_report *report)
{
	size_t i;

	for (i = 0; i < report->count; i++) {
		const char *text =
			conf_problem_text(master->arena, &report->problems[i]);

		if (report->problems[i].is_warning)
			continue;
		if (master->is_running)
			log_error("%s", text);
		else
			tell(master, "%s", text);
	}
}

static void
edition_close(struct edition **edition_in)
{
	struct edition *edition = *edition_in;

	if (edition == NULL)
		return;
	*edition_in = NULL;
	list_remove(&edition->in_all);
	if (loop_timer_is_running(&edition->end_timer))
		loop_timer_stop(edition->loop, &edition->end_timer);
	generation_close(&edition->generation);
	/* Still there only when it never took over. */
	listen_abandon(&edition->listeners, NULL);
	arena_close(&edition->arena);
	memory_free(edition);
}

/* NULL: wrong, and said so. */
static struct edition *
edition_read(struct master *master)
{
	struct edition *edition = memory_get(sizeof(*edition));
	struct conf_source source = master->options->config;
	struct conf_report report = {0};

	edition->arena = arena_open();
	source.protocol = CONF_PROTOCOL_LMTP;
	if (conf_load(edition->arena, &source, &edition->settings, &report) <
		0) {
		report_problems(master, &report);
		edition_close(&edition);
		return NULL;
	}
	list_add_last(&master->editions, &edition->in_all);
	return edition;
}

/* While the server runs a log that it has is better than one that it cannot
 * open. */
static void
open_log(const struct master *master, const struct settings *settings)
{
	const struct log_settings log = {.path = settings->log_path,
		.info_path = settings->info_log_path,
		.debug_path = settings->debug_log_path,
		.facility = settings->syslog_facility,
		.timestamp = settings->log_timestamp,
		.debug = settings->mail_debug};
	const char *closed = master->is_running ? log_find_closed(&log) : NULL;

	if (closed != NULL) {
		log_warning("cannot open the log %s: %s; the old one stays in "
			    "use",
			closed, strerror(errno));
		return;
	}
	log_close();
	log_open(&log);
	log_set_prefix("master:");
}

/* A wrong configuration must not keep a log from being rotated. */
static void
reopen_log(struct master *master)
{
	open_log(master, master->current->settings);
	processes_send_logs(&master->processes);
}

static void
keep_fixed(struct master *master, const struct settings *settings)
{
	struct arena *arena = master->arena;

	master->fixed.base_dir =
		arena_text(arena, str_from(settings->base_dir));
	master->fixed.state_dir =
		arena_text(arena, str_from(settings->state_dir));
	master->fixed.login_user =
		arena_text(arena, str_from(settings->default_login_user));
	master->fixed.internal_user =
		arena_text(arena, str_from(settings->default_internal_user));
	master->fixed.mailer_user =
		arena_text(arena, str_from(settings->default_mailer_user));
	master->fixed.mailer_socket =
		arena_text(arena, str_from(settings->mailer_socket));
}

static void
warn_if_changed(const char *name, const char *then, const char *now)
{
	if (strcmp(then, now) != 0)
		log_warning("%s has changed: that needs a restart", name);
}

/* What a reload does not bring into use. */
static void
warn_of_fixed(const struct master *master, const struct settings *settings)
{
	warn_if_changed("base_dir", master->fixed.base_dir, settings->base_dir);
	warn_if_changed(
		"state_dir", master->fixed.state_dir, settings->state_dir);
	warn_if_changed("default_login_user", master->fixed.login_user,
		settings->default_login_user);
	warn_if_changed("default_internal_user", master->fixed.internal_user,
		settings->default_internal_user);
	warn_if_changed("default_mailer_user", master->fixed.mailer_user,
		settings->default_mailer_user);
	warn_if_changed("mailer_socket", master->fixed.mailer_socket,
		settings->mailer_socket);
}

static int
edition_start(struct master *master, struct edition *edition, struct err *err)
{
	return generation_open(&master->host, ++master->last_generation,
		edition->settings, edition->listeners, &edition->generation,
		err);
}

/* ---- state ---- */

static void
send_link(struct process *process, int fd, bool is_mailer)
{
	struct wire_state_link link = {.fd = fd, .is_mailer = is_mailer};
	struct frame frame;

	frame_begin(&frame, WIRE_STATE_LINK);
	wire_state_link(&frame, &link);
	process_send(process, &frame);
}

/* State takes us for what the kernel says we are, and lets us confirm what was
 * delivered as that user. */
static void
link_state_of_others(struct master *master, struct generation *generation)
{
	int fd = channel_connect(master->state.path);

	if (fd < 0) {
		log_warning("%s: %s", master->state.path, strerror(errno));
		return;
	}
	send_link(&generation->front.process, fd, false);
	fd_close(&fd);
}

static void
link_pair(struct master *master, struct process *process, bool is_mailer)
{
	struct process *ends[2] = {process, &master->state.process};
	int fds[2];
	size_t i;

	if (!process_is_running(ends[0]) || !process_is_running(ends[1]))
		return;
	if (channel_pair(fds) < 0) {
		log_error("socketpair: %s", strerror(errno));
		return;
	}
	for (i = 0; i < 2; i++) {
		send_link(ends[i], fds[i], is_mailer);
		fd_close(&fds[i]);
	}
}

static void
link_state(struct master *master, struct generation *generation)
{
	if (master->state.is_others &&
		process_is_running(&generation->front.process))
		link_state_of_others(master, generation);
	link_pair(master, &generation->front.process, false);
}

/* It gives marks back.  The state of another server would take that from nobody. */
static void
link_mailer(struct master *master, struct generation *generation)
{
	link_pair(master, &generation->mailer.process, true);
}

static void
link_all(struct master *master)
{
	struct list_link *link;

	for (link = list_first(&master->editions); link != NULL;
		link = list_next(&master->editions, link))
		if (EDITION_OF(link)->generation != NULL) {
			link_state(master, EDITION_OF(link)->generation);
			link_mailer(master, EDITION_OF(link)->generation);
		}
}

static void
send_state_listener(struct master *master)
{
	struct wire_listener listener = {
		.fd = master->state.listener, .name = "state"};
	struct frame frame;

	frame_begin(&frame, WIRE_LISTENER);
	wire_listener(&frame, &listener);
	process_send(&master->state.process, &frame);
}

static int
state_start(struct master *master, struct err *err)
{
	struct process *process = &master->state.process;
	const struct spawn_order order = {.kind = WIRE_KIND_STATE,
		.identity = master->run_as.is_root ? &master->run_as.internal
	                                           : NULL,
		.descriptors = STATE_DESCRIPTORS,
		.gains_nothing = true};

	if (process_start(&master->processes, process, &order, err) < 0)
		return -1;
	generation_boot(
		process, &(struct wire_boot){.config = master->state.config,
				 .is_single = is_single(master)});
	send_state_listener(master);
	link_all(master);
	return 0;
}

static void check_ready(struct master *master);
static void check_end(struct master *master);

/* Whether workers that come to the path come to us. */
static bool
has_own_socket(const struct state_keeper *state)
{
	struct stat now;

	return state->listener >= 0 && lstat(state->path, &now) == 0 &&
	       now.st_dev == state->device && now.st_ino == state->inode;
}

static int
state_listen(struct state_keeper *state, struct err *err)
{
	struct stat made;
	int fd = channel_listen(state->path, 0666);

	if (fd < 0 || lstat(state->path, &made) < 0) {
		err_temp_errno(
			err, "4.3.5", "cannot listen on %s", state->path);
		fd_close(&fd);
		return -1;
	}
	fd_close(&state->listener);
	state->listener = fd;
	state->device = made.st_dev;
	state->inode = made.st_ino;
	return 0;
}

static void
state_close(struct master *master)
{
	struct state_keeper *state = &master->state;

	if (has_own_socket(state) && unlink(state->path) < 0 && errno != ENOENT)
		log_warning(
			"cannot remove %s: %s", state->path, strerror(errno));
	fd_close(&state->listener);
	fd_close(&state->config);
}

static void
state_received(struct process *process, struct frame *frame)
{
	struct master *master =
		CONTAINER_OF(process, struct master, state.process);

	if (frame->type == WIRE_PROXY_WISH) {
		take_kept_wish(master, frame);
		return;
	}
	if (frame->type != WIRE_READY) {
		process_breach(process, frame);
		return;
	}
	state_has_told(master);
	check_ready(master);
}

static void
state_restart(struct loop_timer *timer)
{
	struct master *master = CONTAINER_OF(timer, struct master, state.timer);
	struct err err;

	if (state_start(master, &err) == 0)
		return;
	log_error("%s", err_log_text(&err));
	loop_timer(master->loop, timer,
		loop_now_ms(master->loop) +
			process_restart_ms(&master->state.process,
				&master->state.failures));
}

/* One session can do without a memory. */
static void
do_without_state(struct master *master, const char *why)
{
	log_info("This session has no memory of deliveries: %s", why);
	master->state.is_done = true;
	master->host.has_no_memory = true;
	state_close(master);
}

/* It never got ready. */
static void
state_refused(struct master *master, int status)
{
	master->state.is_done = true;
	if (is_single(master)) {
		do_without_state(master, "the process did not start");
		check_ready(master);
		return;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == STATE_EXIT_IN_USE)
		master->progress = arena_format(master->arena,
			"another server uses state_dir (%s); each needs one of "
			"its own",
			master->state_dir);
	else
		master->progress = "the memory of deliveries did not start";
	stop(master, EX_UNAVAILABLE);
}

static void
state_ended(struct process *process)
{
	struct master *master =
		CONTAINER_OF(process, struct master, state.process);
	struct state_keeper *state = &master->state;

	if (process->is_draining ||
		(master->is_stopping && process->is_killed)) {
		state->is_done = true;
		check_end(master);
		return;
	}
	if (!master->is_running) {
		state_refused(master, process->status);
		return;
	}
	loop_timer(master->loop, &state->timer,
		loop_now_ms(master->loop) +
			process_restart_ms(process, &state->failures));
}

/* False: there is nobody to wait for, or no time left. */
static bool
wait_for_orphans(const struct master *master)
{
	if (clock_monotonic_ms() >= master->orphans_until_ms)
		return false;
	(void)!poll(NULL, 0, ORPHANS_PAUSE_MS);
	return true;
}

/* Another one's socket must not be taken away. */
static bool
is_state_served(const struct master *master)
{
	int fd;

	while ((fd = channel_connect(master->state.path)) >= 0) {
		fd_close(&fd);
		if (!wait_for_orphans(master))
			return true;
	}
	return false;
}

static int
state_open(
	struct master *master, const struct settings *settings, struct err *err)
{
	struct state_keeper *state = &master->state;

	state->process.answer_ms =
		is_single(master) ? 0 : settings->lookup_timeout_ms;
	state->process.received = state_received;
	state->process.ended = state_ended;
	state->timer.fire = state_restart;
	if (is_state_served(master))
		return err_temp(err, "4.3.5",
			"another server uses base_dir = %s",
			settings->base_dir);
	if (state_listen(state, err) < 0)
		return -1;
	if (generation_config(settings, WIRE_KIND_STATE, &state->config, err) <
		0)
		return -1;
	return state_start(master, err);
}

/* Somebody may have cleaned up base_dir.  Connections that there are stay. */
static void
state_listen_again(struct master *master)
{
	struct state_keeper *state = &master->state;
	struct err err;

	if (state->listener < 0 || has_own_socket(state))
		return;
	if (is_state_served(master)) {
		log_error("%s is another server's now", state->path);
		return;
	}
	if (state_listen(state, &err) < 0) {
		log_error("%s", err_log_text(&err));
		return;
	}
	log_warning("%s was removed, and is made anew", state->path);
	if (process_is_running(&state->process))
		send_state_listener(master);
}

/* ---- mailers ---- */

/* Workers hand nothing over themselves: without a place in base_dir there is a
 * name without one. */
static int
mailers_listen(
	struct master *master, const struct settings *settings, struct err *err)
{
	const char *name = settings->mailer_socket, *path;
	unsigned char random[8];

	clock_random(random, sizeof(random));
	if (is_single(master) || name[0] == '\0')
		path = arena_format(master->arena, "@doorstep-mailer-%ld-%.*s",
			(long)clock_pid(),
			STR_ARG(encode_hex(master->arena,
				str_of((const char *)random, sizeof(random)))));
	else if (name[0] == '/' || name[0] == '@')
		path = arena_text(master->arena, str_from(name));
	else
		path = arena_format(
			master->arena, "%s/%s", settings->base_dir, name);
	if (mailsocket_open(&master->mailers, path, err) < 0)
		return -1;
	master->host.mailer = path;
	master->host.mailer_listener = master->mailers.fd;
	return 0;
}

/* Somebody may have cleaned up base_dir. */
static void
mailers_listen_again(struct master *master)
{
	struct list_link *link;

	if (!mailsocket_renew(&master->mailers))
		return;
	master->host.mailer_listener = master->mailers.fd;
	for (link = list_first(&master->editions); link != NULL;
		link = list_next(&master->editions, link))
		if (EDITION_OF(link)->generation != NULL)
			generation_send_mailer_socket(
				EDITION_OF(link)->generation);
}

/* ---- the life of generations ---- */

static struct edition *
edition_of(struct master *master, const struct generation *generation)
{
	struct list_link *link;

	for (link = list_first(&master->editions); link != NULL;
		link = list_next(&master->editions, link))
		if (EDITION_OF(link)->generation == generation)
			return EDITION_OF(link);
	BUG("a generation without an edition");
}

/* The terminal is let go; what a log on standard error needs stays. */
static void
leave_terminal(struct master *master)
{
	if (master->terminal > STDERR_FILENO)
		fd_close(&master->terminal);
	master->terminal = STDERR_FILENO;
}

static void
check_ready(struct master *master)
{
	if (master->is_running || master->current == NULL ||
		(!master->state.is_done && !master->state.process.is_ready))
		return;
	master->is_running = true;
	set_run_state(master, RUN_RUNNING);
	if (is_single(master))
		return;
	log_info("Doorstep is running, process %ld", (long)clock_pid());
	tell_starter(master, EX_OK);
	leave_terminal(master);
}

static void
end_late(struct loop_timer *timer)
{
	struct edition *edition =
		CONTAINER_OF(timer, struct edition, end_timer);

	log_warning("not all sessions of generation %u have ended within "
		    "shutdown_timeout",
		(unsigned)edition->generation->number);
	generation_kill(edition->generation);
}

static void
end_old(struct master *master, struct edition *edition)
{
	if (edition->is_ending)
		return;
	log_info("Generation %u ends: more than %d old ones have sessions",
		(unsigned)edition->generation->number, OLD_GENERATIONS_MAX);
	edition->is_ending = true;
	edition->loop = master->loop;
	edition->end_timer.fire = end_late;
	loop_timer(master->loop, &edition->end_timer,
		loop_now_ms(master->loop) +
			master->current->settings->shutdown_timeout_ms +
			LAST_WORDS_MS);
	generation_drain(edition->generation, true);
}

static bool
is_old(const struct edition *edition)
{
	return edition->generation != NULL &&
	       edition->generation->state == GENERATION_DRAINING;
}

/* The newest stay as they are; the list begins with the oldest. */
static void
limit_old(struct master *master)
{
	struct list_link *link;
	size_t count = 0;

	for (link = list_first(&master->editions); link != NULL;
		link = list_next(&master->editions, link))
		count += is_old(EDITION_OF(link));
	for (link = list_first(&master->editions);
		link != NULL && count > OLD_GENERATIONS_MAX;
		link = list_next(&master->editions, link))
		if (is_old(EDITION_OF(link))) {
			end_old(master, EDITION_OF(link));
			count--;
		}
}

static void
take_over(struct master *master, struct edition *edition)
{
	struct edition *old = master->current;

	master->current = edition;
	master->next = NULL;
	if (old == NULL)
		return;
	master->state.process.answer_ms = edition->settings->lookup_timeout_ms;
	listen_replace(&old->listeners, edition->listeners);
	processes_send_logs(&master->processes);
	generation_drain(old->generation, false);
	limit_old(master);
	log_info("The new configuration is in use");
	warn_of_fixed(master, edition->settings);
	end_reload(master, "");
}

static void
generation_is_ready(struct generation_host *host, struct generation *generation)
{
	struct master *master = CONTAINER_OF(host, struct master, host);

	take_over(master, edition_of(master, generation));
	check_ready(master);
}

static void
front_has_started(struct generation_host *host, struct generation *generation)
{
	link_state(CONTAINER_OF(host, struct master, host), generation);
}

static void
mailer_has_started(struct generation_host *host, struct generation *generation)
{
	link_mailer(CONTAINER_OF(host, struct master, host), generation);
}

static bool
has_generation(const struct master *master)
{
	struct list_link *link;

	for (link = list_first(&master->editions); link != NULL;
		link = list_next(&master->editions, link)) {
		const struct generation *generation =
			EDITION_OF(link)->generation;

		if (generation != NULL && generation->state != GENERATION_ENDED)
			return true;
	}
	return false;
}

/* State goes last: results are written there until the end. */
static void
check_end(struct master *master)
{
	if (!master->is_stopping || has_generation(master))
		return;
	if (process_is_running(&master->state.process)) {
		process_drain(&master->state.process, true);
		return;
	}
	loop_timer_stop(master->loop, &master->state.timer);
	stop(master, master->status);
}

/* A reload that failed changes nothing. */
static void
give_up_next(struct master *master)
{
	struct edition *next = master->next;

	log_error("The new configuration does not work; the old one stays in "
		  "use");
	listen_abandon(&next->listeners, master->current->listeners);
	reopen_log(master);
	master->next = NULL;
	end_reload(master, "the new processes did not start");
}

static void
begin_stop(struct master *master)
{
	master->is_stopping = true;
	check_end(master);
}

static void
generation_has_ended(
	struct generation_host *host, struct generation *generation)
{
	struct master *master = CONTAINER_OF(host, struct master, host);
	struct edition *edition = edition_of(master, generation);

	if (edition == master->next && master->current != NULL) {
		give_up_next(master);
	} else if (master->current == NULL ||
		   (edition == master->current && !master->is_stopping &&
			   generation->has_failed)) {
		master->progress = "its processes did not start";
		stop(master, EX_UNAVAILABLE);
		return;
	}
	if (edition == master->current && is_single(master))
		begin_stop(master);
	else
		check_end(master);
}

/* Between rounds nobody is inside a generation's functions. */
static void
after_round(void *context)
{
	struct master *master = context;
	struct list_link *link = list_first(&master->editions), *next;

	for (; link != NULL; link = next) {
		struct edition *edition = EDITION_OF(link);

		next = list_next(&master->editions, link);
		if (edition->generation == NULL ||
			edition->generation->state != GENERATION_ENDED ||
			edition == master->current)
			continue;
		edition_close(&edition);
	}
}

/* ---- signals ---- */

static int
start_next(struct master *master, struct edition *edition, struct err *err)
{
	if (listen_open(edition->settings, master->current->listeners,
		    &master->passed, &edition->listeners, err) < 0)
		return -1;
	open_log(master, edition->settings);
	if (edition_start(master, edition, err) == 0)
		return 0;
	listen_abandon(&edition->listeners, master->current->listeners);
	return -1;
}

static void
refuse_reload(struct master *master, const char *why)
{
	reopen_log(master);
	log_error("%s; the old configuration stays in use", why);
	end_reload(master, why);
}

static void
reload(struct master *master)
{
	struct edition *edition;
	struct err err;

	if (!master->is_running || master->is_stopping || is_single(master))
		return;
	if (master->next != NULL) {
		log_warning("a reload is under way already");
		return;
	}
	set_run_state(master, RUN_RELOADING);
	state_listen_again(master);
	mailers_listen_again(master);
	edition = edition_read(master);
	if (edition == NULL) {
		refuse_reload(master, "the new configuration is wrong");
		return;
	}
	master->next = edition;
	if (start_next(master, edition, &err) == 0)
		return;
	refuse_reload(master, err_log_text(&err));
	master->next = NULL;
	edition_close(&edition);
}

static void
kill_all(struct master *master)
{
	struct list_link *link;

	for (link = list_first(&master->editions); link != NULL;
		link = list_next(&master->editions, link))
		if (EDITION_OF(link)->generation != NULL)
			generation_kill(EDITION_OF(link)->generation);
}

/* Whatever is under way is temporary for its client. */
static void
stop_now(struct master *master)
{
	kill_all(master);
	process_kill(&master->state.process, NULL);
}

static void
stop_late(struct loop_timer *timer)
{
	struct master *master = CONTAINER_OF(timer, struct master, stop_timer);

	log_warning("not all sessions have ended within shutdown_timeout");
	stop_now(master);
}

static void
drain(struct master *master)
{
	struct list_link *link;

	log_info("Stopping");
	master->is_stopping = true;
	set_run_state(master, RUN_DRAINING);
	if (master->current == NULL || !master->is_running) {
		stop(master, EX_OK);
		return;
	}
	loop_timer(master->loop, &master->stop_timer,
		loop_now_ms(master->loop) +
			master->current->settings->shutdown_timeout_ms +
			LAST_WORDS_MS);
	for (link = list_first(&master->editions); link != NULL;
		link = list_next(&master->editions, link))
		if (EDITION_OF(link)->generation != NULL)
			generation_drain(EDITION_OF(link)->generation, true);
	check_end(master);
}

static void
on_stop_signal(struct master *master)
{
	if (!master->is_stopping) {
		drain(master);
		return;
	}
	log_warning("told to stop at once");
	stop_now(master);
}

static void
on_signal(struct master *master, unsigned number)
{
	switch (number) {
	case SIGCHLD:
		processes_reap(&master->processes);
		break;
	case SIGHUP:
		reload(master);
		break;
	case SIGUSR1:
		if (master->is_running)
			reopen_log(master);
		break;
	case SIGTERM:
	case SIGINT:
		on_stop_signal(master);
		break;
	}
}

static void
signals_ready(struct loop_watch *watch, unsigned events)
{
	struct master *master = CONTAINER_OF(watch, struct master, signals);
	struct signalfd_siginfo info;

	(void)events;
	while (fd_read(master->signal_fd, &info, sizeof(info)) ==
		(ssize_t)sizeof(info))
		on_signal(master, info.ssi_signo);
}

static int
open_signals(struct master *master, struct err *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* Ignored by our caller it would keep us from waiting. */
	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	master->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	master->signals = (struct loop_watch){.fd = -1, .ready = signals_ready};
	if (master->signal_fd < 0 || loop_watch(master->loop, &master->signals,
					     master->signal_fd, LOOP_READ) < 0)
		return err_temp_errno(err, "4.3.0", "signalfd");
	return 0;
}

/* ---- the start ---- */

static int
keep(int fd, struct err *err)
{
	int kept = fcntl(fd, F_DUPFD_CLOEXEC, KEPT_FD_LEAST);

	if (kept < 0)
		return err_temp_errno(err, "4.3.0", "dup");
	return kept;
}

static void
put_null(int fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, fd) < 0)
		log_warning("/dev/null: %s", strerror(errno));
	fd_close(&null);
}

/* Children have nothing to do with what we were started with. */
static int
set_descriptors(struct master *master, struct err *err)
{
	master->terminal = keep(STDERR_FILENO, err);
	if (master->terminal < 0)
		return -1;
	if (is_single(master)) {
		master->host.input = keep(master->options->input, err);
		master->host.output = keep(master->options->output, err);
		if (master->host.input < 0 || master->host.output < 0)
			return -1;
		put_null(STDOUT_FILENO);
	}
	put_null(STDIN_FILENO);
	return 0;
}

static bool
logs_to_terminal(const struct settings *settings)
{
	return strcmp(settings->log_path, "/dev/stderr") == 0 ||
	       strcmp(settings->info_log_path, "/dev/stderr") == 0 ||
	       strcmp(settings->debug_log_path, "/dev/stderr") == 0;
}

/* The parent stays until the server runs or has failed, so that its exit status
 * says which. */
static void
go_to_background(struct master *master, const struct settings *settings)
{
	unsigned char status = EX_SOFTWARE;
	int ends[2];
	pid_t pid;

	if (master->options->is_foreground || is_single(master) ||
		clock_pid() == 1)
		return;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	pid = fork();
	if (pid < 0) {
		log_warning(
			"fork: %s; staying in the foreground", strerror(errno));
		return;
	}
	if (pid > 0) {
		fd_close(&ends[1]);
		if (fd_read(ends[0], &status, 1) != 1)
			status = EX_SOFTWARE;
		_exit(status);
	}
	fd_close(&ends[0]);
	master->starter = fcntl(ends[1], F_DUPFD_CLOEXEC, KEPT_FD_LEAST);
	fd_close(&ends[1]);
	setsid();
	put_null(STDOUT_FILENO);
	if (!logs_to_terminal(settings))
		put_null(STDERR_FILENO);
}

static int
open_loop(struct master *master, struct err *err)
{
	if (loop_open(&master->loop) < 0)
		return err_temp_errno(err, "4.3.0", "epoll_create");
	master->processes.loop = master->loop;
	master->processes.arena = arena_open();
	master->processes.spawner = &master->spawner;
	loop_after_round(master->loop, after_round, master);
	if (master->notify.every_ms > 0)
		feed_watchdog(&master->watchdog_timer);
	if (open_signals(master, err) < 0)
		return -1;
	return spawner_open(master->arena, &master->spawner, err);
}

static int
open_place(
	struct master *master, const struct settings *settings, struct err *err)
{
	if (run_as_make_folders(settings, &master->run_as, err) < 0 ||
		open_run_files(master, settings, err) < 0)
		return -1;
	return state_open(master, settings, err);
}

/* A session joins the memory of the server that runs, and has one of its own only
 * where there is a place for it. */
static int
open_place_of_session(
	struct master *master, const struct settings *settings, struct err *err)
{
	if (is_state_served(master)) {
		master->state.is_others = master->state.is_done = true;
		return 0;
	}
	/* A name of its own: another session that begins meanwhile must not rely
	 * on a socket that goes when this one ends. */
	master->state.path = master->host.state = arena_format(
		master->arena, "%s-%ld", master->state.path, (long)clock_pid());
	if (open_place(master, settings, err) < 0)
		do_without_state(master, err_log_text(err));
	return 0;
}

static int
open_listeners(struct master *master, struct edition *edition, struct err *err)
{
	if (is_single(master))
		return 0;
	while (listen_open(edition->settings, NULL, &master->passed,
		       &edition->listeners, err) < 0)
		if (!wait_for_orphans(master))
			return -1;
	return 0;
}

/* What the processes will want of the kernel, before one of them is started. */
static int
check_sandbox(
	struct master *master, const struct settings *settings, struct err *err)
{
	const char *missing = sandbox_find_missing(master->arena);

	if (missing != NULL && settings->sandbox == CONF_SANDBOX_REQUIRED)
		return err_temp(err, "4.3.5",
			"the processes cannot be confined here, as sandbox = "
			"required wants: the kernel refuses %s; with sandbox = "
			"optional the server does without",
			missing);
	if (missing != NULL)
		log_warning(
			"sandbox = optional: the kernel refuses %s", missing);
	return sandbox_limit_root(err);
}

/* The folders that there have to be are made by then. */
static int
make_root(
	struct master *master, const struct settings *settings, struct err *err)
{
	if (run_as_make_root(master->arena, settings, &master->run_as, err) ==
		0)
		return 0;
	if (settings->sandbox == CONF_SANDBOX_REQUIRED)
		return -1;
	log_warning("sandbox = optional: %s", err_log_text(err));
	return 0;
}

static int
start_first(struct master *master, struct edition *edition, struct err *err)
{
	const struct settings *settings = edition->settings;

	master->state.path = master->host.state =
		arena_format(master->arena, "%s/state", settings->base_dir);
	if (check_sandbox(master, settings, err) < 0 ||
		run_as_find(master->arena, settings, &master->run_as, err) < 0)
		return -1;
	if ((is_single(master) ? open_place_of_session(master, settings, err)
			       : open_place(master, settings, err)) < 0)
		return -1;
	if (make_root(master, settings, err) < 0 ||
		mailers_listen(master, settings, err) < 0 ||
		open_listeners(master, edition, err) < 0)
		return -1;
	return edition_start(master, edition, err);
}

static int
status_of(const struct err *err)
{
	return strcmp(err->status, "4.3.5") == 0 ? EX_CONFIG : EX_OSERR;
}

/* Nobody is left to be waited for: children end with their channel to us. */
static void
end_children(struct master *master)
{
	struct list_link *link;

	kill_all(master);
	process_kill(&master->state.process, NULL);
	for (link = list_first(&master->editions); link != NULL;
		link = list_next(&master->editions, link))
		if (EDITION_OF(link)->listeners != NULL)
			listen_abandon(&EDITION_OF(link)->listeners, NULL);
	state_close(master);
	mailsocket_close(&master->mailers);
	control_close(&master->control);
	run_files_close(&master->files);
}

static void
close_all(struct master *master)
{
	wishes_clear(&master->wishes);
	if (master->loop != NULL)
		end_children(master);
	processes_forget(&master->processes);
	while (!list_is_empty(&master->editions)) {
		struct edition *edition =
			EDITION_OF(list_first(&master->editions));

		edition_close(&edition);
	}
	spawner_close(&master->spawner);
	fd_close(&master->signal_fd);
	arena_close(&master->processes.arena);
	loop_close(&master->loop);
}

static void
run(struct master *master)
{
	struct edition *edition = edition_read(master);
	const char *log_path;
	struct err err;

	err_clear(&err);
	if (edition == NULL) {
		master->status = EX_CONFIG;
		return;
	}
	open_log(master, edition->settings);
	/* The edition may be gone when it failed. */
	keep_fixed(master, edition->settings);
	log_path = arena_text(
		master->arena, str_from(edition->settings->log_path));
	master->state_dir = arena_text(
		master->arena, str_from(edition->settings->state_dir));
	go_to_background(master, edition->settings);
	if (open_loop(master, &err) < 0 ||
		start_first(master, edition, &err) < 0) {
		tell(master, "%s", err_log_text(&err));
		master->status = status_of(&err);
		return;
	}
	loop_run(master->loop);
	if (master->status != EX_OK && master->progress != NULL) {
		log_error("The server ends: %s", master->progress);
		if (master->terminal != STDERR_FILENO)
			tell(master, "%s; the log says why (log_path = %s)",
				master->progress, log_path);
	}
}

int
master_main(struct arena *arena, const struct master_options *options)
{
	struct master master = {.options = options,
		.arena = arena,
		.terminal = STDERR_FILENO,
		.starter = -1,
		.signal_fd = -1,
		.spawner = {.program = -1}};
	struct err err;

	list_init(&master.editions);
	master.state.listener = master.state.config = -1;
	master.mailers.fd = -1;
	master.files.fd = -1;
	master.control.watch.fd = -1;
	master.stop_timer.fire = stop_late;
	master.host = (struct generation_host){.processes = &master.processes,
		.run_as = &master.run_as,
		.is_single = options->input >= 0,
		.ready = generation_is_ready,
		.front_started = front_has_started,
		.mailer_started = mailer_has_started,
		.ended = generation_has_ended};
	master.host.mailer_listener = -1;
	master.host.wishes = &master.wishes;
	master.watchdog_timer.fire = feed_watchdog;
	spawn_raise_descriptors();
	notify_open(&master.notify);
	if (passed_open(arena, KEPT_FD_LEAST, &master.passed, &err) < 0 ||
		set_descriptors(&master, &err) < 0) {
		tell(&master, "%s", err_log_text(&err));
		return status_of(&err);
	}
	run(&master);
	close_all(&master);
	passed_close(&master.passed);
	notify_close(&master.notify);
	tell_starter(&master, master.status);
	return master.status;
}
