/* SPDX-License-Identifier: MIT */
#include "sieve/settings.h"

#include "tests/lib/test.h"

#include "base/banned.h"

static bool
allows(const char *extensions, const char *name)
{
	struct sieve_settings settings = {.extensions = extensions};

	return settings_allow(&settings, str_from(name));
}

TEST(no_list_allows_all)
{
	CHECK(allows(NULL, "fileinto"));
	CHECK(allows("", "fileinto"));
	CHECK(allows("  ", "fileinto"));
}

TEST(a_list_of_names_allows_them_only)
{
	CHECK(allows("copy fileinto", "fileinto"));
	CHECK(!allows("copy fileinto", "envelope"));
	CHECK(!allows("copy fileinto", "file"));
}

TEST(a_minus_takes_away_from_all)
{
	CHECK(!allows("-copy", "copy"));
	CHECK(allows("-copy", "fileinto"));
	CHECK(allows("-copy +copy", "copy"));
	CHECK(!allows("+copy -copy", "copy"));
}

/* "+notify" against all of ours changes nothing. */
TEST(a_plus_takes_nothing_away)
{
	CHECK(allows("+notify +imapflags", "fileinto"));
	CHECK(allows("+copy", "copy"));
}

TEST(a_plus_adds_to_a_list_of_names)
{
	CHECK(allows("fileinto +copy", "copy"));
	CHECK(allows("fileinto +copy", "fileinto"));
	CHECK(!allows("fileinto +copy", "envelope"));
	CHECK(!allows("fileinto copy -copy", "copy"));
}

TEST(global_extensions_are_for_the_scripts_of_the_admin_only)
{
	struct sieve_settings settings = {.extensions = "fileinto copy",
		.global_extensions = "+envelope copy -date"};

	CHECK(!settings_allow(&settings, STR("envelope")));
	CHECK(!settings_allow(&settings, STR("copy")));
	CHECK(settings_allow(&settings, STR("fileinto")));
	settings.is_global = true;
	CHECK(settings_allow(&settings, STR("envelope")));
	CHECK(settings_allow(&settings, STR("copy")));
	CHECK(settings_allow(&settings, STR("fileinto")));
	CHECK(!settings_allow(&settings, STR("date")));
}

TEST(zero_means_the_default)
{
	struct sieve_settings settings = settings_filled(NULL);

	CHECK_UINT(settings.max_script_size, 1024 * 1024);
	CHECK_UINT(settings.max_actions, 32);
	CHECK_UINT(settings.max_redirects, 4);
	CHECK_UINT(settings.max_includes, 255);
	CHECK_UINT(settings.max_include_depth, 10);
	CHECK_UINT(settings.max_nesting, 32);
	CHECK_STR(settings.delimiters, "+");
	settings.max_actions = 7;
	CHECK_UINT(settings_filled(&settings).max_actions, 7);
}

TEST(settings_are_the_same_when_every_one_is)
{
	struct sieve_settings a = {.extensions = "copy", .max_steps = 10};
	struct sieve_settings b = a;
	char copy[] = "copy";

	b.extensions = copy;
	CHECK(sieve_settings_are_same(&a, &b));
	copy[0] = 'C';
	CHECK(!sieve_settings_are_same(&a, &b));
	b = a;
	b.max_steps = 11;
	CHECK(!sieve_settings_are_same(&a, &b));
	b = a;
	b.redirects_prohibited = true;
	CHECK(!sieve_settings_are_same(&a, &b));
	b = a;
	b.delimiters = "-";
	CHECK(!sieve_settings_are_same(&a, &b));
}
