/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/conf/helper.h"

#include "base/banned.h"

/* The n-th problem that is not about this release. */
static const char *
lasting_problem(struct loaded *loaded, size_t n)
{
	size_t i;

	for (i = 0; i < loaded->report.count; i++)
		if (strstr(problem(loaded, i), "in this release") == NULL &&
			n-- == 0)
			return problem(loaded, i);
	return "";
}

/* The only problem that a check finds, "" when there is none. */
static void
check_finds(const char *text, const char *expected)
{
	struct loaded loaded = load_as(text, CONF_PROTOCOL_LDA, true, NULL, 0);

	CHECK_STR(lasting_problem(&loaded, 0), expected);
	CHECK_STR(lasting_problem(&loaded, 1), "");
	unload(&loaded);
}

TEST(the_defaults_have_no_problem)
{
	check_finds("", "");
}

TEST(warnings_are_for_who_asks)
{
	struct loaded loaded = load("mail_plugins = sieve\n");

	CHECK(loaded.settings != NULL);
	CHECK_UINT(loaded.report.count, 0);
	CHECK_UINT(loaded.report.warnings, 0);
	unload(&loaded);
}

TEST(each_foreign_setting_has_one_warning)
{
	check_finds("mail_plugins = $mail_plugins sieve\n",
		"1: warning: mail_plugins: does not concern Doorstep and is "
		"ignored");
	check_finds("service imap-login {\n  process_limit = 3\n  foo {\n  }\n"
		    "}\n",
		"1: warning: service imap-login: does not concern Doorstep and "
		"is ignored");
	check_finds("passdb {\n  driver = pam\n}\n",
		"1: warning: passdb { }: does not concern Doorstep and is "
		"ignored");
	check_finds("service lmtp {\n  executable = lmtp -L\n}\n",
		"2: warning: executable: does not concern Doorstep and is "
		"ignored");
	check_finds("protocols = lmtp imap\n",
		"1: warning: protocols: imap does not concern Doorstep and is "
		"ignored");
	check_finds("local 10.0.0.1 {\n  hostname = x\n}\n",
		"1: warning: local: settings for some clients only are not "
		"supported; the block is ignored");
	check_finds("plugin {\n  antispam_x = y\n}\n",
		"2: warning: antispam_x: does not concern Doorstep and is "
		"ignored");
	check_finds("plugin {\n  colour_of_the_sky = y\n}\n",
		"2: warning: colour_of_the_sky: is no setting of Doorstep and "
		"is ignored");
}

TEST(a_foreign_name_close_to_ours_is_said_to_be)
{
	check_finds("auth_username_fromat = %u\n",
		"1: warning: auth_username_fromat: does not concern Doorstep "
		"and is ignored (or is auth_username_format meant?)");
}

TEST(a_time_without_a_unit_has_a_warning)
{
	check_finds("submission_timeout = 30\n",
		"1: warning: submission_timeout: found \"30\" without a unit; "
		"it counts seconds");
	check_finds("mail_max_lock_timeout = 0\n", "");
}

/* Dovecot counts KiB where a size of other settings counts bytes. */
TEST(a_quota_without_a_unit_has_a_warning)
{
	check_finds("quota_rule = *:storage=1048576:messages=1000\n"
		    "quota = count\n",
		"1: warning: quota_rule: found \"storage=1048576\" without a "
		"unit; it counts KiB");
	check_finds("quota_rule = *:storage=1G\n"
		    "quota_rule2 = Trash:storage=+10%%\n"
		    "quota_rule3 = Spam:ignore\n"
		    "quota_rule4 = Sent:bytes=500\n"
		    "quota = count\n",
		"");
}

TEST(a_special_use_is_a_word_behind_a_backslash)
{
	check_finds("mailbox Spam {\n  special_use = \\Junk Trash\n}\n",
		"1: warning: mailbox Spam: special_use: found \"Trash\", "
		"expected words behind a backslash such as \\Junk");
	check_finds("namespace x {\n  inbox = yes\n  mailbox Spam {\n"
		    "    special_use = Junk\n  }\n}\n",
		"3: warning: mailbox Spam: special_use: found \"Junk\", "
		"expected words behind a backslash such as \\Junk");
	check_finds("mailbox Spam {\n  special_use = \\Junk \\Trash\n}\n", "");
}

