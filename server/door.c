/* SPDX-License-Identifier: MIT */
#include "server/door.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "conf/networks.h"

#include "base/banned.h"

/* ---- who is there ---- */

int
door_peer_uid(int fd, uint32_t *uid_out)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return -1;
	*uid_out = peer.uid;
	return 0;
}

bool
door_admits_address(const struct sockaddr_storage *address,
	const struct conf_networks *networks)
{
	const struct sockaddr_in *ipv4 = (const void *)address;
	const struct sockaddr_in6 *ipv6 = (const void *)address;
	const unsigned char *bytes = ipv6->sin6_addr.s6_addr;

	if (address->ss_family == AF_INET)
		return conf_networks_have(
			networks, false, (const void *)&ipv4->sin_addr);
	if (address->ss_family != AF_INET6)
		return false;
	if (IN6_IS_ADDR_V4MAPPED(&ipv6->sin6_addr))
		return conf_networks_have(networks, false,
			bytes + sizeof(struct in6_addr) -
				sizeof(struct in_addr));
	return conf_networks_have(networks, true, bytes);
}

bool
door_admits_user(const struct door *door, int fd)
{
	uint32_t uid;
	size_t i;

	if (door->about.peer_count == 0)
		return true;
	if (door_peer_uid(fd, &uid) < 0)
		return false;
	for (i = 0; i < door->about.peer_count; i++)
		if (door->about.peers[i] == uid)
			return true;
	return uid == 0;
}

/* ---- waiting ---- */

static unsigned
events_now(const struct doors *doors)
{
	return doors->is_held || loop_timer_is_running(&doors->pause)
	               ? 0
	               : LOOP_READ;
}

static void
watch_all(struct doors *doors)
{
	struct door *door;

	for (door = doors->first; door != NULL; door = door->next)
		loop_watch_for(doors->loop, &door->watch, events_now(doors));
}

static void
on_pause_over(struct loop_timer *timer)
{
	watch_all(CONTAINER_OF(timer, struct doors, pause));
}

void
doors_hold(struct doors *doors, bool is_held)
{
	if (doors->is_held == is_held)
		return;
	doors->is_held = is_held;
	watch_all(doors);
}

static void
pause_all(struct doors *doors, int error)
{
	uint64_t now = loop_now_ms(doors->loop);

	if (now >= doors->silent_until_ms) {
		doors->silent_until_ms = now + DOOR_LOG_MS;
		log_error("cannot accept a connection: %s", strerror(error));
	}
	loop_timer(doors->loop, &doors->pause, now + DOOR_PAUSE_MS);
	watch_all(doors);
}

/* Never a folder: it would lead out of an empty root. */
static void
open_spare(struct doors *doors)
{
	if (doors->surplus != NULL && doors->spare < 0)
		doors->spare = eventfd(0, EFD_CLOEXEC);
}

/* The next one is told why. */
static void
tell_one(struct door *door)
{
	struct doors *doors = door->all;
	int fd;

	if (doors->spare < 0)
		return;
	fd_close(&doors->spare);
	fd = accept4(door->about.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0)
		doors->surplus(doors, fd);
	open_spare(doors);
}

/* ---- letting in ---- */

/* What accept(2) tells of a client that has gone before we came, or of its network;
 * the next one may be well. */
static bool
is_about_one(int error)
{
	switch (error) {
	case EINTR:
	case ECONNABORTED:
	case EPERM:
	case EPROTO:
	case ENETDOWN:
	case ENOPROTOOPT:
	case EHOSTDOWN:
	case ENONET:
	case EHOSTUNREACH:
	case EOPNOTSUPP:
	case ENETUNREACH:
		return true;
	default:
		return false;
	}
}

/* False: no more for now. */
static bool
accept_one(struct door *door)
{
	struct doors *doors = door->all;
	struct sockaddr_storage address = {0};
	socklen_t len = sizeof(address);
	int error;
	int fd = accept4(door->about.fd, (struct sockaddr *)&address, &len,
		SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0) {
		doors->came(doors, door, fd, &address);
		return true;
	}
	/* Somebody else, of another generation, may have been faster. */
	if (errno == EAGAIN || is_about_one(errno))
		return errno != EAGAIN;
	error = errno;
	tell_one(door);
	pause_all(doors, error);
	return false;
}

static void
on_ready(struct loop_watch *watch, unsigned events UNUSED)
{
	struct door *door = CONTAINER_OF(watch, struct door, watch);
	size_t i;

	for (i = 0; i < DOOR_ROUND; i++)
		if (door->watch.fd < 0 || door->all->is_held ||
			!accept_one(door))
			return;
}

/* ---- their life ---- */

void
doors_open(struct doors *doors, struct loop *loop)
{
	doors->loop = loop;
	doors->first = NULL;
	doors->spare = -1;
	doors->is_held = false;
	doors->pause = (struct loop_timer){.fire = on_pause_over};
	open_spare(doors);
}

static void
free_door(struct door *door)
{
	fd_close(&door->about.fd);
	memory_free(door->name);
	memory_free(door->about.peers);
	memory_free(door);
}

void
doors_close(struct doors *doors)
{
	if (doors->loop == NULL)
		return;
	while (doors->first != NULL) {
		struct door *door = doors->first;

		doors->first = door->next;
		loop_unwatch(doors->loop, &door->watch);
		free_door(door);
	}
	loop_timer_stop(doors->loop, &doors->pause);
	fd_close(&doors->spare);
}

void
doors_forget(struct doors *doors)
{
	struct door *door;

	for (door = doors->first; door != NULL; door = door->next)
		fd_close(&door->about.fd);
	fd_close(&doors->spare);
}

/* Clients' sockets inherit TCP_NODELAY: what is written is whole, nothing more to put
 * into the same packet will come. */
static void
set_socket(int fd, bool is_inet)
{
	int on = 1, flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		log_error("fcntl: %s", strerror(errno));
	if (is_inet &&
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
		log_warning("setsockopt(TCP_NODELAY): %s", strerror(errno));
}

static void *
copy_bytes(const void *from, size_t size)
{
	void *copy = memory_get(size);

	if (size > 0)
		memcpy(copy, from, size);
	return copy;
}

static struct door *
new_door(struct doors *doors, const struct wire_listener *message)
{
	struct door *door = memory_get(sizeof(*door));

	door->all = doors;
	door->about = *message;
	door->name = copy_bytes(message->name, strlen(message->name) + 1);
	door->about.name = door->name;
	door->about.peers = copy_bytes(message->peers,
		memory_product(message->peer_count, sizeof(*message->peers)));
	door->watch = (struct loop_watch){.fd = -1, .ready = on_ready};
	return door;
}

void
doors_add(struct doors *doors, const struct wire_listener *message)
{
	struct door *door = new_door(doors, message);

	set_socket(door->about.fd, message->is_inet);
	if (loop_watch(doors->loop, &door->watch, door->about.fd,
		    events_now(doors)) < 0) {
		log_error("cannot listen on %s: %s", door->about.name,
			strerror(errno));
		free_door(door);
		return;
	}
	door->next = doors->first;
	doors->first = door;
}
