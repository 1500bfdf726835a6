/* SPDX-License-Identifier: MIT */
#include "conf/value.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "conf/settings.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static struct arena *arena;
static struct settings settings;
static const char *expected;

static const struct conf_key *
key_of(const char *name)
{
	const struct conf_key *key =
		conf_key_find(&conf_top_keys, str_from(name));

	REQUIRE(key != NULL);
	return key;
}

/* The value as it is written again, or "!" and what was expected. */
static const char *
again_in(const struct conf_keys *keys, void *object, const char *name,
	const char *text)
{
	const struct conf_key *key = conf_key_find(keys, str_from(name));
	const char *result;
	struct buf out;

	REQUIRE(key != NULL);
	if (arena == NULL)
		arena = arena_open();
	if (conf_value_parse(arena, key, str_from(text), object, &expected) < 0)
		return arena_format(arena, "!%s", expected);
	buf_init(&out, 4096);
	conf_value_format(key, object, &out);
	result = arena_text(arena, buf_view(&out));
	buf_clear(&out);
	return result;
}

static const char *
again(const char *name, const char *text)
{
	return again_in(&conf_top_keys, &settings, name, text);
}

TEST(a_bool_is_yes_or_no)
{
	CHECK_STR(again("mail_debug", "yes"), "yes");
	CHECK(settings.mail_debug);
	CHECK_STR(again("mail_debug", "No"), "no");
	CHECK(!settings.mail_debug);
	CHECK_STR(again("mail_debug", "1"), "yes");
	CHECK_STR(again("mail_debug", "n"), "no");
	CHECK_STR(again("mail_debug", "on"), "!yes or no");
	CHECK_STR(again("mail_debug", ""), "!yes or no");
}

TEST(a_number_has_bounds)
{
	CHECK_STR(again("message_max_hops", "25"), "25");
	CHECK_UINT(settings.message_max_hops, 25);
	CHECK_STR(again("message_max_hops", "0"), "!a number from 1 to 10000");
	CHECK_STR(again("message_max_hops", "10001"),
		"!a number from 1 to 10000");
	CHECK_STR(again("message_max_hops", "-1"), "!a number from 1 to 10000");
	CHECK_STR(
		again("message_max_hops", "many"), "!a number from 1 to 10000");
	CHECK_STR(again("message_max_hops", ""), "!a number from 1 to 10000");
	CHECK_STR(again("message_max_hops", "99999999999999999999"),
		"!a number from 1 to 10000");
}

TEST(unlimited_is_another_word_for_0_where_0_has_that_meaning)
{
	CHECK_STR(again("lmtp_user_concurrency_limit", "unlimited"), "0");
	CHECK_STR(again("message_max_size", "unlimited"), "0");
	/* 0 redirects are none. */
	CHECK_STR(again("sieve_max_redirects", "unlimited"),
		"!a number from 0 to 1000000");
}

TEST(a_size_is_in_bytes_without_a_unit)
{
	CHECK_STR(again("message_max_size", "1500"), "1500");
	CHECK_STR(again("message_max_size", "10M"), "10M");
	CHECK_UINT(settings.message_max_size, 10 * 1048576);
	CHECK_STR(again("message_max_size", "2048k"), "2M");
	CHECK_STR(again("message_max_size", "1.5G"),
		"!a size such as 500k, 10M or 1G, or unlimited");
	CHECK_STR(again("sieve_variables_max_value_size", "10"),
		"!a size such as 500k, 10M or 1G, from 4000 to 16M");
}

TEST(a_duration_has_a_unit_or_counts_seconds)
{
	CHECK_STR(again("submission_timeout", "30"), "30 secs");
	CHECK_UINT(settings.submission_timeout_ms, 30000);
	CHECK_STR(again("submission_timeout", "90 secs"), "90 secs");
	CHECK_STR(again("submission_timeout", "2mins"), "2 mins");
	CHECK_STR(again("mail_temp_scan_interval", "7 days"), "1 week");
	CHECK_STR(again("mail_temp_scan_interval", "0"), "0");
	CHECK(str_starts(str_from(again("submission_timeout", "0")),
		STR("!a time such as")));
	CHECK(str_starts(str_from(again("submission_timeout", "soon")),
		STR("!a time such as")));
}