TEST(annotations_are_read_from_files_only)
{
	check_finds("mail_attribute_dict = proxy::attributes\n",
		"1: warning: mail_attribute_dict: found \"proxy::attributes\", "
		"only file:PATH is read; scripts see no annotations");
	check_finds("mail_attribute_dict = file:%h/dovecot-attributes\n", "");
}

/* Limits that somebody believes in. */
TEST(a_share_of_no_limit_has_a_warning)
{
	check_finds("quota = count\nquota_rule = *:storage=50%%\n",
		"2: warning: quota_rule: found \"*:storage=50%%\", relative "
		"to no limit; so there is none");
	check_finds("quota = count\nquota_rule = *:storage=-5M\n",
		"2: warning: quota_rule: found \"*:storage=-5M\", relative "
		"to no limit; so there is none");
	check_finds("quota = count\nquota_rule = *:storage=1G\n"
		    "quota_rule2 = *:messages=+10\n",
		"3: warning: quota_rule2: found \"*:messages=+10\", relative "
		"to no limit; so there is none");
	check_finds("quota = count\nquota_rule = *:storage=1G:messages=5\n"
		    "quota_rule2 = *:storage=+10%%:messages=+1\n",
		"");
}

TEST(a_rule_without_a_root_has_a_warning)
{
	check_finds("quota = count\nquota2_rule = *:storage=1G\n"
		    "quota3_rule =\n",
		"2: warning: quota2_rule: has no effect, as there is no "
		"quota2");
	check_finds("quota_warning = messages=9 x\n",
		"1: warning: quota_warning: has no effect, as there is no "
		"quota");
}

TEST(a_quota_status_for_other_hosts_has_to_name_them)
{
	static const char service[] =
		"service quota-status {\n  inet_listener q {\n"
		"    address = 192.0.2.1\n    port = 12340\n  }\n}\n";
	char text[400];

	check_finds(service,
		"2: warning: inet_listener q listens on 192.0.2.1, but "
		"quota_status_allowed_networks has its default: other hosts "
		"are turned away; name those of Postfix");
	snprintf(text, sizeof(text),
		"%squota_status_allowed_networks = 0.0.0.0/0\n", service);
	check_finds(text,
		"2: warning: inet_listener q listens on 192.0.2.1, and "
		"quota_status_allowed_networks lets everybody in: whoever can "
		"reach it can learn who is a user");
}

TEST(a_wrong_quota_rule_is_an_error)
{
	check_finds("quota_rule = *:storage=big\nquota = count\n",
		"1: error: quota_rule: found \"storage=big\", expected a size "
		"such as 1G");
	check_finds("quota_rule = *:messages=1k\nquota = count\n",
		"1: error: quota_rule: found \"messages=1k\", expected "
		"messages=NUMBER");
	check_finds("quota2_rule = *:size=1\nquota = count\nquota2 = count\n",
		"1: error: quota2_rule: found \"size=1\", expected "
		"storage=SIZE, bytes=SIZE, messages=NUMBER, ignore or "
		"backend=TEXT");
	check_finds("quota_rule = *\nquota = count\n",
		"1: error: quota_rule: found \"*\", expected FOLDER:LIMITS, "
		"for example *:storage=1G");
}

TEST(a_gap_in_numbers_has_a_warning)
{
	check_finds("sieve_before = /a\nsieve_before3 = /c\n",
		"2: warning: sieve_before3: there is no sieve_before2; "
		"Doorstep "
		"goes on behind the gap, Dovecot stops there");
	check_finds("sieve_after2 = /b\n",
		"1: warning: sieve_after2: there is no sieve_after; Doorstep "
		"goes on behind the gap, Dovecot stops there");
	check_finds("quota_rule = *:ignore\nquota2_rule = *:ignore\n"
		    "quota2_rule2 = *:ignore\n"
		    "quota = count\nquota2 = count\n",
		"");
}

