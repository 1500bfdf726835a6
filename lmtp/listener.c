/* SPDX-License-Identifier: MIT */
#include "lmtp/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attributes.h"
#include "base/fd.h"
#include "base/log.h"
#include "lmtp/peer.h"

#include "base/banned.h"

struct listener {
	struct listeners *all;
	struct listener *next;
	struct loop_watch watch;
	int fd;
	const char *name;
	enum conf_listener_ssl ssl;
	bool has_proxy;
	bool is_trusted;
	const uint32_t *peers;
	size_t peer_count;
};

/* ---- turning away ---- */

/* What the client may have said already is read, so that closing does not take the
 * reply away from it. */
static void
turn_away(int fd, const char *reply)
{
	char ignored[512];

	if (send(fd, reply, strlen(reply), MSG_DONTWAIT | MSG_NOSIGNAL) > 0 &&
		shutdown(fd, SHUT_WR) == 0)
		while (recv(fd, ignored, sizeof(ignored), MSG_DONTWAIT) > 0)
			continue;
	close(fd);
}

/* Why a peer may not come in. */
static const char *
objection(const struct listener *listener, const struct session_peer *peer)
{
	if (!peer->is_inet)
		return "its user is not in peer_users";
	return listener->has_proxy ? "not in haproxy_trusted_networks"
	                           : "not in lmtp_allowed_networks";
}

static void
turn_away_stranger(
	struct listener *listener, int fd, const struct session_peer *peer)
{
	listener->all->counters->connections_refused++;
	log_info("Connect from %s refused: %s",
		peer->is_inet ? peer->ip : "local", objection(listener, peer));
	turn_away(fd, peer->is_inet ? "421 4.7.1 You are not from an allowed "
				      "network\r\n"
				    : "421 4.7.1 You are not an allowed "
				      "user\r\n");
}

/* One line in a while: whoever comes so often comes again. */
static void
turn_away_peer(struct listeners *all, int fd, const struct session_peer *peer)
{
	uint64_t now = loop_now_ms(all->loop);

	all->counters->connections_refused++;
	if (now >= all->full_until_ms) {
		all->full_until_ms = now + LISTENER_LOG_MS;
		log_warning("lmtp_max_connections_per_peer is reached by %s, "
			    "which is turned away",
			peer->ip);
	}
	turn_away(fd, "421 4.7.0 Too many connections from your address\r\n");
}

static void
turn_away_surplus(struct listeners *all, int fd)
{
	uint64_t now = loop_now_ms(all->loop);

	all->counters->connections_refused++;
	if (now >= all->full_until_ms) {
		all->full_until_ms = now + LISTENER_LOG_MS;
		log_warning("lmtp_max_connections (%zu) is reached: clients "
			    "are turned away",
			all->connections->count);
	}
	turn_away(fd, "421 4.3.2 Too many connections\r\n");
}

/* ---- no descriptors ---- */

static void
watch_all(struct listeners *all, unsigned events)
{
	struct listener *listener;

	for (listener = all->first; listener != NULL; listener = listener->next)
		loop_watch_for(all->loop, &listener->watch, events);
}

static void
on_pause_over(struct loop_timer *timer)
{
	watch_all(CONTAINER_OF(timer, struct listeners, pause), LOOP_READ);
}

/* Never a folder: it would lead out of the empty root. */
static void
open_spare(struct listeners *all)
{
	if (all->spare < 0)
		all->spare = eventfd(0, EFD_CLOEXEC);
}

static void
run_out(struct listener *listener)
{
	struct listeners *all = listener->all;
	uint64_t now = loop_now_ms(all->loop);
	int fd;

	if (now >= all->silent_until_ms) {
		all->silent_until_ms = now + LISTENER_LOG_MS;
		log_error("cannot accept a connection: %s", strerror(errno));
	}
	fd_close(&all->spare);
	fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0) {
		all->counters->connections_refused++;
		turn_away(fd, "421 4.3.2 Too many connections\r\n");
	}
	open_spare(all);
	watch_all(all, 0);
	loop_timer(all->loop, &all->pause, now + LISTENER_PAUSE_MS);
}

/* ---- letting in ---- */

/* The process behind a Unix socket is one of a user that was named. */
static bool
is_peer_user(const struct listener *listener, int fd)
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

