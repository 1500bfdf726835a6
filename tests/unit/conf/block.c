/* SPDX-License-Identifier: MIT */
#include "tests/unit/conf/helper.h"

#include "base/banned.h"

TEST(userdbs_are_kept_in_the_order_they_stand)
{
	struct loaded loaded = load_good("userdb {\n  driver = passwd-file\n"
					 "  args = /etc/users\n}\n"
					 "userdb {\n  driver = passwd\n"
					 "  default_fields = home=/srv/%u\n"
					 "  result_failure = return-fail\n"
					 "}\n");
	const struct settings *settings = loaded.settings;

	REQUIRE(settings->userdb_count == 2);
	CHECK_STR(settings->userdbs[0].driver, "passwd-file");
	CHECK_STR(settings->userdbs[0].args, "/etc/users");
	CHECK_UINT(settings->userdbs[0].place.line, 1);
	CHECK_STR(settings->userdbs[1].default_fields, "home=/srv/%u");
	CHECK_INT(settings->userdbs[1].result_failure, CONF_RESULT_RETURN_FAIL);
	CHECK_UINT(settings->userdbs[1].place.line, 5);
	unload(&loaded);
}

TEST(a_userdb_of_2_4_is_named_after_its_driver)
{
	struct loaded loaded =
		load_good("userdb passwd-file {\n"
			  "  passwd_file_path = /etc/users\n"
			  "  fields {\n    home:default = /srv/%{user}\n"
			  "    uid = vmail\n  }\n}\n"
			  "userdb static {\n  static_allow_all_users = yes\n"
			  "  fields {\n    uid = vmail\n    home = "
			  "/srv/%{user}\n  }\n}\n");
	const struct settings *settings = loaded.settings;

	REQUIRE(settings->userdb_count == 2);
	CHECK_STR(settings->userdbs[0].driver, "passwd-file");
	CHECK_STR(settings->userdbs[0].args, "/etc/users");
	CHECK_STR(settings->userdbs[0].default_fields, "home=/srv/%{user}");
	CHECK_STR(settings->userdbs[0].override_fields, "uid=vmail");
	CHECK_STR(settings->userdbs[1].driver, "static");
	CHECK_STR(settings->userdbs[1].args,
		"allow_all_users=yes uid=vmail home=/srv/%{user}");
	unload(&loaded);
}

TEST(a_userdb_of_2_4_takes_the_names_that_args_has)
{
	struct loaded loaded = load_good(
		"userdb static {\n  fields {\n    uid = vmail\n"
		"    home = /srv/%{user | username}\n  }\n"
		"  allow_all_users = yes\n}\n"
		"userdb passwd-file {\n  passwd_file_path = /old users\n"
		"  auth_username_format = %{user | lower}\n"
		"  passwd_file_path = /etc/my users\n}\n"
		"userdb static {\n  userdb_static_allow_all_users = n\n}\n");
	const struct settings *settings = loaded.settings;

	REQUIRE(settings->userdb_count == 3);
	CHECK_STR(settings->userdbs[0].args,
		"uid=vmail home=/srv/%{user\\ |\\ username} "
		"allow_all_users=yes");
	CHECK_STR(settings->userdbs[1].args,
		"username_format=%{user\\ |\\ lower} /etc/my users");
	CHECK_STR(settings->userdbs[2].args, "allow_all_users=no");
	unload(&loaded);
	check_error("userdb static {\n  allow_all_users = perhaps\n}\n",
		"2: error: allow_all_users: found \"perhaps\", expected yes "
		"or no");
}

TEST(a_userdb_without_driver_is_an_error)
{
	check_error("\nuserdb {\n  args = x\n}\n",
		"2: error: userdb: driver is missing");
}

TEST(a_wrong_key_in_a_block_is_an_error)
{
	check_error("userdb {\n  driver = passwd\n  arg = x\n}\n",
		"3: error: arg: there is no setting of that name; is args "
		"meant?");
	check_error("service lmtp {\n  unix_listener lmtp {\n"
		    "    mode = rw\n  }\n}\n",
		"3: error: mode: found \"rw\", expected octal permissions such "
		"as 0660");
	check_error("namespace inbox {\n  mail_path = /x\n}\n",
		"2: error: mail_path: not in a namespace; expected location = "
		"...");
}

