/* SPDX-License-Identifier: MIT */
#include "server/self.h"

#include <stdio.h>

#include "base/arena.h"
#include "conf/conf.h"
#include "tests/lib/test.h"

#include "base/banned.h"

/* A listener on port 24 with these lines. */
static bool
listens(const char *lines, const char *ip, uint32_t port)
{
	struct arena *arena = arena_open();
	struct conf_report report = {0};
	const struct settings *settings;
	char text[512];
	bool result;

	snprintf(text, sizeof(text),
		"service lmtp {\n inet_listener x {\n  port = 24\n  %s\n "
		"}\n}\n",
		lines);
	REQUIRE(conf_load(arena,
			&(struct conf_source){
				.file = test_file("doorstep.conf", text)},
			&settings, &report) == 0);
	result = self_listens(settings, ip, port);
	arena_close(&arena);
	return result;
}

TEST(a_listener_takes_its_own_addresses)
{
	CHECK(listens("address = 192.0.2.1 ::1", "192.0.2.1", 24));
	CHECK(listens("address = 192.0.2.1 ::1", "0:0::1", 24));
	CHECK(!listens("address = 192.0.2.1 ::1", "192.0.2.2", 24));
	CHECK(!listens("address = 127.0.0.1", "127.0.0.2", 24));
}

TEST(another_port_is_another_server)
{
	CHECK(!listens("address = 192.0.2.1", "192.0.2.1", 2424));
	CHECK(!listens("", "127.0.0.1", 2424));
	CHECK(listens("", "127.0.0.1", 0));
	CHECK(!listens("port = 0", "127.0.0.1", 0));
}

TEST(a_listener_on_all_addresses_takes_those_of_this_host)
{
	CHECK(listens("", "127.0.0.1", 24));
	CHECK(listens("address = *", "::1", 24));
	CHECK(listens("address = 0.0.0.0", "127.0.0.3", 24));
	/* Nobody has those of documentation. */
	CHECK(!listens("", "192.0.2.1", 24));
	CHECK(!listens("", "2001:db8::1", 24));
}

TEST(what_is_no_address_is_not_this_server)
{
	CHECK(!listens("", "localhost", 24));
}
