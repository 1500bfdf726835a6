/* SPDX-License-Identifier: MIT */
#include "base/tls.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/attributes.h"
#include "base/memory.h"

#include "base/banned.h"

/* Forward secrecy, and no cipher that is known to be weak. */
#define CIPHERS                                                                \
	"HIGH:!kRSA:!kDH:!kECDH:!PSK:!SRP:!aNULL:!eNULL:!DSS:!3DES:!MD5:"      \
	"!ARIA:!CAMELLIA:!AESCCM"

/* A certificate with everything that is set. */
struct site {
	struct site *next;
	SSL_CTX *context;
	char name[256];
};

struct tls_server {
	struct tls_options options; /* its texts are not ours */
	struct site *first;         /* of the empty name, once it is there */
};

struct tls {
	SSL *ssl;
	bool is_open;     /* the handshake is done */
	bool is_broken;   /* nothing may be said any more */
	bool wants_write; /* what waits, waits for that */
	char description[128];
	char peer_name[256];
};

/* ---- memory ---- */

/* A client makes us hold buffers as large as it announces: they are counted where
 * they are made.  The library gives its functions no context. */
static atomic_size_t memory_held;

static void *
counted_resize(void *memory, size_t size, const char *file, int line)
{
	size_t before = memory != NULL ? malloc_usable_size(memory) : 0;

	(void)file;
	(void)line;
	memory = memory_resize(memory, size);
	atomic_fetch_add(&memory_held, malloc_usable_size(memory) - before);
	return memory;
}

static void *
counted_get(size_t size, const char *file, int line)
{
	return counted_resize(NULL, size, file, line);
}

static void
counted_free(void *memory, const char *file, int line)
{
	(void)file;
	(void)line;
	if (memory == NULL)
		return;
	atomic_fetch_sub(&memory_held, malloc_usable_size(memory));
	memory_free(memory);
}

size_t
tls_memory(void)
{
	return atomic_load(&memory_held);
}

/* ---- what went wrong ---- */

/* The oldest error of the queue is the cause. */
static const char *
reason(void)
{
	unsigned long code = ERR_get_error();
	const char *text =
		code != 0 ? ERR_reason_error_string(code) : "unknown error";

	ERR_clear_error();
	return text != NULL ? text : "unknown error";
}

static int
wrong(struct err *err, const char *setting, const char *value)
{
	return err_temp(
		err, "4.3.5", "%s: \"%s\": %s", setting, value, reason());
}

/* ---- settings ---- */

static const struct {
	const char *name;
	int version;
} versions[] = {
	{"ANY", 0},
	{"TLSv1", TLS1_VERSION},
	{"TLSv1.1", TLS1_1_VERSION},
	{"TLSv1.2", TLS1_2_VERSION},
	{"TLSv1.3", TLS1_3_VERSION},
	{"LATEST", TLS1_3_VERSION},
};

static int
set_version(SSL_CTX *context, const char *name, struct err *err)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(versions); i++)
		if (str_is_nocase(str_from(name), versions[i].name) &&
			SSL_CTX_set_min_proto_version(
				context, versions[i].version) == 1)
			return 0;
	return wrong(err, "ssl_min_protocol", name);
}

static int
set_ciphers(
	SSL_CTX *context, const struct tls_options *options, struct err *err)
{
	const char *ciphers = options->cipher_list[0] != '\0'
	                              ? options->cipher_list
	                              : CIPHERS;

	if (SSL_CTX_set_cipher_list(context, ciphers) != 1)
		return wrong(err, "ssl_cipher_list", ciphers);
	if (options->cipher_suites[0] != '\0' &&
		SSL_CTX_set_ciphersuites(context, options->cipher_suites) != 1)
		return wrong(err, "ssl_cipher_suites", options->cipher_suites);
	if (options->curve_list[0] != '\0' &&
		SSL_CTX_set1_groups_list(context, options->curve_list) != 1)
		return wrong(err, "ssl_curve_list", options->curve_list);
	if (options->prefers_own_ciphers)
		SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
	return 0;
}

/* What is wrong with a certificate that was only offered makes its owner unknown. */
static int
accept_any(int is_good, X509_STORE_CTX *store)
{
	(void)is_good;
	(void)store;
	return 1;
}

