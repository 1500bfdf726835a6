/* SPDX-License-Identifier: MIT */
#include "conf/conf.h"

#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/conf/helper.h"

#include "base/banned.h"

TEST(an_empty_file_gives_the_defaults)
{
	struct loaded loaded = load_good("");
	const struct settings *settings = loaded.settings;

	CHECK_STR(settings->mail_location, "maildir:~/Maildir");
	CHECK_STR(settings->auth_username_format, "%Lu");
	CHECK_UINT(settings->first_valid_uid, 500);
	CHECK_UINT(settings->submission_timeout_ms, 30000);
	CHECK_STR(settings->rejection_reason,
		"Your message to <%t> was automatically rejected:%n%r");
	CHECK_UINT(settings->userdb_count, 0);
	CHECK_UINT(settings->sieve_before.count, 0);
	unload(&loaded);
}

TEST(a_file_that_was_named_must_be_there)
{
	struct arena *arena = arena_open();
	struct conf_report report = {0};
	const struct settings *settings;
	const struct conf_source source = {.file = test_path("none.conf")};

	CHECK(conf_load(arena, &source, &settings, &report) < 0);
	CHECK(settings == NULL);
	REQUIRE(report.count == 1);
	CHECK(says(conf_problem_text(arena, &report.problems[0]),
		"none.conf: error: there is no such file"));
	arena_close(&arena);
}

TEST(no_file_is_read_when_only_defaults_are_asked_for)
{
	struct arena *arena = arena_open();
	struct conf_report report = {0};
	const struct settings *settings;
	const struct conf_source source = {
		.file = test_path("none.conf"), .only_defaults = true};

	CHECK(conf_load(arena, &source, &settings, &report) == 0);
	arena_close(&arena);
}

TEST(a_file_that_cannot_be_read_is_an_error)
{
	struct loaded loaded;

	if (geteuid() == 0)
		SKIP("root may read everything");
	CHECK(chmod(test_file("test.conf", ""), 0) == 0);
	loaded = (struct loaded){.arena = arena_open()};
	CHECK(conf_load(loaded.arena,
		      &(struct conf_source){.file = test_path("test.conf")},
		      &loaded.settings, &loaded.report) < 0);
	unload(&loaded);
}

TEST(a_wrong_value_is_reported_with_file_line_found_and_expected)
{
	check_error("\n\nmail_fsync = sometimes\n",
		"3: error: mail_fsync: found \"sometimes\", expected "
		"optimized, always or never");
	check_error("mail_debug = maybe\n",
		"1: error: mail_debug: found \"maybe\", expected yes or no");
	check_error("first_valid_uid = 0\n",
		"1: error: first_valid_uid: found \"0\", expected a number "
		"from 1 to 4294967294");
	check_error("message_max_size = big\n",
		"1: error: message_max_size: found \"big\", expected a size "
		"such as 500k, 10M or 1G, or unlimited");
	check_error("mail_temp_scan_interval = often\n",
		"1: error: mail_temp_scan_interval: found \"often\", expected "
		"a time such as 30 secs, 5 mins, 12 hours, 7 days or 1 week");
	check_error("state_dir = here\n",
		"1: error: state_dir: found \"here\", expected a path that "
		"begins with /");
	check_error("login_trusted_networks = mx1\n",
		"1: error: login_trusted_networks: found \"mx1\", expected "
		"addresses or networks such as 192.0.2.0/24 or ::1");
	check_error("syslog_facility = post\n"
		    "mail_debug = yes\n",
		"1: error: syslog_facility: found \"post\", expected mail, "
		"daemon, user, auth, authpriv, cron, lpr, news, syslog, uucp, "
		"local0, local1, local2, local3, local4, local5, local6 or "
		"local7");
	check_error("last_valid_uid = 100\n",
		"1: error: last_valid_uid: found 100, expected nothing below "
		"the first valid one, 500");
}

TEST(a_wrong_value_is_reported_even_when_a_later_one_is_good)
{
	check_error("mail_debug = maybe\nmail_debug = yes\n",
		"1: error: mail_debug: found \"maybe\", expected yes or no");
}

