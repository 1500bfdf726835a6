/* SPDX-License-Identifier: MIT */
#include "outbound/dialog.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/number.h"

#include "base/banned.h"

enum {
	OUTPUT_MAX = 1024 * 1024,
	LONGEST_WAIT_MS = 60000,
	ADDRESS_WAIT_MS = 10000 /* for each address of a host */
};

/* ---- waiting ---- */

static int
timed_out(const struct dialog *dialog, struct err *err)
{
	return err_temp(
		err, "4.4.2", "%s did not answer in time", dialog->host);
}

static bool
wait_until(int fd, short events, uint64_t until_ms)
{
	struct pollfd wait = {.fd = fd, .events = events};

	for (;;) {
		uint64_t now = clock_monotonic_ms();
		uint64_t left = now < until_ms ? until_ms - now : 0;

		if (left > LONGEST_WAIT_MS)
			left = LONGEST_WAIT_MS;
		if (poll(&wait, 1, (int)left) > 0)
			return true;
		if (left == 0)
			return false;
	}
}

/* ---- connecting ---- */

/* "[::1]:25", "host:25", "host" */
static int
split_place(struct dialog *dialog, struct str place, char port[8],
	unsigned default_port, struct err *err)
{
	struct str host = place, number = STR_EMPTY;
	size_t colon = str_find_last_char(place, ':');
	uint64_t value = default_port;

	if (str_starts(place, STR("["))) {
		size_t end = str_find_char(place, ']');

		host = str_slice(place, 1, end);
		number = str_skip(place, end + 1);
		if (str_starts(number, STR(":")))
			number = str_skip(number, 1);
		else if (number.len > 0 || end == place.len)
			host.len = 0;
	} else if (colon < place.len && str_find_char(place, ':') == colon) {
		host = str_slice(place, 0, colon);
		number = str_skip(place, colon + 1);
	}
	if (host.len == 0 || host.len > DIALOG_HOST_MAX ||
		(number.len > 0 && number_parse(number, &value) < 0) ||
		value == 0 || value > 65535)
		return err_temp(err, "4.3.5",
			"submission_host: %.*s is no HOST or HOST:PORT",
			STR_ARG(place));
	snprintf(dialog->host, sizeof(dialog->host), "%.*s", STR_ARG(host));
	snprintf(port, 8, "%u", (unsigned)value);
	return 0;
}

static bool
is_loopback(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *in =
			(const struct sockaddr_in *)(const void *)address;

		return (ntohl(in->sin_addr.s_addr) >> 24) == IN_LOOPBACKNET;
	}
	if (address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 =
			(const struct sockaddr_in6 *)(const void *)address;

		return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
	}
	return address->sa_family == AF_UNIX;
}

/* -1 with errno. */
static int
connect_address(
	struct dialog *dialog, const struct sockaddr *address, socklen_t length)
{
	uint64_t until_ms = clock_monotonic_ms() + ADDRESS_WAIT_MS;
	int on = 1, problem = 0;
	socklen_t size = sizeof(problem);
	int fd = socket(address->sa_family,
		SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	if (until_ms > dialog->until_ms)
		until_ms = dialog->until_ms;
	if (connect(fd, address, length) < 0) {
		problem = errno;
		if (problem == EINPROGRESS) {
			problem = ETIMEDOUT;
			if (wait_until(fd, POLLOUT, until_ms))
				(void)!getsockopt(fd, SOL_SOCKET, SO_ERROR,
					&problem, &size);
		}
	}
	if (problem != 0) {
		fd_close(&fd);
		errno = problem;
		return -1;
	}
	/* Without it commands only go out later. */
	(void)!setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	dialog->fd = fd;
	dialog->is_local = is_loopback(address);
	return 0;
}

static int
connect_path(struct dialog *dialog, const char *path, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(dialog->host, sizeof(dialog->host), "%s", path);
	if (snprintf(address.sun_path, sizeof(address.sun_path), "%s", path) >=
		(int)sizeof(address.sun_path))
		return err_temp(err, "4.3.5",
			"submission_host: %s is too long for a socket", path);
	if (connect_address(dialog, (const struct sockaddr *)&address,
		    sizeof(address)) < 0)
		return err_temp_errno(
			err, "4.4.1", "cannot connect to %s", path);
	return 0;
}

static int
connect_host(struct dialog *dialog, const char *port, struct err *err)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_ADDRCONFIG};
	const struct addrinfo any = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *addresses, *address;
	int found = getaddrinfo(dialog->host, port, &hints, &addresses);

	/* A host with nothing but a loopback interface. */
	if (found != 0)
		found = getaddrinfo(dialog->host, port, &any, &addresses);
	if (found != 0)
		return err_temp(err, "4.4.3", "%s: %s", dialog->host,
			gai_strerror(found));
	errno = ENOENT;
	for (address = addresses; address != NULL; address = address->ai_next)
		if (connect_address(
			    dialog, address->ai_addr, address->ai_addrlen) == 0)
			break;
	if (address == NULL)
		err_temp_errno(err, "4.4.1", "cannot connect to %s port %s",
			dialog->host, port);
	freeaddrinfo(addresses);
	return dialog_is_open(dialog) ? 0 : -1;
}

int
dialog_open(struct dialog *dialog, const char *place, unsigned default_port,
	uint64_t until_ms, struct err *err)
{
	char port[8];

	memset(dialog, 0, sizeof(*dialog));
	dialog->fd = -1;
	dialog->until_ms = until_ms;
	buf_init(&dialog->output, OUTPUT_MAX);
	if (place[0] == '/')
		return connect_path(dialog, place, err);
	if (split_place(dialog, str_from(place), port, default_port, err) < 0)
		return -1;
	return connect_host(dialog, port, err);
}

