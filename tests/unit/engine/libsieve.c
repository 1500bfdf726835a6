/* The engine libsieve: what it answers, and that its faults harm nobody
 *
 * SPDX-License-Identifier: MIT
 */
#include "engine/engine.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/lib/test.h"
#include "tests/unit/sieve/world.h"

#include "base/banned.h"

static const char mail[] = "From: \"Ada, A\" <ada@client.example>\r\n"
			   "To: amy+lists@example.test\r\n"
			   "Subject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\n"
			   "\r\n"
			   "text\r\n";

static const struct engine *
libsieve(void)
{
	const struct engine *engine = engine_find("libsieve");

	if (engine == NULL)
		SKIP("built without libsieve");
	return engine;
}

/* The actions, or "failed: WHY" when the script failed. */
static const char *
judge_with(const struct engine *engine, struct world *world, const char *text)
{
	const struct engine_script script = {
		.name = "s", .text = str_from(text)};
	enum sieve_status status = engine_run(engine, &script, &world->settings,
		&world->host, &world->result, &world->report, &world->err);

	CHECK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
	CHECK(status != SIEVE_TEMPORARY);
	if (status == SIEVE_OK)
		return world_actions(world);
	CHECK_UINT(world->result.count, 0);
	return arena_format(world->arena, "failed: %s", world_problem(world));
}

static const char *
judge(const char *script)
{
	return judge_with(libsieve(), world_of_message(str_from(mail)), script);
}

TEST(native_is_always_there)
{
	const struct engine *engine = engine_find("native");
	struct world *world = world_of_message(str_from(mail));

	REQUIRE(engine != NULL);
	CHECK(engine_find("other") == NULL);
	CHECK_STR(judge_with(engine, world, "discard;"), "discard");
	world = world_of_message(str_from(mail));
	CHECK_STR(judge_with(engine, world, "discard"),
		"failed: 1:8: \";\" is missing here, before the end of the "
		"script");
}

TEST(its_actions_come_back)
{
	CHECK_STR(judge(""), "keep");
	CHECK_STR(judge("keep;"), "keep");
	CHECK_STR(judge("discard;"), "discard");
	CHECK_STR(
		judge("redirect \"a@b.example\";"), "redirect \"a@b.example\"");
	CHECK_STR(judge("require \"fileinto\"; fileinto \"Lists\"; keep;"),
		"fileinto \"Lists\"; keep");
	CHECK_STR(judge("require [\"fileinto\", \"imap4flags\"];\n"
			"addflag \"a\"; addflag \"b\"; fileinto \"x\";"),
		"fileinto \"x\" flags=\"b a\"");
}

TEST(it_sees_the_message_through_our_index)
{
	CHECK_STR(judge("if header \"subject\" \"gr\xc3\xbc\xc3\x9f"
			"e\" {discard;}"),
		"discard");
	CHECK_STR(
		judge("if address \"from\" \"ada@client.example\" {discard;}"),
		"discard");
	CHECK_STR(judge("if exists \"x-other\" {discard;}"), "keep");
	CHECK_STR(judge("require \"subaddress\";\n"
			"if address :detail \"to\" \"lists\" {discard;}"),
		"discard");
	CHECK_STR(judge("if size :under 1K {discard;}"), "discard");
	CHECK_STR(judge("if size :over 1K {discard;}"), "keep");
}

TEST(its_strings_keep_their_backslashes)
{
	CHECK_STR(judge("require \"fileinto\"; fileinto \"a\\\\b\";"),
		"fileinto \"a\\\\\\\\b\"");
}

TEST(an_error_in_the_script_is_a_failure)
{
	CHECK_STR(judge("keep"), "failed: 1:1: syntax error, unexpected $end, "
				 "expecting ';'");
	CHECK_STR(judge("discard;\nrequire \"vacation\";"),
		"failed: 2:1: syntax error, unexpected REQUIRE");
	CHECK_STR(judge("redirect \"nobody\";"),
		"failed: 1:1: libsieve: redirect: that is no address");
}

TEST(what_it_cannot_do_is_not_offered)
{
	size_t count, i;
	const char *const *names = libsieve()->capabilities(&count);

	CHECK(count > 0);
	for (i = 0; i < count; i++) {
		const char *script =
			arena_format(world_of_message(STR(""))->arena,
				"require \"%s\"; keep;", names[i]);

		CHECK_STR(judge(script), "keep");
	}
	CHECK_STR(judge("require \"vacation\";"),
		"failed: 1:1: unsupported feature: vacation");
	CHECK_STR(judge("require \"variables\";"),
		"failed: 1:1: unsupported feature: variables");
}

TEST(an_address_that_cannot_be_read_is_a_failure)
{
	struct world *world =
		world_of_message(STR("From: Ada <<ada@client.example\r\n\r\n"));
	const char *found = judge_with(libsieve(), world,
		"if not address \"from\" \"a@b.example\" {discard;}");

	CHECK(strncmp(found, "failed: 1:1: syntax error", 25) == 0);
}

/* It gives memory back twice, which the C library may find or not. */
TEST(a_script_that_crashes_it_keeps)
{
	const char *found = judge("require \"imap4flags\";"
				  " setflag \"a\"; setflag \"b\";");

	CHECK(strcmp(found, "keep") == 0 ||
		strncmp(found, "failed: 1:1: libsieve: its process ", 35) == 0);
}

TEST(a_pattern_without_end_is_a_failure)
{
	static char text[40000];
	struct world *world;
	const char *found;

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memcpy(text, "Subject: ", 9);
	world = world_of_message(str_from(text));
	found = judge_with(libsieve(), world,
		"if header :matches \"subject\" "
		"\"*a*a*a*a*a*a*a*a*a*a*b\" {discard;}");
	/* Which limit is the first depends on what else the machine does. */
	CHECK(strcmp(found, "failed: 1:1: libsieve: its process used too much "
			    "CPU time") == 0 ||
		strcmp(found, "failed: 1:1: libsieve: its process took too "
			      "long") == 0);
}

TEST(a_script_above_the_limit_is_a_failure)
{
	struct world *world = world_of_message(str_from(mail));

	world->settings.max_script_size = 10;
	CHECK_STR(judge_with(libsieve(), world, "keep;      "),
		"failed: 1:1: libsieve: the script is too long");
}

TEST(a_message_with_much_header_is_judged_or_refused)
{
	static char text[20000];
	struct world *world;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memcpy(text, "Subject: ", 9);
	world = world_of_message(str_from(text));
	world->settings.max_memory = 65536;
	CHECK(strncmp(judge_with(libsieve(), world,
			      "if header :contains \"subject\" \"y\" "
			      "{discard;}"),
		      "discard", 7) != 0);
}
