/* status - `doorstep status`, `doorstep reload` and `doorstep stop`
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/number.h"
#include "conf/conf.h"
#include "server/control.h"
#include "server/run_files.h"
#include "ctl/ctl.h"

#include "base/banned.h"

enum {
	ANSWER_TIMEOUT_MS = 5000,
	RELOAD_TIMEOUT_MS = 60 * 1000,
	STOP_GRACE_MS = 10 * 1000, /* beyond shutdown_timeout */
	LOOK_EVERY_MS = 50
};

struct server {
	const struct settings *settings;
	const char *base_dir;
	pid_t pid;
};

/* CTL_OK when a server runs with the configuration's base_dir. */
static int
find_server(struct ctl *ctl, struct server *server)
{
	struct err err;
	enum lookup found;

	server->settings = ctl_settings(ctl);
	if (server->settings == NULL)
		return CTL_CONFIG;
	server->base_dir = server->settings->base_dir;
	found = run_files_find(
		ctl->arena, server->base_dir, &server->pid, &err);
	if (found == LOOKUP_ERROR)
		return ctl_fail(CTL_TEMPORARY, "%s", err_log_text(&err));
	if (found == LOOKUP_NONE)
		return ctl_fail(CTL_TEMPORARY,
			"no server runs with base_dir %s", server->base_dir);
	return CTL_OK;
}

/* ---- status ---- */

static void
print_time(const char *name, struct str value)
{
	struct tm local;
	uint64_t seconds;
	char text[64];

	if (number_parse(value, &seconds) < 0)
		return;
	local = clock_local((time_t)seconds);
	if (strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &local) > 0)
		printf("%s%s", name, text);
}

/* What stands in the outermost object and in one of its processes. */
struct shown {
	struct str version, state, pid, mode, uid, since, generation, error;
	struct str left_out;
};

struct row {
	struct str kind, pid, uid, state, generation, jobs, since, confinement;
};

struct field {
	const char *name;
	struct str *value;
};

static void
take(const struct field *fields, size_t count, const struct json_item *item)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (str_is(item->name, fields[i].name))
			*fields[i].value = item->text;
}

static void
take_head(struct shown *shown, const struct json_item *item)
{
	const struct field fields[] = {{"version", &shown->version},
		{"state", &shown->state}, {"pid", &shown->pid},
		{"mode", &shown->mode}, {"uid", &shown->uid},
		{"since", &shown->since}, {"generation", &shown->generation},
		{"reload_error", &shown->error},
		{"processes_not_shown", &shown->left_out}};

	take(fields, ARRAY_LENGTH(fields), item);
}

static void
take_row(struct row *row, const struct json_item *item)
{
	const struct field fields[] = {{"kind", &row->kind}, {"pid", &row->pid},
		{"uid", &row->uid}, {"state", &row->state},
		{"generation", &row->generation}, {"jobs", &row->jobs},
		{"since", &row->since}, {"confinement", &row->confinement}};

	take(fields, ARRAY_LENGTH(fields), item);
}

static void
print_head(const struct shown *shown)
{
	printf("Doorstep %.*s is %.*s, process %.*s", STR_ARG(shown->version),
		STR_ARG(shown->state), STR_ARG(shown->pid));
	print_time(", since ", shown->since);
	printf(", generation %.*s\n", STR_ARG(shown->generation));
	if (str_is(shown->mode, "user"))
		printf("isolation: none by user; all processes are uid %.*s, "
		       "as the server was not started as root\n",
			STR_ARG(shown->uid));
	if (shown->error.len > 0)
		printf("the last reload failed: %.*s\n", STR_ARG(shown->error));
}

static void
print_row(const struct row *row)
{
	printf("%-8.*s %8.*s %8.*s %-10.*s %10.*s %10.*s", STR_ARG(row->kind),
		STR_ARG(row->pid), STR_ARG(row->uid), STR_ARG(row->state),
		STR_ARG(row->generation), STR_ARG(row->jobs));
	print_time("  ", row->since);
	if (row->confinement.len > 0)
		printf("  %.*s", STR_ARG(row->confinement));
	putchar('\n');
}