TEST(a_variable_that_is_none_is_an_error)
{
	struct loaded loaded = load_as("\nmail_home = /srv/%{usr}\n",
		CONF_PROTOCOL_LDA, true, NULL, 0);

	CHECK(says(problem(&loaded, 0),
		"2: error: mail_home: found \"/srv/%{usr}\": "));
	CHECK(says(problem(&loaded, 0), "unknown variable %{usr}"));
	unload(&loaded);
	loaded = load_as("sieve_before2 = /%x\nsieve_before = /%u\n",
		CONF_PROTOCOL_LDA, true, NULL, 0);
	CHECK(says(problem(&loaded, 0), "1: error: sieve_before2: found"));
	unload(&loaded);
	check_finds("mail_location = maildir:/srv/%{user | domain}/%Ln\n", "");
}

TEST(a_location_of_another_kind_is_an_error)
{
	check_finds("mail_location = mbox:~/mail:INBOX=/var/mail/%u\n", "");
	check_finds("mail_location = mdbox:~/mail\n",
		"1: error: mail_location: found \"mdbox:~/mail\", expected "
		"maildir:PATH or mbox:PATH");
	check_finds("namespace a {\n  inbox = yes\n  location = sdbox:~/x\n}\n",
		"1: error: location: found \"sdbox:~/x\", expected "
		"maildir:PATH or mbox:PATH");
}

/* What only a delivery would stumble over is refused at start, not only by who
 * asks for a check. */
TEST(what_fails_each_delivery_is_refused_at_start)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{"\nmail_log_prefix = %{bogus}\n",
			"2: error: mail_log_prefix: found \"%{bogus}\": "
			"unknown variable %{bogus}"},
		{"deliver_log_format = %{bogus}\n",
			"1: error: deliver_log_format: found"},
		{"sieve = %{bogus}\n", "1: error: sieve: found"},
		{"sieve_before2 = /%{bogus}\n",
			"1: error: sieve_before2: found"},
		{"mail_home = /srv/%{hostname}\n",
			"1: error: mail_home: found"},
		{"mail_uid = %p\n", "1: error: mail_uid: found"},
		{"postmaster_address = %h@example.org\n",
			"1: error: postmaster_address: found"},
		{"namespace a {\n  location = maildir:%{x}\n}\n",
			"1: error: location: found"},
		{"mail_location = bogus:\n",
			"1: error: mail_location: found \"bogus:\", expected "
			"maildir:PATH or mbox:PATH"},
		{"mail_location =\n", "1: error: mail_location: found \"\""},
		{"mail_location = maildir:\n",
			"1: error: mail_location: found \"maildir:\""},
		{"mail_driver = mdbox\n",
			"1: error: mail_location: found \"mdbox:~/mail\""},
		{"sendmail_path =\n",
			"1: error: sendmail_path: found \"\", expected a "
			"program"},
		{"sendmail_path = sendmail -i\n",
			"1: error: sendmail_path: found \"sendmail -i\""},
		{"sieve_redirect_envelope_from = amy\n",
			"1: error: sieve_redirect_envelope_from: found"},
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct loaded loaded = load(cases[i].text);

		CHECK(loaded.settings == NULL);
		if (!CHECK(says(problem(&loaded, 0), cases[i].part)))
			printf("# %s\n", problem(&loaded, 0));
		CHECK_STR(problem(&loaded, 1), "");
		unload(&loaded);
	}
}

