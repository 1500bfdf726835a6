/* SPDX-License-Identifier: MIT */
#include "tests/unit/server/statehelp.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conf/conf.h"
#include "server/child.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static const struct settings *
load(const struct state_server *server)
{
	const char *overrides[] = {
		arena_format(server->arena, "state_dir=%s", server->folder),
		arena_format(server->arena, "lmtp_unconfirmed_time=%s",
			server->lifetime)};
	const struct conf_source source = {.only_defaults = true,
		.overrides = overrides,
		.override_count = ARRAY_LENGTH(overrides)};
	const struct settings *settings;
	struct conf_report report = {0};

	REQUIRE(conf_load(server->arena, &source, &settings, &report) == 0);
	return settings;
}

void
state_server_init(struct state_server *server)
{
	*server = (struct state_server){.arena = arena_open(),
		.socket = test_path("socket"),
		.folder = test_path("state"),
		.lifetime = "1 day",
		.pid = -1,
		.master.fd = -1,
		.link.fd = -1};
	REQUIRE(mkdir(server->folder, 0700) == 0);
	server->listener = channel_listen(server->socket, 0666);
	REQUIRE(server->listener >= 0);
}

NO_RETURN static void
be_state(const struct state_server *server, int fd)
{
	struct child child = {.arena = server->arena,
		.kind = WIRE_KIND_STATE,
		.settings = load(server)};
	int status;

	close(server->listener);
	channel_open(&child.master, fd, true);
	status = state_main(&child);
	fflush(NULL);
	_exit(status);
}

static void
give_listener(struct state_server *server)
{
	struct wire_listener listener = {
		.fd = server->listener, .name = "state"};
	struct frame frame;
	struct err err;

	frame_begin(&frame, WIRE_LISTENER);
	wire_listener(&frame, &listener);
	REQUIRE(channel_send(&server->master, &frame, &err) == 0);
}

static void
give_link(struct state_server *server, bool is_mailer, struct channel *link)
{
	struct wire_state_link message = {.is_mailer = is_mailer};
	struct frame frame;
	struct err err;
	int fds[2];

	REQUIRE(channel_pair(fds) == 0);
	channel_open(link, fds[0], true);
	message.fd = fds[1];
	frame_begin(&frame, WIRE_STATE_LINK);
	wire_state_link(&frame, &message);
	REQUIRE(channel_send(&server->master, &frame, &err) == 0);
	close(fds[1]);
}

void
state_server_link_mailer(struct state_server *server, struct channel *link)
{
	give_link(server, true, link);
}

void
state_server_start(struct state_server *server)
{
	struct frame frame;
	struct err err;
	int fds[2];

	REQUIRE(channel_pair(fds) == 0);
	fflush(NULL);
	server->pid = fork();
	REQUIRE(server->pid >= 0);
	if (server->pid == 0) {
		close(fds[0]);
		be_state(server, fds[1]);
	}
	close(fds[1]);
	channel_open(&server->master, fds[0], true);
	if (channel_receive(&server->master, server->arena, &frame, &err) !=
		LOOKUP_FOUND)
		return; /* it ended; state_server_wait() tells how */
	CHECK_INT(frame.type, WIRE_READY);
	frame_close(&frame);
	give_listener(server);
	give_link(server, false, &server->link);
}

int
state_server_wait(struct state_server *server)
{
	int status;

	while (waitpid(server->pid, &status, 0) < 0)
		REQUIRE(errno == EINTR);
	server->pid = -1;
	channel_close(&server->master);
	channel_close(&server->link);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status)
	                           : WEXITSTATUS(status);
}

int
state_server_kill(struct state_server *server)
{
	kill(server->pid, SIGKILL);
	return state_server_wait(server);
}

int
state_server_stop(struct state_server *server)
{
	struct wire_drain drain = {.is_stop = true};
	struct frame frame;
	struct err err;

	frame_begin(&frame, WIRE_DRAIN);
	wire_drain(&frame, &drain);
	REQUIRE(channel_send(&server->master, &frame, &err) == 0);
	return state_server_wait(server);
}