TEST(namespaces_of_one_name_are_one)
{
	struct loaded loaded = load_good(
		"namespace inbox {\n  inbox = yes\n  separator = /\n"
		"  mailbox Trash {\n    special_use = \\Trash\n  }\n}\n"
		"namespace inbox {\n  prefix = \"INBOX/\"\n"
		"  mailbox Trash {\n    auto = create\n  }\n"
		"  mailbox \"Sent Mail\" {\n    mailbox_auto = subscribe\n"
		"  }\n}\n");
	const struct conf_namespace *space;

	REQUIRE(loaded.settings->namespace_count == 1);
	space = &loaded.settings->namespaces[0];
	CHECK_STR(space->name, "inbox");
	CHECK_STR(space->prefix, "INBOX/");
	CHECK_INT(space->separator, '/');
	CHECK(space->inbox);
	REQUIRE(space->mailbox_count == 2);
	CHECK_STR(space->mailboxes[0].name, "Trash");
	CHECK_STR(space->mailboxes[0].special_use.items[0], "\\Trash");
	CHECK_INT(space->mailboxes[0].mailbox_auto, CONF_MAILBOX_AUTO_CREATE);
	CHECK_STR(space->mailboxes[1].name, "Sent Mail");
	CHECK_INT(
		space->mailboxes[1].mailbox_auto, CONF_MAILBOX_AUTO_SUBSCRIBE);
	unload(&loaded);
}

TEST(mailboxes_may_stand_outside_of_a_namespace)
{
	struct loaded loaded =
		load_good("mailbox Junk {\n  special_use = \\Junk\n}\n"
			  "mailbox \"Old mail\" {\n  auto = create\n"
			  "  mailbox_special_use = \\Archive \\All\n"
			  "  autoexpunge = 30d\n}\n"
			  "mailbox Junk {\n  auto = subscribe\n}\n");
	const struct settings *settings = loaded.settings;

	REQUIRE(settings->mailbox_count == 2);
	CHECK_INT(settings->namespace_count, 0);
	CHECK_STR(settings->mailboxes[0].name, "Junk");
	CHECK_STR(settings->mailboxes[0].special_use.items[0], "\\Junk");
	CHECK_INT(settings->mailboxes[0].mailbox_auto,
		CONF_MAILBOX_AUTO_SUBSCRIBE);
	CHECK_STR(settings->mailboxes[1].name, "Old mail");
	CHECK_INT(settings->mailboxes[1].special_use.count, 2);
	unload(&loaded);
	check_error("mailbox Junk {\n  auto = yes\n}\n",
		"2: error: auto: found \"yes\", expected no, create or "
		"subscribe");
}

TEST(a_service_has_listeners)
{
	struct loaded loaded = load_good(
		"service lmtp {\n  process_limit = 64\n  client_limit = 1\n"
		"  unix_listener /var/spool/postfix/lmtp {\n"
		"    mode = 0660\n    user = postfix\n  }\n"
		"  inet_listener lmtp {\n    port = 24\n"
		"    address = 127.0.0.1 ::1\n    ssl = starttls\n  }\n}\n"
		"service imap-login {\n  process_limit = lots\n"
		"  inet_listener imap {\n    port = 143\n  }\n}\n");
	const struct conf_service *service;

	REQUIRE(loaded.settings->service_count == 1);
	service = &loaded.settings->services[0];
	CHECK_UINT(service->process_limit, 64);
	REQUIRE(service->listener_count == 2);
	CHECK_STR(service->listeners[0].name, "/var/spool/postfix/lmtp");
	CHECK(!service->listeners[0].is_inet);
	CHECK_UINT(service->listeners[0].mode, 0660);
	CHECK_STR(service->listeners[0].user, "postfix");
	CHECK(service->listeners[1].is_inet);
	CHECK_UINT(service->listeners[1].port, 24);
	CHECK_UINT(service->listeners[1].address.count, 2);
	CHECK_INT(service->listeners[1].ssl, CONF_LISTENER_STARTTLS);
	unload(&loaded);
}