/* The head comes whole before the lists only in what is printed: two readings. */
static bool
print_processes(struct arena *arena, struct str json)
{
	struct json_reader reader;
	struct json_item item;
	struct str list = STR_EMPTY;
	struct row row = {.kind = STR_EMPTY};

	printf("%-8s %8s %8s %-10s %10s %10s  %-19s  CONFINED BY\n", "KIND",
		"PID", "UID", "STATE", "GENERATION", "JOBS", "SINCE");
	json_read(&reader, arena, json);
	while (json_next(&reader, &item)) {
		if (item.depth == 1 && item.kind == JSON_BEGIN)
			list = item.name;
		if (!str_is(list, "processes"))
			continue;
		if (item.depth == 3 && item.kind != JSON_BEGIN)
			take_row(&row, &item);
		else if (item.depth == 2 && item.kind == JSON_END)
			print_row(&row);
	}
	return !reader.is_broken;
}

/* What the process that remembers says of it; a number that it has not said is
 * empty. */
struct memory {
	struct str entries, held, duplicate, vacation, redirect, next;
};

static void
take_memory(struct memory *memory, const struct json_item *item)
{
	const struct field fields[] = {{"entries", &memory->entries},
		{"held", &memory->held},
		{"marks_duplicate", &memory->duplicate},
		{"marks_vacation", &memory->vacation},
		{"marks_redirect", &memory->redirect},
		{"marks_next_expiry", &memory->next}};

	take(fields, ARRAY_LENGTH(fields), item);
}

static void
read_memory(struct arena *arena, struct str json, struct memory *memory)
{
	struct str list = STR_EMPTY, kind = STR_EMPTY;
	struct json_reader reader;
	struct json_item item;

	json_read(&reader, arena, json);
	while (json_next(&reader, &item)) {
		if (item.depth == 1 && item.kind == JSON_BEGIN)
			list = item.name;
		if (!str_is(list, "processes"))
			continue;
		if (item.depth == 3 && str_is(item.name, "kind"))
			kind = item.text;
		else if (item.depth == 4 && str_is(kind, "state"))
			take_memory(memory, &item);
	}
}

static struct str
or_zero(struct str number)
{
	return number.len > 0 ? number : STR("0");
}

static void
print_memory(struct arena *arena, struct str json)
{
	struct memory memory = {.entries = STR_EMPTY};

	read_memory(arena, json, &memory);
	printf("remembered: %.*s deliveries not confirmed, %.*s under way\n",
		STR_ARG(or_zero(memory.entries)),
		STR_ARG(or_zero(memory.held)));
	printf("remembered for scripts: %.*s duplicate, %.*s vacation, "
	       "%.*s redirect",
		STR_ARG(or_zero(memory.duplicate)),
		STR_ARG(or_zero(memory.vacation)),
		STR_ARG(or_zero(memory.redirect)));
	if (!str_is(or_zero(memory.next), "0"))
		print_time("; the next expires ", memory.next);
	putchar('\n');
}

/* Listeners, and counters of the server as a whole. */
static void
print_lists(struct arena *arena, struct str json, struct shown *shown)
{
	struct json_reader reader;
	struct json_item item;
	struct str list = STR_EMPTY;

	json_read(&reader, arena, json);
	while (json_next(&reader, &item)) {
		if (item.depth == 1 && item.kind == JSON_BEGIN)
			list = item.name;
		else if (item.depth == 2 && str_is(list, "listeners"))
			printf("listens on %.*s\n", STR_ARG(item.text));
		else if (item.depth == 2 && str_is(list, "counters") &&
			 item.kind == JSON_NUMBER)
			printf("%.*s %.*s\n", STR_ARG(item.name),
				STR_ARG(item.text));
		else if (item.depth == 1)
			take_head(shown, &item);
	}
}

