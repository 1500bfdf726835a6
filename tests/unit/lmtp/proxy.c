/* SPDX-License-Identifier: MIT */
#include "lmtp/proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/attributes.h"
#include "lmtp/peer.h"
#include "tests/lib/test.h"

#include "base/banned.h"

#define V2 "\r\n\r\n\0\r\nQUIT\n"
#define BYTES(text) str_of(text, sizeof(text) - 1)

/* Whatever comes behind it; and of each beginning more is wanted. */
static void
check_client(struct str header, const char *ip, unsigned port)
{
	struct proxy_header found;
	struct session_peer peer;
	size_t len;

	for (len = 0; len < header.len; len++)
		CHECK(proxy_parse(str_slice(header, 0, len), &found) ==
			PROXY_MORE);
	REQUIRE(proxy_parse(header, &found) == PROXY_DONE);
	CHECK_UINT(found.length, header.len);
	CHECK(found.has_client == (ip != NULL));
	if (ip == NULL)
		return;
	peer_read(&found.client, &peer);
	CHECK_STR(peer.ip, ip);
	CHECK_UINT(peer.port, port);
}

static void
check_broken(struct str header)
{
	struct proxy_header found;

	CHECK(proxy_parse(header, &found) == PROXY_BROKEN);
}

TEST(a_line_names_the_client)
{
	check_client(STR("PROXY TCP4 192.0.2.1 192.0.2.2 1234 24\r\n"),
		"192.0.2.1", 1234);
	check_client(STR("PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n"),
		"2001:db8::1", 1);
	check_client(
		STR("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n"), "192.0.2.1", 1);
	check_client(STR("PROXY UNKNOWN\r\n"), NULL, 0);
	check_client(STR("PROXY UNKNOWN ff ff 1 2\r\n"), NULL, 0);
}

TEST(what_comes_behind_the_header_is_not_of_it)
{
	struct str both = STR("PROXY UNKNOWN\r\nLHLO x\r\n");
	struct proxy_header found;

	CHECK(proxy_parse(both, &found) == PROXY_DONE);
	CHECK_UINT(found.length, 15);
}

TEST(a_line_of_another_form_is_broken)
{
	static const char *const wrong[] = {"LHLO x\r\n", "PROXZ", "proxy TCP4",
		"PROXY TCP4 192.0.2.1 192.0.2.2 1234\r\n",
		"PROXY TCP4 192.0.2.1 192.0.2.2 1234 24 x\r\n",
		"PROXY TCP4 192.0.2.1 192.0.2.2 1234 65536\r\n",
		"PROXY TCP4 192.0.2.1 192.0.2.2 -1 24\r\n",
		"PROXY TCP4 192.0.2.256 192.0.2.2 1 24\r\n",
		"PROXY TCP4 2001:db8::1 192.0.2.2 1 24\r\n",
		"PROXY TCP6 192.0.2.1 ::1 1 24\r\n",
		"PROXY TCP4  192.0.2.1 192.0.2.2 1 24\r\n",
		"PROXY UDP4 192.0.2.1 192.0.2.2 1 24\r\n", "PROXY UNKNOWNX\r\n",
		"PROXY \r\n"};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(wrong); i++)
		check_broken(str_from(wrong[i]));
}

TEST(a_line_has_no_more_than_107_bytes)
{
	char line[200] = "PROXY UNKNOWN ";
	struct proxy_header found;

	memset(line + 14, 'x', 91);
	CHECK(proxy_parse(str_of(line, 106), &found) == PROXY_MORE);
	CHECK(proxy_parse(str_of(line, 107), &found) == PROXY_BROKEN);
	line[105] = '\r';
	line[106] = '\n';
	CHECK(proxy_parse(str_of(line, 107), &found) == PROXY_DONE);
}

TEST(a_binary_header_names_the_client)
{
	check_client(
		BYTES(V2 "\x21\x11\x00\x0c"
			 "\xc0\x00\x02\x01\xc0\x00\x02\x02\x04\xd2\x00\x18"),
		"192.0.2.1", 1234);
	check_client(BYTES(V2 "\x21\x21\x00\x24"
			      "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
			      "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02"
			      "\x00\x01\x00\x18"),
		"2001:db8::1", 1);
}

TEST(more_fields_of_a_binary_header_are_passed_over)
{
	check_client(BYTES(V2 "\x21\x11\x00\x11"
			      "\xc0\x00\x02\x01\xc0\x00\x02\x02\x04\xd2\x00\x18"
			      "\x04\x00\x02xx"),
		"192.0.2.1", 1234);
}

TEST(a_proxy_may_speak_for_itself)
{
	check_client(BYTES(V2 "\x20\x00\x00\x00"), NULL, 0);
	check_client(BYTES(V2 "\x20\x11\x00\x03xxx"), NULL, 0);
	/* Not known, and a Unix socket. */
	check_client(BYTES(V2 "\x21\x00\x00\x00"), NULL, 0);
	check_client(BYTES(V2 "\x21\x31\x00\x02xx"), NULL, 0);
}

TEST(a_binary_header_of_another_form_is_broken)
{
	check_broken(BYTES(V2 "\x11\x11\x00\x0c"));
	check_broken(BYTES(V2 "\x22\x11\x00\x0c"));
	check_broken(BYTES(V2 "\x21\x11\x10\x00"));
	check_broken(BYTES(V2 "\x21\x11\x00\x0bxxxxxxxxxxx"));
	check_broken(BYTES(V2 "\x21\x21\x00\x0cxxxxxxxxxxxx"));
	check_broken(BYTES("\r\n\r\n\0\r\nQUIX"));
}