TEST(a_group_of_backends_that_cannot_work_hinders_a_start)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{"proxy_group a {\n}\n",
			"1: error: proxy_group a: has no backend with a "
			"weight"},
		{"proxy_group a {\n  backend b {\n    weight = 0\n  }\n}\n",
			"1: error: proxy_group a: has no backend with a "
			"weight"},
		{"proxy_group a/b {\n  backend b {\n  }\n}\n",
			"1: error: proxy_group: found \"a/b\", expected a "
			"name of letters, digits, - and _"},
		{"proxy_group a {\n  backend b:0 {\n  }\n}\n",
			"2: error: backend: found \"b:0\", expected HOST, "
			"HOST:PORT or [IPv6]:PORT"},
		{"proxy_group a {\n  backend [b]:24 {\n  }\n}\n",
			"2: error: backend: found \"[b]:24\""},
		{"proxy_group a {\n  backend ::1 {\n  }\n"
		 "  backend [::1] {\n  }\n}\n",
			"4: error: backend [::1]: is in proxy_group a "
			"already"},
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct loaded loaded = load(cases[i].text);

		CHECK(loaded.settings == NULL);
		if (!CHECK(says(problem(&loaded, 0), cases[i].part)))
			printf("# %s\n", problem(&loaded, 0));
		CHECK_STR(problem(&loaded, 1), "");
		unload(&loaded);
	}
}

/* Blocks of one name are one block. */
TEST(a_group_may_be_told_in_parts)
{
	struct loaded loaded = load_good(
		"proxy_group a {\n  backend b:24 {\n  }\n}\n"
		"proxy_group A {\n  shared_storage = yes\n  backend B:24 {\n"
		"    weight = 7\n  }\n  backend 192.0.2.1 {\n  }\n}\n");
	const struct settings *settings = loaded.settings;

	REQUIRE(settings->proxy_group_count == 1);
	CHECK(settings->proxy_groups[0].shared_storage);
	REQUIRE(settings->proxy_groups[0].backend_count == 2);
	CHECK_UINT(settings->proxy_groups[0].backends[0].weight, 7);
	CHECK_UINT(settings->proxy_groups[0].backends[1].weight, 100);
	unload(&loaded);
}

/* Nothing reads it in the program that starts. */
TEST(a_wrong_value_of_another_protocol_does_not_hinder_a_start)
{
	struct loaded loaded = load_good(
		"protocol lmtp {\n  mail_location = mbox:~/mail\n}\n");

	unload(&loaded);
}

/* What seems to work and does nothing is worse than what is refused. */
TEST(what_nothing_reads_yet_has_a_warning)
{
	static const struct {
		const char *text, *warning;
	} cases[] = {
		{"lock_method = flock\n",
			"1: warning: lock_method: has no effect in this "
			"release"},
		{"quota = count\nquota_warning = storage=95%% x\n", ""},
		{"quota = count\nquota_rule = *:storage=1G\n", ""},
		{"service lmtp {\n  process_limit = 3\n}\n", ""},
		{"service lmtp {\n  user = amy\n}\n",
			"1: warning: lmtp: user has no effect in this release: "
			"where all mail is one user's, set mail_uid to that "
			"user, or start the server as that user"},
		{"service lmtp {\n  group = amy\n}\n",
			"1: warning: lmtp: group has no effect in this "
			"release: where all mail is one group's, set "
			"mail_gid"},
		{"sieve_before = /a\nmail_fsync = always\n", ""},
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct loaded loaded = load_as(
			cases[i].text, CONF_PROTOCOL_LDA, true, NULL, 0);

		CHECK_STR(problem(&loaded, 0), cases[i].warning);
		CHECK_STR(problem(&loaded, 1), "");
		unload(&loaded);
	}
}

#define LISTENER "service lmtp {\n  inet_listener x {\n"
#define END "  }\n}\n"

TEST(a_listener_that_others_can_reach_is_warned_of)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{LISTENER "    port = 24\n" END,
			"2: warning: inet_listener x listens on all addresses, "
			"but lmtp_allowed_networks has its default"},
		{LISTENER "    port = 24\n    address = ::1 192.0.2.7\n" END,
			"2: warning: inet_listener x listens on 192.0.2.7"},
		{"lmtp_allowed_networks = ::1 0.0.0.0/0\n" LISTENER
		 "    port = 24\n    address = ::\n" END,
			"lets everybody in"},
	};
	static const char *const quiet[] = {LISTENER
		"    port = 24\n    address = 127.0.0.2 ::1\n" END,
		LISTENER "    port = 0\n" END,
		"lmtp_allowed_networks = 192.0.2.0/24\n" LISTENER
		"    port = 24\n" END};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct loaded loaded = load_as(
			cases[i].text, CONF_PROTOCOL_LMTP, true, NULL, 0);

		if (!CHECK(says(problem(&loaded, 0), cases[i].part)))
			printf("# %s\n", problem(&loaded, 0));
		CHECK_STR(problem(&loaded, 1), "");
		unload(&loaded);
	}
	for (i = 0; i < ARRAY_LENGTH(quiet); i++) {
		struct loaded loaded =
			load_as(quiet[i], CONF_PROTOCOL_LMTP, true, NULL, 0);

		CHECK_STR(problem(&loaded, 0), "");
		unload(&loaded);
	}
}

