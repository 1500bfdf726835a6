/* SPDX-License-Identifier: MIT */
#include "base/tls_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"

#include "base/banned.h"

enum { LONGEST_WAIT_MS = 60000 };

struct tls_client {
	SSL_CTX *context;
	bool verify;
};

struct tls_stream {
	SSL *ssl;
	int fd;
	bool wants_write;
	char text[120];
	char host[256];
};

/* The first error in OpenSSL's line; the others only say where it came by. */
static const char *
reason(char *text, size_t size)
{
	unsigned long code = ERR_get_error();

	if (code == 0)
		snprintf(text, size, "%s",
			errno != 0 ? strerror(errno) : "the peer closed");
	else
		ERR_error_string_n(code, text, size);
	ERR_clear_error();
	return text;
}

/* ---- whom to trust ---- */

static int
load_trusted(SSL_CTX *context, const struct tls_client_settings *settings,
	struct err *err)
{
	char text[200];

	if (settings->ca_file[0] == '\0' && settings->ca_dir[0] == '\0') {
		if (SSL_CTX_set_default_verify_paths(context) == 1)
			return 0;
		return err_temp(err, "4.3.5",
			"the system's list of certificates: %s",
			reason(text, sizeof(text)));
	}
	if (settings->ca_file[0] != '\0' &&
		SSL_CTX_load_verify_file(context, settings->ca_file) != 1)
		return err_temp(err, "4.3.5", "ssl_client_ca_file = %s: %s",
			settings->ca_file, reason(text, sizeof(text)));
	if (settings->ca_dir[0] != '\0' &&
		SSL_CTX_load_verify_dir(context, settings->ca_dir) != 1)
		return err_temp(err, "4.3.5", "ssl_client_ca_dir = %s: %s",
			settings->ca_dir, reason(text, sizeof(text)));
	return 0;
}

int
tls_client_open(const struct tls_client_settings *settings,
	struct tls_client **client_out, struct err *err)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	char text[200];

	if (context == NULL)
		return err_temp(err, "4.3.0", "TLS cannot be used: %s",
			reason(text, sizeof(text)));
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					  SSL_MODE_AUTO_RETRY);
	if (settings->verify && load_trusted(context, settings, err) < 0) {
		SSL_CTX_free(context);
		return -1;
	}
	SSL_CTX_set_verify(context,
		settings->verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	*client_out = memory_get(sizeof(**client_out));
	(*client_out)->context = context;
	(*client_out)->verify = settings->verify;
	return 0;
}

void
tls_client_close(struct tls_client **client_in)
{
	struct tls_client *client = *client_in;

	if (client == NULL)
		return;
	*client_in = NULL;
	SSL_CTX_free(client->context);
	memory_free(client);
}

/* ---- waiting ---- */

static int
timed_out(struct err *err)
{
	return err_temp(err, "4.4.2", "no answer in time");
}

/* Until the call that had `result` can be made again. */
static int
wait_for(struct tls_stream *stream, int result, uint64_t until_ms,
	struct err *err)
{
	struct pollfd wait = {.fd = stream->fd};
	uint64_t now;
	char text[200];
	int error = SSL_get_error(stream->ssl, result);

	if (error == SSL_ERROR_WANT_READ)
		wait.events = POLLIN;
	else if (error == SSL_ERROR_WANT_WRITE)
		wait.events = POLLOUT;
	else
		return err_temp(
			err, "4.4.2", "TLS: %s", reason(text, sizeof(text)));
	for (;;) {
		now = clock_monotonic_ms();
		if (now >= until_ms)
			return timed_out(err);
		if (until_ms - now > LONGEST_WAIT_MS)
			now = until_ms - LONGEST_WAIT_MS;
		if (poll(&wait, 1, (int)(until_ms - now)) > 0)
			return 0;
	}
}

/* ---- a connection ---- */

static bool
is_ip(const char *host)
{
	unsigned char bytes[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, bytes) == 1 ||
	       inet_pton(AF_INET6, host, bytes) == 1;
}

/* The name that is looked for in the certificate, and told to the server so that
 * it can choose one (RFC 6066 3: names only). */
static int
expect_host(SSL *ssl, const char *host)
{
	if (is_ip(host))
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host);
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set_tlsext_host_name(ssl, host) == 1 &&
	       SSL_set1_host(ssl, host) == 1;
}

static int
shake_hands(struct tls_stream *stream, const char *host, uint64_t until_ms,
	struct err *err)
{
	for (;;) {
		int result;
		long verdict;

		ERR_clear_error();
		errno = 0;
		result = SSL_connect(stream->ssl);
		if (result == 1)
			return 0;
		verdict = SSL_get_verify_result(stream->ssl);
		if (verdict != X509_V_OK &&
			SSL_get_verify_mode(stream->ssl) != SSL_VERIFY_NONE) {
			ERR_clear_error();
			return err_temp(err, "4.7.5",
				"the certificate of %s is not good: %s", host,
				X509_verify_cert_error_string(verdict));
		}
		if (wait_for(stream, result, until_ms, err) < 0)
			return -1;
	}
}

