/* SPDX-License-Identifier: MIT */
#include "lmtp/listener.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attributes.h"
#include "base/log.h"
#include "base/number.h"
#include "base/loop.h"
#include "lmtp/peer.h"

#include "base/banned.h"

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
objection(const struct door *door, const struct session_peer *peer)
{
	if (!peer->is_inet)
		return "its user is not in peer_users";
	return door->about.haproxy ? "not in haproxy_trusted_networks"
	                           : "not in lmtp_allowed_networks";
}

static void
turn_away_stranger(struct listeners *all, const struct door *door, int fd,
	const struct session_peer *peer)
{
	all->counters->connections_refused++;
	log_info("Connect from %s refused: %s",
		peer->is_inet ? peer->ip : "local", objection(door, peer));
	turn_away(fd, peer->is_inet ? "421 4.7.1 You are not from an allowed "
				      "network\r\n"
				    : "421 4.7.1 You are not an allowed "
				      "user\r\n");
}

/* The number of connections.  One line in a while: whoever comes so often comes
 * again. */
static bool
may_complain(struct listeners *all)
{
	uint64_t now = loop_now_ms(all->doors.loop);

	if (now < all->full_until_ms)
		return false;
	all->full_until_ms = now + DOOR_LOG_MS;
	return true;
}

static void
turn_away_peer(struct listeners *all, int fd, const struct session_peer *peer)
{
	all->counters->connections_refused++;
	if (may_complain(all))
		log_warning("lmtp_max_connections_per_peer is reached by %s, "
			    "which is turned away",
			peer->ip);
	turn_away(fd, "421 4.7.0 Too many connections from your address\r\n");
}

static void
turn_away_surplus(struct listeners *all, int fd)
{
	all->counters->connections_refused++;
	if (may_complain(all))
		log_warning("lmtp_max_connections (%zu) is reached: clients "
			    "are turned away",
			all->connections->count);
	turn_away(fd, "421 4.3.2 Too many connections\r\n");
}

/* There is no descriptor for it. */
static void
on_surplus(struct doors *doors, int fd)
{
	struct listeners *all = CONTAINER_OF(doors, struct listeners, doors);

	all->counters->connections_refused++;
	turn_away(fd, "421 4.3.2 Too many connections\r\n");
}

/* ---- letting in ---- */

static bool
is_admitted(struct listeners *all, const struct door *door, int fd,
	struct session_peer *peer)
{
	if (!peer->is_inet) {
		peer->is_trusted =
			door->about.is_trusted && !door->about.is_inet;
		return door_admits_user(door, fd);
	}
	/* Its client is looked at when that is known. */
	if (door->about.haproxy)
		return peer_is_in(
			peer, &all->settings->haproxy_trusted_networks);
	return peer_admit(peer, all->settings);
}

/* A proxy has as many as it likes. */
static bool
has_enough(const struct listeners *all, const struct door *door,
	const struct session_peer *peer)
{
	uint64_t most = all->settings->lmtp_max_connections_per_peer;

	return most > 0 && !door->about.haproxy &&
	       connections_of_peer(all->connections, peer) >= most;
}

/* "127.0.0.1:24" */
static uint32_t
port_of(const struct door *door)
{
	struct str name = str_from(door->about.name);
	uint64_t port = 0;

	if (!door->about.is_inet ||
		number_parse(str_skip(name, str_find_last_char(name, ':') + 1),
			&port) < 0 ||
		port > UINT16_MAX)
		return 0;
	return (uint32_t)port;
}

/* Only TCP has TLS. */
static void
begin_session(struct listeners *all, const struct door *door, int fd,
	struct session_peer *peer)
{
	bool can = all->connections->tls != NULL && door->about.is_inet;

	peer->may_start_tls = can && door->about.ssl == CONF_LISTENER_STARTTLS;
	peer->own_port = port_of(door);
	peer->needs_tls =
		peer->is_inet && all->settings->ssl == CONF_SSL_REQUIRED;
	connections_add(all->connections,
		&(struct connection_start){.input = fd,
			.output = fd,
			.is_tls = can && door->about.ssl == CONF_LISTENER_TLS,
			.has_proxy = door->about.haproxy,
			.peer = *peer});
}

static void
on_client(struct doors *doors, const struct door *door, int fd,
	const struct sockaddr_storage *address)
{
	struct listeners *all = CONTAINER_OF(doors, struct listeners, doors);
	struct session_peer peer;

	peer_read(address, &peer);
	if (!is_admitted(all, door, fd, &peer))
		turn_away_stranger(all, door, fd, &peer);
	else if (all->connections->count >= all->settings->lmtp_max_connections)
		turn_away_surplus(all, fd);
	else if (has_enough(all, door, &peer))
		turn_away_peer(all, fd, &peer);
	else
		begin_session(all, door, fd, &peer);
}

/* ---- their life ---- */

void
listeners_open(struct listeners *listeners, struct loop *loop)
{
	listeners->doors =
		(struct doors){.came = on_client, .surplus = on_surplus};
	doors_open(&listeners->doors, loop);
}

void
listeners_close(struct listeners *listeners)
{
	doors_close(&listeners->doors);
}

void
listeners_add(struct listeners *listeners, const struct wire_listener *message)
{
	doors_add(&listeners->doors, message);
}
