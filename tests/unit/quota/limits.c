/* SPDX-License-Identifier: MIT */
#include "quota/limits.h"

#include "tests/lib/test.h"

#include "base/banned.h"

static struct quota_rules
rules_of(const char *const *texts)
{
	static struct conf_quota_rule items[8];
	struct quota_rules rules = {.items = items};
	struct conf_quota_fault fault;

	rules.grace = (struct conf_quota_grace){true, 10};
	for (; texts[rules.count] != NULL; rules.count++)
		REQUIRE(conf_quota_parse_rule(str_from(texts[rules.count]),
				&items[rules.count], &fault) == 0);
	return rules;
}

#define RULES(...) rules_of((const char *const[]){__VA_ARGS__, NULL})

static struct quota_limits
limits_of(const struct quota_rules *rules, const char *folder)
{
	struct quota_limits base = quota_limits_default(rules);

	return quota_limits_of(rules, &base, str_from(folder), STR("INBOX/"));
}

TEST(the_default_is_put_together_from_several_rules)
{
	struct quota_rules rules = RULES("*:storage=1000B", "Trash:ignore",
		"*:messages=5", "*:storage=2000B");
	struct quota_limits limits = quota_limits_default(&rules);

	CHECK_UINT(limits.bytes, 2000);
	CHECK_UINT(limits.messages, 5);
}

TEST(only_an_asterisk_forces_limits)
{
	struct quota_rules forced = RULES("*:storage=1000B");

	CHECK(quota_limits_are_forced(&forced));
	forced = RULES("?:storage=1000B");
	CHECK(!quota_limits_are_forced(&forced));
	forced = RULES("Trash:storage=1000B");
	CHECK(!quota_limits_are_forced(&forced));
}

TEST(the_first_mask_that_fits_counts)
{
	struct quota_rules rules = RULES("*:storage=1000B:messages=10",
		"Tr*:storage=+50%", "Trash:ignore", "Spam:ignore");

	CHECK_UINT(limits_of(&rules, "Trash").bytes, 1500);
	CHECK_UINT(limits_of(&rules, "Trash").messages, 10);
	CHECK(limits_of(&rules, "Spam").is_ignored);
	CHECK_UINT(limits_of(&rules, "INBOX").bytes, 1000);
	CHECK(!limits_of(&rules, "spam").is_ignored);
}

TEST(a_mask_fits_with_and_without_the_prefix)
{
	struct quota_rules rules =
		RULES("*:storage=1000B", "Spam:ignore", "INBOX/Junk:ignore");

	CHECK(limits_of(&rules, "INBOX/Spam").is_ignored);
	CHECK(limits_of(&rules, "INBOX/Junk").is_ignored);
	CHECK(!limits_of(&rules, "Junk").is_ignored);
}

TEST(where_the_user_has_no_limit_no_folder_has_one)
{
	struct quota_rules rules = RULES("*:storage=0", "Trash:storage=5B");

	CHECK_UINT(limits_of(&rules, "Trash").bytes, 0);
	CHECK(quota_fit(&(struct quota_limits){.bytes = 0},
		      (struct quota_amount){UINT64_MAX, UINT64_MAX},
		      (struct quota_amount){UINT64_MAX, 1}, 0) == QUOTA_FITS);
}

static enum quota_fit
fit(uint64_t use, uint64_t more, uint64_t grace)
{
	const struct quota_limits limits = {.bytes = 1000, .messages = 10};

	return quota_fit(&limits, (struct quota_amount){use, 1},
		(struct quota_amount){more, 1}, grace);
}

TEST(a_limit_that_is_reached_leaves_no_room_not_even_grace)
{
	CHECK_INT(fit(999, 1, 0), QUOTA_FITS);
	CHECK_INT(fit(999, 2, 0), QUOTA_FULL);
	CHECK_INT(fit(999, 100, 99), QUOTA_FITS);
	CHECK_INT(fit(999, 101, 99), QUOTA_FULL);
	CHECK_INT(fit(1000, 1, 99), QUOTA_FULL);
	CHECK_INT(fit(UINT64_MAX, 1, 99), QUOTA_FULL);
}

TEST(what_an_empty_mailbox_would_not_take_is_too_big)
{
	CHECK_INT(fit(0, 1100, 100), QUOTA_FITS);
	CHECK_INT(fit(0, 1101, 100), QUOTA_TOO_BIG);
	CHECK_INT(fit(2000, 1101, 100), QUOTA_TOO_BIG);
	CHECK_INT(fit(0, UINT64_MAX, UINT64_MAX), QUOTA_FITS);
}

