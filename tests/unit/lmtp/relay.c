/* SPDX-License-Identifier: MIT */
#include "lmtp/relay.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fd.h"
#include "tests/lib/test.h"

#include "base/banned.h"

enum { MANY = 1 << 20 };

/* A relay as a child, with what the client has of it. */
struct relay {
	pid_t pid;
	int input, output;
};

static struct relay
start(const char *target, const char *base_dir)
{
	int in[2], out[2];
	struct relay relay;

	REQUIRE(pipe(in) == 0 && pipe(out) == 0);
	relay = (struct relay){fork(), in[1], out[0]};
	REQUIRE(relay.pid >= 0);
	if (relay.pid > 0) {
		close(in[0]);
		close(out[1]);
		return relay;
	}
	dup2(in[0], STDIN_FILENO);
	dup2(out[1], STDOUT_FILENO);
	close(in[0]);
	close(in[1]);
	close(out[0]);
	close(out[1]);
	_exit(relay_main(target, base_dir));
}

static int
end(struct relay *relay)
{
	int status;

	fd_close(&relay->input);
	fd_close(&relay->output);
	REQUIRE(waitpid(relay->pid, &status, 0) == relay->pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
listen_unix(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	REQUIRE(fd >= 0 && strlen(path) < sizeof(address.sun_path));
	memcpy(address.sun_path, path, strlen(path) + 1);
	REQUIRE(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	REQUIRE(listen(fd, 1) == 0);
	return fd;
}

static int
take(int listener)
{
	int fd = accept(listener, NULL, NULL);

	REQUIRE(fd >= 0);
	return fd;
}

/* Reads until `len` bytes are there or the end; the count. */
static size_t
read_all(int fd, char *bytes, size_t len)
{
	size_t at = 0;
	ssize_t got = 1;

	while (at < len && got > 0) {
		got = read(fd, bytes + at, len - at);
		if (got > 0)
			at += (size_t)got;
	}
	return at;
}

static void
check_next(int fd, const char *expected)
{
	char bytes[512] = "";

	read_all(fd, bytes, strlen(expected));
	CHECK_STR(bytes, expected);
}

static void
say(int fd, const char *text)
{
	REQUIRE(fd_write(fd, str_from(text)) == 0);
}

TEST(both_directions_are_joined)
{
	int listener = listen_unix(test_path("lmtp")), server;
	struct relay relay = start(test_path("lmtp"), "/nonexistent");
	char byte;

	server = take(listener);
	say(server, "220 mx\r\n");
	check_next(relay.output, "220 mx\r\n");
	say(relay.input, "LHLO a\r\n");
	check_next(server, "LHLO a\r\n");
	say(server, "221 bye\r\n");
	close(server);
	check_next(relay.output, "221 bye\r\n");
	CHECK_INT(read(relay.output, &byte, 1), 0);
	CHECK_INT(end(&relay), 0);
}

TEST(a_relative_path_is_in_base_dir)
{
	int listener = listen_unix(test_path("lmtp")), server;
	struct relay relay = start("lmtp", test_folder());

	server = take(listener);
	say(server, "hello");
	check_next(relay.output, "hello");
	close(server);
	CHECK_INT(end(&relay), 0);
}

/* What the client still wants to know after its last word is answered. */
TEST(the_clients_end_is_passed_on_and_the_answer_still_comes)
{
	int listener = listen_unix(test_path("lmtp")), server;
	struct relay relay = start(test_path("lmtp"), "");
	char bytes[16];

	server = take(listener);
	say(relay.input, "QUIT");
	fd_close(&relay.input);
	CHECK_UINT(read_all(server, bytes, sizeof(bytes)), 4);
	say(server, "221");
	close(server);
	check_next(relay.output, "221");
	CHECK_INT(end(&relay), 0);
}

/* More than any buffer holds, to a reader that comes late. */
TEST(nothing_is_lost_on_its_way_to_a_slow_reader)
{
	int listener = listen_unix(test_path("lmtp")), server;
	struct relay relay = start(test_path("lmtp"), "");
	struct arena *arena = arena_open();
	char *sent = arena_alloc(arena, MANY), *got = arena_alloc(arena, MANY);
	size_t i;
	pid_t writer;
	int status;

	for (i = 0; i < MANY; i++)
		sent[i] = (char)(i * 7 + i / 251);
	server = take(listener);
	REQUIRE((writer = fork()) >= 0);
	if (writer == 0) {
		say(relay.input, "");
		_exit(fd_write(server, str_of(sent, MANY)) == 0 &&
					fd_write(relay.input,
						str_of(sent, MANY)) == 0
				? 0
				: 1);
	}
	CHECK_UINT(read_all(relay.output, got, MANY), MANY);
	CHECK(memcmp(sent, got, MANY) == 0);
	memset(got, 0, MANY);
	CHECK_UINT(read_all(server, got, MANY), MANY);
	CHECK(memcmp(sent, got, MANY) == 0);
	REQUIRE(waitpid(writer, &status, 0) == writer);
	CHECK_INT(status, 0);
	close(server);
	CHECK_INT(end(&relay), 0);
	arena_close(&arena);
}

TEST(a_client_that_has_gone_ends_it)
{
	int listener = listen_unix(test_path("lmtp")), server;
	struct relay relay = start(test_path("lmtp"), "");
	char byte;

	server = take(listener);
	fd_close(&relay.output);
	say(server, "220 mx\r\n");
	CHECK_UINT(read_all(server, &byte, 1), 0);
	CHECK_INT(end(&relay), 75);
	close(server);
}

static int
listen_inet(int family, char *target, size_t size)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 v6 = {
		.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	bool is_v6 = family == AF_INET6;
	struct sockaddr *address =
		is_v6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
	socklen_t len = is_v6 ? sizeof(v6) : sizeof(v4);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, address, len) < 0)
		return -1;
	REQUIRE(listen(fd, 1) == 0 && getsockname(fd, address, &len) == 0);
	snprintf(target, size, "%s:%u", is_v6 ? "[::1]" : "127.0.0.1",
		ntohs(is_v6 ? v6.sin6_port : v4.sin_port));
	return fd;
}

static void
check_inet(int family)
{
	char target[64];
	int listener = listen_inet(family, target, sizeof(target)), server;
	struct relay relay;

	if (listener < 0)
		SKIP("there is no such protocol here");
	relay = start(target, "");
	server = take(listener);
	say(server, "hello");
	check_next(relay.output, "hello");
	close(server);
	CHECK_INT(end(&relay), 0);
}

TEST(a_port_can_be_named)
{
	check_inet(AF_INET);
}

TEST(an_ipv6_address_stands_in_brackets)
{
	check_inet(AF_INET6);
}

static void
check_unreachable(const char *target)
{
	struct relay relay = start(target, test_folder());
	char bytes[512] = "";

	read_all(relay.output, bytes, sizeof(bytes) - 1);
	CHECK(strncmp(bytes, "421 4.3.2 ", 10) == 0);
	CHECK(strlen(bytes) > 2 &&
		strcmp(bytes + strlen(bytes) - 2, "\r\n") == 0);
	CHECK_INT(end(&relay), 75);
}

TEST(a_server_that_cannot_be_reached_is_told_in_lmtp)
{
	char target[64], path[300];
	int listener = listen_inet(AF_INET, target, sizeof(target));

	close(listener);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	check_unreachable(target);
	check_unreachable("/nonexistent/lmtp");
	check_unreachable("lmtp");
	check_unreachable("127.0.0.1:no-such-service");
	check_unreachable(path);
}
