/* SPDX-License-Identifier: MIT */
#include "lmtp/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "conf/networks.h"

#include "base/banned.h"

static void
read_ipv4(const struct in_addr *address, in_port_t port,
	struct session_peer *peer)
{
	peer->is_inet = true;
	peer->port = ntohs(port);
	inet_ntop(AF_INET, address, peer->ip, sizeof(peer->ip));
}

static void
read_ipv6(const struct sockaddr_in6 *address, struct session_peer *peer)
{
	struct in_addr mapped;

	if (IN6_IS_ADDR_V4MAPPED(&address->sin6_addr)) {
		memcpy(&mapped, address->sin6_addr.s6_addr + 12,
			sizeof(mapped));
		read_ipv4(&mapped, address->sin6_port, peer);
		return;
	}
	peer->is_inet = true;
	peer->port = ntohs(address->sin6_port);
	inet_ntop(AF_INET6, &address->sin6_addr, peer->ip, sizeof(peer->ip));
}

void
peer_read(const struct sockaddr_storage *address, struct session_peer *peer_out)
{
	const struct sockaddr_in *ipv4 = (const void *)address;

	*peer_out = (struct session_peer){0};
	if (address->ss_family == AF_INET)
		read_ipv4(&ipv4->sin_addr, ipv4->sin_port, peer_out);
	else if (address->ss_family == AF_INET6)
		read_ipv6((const void *)address, peer_out);
}

bool
peer_is_in(
	const struct session_peer *peer, const struct conf_networks *networks)
{
	bool is_v6 = strchr(peer->ip, ':') != NULL;
	unsigned char address[sizeof(struct in6_addr)];

	if (!peer->is_inet ||
		inet_pton(is_v6 ? AF_INET6 : AF_INET, peer->ip, address) != 1)
		return false;
	return conf_networks_have(networks, is_v6, address);
}

/* Of a Unix socket its listener says whom to trust. */
bool
peer_admit(struct session_peer *peer, const struct settings *settings)
{
	if (!peer->is_inet)
		return true;
	peer->is_trusted = peer_is_in(peer, &settings->login_trusted_networks);
	return peer_is_in(peer, &settings->lmtp_allowed_networks);
}
