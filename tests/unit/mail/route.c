/* SPDX-License-Identifier: MIT */
#include "mail/route.h"

#include <stdio.h>
#include <string.h>

#include "base/attributes.h"
#include "base/memory.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static struct arena *arena;
static struct route route;
static struct err err;

/* "proxy=y host=b": fields between blanks, as a file of users has them. */
static int
read_words(const char *words)
{
	struct route_pair fields[200];
	struct str rest = str_from(words), word;
	size_t count = 0;

	if (arena == NULL)
		arena = arena_open();
	while (str_next_word(&rest, &word)) {
		size_t at = str_find_char(word, '=');

		REQUIRE(count < ARRAY_LENGTH(fields));
		fields[count].name = str_slice(word, 0, at);
		fields[count++].value =
			at < word.len ? str_skip(word, at + 1) : STR("yes");
	}
	err_clear(&err);
	return route_read(arena, fields, count, "user amy", &route, &err);
}

#define CHECK_WRONG(words, expected)                                           \
	do {                                                                   \
		CHECK_INT(read_words(words), -1);                              \
		CHECK_INT(err.kind, ERR_TEMPORARY);                            \
		CHECK_STR(err.status, "4.3.5");                                \
		CHECK_STR(err.detail, "user amy: " expected);                  \
	} while (0)

TEST(a_record_without_these_fields_is_of_this_host)
{
	REQUIRE(read_words("uid=5 quota_rule=*:storage=1G host=b port=24") ==
		0);
	CHECK_INT(route.kind, ROUTE_LOCAL);
}

TEST(a_proxied_record_has_all_that_the_fields_say)
{
	REQUIRE(read_words("proxy=y host=b.example.org hostip=192.0.2.7 "
			   "port=2424 protocol=lmtp ssl=yes proxy_timeout=30 "
			   "destuser=amy@b.example source_ip=192.0.2.1 "
			   "forward_a=1 forward_b=x,y") == 0);
	CHECK_INT(route.kind, ROUTE_PROXY);
	CHECK(!route.is_maybe);
	CHECK_STR(route.host, "b.example.org");
	CHECK_STR(route.ip, "192.0.2.7");
	CHECK_UINT(route.port, 2424);
	CHECK_INT(route.protocol, ROUTE_LMTP);
	CHECK_INT(route.tls, ROUTE_TLS_IMPLICIT);
	CHECK(!route.any_cert);
	CHECK_UINT(route.timeout_ms, 30000);
	CHECK_STR(route.destuser, "amy@b.example");
	CHECK_STR(route.source_ip, "192.0.2.1");
	REQUIRE(route.forward_count == 2);
	CHECK_STR_IS(route.forward[0].name, "a");
	CHECK_STR_IS(route.forward[1].value, "x,y");
}

TEST(what_the_record_does_not_say_is_left_open)
{
	REQUIRE(read_words("proxy host=b") == 0);
	CHECK(route.ip == NULL);
	CHECK_UINT(route.port, 0);
	CHECK_UINT(route.timeout_ms, 0);
	CHECK(route.destuser == NULL && route.source_ip == NULL);
	CHECK_INT(route.tls, ROUTE_TLS_NONE);
	CHECK_UINT(route.forward_count, 0);
}

TEST(the_port_is_the_records_or_the_clients_or_the_protocols)
{
	REQUIRE(read_words("proxy host=b port=26") == 0);
	CHECK_UINT(route_port(&route, 2003), 26);
	REQUIRE(read_words("proxy host=b") == 0);
	CHECK_UINT(route_port(&route, 2003), 2003);
	CHECK_UINT(route_port(&route, 0), 24);
	REQUIRE(read_words("proxy host=b protocol=smtp") == 0);
	CHECK_UINT(route_port(&route, 2003), 25);
}

TEST(an_address_needs_no_looking_up)
{
	REQUIRE(read_words("proxy host=192.0.2.9") == 0);
	CHECK_STR(route.ip, "192.0.2.9");
	REQUIRE(read_words("proxy host=[2001:db8::1]") == 0);
	CHECK_STR(route.host, "2001:db8::1");
	CHECK_STR(route.ip, "2001:db8::1");
	REQUIRE(read_words("proxy hostip=192.0.2.9") == 0);
	CHECK_STR(route.host, "192.0.2.9");
}

TEST(with_both_starttls_wins)
{
	REQUIRE(read_words("proxy host=b ssl=yes starttls=any-cert") == 0);
	CHECK_INT(route.tls, ROUTE_TLS_STARTTLS);
	CHECK(route.any_cert);
	REQUIRE(read_words("proxy host=b ssl=no starttls=no") == 0);
	CHECK_INT(route.tls, ROUTE_TLS_NONE);
}

TEST(proxy_maybe_is_a_proxy_with_a_condition)
{
	REQUIRE(read_words("proxy_maybe=yes host=b") == 0);
	CHECK_INT(route.kind, ROUTE_PROXY);
	CHECK(route.is_maybe);
	REQUIRE(read_words("proxy_maybe proxy host=b") == 0);
	CHECK(!route.is_maybe);
}