TEST(an_enum_names_its_words)
{
	CHECK_STR(again("mail_fsync", "never"), "never");
	CHECK_INT(settings.mail_fsync, CONF_FSYNC_NEVER);
	CHECK_STR(again("mail_fsync", "sometimes"),
		"!optimized, always or never");
	CHECK_STR(again("syslog_facility", "local3"), "local3");
	CHECK_STR(again("syslog_facility", "local8"),
		arena_format(arena, "!%s",
			conf_value_expected(arena, key_of("syslog_facility"))));
}

TEST(a_path_begins_with_a_slash)
{
	CHECK_STR(again("mail_temp_dir", "/var/tmp"), "/var/tmp");
	CHECK_STR(again("mail_temp_dir", ""), "");
	CHECK_STR(again("mail_temp_dir", "var/tmp"),
		"!a path that begins with /");
	CHECK_STR(again("log_path", "syslog"), "syslog");
	CHECK_STR(again("log_path", "log"),
		"!syslog or a path that begins with /");
}

TEST(permissions_are_octal)
{
	struct conf_listener listener = {0};

	CHECK_STR(again_in(&conf_listener_keys, &listener, "mode", "0666"),
		"0666");
	CHECK_UINT(listener.mode, 0666);
	CHECK_STR(again_in(&conf_listener_keys, &listener, "mode", "600"),
		"0600");
	CHECK_STR(again_in(&conf_listener_keys, &listener, "mode", "0888"),
		"!octal permissions such as 0660");
	CHECK_STR(again_in(&conf_listener_keys, &listener, "mode", "77777"),
		"!octal permissions such as 0660");
}

TEST(a_character_is_one_or_none)
{
	struct conf_namespace space = {0};

	CHECK_STR(
		again_in(&conf_namespace_keys, &space, "separator", "/"), "/");
	CHECK_INT(space.separator, '/');
	CHECK_STR(again_in(&conf_namespace_keys, &space, "separator", ""), "");
	CHECK_INT(space.separator, 0);
	CHECK_STR(again_in(&conf_namespace_keys, &space, "separator", "//"),
		"!one character");
}

TEST(a_list_is_parted_by_blanks_and_commas)
{
	CHECK_STR(
		again("protocols", " lmtp,  imap\tsieve "), "lmtp imap sieve");
	CHECK_UINT(settings.protocols.count, 3);
	CHECK_STR(again("protocols", ""), "");
	CHECK_STR(again("lmtp_client_workarounds", "mailbox-for-path"),
		"mailbox-for-path");
	CHECK_STR(again("lmtp_client_workarounds", "all"),
		"!words out of: whitespace-before-path or mailbox-for-path");
}

TEST(a_network_is_an_address_with_bits)
{
	const struct conf_networks *networks = &settings.lmtp_allowed_networks;

	CHECK_STR(again("lmtp_allowed_networks", "127.0.0.0/8, ::1"),
		"127.0.0.0/8 ::1");
	REQUIRE(networks->count == 2);
	CHECK(!networks->items[0].is_v6);
	CHECK_UINT(networks->items[0].bits, 8);
	CHECK_UINT(networks->items[0].address[0], 127);
	CHECK(networks->items[1].is_v6);
	CHECK_UINT(networks->items[1].bits, 128);
	CHECK_UINT(networks->items[1].address[15], 1);
}

TEST(what_is_no_network_is_refused)
{
	static const char *const wrong[] = {"127.0.0.1/33", "::1/129", "host",
		"127.0.0", "127.0.0.1/", "127.0.0.1/x", "/8"};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(wrong); i++)
		CHECK_STR(again("lmtp_allowed_networks", wrong[i]),
			"!addresses or networks such as 192.0.2.0/24 or ::1");
}

TEST(a_text_may_stand_in_a_file)
{
	struct buf out;

	buf_init(&out, 4096);
	conf_value_set_path(key_of("ssl_key"), "/etc/key.pem", &settings);
	CHECK_STR(settings.ssl_key.path, "/etc/key.pem");
	conf_value_format(key_of("ssl_key"), &settings, &out);
	CHECK_STR(buf_text(&out), "</etc/key.pem");
	buf_clear(&out);
}
