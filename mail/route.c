/* SPDX-License-Identifier: MIT */
#include "mail/route.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"
#include "base/utf8.h"

#include "base/banned.h"

enum {
	LMTP_PORT = 24,
	SMTP_PORT = 25,
	PORT_MAX = 65535,
	SECOND_MS = 1000,
	SHOWN_MAX = 100 /* bytes of a wrong value */
};

/* A record that is being read. */
struct reading {
	struct arena *arena;
	const char *origin;
	struct route *route;
	bool is_proxy, is_nologin;
	enum route_tls ssl, starttls;
	const char *hostip;
	struct route_pair *forward;
	size_t forward_bytes;
};

static int
wrong(const struct reading *reading, const struct route_pair *field,
	const char *expected, struct err *err)
{
	return err_temp(err, "4.3.5", "%s: field %.*s: '%.*s' is not %s",
		reading->origin, STR_ARG(field->name),
		STR_ARG(str_slice(field->value, 0, SHOWN_MAX)), expected);
}

/* ---- values ------------------------------------------------------------ */

/* A column of a table may be empty, or say no. */
static int
read_bool(const struct reading *reading, const struct route_pair *field,
	bool *value_out, struct err *err)
{
	static const char *const yes[] = {"y", "yes", "t", "true", "1"};
	static const char *const no[] = {"", "n", "no", "f", "false", "0"};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(yes); i++)
		if (str_is_nocase(field->value, yes[i])) {
			*value_out = true;
			return 0;
		}
	for (i = 0; i < ARRAY_LENGTH(no); i++)
		if (str_is_nocase(field->value, no[i])) {
			*value_out = false;
			return 0;
		}
	return wrong(reading, field, "yes or no", err);
}

static bool
is_host_char(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '_' ||
	       c == '.';
}

/* A name that can be looked up, or be that of a group. */
static bool
is_host_name(struct str name)
{
	size_t i;

	if (name.len == 0 || name.len > ROUTE_HOST_MAX || name.data[0] == '-' ||
		name.data[0] == '.')
		return false;
	for (i = 0; i < name.len; i++)
		if (!is_host_char(name.data[i]))
			return false;
	return str_find(name, STR("..")) == name.len;
}

bool
route_is_address(const char *text)
{
	unsigned char bytes[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, text, bytes) == 1 ||
	       inet_pton(AF_INET6, text, bytes) == 1;
}

/* NULL: it is none.  An IPv6 address may stand in brackets. */
static const char *
take_address(struct arena *arena, struct str value)
{
	const char *text;

	if (value.len > 2 && value.data[0] == '[' &&
		value.data[value.len - 1] == ']')
		value = str_slice(value, 1, value.len - 1);
	if (memchr(value.data, '\0', value.len) != NULL)
		return NULL;
	text = arena_text(arena, value);
	return route_is_address(text) ? text : NULL;
}

static int
read_address(struct reading *reading, const struct route_pair *field,
	const char **address_out, struct err *err)
{
	*address_out = NULL;
	if (field->value.len == 0)
		return 0;
	*address_out = take_address(reading->arena, field->value);
	return *address_out != NULL
	               ? 0
	               : wrong(reading, field, "an IP address", err);
}

static int
read_tls(const struct reading *reading, const struct route_pair *field,
	enum route_tls meant, enum route_tls *tls_out, struct err *err)
{
	bool is_on = true;

	if (str_is_nocase(field->value, "any-cert"))
		reading->route->any_cert = true;
	else if (read_bool(reading, field, &is_on, err) < 0)
		return wrong(reading, field, "yes, no or any-cert", err);
	*tls_out = is_on ? meant : ROUTE_TLS_NONE;
	return 0;
}

/* What is sent within a command's line. */
static bool
is_harmless(struct str text)
{
	size_t i;

	for (i = 0; i < text.len; i++)
		if ((unsigned char)text.data[i] < ' ' || text.data[i] == 0x7f)
			return false;
	return utf8_is_valid(text);
}

/* ---- fields ------------------------------------------------------------ */

static int
read_proxy(struct reading *reading, const struct route_pair *field,
	struct err *err)
{
	return read_bool(reading, field, &reading->is_proxy, err);
}

