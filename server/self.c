/* SPDX-License-Identifier: MIT */
#include "server/self.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

#include "base/banned.h"

enum { ANY_PORT = 9 }; /* discard; nothing is sent there */

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static bool
parse(const char *text, union address *address)
{
	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, text, &address->in.sin_addr) == 1) {
		address->in.sin_family = AF_INET;
		address->in.sin_port = htons(ANY_PORT);
		return true;
	}
	if (inet_pton(AF_INET6, text, &address->in6.sin6_addr) == 1) {
		address->in6.sin6_family = AF_INET6;
		address->in6.sin6_port = htons(ANY_PORT);
		return true;
	}
	return false;
}

static bool
is_equal(const union address *a, const union address *b)
{
	if (a->any.sa_family != b->any.sa_family)
		return false;
	if (a->any.sa_family == AF_INET)
		return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	return memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr,
		       sizeof(a->in6.sin6_addr)) == 0;
}

static bool
is_loopback(const union address *address)
{
	if (address->any.sa_family == AF_INET)
		return (ntohl(address->in.sin_addr.s_addr) >> 24) ==
		       IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(&address->in6.sin6_addr);
}

/* Who sends to an address of its own sends from it.  Nothing is sent to find that
 * out. */
static bool
is_own(const union address *address)
{
	union address from = {.any = {.sa_family = AF_UNSPEC}};
	socklen_t length = sizeof(from);
	bool is_known = false;
	int fd;

	if (is_loopback(address))
		return true;
	fd = socket(address->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		is_known = connect(fd, &address->any,
				   address->any.sa_family == AF_INET
					   ? sizeof(address->in)
					   : sizeof(address->in6)) == 0 &&
		           getsockname(fd, &from.any, &length) == 0;
	fd_close(&fd);
	return is_known && is_equal(address, &from);
}

/* "*" and "::" are all; what is no address is a name that nobody looks up here. */
static bool
takes(const struct conf_listener *listener, const union address *wanted)
{
	union address address;
	size_t i;

	for (i = 0; i < listener->address.count; i++) {
		const char *text = listener->address.items[i];

		if (strcmp(text, "*") == 0 || strcmp(text, "::") == 0 ||
			strcmp(text, "0.0.0.0") == 0)
			return is_own(wanted);
		if (parse(text, &address) && is_equal(&address, wanted))
			return true;
	}
	return listener->address.count == 0 && is_own(wanted);
}

static bool
service_takes(const struct conf_service *service, const union address *address,
	uint32_t port)
{
	size_t i;

	for (i = 0; i < service->listener_count; i++) {
		const struct conf_listener *listener = &service->listeners[i];

		if (listener->is_inet && listener->port != 0 &&
			(port == 0 || listener->port == port) &&
			takes(listener, address))
			return true;
	}
	return false;
}

bool
self_listens(const struct settings *settings, const char *ip, uint32_t port)
{
	union address address;
	size_t i;

	if (!parse(ip, &address))
		return false;
	for (i = 0; i < settings->service_count; i++)
		if (strcmp(settings->services[i].name, "lmtp") == 0 &&
			service_takes(&settings->services[i], &address, port))
			return true;
	return false;
}
