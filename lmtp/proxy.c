/* SPDX-License-Identifier: MIT */
#include "lmtp/proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>

#include "base/number.h"

#include "base/banned.h"

/* ---- version 1 ---- */

static bool
is_port(struct str text, in_port_t *port_out)
{
	uint64_t number;

	if (number_parse(text, &number) < 0 || number > 65535)
		return false;
	*port_out = htons((uint16_t)number);
	return true;
}

static bool
is_address(int family, struct str text, void *address_out)
{
	char name[INET6_ADDRSTRLEN + 1];

	if (text.len >= sizeof(name) || str_has_char(text, '\0'))
		return false;
	snprintf(name, sizeof(name), "%.*s", STR_ARG(text));
	return inet_pton(family, name, address_out) == 1;
}

/* "192.0.2.1 192.0.2.2 1234 24": whom it is from, whom it is for. */
static bool
read_addresses(int family, struct str rest, struct proxy_header *header)
{
	struct sockaddr_in *ipv4 = (void *)&header->client;
	struct sockaddr_in6 *ipv6 = (void *)&header->client;
	void *address = family == AF_INET ? (void *)&ipv4->sin_addr
	                                  : (void *)&ipv6->sin6_addr;
	struct str from, to, port, other;
	unsigned char ignored[16];
	in_port_t from_port, to_port;

	if (!str_next_field(&rest, ' ', &from) ||
		!str_next_field(&rest, ' ', &to) ||
		!str_next_field(&rest, ' ', &port) ||
		!str_next_field(&rest, ' ', &other) || rest.data != NULL)
		return false;
	if (!is_address(family, from, address) ||
		!is_address(family, to, ignored) ||
		!is_port(port, &from_port) || !is_port(other, &to_port))
		return false;
	header->client.ss_family = (sa_family_t)family;
	if (family == AF_INET)
		ipv4->sin_port = from_port;
	else
		ipv6->sin6_port = from_port;
	header->has_client = true;
	return true;
}

static bool
read_line(struct str line, struct proxy_header *header)
{
	struct str ipv4 = STR("TCP4 "), ipv6 = STR("TCP6 ");
	struct str unknown = STR("UNKNOWN");

	if (str_starts(line, ipv4))
		return read_addresses(
			AF_INET, str_skip(line, ipv4.len), header);
	if (str_starts(line, ipv6))
		return read_addresses(
			AF_INET6, str_skip(line, ipv6.len), header);
	return str_starts(line, unknown) &&
	       (line.len == unknown.len || line.data[unknown.len] == ' ');
}

#define LINE_START "PROXY "

static enum proxy_result
parse_line(struct str bytes, struct proxy_header *header)
{
	struct str start = STR(LINE_START);
	struct str line = str_slice(bytes, 0, PROXY_LINE_MAX);
	size_t end = str_find(line, STR("\r\n"));

	if (end >= line.len)
		return line.len == PROXY_LINE_MAX ? PROXY_BROKEN : PROXY_MORE;
	header->length = end + 2;
	return read_line(str_slice(line, start.len, end), header)
	               ? PROXY_DONE
	               : PROXY_BROKEN;
}

/* ---- version 2 ---- */

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

enum {
	HEAD_BYTES = 16,
	VERSION_2 = 0x20,
	COMMAND_LOCAL = 0,
	COMMAND_PROXY = 1,
	FAMILY_IPV4 = 1,
	FAMILY_IPV6 = 2,
	IPV4_BYTES = 12, /* two addresses, two ports */
	IPV6_BYTES = 36
};

static void
take_ipv4(struct str addresses, struct proxy_header *header)
{
	struct sockaddr_in *ipv4 = (void *)&header->client;

	ipv4->sin_family = AF_INET;
	memcpy(&ipv4->sin_addr, addresses.data, 4);
	memcpy(&ipv4->sin_port, addresses.data + 8, 2);
	header->has_client = true;
}

static void
take_ipv6(struct str addresses, struct proxy_header *header)
{
	struct sockaddr_in6 *ipv6 = (void *)&header->client;

	ipv6->sin6_family = AF_INET6;
	memcpy(&ipv6->sin6_addr, addresses.data, 16);
	memcpy(&ipv6->sin6_port, addresses.data + 32, 2);
	header->has_client = true;
}

/* Of Unix sockets and of what is not a stream nothing is known. */
static enum proxy_result
take_addresses(
	unsigned family, struct str addresses, struct proxy_header *header)
{
	if (family == FAMILY_IPV4) {
		if (addresses.len < IPV4_BYTES)
			return PROXY_BROKEN;
		take_ipv4(addresses, header);
	} else if (family == FAMILY_IPV6) {
		if (addresses.len < IPV6_BYTES)
			return PROXY_BROKEN;
		take_ipv6(addresses, header);
	}
	return PROXY_DONE;
}

static enum proxy_result
parse_binary(struct str bytes, struct proxy_header *header)
{
	const unsigned char *head = (const unsigned char *)bytes.data;
	size_t len;

	if (bytes.len < HEAD_BYTES)
		return PROXY_MORE;
	len = (size_t)head[14] << 8 | head[15];
	if ((head[12] & 0xf0) != VERSION_2 ||
		(head[12] & 0x0f) > COMMAND_PROXY ||
		HEAD_BYTES + len > PROXY_BYTES_MAX)
		return PROXY_BROKEN;
	if (bytes.len < HEAD_BYTES + len)
		return PROXY_MORE;
	header->length = HEAD_BYTES + len;
	if ((head[12] & 0x0f) == COMMAND_LOCAL)
		return PROXY_DONE;
	return take_addresses(head[13] >> 4,
		str_slice(bytes, HEAD_BYTES, header->length), header);
}

/* ---- either ---- */

/* `bytes` is the beginning of `start`, or begins with it. */
static bool
may_start(struct str bytes, struct str start)
{
	if (bytes.len < start.len)
		start.len = bytes.len;
	return str_starts(bytes, start);
}

enum proxy_result
proxy_parse(struct str bytes, struct proxy_header *header_out)
{
	struct str signature = STR(SIGNATURE);

	memset(header_out, 0, sizeof(*header_out));
	if (may_start(bytes, signature))
		return bytes.len < signature.len
		               ? PROXY_MORE
		               : parse_binary(bytes, header_out);
	if (may_start(bytes, STR(LINE_START)))
		return bytes.len < sizeof(LINE_START) - 1
		               ? PROXY_MORE
		               : parse_line(bytes, header_out);
	return PROXY_BROKEN;
}