TEST(scripts_of_2_4_become_their_settings)
{
	struct loaded loaded = load_good(
		"sieve_script personal {\n  path = ~/s\n"
		"  active_path = ~/.active\n}\n"
		"sieve_script spam {\n  type = before\n  path = /spam\n}\n"
		"sieve_script virus {\n  sieve_script_type = before\n"
		"  sieve_script_path = /virus\n}\n"
		"sieve_script d {\n  type = default\n  path = /d\n"
		"  name = standard\n}\n");
	const struct settings *settings = loaded.settings;

	CHECK_STR(settings->sieve, "file:~/s;active=~/.active");
	REQUIRE(settings->sieve_before.count == 2);
	CHECK_STR(settings->sieve_before.items[0].value, "/spam");
	CHECK_STR(settings->sieve_before.items[1].value, "/virus");
	CHECK_STR(settings->sieve_default, "/d");
	CHECK_STR(settings->sieve_default_name, "standard");
	unload(&loaded);
	check_error("sieve_script x {\n  type = between\n  path = /x\n}\n",
		"1: error: sieve_script: found type \"between\", expected "
		"personal, before, after, default, global or discard");
	check_error("sieve_script x {\n  type = after\n}\n",
		"1: error: sieve_script: path is missing");
}

TEST(a_list_block_of_2_4_becomes_its_setting)
{
	struct loaded loaded = load_good(
		"plugin {\n  sieve_extlists_list = tag:x,2026:y lines:/y\n}\n"
		"sieve_extlists_list friends {\n"
		"  name = tag:example.org,2026:friends\n"
		"  max_lookup_size = 2k\n"
		"  dict file {\n    path = ~/my friends\n  }\n}\n"
		"sieve_extlists_list urn:ietf:params:sieve:addrbook:default {\n"
		"  dict lines {\n    dict_path = /book\n  }\n}\n"
		"sieve_extlists_list empty {\n"
		"  sieve_extlists_list_name = tag:x,2026:none\n}\n");
	const struct conf_family *lists = &loaded.settings->sieve_extlists_list;

	REQUIRE(lists->count == 4);
	CHECK_STR(lists->items[0].value, "tag:x,2026:y lines:/y");
	CHECK_STR(lists->items[1].value,
		"tag:example.org,2026:friends max_lookup_size=2k "
		"file:~/my friends");
	CHECK_STR(lists->items[2].value,
		"urn:ietf:params:sieve:addrbook:default lines:/book");
	CHECK_STR(lists->items[3].value, "tag:x,2026:none");
	unload(&loaded);
	check_error("sieve_extlists_list x {\n  name = tag:x,2026:y\n"
		    "  dict redis {\n    path = /x\n  }\n}\n",
		"3: error: dict redis: expected `dict file { path = PATH }`; "
		"other drivers of lists are lines, hash, btree, cdb and "
		"texthash");
	check_error(
		"sieve_extlists_list tag:x,2026:z {\n  nam = tag:x,2026:y\n}\n",
		"2: error: nam: there is no setting of that name; is name "
		"meant?");
}

TEST(header_blocks_of_2_4_become_lists_of_names)
{
	struct loaded loaded = load_good(
		"sieve_editheader_header X-A {\n  forbid_add = yes\n}\n"
		"plugin {\nsieve_editheader_header X-B {\n"
		"  sieve_editheader_header_forbid_add = Yes\n"
		"  forbid_delete = yes\n}\n}\n"
		"sieve_editheader_header X-C {\n  forbid_add = no\n}\n");

	CHECK_STR(loaded.settings->sieve_editheader_forbid_add, "X-A X-B");
	CHECK_STR(loaded.settings->sieve_editheader_forbid_delete, "X-B");
	unload(&loaded);
	check_error("sieve_editheader_header X {\n  forbid_add = maybe\n}\n",
		"1: error: sieve_editheader_header: found forbid_add "
		"\"maybe\", expected yes or no");
	check_error("sieve_editheader_header X {\n  forbid_ad = yes\n}\n",
		"2: error: forbid_ad: there is no setting of that name; is "
		"forbid_add meant?");
}

