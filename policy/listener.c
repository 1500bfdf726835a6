/* SPDX-License-Identifier: MIT */
#include "policy/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attributes.h"
#include "base/fd.h"
#include "base/log.h"

#include "base/banned.h"

struct policy_listener {
	struct policy_listeners *all;
	struct policy_listener *next;
	struct loop_watch watch;
	int fd;
	const char *name;
	const uint32_t *peers;
	size_t peer_count;
};

static void
watch_all(struct policy_listeners *all, unsigned events)
{
	struct policy_listener *listener;

	for (listener = all->first; listener != NULL; listener = listener->next)
		loop_watch_for(all->loop, &listener->watch, events);
}

void
policy_listeners_look(struct policy_listeners *all)
{
	bool is_waiting = loop_timer_is_running(&all->pause) ||
	                  clients_are_full(all->clients);

	if (is_waiting == all->is_paused)
		return;
	all->is_paused = is_waiting;
	watch_all(all, is_waiting ? 0 : LOOP_READ);
}

/* policy_listeners_look() does the rest. */
static void
on_pause_over(struct loop_timer *timer)
{
	(void)timer;
}

/* The process behind a Unix socket is one of a user that was named. */
static bool
is_welcome(const struct policy_listener *listener, int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	size_t i;

	if (listener->peer_count == 0)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return false;
	for (i = 0; i < listener->peer_count; i++)
		if (listener->peers[i] == peer.uid)
			return true;
	return peer.uid == 0;
}

/* False: no more for now. */
static bool
accept_one(struct policy_listener *listener)
{
	struct policy_listeners *all = listener->all;
	int fd =
		accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0 && is_welcome(listener, fd)) {
		clients_add(all->clients, fd);
		return true;
	}
	if (fd >= 0) {
		log_info("%s: refused: its user is not in peer_users",
			listener->name);
		fd_close(&fd);
		return true;
	}
	switch (errno) {
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ENOBUFS:
		log_error("cannot accept a connection: %s", strerror(errno));
		loop_timer(all->loop, &all->pause,
			loop_now_ms(all->loop) + POLICY_PAUSE_MS);
		return false;
	case EAGAIN:
		return false;
	default:
		/* It has gone before we came. */
		return true;
	}
}

static void
on_ready(struct loop_watch *watch, unsigned events)
{
	struct policy_listener *listener =
		CONTAINER_OF(watch, struct policy_listener, watch);
	enum { AT_ONCE = 64 };
	size_t i;

	(void)events;
	for (i = 0; i < AT_ONCE && !clients_are_full(listener->all->clients);
		i++)
		if (!accept_one(listener))
			return;
}

/* Clients' sockets inherit it: an answer is one packet. */
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

static const uint32_t *
copy_peers(struct arena *arena, const struct wire_listener *message)
{
	uint32_t *peers = ARENA_ARRAY(arena, uint32_t, message->peer_count);

	if (message->peer_count > 0)
		memcpy(peers, message->peers,
			message->peer_count * sizeof(*peers));
	return peers;
}

void
policy_listeners_open(struct policy_listeners *listeners)
{
	listeners->first = NULL;
	listeners->pause = (struct loop_timer){.fire = on_pause_over};
}

void
policy_listeners_add(
	struct policy_listeners *listeners, const struct wire_listener *message)
{
	struct policy_listener *listener =
		ARENA_NEW(listeners->arena, struct policy_listener);

	listener->all = listeners;
	listener->fd = message->fd;
	listener->name = arena_text(listeners->arena, str_from(message->name));
	listener->peers = copy_peers(listeners->arena, message);
	listener->peer_count = message->is_inet ? 0 : message->peer_count;
	listener->watch = (struct loop_watch){.fd = -1, .ready = on_ready};
	set_socket(listener->fd, message->is_inet);
	if (loop_watch(listeners->loop, &listener->watch, listener->fd,
		    listeners->is_paused ? 0 : LOOP_READ) < 0) {
		log_error("cannot listen on %s: %s", listener->name,
			strerror(errno));
		fd_close(&listener->fd);
		return;
	}
	listener->next = listeners->first;
	listeners->first = listener;
}

void
policy_listeners_close(struct policy_listeners *listeners)
{
	struct policy_listener *listener;

	for (listener = listeners->first; listener != NULL;
		listener = listener->next) {
		loop_unwatch(listeners->loop, &listener->watch);
		fd_close(&listener->fd);
	}
	listeners->first = NULL;
	loop_timer_stop(listeners->loop, &listeners->pause);
}