TEST(an_unknown_name_is_an_error_with_a_suggestion)
{
	check_error("mail_locaton = maildir:/x\n",
		"1: error: mail_locaton: there is no setting of that name; is "
		"mail_location meant?");
	check_error("colour_of_the_sky = blue\n",
		"1: error: colour_of_the_sky: there is no setting of that "
		"name");
	check_error("plugin {\n  seive_after = /x\n}\n",
		"2: error: seive_after: there is no setting of that name; is "
		"sieve_after meant?");
}

TEST(the_last_of_several_values_counts)
{
	struct loaded loaded = load_good("hostname = a\nhostname = b\n");

	CHECK_STR(loaded.settings->hostname, "b");
	CHECK_UINT(conf_place(loaded.settings, "hostname").line, 2);
	CHECK_UINT(conf_place(loaded.settings, "mail_uid").line, 0);
	unload(&loaded);
}

TEST(a_setting_of_plugin_may_stand_at_the_top_as_well)
{
	struct loaded loaded = load_good("plugin {\n  sieve = ~/a.sieve\n"
					 "  hostname = b\n}\n"
					 "sieve_before = /b\n");

	CHECK_STR(loaded.settings->sieve, "~/a.sieve");
	CHECK_STR(loaded.settings->hostname, "b");
	CHECK_UINT(loaded.settings->sieve_before.count, 1);
	unload(&loaded);
}

TEST(numbered_settings_are_kept_in_the_order_of_their_numbers)
{
	struct loaded loaded = load_good("sieve_before10 = /ten\n"
					 "sieve_before = /one\n"
					 "sieve_before2 = /two\n"
					 "sieve_before2 = /other\n"
					 "sieve_before3 = /three\n"
					 "sieve_before3 =\n");
	const struct conf_family *family = &loaded.settings->sieve_before;

	REQUIRE(family->count == 3);
	CHECK_STR(family->items[0].value, "/one");
	CHECK_STR(family->items[1].value, "/other");
	CHECK_UINT(family->items[1].place.line, 4);
	CHECK_STR(family->items[2].value, "/ten");
	CHECK_UINT(family->items[2].number, 10);
	unload(&loaded);
}

TEST(quota_rules_belong_to_their_root)
{
	struct loaded loaded = load_good("quota2_rule = *:storage=2G\n"
					 "quota_rule2 = Trash:ignore\n"
					 "quota_rule = *:storage=1G\n");
	const struct conf_family *rules = &loaded.settings->quota_rule;

	REQUIRE(rules->count == 3);
	CHECK_STR(rules->items[0].value, "*:storage=1G");
	CHECK_STR(rules->items[1].value, "Trash:ignore");
	CHECK_UINT(rules->items[2].root, 2);
	unload(&loaded);
}

TEST(a_family_has_no_more_than_its_limit)
{
	struct buf text;
	struct loaded loaded;
	unsigned i;

	buf_init(&text, 1 << 20);
	for (i = 1; i <= 600; i++)
		buf_add_format(&text,
			"quota_rule%u = *:ignore\n"
			"quota2_rule%u = *:ignore\n",
			i, i);
	loaded = load(buf_text(&text));
	CHECK_UINT(loaded.report.errors, 1200 - CONF_FAMILY_MAX);
	CHECK(says(problem(&loaded, 0), "more than 1000"));
	CHECK_UINT(loaded.report.count, CONF_PROBLEMS_MAX);
	unload(&loaded);
	buf_clear(&text);
}

/* Dovecot: "$name" is the value that the setting has so far. */
TEST(a_dollar_puts_in_the_value_of_another_setting)
{
	struct loaded loaded = load_good("hostname = mx.example.org\n"
					 "login_greeting = $hostname is ready\n"
					 "protocols = $protocols imap\n"
					 "sieve_before = /a\n"
					 "sieve_after = $sieve_before\n"
					 "sieve_default = $SET:sieve_before\n");

	CHECK_STR(loaded.settings->login_greeting, "mx.example.org is ready");
	CHECK_UINT(loaded.settings->protocols.count, 2);
	CHECK_STR(loaded.settings->protocols.items[1], "imap");
	CHECK_STR(loaded.settings->sieve_after.items[0].value, "/a");
	CHECK_STR(loaded.settings->sieve_default, "/a");
	unload(&loaded);
}

