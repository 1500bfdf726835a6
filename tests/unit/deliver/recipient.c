/* SPDX-License-Identifier: MIT */
#include "deliver/recipient.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static struct arena *arena;
static struct err err;
static struct recipient recipient;

#define USERS                                                                  \
	"amy@example.org::5001:5001::/srv/amy\n"                               \
	"jörg@bücher.example::5002:5002::/srv/joerg\n"                       \
	"amy::5003:5003::/home/amy\n"                                          \
	"bare@example.org\n"                                                   \
	"root@example.org::0:5001::/root\n"                                    \
	"wheel@example.org::5001:0::/srv/wheel\n"                              \
	"low@example.org::99:5001::/srv/low\n"                                 \
	"high@example.org::7001:5001::/srv/high\n"                             \
	"highgid@example.org::5001:7001::/srv/high\n"                          \
	"own@example.org::5001:5001::/srv/own::recipient_delimiter=-\n"        \
	"wrong@example.org::5001:5001::/srv/own::lda_mailbox_autocreate=x\n"   \
	"groups@example.org::5001:5001::/srv/g::system_groups_user=root\n"     \
	"broken@example.org::x:5001::/srv/broken\n"                            \
	"away@example.org:::::::proxy=y host=b.example ssl=any-cert\n"         \
	"both@example.org::5001:5001::/srv/both::proxy=y host=b "              \
	"userdb_mail=maildir:~/m nopassword=y\n"                               \
	"shut@example.org:::::::nologin host=b.example\n"                      \
	"odd@example.org::5001:5001::/srv/odd::proxy=y host=b port=x\n"

static const struct settings *
load(const char *more)
{
	const char *users = test_file("users", USERS);
	struct conf_report report = {0};
	const struct settings *settings;
	char text[4096];

	if (arena == NULL)
		arena = arena_open();
	snprintf(text, sizeof(text),
		"hostname = mx.example.org\nuserdb {\n driver = passwd-file\n"
		" args = %s\n}\n%s\n",
		users, more);
	REQUIRE(conf_load(arena,
			&(struct conf_source){
				.file = test_file("doorstep.conf", text)},
			&settings, &report) == 0);
	return settings;
}

static int
find_str(const struct settings *settings, struct str local, const char *domain)
{
	struct address address = {
		.local_part = local, .domain = str_from(domain)};
	struct userdb *db = NULL;
	int result;

	memset(&recipient, 0, sizeof(recipient));
	err_clear(&err);
	REQUIRE(recipient_open_userdb(arena, settings, &db, &err) == 0);
	result = recipient_find(
		arena, settings, db, &address, "lda", &recipient, &err);
	userdb_close(&db);
	return result;
}

static int
find(const char *more, const char *local, const char *domain)
{
	return find_str(load(more), str_from(local), domain);
}

#define CHECK_UNKNOWN(call, expected)                                          \
	do {                                                                   \
		CHECK_INT(call, -1);                                           \
		CHECK_INT(err.kind, ERR_NO_USER);                              \
		CHECK_STR(err.status, "5.1.1");                                \
		CHECK_STR(err.text, "User doesn't exist: " expected);          \
	} while (0)

#define CHECK_TROUBLE(call, expected)                                          \
	do {                                                                   \
		CHECK_INT(call, -1);                                           \
		CHECK_INT(err.kind, ERR_TEMPORARY);                            \
		CHECK_INT(err.status[0], '4');                                 \
		if (!CHECK(strstr(err.detail, expected) != NULL))              \
			CHECK_STR(err.detail, expected);                       \
	} while (0)

/* ---- unknown and trouble ---- */

TEST(an_unknown_user_is_refused_by_name)
{
	CHECK_UNKNOWN(find("", "eve", "example.org"), "eve@example.org");
	CHECK_UNKNOWN(find("", "Eve+x", "Example.org"), "eve@example.org");
	CHECK_UNKNOWN(find("", "eve", ""), "eve");
}

TEST(a_database_in_trouble_is_not_an_unknown_user)
{
	const struct settings *settings = load("");

	REQUIRE(unlink(test_path("users")) == 0);
	CHECK_TROUBLE(find_str(settings, STR("amy"), "example.org"),
		"No such file or directory");
	CHECK_TROUBLE(find_str(settings, STR("eve"), "example.org"),
		"No such file or directory");
	CHECK_TROUBLE(find_str(settings, STR("postmaster"), ""),
		"No such file or directory");
	CHECK_TROUBLE(find("", "broken", "example.org"), ":13: field uid");
}

