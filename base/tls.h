/* tls - TLS over a socket that does not block
 *
 *   server side:  tls_server_open(), tls_server_add() for each certificate; then
 *   a connection: tls_accept(), tls_handshake() until it is done, tls_read() and
 *   tls_write() as recv() and send(), tls_close()
 *
 * A connection that is idle keeps no buffers.  Sessions are resumed by tickets that
 * the client keeps; we keep nothing.  Nobody renegotiates.  The only file that knows
 * OpenSSL.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_TLS_H
#define BASE_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"

struct tls;

/* ---- the server's side ---- */

struct tls_server;

enum tls_verify {
	TLS_VERIFY_NOT,     /* clients are not asked for a certificate */
	TLS_VERIFY_OFFERED, /* asked; who has none, or a bad one, is unknown */
	TLS_VERIFY_NEEDED   /* who has no good one is refused */
};

/* Texts are never NULL; empty is the default. */
struct tls_options {
	/* "ANY", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3", "LATEST" */
	const char *min_protocol;
	const char *cipher_list;   /* up to TLS 1.2 */
	const char *cipher_suites; /* TLS 1.3 */
	const char *curve_list;
	bool prefers_own_ciphers;
	enum tls_verify verify;
	struct str authorities; /* PEM: whose certificates clients may have */
};

struct tls_certificate {
	const char *name;    /* for what SNI asks; "*.example.org" is one label
	                      * more; empty: for all others */
	struct str chain;    /* PEM, the server's own first */
	struct str key;      /* PEM */
	struct str password; /* of the key */
};

/* -1: 4.3.5 with the setting or the certificate and what is wrong with it. */
MUST_USE int tls_server_open(const struct tls_options *options,
	struct tls_server **server_out, struct err *err);
MUST_USE int tls_server_add(struct tls_server *server,
	const struct tls_certificate *certificate, struct err *err);
/* When the first certificate of a chain ends, in seconds since 1970.  -1: 4.3.5,
 * there is none. */
MUST_USE int tls_certificate_end(const struct tls_certificate *certificate,
	int64_t *end_out, struct err *err);
/* More than a client makes us hold before the handshake is done: the longest hello
 * that is taken, and what TLS needs beside. */
enum { TLS_HANDSHAKE_BYTES = 192 * 1024 };

/* Bytes that the library holds for all that this process does with it: certificates,
 * tables, connections.  0: somebody else used it before the first
 * tls_server_open(). */
size_t tls_memory(void);

/* Not while a connection of it is left. */
void tls_server_close(struct tls_server **server);

/* NULL: no memory.  The socket stays the caller's. */
struct tls *tls_accept(struct tls_server *server, int fd);

/* ---- a connection ---- */

enum tls_step { TLS_DONE, TLS_WAITS, TLS_FAILED };

/* TLS_WAITS: for the socket; to write when tls_wants_write(), else to read. */
enum tls_step tls_handshake(struct tls *tls, struct err *err);
bool tls_wants_write(const struct tls *tls);

/* As recv() and send(): -1 with errno, EAGAIN to wait; EPROTO: it is broken. */
ssize_t tls_read(struct tls *tls, char *bytes, size_t most);
ssize_t tls_write(struct tls *tls, struct str bytes);

/* tls_read() would give some, whatever the socket says. */
bool tls_has_bytes(const struct tls *tls);
/* Bytes that came from the socket and were not yet read; not fewer than those. */
size_t tls_unread(const struct tls *tls);

/* After the handshake. */
/* "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)" */
const char *tls_description(const struct tls *tls);
bool tls_is_resumed(const struct tls *tls);
/* The common name of the peer's certificate, if that was found good; else "". */
const char *tls_peer_name(const struct tls *tls);

/* Says good-bye if that can be done at once. */
void tls_close(struct tls **tls);

#endif
