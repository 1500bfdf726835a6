/* SPDX-License-Identifier: MIT */
#include "server/control.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "ipc/channel.h"
#include "tests/lib/test.h"

#include "base/banned.h"

enum { WAIT_MS = 30000 };

/* A server that answers questions until it is told to stop. */
struct server {
	struct control control;
	struct loop *loop;
	unsigned questions;
	size_t process_count;
	struct loop_timer limit;
};

static void
describe(struct control *control, struct arena *arena,
	struct control_status *status)
{
	struct server *server = CONTAINER_OF(control, struct server, control);
	struct control_process *processes = ARENA_ARRAY(
		arena, struct control_process, server->process_count);
	size_t i;

	for (i = 0; i < server->process_count; i++)
		processes[i] = (struct control_process){
			.kind = "worker", .pid = (pid_t)i + 1, .state = "idle"};
	*status = (struct control_status){.version = "1.2",
		.pid = 44,
		.state = "running",
		.generation = ++server->questions,
		.reload_error = "",
		.processes = processes,
		.process_count = server->process_count};
}

static void
stop(struct loop_timer *timer)
{
	loop_stop(CONTAINER_OF(timer, struct server, limit)->loop);
}

static void
open_server(struct server *server, struct arena *arena)
{
	struct err err;

	*server = (struct server){.control.describe = describe,
		.process_count = 1,
		.limit.fire = stop};
	REQUIRE(loop_open(&server->loop) == 0);
	REQUIRE(control_open(&server->control, server->loop, arena,
			test_folder(), &err) == 0);
}

static void
close_server(struct server *server)
{
	control_close(&server->control);
	control_close(&server->control);
	loop_close(&server->loop);
}

/* Serves while `function` runs in a child; its exit status. */
struct child_end {
	struct loop_watch watch;
	struct server *server;
};

static void
child_ended(struct loop_watch *watch, unsigned events)
{
	struct child_end *end = CONTAINER_OF(watch, struct child_end, watch);

	(void)events;
	loop_unwatch(end->server->loop, watch);
	loop_stop(end->server->loop);
}

static int
serve(struct server *server, int (*function)(void))
{
	struct child_end end = {
		.watch = {.fd = -1, .ready = child_ended}, .server = server};
	int life[2], status;
	pid_t child;

	REQUIRE(pipe(life) == 0);
	REQUIRE((child = fork()) >= 0);
	if (child == 0) {
		close(life[0]);
		_exit(function());
	}
	close(life[1]);
	REQUIRE(loop_watch(server->loop, &end.watch, life[0], LOOP_READ) == 0);
	loop_timer(
		server->loop, &server->limit, clock_monotonic_ms() + WAIT_MS);
	loop_run(server->loop);
	close(life[0]);
	REQUIRE(waitpid(child, &status, 0) == child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The value of a key of the outermost object. */
static struct str
value(struct arena *arena, struct str text, const char *name)
{
	struct json_reader reader;
	struct json_item item;
	struct str found = STR_EMPTY;

	json_read(&reader, arena, text);
	while (json_next(&reader, &item))
		if (item.depth == 1 && str_is(item.name, name))
			found = item.text;
	CHECK(!reader.is_broken);
	return found;
}

static int
ask_once(void)
{
	struct arena *arena = arena_open();
	struct str text;
	struct err err;

	REQUIRE(control_ask(arena, test_folder(), WAIT_MS, &text, &err) == 0);
	CHECK_STR_IS(value(arena, text, "version"), "1.2");
	CHECK_STR_IS(value(arena, text, "generation"), "1");
	return str_is(value(arena, text, "pid"), "44") ? 3 : 0;
}

TEST(a_question_is_answered)
{
	struct arena *arena = arena_open();
	struct server server;
	struct stat status = {0};

	umask(0);
	open_server(&server, arena);
	CHECK(stat(test_path("control"), &status) == 0);
	CHECK_UINT(status.st_mode & 07777, 0600);
	CHECK_INT(serve(&server, ask_once), 3);
	CHECK_UINT(server.control.client_count, 0);
	close_server(&server);
	CHECK(access(test_path("control"), F_OK) < 0);
	arena_close(&arena);
}

static int
say_nonsense(void)
{
	struct arena *arena = arena_open();
	struct channel channel;
	struct frame frame;
	struct err err;

	channel_open(&channel, channel_connect(test_path("control")), true);
	frame_begin(&frame, WIRE_DRAIN);
	if (channel_send(&channel, &frame, &err) < 0)
		return 1;
	if (!channel_wait(&channel, clock_monotonic_ms() + WAIT_MS))
		return 2;
	if (channel_receive(&channel, arena, &frame, &err) != LOOKUP_ERROR)
		return 5;
	return ask_once();
}

TEST(who_says_anything_else_is_dropped_alone)
{
	struct arena *arena = arena_open();
	struct server server;

	open_server(&server, arena);
	CHECK_INT(serve(&server, say_nonsense), 3);
	close_server(&server);
	arena_close(&arena);
}

static int
crowd(void)
{
	int i;

	for (i = 0; i < 3 * CONTROL_CLIENTS_MAX; i++)
		if (channel_connect(test_path("control")) < 0)
			return 1;
	return ask_once();
}

TEST(clients_that_only_stay_keep_nobody_out)
{
	struct arena *arena = arena_open();
	struct server server;

	open_server(&server, arena);
	CHECK_INT(serve(&server, crowd), 3);
	CHECK(server.control.client_count <= CONTROL_CLIENTS_MAX);
	close_server(&server);
	arena_close(&arena);
}

/* Asks without end and reads nothing: neither memory nor the others suffer. */
static int
ask_deaf(void)
{
	struct channel channel;
	struct frame frame;
	struct err err;
	int i;

	channel_open(&channel, channel_connect(test_path("control")), false);
	for (i = 0; i < 10000; i++) {
		frame_begin(&frame, WIRE_STATUS);
		if (channel_send(&channel, &frame, &err) < 0)
			break;
	}
	return control_ask(arena_open(), test_folder(), WAIT_MS,
		       &(struct str){0}, &err) == 0
	               ? 3
	               : 0;
}

TEST(a_client_that_reads_nothing_costs_nothing)
{
	struct arena *arena = arena_open();
	struct server server;

	open_server(&server, arena);
	server.process_count = 500;
	CHECK_INT(serve(&server, ask_deaf), 3);
	CHECK(server.questions < 200);
	close_server(&server);
	arena_close(&arena);
}

TEST(too_many_processes_are_counted)
{
	struct arena *arena = arena_open();
	struct control_process *processes =
		ARENA_ARRAY(arena, struct control_process, 5000);
	struct control_status status = {.version = "",
		.state = "",
		.reload_error = "",
		.processes = processes,
		.process_count = 5000};
	struct wire_status_text text;
	struct frame frame;
	size_t i;

	for (i = 0; i < 5000; i++)
		processes[i] =
			(struct control_process){.kind = "worker", .state = ""};
	text.json = control_status_json(arena, &status);
	CHECK(!str_is(value(arena, text.json, "processes_not_shown"), "0"));
	frame_begin(&frame, WIRE_STATUS_TEXT);
	wire_status_text(&frame, &text);
	CHECK(frame_is_whole(&frame));
	frame_close(&frame);
	arena_close(&arena);
}

TEST(without_a_server_the_socket_is_named)
{
	struct arena *arena = arena_open();
	struct str text;
	struct err err;

	CHECK_INT(control_ask(arena, "/nonexistent", 1000, &text, &err), -1);
	CHECK(strstr(err.detail, "/nonexistent/control") != NULL);
	arena_close(&arena);
}
