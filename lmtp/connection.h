/* connection - between a client's socket and its session, TLS included
 *
 * What happens outside (bytes, a hangup, an answer, a time-out) is only noted; when
 * the round is over connection by connection is served: read, let the session
 * speak, write, and see whether it goes on.  One round reads at most
 * CONNECTION_ROUND_BYTES of each.
 *
 * A connection that is idle holds no buffers.  A client that does not read its
 * replies is not read from either, and ends when lmtp_idle_timeout has passed.
 *
 * A socket's client has gone when both directions are shut, or when it has shut
 * its own while a message is being delivered and no command is left: then nothing
 * is filed any more if that can be helped.  With pipes the end of the input says
 * nothing of the kind.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LMTP_CONNECTION_H
#define LMTP_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/loop.h"
#include "base/tls.h"
#include "conf/settings.h"
#include "lmtp/counters.h"
#include "lmtp/dispatch.h"
#include "lmtp/rawlog.h"
#include "lmtp/session.h"

enum {
	CONNECTION_ROUND_BYTES = 64 * 1024,
	/* Read at once while no message comes in: commands. */
	CONNECTION_COMMAND_BYTES = 8 * 1024,
	/* After a reload, a client that has nothing under way for so long is
	 * sent to the new generation. */
	CONNECTION_RELOAD_IDLE_MS = 5000,
	CONNECTION_PEERS = 256
};

struct connection;

enum connections_drain {
	CONNECTIONS_SERVE,
	CONNECTIONS_RELOAD, /* who is idle for some seconds is ended */
	CONNECTIONS_STOP,   /* who has no transaction is ended */
	CONNECTIONS_LATE    /* who is not being delivered for is ended */
};

/* All of them. */
struct connections {
	struct loop *loop;
	const struct settings *settings;
	struct session_config session;
	struct dispatch *dispatch;
	struct spool_budget *budget;
	struct counters *counters;
	struct tls_server *tls; /* NULL: TLS is not spoken */
	struct rawlogs rawlogs;
	char *scratch; /* CONNECTION_ROUND_BYTES, for reading */

	enum connections_drain drain;
	struct connection *first;
	struct connection *touched; /* to be served after this round */
	size_t count;
	struct list peers[CONNECTION_PEERS]; /* those of TCP, by address */
};

/* What stands before `drain` is set already. */
void connections_open(struct connections *connections);
/* Ends all of them at once. */
void connections_close(struct connections *connections);

/* A client. */
struct connection_start {
	int input, output; /* for a socket both are the same */
	struct session_peer peer;
	bool is_tls;    /* from the first byte on */
	bool has_proxy; /* which names the client before that */
};

/* Takes the descriptors over. */
void connections_add(
	struct connections *connections, const struct connection_start *start);

/* How many clients have the address of this one now, by which they came; 0 for a
 * local one. */
size_t connections_of_peer(
	struct connections *connections, const struct session_peer *peer);

void connections_drain(
	struct connections *connections, enum connections_drain drain);

/* Serves everybody to whom something has happened. */
void connections_after_round(struct connections *connections);

/* For struct dispatch. */
void connection_wake(struct dispatch_client *client);

#endif