static int
add_authorities(SSL_CTX *context, struct str pem, struct err *err)
{
	BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	X509_STORE *store = SSL_CTX_get_cert_store(context);
	X509 *authority;
	int count = 0;

	while (bio != NULL && (authority = PEM_read_bio_X509(
				       bio, NULL, NULL, NULL)) != NULL) {
		if (X509_STORE_add_cert(store, authority) == 1 &&
			SSL_CTX_add_client_CA(context, authority) == 1)
			count++;
		X509_free(authority);
	}
	BIO_free(bio);
	if (count == 0)
		return err_temp(err, "4.3.5",
			"ssl_ca: no certificate in it: %s", reason());
	ERR_clear_error();
	return 0;
}

static int
set_verification(
	SSL_CTX *context, const struct tls_options *options, struct err *err)
{
	static const unsigned char name[] = "doorstep";

	if (options->verify == TLS_VERIFY_NOT)
		return 0;
	if (options->authorities.len == 0)
		return err_temp(err, "4.3.5",
			"clients are asked for certificates, but ssl_ca does "
			"not say whose are good");
	SSL_CTX_set_session_id_context(context, name, sizeof(name) - 1);
	if (options->verify == TLS_VERIFY_NEEDED)
		SSL_CTX_set_verify(context,
			SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
			NULL);
	else
		SSL_CTX_set_verify(context, SSL_VERIFY_PEER, accept_any);
	return add_authorities(context, options->authorities, err);
}

static void
set_modes(SSL_CTX *context)
{
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					  SSL_MODE_RELEASE_BUFFERS);
	/* LMTP has its own end: a dot, QUIT. */
	SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION |
					     SSL_OP_NO_RENEGOTIATION |
					     SSL_OP_IGNORE_UNEXPECTED_EOF);
	/* Tickets need no memory of ours. */
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(context, 1);
}

/* ---- certificates ---- */

static const char *
shown(const char *name)
{
	return name[0] != '\0' ? name : "the server";
}

static int
add_chain(SSL_CTX *context, const struct tls_certificate *certificate,
	struct err *err)
{
	BIO *bio = BIO_new_mem_buf(
		certificate->chain.data, (int)certificate->chain.len);
	X509 *next = NULL;
	int result = -1;

	if (bio != NULL)
		next = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL);
	if (next == NULL || SSL_CTX_use_certificate(context, next) != 1) {
		err_temp(err, "4.3.5", "ssl_cert of %s: no certificate: %s",
			shown(certificate->name), reason());
		goto end;
	}
	X509_free(next);
	while ((next = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		if (SSL_CTX_add0_chain_cert(context, next) != 1) {
			err_temp(err, "4.3.5", "ssl_cert of %s: %s",
				shown(certificate->name), reason());
			goto end;
		}
	}
	/* Nothing more came: that is no error. */
	ERR_clear_error();
	result = 0;
end:
	X509_free(next);
	BIO_free(bio);
	return result;
}

int
tls_certificate_end(const struct tls_certificate *certificate, int64_t *end_out,
	struct err *err)
{
	BIO *bio = BIO_new_mem_buf(
		certificate->chain.data, (int)certificate->chain.len);
	X509 *first = NULL;
	struct tm end;
	int result = 0;

	if (bio != NULL)
		first = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL);
	if (first == NULL ||
		ASN1_TIME_to_tm(X509_get0_notAfter(first), &end) != 1)
		result = err_temp(err, "4.3.5",
			"ssl_cert of %s: no certificate: %s",
			shown(certificate->name), reason());
	else
		*end_out = (int64_t)timegm(&end);
	X509_free(first);
	BIO_free(bio);
	return result;
}

/* Never asks on the terminal. */
static int
give_password(char *room, int size, int is_writing, void *context)
{
	const struct str *password = context;

	(void)is_writing;
	if (password->len > (size_t)size)
		return -1;
	memcpy(room, password->data, password->len);
	return (int)password->len;
}

static int
add_key(SSL_CTX *context, const struct tls_certificate *certificate,
	struct err *err)
{
	struct str password = certificate->password;
	BIO *bio = BIO_new_mem_buf(
		certificate->key.data, (int)certificate->key.len);
	EVP_PKEY *key = NULL;
	int result = 0;

	if (password.data == NULL)
		password = STR_EMPTY;
	if (bio != NULL)
		key = PEM_read_bio_PrivateKey(
			bio, NULL, give_password, &password);
	if (key == NULL)
		result = err_temp(err, "4.3.5",
			"ssl_key of %s: no key, or not with this "
			"ssl_key_password: %s",
			shown(certificate->name), reason());
	else if (SSL_CTX_use_PrivateKey(context, key) != 1 ||
		 SSL_CTX_check_private_key(context) != 1)
		result = err_temp(err, "4.3.5",
			"ssl_key of %s: is not the key of ssl_cert: %s",
			shown(certificate->name), reason());
	EVP_PKEY_free(key);
	BIO_free(bio);
	return result;
}