static bool
is_admitted(struct listener *listener, int fd, struct session_peer *peer)
{
	const struct settings *settings = listener->all->settings;

	if (!peer->is_inet) {
		peer->is_trusted = listener->is_trusted;
		return is_peer_user(listener, fd);
	}
	/* Its client is looked at when that is known. */
	if (listener->has_proxy)
		return peer_is_in(peer, &settings->haproxy_trusted_networks);
	return peer_admit(peer, settings);
}

/* A proxy has as many as it likes. */
static bool
has_enough(const struct listener *listener, const struct session_peer *peer)
{
	const struct listeners *all = listener->all;
	uint64_t most = all->settings->lmtp_max_connections_per_peer;

	return most > 0 && !listener->has_proxy &&
	       connections_of_peer(all->connections, peer) >= most;
}

static void
let_in(struct listener *listener, int fd,
	const struct sockaddr_storage *address)
{
	struct listeners *all = listener->all;
	const struct settings *settings = all->settings;
	bool has_tls = all->connections->tls != NULL;
	struct connection_start start = {.input = fd,
		.output = fd,
		.is_tls = has_tls && listener->ssl == CONF_LISTENER_TLS,
		.has_proxy = listener->has_proxy};
	struct session_peer peer;

	peer_read(address, &peer);
	if (!is_admitted(listener, fd, &peer)) {
		turn_away_stranger(listener, fd, &peer);
		return;
	}
	if (all->connections->count >= settings->lmtp_max_connections) {
		turn_away_surplus(all, fd);
		return;
	}
	if (has_enough(listener, &peer)) {
		turn_away_peer(all, fd, &peer);
		return;
	}
	peer.may_start_tls = has_tls && listener->ssl == CONF_LISTENER_STARTTLS;
	peer.needs_tls = peer.is_inet && settings->ssl == CONF_SSL_REQUIRED;
	start.peer = peer;
	connections_add(all->connections, &start);
}

/* False: no more for now. */
static bool
accept_one(struct listener *listener)
{
	struct sockaddr_storage address = {0};
	socklen_t len = sizeof(address);
	int fd = accept4(
		listener->fd, (struct sockaddr *)&address, &len, SOCK_CLOEXEC);

	if (fd >= 0) {
		let_in(listener, fd, &address);
		return true;
	}
	switch (errno) {
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ENOBUFS:
		run_out(listener);
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
	struct listener *listener = CONTAINER_OF(watch, struct listener, watch);
	size_t i;

	(void)events;
	for (i = 0; i < LISTENER_ROUND; i++)
		if (!accept_one(listener))
			return;
}

/* ---- their life ---- */

void
listeners_open(struct listeners *listeners)
{
	listeners->first = NULL;
	listeners->spare = -1;
	listeners->pause = (struct loop_timer){.fire = on_pause_over};
	open_spare(listeners);
}

void
listeners_close(struct listeners *listeners)
{
	struct listener *listener;

	for (listener = listeners->first; listener != NULL;
		listener = listener->next) {
		loop_unwatch(listeners->loop, &listener->watch);
		fd_close(&listener->fd);
	}
	listeners->first = NULL;
	loop_timer_stop(listeners->loop, &listeners->pause);
	fd_close(&listeners->spare);
}

/* Clients' sockets inherit it: replies are written whole, nothing more to put
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
listeners_add(struct listeners *listeners, const struct wire_listener *message)
{
	struct listener *listener =
		ARENA_NEW(listeners->arena, struct listener);

	listener->all = listeners;
	listener->fd = message->fd;
	listener->name = arena_text(listeners->arena, str_from(message->name));
	listener->ssl = message->is_inet ? (enum conf_listener_ssl)message->ssl
	                                 : CONF_LISTENER_CLEAR;
	listener->has_proxy = message->haproxy;
	listener->is_trusted = message->is_trusted && !message->is_inet;
	listener->peers = copy_peers(listeners->arena, message);
	listener->peer_count = message->peer_count;
	listener->watch = (struct loop_watch){.fd = -1, .ready = on_ready};
	set_socket(listener->fd, message->is_inet);
	if (loop_watch(listeners->loop, &listener->watch, listener->fd,
		    LOOP_READ) < 0) {
		log_error("cannot listen on %s: %s", listener->name,
			strerror(errno));
		fd_close(&listener->fd);
		return;
	}
	listener->next = listeners->first;
	listeners->first = listener;
}
