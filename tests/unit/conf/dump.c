/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include "conf/keys.h"
#include "conf/value.h"
#include "tests/unit/conf/helper.h"

#include "base/banned.h"

static const char *
dump(struct loaded *loaded, bool only_changed)
{
	struct buf out;
	const char *text;

	buf_init(&out, 1 << 20);
	conf_dump(loaded->arena, loaded->settings, only_changed, &out);
	text = arena_text(loaded->arena, buf_view(&out));
	buf_clear(&out);
	return text;
}

static const char odd_values[] =
	"hostname = \"  a # b \"\n"
	"login_greeting = \"'quoted' \\\"and\\\" \\\\\"\n"
	"sieve_user_email = \"$hostname\"\n"
	"sieve_redirect_envelope_from = \"<a@example.org>\"\n"
	"deliver_log_format =\n"
	"log_timestamp = \"%Y \"\n"
	"submission_host = x\\\n"
	"\n"
	"lmtp_hdr_delivery_address = original\n"
	"message_max_size = 10485760\n"
	"submission_timeout = 90\n"
	"lmtp_allowed_networks = 10.0.0.0/8,::1\n"
	"ssl_key = </etc/key.pem\n"
	"ssl_key_password = \"<x\"\n"
	"sieve_before2 = /b\nsieve_before = /a\nquota3_rule2 = *:ignore\n"
	"namespace inbox {\n  inbox = yes\n  separator = \"#\"\n"
	"  prefix = \"INBOX \"\n"
	"  mailbox \"Sent Mail\" {\n    auto = create\n"
	"    special_use = \\Sent \\Drafts\n  }\n}\n"
	"mailbox \"Old mail\" {\n  special_use = \\Archive\n}\n"
	"service lmtp {\n  idle_kill = 2 min\n  unix_listener /a\\ b {\n"
	"    mode = 666\n  }\n  inet_listener lmtp {\n    port = 24\n  }\n"
	"}\n"
	"userdb {\n  driver = passwd-file\n  args = scheme=x /etc/users\n}\n"
	"userdb named {\n  driver = passwd\n}\n";

TEST(the_defaults_have_no_changes_to_show)
{
	struct loaded loaded = load_good("");

	CHECK_STR(dump(&loaded, true), "");
	unload(&loaded);
}

TEST(a_dump_of_the_defaults_names_every_key)
{
	struct loaded loaded = load_good("");
	const char *text = dump(&loaded, false);

	CHECK(says(text, "mail_location = maildir:~/Maildir\n"));
	CHECK(says(text, "log_timestamp = \"%b %d %H:%M:%S \"\n"));
	CHECK(says(text, "deliver_log_format = msgid=%m: %$\n"));
	CHECK(says(text, "hostname =\n"));
	unload(&loaded);
}

TEST(a_dump_that_is_loaded_again_gives_the_same_dump)
{
	static const bool only_changed[] = {false, true};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(only_changed); i++) {
		struct loaded first = load_good(odd_values), second;
		const char *text = dump(&first, only_changed[i]);

		second = load_good(text);
		CHECK_STR(dump(&second, only_changed[i]), text);
		CHECK_STR(second.settings->hostname, "  a # b ");
		CHECK_STR(
			second.settings->login_greeting, "'quoted' \"and\" \\");
		CHECK_STR(second.settings->sieve_user_email, "$hostname");
		CHECK_STR(second.settings->ssl_key.path, "/etc/key.pem");
		CHECK_STR(second.settings->ssl_key_password.text, "<x");
		CHECK_INT(second.settings->namespaces[0].separator, '#');
		unload(&second);
		unload(&first);
	}
}