TEST(a_list_that_is_none_is_an_error)
{
	static const struct {
		const char *text, *found;
	} cases[] = {
		{"sieve_extlists_list = friends\n", "no name in \"friends\""},
		{"sieve_extlists_list = tag:x,2026:y lmdb:x\n",
			"lmdb:x in \"tag:x,2026:y lmdb:x\""},
		{"sieve_extlists_list = tag:x,2026:y file:\n",
			"file: in \"tag:x,2026:y file:\""},
		{"sieve_extlists_list = tag:x,2026:y max_lookup_size=big\n",
			"max_lookup_size=big in "
			"\"tag:x,2026:y max_lookup_size=big\""},
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct loaded loaded = load_as(
			cases[i].text, CONF_PROTOCOL_LDA, false, NULL, 0);

		CHECK_STR(problem(&loaded, 0),
			arena_format(loaded.arena,
				"1: error: sieve_extlists_list: found %s, "
				"expected NAME max_lookup_size=SIZE file:PATH, "
				"where NAME is a URI such as "
				"tag:example.org,2026:friends",
				cases[i].found));
		unload(&loaded);
	}
}

TEST(a_list_of_a_data_base_is_an_error_that_says_what_to_do)
{
	struct loaded loaded =
		load_as("sieve_extlists_list = tag:x,2026:y redis:host=::1\n",
			CONF_PROTOCOL_LDA, false, NULL, 0);

	CHECK_STR(problem(&loaded, 0),
		"1: error: sieve_extlists_list: found redis:host=::1, but a "
		"delivery connects to no data base: write the list into a "
		"file (file:, lines:, hash:, btree:, cdb:, texthash:)");
	unload(&loaded);
}

TEST(a_converter_has_two_types_and_a_name)
{
	static const char *const cases[] = {"image/tiff image/jpeg",
		"image/tiff jpeg convert", "tiff image/jpeg convert",
		"image/tiff image/jpeg /usr/bin/convert",
		"image/tiff image/jpeg .convert",
		"image/tiff image/jpeg convert %u"};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct arena *arena = arena_open();
		struct loaded loaded = load_as(
			arena_format(arena, "sieve_convert = %s\n", cases[i]),
			CONF_PROTOCOL_LDA, false, NULL, 0);

		CHECK_STR(problem(&loaded, 0),
			arena_format(arena,
				"1: error: sieve_convert: found \"%s\", "
				"expected FROM TO PROGRAM, as in image/tiff "
				"image/jpeg tiff2jpeg",
				cases[i]));
		unload(&loaded);
		arena_close(&arena);
	}
}

TEST(lists_that_are_good_are_no_error)
{
	struct loaded loaded = load_as(
		"sieve_extlists_list = tag:x,2026:y file:~/a file\n"
		"sieve_extlists_list2 = tag:x,2026:z max_lookup_size=2k "
		"lines:%h/x\n"
		"sieve_extlists_list3 = :addrbook:default\n"
		"sieve_extlists_list4 = tag:x,2026:a hash:/etc/postfix/a\n"
		"sieve_extlists_list5 = tag:x,2026:b btree:/etc/postfix/b\n"
		"sieve_extlists_list6 = tag:x,2026:c cdb:~/c\n"
		"sieve_extlists_list7 = tag:x,2026:d texthash:~/d\n",
		CONF_PROTOCOL_LDA, true, NULL, 0);

	CHECK_STR(problem(&loaded, 0), "");
	unload(&loaded);
}

