/* peer - who is at the other end of a socket, and which networks it is in
 *
 * An IPv4 address that comes as an IPv6 one (::ffff:192.0.2.1) is an IPv4 address.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LMTP_PEER_H
#define LMTP_PEER_H

#include <stdbool.h>

#include <sys/socket.h>

#include "conf/settings.h"
#include "lmtp/session.h"

/* Fills is_inet, ip and port; anything but TCP is local. */
void peer_read(
	const struct sockaddr_storage *address, struct session_peer *peer_out);

/* A local peer is in no network. */
bool peer_is_in(
	const struct session_peer *peer, const struct conf_networks *networks);

/* May it come in?  Sets is_trusted. */
bool peer_admit(struct session_peer *peer, const struct settings *settings);

#endif