/* RFC 6125 6.4.3: the asterisk stands for one label. */
static bool
is_name(const char *pattern, struct str name)
{
	struct str rest = str_from(pattern);

	if (!str_starts(rest, STR("*.")))
		return str_equal_nocase(rest, name);
	return str_equal_nocase(
		str_skip(rest, 1), str_skip(name, str_find_char(name, '.')));
}

static int
choose_site(SSL *ssl, int *alert, void *context)
{
	const struct tls_server *server = context;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	const struct site *site;

	(void)alert;
	if (name == NULL)
		return SSL_TLSEXT_ERR_NOACK;
	for (site = server->first->next; site != NULL; site = site->next)
		if (is_name(site->name, str_from(name))) {
			SSL_set_SSL_CTX(ssl, site->context);
			return SSL_TLSEXT_ERR_OK;
		}
	return SSL_TLSEXT_ERR_NOACK;
}

/* ---- the server's side ---- */

int
tls_server_open(const struct tls_options *options,
	struct tls_server **server_out, struct err *err)
{
	struct tls_server *server;

	*server_out = NULL;
	/* It is refused when the library holds memory already. */
	(void)CRYPTO_set_mem_functions(
		counted_get, counted_resize, counted_free);
	if (OPENSSL_init_ssl(0, NULL) != 1)
		return err_temp(
			err, "4.3.5", "cannot start OpenSSL: %s", reason());
	server = memory_get(sizeof(*server));
	server->options = *options;
	*server_out = server;
	return 0;
}

static int
fill_site(const struct tls_server *server, struct site *site,
	const struct tls_certificate *certificate, struct err *err)
{
	const struct tls_options *options = &server->options;

	set_modes(site->context);
	if (set_version(site->context, options->min_protocol, err) < 0 ||
		set_ciphers(site->context, options, err) < 0 ||
		set_verification(site->context, options, err) < 0)
		return -1;
	if (add_chain(site->context, certificate, err) < 0)
		return -1;
	return add_key(site->context, certificate, err);
}

static void
site_close(struct site *site)
{
	SSL_CTX_free(site->context);
	memory_free(site);
}

/* The first one is what a connection begins with. */
static void
link_site(struct tls_server *server, struct site *site)
{
	struct site **place = &server->first;

	if (site->name[0] == '\0') {
		site->next = server->first;
		server->first = site;
		SSL_CTX_set_tlsext_servername_callback(
			site->context, choose_site);
		SSL_CTX_set_tlsext_servername_arg(site->context, server);
		return;
	}
	while (*place != NULL)
		place = &(*place)->next;
	*place = site;
}

int
tls_server_add(struct tls_server *server,
	const struct tls_certificate *certificate, struct err *err)
{
	struct site *site = memory_get(sizeof(*site));

	ERR_clear_error();
	snprintf(site->name, sizeof(site->name), "%s", certificate->name);
	site->context = SSL_CTX_new(TLS_server_method());
	if (site->context == NULL) {
		err_temp(err, "4.3.5", "cannot start TLS: %s", reason());
		site_close(site);
		return -1;
	}
	if (fill_site(server, site, certificate, err) < 0) {
		site_close(site);
		return -1;
	}
	link_site(server, site);
	return 0;
}

void
tls_server_close(struct tls_server **server)
{
	struct tls_server *ended = *server;
	struct site *site, *next;

	if (ended == NULL)
		return;
	for (site = ended->first; site != NULL; site = next) {
		next = site->next;
		site_close(site);
	}
	memory_free(ended);
	*server = NULL;
}

struct tls *
tls_accept(struct tls_server *server, int fd)
{
	SSL *ssl = SSL_new(server->first->context);
	struct tls *tls;

	if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) {
		SSL_free(ssl);
		ERR_clear_error();
		return NULL;
	}
	SSL_set_accept_state(ssl);
	tls = memory_get(sizeof(*tls));
	tls->ssl = ssl;
	return tls;
}

/* ---- a connection ---- */

bool
tls_wants_write(const struct tls *tls)
{
	return tls->wants_write;
}

/* What a call that returned `result` meant: TLS_DONE is the end of the peer's
 * data. */
