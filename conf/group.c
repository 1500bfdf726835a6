/* SPDX-License-Identifier: MIT */
#include "conf/group.h"

#include <arpa/inet.h>

#include "base/number.h"

#include "base/banned.h"

enum { PORT_MAX = 65535, HOST_MAX = 255 };

static bool
is_ipv6(const char *text)
{
	unsigned char bytes[sizeof(struct in6_addr)];

	return inet_pton(AF_INET6, text, bytes) == 1;
}

static bool
is_word_char(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '_';
}

static bool
is_host(struct str host)
{
	size_t i;

	if (host.len == 0 || host.len > HOST_MAX || host.data[0] == '-' ||
		host.data[0] == '.')
		return false;
	for (i = 0; i < host.len; i++)
		if (!is_word_char(host.data[i]) && host.data[i] != '.')
			return false;
	return true;
}

static bool
read_port(struct str text, uint32_t *port_out)
{
	uint64_t port;

	if (number_parse(text, &port) < 0 || port == 0 || port > PORT_MAX)
		return false;
	*port_out = (uint32_t)port;
	return true;
}

/* "[ADDRESS]", "[ADDRESS]:PORT" */
static bool
parse_brackets(struct arena *arena, struct str text,
	struct conf_backend_address *address_out)
{
	size_t end = str_find_char(text, ']');
	struct str rest = str_skip(text, end + 1);

	address_out->host = arena_text(arena, str_slice(text, 1, end));
	if (end == text.len || !is_ipv6(address_out->host))
		return false;
	return rest.len == 0 ||
	       (rest.data[0] == ':' &&
		       read_port(str_skip(rest, 1), &address_out->port));
}

bool
conf_backend_parse(struct arena *arena, const char *name,
	struct conf_backend_address *address_out)
{
	struct str text = str_from(name);
	size_t colon = str_find_char(text, ':');

	*address_out = (struct conf_backend_address){.host = name};
	if (text.len > 0 && text.data[0] == '[')
		return parse_brackets(arena, text, address_out);
	if (is_ipv6(name))
		return true;
	address_out->host = arena_text(arena, str_slice(text, 0, colon));
	if (!is_host(str_slice(text, 0, colon)))
		return false;
	return colon == text.len ||
	       read_port(str_skip(text, colon + 1), &address_out->port);
}

bool
conf_is_group_name(struct str name)
{
	size_t i;

	for (i = 0; i < name.len; i++)
		if (!is_word_char(name.data[i]))
			return false;
	return name.len > 0 && name.len <= HOST_MAX;
}
