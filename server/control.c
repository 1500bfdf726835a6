/* SPDX-License-Identifier: MIT */
#include "server/control.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "ipc/channel.h"

#include "base/banned.h"

/* Room is left for what follows the list of processes. */
enum { TEXT_MAX = FRAME_MAX - 1024, PROCESSES_TEXT_MAX = 96 * 1024 };

/* ---- the text ---- */

static void
add_counters(
	struct json *json, const struct wire_counter *counters, size_t count)
{
	size_t i;

	json_open(json, "counters", '{');
	for (i = 0; i < count; i++)
		json_number(json, counters[i].name, counters[i].value);
	json_close(json);
}

static void
add_process(struct json *json, const struct control_process *process)
{
	json_open(json, NULL, '{');
	json_text(json, "kind", str_from(process->kind));
	json_number(json, "pid", (uint64_t)process->pid);
	json_number(json, "uid", process->uid);
	json_number(json, "generation", process->generation);
	json_text(json, "state", str_from(process->state));
	json_number(json, "jobs", process->jobs);
	json_number(json, "since", process->since_s);
	json_text(json, "confinement",
		str_from(process->confinement != NULL ? process->confinement
						      : ""));
	add_counters(json, process->counters, process->counter_count);
	json_close(json);
}

static void
add_head(struct json *json, const struct control_status *status)
{
	json_text(json, "version", str_from(status->version));
	json_number(json, "pid", (uint64_t)status->pid);
	json_text(json, "state", str_from(status->state));
	json_text(json, "mode", status->is_root ? STR("root") : STR("user"));
	json_number(json, "uid", status->uid);
	json_number(json, "since", status->since_s);
	json_number(json, "now", status->now_s);
	json_number(json, "generation", status->generation);
	json_text(json, "reload_error", str_from(status->reload_error));
	add_counters(json, status->counters, status->counter_count);
}

static void
add_ended(struct json *json, const struct control_status *status)
{
	size_t i;

	json_open(json, "ended", '[');
	for (i = 0; i < status->ended_count; i++) {
		json_open(json, NULL, '{');
		json_text(json, "kind", str_from(status->ended[i].kind));
		add_counters(json, status->ended[i].counters,
			status->ended[i].counter_count);
		json_close(json);
	}
	json_close(json);
}

struct str
control_status_json(struct arena *arena, const struct control_status *status)
{
	struct json json;
	struct buf text;
	struct str result;
	size_t i;

	buf_init(&text, TEXT_MAX);
	json_init_buf(&json, &text);
	json_open(&json, NULL, '{');
	add_head(&json, status);
	add_ended(&json, status);
	json_open(&json, "listeners", '[');
	for (i = 0;
		i < status->listener_count && text.len < PROCESSES_TEXT_MAX / 2;
		i++)
		json_text(&json, NULL, str_from(status->listeners[i]));
	json_close(&json);
	json_open(&json, "processes", '[');
	for (i = 0; i < status->process_count && text.len < PROCESSES_TEXT_MAX;
		i++)
		add_process(&json, &status->processes[i]);
	json_close(&json);
	json_number(&json, "processes_not_shown", status->process_count - i);
	json_close(&json);
	result = arena_copy(arena, buf_view(&text));
	buf_clear(&text);
	return result;
}

/* ---- clients ---- */

struct control_client {
	struct control *control;
	struct control_client *next;
	struct channel channel;
	struct loop_watch watch;
};

static void
drop(struct control_client *client)
{
	struct control *control = client->control;
	struct control_client **place = &control->clients;

	while (*place != client)
		place = &(*place)->next;
	*place = client->next;
	control->client_count--;
	loop_unwatch(control->loop, &client->watch);
	channel_close(&client->channel);
	memory_free(client);
}

static bool
find_answer(struct control *control, struct arena *arena, struct frame *frame,
	struct str *json_out)
{
	struct control_status status = {.version = ""};

	if (frame->type != WIRE_STATUS)
		return control->other != NULL &&
		       control->other(control, arena, frame, json_out);
	if (!frame_is_whole(frame))
		return false;
	control->describe(control, arena, &status);
	*json_out = control_status_json(arena, &status);
	return true;
}

static int
answer(struct control_client *client, struct str json)
{
	struct wire_status_text text = {.json = json};
	struct frame frame;
	struct err err;

	frame_begin(&frame, WIRE_STATUS_TEXT);
	wire_status_text(&frame, &text);
	return channel_send(&client->channel, &frame, &err);
}

/* One question after the other; -1: the client is not worth keeping. */
static int
take_questions(struct control_client *client, struct arena *arena)
{
	struct frame frame;
	struct err err;
	enum lookup found;
	struct str json;
	bool is_question;

	for (;;) {
		found = channel_receive(&client->channel, arena, &frame, &err);
		if (found != LOOKUP_FOUND)
			return found == LOOKUP_NONE ? 0 : -1;
		is_question =
			find_answer(client->control, arena, &frame, &json);
		frame_close(&frame);
		if (!is_question || answer(client, json) < 0)
			return -1;
		/* It reads what it has asked for first. */
		if (channel_is_waiting(&client->channel))
			return 0;
	}
}