TEST(an_unknown_name_is_shown_without_what_could_break_a_reply)
{
	const struct settings *settings = load("");
	char name[1000];

	CHECK_UNKNOWN(
		find_str(settings, STR("a\r\n250 OK"), "x"), "a??250 OK@x");
	CHECK_UNKNOWN(find_str(settings, str_of("amy\0x", 5), "example.org"),
		"amy?x@example.org");
	CHECK_UNKNOWN(find_str(settings, STR("a\xff"), "x"), "a\uFFFD@x");
	CHECK_UNKNOWN(find_str(settings, STR("../amy"), "x"), "../amy@x");
	CHECK_UNKNOWN(find_str(settings, STR("amy"), ".."), "amy@..");
	CHECK_UNKNOWN(find_str(settings, STR(""), ""), "");
	memset(name, 'a', sizeof(name));
	CHECK_INT(find_str(settings, str_of(name, sizeof(name)), "x"), -1);
	CHECK_INT(err.kind, ERR_NO_USER);
	CHECK_UINT(strlen(err.text), strlen("User doesn't exist: ") + 200);
}

/* RFC 5321 4.1.2: a quoted local part may hold a NUL only by mistake; it must
 * not make amy out of it. */
TEST(a_nul_does_not_cut_a_name)
{
	CHECK_INT(find_str(load(""), str_of("amy\0", 4), ""), -1);
	CHECK_INT(err.kind, ERR_NO_USER);
	CHECK_INT(find_str(load(""), STR("amy"), ""), 0);
}

/* A format that leaves out the half that does harm does not make it harmless. */
TEST(a_harmful_domain_is_unknown_even_if_only_the_local_part_is_asked)
{
	CHECK_UNKNOWN(
		find("auth_username_format = %Ln", "amy", ".."), "amy@..");
	CHECK_INT(
		find("auth_username_format = %Ln", "amy", "other.example"), 0);
	CHECK_STR(recipient.name, "amy");
}

/* ---- names ---- */

TEST(the_name_is_folded_and_the_detail_keeps_its_spelling)
{
	CHECK_INT(find("", "AMY+Lists.Foo", "Example.ORG"), 0);
	CHECK_STR(recipient.name, "amy@example.org");
	CHECK_STR_IS(recipient.asked, "amy@example.org");
	CHECK_STR_IS(recipient.detail, "Lists.Foo");
	CHECK_STR(recipient.home, "/srv/amy");
	CHECK_UINT(recipient.identity.uid, 5001);
	CHECK_UINT(recipient.identity.gid, 5001);
}

TEST(names_of_every_script_are_folded)
{
	CHECK_INT(find("", "JÖRG", "BÜCHER.example"), 0);
	CHECK_STR(recipient.name, "jörg@bücher.example");
}

TEST(folding_can_be_turned_off)
{
	CHECK_UNKNOWN(find("auth_username_format = %u", "AMY", "example.org"),
		"AMY@example.org");
	CHECK_INT(find("auth_username_format =", "amy", "example.org"), 0);
	CHECK_UNKNOWN(find("auth_username_format =", "Amy", "example.org"),
		"Amy@example.org");
}

TEST(an_address_without_a_domain_is_asked_as_it_is)
{
	CHECK_INT(find("", "Amy", ""), 0);
	CHECK_STR(recipient.name, "amy");
	CHECK_UINT(recipient.identity.uid, 5003);
}

static void
check_split(const char *delimiters, const char *local, const char *user,
	const char *detail)
{
	struct settings settings = *load("");
	struct str user_part, detail_part;

	settings.recipient_delimiter = delimiters;
	recipient_split(&settings, str_from(local), &user_part, &detail_part);
	CHECK_STR_IS(user_part, user);
	CHECK_STR_IS(detail_part, detail);
}

TEST(the_first_of_a_set_of_delimiters_splits)
{
	check_split("+", "amy+a+b", "amy", "a+b");
	check_split("+-", "amy-a+b", "amy", "a+b");
	check_split("-+", "amy+a-b", "amy", "a-b");
	check_split("+", "amy-a", "amy-a", "");
	check_split("+", "amy+", "amy", "");
	check_split("", "amy+a", "amy+a", "");
	check_split("+", "", "", "");
}

