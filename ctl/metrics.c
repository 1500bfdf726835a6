/* metrics - `doorstep metrics`: the running server's numbers for Prometheus
 *
 * Printed once, or given to everybody who asks by HTTP: on standard input and
 * output (a socket unit with Accept=yes), or at an address of loopback, or on a
 * Unix socket.  Each client there has a child, so that one who says nothing keeps
 * nobody else from an answer.  Nothing that is asked changes what is done, and all
 * that is read of a question is its first word.
 *
 * SPDX-License-Identifier: MIT
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/number.h"
#include "server/metrics.h"
#include "ctl/ctl.h"

#include "base/banned.h"

enum {
	QUESTION_MAX = 8192,
	PATIENCE_S = 5, /* for all of a client */
	BACKLOG = 64,
	CHILDREN_MAX = 32
};

static int
get_text(struct ctl *ctl, struct str *text_out)
{
	struct str json;
	int status = ctl_ask_server(ctl, &json);

	if (status != CTL_OK)
		return status;
	if (metrics_text(ctl->arena, json, text_out) < 0)
		return ctl_fail(
			CTL_TEMPORARY, "the server's answer is not understood");
	return CTL_OK;
}

/* ---- HTTP ---- */

/* True when the whole head came in. */
static bool
read_question(int fd, char *question, size_t *len_out)
{
	size_t len = 0;

	while (len < QUESTION_MAX) {
		ssize_t got = fd_read(fd, question + len, QUESTION_MAX - len);

		if (got <= 0)
			return false;
		len += (size_t)got;
		*len_out = len;
		if (memmem(question, len, "\r\n\r\n", 4) != NULL)
			return true;
	}
	return false;
}

static void
put(struct buf *out, const char *status, struct str body, bool is_head)
{
	buf_add_format(out,
		"HTTP/1.1 %s\r\n"
		"Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
		"Content-Length: %zu\r\n"
		"Connection: close\r\n\r\n",
		status, body.len);
	if (!is_head)
		buf_add(out, body);
}

static void
put_answer(struct ctl *ctl, struct str question, struct buf *out)
{
	struct str text, method = STR_EMPTY, path = STR_EMPTY;
	bool is_head;

	(void)str_next_field(&question, ' ', &method);
	(void)str_next_field(&question, ' ', &path);
	is_head = str_is(method, "HEAD");
	if (!is_head && !str_is(method, "GET"))
		put(out, "405 Method Not Allowed", STR("GET only\n"), false);
	else if (!str_is(path, "/metrics") && !str_is(path, "/"))
		put(out, "404 Not Found", STR("see /metrics\n"), is_head);
	else if (get_text(ctl, &text) != CTL_OK)
		put(out, "503 Service Unavailable",
			STR("the server cannot be asked\n"), is_head);
	else
		put(out, "200 OK", text, is_head);
}

static void
serve(const struct ctl *ctl, int input, int output)
{
	struct ctl one = *ctl;
	char question[QUESTION_MAX];
	struct buf out;
	size_t len;

	if (!read_question(input, question, &len))
		return;
	one.arena = arena_open();
	buf_init(&out, BUF_UNLIMITED);
	put_answer(&one, str_of(question, len), &out);
	if (fd_write(output, buf_view(&out)) < 0)
		perror("doorstep: answer");
	buf_clear(&out);
	arena_close(&one.arena);
}

/* ---- listening ---- */

/* "127.0.0.1:9900", "[::1]:9900"; others than loopback's are refused: there is no
 * password. */
static int
listen_inet(const char *address)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {
		.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	bool is_v6 = str_starts(str_from(address), STR("[::1]:"));
	const int yes = 1;
	uint64_t port;
	int fd, result;

	v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((!is_v6 && !str_starts(str_from(address), STR("127.0.0.1:"))) ||
		number_parse(str_from(strrchr(address, ':') + 1), &port) < 0 ||
		port > 65535)
		return ctl_fail(-1,
			"--listen needs 127.0.0.1:PORT, [::1]:PORT or the "
			"path of a socket");
	v4.sin_port = v6.sin6_port = htons((uint16_t)port);
	fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0)
		return ctl_fail(-1, "socket: %s", strerror(errno));
	result = is_v6 ? bind(fd, (const struct sockaddr *)&v6, sizeof(v6))
	               : bind(fd, (const struct sockaddr *)&v4, sizeof(v4));
	if (result < 0)
		return ctl_fail(-1, "%s: %s", address, strerror(errno));
	return fd;
}

/* What an earlier one has left is removed, if it is a socket. */
static int
listen_unix(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat status;
	mode_t old;
	int fd, result;

	if (strlen(path) >= sizeof(address.sun_path))
		return ctl_fail(-1, "%s: too long for a socket", path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (lstat(path, &status) == 0 && S_ISSOCK(status.st_mode) &&
		unlink(path) < 0)
		return ctl_fail(-1, "%s: %s", path, strerror(errno));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return ctl_fail(-1, "socket: %s", strerror(errno));
	/* Others by the folder's owner and mode. */
	old = umask(0);
	result = bind(fd, (const struct sockaddr *)&address, sizeof(address));
	umask(old);
	if (result < 0)
		return ctl_fail(-1, "%s: %s", path, strerror(errno));
	return fd;
}

/* Waits for one where there are as many as there may be: none lives longer than its
 * client's time. */
static void
reap(size_t *children)
{
	while (*children > 0) {
		int how = *children < CHILDREN_MAX ? WNOHANG : 0;
		pid_t pid = waitpid(-1, NULL, how);

		if (pid < 0 && errno == EINTR)
			continue;
		if (pid <= 0)
			return;
		--*children;
	}
}

static void
serve_apart(const struct ctl *ctl, int client, size_t *children)
{
	pid_t pid = fork();

	if (pid < 0) {
		perror("doorstep: fork");
		return;
	}
	if (pid > 0) {
		++*children;
		return;
	}
	alarm(PATIENCE_S);
	serve(ctl, client, client);
	_exit(0);
}

static int
serve_all(const struct ctl *ctl, const char *address)
{
	size_t children = 0;
	int fd =
		address[0] == '/' ? listen_unix(address) : listen_inet(address);

	if (fd < 0)
		return CTL_USAGE;
	if (listen(fd, BACKLOG) < 0)
		return ctl_fail(
			CTL_TEMPORARY, "%s: %s", address, strerror(errno));
	for (;;) {
		int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

		if (client < 0 && errno != EINTR && errno != ECONNABORTED)
			return ctl_fail(
				CTL_TEMPORARY, "accept: %s", strerror(errno));
		if (client < 0)
			continue;
		serve_apart(ctl, client, &children);
		fd_close(&client);
		reap(&children);
	}
}

int
ctl_metrics(struct ctl *ctl, int argc, char **argv)
{
	struct str text;
	int status;

	signal(SIGPIPE, SIG_IGN);
	if (argc == 2 && strcmp(argv[1], "--http") == 0) {
		serve(ctl, STDIN_FILENO, STDOUT_FILENO);
		return CTL_OK;
	}
	if (argc == 2 && strncmp(argv[1], "--listen=", 9) == 0 &&
		strchr(argv[1] + 9, ':') != strchr(argv[1] + 9, '/'))
		return serve_all(ctl, argv[1] + 9);
	if (argc != 1)
		return ctl_fail(CTL_USAGE,
			"usage: doorstep metrics [--http | --listen=ADDRESS]");
	status = get_text(ctl, &text);
	if (status != CTL_OK)
		return status;
	printf("%.*s", STR_ARG(text));
	return CTL_OK;
}