TEST(a_quota_block_of_2_4_may_change_its_limits)
{
	struct loaded loaded = load_good("quota A {\n"
					 "  storage_size = 1000B\n"
					 "  storage_percentage = 150\n"
					 "  storage_extra = 20B\n"
					 "  storage_grace = 3K\n"
					 "  message_count = 10\n"
					 "  message_percentage = 50\n"
					 "  enforce = no\n"
					 "  hidden = yes\n}\n"
					 "quota B {\n"
					 "  storage_size = unlimited\n"
					 "  storage_grace = 0\n}\n"
					 "quota C {\n  ignore = yes\n}\n"
					 "quota D {\n"
					 "  ignore_unlimited = yes\n}\n");
	const struct settings *settings = loaded.settings;
	const struct conf_numbered *rules = settings->quota_rule.items;

	REQUIRE(settings->quota.count == 3);
	CHECK_STR(settings->quota.items[0].value, "count:A:noenforcing:hidden");
	CHECK_STR(settings->quota.items[1].value, "count:B");
	CHECK_STR(settings->quota.items[2].value, "count:D:ignoreunlimited");
	REQUIRE(settings->quota_rule.count == 5);
	CHECK_STR(rules[0].value, "*:storage=1000B");
	CHECK_STR(rules[1].value, "*:messages=10");
	CHECK_STR(rules[2].value, "*:storage=150%%");
	CHECK_STR(rules[3].value, "*:messages=50%%");
	CHECK_STR(rules[4].value, "*:storage=+20B");
	REQUIRE(settings->quota_grace.count == 3);
	CHECK_STR(settings->quota_grace.items[0].value, "3072B");
	CHECK_STR(settings->quota_grace.items[1].value, "0B");
	CHECK_STR(settings->quota_grace.items[2].value, "10M");
	unload(&loaded);
}

TEST(a_quota_block_of_2_4_may_have_its_count_in_a_dictionary)
{
	struct loaded loaded = load_good("quota A {\n  driver = dict\n"
					 "  enforce = no\n}\n"
					 "quota B {\n  driver = dict\n"
					 "  dict redis {\n"
					 "    redis_host = 10.0.0.1\n"
					 "    redis_port = 7\n"
					 "    redis_key_prefix = q/\n"
					 "  }\n}\n");
	const struct settings *settings = loaded.settings;

	CHECK_STR(settings->quota.items[0].value, "dict:A::noenforcing");
	CHECK_STR(settings->quota.items[1].value,
		"dict:B::redis:host=10.0.0.1:port=7:prefix=q/");
	unload(&loaded);
}

TEST(another_dictionary_in_a_quota_block_is_an_error)
{
	check_error("quota A {\n  driver = dict\n  dict file {\n"
		    "    path = /x\n  }\n}\n",
		"3: error: dict file: expected `dict redis { redis_host "
		"= ADDRESS }`");
}

TEST(a_wrong_number_in_a_quota_block_is_an_error)
{
	check_error("quota A {\n  storage_grace = much\n}\n",
		"1: error: storage_grace: found \"much\", expected a size such "
		"as 1G");
	check_error("quota A {\n  message_count = few\n}\n",
		"1: error: message_count: found \"few\", expected a number");
}

TEST(a_quota_block_of_2_4_becomes_a_root_and_a_rule)
{
	struct loaded loaded = load_good("quota \"User quota\" {\n"
					 "  driver = maildir\n"
					 "  storage_size = 1G\n"
					 "  message_count = 1000\n}\n"
					 "quota Other {\n"
					 "  quota_storage_size = 2k\n}\n");
	const struct settings *settings = loaded.settings;

	REQUIRE(settings->quota.count == 2);
	CHECK_STR(settings->quota.items[0].value, "maildir:User quota");
	CHECK_STR(settings->quota.items[1].value, "count:Other");
	REQUIRE(settings->quota_rule.count == 3);
	CHECK_STR(settings->quota_rule.items[0].value, "*:storage=1073741824B");
	CHECK_STR(settings->quota_rule.items[1].value, "*:messages=1000");
	CHECK_UINT(settings->quota_rule.items[2].root, 2);
	CHECK_STR(settings->quota_rule.items[2].value, "*:storage=2048B");
	unload(&loaded);
}