TEST(a_delimiter_at_the_start_does_not_split)
{
	check_split("+", "+", "+", "");
	check_split("+", "+amy", "+amy", "");
	check_split("+", "+amy+x", "+amy", "x");
	check_split("+", "++", "+", "");
}

/* ---- postmaster ---- */

/* RFC 5321 4.5.1. */
TEST(postmaster_without_a_domain_is_found_by_its_own_name_first)
{
	const struct settings *settings = load("postmaster_address = amy");

	test_file("users", "postmaster::5009:5009::/srv/pm\n" USERS);
	CHECK_INT(find_str(settings, STR("PostMaster"), ""), 0);
	CHECK_STR(recipient.name, "postmaster");
}

TEST(postmaster_without_a_domain_goes_where_postmaster_address_leads)
{
	CHECK_INT(
		find("postmaster_address = Amy@example.org", "POSTMASTER", ""),
		0);
	CHECK_STR(recipient.name, "amy@example.org");
	/* The database may know users without a domain. */
	CHECK_INT(find("postmaster_address = amy@elsewhere.example",
			  "postmaster", ""),
		0);
	CHECK_STR(recipient.name, "amy");
	CHECK_INT(find("postmaster_address = amy@%{hostname}\n"
		       "hostname = example.org",
			  "postmaster", ""),
		0);
	CHECK_STR(recipient.name, "amy@example.org");
}

TEST(postmaster_that_leads_nowhere_is_unknown_under_its_own_name)
{
	CHECK_UNKNOWN(find("", "Postmaster", ""), "postmaster");
	CHECK_UNKNOWN(find("postmaster_address = eve@x", "postmaster", ""),
		"postmaster");
}

TEST(a_postmaster_address_that_is_none_is_trouble)
{
	CHECK_TROUBLE(find("postmaster_address = @@", "postmaster", ""),
		"postmaster_address: '@@' is not an address");
	CHECK_UNKNOWN(
		find("postmaster_address =", "postmaster", ""), "postmaster");
}

TEST(postmaster_of_a_domain_has_no_second_way)
{
	CHECK_UNKNOWN(
		find("postmaster_address = amy", "postmaster", "example.org"),
		"postmaster@example.org");
}

/* ---- identity ---- */

TEST(uid_gid_and_home_come_from_settings_when_the_record_lacks_them)
{
	CHECK_INT(find("mail_uid = 5010\nmail_gid = 5011\n"
		       "mail_home = /srv/%d/%n",
			  "bare", "example.org"),
		0);
	CHECK_UINT(recipient.identity.uid, 5010);
	CHECK_UINT(recipient.identity.gid, 5011);
	CHECK_STR(recipient.home, "/srv/example.org/bare");
	CHECK_TROUBLE(find("mail_gid = 5011", "bare", "example.org"),
		"no uid and mail_uid is not set");
	CHECK_TROUBLE(find("mail_uid = 5010", "bare", "example.org"),
		"no gid and mail_gid is not set");
	CHECK_TROUBLE(find("mail_uid = no-such-user-here\nmail_gid = 1", "bare",
			      "example.org"),
		"mail_uid: the system has no 'no-such-user-here'");
	CHECK_TROUBLE(find("mail_uid = 5010\nmail_gid = no-such-group-here",
			      "bare", "example.org"),
		"mail_gid: the system has no 'no-such-group-here'");
}

TEST(the_record_wins_over_settings)
{
	CHECK_INT(find("mail_uid = 5010\nmail_gid = 5011\nmail_home = /x/%n",
			  "amy", "example.org"),
		0);
	CHECK_UINT(recipient.identity.uid, 5001);
	CHECK_UINT(recipient.identity.gid, 5001);
	CHECK_STR(recipient.home, "/srv/amy");
}

TEST(a_home_may_be_missing_but_not_be_relative_or_lead_out)
{
	const char *ids = "mail_uid = 5010\nmail_gid = 5011\nmail_home = ";
	char more[200];

	CHECK_INT(find(ids, "bare", "example.org"), 0);
	CHECK_STR(recipient.home, NULL);
	snprintf(more, sizeof(more), "%ssrv/%%n", ids);
	CHECK_TROUBLE(find(more, "bare", "example.org"),
		"mail_home: 'srv/bare' is not an absolute path");
	test_file("users", "..x::5001:5001\n");
	snprintf(more, sizeof(more), "%s/srv/%%2n", ids);
	{
		const struct settings *settings = load(more);

		test_file("users", "..x::5001:5001\n");
		CHECK_TROUBLE(find_str(settings, STR("..x"), ""),
			"would lead out of its folder");
	}
}