TEST(a_dollar_that_names_nothing_is_a_character)
{
	struct loaded loaded =
		load_good("deliver_log_format = msgid=%m: %$\n"
			  "login_greeting = costs $ 5, $5x, a$hostname, $HOME\n"
			  "sieve_user_email = \"$hostname\"\n");

	CHECK_STR(loaded.settings->deliver_log_format, "msgid=%m: %$");
	CHECK_STR(loaded.settings->login_greeting,
		"costs $ 5, $5x, a$hostname, $HOME");
	CHECK_STR(loaded.settings->sieve_user_email, "$hostname");
	unload(&loaded);
	check_error("hostname = $mail_hostname\n",
		"1: error: hostname: found \"$mail_hostname\", but there is "
		"no setting of that name");
}

TEST(a_value_grown_by_dollars_is_limited)
{
	struct buf text;
	struct loaded loaded;
	int i;

	buf_init(&text, 1 << 16);
	buf_add_text(&text, "hostname = xxxxxxxxxxxxxxxx\n");
	for (i = 0; i < 20; i++)
		buf_add_text(&text, "hostname = $hostname $hostname\n");
	loaded = load(buf_text(&text));
	CHECK(loaded.settings == NULL);
	CHECK(says(problem(&loaded, 0), "longer than 65536 bytes"));
	unload(&loaded);
	buf_clear(&text);
}

TEST(a_protocols_value_wins_wherever_it_stands)
{
	static const char text[] = "protocol lda {\n  hostname = lda\n"
				   "  sieve_before = /lda\n"
				   "  plugin {\n    sieve = /lda\n  }\n}\n"
				   "hostname = all\nsieve_before = /all\n"
				   "protocol !lda {\n  login_greeting = x\n}\n";
	struct loaded loaded = load_good(text);

	CHECK_STR(loaded.settings->hostname, "lda");
	CHECK_STR(loaded.settings->sieve, "/lda");
	CHECK_STR(loaded.settings->sieve_before.items[0].value, "/lda");
	CHECK_STR(loaded.settings->login_greeting, "Doorstep ready.");
	unload(&loaded);
	loaded = load_as(text, CONF_PROTOCOL_LMTP, false, NULL, 0);
	REQUIRE(loaded.settings != NULL);
	CHECK_STR(loaded.settings->hostname, "all");
	CHECK_STR(loaded.settings->sieve_before.items[0].value, "/all");
	CHECK_STR(loaded.settings->login_greeting, "x");
	unload(&loaded);
	loaded = load_as(text, CONF_PROTOCOL_NONE, false, NULL, 0);
	REQUIRE(loaded.settings != NULL);
	CHECK_STR(loaded.settings->hostname, "all");
	CHECK_STR(loaded.settings->login_greeting, "Doorstep ready.");
	unload(&loaded);
}

TEST(the_block_of_our_other_protocol_is_checked_as_well)
{
	check_error("protocol lmtp {\n  mail_debug = maybe\n}\n",
		"2: error: mail_debug: found \"maybe\", expected yes or no");
}

TEST(the_block_of_a_foreign_protocol_is_passed_over)
{
	struct loaded loaded = load_good("protocol imap {\n  hostname = x\n"
					 "  what_is_this = y\n}\n");

	CHECK_STR(loaded.settings->hostname, "");
	unload(&loaded);
}

TEST(the_command_line_wins_over_the_file)
{
	static const char *const overrides[] = {"hostname=cmd",
		"plugin/sieve_before=/cmd", "namespace/inbox/prefix=INBOX/",
		"login_greeting = $hostname # x"};
	struct loaded loaded = load_as("hostname = file\n"
				       "protocol lda {\n  hostname = lda\n}\n"
				       "namespace inbox {\n  inbox = yes\n}\n",
		CONF_PROTOCOL_LDA, false, overrides, 4);

	REQUIRE(loaded.settings != NULL);
	CHECK_STR(loaded.settings->hostname, "cmd");
	CHECK_STR(conf_place(loaded.settings, "hostname").file, "-o");
	CHECK_STR(loaded.settings->sieve_before.items[0].value, "/cmd");
	REQUIRE(loaded.settings->namespace_count == 1);
	CHECK_STR(loaded.settings->namespaces[0].prefix, "INBOX/");
	CHECK(loaded.settings->namespaces[0].inbox);
	CHECK_STR(loaded.settings->login_greeting, "$hostname # x");
	unload(&loaded);
}

