/* SPDX-License-Identifier: MIT */
#include "lmtp/relay.h"

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"

#include "base/banned.h"

enum { CONNECT_TIMEOUT_MS = 30 * 1000, ROOM = 64 * 1024 };

/* ---- connecting ---- */

/* A connected descriptor, or -1 with errno. */
static int
connect_to(const struct sockaddr *address, socklen_t len, uint64_t until_ms)
{
	uint64_t now = clock_monotonic_ms();
	uint64_t left = now < until_ms ? until_ms - now : 1;
	const struct timeval limit = {.tv_sec = (time_t)(left / 1000),
		.tv_usec = (suseconds_t)(left % 1000 * 1000)};
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int reason;

	if (fd < 0)
		return -1;
	/* It is a limit of connect(), too. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) ==
			0 &&
		connect(fd, address, len) == 0)
		return fd;
	reason = errno;
	close(fd);
	errno = reason == EINPROGRESS || reason == EAGAIN ? ETIMEDOUT : reason;
	return -1;
}

static int
connect_path(const char *target, const char *base_dir, uint64_t until_ms)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	bool is_relative = target[0] != '/';
	int len = snprintf(address.sun_path, sizeof(address.sun_path), "%s%s%s",
		is_relative ? base_dir : "", is_relative ? "/" : "", target);

	if (len >= (int)sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return connect_to(
		(struct sockaddr *)&address, sizeof(address), until_ms);
}

/* Each address of the host in turn. */
static int
connect_host(const char *host, const char *port, uint64_t until_ms,
	const char **reason_out)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL, *item;
	int result = getaddrinfo(host, port, &hints, &found), fd = -1;

	if (result != 0) {
		*reason_out = gai_strerror(result);
		return -1;
	}
	for (item = found; item != NULL && fd < 0; item = item->ai_next)
		fd = connect_to(item->ai_addr, item->ai_addrlen, until_ms);
	if (fd < 0)
		*reason_out = strerror(errno);
	freeaddrinfo(found);
	return fd;
}

/* "[::1]:24" or "HOST:24"; false: it is neither, so it is a path. */
static bool
split_target(const char *target, char *host, size_t size, const char **port_out)
{
	struct str whole = str_from(target), name;
	size_t colon = str_find_last_char(whole, ':');

	if (target[0] == '/' || colon == whole.len || colon == 0 ||
		str_has_char(whole, '/'))
		return false;
	name = str_slice(whole, 0, colon);
	if (str_starts(name, STR("[")) && str_ends(name, STR("]")))
		name = str_slice(name, 1, name.len - 1);
	*port_out = target + colon + 1;
	return snprintf(host, size, "%.*s", STR_ARG(name)) < (int)size;
}

static int
open_target(const char *target, const char *base_dir, const char **reason_out)
{
	uint64_t until_ms = clock_monotonic_ms() + CONNECT_TIMEOUT_MS;
	char host[NI_MAXHOST];
	const char *port;
	int fd;

	if (split_target(target, host, sizeof(host), &port))
		return connect_host(host, port, until_ms, reason_out);
	fd = connect_path(target, base_dir, until_ms);
	if (fd < 0)
		*reason_out = strerror(errno);
	return fd;
}

/* What an LMTP client understands in place of a greeting. */
static int
say_unreachable(const char *target, const char *reason)
{
	char text[512];
	int len = snprintf(text, sizeof(text),
		"421 4.3.2 %s The LMTP server cannot be reached\r\n",
		clock_host());

	fprintf(stderr, "doorstep-lmtpd: cannot reach %s: %s\n", target,
		reason);
	/* When nobody reads it, there is the exit status. */
	if (fd_write(STDOUT_FILENO, str_of(text, (size_t)len)) < 0)
		return EX_TEMPFAIL;
	return EX_TEMPFAIL;
}

/* ---- relaying ---- */

/* Bytes on their way from one descriptor to another one. */
struct flow {
	int from, to; /* -1: at its end */
	size_t start, end;
	char bytes[ROOM];
};

static bool
is_empty(const struct flow *flow)
{
	return flow->start == flow->end;
}

/* What is not a socket of ours alone is not made non-blocking: others have it
 * open as well.  read() after poll() waits for nothing. */
static void
take(struct flow *flow)
{
	ssize_t got = fd_read(flow->from, flow->bytes, sizeof(flow->bytes));

	if (got < 0 && errno == EAGAIN)
		return;
	flow->start = 0;
	flow->end = got > 0 ? (size_t)got : 0;
	if (got <= 0)
		flow->from = -1;
}

/* A pipe that poll() calls writable takes PIPE_BUF bytes at once. */
static ssize_t
give_some(int fd, const char *bytes, size_t len)
{
	ssize_t done = send(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (done >= 0 || errno != ENOTSOCK)
		return done;
	return write(fd, bytes, len < PIPE_BUF ? len : PIPE_BUF);
}

static void
give(struct flow *flow)
{
	ssize_t done = give_some(
		flow->to, flow->bytes + flow->start, flow->end - flow->start);

	if (done >= 0)
		flow->start += (size_t)done;
	else if (errno != EAGAIN && errno != EINTR)
		flow->to = flow->from = -1;
}

/* Events to wait for: bytes are taken when those before them have gone. */
static void
add_waits(const struct flow *flow, struct pollfd *from, struct pollfd *to)
{
	*from = (struct pollfd){
		.fd = is_empty(flow) ? flow->from : -1, .events = POLLIN};
	*to = (struct pollfd){
		.fd = is_empty(flow) ? -1 : flow->to, .events = POLLOUT};
}

static void
move(struct flow *flow, const struct pollfd *from, const struct pollfd *to)
{
	if (from->fd >= 0 && from->revents != 0)
		take(flow);
	else if (to->fd >= 0 && to->revents != 0)
		give(flow);
}

static bool
is_done(const struct flow *flow)
{
	return flow->to < 0 || (flow->from < 0 && is_empty(flow));
}

/* The client's end is passed on; the server's is the end of all. */
static int
relay(struct flow *up, struct flow *down, int server)
{
	struct pollfd waits[4];
	bool is_shut = false;

	while (!is_done(down)) {
		add_waits(up, &waits[0], &waits[1]);
		add_waits(down, &waits[2], &waits[3]);
		if (poll(waits, 4, -1) < 0) {
			if (errno == EINTR)
				continue;
			return EX_TEMPFAIL;
		}
		move(up, &waits[0], &waits[1]);
		move(down, &waits[2], &waits[3]);
		if (!is_shut && is_done(up)) {
			is_shut = true;
			/* It fails only where the connection is gone. */
			if (shutdown(server, SHUT_WR) < 0)
				continue;
		}
	}
	return down->to < 0 ? EX_TEMPFAIL : EX_OK;
}

int
relay_main(const char *target, const char *base_dir)
{
	const char *reason = "";
	struct flow up, down;
	int server, status;

	signal(SIGPIPE, SIG_IGN);
	server = open_target(target, base_dir, &reason);
	if (server < 0)
		return say_unreachable(target, reason);
	up.from = STDIN_FILENO;
	down.to = STDOUT_FILENO;
	up.to = down.from = server;
	up.start = up.end = down.start = down.end = 0;
	status = relay(&up, &down, server);
	close(server);
	return status;
}