/* Else it would be tried again for days. */
TEST(a_name_that_no_folder_can_have_is_nobodys)
{
	const char *ids = "mail_uid = 5010\nmail_gid = 5011\nmail_home = ";
	char more[200], name[300];
	size_t len;

	for (len = 255; len <= 256; len++) {
		const struct settings *settings;

		snprintf(more, sizeof(more), "%s/srv/%%n", ids);
		settings = load(more);
		memset(name, 'x', len);
		snprintf(name + len, sizeof(name) - len, "::5001:5001\n");
		test_file("users", name);
		name[len] = '\0';
		err_clear(&err);
		CHECK_INT(find_str(settings, str_from(name), ""),
			len == 255 ? 0 : -1);
	}
	CHECK_INT(err.kind, ERR_NO_USER);
	CHECK_STR(err.status, "5.1.1");
}

TEST(mail_is_never_delivered_as_root)
{
	CHECK_TROUBLE(find("first_valid_uid = 1", "root", "example.org"),
		"has uid 0; mail is never delivered as root");
}

TEST(ids_outside_the_limits_are_refused_with_the_limits_name)
{
	const char *limits = "last_valid_uid = 7000\nlast_valid_gid = 7000";

	CHECK_TROUBLE(find("", "low", "example.org"),
		"user low@example.org has uid 99, below first_valid_uid = "
		"500");
	CHECK_INT(find("first_valid_uid = 99", "low", "example.org"), 0);
	CHECK_TROUBLE(find(limits, "high", "example.org"),
		"user high@example.org has uid 7001, above last_valid_uid = "
		"7000");
	CHECK_TROUBLE(find(limits, "highgid", "example.org"),
		"user highgid@example.org has gid 7001, above last_valid_gid "
		"= 7000");
	CHECK_INT(find("last_valid_uid = 7001", "high", "example.org"), 0);
	/* The group of root is not one's own, even for root. */
	CHECK_TROUBLE(find("", "wheel", "example.org"),
		"has gid 0, below first_valid_gid = 1");
}

TEST(groups_come_from_the_system_and_from_mail_access_groups)
{
	size_t i;
	bool found = false;

	CHECK_INT(find("mail_access_groups = 6001, root ,6002", "amy",
			  "example.org"),
		0);
	CHECK_UINT(recipient.identity.group_count, 3);
	CHECK_UINT(recipient.identity.groups[0], 6001);
	CHECK_UINT(recipient.identity.groups[1], 0);
	CHECK_UINT(recipient.identity.groups[2], 6002);
	CHECK_INT(
		find("mail_access_groups = 6001", "groups", "example.org"), 0);
	CHECK(recipient.identity.group_count >= 2);
	for (i = 0; i < recipient.identity.group_count; i++)
		found |= recipient.identity.groups[i] == 6001;
	CHECK(found);
	CHECK_TROUBLE(find("mail_access_groups = no-such-group-here", "amy",
			      "example.org"),
		"mail_access_groups: the system has no 'no-such-group-here'");
}

/* ---- the record's settings ---- */

TEST(fields_of_the_record_change_the_users_settings_only)
{
	const struct settings *settings = load("");

	CHECK_INT(find_str(settings, STR("own"), "example.org"), 0);
	CHECK_STR(recipient.settings->recipient_delimiter, "-");
	CHECK_STR(settings->recipient_delimiter, "+");
	CHECK_TROUBLE(find_str(settings, STR("wrong"), "example.org"),
		"wrong@example.org");
}

/* ---- without a database ---- */

TEST(one_self_is_taken_from_the_environment)
{
	const struct settings *settings = load("");

	CHECK_INT(recipient_self(arena, settings, "amy", "/home/amy",
			  &recipient, &err),
		0);
	CHECK_STR(recipient.name, "amy");
	CHECK_STR(recipient.home, "/home/amy");
	CHECK_UINT(recipient.identity.uid, geteuid());
	CHECK(recipient.user == NULL);
}