/* A column of a table is there for every user. */
TEST(no_and_nothing_switch_a_field_off)
{
	REQUIRE(read_words("proxy= host= nologin=n port= protocol=") == 0);
	CHECK_INT(route.kind, ROUTE_LOCAL);
	REQUIRE(read_words("proxy=N proxy_maybe=0 nologin=no") == 0);
	CHECK_INT(route.kind, ROUTE_LOCAL);
	REQUIRE(read_words("proxy=Y host=b port= source_ip= hostip= destuser= "
			   "proxy_timeout=") == 0);
	CHECK_INT(route.kind, ROUTE_PROXY);
	CHECK(route.destuser == NULL);
}

TEST(values_that_make_no_sense_are_temporary_failures)
{
	CHECK_WRONG("proxy=perhaps host=b",
		"field proxy: 'perhaps' is not yes or no");
	CHECK_WRONG("proxy",
		"the user is to be passed on, but the record has no host");
	CHECK_WRONG("proxy host=b port=0",
		"field port: '0' is not a port, 1 to 65535");
	CHECK_WRONG("proxy host=b port=65536",
		"field port: '65536' is not a port, 1 to 65535");
	CHECK_WRONG("proxy host=b port=lmtp",
		"field port: 'lmtp' is not a port, 1 to 65535");
	CHECK_WRONG("proxy host=b hostip=192.0.2",
		"field hostip: '192.0.2' is not an IP address");
	CHECK_WRONG("proxy host=b source_ip=b",
		"field source_ip: 'b' is not an IP address");
	CHECK_WRONG("proxy host=b/c",
		"field host: 'b/c' is not the name of a host");
	CHECK_WRONG("proxy host=a..b",
		"field host: 'a..b' is not the name of a host");
	CHECK_WRONG("proxy host=b protocol=imap",
		"field protocol: 'imap' is not lmtp or smtp");
	CHECK_WRONG("proxy host=b ssl=always",
		"field ssl: 'always' is not yes, no or any-cert");
	CHECK_WRONG("proxy host=b proxy_timeout=2hours",
		"field proxy_timeout: '2hours' is not a time of an hour at "
		"most");
}

TEST(a_line_end_in_a_value_cannot_reach_the_backend)
{
	struct route_pair fields[] = {{STR("proxy"), STR("y")},
		{STR("host"), STR("b")}, {STR("destuser"), STR("amy\r\nRSET")}};

	arena = arena != NULL ? arena : arena_open();
	CHECK_INT(route_read(arena, fields, 3, "user amy", &route, &err), -1);
	fields[2].name = STR("forward_x");
	CHECK_INT(route_read(arena, fields, 3, "user amy", &route, &err), -1);
	fields[2].name = STR("hostip");
	fields[2].value = str_of("192.0.2.1\0x", 11);
	CHECK_INT(route_read(arena, fields, 3, "user amy", &route, &err), -1);
	fields[2].value = STR("192.0.2.1");
	CHECK_INT(route_read(arena, fields, 3, "user amy", &route, &err), 0);
}

TEST(too_many_forwarded_fields_are_a_failure)
{
	char words[4096] = "proxy host=b";
	size_t len = strlen(words), i;

	for (i = 0; i <= ROUTE_FORWARD_COUNT_MAX; i++)
		len += (size_t)snprintf(
			words + len, sizeof(words) - len, " forward_%zu=x", i);
	CHECK_INT(read_words(words), -1);
	CHECK_STR(err.status, "4.3.5");
}

TEST(nologin_refuses_and_names_the_host)
{
	REQUIRE(read_words("nologin") == 0);
	REQUIRE(route.kind == ROUTE_NOLOGIN);
	CHECK_INT(route_refusal(&route, "amy", &err), -1);
	CHECK_INT(err.kind, ERR_REFUSED);
	CHECK_STR(err.status, "5.3.5");
	CHECK_STR(err.text, "Login disabled");

	REQUIRE(read_words("nologin proxy host=b.example port=24") == 0);
	REQUIRE(route.kind == ROUTE_NOLOGIN);
	CHECK_INT(route_refusal(&route, "amy", &err), -1);
	CHECK_STR(err.status, "5.2.900");
	CHECK_STR(err.text, "amy@b.example:24 Referral");

	REQUIRE(read_words("nologin host=b.example destuser=a") == 0);
	CHECK_INT(route_refusal(&route, "amy", &err), -1);
	CHECK_STR(err.text, "a@b.example Referral");
}

TEST(settings_of_a_user_are_no_fields_of_a_route)
{
	CHECK(route_is_field(STR("host")));
	CHECK(route_is_field(STR("forward_x")));
	CHECK(!route_is_field(STR("forward_")));
	CHECK(!route_is_field(STR("mail")));
	CHECK(!route_is_field(STR("hostname")));
}
