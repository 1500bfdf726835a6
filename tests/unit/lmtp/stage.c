/* SPDX-License-Identifier: MIT */
#include "tests/unit/lmtp/stage.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "conf/conf.h"
#include "server/certificates.h"
#include "server/child.h"
#include "lmtp/front.h"
#include "tests/lib/test.h"

#include "base/banned.h"

enum { SILENCE_MS = 150 };

/* ---- the front ---- */

static const struct settings *
load(struct arena *arena, const char *text)
{
	const struct conf_source source = {.file = test_file("conf", text),
		.protocol = CONF_PROTOCOL_LMTP};
	const struct settings *settings;
	struct conf_report report = {0};

	REQUIRE(conf_load(arena, &source, &settings, &report) == 0);
	return settings;
}

static void
play_front(const struct settings *settings, int master, bool is_single,
	int certificates, const char *log)
{
	struct child child = {.arena = arena_open(),
		.kind = WIRE_KIND_FRONT,
		.boot.certificates = certificates,
		.settings = settings};

	log_open(&(struct log_settings){.path = log,
		.info_path = "",
		.debug_path = "",
		.facility = "mail",
		.timestamp = ""});
	child.boot.is_single = is_single;
	channel_open(&child.master, master, false);
	_exit(front_main(&child));
}

static struct stage
open_stage(const char *text, bool is_single)
{
	struct stage stage = {.arena = arena_open(),
		.log = test_path("log"),
		.socket = test_path("lmtp")};
	const struct settings *settings = load(stage.arena, text);
	struct frame ready;
	int pair[2], certificates;
	struct err err;

	REQUIRE(certificates_write(settings, &certificates, &err) == 0);
	REQUIRE(channel_pair(pair) == 0);
	stage.front = fork();
	REQUIRE(stage.front >= 0);
	if (stage.front == 0) {
		close(pair[0]);
		play_front(
			settings, pair[1], is_single, certificates, stage.log);
	}
	close(pair[1]);
	fd_close(&certificates);
	channel_open(&stage.master, pair[0], false);
	ready = stage_receive(&stage, &stage.master, WIRE_READY);
	frame_close(&ready);
	return stage;
}

struct stage
stage_open(const char *settings)
{
	return open_stage(settings, false);
}

struct stage
stage_open_single(const char *settings)
{
	return open_stage(settings, true);
}

int
stage_wait(struct stage *stage)
{
	uint64_t until = clock_monotonic_ms() + STAGE_MS;
	int status = -1;
	pid_t got;

	while ((got = waitpid(stage->front, &status, WNOHANG)) == 0 &&
		clock_monotonic_ms() < until)
		poll(NULL, 0, 2);
	REQUIRE(got == stage->front);
	CHECK(WIFEXITED(status));
	channel_close(&stage->master);
	arena_close(&stage->arena);
	return WEXITSTATUS(status);
}

int
stage_close(struct stage *stage)
{
	channel_close(&stage->master);
	return stage_wait(stage);
}

const char *
stage_log(const struct stage *stage)
{
	return access(stage->log, R_OK) == 0 ? test_read(stage->log).data : "";
}

static unsigned
count_of(const char *text, const char *part)
{
	unsigned count = 0;

	while ((text = strstr(text, part)) != NULL) {
		count++;
		text += strlen(part);
	}
	return count;
}

void
stage_wait_for_log(const struct stage *stage, const char *text, unsigned count)
{
	uint64_t until = clock_monotonic_ms() + STAGE_MS;

	while (count_of(stage_log(stage), text) < count) {
		if (clock_monotonic_ms() > until) {
			test_failed(__FILE__, __LINE__, text);
			test_failed(__FILE__, __LINE__, stage_log(stage));
			test_end();
		}
		poll(NULL, 0, 5);
	}
}

/* ---- what master says ---- */

static void
send_listener(struct stage *stage, int fd, const char *name, bool is_inet)
{
	struct frame frame;
	struct wire_listener message = {
		.fd = fd, .name = name, .is_inet = is_inet};

	frame_begin(&frame, WIRE_LISTENER);
	wire_listener(&frame, &message);
	stage_send(&stage->master, &frame);
	close(fd);
}

void
stage_listen(struct stage *stage)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	REQUIRE(strlen(stage->socket) < sizeof(address.sun_path));
	memcpy(address.sun_path, stage->socket, strlen(stage->socket) + 1);
	REQUIRE(fd >= 0 &&
		bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
		listen(fd, 1000) == 0);
	send_listener(stage, fd, "lmtp", false);
}

static socklen_t
make_address(const char *text, unsigned port, struct sockaddr_storage *address)
{
	struct sockaddr_in *ipv4 = (void *)address;
	struct sockaddr_in6 *ipv6 = (void *)address;

	memset(address, 0, sizeof(*address));
	if (strchr(text, ':') == NULL) {
		ipv4->sin_family = AF_INET;
		ipv4->sin_port = htons((uint16_t)port);
		REQUIRE(inet_pton(AF_INET, text, &ipv4->sin_addr) == 1);
		return sizeof(*ipv4);
	}
	ipv6->sin6_family = AF_INET6;
	ipv6->sin6_port = htons((uint16_t)port);
	REQUIRE(inet_pton(AF_INET6, text, &ipv6->sin6_addr) == 1);
	return sizeof(*ipv6);
}

