/* SPDX-License-Identifier: MIT */
#include "server/tlsserver.h"

#include "base/clock.h"

#include "base/banned.h"

enum {
	/* Two weeks: who renews by a program does it a month before. */
	SOON_S = 14 * 24 * 60 * 60
};

static struct tls_options
tls_options(const struct settings *settings,
	const struct certificates *certificates)
{
	struct tls_options options = {
		.min_protocol = settings->ssl_min_protocol,
		.cipher_list = settings->ssl_cipher_list,
		.cipher_suites = settings->ssl_cipher_suites,
		.curve_list = settings->ssl_curve_list,
		.prefers_own_ciphers = settings->ssl_prefer_server_ciphers,
		.authorities = certificates->authorities,
		.verify = TLS_VERIFY_NOT};

	if (settings->auth_ssl_require_client_cert)
		options.verify = TLS_VERIFY_NEEDED;
	else if (settings->ssl_verify_client_cert)
		options.verify = TLS_VERIFY_OFFERED;
	return options;
}

struct tls_certificate
tlsserver_certificate(const struct certificate *from)
{
	return (struct tls_certificate){.name = from->name,
		.chain = from->chain,
		.key = from->key,
		.password = from->password};
}

static int
add_certificates(struct tls_server *tls,
	const struct certificates *certificates, struct err *err)
{
	size_t i;

	for (i = 0; i < certificates->count; i++) {
		const struct tls_certificate certificate =
			tlsserver_certificate(&certificates->items[i]);

		if (tls_server_add(tls, &certificate, err) < 0)
			return -1;
	}
	return 0;
}

int
tlsserver_open(const struct settings *settings,
	const struct certificates *certificates, struct tls_server **server_out,
	struct err *err)
{
	const struct tls_options options = tls_options(settings, certificates);

	if (tls_server_open(&options, server_out, err) < 0)
		return -1;
	if (add_certificates(*server_out, certificates, err) == 0)
		return 0;
	tls_server_close(server_out);
	return -1;
}

const char *
tlsserver_ending(struct arena *arena, const struct certificates *certificates)
{
	const int64_t now = (int64_t)clock_now().tv_sec;
	struct err err;
	int64_t end;
	size_t i;

	for (i = 0; i < certificates->count; i++) {
		const struct tls_certificate certificate =
			tlsserver_certificate(&certificates->items[i]);
		const char *name = certificate.name[0] != '\0'
		                           ? certificate.name
		                           : "the server";

		if (tls_certificate_end(&certificate, &end, &err) < 0)
			continue;
		if (end < now)
			return arena_format(arena,
				"ssl_cert of %s: the certificate has expired",
				name);
		if (end < now + SOON_S)
			return arena_format(arena,
				"ssl_cert of %s: the certificate expires "
				"within %lld days",
				name, (long long)(end - now + 86399) / 86400);
	}
	return NULL;
}