static int
print_status(struct ctl *ctl, struct str json)
{
	struct shown shown = {.version = STR_EMPTY};
	struct json_reader reader;
	struct json_item item;

	json_read(&reader, ctl->arena, json);
	while (json_next(&reader, &item))
		if (item.depth == 1)
			take_head(&shown, &item);
	if (reader.is_broken)
		return ctl_fail(
			CTL_TEMPORARY, "the server's answer is not understood");
	print_head(&shown);
	print_lists(ctl->arena, json, &shown);
	print_memory(ctl->arena, json);
	if (!print_processes(ctl->arena, json))
		return CTL_TEMPORARY;
	if (shown.left_out.len > 0 && !str_is(shown.left_out, "0"))
		printf("and %.*s more\n", STR_ARG(shown.left_out));
	return CTL_OK;
}

int
ctl_ask_server(struct ctl *ctl, struct str *json_out)
{
	struct frame question;

	frame_begin(&question, WIRE_STATUS);
	return ctl_ask_server_frame(ctl, &question, json_out);
}

int
ctl_ask_server_frame(
	struct ctl *ctl, struct frame *question, struct str *json_out)
{
	struct server server = {.pid = 0};
	struct err err;
	int status = find_server(ctl, &server);

	if (status != CTL_OK) {
		frame_close(question);
		return status;
	}
	if (control_ask_frame(ctl->arena, server.base_dir, ANSWER_TIMEOUT_MS,
		    question, json_out, &err) == 0)
		return CTL_OK;
	return ctl_fail(CTL_TEMPORARY, "%s (the server is process %ld)",
		err_log_text(&err), (long)server.pid);
}

int
ctl_status(struct ctl *ctl, int argc, char **argv)
{
	struct str json;
	int status;

	(void)argv;
	if (argc != 1)
		return ctl_fail(CTL_USAGE, "usage: doorstep status");
	status = ctl_ask_server(ctl, &json);
	if (status != CTL_OK)
		return status;
	if (!ctl->json)
		return print_status(ctl, json);
	printf("%.*s", STR_ARG(json));
	return CTL_OK;
}

/* ---- signals ---- */

/* The file's number may be another process's for us: base_dir can be shared with
 * a container, where the server is process 1. */
static int
check_process(struct ctl *ctl, const struct server *server)
{
	struct err err;
	pid_t pid;

	if (server->pid < 1)
		return ctl_fail(CTL_TEMPORARY,
			"%s/master.pid does not say which process it is",
			server->base_dir);
	if (control_peer(ctl->arena, server->base_dir, &pid, &err) < 0)
		return ctl_fail(CTL_TEMPORARY,
			"is process %ld the server? %s; nothing was signalled",
			(long)server->pid, err_log_text(&err));
	if (pid == server->pid)
		return CTL_OK;
	return ctl_fail(CTL_TEMPORARY,
		"process %ld is not the server that has %s: the server runs in "
		"another PID namespace; say it there, for example by "
		"\"kill -TERM 1\" (stop) or \"kill -HUP 1\" (reload) in the "
		"container",
		(long)server->pid, server->base_dir);
}

static int
tell(struct ctl *ctl, const struct server *server, int signal_number)
{
	int status = check_process(ctl, server);

	if (status != CTL_OK)
		return status;
	if (kill(server->pid, signal_number) == 0)
		return CTL_OK;
	return ctl_fail(CTL_TEMPORARY, "cannot signal process %ld: %s",
		(long)server->pid, strerror(errno));
}

static void
pause_shortly(void)
{
	/* Waits for nothing but the time. */
	if (poll(NULL, 0, LOOK_EVERY_MS) < 0)
		return;
}

static int
read_status(
	struct ctl *ctl, const struct server *server, struct run_status *status)
{
	struct err err;

	if (run_files_read(ctl->arena, server->base_dir, status, &err) ==
		LOOKUP_FOUND)
		return 0;
	return ctl_fail(-1, "%s/status cannot be read", server->base_dir);
}