int
tls_client_start(struct tls_client *client, int fd, const char *host,
	uint64_t until_ms, struct tls_stream **stream_out, struct err *err)
{
	struct tls_stream *stream = memory_get(sizeof(*stream));
	char text[200];

	stream->fd = fd;
	stream->ssl = SSL_new(client->context);
	if (stream->ssl == NULL || SSL_set_fd(stream->ssl, fd) != 1 ||
		expect_host(stream->ssl, host) != 1) {
		err_temp(err, "4.7.0", "TLS with %s: %s", host,
			reason(text, sizeof(text)));
		tls_stream_close(&stream);
		return -1;
	}
	if (shake_hands(stream, host, until_ms, err) < 0) {
		tls_stream_close(&stream);
		return -1;
	}
	snprintf(stream->text, sizeof(stream->text), "%s with cipher %s",
		SSL_get_version(stream->ssl), SSL_get_cipher(stream->ssl));
	*stream_out = stream;
	return 0;
}

ssize_t
tls_stream_read(struct tls_stream *stream, void *bytes, size_t size,
	uint64_t until_ms, struct err *err)
{
	for (;;) {
		size_t got;
		int result;

		ERR_clear_error();
		errno = 0;
		result = SSL_read_ex(stream->ssl, bytes, size, &got);
		if (result == 1)
			return (ssize_t)got;
		if (SSL_get_error(stream->ssl, result) == SSL_ERROR_ZERO_RETURN)
			return 0;
		if (wait_for(stream, result, until_ms, err) < 0)
			return -1;
	}
}

int
tls_stream_write(struct tls_stream *stream, struct str bytes, uint64_t until_ms,
	struct err *err)
{
	while (bytes.len > 0) {
		size_t written;
		int result;

		ERR_clear_error();
		errno = 0;
		result = SSL_write_ex(
			stream->ssl, bytes.data, bytes.len, &written);
		if (result == 1)
			bytes = str_skip(bytes, written);
		else if (wait_for(stream, result, until_ms, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- in an event loop ---- */

int
tls_client_begin(struct tls_client *client, int fd, const char *host,
	struct tls_stream **stream_out, struct err *err)
{
	struct tls_stream *stream = memory_get(sizeof(*stream));
	char text[200];

	stream->fd = fd;
	snprintf(stream->host, sizeof(stream->host), "%s", host);
	stream->ssl = SSL_new(client->context);
	if (stream->ssl == NULL || SSL_set_fd(stream->ssl, fd) != 1 ||
		expect_host(stream->ssl, host) != 1) {
		err_temp(err, "4.7.0", "TLS with %s: %s", host,
			reason(text, sizeof(text)));
		tls_stream_close(&stream);
		return -1;
	}
	*stream_out = stream;
	return 0;
}

/* True: the socket is waited for. */
static bool
has_to_wait(struct tls_stream *stream, int result)
{
	int error = SSL_get_error(stream->ssl, result);

	stream->wants_write = error == SSL_ERROR_WANT_WRITE;
	return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

enum tls_client_step
tls_stream_handshake(struct tls_stream *stream, struct err *err)
{
	long verdict;
	int result;
	char text[200];

	ERR_clear_error();
	errno = 0;
	result = SSL_connect(stream->ssl);
	if (result == 1) {
		stream->wants_write = false;
		snprintf(stream->text, sizeof(stream->text),
			"%s with cipher %s", SSL_get_version(stream->ssl),
			SSL_get_cipher(stream->ssl));
		return TLS_CLIENT_DONE;
	}
	if (has_to_wait(stream, result))
		return TLS_CLIENT_WAITS;
	verdict = SSL_get_verify_result(stream->ssl);
	if (verdict != X509_V_OK &&
		SSL_get_verify_mode(stream->ssl) != SSL_VERIFY_NONE) {
		ERR_clear_error();
		err_temp(err, "4.7.5", "the certificate of %s is not good: %s",
			stream->host, X509_verify_cert_error_string(verdict));
	} else {
		err_temp(err, "4.7.0", "TLS with %s: %s", stream->host,
			reason(text, sizeof(text)));
	}
	return TLS_CLIENT_FAILED;
}

bool
tls_stream_wants_write(const struct tls_stream *stream)
{
	return stream->wants_write;
}

static ssize_t
cannot(struct tls_stream *stream, int result)
{
	errno = has_to_wait(stream, result) ? EAGAIN : EPROTO;
	return -1;
}

ssize_t
tls_stream_receive(struct tls_stream *stream, void *bytes, size_t size)
{
	size_t got = 0;
	int result;

	ERR_clear_error();
	errno = 0;
	result = SSL_read_ex(stream->ssl, bytes, size, &got);
	if (result == 1)
		return (ssize_t)got;
	if (SSL_get_error(stream->ssl, result) == SSL_ERROR_ZERO_RETURN)
		return 0;
	return cannot(stream, result);
}

ssize_t
tls_stream_send(struct tls_stream *stream, struct str bytes)
{
	size_t written = 0;
	int result;

	ERR_clear_error();
	errno = 0;
	result = SSL_write_ex(stream->ssl, bytes.data, bytes.len, &written);
	return result == 1 ? (ssize_t)written : cannot(stream, result);
}

const char *
tls_stream_text(const struct tls_stream *stream)
{
	return stream->text;
}

void
tls_stream_close(struct tls_stream **stream_in)
{
	struct tls_stream *stream = *stream_in;

	if (stream == NULL)
		return;
	*stream_in = NULL;
	if (stream->ssl != NULL) {
		/* Said, not waited for. */
		if (SSL_is_init_finished(stream->ssl))
			(void)!SSL_shutdown(stream->ssl);
		SSL_free(stream->ssl);
	}
	ERR_clear_error();
	memory_free(stream);
}