TEST(a_wrong_word_on_the_command_line_is_reported)
{
	static const char *const overrides[] = {
		"hostname", "mail_debug=maybe", "no_such_thing=1", "=x"};
	struct loaded loaded =
		load_as("", CONF_PROTOCOL_LDA, false, overrides, 4);

	CHECK_UINT(loaded.report.errors, 4);
	CHECK_STR(problem(&loaded, 0),
		"0: error: found \"hostname\", expected name=value");
	REQUIRE(loaded.report.count == 4);
	CHECK_STR(conf_problem_text(loaded.arena, &loaded.report.problems[1]),
		"-o: error: mail_debug: found \"maybe\", expected yes or no");
	unload(&loaded);
}

TEST(the_names_of_dovecot_2_4_mean_the_same)
{
	struct loaded loaded = load_good(
		"dovecot_config_version = 2.4.0\n"
		"mail_driver = maildir\n"
		"mail_path = %{home}/mail\n"
		"mailbox_list_layout = fs\n"
		"mailbox_list_utf8 = yes\n"
		"mail_inbox_path = ~/in\n"
		"ssl_server_cert_file = /etc/cert.pem\n"
		"ssl_server_key_file = key.pem\n"
		"ssl_server_prefer_ciphers = server\n"
		"quota_mail_size = 10M\n"
		"quota_storage_size = 5G\n"
		"sieve_user_log_path = ~/log\n"
		"lmtp_user_concurrency_limit = unlimited\n"
		"protocols {\n  lmtp = yes\n  imap = yes\n  pop3 = no\n}\n"
		"sieve_extensions {\n  fileinto = yes\n  regex = no\n}\n");
	const struct settings *settings = loaded.settings;

	CHECK_STR(settings->mail_location,
		"maildir:%{home}/mail:INBOX=~/in:LAYOUT=fs:UTF-8");
	CHECK_STR(settings->ssl_cert.path, "/etc/cert.pem");
	CHECK_STR(settings->ssl_key.path, "key.pem");
	CHECK(settings->ssl_prefer_server_ciphers);
	CHECK_UINT(settings->quota_max_mail_size, 10 * 1048576);
	CHECK_STR(settings->quota_rule.items[0].value, "*:storage=5368709120B");
	CHECK_STR(settings->sieve_user_log, "~/log");
	CHECK_UINT(settings->lmtp_user_concurrency_limit, 0);
	CHECK_UINT(settings->protocols.count, 2);
	CHECK_STR(settings->sieve_extensions, "fileinto");
	unload(&loaded);
}

TEST(wrong_values_of_2_4_names_are_reported)
{
	check_error("mailbox_list_utf8 = perhaps\n",
		"1: error: mailbox_list_utf8: found \"perhaps\", expected yes "
		"or no");
	check_error("quota_storage_size = big\n",
		"1: error: quota_storage_size: found \"big\", expected a size "
		"such as 1G");
	check_error("quota_message_count = few\n",
		"1: error: quota_message_count: found \"few\", expected a "
		"number");
	check_error("ssl_server_prefer_ciphers = yes\n",
		"1: error: ssl_server_prefer_ciphers: found \"yes\", expected "
		"client or server");
}

TEST(a_file_behind_a_key_is_not_read_before_it_is_needed)
{
	struct loaded loaded = load_good("ssl_key = <none.pem\n");
	struct str text;
	struct err err;

	CHECK_STR(loaded.settings->ssl_key.path, test_path("none.pem"));
	CHECK(conf_read_text(loaded.arena, &loaded.settings->ssl_key, &text,
		      &err) < 0);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK(says(err.detail, "none.pem"));
	unload(&loaded);
}

TEST(the_text_of_a_key_is_given_from_value_or_file)
{
	struct loaded loaded = load_good("quota_exceeded_message = <full.txt\n"
					 "ssl_key_password = secret\n");
	struct str text;
	struct err err;

	test_file("full.txt", "Your mailbox\nis full\n");
	CHECK(conf_read_text(loaded.arena,
		      &loaded.settings->quota_exceeded_message, &text,
		      &err) == 0);
	CHECK_STR_IS(text, "Your mailbox\nis full");
	CHECK(conf_read_text(loaded.arena, &loaded.settings->ssl_key_password,
		      &text, &err) == 0);
	CHECK_STR_IS(text, "secret");
	unload(&loaded);
}