/* As the server will read it: 1 and "FILE:LINE: error: ..." for what is wrong. */
static bool
is_good_config(struct ctl *ctl)
{
	const struct conf_source source = {.file = ctl->config_file,
		.protocol = CONF_PROTOCOL_LMTP,
		.overrides = ctl->overrides,
		.override_count = ctl->override_count};
	const struct settings *settings;
	struct conf_report report = {0};
	size_t i;

	if (conf_load(ctl->arena, &source, &settings, &report) == 0)
		return true;
	for (i = 0; i < report.count; i++)
		fprintf(stderr, "%s\n",
			conf_problem_text(ctl->arena, &report.problems[i]));
	return false;
}

static int
tell_reloaded(struct ctl *ctl, const struct run_status *now)
{
	bool has_failed = now->error[0] != '\0';
	struct json json;

	if (ctl->json) {
		json_init(&json, stdout);
		json_open(&json, NULL, '{');
		json_bool(&json, "reloaded", !has_failed);
		json_number(&json, "generation", now->generation);
		if (has_failed)
			json_text(&json, "error", str_from(now->error));
		json_close(&json);
	} else if (!has_failed) {
		printf("reloaded, generation %u\n", (unsigned)now->generation);
	}
	return has_failed
	               ? ctl_fail(CTL_FAILED,
				 "the server goes on as before: %s", now->error)
	               : CTL_OK;
}

static int
wait_reloaded(struct ctl *ctl, const struct server *server,
	const struct run_status *before)
{
	uint64_t until_ms = clock_monotonic_ms() + RELOAD_TIMEOUT_MS;
	struct run_status now;

	do {
		pause_shortly();
		if (read_status(ctl, server, &now) < 0)
			return CTL_TEMPORARY;
		if (now.reloads == before->reloads)
			continue;
		return tell_reloaded(ctl, &now);
	} while (clock_monotonic_ms() < until_ms);
	return ctl_fail(CTL_TEMPORARY,
		"the server has not reloaded within %d seconds; see its log",
		RELOAD_TIMEOUT_MS / 1000);
}

int
ctl_reload(struct ctl *ctl, int argc, char **argv)
{
	struct server server = {.pid = 0};
	struct run_status before;
	int status;

	(void)argv;
	if (argc != 1)
		return ctl_fail(CTL_USAGE, "usage: doorstep reload");
	if (!is_good_config(ctl))
		return CTL_CONFIG;
	status = find_server(ctl, &server);
	if (status != CTL_OK)
		return status;
	if (read_status(ctl, &server, &before) < 0)
		return CTL_TEMPORARY;
	status = tell(ctl, &server, SIGHUP);
	return status == CTL_OK ? wait_reloaded(ctl, &server, &before) : status;
}

int
ctl_stop(struct ctl *ctl, int argc, char **argv)
{
	struct server server = {.pid = 0};
	uint64_t until_ms;
	enum lookup found;
	struct err err;
	pid_t pid;
	int status;

	(void)argv;
	if (argc != 1)
		return ctl_fail(CTL_USAGE, "usage: doorstep stop");
	status = find_server(ctl, &server);
	if (status != CTL_OK ||
		(status = tell(ctl, &server, SIGTERM)) != CTL_OK)
		return status;
	until_ms = clock_monotonic_ms() + STOP_GRACE_MS +
	           server.settings->shutdown_timeout_ms;
	do {
		pause_shortly();
		found = run_files_find(ctl->arena, server.base_dir, &pid, &err);
		if (found == LOOKUP_NONE || pid != server.pid) {
			puts(ctl->json ? "{\"stopped\":true}" : "stopped");
			return CTL_OK;
		}
	} while (clock_monotonic_ms() < until_ms);
	return ctl_fail(CTL_TEMPORARY,
		"process %ld is still there; see its log", (long)server.pid);
}