static int
read_maybe(struct reading *reading, const struct route_pair *field,
	struct err *err)
{
	return read_bool(reading, field, &reading->route->is_maybe, err);
}

static int
read_nologin(struct reading *reading, const struct route_pair *field,
	struct err *err)
{
	return read_bool(reading, field, &reading->is_nologin, err);
}

static int
read_host(struct reading *reading, const struct route_pair *field,
	struct err *err)
{
	struct route *route = reading->route;

	if (field->value.len == 0)
		return 0;
	route->ip = take_address(reading->arena, field->value);
	route->host = route->ip;
	if (route->host != NULL)
		return 0;
	if (!is_host_name(field->value))
		return wrong(reading, field, "the name of a host", err);
	route->host = arena_text(reading->arena, field->value);
	return 0;
}

static int
read_hostip(struct reading *reading, const struct route_pair *field,
	struct err *err)
{
	return read_address(reading, field, &reading->hostip, err);
}

static int
read_source_ip(struct reading *reading, const struct route_pair *field,
	struct err *err)
{
	return read_address(reading, field, &reading->route->source_ip, err);
}

static int
read_port(struct reading *reading, const struct route_pair *field,
	struct err *err)
{
	uint64_t port;

	if (field->value.len == 0)
		return 0;
	if (number_parse(field->value, &port) < 0 || port == 0 ||
		port > PORT_MAX)
		return wrong(reading, field, "a port, 1 to 65535", err);
	reading->route->port = (uint32_t)port;
	return 0;
}

static int
read_protocol(struct reading *reading, const struct route_pair *field,
	struct err *err)
{
	if (field->value.len == 0 || str_is_nocase(field->value, "lmtp"))
		reading->route->protocol = ROUTE_LMTP;
	else if (str_is_nocase(field->value, "smtp"))
		reading->route->protocol = ROUTE_SMTP;
	else
		return wrong(reading, field, "lmtp or smtp", err);
	return 0;
}

static int
read_ssl(struct reading *reading, const struct route_pair *field,
	struct err *err)
{
	return read_tls(reading, field, ROUTE_TLS_IMPLICIT, &reading->ssl, err);
}

static int
read_starttls(struct reading *reading, const struct route_pair *field,
	struct err *err)
{
	return read_tls(
		reading, field, ROUTE_TLS_STARTTLS, &reading->starttls, err);
}

static int
read_timeout(struct reading *reading, const struct route_pair *field,
	struct err *err)
{
	uint64_t timeout_ms;

	if (field->value.len == 0)
		return 0;
	if (number_parse_duration(field->value, SECOND_MS, &timeout_ms) < 0 ||
		timeout_ms > ROUTE_TIMEOUT_MAX_MS)
		return wrong(reading, field, "a time of an hour at most", err);
	reading->route->timeout_ms = timeout_ms;
	return 0;
}

static int
read_destuser(struct reading *reading, const struct route_pair *field,
	struct err *err)
{
	if (field->value.len == 0)
		return 0;
	if (field->value.len > ROUTE_USER_MAX || !is_harmless(field->value))
		return wrong(reading, field, "the name of a user", err);
	reading->route->destuser = arena_text(reading->arena, field->value);
	return 0;
}

static int
read_nopipelining(struct reading *reading, const struct route_pair *field,
	struct err *err)
{
	return read_bool(reading, field, &reading->route->no_pipelining, err);
}

static int
read_not_trusted(struct reading *reading, const struct route_pair *field,
	struct err *err)
{
	return read_bool(reading, field, &reading->route->not_trusted, err);
}

static const struct field_reader {
	const char *name;
	int (*read)(struct reading *reading, const struct route_pair *field,
		struct err *err);
} readers[] = {
	{"proxy", read_proxy},
	{"proxy_maybe", read_maybe},
	{"nologin", read_nologin},
	{"host", read_host},
	{"hostip", read_hostip},
	{"port", read_port},
	{"protocol", read_protocol},
	{"ssl", read_ssl},
	{"starttls", read_starttls},
	{"proxy_timeout", read_timeout},
	{"destuser", read_destuser},
	{"source_ip", read_source_ip},
	{"proxy_nopipelining", read_nopipelining},
	{"proxy_not_trusted", read_not_trusted},
};

