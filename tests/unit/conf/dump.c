/* SPDX-License-Identifier: MIT */
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