static void
client_ready(struct loop_watch *watch, unsigned events)
{
	struct control_client *client =
		CONTAINER_OF(watch, struct control_client, watch);
	struct arena *arena = arena_open();
	struct err err;
	int result = 0;

	if (channel_is_waiting(&client->channel))
		result = channel_flush(&client->channel, &err);
	if (result == 0 && !channel_is_waiting(&client->channel))
		result = take_questions(client, arena);
	arena_close(&arena);
	if (result < 0 || (events & LOOP_HANGUP) != 0)
		drop(client);
	else
		loop_watch_for(client->control->loop, watch,
			channel_is_waiting(&client->channel) ? LOOP_WRITE
							     : LOOP_READ);
}

static void
drop_oldest(struct control *control)
{
	struct control_client *client = control->clients;

	while (client->next != NULL)
		client = client->next;
	drop(client);
}

static void
add_client(struct control *control, int fd)
{
	struct control_client *client = memory_get(sizeof(*client));

	if (control->client_count == CONTROL_CLIENTS_MAX)
		drop_oldest(control);
	client->control = control;
	client->watch.ready = client_ready;
	channel_open(&client->channel, fd, false);
	client->next = control->clients;
	control->clients = client;
	control->client_count++;
	if (loop_watch(control->loop, &client->watch, fd, LOOP_READ) < 0)
		drop(client);
}

static void
accept_client(struct loop_watch *watch, unsigned events)
{
	struct control *control = CONTAINER_OF(watch, struct control, watch);
	int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd >= 0)
		add_client(control, fd);
}

/* ---- the socket ---- */

int
control_open(struct control *control, struct loop *loop, struct arena *arena,
	const char *base_dir, struct err *err)
{
	/* Nobody else may connect before the mode is set. */
	mode_t old = umask(0177);
	int fd;

	control->loop = loop;
	control->path = arena_format(arena, "%s/control", base_dir);
	control->watch = (struct loop_watch){.fd = -1, .ready = accept_client};
	control->clients = NULL;
	control->client_count = 0;
	fd = channel_listen(control->path, 0600);
	umask(old);
	if (fd < 0)
		return err_temp_errno(
			err, "4.3.5", "cannot listen on %s", control->path);
	if (loop_watch(loop, &control->watch, fd, LOOP_READ) == 0)
		return 0;
	err_temp_errno(err, "4.3.5", "cannot watch %s", control->path);
	close(fd);
	return -1;
}

void
control_close(struct control *control)
{
	int fd = control->watch.fd;

	if (fd < 0)
		return;
	while (control->clients != NULL)
		drop(control->clients);
	loop_unwatch(control->loop, &control->watch);
	close(fd);
	control->watch.fd = -1;
	if (unlink(control->path) < 0 && errno != ENOENT)
		log_warning(
			"cannot remove %s: %s", control->path, strerror(errno));
}

/* ---- for doorstep ---- */

static int
receive_text(struct arena *arena, struct channel *channel, uint64_t until_ms,
	struct str *json_out, struct err *err)
{
	struct wire_status_text text = {.json = STR_EMPTY};
	struct frame frame;
	bool is_good;

	if (!channel_wait(channel, until_ms))
		return err_temp(err, "4.3.0", "the server does not answer");
	if (channel_receive(channel, arena, &frame, err) != LOOKUP_FOUND)
		return err_temp(err, "4.3.0", "the server gave no answer");
	wire_status_text(&frame, &text);
	is_good = frame.type == WIRE_STATUS_TEXT && frame_is_whole(&frame);
	*json_out = arena_copy(arena, text.json);
	frame_close(&frame);
	if (!is_good)
		return err_temp(err, "4.3.0",
			"the server's answer is not understood; is it of "
			"another release?");
	return 0;
}

int
control_ask(struct arena *arena, const char *base_dir, uint64_t timeout_ms,
	struct str *json_out, struct err *err)
{
	struct frame frame;

	frame_begin(&frame, WIRE_STATUS);
	return control_ask_frame(
		arena, base_dir, timeout_ms, &frame, json_out, err);
}

int
control_ask_frame(struct arena *arena, const char *base_dir,
	uint64_t timeout_ms, struct frame *question, struct str *json_out,
	struct err *err)
{
	const char *path = arena_format(arena, "%s/control", base_dir);
	struct channel channel;
	int fd = channel_connect(path), result;

	if (fd < 0) {
		frame_close(question);
		return err_temp_errno(err, "4.3.0", "cannot ask %s", path);
	}
	channel_open(&channel, fd, true);
	result = channel_send(&channel, question, err);
	if (result == 0)
		result = receive_text(arena, &channel,
			clock_monotonic_ms() + timeout_ms, json_out, err);
	channel_close(&channel);
	return result;
}

int
control_peer(struct arena *arena, const char *base_dir, pid_t *pid_out,
	struct err *err)
{
	const char *path = arena_format(arena, "%s/control", base_dir);
	int fd = channel_connect(path), result;
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (fd < 0)
		return err_temp_errno(err, "4.3.0", "cannot ask %s", path);
	result = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len);
	if (result < 0)
		err_temp_errno(err, "4.3.0", "SO_PEERCRED of %s", path);
	else
		*pid_out = peer.pid;
	close(fd);
	return result;
}