static const struct field_reader *
find_reader(struct str name)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(readers); i++)
		if (str_is(name, readers[i].name))
			return &readers[i];
	return NULL;
}

#define FORWARD STR("forward_")

static bool
is_forward(struct str name)
{
	return str_starts(name, FORWARD) && name.len > FORWARD.len;
}

bool
route_is_field(struct str name)
{
	return find_reader(name) != NULL || is_forward(name);
}

static int
add_forward(struct reading *reading, const struct route_pair *field,
	struct err *err)
{
	struct route *route = reading->route;
	struct route_pair pair = {
		str_skip(field->name, FORWARD.len), field->value};

	if (!is_harmless(pair.name) || !is_harmless(pair.value))
		return wrong(reading, field, "text of one line", err);
	reading->forward_bytes += pair.name.len + pair.value.len;
	if (route->forward_count == ROUTE_FORWARD_COUNT_MAX ||
		reading->forward_bytes > ROUTE_FORWARD_MAX)
		return err_temp(err, "4.3.5",
			"%s: more than %d forward_ fields, or %d bytes of them",
			reading->origin, ROUTE_FORWARD_COUNT_MAX,
			ROUTE_FORWARD_MAX);
	if (reading->forward == NULL)
		reading->forward = ARENA_ARRAY(reading->arena,
			struct route_pair, ROUTE_FORWARD_COUNT_MAX);
	reading->forward[route->forward_count++] =
		(struct route_pair){arena_copy(reading->arena, pair.name),
			arena_copy(reading->arena, pair.value)};
	route->forward = reading->forward;
	return 0;
}

static int
read_fields(struct reading *reading, const struct route_pair *fields,
	size_t count, struct err *err)
{
	size_t i;

	for (i = 0; i < count; i++) {
		const struct field_reader *reader = find_reader(fields[i].name);

		if (reader != NULL &&
			reader->read(reading, &fields[i], err) < 0)
			return -1;
		if (reader == NULL && is_forward(fields[i].name) &&
			add_forward(reading, &fields[i], err) < 0)
			return -1;
	}
	return 0;
}

/* ---- all of them ------------------------------------------------------- */

/* With both, STARTTLS is what is meant (as in Dovecot). */
static void
combine(struct reading *reading)
{
	struct route *route = reading->route;

	route->tls = reading->starttls != ROUTE_TLS_NONE ? reading->starttls
	                                                 : reading->ssl;
	if (reading->hostip != NULL)
		route->ip = reading->hostip;
	if (route->host == NULL)
		route->host = route->ip;
	if (reading->is_proxy)
		route->is_maybe = false;
	if (reading->is_nologin)
		route->kind = ROUTE_NOLOGIN;
	else if (reading->is_proxy || route->is_maybe)
		route->kind = ROUTE_PROXY;
}

int
route_read(struct arena *arena, const struct route_pair *fields, size_t count,
	const char *origin, struct route *route_out, struct err *err)
{
	struct reading reading = {
		.arena = arena, .origin = origin, .route = route_out};

	*route_out = (struct route){.kind = ROUTE_LOCAL};
	if (read_fields(&reading, fields, count, err) < 0)
		return -1;
	combine(&reading);
	if (route_out->kind == ROUTE_PROXY && route_out->host == NULL)
		return err_temp(err, "4.3.5",
			"%s: the user is to be passed on, but the record has "
			"no host",
			origin);
	return 0;
}

uint32_t
route_port(const struct route *route, uint32_t came_in_on)
{
	if (route->port != 0)
		return route->port;
	if (route->protocol == ROUTE_SMTP)
		return SMTP_PORT;
	return came_in_on != 0 ? came_in_on : LMTP_PORT;
}

int
route_refusal(const struct route *route, const char *user, struct err *err)
{
	const char *name = route->destuser != NULL ? route->destuser : user;
	char port[16] = "";

	if (route->host == NULL)
		return err_set(err, ERR_REFUSED, "5.3.5", "Login disabled");
	if (route->port != 0)
		snprintf(port, sizeof(port), ":%u", (unsigned)route->port);
	return err_set(err, ERR_REFUSED, "5.2.900", "%s@%s%s Referral", name,
		route->host, port);
}
