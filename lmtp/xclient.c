/* SPDX-License-Identifier: MIT */
#include "lmtp/xclient.h"

#include <arpa/inet.h>

#include "base/number.h"
#include "base/utf8.h"
#include "lmtp/command.h"

#include "base/banned.h"

/* ---- values ---- */

static bool
is_address(struct str text, struct str *address_out)
{
	struct str prefix = STR("IPV6:");
	unsigned char bytes[16];
	char name[64];
	int family = AF_INET;

	if (str_starts_nocase(text, prefix)) {
		text = str_skip(text, prefix.len);
		family = AF_INET6;
	} else if (str_has_char(text, ':')) {
		family = AF_INET6;
	}
	if (text.len >= sizeof(name) || str_has_char(text, '\0'))
		return false;
	snprintf(name, sizeof(name), "%.*s", STR_ARG(text));
	*address_out = text;
	return inet_pton(family, name, bytes) == 1;
}

static bool
is_session(struct str text)
{
	size_t i;

	for (i = 0; i < text.len; i++)
		if (!ascii_is_alpha(text.data[i]) &&
			!ascii_is_digit(text.data[i]) &&
			(text.data[i] == '\0' ||
				strchr("+/=_:.-", text.data[i]) == NULL))
			return false;
	return text.len > 0 && text.len <= XCLIENT_SESSION_MAX;
}

/* Text that may stand in a header field. */
static bool
is_plain(struct str text)
{
	size_t at = 0;
	uint32_t code;

	while (utf8_next(text, &at, &code))
		if (code < ' ' || (code >= 127 && code < 0xa0))
			return false;
	return at == text.len && text.len <= XCLIENT_VALUE_MAX;
}

static bool
is_number(struct str text, uint64_t most, uint64_t *number_out)
{
	return number_parse(text, number_out) == 0 && *number_out <= most;
}

/* ---- attributes ---- */

static bool
take_address(struct xclient *xclient, struct str text)
{
	return is_address(text, &xclient->address.text);
}

static bool
take_port(struct xclient *xclient, struct str text)
{
	uint64_t number;

	if (!is_number(text, 65535, &number))
		return false;
	xclient->port_number = (uint32_t)number;
	return true;
}

static bool
take_proto(struct xclient *xclient, struct str text)
{
	(void)xclient;
	return str_is_nocase(text, "SMTP") || str_is_nocase(text, "ESMTP") ||
	       str_is_nocase(text, "LMTP");
}

static bool
take_helo(struct xclient *xclient, struct str text)
{
	(void)xclient;
	return command_is_domain(text);
}

/* The peer has asked the DNS. */
static bool
take_name(struct xclient *xclient, struct str text)
{
	(void)xclient;
	return command_is_domain(text);
}

static bool
take_login(struct xclient *xclient, struct str text)
{
	(void)xclient;
	return is_plain(text);
}

static bool
take_session(struct xclient *xclient, struct str text)
{
	(void)xclient;
	return is_session(text);
}

/* XCLIENT has no such name, so it is nothing that could be wrong. */
static bool
take_ident(struct xclient *xclient, struct str text)
{
	if (!is_session(text))
		xclient->ident.text = STR_EMPTY;
	return true;
}

static bool
take_ttl(struct xclient *xclient, struct str text)
{
	return is_number(text, 255, &xclient->ttl_number);
}

static bool
take_timeout(struct xclient *xclient, struct str text)
{
	return is_number(text, 86400ULL * 365, &xclient->timeout_s);
}

static const struct attribute {
	const char *name;
	size_t place; /* of its struct xclient_value */
	/* False: not a value of this attribute. */
	bool (*take)(struct xclient *xclient, struct str text);
} attributes[] = {
	{"NAME", offsetof(struct xclient, name), take_name},
	{"ADDR", offsetof(struct xclient, address), take_address},
	{"PORT", offsetof(struct xclient, port), take_port},
	{"PROTO", offsetof(struct xclient, proto), take_proto},
	{"HELO", offsetof(struct xclient, helo), take_helo},
	{"LOGIN", offsetof(struct xclient, login), take_login},
	{"SESSION", offsetof(struct xclient, session), take_session},
	{"TTL", offsetof(struct xclient, ttl), take_ttl},
	{"TIMEOUT", offsetof(struct xclient, timeout), take_timeout},
	{"IDENT", offsetof(struct xclient, ident), take_ident},
};

static const struct attribute *
find_attribute(struct str name)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(attributes); i++)
		if (str_is_nocase(name, attributes[i].name))
			return &attributes[i];
	return NULL;
}

static bool
take_attribute(struct arena *arena, struct xclient *xclient,
	const struct attribute *attribute, struct str coded)
{
	struct xclient_value *value =
		(struct xclient_value *)(void *)((char *)xclient +
						 attribute->place);
	struct str text;

	if (command_decode_xtext(arena, coded, &text) < 0)
		return false;
	value->has = true;
	value->text = STR_EMPTY;
	if (str_is_nocase(text, "[UNAVAILABLE]") ||
		str_is_nocase(text, "[TEMPUNAVAIL]"))
		return true;
	value->text = text;
	return attribute->take(xclient, text);
}

static void
forget_value(struct xclient *xclient, const struct attribute *attribute)
{
	struct xclient_value *value =
		(struct xclient_value *)(void *)((char *)xclient +
						 attribute->place);

	*value = (struct xclient_value){.has = true, .text = STR_EMPTY};
}

/* What to say when a value makes no sense; with `forgives` it is as if the client
 * did not know it. */
static const char *
parse(struct arena *arena, struct str arguments, bool forgives,
	struct xclient *xclient_out)
{
	const struct attribute *attribute;
	struct str word, name;

	*xclient_out = (struct xclient){.timeout_s = 0};
	if (arguments.len == 0)
		return "501 5.5.4 Invalid parameters";
	while (str_next_word(&arguments, &word)) {
		if (!str_has_char(word, '='))
			return "501 5.5.4 Invalid parameters";
		(void)str_next_field(&word, '=', &name);
		attribute = find_attribute(name);
		if (attribute == NULL ||
			take_attribute(arena, xclient_out, attribute, word))
			continue;
		if (!forgives)
			return arena_format(arena,
				"501 5.5.4 Invalid %s parameter",
				attribute->name);
		forget_value(xclient_out, attribute);
	}
	return NULL;
}

const char *
xclient_parse(
	struct arena *arena, struct str arguments, struct xclient *xclient_out)
{
	return parse(arena, arguments, false, xclient_out);
}

const char *
xforward_parse(
	struct arena *arena, struct str arguments, struct xclient *xclient_out)
{
	return parse(arena, arguments, true, xclient_out);
}