TEST(a_value_has_one_way_to_be_written)
{
	struct loaded loaded = load_good(odd_values);
	const char *text = dump(&loaded, true);

	CHECK(says(text, "message_max_size = 10M\n"));
	CHECK(says(text, "submission_timeout = 90 secs\n"));
	CHECK(says(text, "lmtp_allowed_networks = 10.0.0.0/8 ::1\n"));
	CHECK(says(text, "sieve_before = /a\nsieve_before2 = /b\n"));
	CHECK(says(text, "quota3_rule2 = *:ignore\n"));
	CHECK(says(text, "  mailbox \"Sent Mail\" {\n"));
	CHECK(says(text, "    mode = 0666\n"));
	CHECK(says(text, "  idle_kill = 2 mins\n"));
	unload(&loaded);
}

TEST(a_protocols_block_has_what_differs)
{
	static const char text[] = "hostname = a\nsieve_before = /x\n"
				   "protocol lda {\n  hostname = b\n"
				   "  sieve_before =\n  sieve_after = /y\n}\n";
	struct loaded base = load_as(text, CONF_PROTOCOL_NONE, false, NULL, 0);
	struct loaded lda = load_as(text, CONF_PROTOCOL_LDA, false, NULL, 0);
	struct buf out;

	REQUIRE(base.settings != NULL && lda.settings != NULL);
	buf_init(&out, 1 << 16);
	conf_dump_protocol(lda.arena, "lda", lda.settings, base.settings, &out);
	CHECK_STR(buf_text(&out), "protocol lda {\n  hostname = b\n"
				  "  sieve_before =\n  sieve_after = /y\n}\n");
	buf_reset(&out);
	conf_dump_protocol(
		lda.arena, "lmtp", base.settings, base.settings, &out);
	CHECK_STR(buf_text(&out), "");
	buf_clear(&out);
	unload(&base);
	unload(&lda);
}

/* ---- what a kind of process is sent ---- */

static const char *
dump_kind(struct loaded *loaded, unsigned kinds)
{
	struct buf out;
	const char *text;

	buf_init(&out, 1 << 20);
	conf_dump_kind(loaded->arena, loaded->settings, kinds, &out);
	text = arena_text(loaded->arena, buf_view(&out));
	buf_clear(&out);
	return text;
}

static struct loaded
load_text(const char *text)
{
	struct loaded loaded = {.arena = arena_open(), .file = ""};
	const struct conf_source source = {.text = str_from(text),
		.only_defaults = true,
		.protocol = CONF_PROTOCOL_LMTP};
	size_t i;

	if (conf_load(loaded.arena, &source, &loaded.settings, &loaded.report) <
		0)
		for (i = 0; i < loaded.report.count; i++)
			printf("# %s\n", conf_problem_text(loaded.arena,
						 &loaded.report.problems[i]));
	REQUIRE(loaded.settings != NULL);
	return loaded;
}

