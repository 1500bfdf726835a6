/* tlsserver - the TLS server that the settings and certificates make
 *
 * The front's; and `doorstep config check` tries whether there can be one.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_TLSSERVER_H
#define SERVER_TLSSERVER_H

#include "base/attributes.h"
#include "base/err.h"
#include "base/tls.h"
#include "conf/settings.h"
#include "server/certificates.h"

struct tls_certificate tlsserver_certificate(const struct certificate *from);

/* -1: as tls_server_open() and tls_server_add(). */
MUST_USE int tlsserver_open(const struct settings *settings,
	const struct certificates *certificates, struct tls_server **server_out,
	struct err *err);

/* A sentence about the first certificate that has expired, or will within 14 days;
 * NULL: none. */
const char *tlsserver_ending(
	struct arena *arena, const struct certificates *certificates);

#endif