TEST(a_log_file_that_cannot_be_has_a_warning)
{
	const char *folder = test_folder();
	struct loaded loaded;
	char text[4096];

	snprintf(text, sizeof(text), "\nlog_path = %s/missing/log\n", folder);
	loaded = load_as(text, CONF_PROTOCOL_LDA, true, NULL, 0);
	CHECK_STR(problem(&loaded, 0),
		arena_format(loaded.arena,
			"2: warning: log_path: cannot write to %s/missing: No "
			"such file or directory; lines would go to syslog",
			folder));
	CHECK(loaded.settings != NULL);
	unload(&loaded);
	/* Nobody can write to a folder as if it were a file. */
	snprintf(text, sizeof(text), "info_log_path = %s\n", folder);
	loaded = load_as(text, CONF_PROTOCOL_LDA, true, NULL, 0);
	CHECK_STR(problem(&loaded, 0),
		arena_format(loaded.arena,
			"1: warning: info_log_path: cannot write to %s: Is a "
			"directory; lines would go to syslog",
			folder));
	unload(&loaded);
	test_file("old.log", "");
	snprintf(text, sizeof(text),
		"log_path = %s/new.log\ninfo_log_path = %s/old.log\n"
		"debug_log_path = /dev/stderr\n",
		folder, folder);
	check_finds(text, "");
}

TEST(a_log_folder_of_others_has_a_warning)
{
	struct loaded loaded = {
		.arena = arena_open(), .report = {.is_thorough = true}};
	const char *const option =
		arena_format(loaded.arena, "log_path=%s/a/log", test_folder());
	const struct conf_source source = {.only_defaults = true,
		.overrides = &option,
		.override_count = 1};

	test_file("a/x", "");
	REQUIRE(chmod(test_path("a"), 0500) == 0);
	/* Root writes everywhere. */
	if (geteuid() == 0)
		REQUIRE(seteuid(65534) == 0);
	CHECK(conf_load(loaded.arena, &source, &loaded.settings,
		      &loaded.report) == 0);
	if (getuid() == 0)
		REQUIRE(seteuid(0) == 0);
	CHECK_STR(problem(&loaded, 0),
		arena_format(loaded.arena,
			"0: warning: log_path: cannot write to %s: Permission "
			"denied; lines would go to syslog",
			test_path("a")));
	unload(&loaded);
}

TEST(one_namespace_has_the_inbox)
{
	check_finds("namespace a {\n}\n",
		"1: warning: no namespace has inbox = yes");
	check_finds("namespace a {\n  inbox = yes\n}\n"
		    "namespace b {\n  prefix = b.\n  inbox = yes\n}\n",
		"4: error: namespace b: inbox = yes stands in namespace a, "
		"too");
}

TEST(a_driver_that_is_none_is_an_error)
{
	check_finds("userdb {\n  driver = sql\n}\n",
		"1: error: userdb: found driver \"sql\", expected passwd-file, "
		"static or passwd");
}

TEST(a_redirect_sender_is_a_word_or_an_address_in_brackets)
{
	check_finds("sieve_redirect_envelope_from = \"<a@example.org>\"\n", "");
	check_finds("sieve_redirect_envelope_from = a@example.org\n",
		"1: error: sieve_redirect_envelope_from: found "
		"\"a@example.org\", expected sender, recipient, "
		"orig_recipient, user_email, postmaster or \"<ADDRESS>\"");
}

TEST(patterns_for_scanners_are_tried)
{
	check_finds("sieve_spamtest_status_header = X-Spam: ([0-9.]+)\n"
		    "sieve_virustest_status_header = X-Virus\n",
		"");
	check_finds("sieve_spamtest_status_header = X-Spam: (\\d+)\n",
		"1: error: sieve_spamtest_status_header: found \"X-Spam: "
		"(\\d+)\": regular expression: character 2: \\d has no meaning "
		"in an extended regular expression: write [0-9]");
	check_finds("sieve_virustest_score_max_header = X: [a\n",
		"1: error: sieve_virustest_max_header: found \"X: [a\": "
		"regular "
		"expression: character 1: \"[\" is not closed by \"]\"");
}