void
dialog_close(struct dialog *dialog)
{
	tls_stream_close(&dialog->tls);
	fd_close(&dialog->fd);
	buf_clear(&dialog->output);
}

int
dialog_start_tls(
	struct dialog *dialog, struct tls_client *client, struct err *err)
{
	/* What came behind the answer came in clear text, from anybody. */
	if (dialog->from < dialog->to)
		return err_temp(err, "4.7.0",
			"%s sent text ahead of TLS: somebody may be in between",
			dialog->host);
	return tls_client_start(client, dialog->fd, dialog->host,
		dialog->until_ms, &dialog->tls, err);
}

/* ---- sending ---- */

void
dialog_put(struct dialog *dialog, struct str bytes)
{
	buf_add(&dialog->output, bytes);
}

void
dialog_put_format(struct dialog *dialog, const char *format, ...)
{
	char text[4096];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (length < 0 || (size_t)length >= sizeof(text))
		dialog->output.overflowed = true;
	else
		dialog_put(dialog, str_of(text, (size_t)length));
}

static int
send_clear(struct dialog *dialog, struct str bytes, struct err *err)
{
	while (bytes.len > 0) {
		ssize_t sent =
			send(dialog->fd, bytes.data, bytes.len, MSG_NOSIGNAL);

		if (sent >= 0)
			bytes = str_skip(bytes, (size_t)sent);
		else if (errno != EAGAIN && errno != EINTR)
			return err_temp_errno(err, "4.4.2",
				"the connection to %s is lost", dialog->host);
		else if (!wait_until(dialog->fd, POLLOUT, dialog->until_ms))
			return timed_out(dialog, err);
	}
	return 0;
}

int
dialog_flush(struct dialog *dialog, struct err *err)
{
	struct str bytes = buf_view(&dialog->output);
	int result;

	if (dialog->output.overflowed)
		return err_temp(err, "4.3.0", "a command is too long");
	if (bytes.len == 0)
		return 0;
	if (dialog->tls != NULL)
		result = tls_stream_write(
			dialog->tls, bytes, dialog->until_ms, err);
	else
		result = send_clear(dialog, bytes, err);
	buf_reset(&dialog->output);
	dialog->is_lost |= result < 0;
	return result;
}

/* ---- receiving ---- */

static ssize_t
receive_clear(struct dialog *dialog, void *room, size_t size, struct err *err)
{
	for (;;) {
		ssize_t got = recv(dialog->fd, room, size, 0);

		if (got >= 0)
			return got;
		if (errno != EAGAIN && errno != EINTR)
			return err_temp_errno(err, "4.4.2",
				"the connection to %s is lost", dialog->host);
		if (!wait_until(dialog->fd, POLLIN, dialog->until_ms))
			return timed_out(dialog, err);
	}
}

static int
receive(struct dialog *dialog, struct err *err)
{
	void *room = dialog->input + dialog->to;
	size_t size = sizeof(dialog->input) - dialog->to;
	ssize_t got;

	if (clock_monotonic_ms() >= dialog->until_ms)
		return timed_out(dialog, err);
	got = dialog->tls != NULL ? tls_stream_read(dialog->tls, room, size,
					    dialog->until_ms, err)
	                          : receive_clear(dialog, room, size, err);
	if (got < 0)
		return -1;
	if (got == 0)
		return err_temp(
			err, "4.4.2", "%s closed the connection", dialog->host);
	dialog->to += (size_t)got;
	return 0;
}

/* Valid until the next one is read. */
static int
read_line(struct dialog *dialog, struct str *line_out, struct err *err)
{
	for (;;) {
		struct str rest = str_of(dialog->input + dialog->from,
			dialog->to - dialog->from);
		size_t end = str_find_char(rest, '\n');

		if (end < rest.len) {
			dialog->from += end + 1;
			if (end > 0 && rest.data[end - 1] == '\r')
				end--;
			*line_out = str_slice(rest, 0, end);
			return 0;
		}
		memmove(dialog->input, rest.data, rest.len);
		dialog->from = 0;
		dialog->to = rest.len;
		if (rest.len == sizeof(dialog->input))
			return err_temp(err, "4.5.0",
				"%s sent a line without an end", dialog->host);
		if (receive(dialog, err) < 0)
			return -1;
	}
}

static int
read_reply(struct dialog *dialog, struct reply *reply,
	struct reply_offers *offers, struct err *err)
{
	struct str line = STR_EMPTY;

	reply_begin(reply);
	for (;;) {
		enum reply_step step;

		if (read_line(dialog, &line, err) < 0)
			return -1;
		step = reply_line(reply, line);
		if (step == REPLY_BROKEN)
			return err_temp(err, "4.5.0",
				"%s sent what is no reply: %.*s", dialog->host,
				line.len > 80 ? 80 : (int)line.len, line.data);
		if (offers != NULL && reply->lines > 1)
			reply_offer(offers, line);
		if (step == REPLY_DONE)
			return 0;
	}
}

int
dialog_reply(struct dialog *dialog, struct reply *reply,
	struct reply_offers *offers, struct err *err)
{
	if (dialog_flush(dialog, err) < 0)
		return -1;
	if (read_reply(dialog, reply, offers, err) < 0) {
		dialog->is_lost = true;
		return -1;
	}
	/* RFC 5321 3.8: it is about to close. */
	dialog->is_lost |= reply->code == 421;
	return 0;
}

bool
dialog_is_quiet(const struct dialog *dialog)
{
	struct pollfd wait = {.fd = dialog->fd, .events = POLLIN};

	return dialog->from == dialog->to && poll(&wait, 1, 0) == 0;
}
