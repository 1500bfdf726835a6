/* SPDX-License-Identifier: MIT */
#include "conf/quota.h"

#include "tests/lib/test.h"

#include "base/banned.h"

static struct conf_quota_fault fault;

static struct conf_quota_rule
rule(const char *text)
{
	struct conf_quota_rule parsed;

	REQUIRE(conf_quota_parse_rule(str_from(text), &parsed, &fault) == 0);
	return parsed;
}

static uint64_t
storage(const char *text, uint64_t base)
{
	struct conf_quota_rule parsed = rule(text);

	return conf_quota_apply(&parsed.storage, base);
}

TEST(a_root_has_a_driver_and_a_name)
{
	struct conf_quota_root root;

	REQUIRE(conf_quota_parse_root(
			STR("maildir:User quota"), &root, &fault) == 0);
	CHECK_STR_IS(root.driver, "maildir");
	CHECK_STR_IS(root.name, "User quota");
	CHECK(!root.is_counted_only && !root.has_prefix);
	REQUIRE(conf_quota_parse_root(STR("count"), &root, &fault) == 0);
	CHECK_STR_IS(root.name, "count");
	CHECK_INT(conf_quota_parse_root(STR(":x"), &root, &fault), -1);
}

TEST(a_root_has_parameters_and_its_driver_may_have_others)
{
	struct conf_quota_root root;

	REQUIRE(conf_quota_parse_root(STR("dict:User:amy:noenforcing:hidden:"
					  "ignoreunlimited:ns=A/:file:/x"),
			&root, &fault) == 0);
	CHECK(root.is_counted_only && root.is_hidden);
	CHECK(root.ignores_unlimited && root.has_prefix);
	CHECK_STR_IS(root.prefix, "A/");
	CHECK_STR_IS(root.user, "amy");
	CHECK_STR_IS(root.rest, "file:/x");
}

static struct conf_quota_dict
dict_of(const char *text)
{
	struct conf_quota_root root;
	struct conf_quota_dict dict;

	REQUIRE(conf_quota_parse_root(str_from(text), &root, &fault) == 0);
	REQUIRE(conf_quota_parse_dict(root.rest, &dict, &fault) == 0);
	return dict;
}

TEST(a_dict_is_the_servers_own_or_Redis)
{
	struct conf_quota_dict dict;

	CHECK(!dict_of("dict:User").is_redis);
	CHECK(!dict_of("dict:User:amy").is_redis);
	CHECK(!dict_of("dict:User:").is_redis);
	CHECK(!dict_of("dict:User::noenforcing").is_redis);
	dict = dict_of("dict:User::redis");
	CHECK(dict.is_redis);
	CHECK_STR_IS(dict.host, "127.0.0.1");
	CHECK_UINT(dict.port, 6379);
	CHECK_UINT(dict.timeout_ms, 2000);
	dict = dict_of("dict:User:amy:hidden:redis:host=10.0.0.1:port=7:"
		       "prefix=q/:db=3:timeout_msecs=50");
	CHECK_STR_IS(dict.host, "10.0.0.1");
	CHECK_STR_IS(dict.prefix, "q/");
	CHECK_UINT(dict.port, 7);
	CHECK_UINT(dict.database, 3);
	CHECK_UINT(dict.timeout_ms, 50);
	CHECK_STR_IS(dict_of("dict:User::redis:path=/r").path, "/r");
}

TEST(what_a_dict_cannot_be_is_an_error)
{
	static const char *const texts[] = {"file:/x", "proxy::quota",
		"redis:host=redis.example", "redis:host=1.2.3", "redis:port=0",
		"redis:port=70000", "redis:host", "redis:password=x",
		"redis:prefix=%u"};
	struct conf_quota_dict dict;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(texts); i++)
		CHECK_INT(conf_quota_parse_dict(
				  str_from(texts[i]), &dict, &fault),
			-1);
}

TEST(storage_without_a_unit_counts_KiB_and_bytes_count_bytes)
{
	CHECK_UINT(storage("*:storage=5", 0), 5 * 1024);
	CHECK(rule("*:storage=5").storage.lacks_unit);
	CHECK_UINT(storage("*:storage=5B", 0), 5);
	CHECK_UINT(storage("*:storage=2M", 0), 2 * 1048576);
	CHECK(!rule("*:storage=2M").storage.lacks_unit);
	CHECK_UINT(storage("*:bytes=500", 0), 500);
	CHECK_UINT(storage("*:bytes=5K", 0), 5 * 1024);
	CHECK_UINT(storage("*:storage=0", 7), 0);
}