/* A good value that is not the default. */
static const char *
other_value(struct arena *arena, const struct conf_key *key)
{
	static const struct {
		const char *name, *value;
	} special[] = {{"quota", "\"count: $hostname \\\"x\\\" \\\\ # \""},
		{"quota_rule", "\"$hostname # :ignore\""},
		{"quota_grace", "3M"},
		{"quota_warning", "\"storage=5%% $hostname # \""},
		{"mail_location", "maildir:/a  #b/$hostname"},
		{"sendmail_path", "/bin/x  #y"},
		{"sieve_redirect_envelope_from", "\"<a@example.org>\""},
		{"sieve_notify_mailto_envelope_from", "postmaster"},
		{"sieve_report_from", "user_email"},
		{"sieve_notify_mailto_max_recipients", "9"},
		{"sieve_extlists_list", "\"tag:x,2026:y file:/a b/$x # c\""},
		{"sieve_convert", "\"a/b c/$d x#y\""},
		{"last_valid_uid", "60000"}, {"last_valid_gid", "60000"},
		{"location", "maildir:/x"}, {"driver", "static"}};
	bool is_first;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(special); i++)
		if (strcmp(key->name, special[i].name) == 0)
			return special[i].value;
	switch (key->type) {
	case CONF_TYPE_STRING:
	case CONF_TYPE_TEMPLATE:
	case CONF_TYPE_FAMILY:
		return "\" $hostname \\\"x\\\" \\\\ # \"";
	case CONF_TYPE_PATH:
	case CONF_TYPE_LOG_TARGET:
		return "/a b/$x # c";
	case CONF_TYPE_TEXT:
		return "</etc/a b";
	case CONF_TYPE_CHARACTER:
		return "\"#\"";
	case CONF_TYPE_BOOL:
		return strcmp(key->fallback, "yes") == 0 ? "no" : "yes";
	case CONF_TYPE_NUMBER:
		return arena_format(arena, "%llu",
			(unsigned long long)key->bounds.least + 7);
	case CONF_TYPE_SIZE:
		return arena_format(arena, "%lluB",
			(unsigned long long)key->bounds.least + 7);
	case CONF_TYPE_DURATION:
		return arena_format(arena, "%llu msecs",
			(unsigned long long)key->bounds.least + 7);
	case CONF_TYPE_OCTAL:
		return "0641";
	case CONF_TYPE_CHOICE:
	case CONF_TYPE_ENUM:
		is_first = strcmp(key->fallback, key->bounds.words[0]) == 0;
		return key->bounds.words[is_first ? 1 : 0];
	case CONF_TYPE_LIST:
		return key->bounds.words != NULL ? key->bounds.words[0]
		                                 : "one, two";
	case CONF_TYPE_NETWORKS:
		return "10.0.0.0/8, 2001:db8::1";
	}
	return "";
}

static void
add_keys(struct arena *arena, const struct conf_keys *keys, struct buf *out)
{
	size_t i;

	for (i = 0; i < keys->count; i++) {
		const struct conf_key *key = &keys->items[i];
		const char *value = other_value(arena, key);

		/* In a mailbox "auto" is the word. */
		buf_add_format(out, "%s = %s\n",
			strcmp(key->name, "mailbox_auto") == 0 ? "auto"
							       : key->name,
			value);
		if (key->type == CONF_TYPE_FAMILY)
			buf_add_format(out, "%s7 = %s\n", key->name, value);
	}
}

/* A configuration in which nothing has its default. */
static const char *
everything(struct arena *arena)
{
	struct buf out;
	const char *text;

	buf_init(&out, 1 << 20);
	add_keys(arena, &conf_top_keys, &out);
	buf_add_text(&out, "userdb \"a b\" {\n");
	add_keys(arena, &conf_userdb_keys, &out);
	buf_add_text(&out, "}\nnamespace a {\n");
	add_keys(arena, &conf_namespace_keys, &out);
	buf_add_text(&out, "mailbox \"Sent Mail\" {\n");
	add_keys(arena, &conf_mailbox_keys, &out);
	buf_add_text(&out, "}\n}\nservice lmtp {\n");
	add_keys(arena, &conf_service_keys, &out);
	buf_add_text(&out, "inet_listener a {\n");
	add_keys(arena, &conf_listener_keys, &out);
	buf_add_text(&out, "}\nunix_listener \"/a {b\" {\n");
	add_keys(arena, &conf_listener_keys, &out);
	buf_add_text(&out, "}\n}\n");
	text = arena_text(arena, buf_view(&out));
	buf_clear(&out);
	return text;
}

static const char *
field(struct arena *arena, const struct conf_key *key, const void *object)
{
	struct buf out;
	const char *text;

	buf_init(&out, 1 << 20);
	if (key->type == CONF_TYPE_FAMILY) {
		const struct conf_family *family =
			(const struct conf_family *)(const void
					*)((const char *)object + key->offset);
		size_t i;

		for (i = 0; i < family->count; i++)
			buf_add_format(&out, "%u.%u=%s\n",
				family->items[i].root, family->items[i].number,
				family->items[i].value);
	} else {
		conf_value_format(key, object, &out);
	}
	text = arena_text(arena, buf_view(&out));
	buf_clear(&out);
	return text;
}

