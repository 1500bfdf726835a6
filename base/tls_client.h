/* tls_client - TLS over a connection that we made (RFC 8446, RFC 8314)
 *
 * A tls_client holds what all connections have in common: whom we trust.  The
 * server's name is checked against its certificate (RFC 6125).  Blocks on a
 * descriptor that does not, never beyond the given time (clock_monotonic_ms()).
 *
 * Apart from base/tls.c, so that a program that only listens or only connects
 * links no more than it needs.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_TLS_CLIENT_H
#define BASE_TLS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"

struct tls_client;
struct tls_stream;

struct tls_client_settings {
	const char *ca_file; /* PEM; empty: what the system trusts */
	const char *ca_dir;  /* c_rehash'ed; empty: none */
	bool verify;         /* false: any certificate of any name will do */
};

/* Errors: 4.3.5 for a file that cannot be read. */
MUST_USE int tls_client_open(const struct tls_client_settings *settings,
	struct tls_client **client_out, struct err *err);
void tls_client_close(struct tls_client **client);

/* Shakes hands over `fd` (non-blocking, stays the caller's, outlives the stream).
 * Errors: 4.7.5 the certificate is not good or not `host`'s, 4.4.2 time-out,
 * 4.7.0 anything else. */
MUST_USE int tls_client_start(struct tls_client *client, int fd,
	const char *host, uint64_t until_ms, struct tls_stream **stream_out,
	struct err *err);

/* At least one byte; 0: the end.  -1: 4.4.2. */
MUST_USE ssize_t tls_stream_read(struct tls_stream *stream, void *bytes,
	size_t size, uint64_t until_ms, struct err *err);
/* All of them. */
MUST_USE int tls_stream_write(struct tls_stream *stream, struct str bytes,
	uint64_t until_ms, struct err *err);

/* ---- the same in an event loop: nothing waits ---- */

enum tls_client_step { TLS_CLIENT_DONE, TLS_CLIENT_WAITS, TLS_CLIENT_FAILED };

/* Begins; the name is copied.  Errors: 4.7.0. */
MUST_USE int tls_client_begin(struct tls_client *client, int fd,
	const char *host, struct tls_stream **stream_out, struct err *err);
/* TLS_CLIENT_WAITS: for the socket; to write when tls_stream_wants_write(), else to
 * read.  Errors as tls_client_start(). */
enum tls_client_step tls_stream_handshake(
	struct tls_stream *stream, struct err *err);
bool tls_stream_wants_write(const struct tls_stream *stream);
/* As recv() and send(): -1 with errno, EAGAIN to wait; EPROTO: it is broken. */
ssize_t tls_stream_receive(struct tls_stream *stream, void *bytes, size_t size);
ssize_t tls_stream_send(struct tls_stream *stream, struct str bytes);

/* "TLSv1.3 with cipher X"; lives as long as the stream. */
const char *tls_stream_text(const struct tls_stream *stream);

void tls_stream_close(struct tls_stream **stream);

#endif