static const char two_roots[] = "quota_storage_size = 1M\n"
				"quota_storage_grace = 3M\n"
				"quota A {\n  storage_size = 2M\n"
				"  storage_extra = 1K\n}\n"
				"quota B {\n  storage_grace = 4M\n}\n";

TEST(limits_of_2_4_outside_of_a_block_are_for_all_roots_that_say_nothing)
{
	struct loaded loaded = load_good(two_roots);
	const struct conf_numbered *rules = loaded.settings->quota_rule.items;
	const struct conf_numbered *grace = loaded.settings->quota_grace.items;

	REQUIRE(loaded.settings->quota_rule.count == 3);
	CHECK_STR(rules[0].value, "*:storage=2097152B");
	CHECK_STR(rules[1].value, "*:storage=+1024B");
	CHECK_UINT(rules[2].root, 2);
	CHECK_STR(rules[2].value, "*:storage=1048576B");
	CHECK_STR(grace[0].value, "3145728B");
	CHECK_STR(grace[1].value, "4194304B");
	unload(&loaded);
}

TEST(a_users_record_says_limits_of_2_4_for_all_roots)
{
	struct loaded loaded = load_good(two_roots);
	const struct conf_pair pairs[] = {
		{STR("quota_storage_size"), STR("5M")},
		{STR("quota_storage_percentage"), STR("50")},
		{STR("quota_message_count"), STR("7")}};
	const struct conf_numbered *rules;
	const struct settings *user;
	struct err err;

	REQUIRE(conf_override(loaded.arena, loaded.settings, pairs, 3,
			"user amy", &user, &err) == 0);
	rules = user->quota_rule.items;
	REQUIRE(user->quota_rule.count == 7);
	CHECK_STR(rules[0].value, "*:storage=5242880B");
	CHECK_STR(rules[1].value, "*:messages=7");
	CHECK_STR(rules[2].value, "*:storage=50%%");
	CHECK_STR(rules[3].value, "*:storage=+1024B");
	CHECK_UINT(rules[4].root, 2);
	CHECK_STR(rules[4].value, "*:storage=5242880B");
	unload(&loaded);
}

TEST(warnings_of_a_quota_block_of_2_4_keep_their_order)
{
	struct loaded loaded = load_good(
		"quota A {\n"
		"  warning high {\n    quota_storage_percentage = 95\n"
		"    execute warn {\n      args = 95 %{user}\n    }\n  }\n"
		"  warning low {\n    quota_storage_percentage = 80\n"
		"    threshold = under\n"
		"    execute warn {\n    }\n  }\n"
		"  quota_warning many {\n    resource = message\n"
		"    quota_message_count = 9\n"
		"    execute warn {\n    }\n  }\n"
		"}\n");
	const struct conf_numbered *items =
		loaded.settings->quota_warning.items;

	REQUIRE(loaded.settings->quota_warning.count == 3);
	CHECK_STR(items[0].value, "storage=95%% warn 95 %{user}");
	CHECK_STR(items[1].value, "-storage=80%% warn ");
	CHECK_STR(items[2].value, "messages=9 warn ");
	unload(&loaded);
	check_error("quota A {\n  warning x {\n"
		    "    quota_storage_percentage = 9\n  }\n}\n",
		"2: error: warning x: expected quota_storage_percentage or the "
		"like and `execute PROGRAM { args = ... }`");
}