TEST(one_self_is_looked_up_when_the_environment_is_silent)
{
	const struct settings *settings = load("");

	if (geteuid() != 0)
		REQUIRE(geteuid() == getuid());
	CHECK_INT(
		recipient_self(arena, settings, NULL, "", &recipient, &err), 0);
	CHECK(recipient.name != NULL && recipient.name[0] != '\0');
	CHECK(recipient.home != NULL);
}

TEST(a_uid_that_nobody_has_is_a_wrong_call_without_a_user)
{
	const struct settings *settings = load("");

	if (geteuid() != 0)
		SKIP("only root may become somebody unknown");
	REQUIRE(seteuid(3999999998u) == 0);
	CHECK_INT(recipient_self(
			  arena, settings, NULL, "/home/amy", &recipient, &err),
		-1);
	CHECK_INT(err.kind, ERR_USAGE);
	CHECK_INT(
		recipient_self(arena, settings, "amy", NULL, &recipient, &err),
		0);
	CHECK_STR(recipient.name, "amy");
	CHECK_STR(recipient.home, NULL);
	REQUIRE(seteuid(0) == 0);
}

TEST(a_database_that_is_kept_gives_the_same_recipients)
{
	const struct settings *settings = load("");
	struct address address = {
		.local_part = STR("amy"), .domain = STR("example.org")};
	struct userdb *db = NULL;
	struct recipient first;
	int i;

	REQUIRE(find("", "amy", "example.org") == 0);
	first = recipient;
	clock_fix(clock_now().tv_sec + 60, 0, "host", 1);
	REQUIRE(recipient_open_userdb(arena, settings, &db, &err) == 0);
	recipient_keep_userdb(db);
	for (i = 0; i < 3; i++) {
		REQUIRE(recipient_find(arena, settings, db, &address, "lda",
				&recipient, &err) == 0);
		CHECK_STR(recipient.name, first.name);
		CHECK_STR(recipient.home, first.home);
		CHECK_INT(recipient.identity.uid, first.identity.uid);
	}
	recipient_close_userdb(&db);
}

/* ---- users of other hosts ---- */

static int
find_route(const char *more, const char *local)
{
	const struct settings *settings = load(more);
	struct address address = {
		.local_part = str_from(local), .domain = STR("example.org")};
	struct userdb *db = NULL;
	int result;

	err_clear(&err);
	REQUIRE(recipient_open_userdb(arena, settings, &db, &err) == 0);
	result = recipient_find_route(
		arena, settings, db, &address, "lmtp", &recipient, &err);
	userdb_close(&db);
	return result;
}

TEST(who_lives_on_another_host_needs_no_identity_here)
{
	CHECK_INT(find_route("lmtp_proxy = yes", "away"), 0);
	CHECK_INT(recipient.route.kind, ROUTE_PROXY);
	CHECK_STR(recipient.route.host, "b.example");
	CHECK_STR(recipient.name, "away@example.org");
}

/* As with Dovecot, where these fields are of the password database. */
TEST(without_lmtp_proxy_everybody_lives_here)
{
	CHECK_TROUBLE(find_route("", "away"), "no uid");
	CHECK_INT(find_route("", "both"), 0);
	CHECK_INT(recipient.route.kind, ROUTE_LOCAL);
	CHECK_UINT(recipient.identity.uid, 5001);
	CHECK_INT(find_route("", "odd"), 0);
}

TEST(fields_of_a_route_need_no_prefix_beside_those_that_have_one)
{
	CHECK_INT(find_route("lmtp_proxy = yes", "both"), 0);
	CHECK_INT(recipient.route.kind, ROUTE_PROXY);
	CHECK_STR(recipient.route.host, "b");
	REQUIRE(user_field(recipient.user, "mail") != NULL);
	CHECK(user_field(recipient.user, "nopassword") == NULL);
}

TEST(nobody_files_mail_of_another_host_here)
{
	CHECK_TROUBLE(find("lmtp_proxy = yes", "away", "example.org"),
		"goes on to b.example");
	CHECK_INT(find("lmtp_proxy = yes", "shut", "example.org"), -1);
	CHECK_STR(err.status, "5.2.900");
	CHECK_STR(err.text, "shut@example.org@b.example Referral");
}

TEST(a_route_that_makes_no_sense_is_trouble)
{
	CHECK_TROUBLE(find_route("lmtp_proxy = yes", "odd"), "field port");
}