unsigned
stage_listen_inet(struct stage *stage, const char *text)
{
	struct sockaddr_storage address;
	socklen_t len = make_address(text, 0, &address);
	int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	unsigned port;

	if (fd < 0)
		SKIP("no such family here");
	if (bind(fd, (struct sockaddr *)&address, len) < 0)
		SKIP("no such address here");
	REQUIRE(listen(fd, 100) == 0 &&
		getsockname(fd, (struct sockaddr *)&address, &len) == 0);
	port = ntohs(((struct sockaddr_in *)(void *)&address)->sin_port);
	send_listener(stage, fd, "inet", true);
	return port;
}

void
stage_stdio(struct stage *stage, int input, int output)
{
	struct frame frame;
	struct wire_stdio message = {input, output};

	frame_begin(&frame, WIRE_STDIO);
	wire_stdio(&frame, &message);
	stage_send(&stage->master, &frame);
}

void
stage_drain(struct stage *stage, bool is_stop)
{
	struct frame frame;
	struct wire_drain message = {is_stop};

	frame_begin(&frame, WIRE_DRAIN);
	wire_drain(&frame, &message);
	stage_send(&stage->master, &frame);
}

struct channel
stage_worker(struct stage *stage, uint32_t number)
{
	struct wire_worker message = {.worker = number};
	struct channel channel;
	struct frame frame;
	int pair[2];

	REQUIRE(channel_pair(pair) == 0);
	message.fd = pair[1];
	frame_begin(&frame, WIRE_WORKER);
	wire_worker(&frame, &message);
	stage_send(&stage->master, &frame);
	close(pair[1]);
	channel_open(&channel, pair[0], false);
	return channel;
}

struct channel
stage_state(struct stage *stage)
{
	struct wire_state_link message = {.is_mailer = false};
	struct channel channel;
	struct frame frame;
	int pair[2];

	REQUIRE(channel_pair(pair) == 0);
	message.fd = pair[1];
	frame_begin(&frame, WIRE_STATE_LINK);
	wire_state_link(&frame, &message);
	stage_send(&stage->master, &frame);
	close(pair[1]);
	channel_open(&channel, pair[0], false);
	return channel;
}

/* ---- frames ---- */

struct frame
stage_receive(struct stage *stage, struct channel *channel, enum wire_type type)
{
	uint64_t until = clock_monotonic_ms() + STAGE_MS;
	struct frame frame;
	struct err err;

	for (;;) {
		enum lookup found;

		REQUIRE(channel_wait(channel, until));
		found = channel_receive(channel, stage->arena, &frame, &err);
		REQUIRE(found != LOOKUP_ERROR);
		if (found == LOOKUP_FOUND && frame.type != WIRE_COUNTERS)
			break;
	}
	CHECK_INT(frame.type, type);
	REQUIRE(frame.type == type);
	return frame;
}

void
stage_send(struct channel *channel, struct frame *frame)
{
	struct err err;

	REQUIRE(channel_send(channel, frame, &err) == 0);
	REQUIRE(!channel_is_waiting(channel));
}

bool
stage_is_silent(struct stage *stage, struct channel *channel)
{
	uint64_t until = clock_monotonic_ms() + SILENCE_MS;
	struct frame frame;
	struct err err;

	while (channel_wait(channel, until)) {
		enum lookup found =
			channel_receive(channel, stage->arena, &frame, &err);

		if (found == LOOKUP_ERROR)
			return false;
		if (found == LOOKUP_FOUND && frame.type != WIRE_COUNTERS) {
			CHECK_INT(frame.type, 0);
			return false;
		}
	}
	return true;
}

/* ---- clients ---- */

static int
try_connect(const struct stage *stage, int *client_out)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	*client_out = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	REQUIRE(*client_out >= 0);
	memcpy(address.sun_path, stage->socket, strlen(stage->socket) + 1);
	return connect(
		*client_out, (struct sockaddr *)&address, sizeof(address));
}

int
client_connect(const struct stage *stage)
{
	int client;

	REQUIRE(try_connect(stage, &client) == 0);
	return client;
}

bool
client_may_connect(const struct stage *stage)
{
	int client;
	bool may = try_connect(stage, &client) == 0;

	close(client);
	return may;
}

int
client_connect_inet(const char *text, unsigned port)
{
	struct sockaddr_storage address;
	socklen_t len = make_address(text, port, &address);
	int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	REQUIRE(fd >= 0 && connect(fd, (struct sockaddr *)&address, len) == 0);
	return fd;
}

void
client_say(int client, const char *text)
{
	REQUIRE(fd_write(client, str_from(text)) == 0);
}

static bool
can_read(int client)
{
	struct pollfd wanted = {.fd = client, .events = POLLIN};

	return poll(&wanted, 1, STAGE_MS) > 0;
}

/* Byte by byte: what follows is for the next one. */
static size_t
read_line(int client, char *line, size_t size)
{
	size_t len = 0;

	while (len < size - 1) {
		REQUIRE(can_read(client));
		if (fd_read(client, line + len, 1) != 1)
			break;
		if (line[len++] == '\n')
			break;
	}
	line[len] = '\0';
	return len;
}

void
client_expect(int client, const char *beginning)
{
	char line[1024];

	do
		if (read_line(client, line, sizeof(line)) == 0)
			break;
	while (line[0] != '\0' && line[3] == '-');
	if (strncmp(line, beginning, strlen(beginning)) != 0)
		CHECK_STR(line, beginning);
}

void
client_expect_end(int client)
{
	char bytes[4096];
	ssize_t got;

	do {
		REQUIRE(can_read(client));
		got = fd_read(client, bytes, sizeof(bytes));
	} while (got > 0);
	close(client);
}
