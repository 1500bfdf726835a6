/* SPDX-License-Identifier: MIT */
#include "server/certificates.h"

#include <string.h>
#include <unistd.h>

#include "base/attributes.h"
#include "base/fd.h"
#include "conf/conf.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static const struct settings *
load(struct arena *arena, const char *text)
{
	const struct conf_source source = {.file = test_file("conf", text),
		.protocol = CONF_PROTOCOL_LMTP};
	const struct settings *settings;
	struct conf_report report = {0};

	REQUIRE(conf_load(arena, &source, &settings, &report) == 0);
	return settings;
}

static void
check_fails(const char *text, const char *why)
{
	struct arena *arena = arena_open();
	struct err err;
	int fd;

	CHECK(certificates_write(load(arena, text), &fd, &err) == -1);
	CHECK(strstr(err_log_text(&err), why) != NULL);
	CHECK_STR(err.status, "4.3.5");
	CHECK(fd == -1);
	arena_close(&arena);
}

static void
check_none(const char *text)
{
	struct arena *arena = arena_open();
	struct err err;
	int fd;

	CHECK(certificates_write(load(arena, text), &fd, &err) == 0);
	CHECK(fd == -1);
	arena_close(&arena);
}

#define LISTENER                                                               \
	"service lmtp {\ninet_listener x {\n  port = 2424\n  ssl = "           \
	"yes\n}\n}\n"

TEST(a_listener_for_tls_is_not_opened_in_the_clear)
{
	check_fails(LISTENER, "ssl_cert is missing");
	check_fails("ssl = no\n" LISTENER, "ssl = no");
	check_fails("ssl = required\n", "ssl_cert is missing");
}

TEST(a_certificate_needs_its_key)
{
	check_fails("ssl_cert = x\n", "ssl_key is missing");
	check_fails("ssl_cert = x\nssl_key = x\nlocal_name a.example {\n"
		    "ssl_cert = x\n}\n",
		"ssl_key of local_name a.example is missing");
	check_fails(
		"ssl_cert = </none\nssl_key = x\n", "ssl_cert: cannot read");
}

TEST(without_a_certificate_there_is_no_tls)
{
	check_none("");
	check_none("ssl = no\nssl_cert = </none\nssl_key = </none\n");
}

TEST(what_master_reads_arrives_at_the_front)
{
	struct arena *arena = arena_open();
	struct certificates found;
	struct err err;
	const char *text;
	int fd;

	test_file("key", "line 1\nline: 2\n");
	text = arena_format(arena,
		"ssl_cert = chain\nssl_key = <%s\nssl_ca = ca\n"
		"local_name a.example {\nssl_server_cert_file = %s\n"
		"ssl_server_key_password = word\nssl_key = y\n}\n",
		test_path("key"), test_path("key"));
	REQUIRE(certificates_write(load(arena, text), &fd, &err) == 0);
	REQUIRE(certificates_read(arena, fd, &found, &err) == 0);
	CHECK_UINT(found.count, 2);
	CHECK(str_is(found.authorities, "ca"));
	CHECK_STR(found.items[0].name, "");
	CHECK(str_is(found.items[0].chain, "chain"));
	CHECK(str_is(found.items[0].key, "line 1\nline: 2"));
	CHECK_STR(found.items[1].name, "a.example");
	CHECK(str_is(found.items[1].chain, "line 1\nline: 2"));
	CHECK(str_is(found.items[1].key, "y"));
	CHECK(str_is(found.items[1].password, "word"));
	fd_close(&fd);
	arena_close(&arena);
}

TEST(a_file_that_is_cut_is_noticed)
{
	static const char *const wrong[] = {
		"", "5:ca", "2:ca1:", "2:ca1:a1:b1:c", "x", "2ca", "-1:"};
	struct arena *arena = arena_open();
	struct certificates found;
	struct err err;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(wrong); i++) {
		int fd = fd_temporary(test_folder());

		REQUIRE(fd >= 0);
		REQUIRE(fd_write(fd, str_from(wrong[i])) == 0);
		CHECK(certificates_read(arena, fd, &found, &err) == -1);
		fd_close(&fd);
	}
	arena_close(&arena);
}
