/* SPDX-License-Identifier: MIT */
#include "lda/addresses.h"

#include "conf/conf.h"
#include "tests/lib/test.h"

#include "base/banned.h"

struct fixture {
	struct arena *arena;
	struct message *message;
	struct lda_options options;
	struct recipient recipient;
	struct lda_addresses found;
	struct err err;
};

static void
begin(struct fixture *f, const char *text, const char *override)
{
	static const struct message_limits limits = {.memory_bytes = 65536,
		.header_bytes = 65536,
		.header_fields = 100,
		.temp_folder = "/tmp"};
	const char *const overrides[] = {"hostname=mx.example.test", override};
	const struct conf_source source = {.only_defaults = true,
		.overrides = overrides,
		.override_count = override != NULL ? 2 : 1};
	struct conf_report report = {0};

	*f = (struct fixture){.arena = arena_open()};
	REQUIRE(message_open_bytes(
			str_from(text), &limits, &f->message, &f->err) == 0);
	f->recipient.name = "amy";
	REQUIRE(conf_load(f->arena, &source, &f->recipient.settings, &report) ==
		0);
}

static int
resolve(struct fixture *f)
{
	return lda_addresses_resolve(f->arena, &f->options, &f->recipient,
		f->message, &f->found, &f->err);
}

static void
finish(struct fixture *f)
{
	message_close(&f->message);
	arena_close(&f->arena);
}

TEST(every_spelling_of_the_null_sender_is_null)
{
	static const char *const spellings[] = {
		"", "<>", "MAILER-DAEMON", "<MAILER-DAEMON>", "<unknown>"};
	struct fixture f;
	size_t i;

	begin(&f, "Return-Path: <ada@example.org>\n\n", NULL);
	for (i = 0; i < ARRAY_LENGTH(spellings); i++) {
		f.options.sender = spellings[i];
		REQUIRE(resolve(&f) == 0);
		CHECK(f.found.sender.is_null);
		CHECK_STR_IS(f.found.sender.text, "");
	}
	finish(&f);
}

TEST(a_broken_sender_is_the_null_sender)
{
	struct fixture f;

	begin(&f, "\n", NULL);
	f.options.sender = "@@ @";
	REQUIRE(resolve(&f) == 0);
	CHECK(f.found.sender.is_null);
	finish(&f);
}

TEST(the_sender_option_wins_over_the_message)
{
	struct fixture f;

	begin(&f,
		"From bob@example.org Sat May  2 08:00:00 2026\n"
		"Return-Path: <cat@example.org>\n\n",
		NULL);
	REQUIRE(resolve(&f) == 0);
	CHECK_STR_IS(f.found.sender.text, "bob@example.org");
	f.options.sender = "ada@example.org";
	REQUIRE(resolve(&f) == 0);
	CHECK_STR_IS(f.found.sender.text, "ada@example.org");
	finish(&f);
}

TEST(a_message_that_names_no_sender_has_an_unknown_one)
{
	struct fixture f;

	begin(&f, "Subject: x\n\n", NULL);
	REQUIRE(resolve(&f) == 0);
	CHECK(f.found.sender.is_null);
	CHECK(!f.found.sender_is_known);
	f.options.sender = "";
	REQUIRE(resolve(&f) == 0);
	CHECK(f.found.sender_is_known);
	finish(&f);
}

TEST(the_sender_may_stand_in_the_return_path)
{
	struct fixture f;

	begin(&f, "Return-Path: <cat@example.org>\n\n", NULL);
	REQUIRE(resolve(&f) == 0);
	CHECK_STR_IS(f.found.sender.text, "cat@example.org");
	finish(&f);
}

TEST(the_original_recipient_is_option_then_header_then_user)
{
	struct fixture f;

	begin(&f, "X-Original-To: Info <info@example.org>\n\n",
		"lda_original_recipient_header=X-Original-To");
	REQUIRE(resolve(&f) == 0);
	CHECK_STR_IS(f.found.original.text, "info@example.org");
	CHECK_STR_IS(f.found.final.text, "info@example.org");
	f.options.original = "<sales@example.org>";
	f.options.has_original = true;
	REQUIRE(resolve(&f) == 0);
	CHECK_STR_IS(f.found.original.text, "sales@example.org");
	finish(&f);

	begin(&f, "\n", NULL);
	REQUIRE(resolve(&f) == 0);
	CHECK_STR_IS(f.found.original.text, "amy@mx.example.test");
	finish(&f);
}

TEST(a_bad_recipient_option_is_wrong_usage_but_a_bad_environment_is_not)
{
	struct fixture f;

	begin(&f, "\n", NULL);
	f.options.original = "a b";
	f.options.has_original = true;
	CHECK_INT(resolve(&f), -1);
	CHECK_INT(f.err.kind, ERR_USAGE);
	f.options.has_original = false;
	CHECK_INT(resolve(&f), 0);
	CHECK_STR_IS(f.found.original.text, "amy@mx.example.test");
	f.options.final = "a b@";
	CHECK_INT(resolve(&f), 0);
	f.options.has_final = true;
	CHECK_INT(resolve(&f), -1);
	CHECK_INT(f.err.kind, ERR_USAGE);
	finish(&f);
}

TEST(the_user_option_keeps_its_detail_and_spelling_as_an_address)
{
	struct fixture f;

	begin(&f, "\n", NULL);
	f.options.user = "Amy+Lists@Example.org";
	REQUIRE(resolve(&f) == 0);
	CHECK_STR_IS(f.found.original.text, "Amy+Lists@Example.org");
	CHECK_STR_IS(f.found.final.text, "Amy+Lists@Example.org");
	f.options.user = "amy+lists";
	REQUIRE(resolve(&f) == 0);
	CHECK_STR_IS(f.found.original.text, "amy+lists@mx.example.test");
	finish(&f);
}

TEST(quotes_that_the_mta_left_out_are_put_back)
{
	struct fixture f;

	begin(&f, "\n", NULL);
	f.options.original = "a b@example.org";
	f.options.has_original = true;
	REQUIRE(resolve(&f) == 0);
	CHECK_STR_IS(f.found.original.text, "\"a b\"@example.org");
	finish(&f);
}

TEST(the_detail_is_that_of_the_recipient_then_of_the_environment)
{
	struct fixture f;

	begin(&f, "\n", NULL);
	f.options.detail = "env";
	REQUIRE(resolve(&f) == 0);
	CHECK_STR_IS(f.found.detail, "env");
	f.options.final = "amy+Lists@example.org";
	REQUIRE(resolve(&f) == 0);
	CHECK_STR_IS(f.found.detail, "Lists");
	f.recipient.detail = STR("user");
	REQUIRE(resolve(&f) == 0);
	CHECK_STR_IS(f.found.detail, "user");
	finish(&f);
}
