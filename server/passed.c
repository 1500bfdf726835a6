/* SPDX-License-Identifier: MIT */
#include "server/passed.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/number.h"

#include "base/banned.h"

enum { FIRST_FD = 3, PASSED_MAX = 256 };

const char *
passed_inet_name(struct arena *arena, const char *host, unsigned port)
{
	bool is_v6 = strchr(host, ':') != NULL;

	return arena_format(arena, "%s%s%s:%u", is_v6 ? "[" : "", host,
		is_v6 ? "]" : "", port);
}

static bool
has_option(int fd, int option, int wanted)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0 &&
	       value == wanted;
}

static int
name_inet(struct arena *arena, const struct sockaddr_storage *address,
	socklen_t len, struct passed_socket *out, struct err *err)
{
	char host[NI_MAXHOST], port[16];
	uint64_t number = 0;
	int only_v6 = 1;
	socklen_t option_len = sizeof(only_v6);

	if (getnameinfo((const struct sockaddr *)address, len, host,
		    sizeof(host), port, sizeof(port),
		    NI_NUMERICHOST | NI_NUMERICSERV) != 0 ||
		number_parse(str_from(port), &number) < 0)
		return err_temp(err, "4.3.5",
			"LISTEN_FDS: an address cannot be written down");
	out->is_inet = true;
	out->address = passed_inet_name(arena, host, (unsigned)number);
	if (address->ss_family == AF_INET6 && strcmp(host, "::") == 0 &&
		getsockopt(out->fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_v6,
			&option_len) == 0)
		out->is_dual = only_v6 == 0;
	return 0;
}

static int
find_address(struct arena *arena, struct passed_socket *out, struct err *err)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	const struct sockaddr_un *local = (const struct sockaddr_un *)&address;

	memset(&address, 0, sizeof(address));
	if (getsockname(out->fd, (struct sockaddr *)&address, &len) < 0)
		return err_temp_errno(err, "4.3.5", "LISTEN_FDS");
	if (address.ss_family == AF_INET || address.ss_family == AF_INET6)
		return name_inet(arena, &address, len, out, err);
	if (address.ss_family != AF_UNIX || local->sun_path[0] != '/')
		return err_temp(err, "4.3.5",
			"LISTEN_FDS: a socket has no path and no IP address");
	out->address = arena_text(arena,
		str_of(local->sun_path,
			strnlen(local->sun_path, sizeof(local->sun_path))));
	return 0;
}

/* Out of the way of what children get. */
static int
take(struct arena *arena, int fd, int least, struct passed_socket *out,
	struct err *err)
{
	int flags;

	out->fd = fcntl(fd, F_DUPFD_CLOEXEC, least);
	if (out->fd < 0)
		return err_temp_errno(
			err, "4.3.5", "LISTEN_FDS: descriptor %d", fd);
	flags = fcntl(out->fd, F_GETFL);
	fd_close(&fd);
	if (!has_option(out->fd, SO_ACCEPTCONN, 1) ||
		!has_option(out->fd, SO_TYPE, SOCK_STREAM) || flags < 0 ||
		fcntl(out->fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return err_temp(err, "4.3.5",
			"LISTEN_FDS: a socket is not a listening stream "
			"socket; the socket unit needs ListenStream= and "
			"Accept=no");
	return find_address(arena, out, err);
}

static size_t
count_passed(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	uint64_t number, count;

	if (pid == NULL || fds == NULL ||
		number_parse(str_from(pid), &number) < 0 ||
		number != (uint64_t)clock_pid() ||
		number_parse(str_from(fds), &count) < 0 || count > PASSED_MAX)
		return 0;
	return (size_t)count;
}

static int
take_all(struct arena *arena, int least, struct passed *passed, size_t count,
	struct err *err)
{
	const char *names = getenv("LISTEN_FDNAMES");
	struct str rest = str_from(names != NULL ? names : ""), name;
	size_t i;

	passed->sockets = ARENA_ARRAY(arena, struct passed_socket, count);
	for (i = 0; i < count; i++) {
		struct passed_socket *one = &passed->sockets[i];

		*one = (struct passed_socket){.fd = -1};
		passed->count = i + 1;
		if (!str_next_field(&rest, ':', &name))
			name = STR_EMPTY;
		/* What systemd calls one that its unit does not name. */
		if (str_is(name, "unknown"))
			name = STR_EMPTY;
		one->name = arena_text(arena, name);
		if (take(arena, FIRST_FD + (int)i, least, one, err) < 0)
			return -1;
	}
	return 0;
}

int
passed_open(struct arena *arena, int least, struct passed *passed_out,
	struct err *err)
{
	size_t count = count_passed();
	int result = 0;

	*passed_out = (struct passed){.count = 0};
	if (count > 0)
		result = take_all(arena, least, passed_out, count, err);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return result;
}

void
passed_close(struct passed *passed)
{
	size_t i;

	for (i = 0; i < passed->count; i++)
		fd_close(&passed->sockets[i].fd);
	passed->count = 0;
}