TEST(a_block_of_another_protocol_leaves_nothing)
{
	struct loaded loaded = load_good(
		"protocol lmtp {\n  userdb {\n    driver = passwd\n  }\n"
		"  namespace x {\n  }\n"
		"  quota x {\n    storage_size = 1G\n  }\n"
		"  sieve_script a {\n    type = before\n    path = /a\n  }\n"
		"  sieve_script b {\n    path = ~/b\n  }\n"
		"  protocols {\n    pop3 = yes\n  }\n}\n");
	const struct settings *settings = loaded.settings;

	CHECK_UINT(settings->userdb_count, 0);
	CHECK_UINT(settings->namespace_count, 0);
	CHECK_UINT(settings->quota.count, 0);
	CHECK_UINT(settings->sieve_before.count, 0);
	CHECK_STR(settings->sieve, "file:~/sieve;active=~/.dovecot.sieve");
	CHECK_STR(settings->protocols.items[0], "lmtp");
	unload(&loaded);
}

TEST(foreign_blocks_are_passed_over_with_all_that_is_in_them)
{
	struct loaded loaded = load_good(
		"passdb {\n  driver = pam\n  args = x\n}\n"
		"remote 10.0.0.0/8 {\n  hostname = x\n  nested {\n    a = b\n"
		"  }\n}\n"
		"dict {\n  expire = sqlite:/x\n}\n");

	CHECK_STR(loaded.settings->hostname, "");
	CHECK_UINT(loaded.settings->userdb_count, 0);
	unload(&loaded);
}

TEST(an_unknown_block_is_an_error)
{
	check_error("usrdb {\n  driver = passwd\n}\n",
		"1: error: usrdb { }: there is no such block here; is userdb "
		"meant?");
	check_error("unix_listener x {\n  mode = 0600\n}\n",
		"1: error: unix_listener { }: there is no such block here");
}

TEST(a_slip_in_the_name_of_a_protocol_is_an_error)
{
	struct loaded loaded = load_good("protocol imap {\n}\n"
					 "protocol pop3 {\n}\n"
					 "protocol sieve {\n}\n"
					 "protocol submission {\n}\n");

	unload(&loaded);
	check_error("protocol ldap {\n  mail_debug = yes\n}\n",
		"1: error: protocol ldap { }: there is no protocol of that "
		"name; is lda meant?");
	check_error("protocol ltmp {\n}\n",
		"1: error: protocol ltmp { }: there is no protocol of that "
		"name; is lmtp meant?");
}

/* Without this the script would be the user's own. */
TEST(a_slip_in_a_block_of_2_4_is_an_error)
{
	struct loaded loaded;

	check_error("sieve_script x {\n  typ = before\n  path = /x\n}\n",
		"2: error: typ: there is no setting of that name; is type "
		"meant?");
	check_error("quota x {\n  driver = maildir\n"
		    "  quota_storage_sise = 1G\n}\n",
		"3: error: quota_storage_sise: there is no setting of that "
		"name; is storage_size meant?");
	loaded = load_as("sieve_script x {\n  bin_path = /x\n}\n",
		CONF_PROTOCOL_LDA, true, NULL, 0);
	CHECK_STR(problem(&loaded, 0),
		"2: warning: bin_path: does not concern Doorstep and is "
		"ignored");
	unload(&loaded);
}

TEST(blocks_of_one_kind_are_limited)
{
	struct buf text;
	struct loaded loaded;
	int i;

	buf_init(&text, 1 << 20);
	for (i = 0; i <= CONF_SECTIONS_MAX; i++)
		buf_add_text(&text, "userdb {\ndriver = passwd\n}\n");
	loaded = load(buf_text(&text));
	CHECK_UINT(loaded.report.errors, 1);
	CHECK(says(problem(&loaded, 0), "more than 1000 blocks"));
	unload(&loaded);
	buf_clear(&text);
}

TEST(pairs_of_a_block_are_limited)
{
	struct buf text;
	struct loaded loaded;
	int i;

	buf_init(&text, 1 << 20);
	buf_add_text(&text, "sieve_extensions {\n");
	for (i = 0; i < 65; i++)
		buf_add_format(&text, "x%d = yes\n", i);
	buf_add_text(&text, "}\n");
	loaded = load(buf_text(&text));
	CHECK_UINT(loaded.report.errors, 1);
	CHECK(says(problem(&loaded, 0), "more than 64 settings"));
	unload(&loaded);
	buf_clear(&text);
}