TEST(messages_are_limited_without_grace)
{
	const struct quota_limits limits = {.messages = 10};

	CHECK_INT(quota_fit(&limits, (struct quota_amount){0, 9},
			  (struct quota_amount){5, 1}, 100),
		QUOTA_FITS);
	CHECK_INT(quota_fit(&limits, (struct quota_amount){0, 9},
			  (struct quota_amount){5, 2}, 100),
		QUOTA_FULL);
	CHECK_INT(quota_fit(&limits, (struct quota_amount){0, 10},
			  (struct quota_amount){5, 1}, 100),
		QUOTA_FULL);
}

/* Dovecot's rule: 0 bytes and 1 message. */
TEST(an_unknown_size_is_welcome_until_the_limit_is_passed)
{
	const struct quota_limits limits = {.bytes = 1000, .messages = 10};

	CHECK_INT(quota_fit_unknown(&limits, (struct quota_amount){1000, 9}),
		QUOTA_FITS);
	CHECK_INT(quota_fit_unknown(&limits, (struct quota_amount){1001, 9}),
		QUOTA_FULL);
	CHECK_INT(quota_fit_unknown(&limits, (struct quota_amount){0, 10}),
		QUOTA_FULL);
}

TEST(an_ignored_folder_takes_everything)
{
	const struct quota_limits limits = {.bytes = 1, .is_ignored = true};

	CHECK_INT(quota_fit(&limits, (struct quota_amount){9, 9},
			  (struct quota_amount){100, 1}, 0),
		QUOTA_FITS);
	CHECK_INT(quota_fit_unknown(&limits, (struct quota_amount){9, 9}),
		QUOTA_FITS);
}

TEST(grace_is_a_share_of_the_default_limit_or_a_size)
{
	struct quota_rules rules = RULES("*:storage=1000B");
	struct quota_limits base = quota_limits_default(&rules);

	CHECK_UINT(quota_limits_grace(&rules, &base), 100);
	rules.grace = (struct conf_quota_grace){false, 7};
	CHECK_UINT(quota_limits_grace(&rules, &base), 7);
}

TEST(the_first_warning_that_lies_between_counts)
{
	static const struct conf_quota_warning warnings[] = {
		{.is_share = true, .number = 90},
		{.is_share = true, .number = 50},
		{.is_downward = true, .is_share = true, .number = 50},
		{.is_messages = true, .number = 7},
	};
	static const struct {
		struct quota_amount before, now;
		size_t first; /* 4: none */
	} cases[] = {
		{{0, 0}, {499, 1}, 4},
		{{499, 0}, {500, 1}, 1},
		{{500, 0}, {899, 1}, 4},
		{{899, 0}, {900, 1}, 0},
		{{0, 0}, {2000, 1}, 0},
		{{500, 0}, {499, 0}, 2},
		{{499, 0}, {0, 0}, 4},
		{{0, 6}, {0, 7}, 3},
		{{0, 7}, {0, 8}, 4},
		{{0, 7}, {0, 6}, 4},
	};
	const struct quota_limits limits = {.bytes = 1000}, none = {0};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(cases); i++) {
		const struct conf_quota_warning *found =
			quota_warning_crossed(warnings, ARRAY_LENGTH(warnings),
				&limits, cases[i].before, cases[i].now);

		CHECK_UINT(found != NULL ? (size_t)(found - warnings) : 4,
			cases[i].first);
	}
	CHECK(quota_warning_crossed(warnings, ARRAY_LENGTH(warnings), &none,
		      cases[4].before, cases[4].now) == NULL);
}

TEST(masks_are_globs)
{
	CHECK(quota_mask_fits(STR("a*b*c"), STR("axxbyyc")));
	CHECK(quota_mask_fits(STR("a*"), STR("a")));
	CHECK(quota_mask_fits(STR("*"), STR("")));
	CHECK(quota_mask_fits(STR("a?c"), STR("abc")));
	CHECK(!quota_mask_fits(STR("a?c"), STR("ac")));
	CHECK(!quota_mask_fits(STR("a*b"), STR("abc")));
	CHECK(quota_mask_fits(STR("*a*b"), STR("aabab")));
	CHECK(!quota_mask_fits(STR(""), STR("a")));
}