/* Each key of the kind is as in `given`, each other one as in `defaults`. */
static void
check_keys(struct arena *arena, const struct conf_keys *keys, unsigned kind,
	const void *found, const void *given, const void *defaults)
{
	size_t i;

	for (i = 0; i < keys->count; i++) {
		const struct conf_key *key = &keys->items[i];
		const char *expected = field(arena, key, given);

		if (defaults != NULL) {
			const char *unset = field(arena, key, defaults);

			if ((key->kinds & kind) != 0)
				CHECK(strcmp(expected, unset) != 0);
			else
				expected = unset;
		}
		if (!CHECK_STR(field(arena, key, found), expected))
			printf("# %s, kind %u\n", key->name, kind);
	}
}

/* Lookup knows where the server listens, and not for whom. */
static void
check_ports(const struct settings *found, const struct settings *given)
{
	size_t i;

	REQUIRE(found->service_count == 1);
	REQUIRE(found->services[0].listener_count == 2);
	for (i = 0; i < 2; i++) {
		const struct conf_listener *a =
			&found->services[0].listeners[i];
		const struct conf_listener *b =
			&given->services[0].listeners[i];

		CHECK_UINT(a->port, b->port);
		CHECK_UINT(a->address.count, b->address.count);
		CHECK_UINT(a->peer_users.count, 0);
	}
}

static void
check_blocks(struct loaded *found, struct loaded *given, unsigned kind)
{
	const struct settings *a = found->settings, *b = given->settings;
	struct arena *arena = found->arena;
	size_t i;

	if (kind == CONF_KIND_LOOKUP || kind == CONF_KIND_LDA) {
		REQUIRE(a->userdb_count == b->userdb_count);
		CHECK_STR(a->userdbs[0].name, b->userdbs[0].name);
		check_keys(arena, &conf_userdb_keys, kind, a->userdbs,
			b->userdbs, NULL);
	} else {
		CHECK_UINT(a->userdb_count, 0);
	}
	if (kind == CONF_KIND_WORKER || kind == CONF_KIND_LDA) {
		REQUIRE(a->namespace_count == 1);
		check_keys(arena, &conf_namespace_keys, kind, a->namespaces,
			b->namespaces, NULL);
		REQUIRE(a->namespaces[0].mailbox_count == 1);
		CHECK_STR(a->namespaces[0].mailboxes[0].name, "Sent Mail");
		check_keys(arena, &conf_mailbox_keys, kind,
			a->namespaces[0].mailboxes, b->namespaces[0].mailboxes,
			NULL);
	} else {
		CHECK_UINT(a->namespace_count, 0);
	}
	if (kind == CONF_KIND_LOOKUP) {
		check_ports(a, b);
		return;
	}
	if (kind != CONF_KIND_MASTER) {
		CHECK_UINT(a->service_count, 0);
		return;
	}
	REQUIRE(a->service_count == 1);
	check_keys(arena, &conf_service_keys, kind, a->services, b->services,
		NULL);
	REQUIRE(a->services[0].listener_count == 2);
	for (i = 0; i < 2; i++) {
		CHECK_STR(a->services[0].listeners[i].name,
			b->services[0].listeners[i].name);
		check_keys(arena, &conf_listener_keys, kind,
			&a->services[0].listeners[i],
			&b->services[0].listeners[i], NULL);
	}
}

TEST(a_kind_is_sent_the_values_of_its_keys_and_no_others)
{
	struct arena *arena = arena_open();
	struct loaded given = load_good(everything(arena));
	struct loaded defaults = load_good("");
	unsigned kind;

	for (kind = CONF_KIND_LDA; kind <= CONF_KIND_MASTER; kind *= 2) {
		struct loaded found = load_text(dump_kind(&given, kind));

		check_keys(found.arena, &conf_top_keys, kind, found.settings,
			given.settings, defaults.settings);
		check_blocks(&found, &given, kind);
		unload(&found);
	}
	unload(&defaults);
	unload(&given);
	arena_close(&arena);
}