static enum tls_step
step_of(struct tls *tls, int result)
{
	int problem = errno;

	switch (SSL_get_error(tls->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return TLS_WAITS;
	case SSL_ERROR_WANT_WRITE:
		tls->wants_write = true;
		return TLS_WAITS;
	case SSL_ERROR_ZERO_RETURN:
		return TLS_DONE;
	default:
		tls->is_broken = true;
		errno = problem != 0 ? problem : EPROTO;
		return TLS_FAILED;
	}
}

static void
begin(struct tls *tls)
{
	tls->wants_write = false;
	ERR_clear_error();
	errno = 0;
}

static void
describe(struct tls *tls)
{
	const SSL_CIPHER *cipher = SSL_get_current_cipher(tls->ssl);
	int strength = 0, used = SSL_CIPHER_get_bits(cipher, &strength);

	snprintf(tls->description, sizeof(tls->description),
		"%s with cipher %s (%d/%d bits)", SSL_get_version(tls->ssl),
		SSL_CIPHER_get_name(cipher), used, strength);
}

/* A name with a control character is none. */
static void
name_peer(struct tls *tls)
{
	X509 *peer = SSL_get0_peer_certificate(tls->ssl);
	const X509_NAME_ENTRY *entry;
	unsigned char *text = NULL;
	int place, len = 0;

	if (peer == NULL || SSL_get_verify_result(tls->ssl) != X509_V_OK)
		return;
	place = X509_NAME_get_index_by_NID(
		X509_get_subject_name(peer), NID_commonName, -1);
	if (place < 0)
		return;
	entry = X509_NAME_get_entry(X509_get_subject_name(peer), place);
	len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));
	for (place = 0; place < len; place++)
		if (text[place] < ' ' || text[place] == 127)
			len = 0;
	if (len > 0 && (size_t)len < sizeof(tls->peer_name))
		memcpy(tls->peer_name, text, (size_t)len);
	OPENSSL_free(text);
}

enum tls_step
tls_handshake(struct tls *tls, struct err *err)
{
	enum tls_step step;
	int result;

	begin(tls);
	result = SSL_do_handshake(tls->ssl);
	if (result == 1) {
		tls->is_open = true;
		describe(tls);
		name_peer(tls);
		return TLS_DONE;
	}
	step = step_of(tls, result);
	if (step == TLS_WAITS)
		return step;
	tls->is_broken = true;
	err_temp(err, "4.7.0", "%s",
		ERR_peek_error() != 0 ? reason() : "the client has gone");
	return TLS_FAILED;
}

/* errno of what did not give bytes. */
static ssize_t
failed(struct tls *tls, int result)
{
	enum tls_step step = step_of(tls, result);

	if (step == TLS_DONE)
		return 0;
	if (step == TLS_WAITS)
		errno = EAGAIN;
	return -1;
}

ssize_t
tls_read(struct tls *tls, char *bytes, size_t most)
{
	size_t got;
	int result;

	begin(tls);
	result = SSL_read_ex(tls->ssl, bytes, most, &got);
	return result == 1 ? (ssize_t)got : failed(tls, result);
}

ssize_t
tls_write(struct tls *tls, struct str bytes)
{
	size_t sent;
	int result;

	begin(tls);
	result = SSL_write_ex(tls->ssl, bytes.data, bytes.len, &sent);
	return result == 1 ? (ssize_t)sent : failed(tls, result);
}

bool
tls_has_bytes(const struct tls *tls)
{
	return SSL_pending(tls->ssl) > 0;
}

size_t
tls_unread(const struct tls *tls)
{
	int ready = SSL_pending(tls->ssl);

	if (ready > 0)
		return (size_t)ready;
	/* Of a record that is not whole. */
	return SSL_has_pending(tls->ssl) ? SSL3_RT_MAX_PLAIN_LENGTH : 0;
}

const char *
tls_description(const struct tls *tls)
{
	return tls->description;
}

bool
tls_is_resumed(const struct tls *tls)
{
	return SSL_session_reused(tls->ssl) == 1;
}

const char *
tls_peer_name(const struct tls *tls)
{
	return tls->peer_name;
}

void
tls_close(struct tls **tls)
{
	struct tls *ended = *tls;

	if (ended == NULL)
		return;
	if (ended->is_open && !ended->is_broken) {
		ERR_clear_error();
		SSL_shutdown(ended->ssl);
	}
	ERR_clear_error();
	SSL_free(ended->ssl);
	memory_free(ended);
	*tls = NULL;
}