TEST(a_file_value_of_another_key_is_read_at_once)
{
	struct loaded loaded;

	test_file("name", "mx.example.org\n");
	loaded = load_good("hostname = <name\n");
	CHECK_STR(loaded.settings->hostname, "mx.example.org");
	unload(&loaded);
	test_file("name", "two\nlines\n");
	loaded = load("hostname = <name\n");
	CHECK(says(problem(&loaded, 0), "has more than one line"));
	unload(&loaded);
	loaded = load("sieve_redirect_envelope_from = <a@example.org>\n");
	CHECK(says(problem(&loaded, 0), "needs quotes"));
	unload(&loaded);
}

static const struct settings *
override(struct loaded *loaded, const char *name, const char *value,
	struct err *err)
{
	const struct conf_pair pair = {str_from(name), str_from(value)};
	const struct settings *settings = NULL;

	if (conf_override(loaded->arena, loaded->settings, &pair, 1, "user amy",
		    &settings, err) < 0)
		return NULL;
	return settings;
}

TEST(a_users_record_changes_settings_for_that_user_alone)
{
	struct loaded loaded = load_good(
		"quota_rule = *:storage=1G\n"
		"protocol lda {\n  mail_location = maildir:/lda\n}\n");
	const struct settings *settings;
	struct err err;

	settings = override(&loaded, "mail", "maildir:/amy", &err);
	REQUIRE(settings != NULL);
	CHECK_STR(settings->mail_location, "maildir:/amy");
	CHECK_STR(loaded.settings->mail_location, "maildir:/lda");
	settings = override(&loaded, "quota_rule", "*:storage=5G", &err);
	REQUIRE(settings != NULL);
	CHECK_STR(settings->quota_rule.items[0].value, "*:storage=5G");
	CHECK_STR(loaded.settings->quota_rule.items[0].value, "*:storage=1G");
	settings = override(&loaded, "plugin/sieve", "/amy.sieve", &err);
	REQUIRE(settings != NULL);
	CHECK_STR(settings->sieve, "/amy.sieve");
	settings = override(&loaded, "sieve_before2", "/amy", &err);
	REQUIRE(settings != NULL);
	CHECK_UINT(settings->sieve_before.count, 1);
	CHECK_UINT(loaded.settings->sieve_before.count, 0);
	settings = override(&loaded, "mail_path", "/new", &err);
	REQUIRE(settings != NULL);
	CHECK_STR(settings->mail_location, "maildir:/new");
	unload(&loaded);
}

TEST(a_users_record_says_nothing_of_programs)
{
	struct loaded loaded = load_good("sieve_pipe_bin_dir = /usr/lib/pipe\n"
					 "sieve_program_max_output = 1M\n");
	const struct settings *settings;
	struct err err;

	settings = override(&loaded, "sieve_pipe_bin_dir", "/home/amy", &err);
	REQUIRE(settings != NULL);
	CHECK_STR(settings->sieve_pipe_bin_dir, "/usr/lib/pipe");
	settings = override(
		&loaded, "plugin/sieve_convert", "text/a text/b x", &err);
	REQUIRE(settings != NULL);
	CHECK_UINT(settings->sieve_convert.count, 0);
	settings = override(&loaded, "sieve_program_max_output", "5M", &err);
	REQUIRE(settings != NULL);
	CHECK_UINT(settings->sieve_program_max_output, 1048576);
	unload(&loaded);
}

TEST(two_users_of_one_configuration_do_not_meet)
{
	struct loaded loaded = load_good("sieve_before = /all\n");
	const struct settings *amy, *bob;
	struct err err;

	amy = override(&loaded, "sieve_before2", "/amy", &err);
	bob = override(&loaded, "sieve_before2", "/bob", &err);
	REQUIRE(amy != NULL && bob != NULL);
	CHECK_STR(amy->sieve_before.items[1].value, "/amy");
	CHECK_STR(bob->sieve_before.items[1].value, "/bob");
	unload(&loaded);
}