TEST(no_other_process_than_the_one_that_needs_it_has_a_secret)
{
	struct loaded given = load_good(
		"ssl_key_password = word\n"
		"userdb {\n  driver = static\n  args = password=hidden\n}\n");

	CHECK(says(dump_kind(&given, CONF_KIND_MASTER), "word"));
	CHECK(!says(dump_kind(&given, CONF_KIND_FRONT), "ssl_key"));
	CHECK(!says(dump_kind(&given, CONF_KIND_WORKER), "ssl_key"));
	CHECK(!says(dump_kind(&given, CONF_KIND_LOOKUP), "ssl_key"));
	CHECK(!says(dump_kind(&given, CONF_KIND_STATE), "ssl_key"));
	CHECK(says(dump_kind(&given, CONF_KIND_LOOKUP), "hidden"));
	CHECK(!says(dump_kind(&given, CONF_KIND_WORKER), "hidden"));
	CHECK(!says(dump_kind(&given, CONF_KIND_FRONT), "hidden"));
	unload(&given);
}

/* Messages of the other process name the admin's file. */
TEST(what_a_kind_is_sent_remembers_where_it_was_said)
{
	struct loaded given = load_good("\nmail_home = /h\n\n\n"
					"sieve_before3 = /b\n"
					"userdb {\n  driver = passwd\n}\n");
	struct loaded found = load_text(
		dump_kind(&given, CONF_KIND_LOOKUP | CONF_KIND_WORKER));
	struct conf_place place = conf_place(found.settings, "mail_home");

	CHECK_STR(place.file, given.file);
	CHECK_UINT(place.line, 2);
	CHECK_STR(conf_place(found.settings, "mail_uid").file, "");
	REQUIRE(found.settings->userdb_count == 1);
	CHECK_STR(found.settings->userdbs[0].place.file, given.file);
	CHECK_UINT(found.settings->userdbs[0].place.line, 6);
	REQUIRE(found.settings->sieve_before.count == 1);
	CHECK_UINT(found.settings->sieve_before.items[0].place.line, 5);
	unload(&found);
	unload(&given);
}

TEST(what_a_protocol_says_is_applied_already)
{
	static const char text[] = "hostname = a\nprotocol lmtp {\n"
				   "  hostname = b\n}\n";
	struct loaded given = load_as(text, CONF_PROTOCOL_LMTP, false, NULL, 0);
	struct loaded found;

	REQUIRE(given.settings != NULL);
	found = load_text(dump_kind(&given, CONF_KIND_FRONT));
	CHECK_STR(found.settings->hostname, "b");
	unload(&found);
	unload(&given);
}

/* A path relative to a file in a folder was completed when that was read. */
TEST(a_path_that_was_relative_is_not_completed_again)
{
	const struct conf_source source = {.file = "sub/test.conf"};
	struct loaded given = {.arena = arena_open()}, found;

	test_file("sub/test.conf", "ssl_key = <key\n");
	REQUIRE(chdir(test_folder()) == 0);
	REQUIRE(conf_load(given.arena, &source, &given.settings,
			&given.report) == 0);
	found = load_text(dump_kind(&given, CONF_KIND_MASTER));
	CHECK_STR(found.settings->ssl_key.path, "sub/key");
	unload(&found);
	unload(&given);
}

TEST(an_empty_text_gives_the_defaults)
{
	struct loaded found = load_text("");

	CHECK_STR(dump(&found, true), "");
	unload(&found);
}

TEST(a_value_with_a_line_break_is_refused)
{
	static const char *const overrides[] = {"hostname=a\nmail_uid=0"};
	struct loaded loaded =
		load_as("", CONF_PROTOCOL_LMTP, false, overrides, 1);

	CHECK(loaded.settings == NULL);
	CHECK_STR(problem(&loaded, 0),
		"0: error: hostname: found a line break in the value");
	unload(&loaded);
}