TEST(a_limit_may_be_relative_to_the_default)
{
	CHECK_UINT(storage("Trash:storage=+100B", 1000), 1100);
	CHECK_UINT(storage("Trash:storage=-100B", 1000), 900);
	CHECK_UINT(storage("Trash:storage=+10%%", 1000), 1100);
	CHECK_UINT(storage("Trash:storage=+10%", 1000), 1100);
	CHECK_UINT(storage("Trash:storage=-10%", 1000), 900);
	CHECK_UINT(storage("Trash:storage=20%", 1000), 200);
	CHECK_UINT(storage("Trash:messages=7", 1000), 1000);
}

/* 0 means that there is no limit. */
TEST(what_is_taken_from_a_limit_leaves_a_limit)
{
	CHECK_UINT(storage("Trash:storage=-2000B", 1000), 1);
	CHECK_UINT(storage("Trash:storage=-5B", 0), 0);
	CHECK_UINT(storage("Trash:storage=+5B", 0), 0);
	CHECK_UINT(storage("*:storage=+1B", UINT64_MAX), UINT64_MAX);
}

TEST(a_rule_names_a_folder_and_may_ignore_it)
{
	CHECK(rule("*:messages=1").is_default);
	CHECK(rule("?:messages=1").is_weak);
	CHECK(!rule("Spam*:ignore").is_default);
	CHECK(rule("Spam*:ignore").ignores);
	CHECK_STR_IS(rule("Spam*:ignore").mask, "Spam*");
	CHECK_UINT(rule("*:storage=1G:messages=12").messages.number, 12);
}

static void
check_wrong(const char *text, const char *found)
{
	struct conf_quota_rule parsed;

	CHECK_INT(conf_quota_parse_rule(str_from(text), &parsed, &fault), -1);
	CHECK_STR_IS(fault.found, found);
}

TEST(a_wrong_rule_is_refused_with_the_part_that_is_wrong)
{
	check_wrong("*", "*");
	check_wrong("*:", "*:");
	check_wrong(":storage=1G", ":storage=1G");
	check_wrong("*:storage=", "storage=");
	check_wrong("*:storage=1X", "storage=1X");
	check_wrong("*:storage=+-1G", "storage=+-1G");
	check_wrong("*:messages=1k", "messages=1k");
	check_wrong("*:messages=3:storag=1G", "storag=1G");
	check_wrong("*:storage=99999999999999999999G",
		"storage=99999999999999999999G");
}

TEST(grace_is_a_share_or_a_size)
{
	struct conf_quota_grace grace;

	CHECK_INT(conf_quota_parse_grace(STR("10%%"), &grace, &fault), 0);
	CHECK(grace.is_share && grace.number == 10);
	CHECK_INT(conf_quota_parse_grace(STR("2M"), &grace, &fault), 0);
	CHECK(!grace.is_share && grace.number == 2 * 1048576);
	CHECK_INT(conf_quota_parse_grace(STR("much"), &grace, &fault), -1);
}

TEST(a_warning_has_a_threshold_and_a_command)
{
	struct conf_quota_warning warning;

	REQUIRE(conf_quota_parse_warning(
			STR("storage=95%% warn 95 %u"), &warning, &fault) == 0);
	CHECK(warning.is_share && warning.number == 95);
	CHECK(!warning.is_downward && !warning.is_messages);
	CHECK_STR_IS(warning.command, "warn 95 %u");
	REQUIRE(conf_quota_parse_warning(
			STR("-messages=100 x"), &warning, &fault) == 0);
	CHECK(warning.is_downward && warning.is_messages);
	CHECK(!warning.is_share && warning.number == 100);
	CHECK_INT(
		conf_quota_parse_warning(STR("storage=95%%"), &warning, &fault),
		-1);
	CHECK_INT(
		conf_quota_parse_warning(STR("size=95%% x"), &warning, &fault),
		-1);
	CHECK_INT(conf_quota_parse_warning(
			  STR("storage=+9%% x"), &warning, &fault),
		-1);
	/* Nothing ever comes from below 0. */
	CHECK_INT(conf_quota_parse_warning(
			  STR("storage=0%% x"), &warning, &fault),
		-1);
}