TEST(a_users_record_may_hold_what_is_no_setting)
{
	struct loaded loaded = load_good("namespace inbox {\n}\n");
	struct err err;

	CHECK(override(&loaded, "nice", "10", &err) != NULL);
	CHECK(override(&loaded, "hostnam", "x", &err) != NULL);
	CHECK(override(&loaded, "plugin/acl", "x", &err) != NULL);
	CHECK(override(&loaded, "namespace/inbox/prefix", "X", &err) != NULL);
	CHECK_STR(loaded.settings->namespaces[0].prefix, "");
	CHECK(override(&loaded, "", "", &err) != NULL);
	unload(&loaded);
}

TEST(a_users_record_names_no_file_to_be_read)
{
	struct loaded loaded = load_good("");
	const struct settings *settings;
	struct err err;

	settings = override(
		&loaded, "quota_exceeded_message", "</etc/shadow", &err);
	REQUIRE(settings != NULL);
	CHECK(settings->quota_exceeded_message.path == NULL);
	CHECK_STR(settings->quota_exceeded_message.text, "</etc/shadow");
	unload(&loaded);
}

TEST(a_wrong_value_in_a_users_record_is_a_temporary_failure)
{
	struct loaded loaded = load_good("");
	struct err err;

	CHECK(override(&loaded, "mail_fsync", "often", &err) == NULL);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK_STR(err.status, "4.3.5");
	CHECK_STR(err.detail, "user amy: mail_fsync: found \"often\", expected "
			      "optimized, always or never");
	unload(&loaded);
}

TEST(a_users_record_gets_the_checks_of_the_configuration)
{
	struct loaded loaded = load_good("");
	struct err err;

	CHECK(override(&loaded, "mail", "mdbox:~/mail", &err) == NULL);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK_STR(err.status, "4.3.5");
	CHECK_STR(err.detail, "user amy: mail_location: found "
			      "\"mdbox:~/mail\", expected maildir:PATH or "
			      "mbox:PATH");
	CHECK(override(&loaded, "sieve", "/%{bogus}", &err) == NULL);
	CHECK(says(
		err.detail, "user amy: sieve: found \"/%{bogus}\": unknown"));
	CHECK(override(&loaded, "sieve_after", "/%{bogus}", &err) == NULL);
	/* The record's own expansion has halved the percent sign. */
	CHECK(override(&loaded, "quota_grace", "10%", &err) != NULL);
	CHECK(override(&loaded, "plugin/quota_rule", "Trash:storage=+10%",
		      &err) != NULL);
	unload(&loaded);
}

TEST(an_err_has_the_first_error_and_the_number_of_others)
{
	struct loaded loaded = load("mail_debug = 5\nhostnam = x\n");
	struct err err;

	CHECK(conf_report_err(&loaded.report, &err) < 0);
	CHECK(says(err.detail, "test.conf:1: mail_debug: found \"5\""));
	CHECK(says(err.detail, "(and 1 more: doorstep config check)"));
	unload(&loaded);
}

TEST(settings_of_the_proxy_have_bounds)
{
	check_error("\nlmtp_proxy = maybe\n",
		"2: error: lmtp_proxy: found \"maybe\", expected yes or no");
	check_error("lmtp_proxy_timeout = 999 ms\n",
		"1: error: lmtp_proxy_timeout: found \"999 ms\", expected a "
		"time such as 30 secs, 5 mins, 12 hours, 7 days or 1 week, "
		"from 1 sec to 1 hour");
	check_error("lmtp_proxy_connections = 0\n",
		"1: error: lmtp_proxy_connections: found \"0\", expected a "
		"number from 1 to 10000");
	check_error("lmtp_proxy_idle_timeout = -1\n",
		"1: error: lmtp_proxy_idle_timeout: found \"-1\", expected a "
		"time such as 30 secs, 5 mins, 12 hours, 7 days or 1 week, "
		"from 0 to 1 hour");
	check_error("lmtp_proxy_max_transactions = x\n",
		"1: error: lmtp_proxy_max_transactions: found \"x\", expected "
		"a number from 0 to 1000000000 or unlimited");
	check_error("lmtp_proxy_dns_ttl = 2 days\n",
		"1: error: lmtp_proxy_dns_ttl: found \"2 days\", expected a "
		"time such as 30 secs, 5 mins, 12 hours, 7 days or 1 week, "
		"from 1 sec to 1 day");
}
