/* Bodies and parts of messages that lie in a file.
 *
 * SPDX-License-Identifier: MIT
 */
#include "sieve/part.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "sieve/current.h"
#include "sieve/settings.h"
#include "tests/lib/test.h"
#include "tests/unit/sieve/world.h"

#include "base/banned.h"

enum { LARGE = 4 * 1024 * 1024 };

/* The same message from a file, of which only the header is in memory. */
static struct world *
world_of_file(struct str bytes)
{
	struct world *world = world_of_message(STR("\n"));
	const struct message_limits limits = {
		.memory_bytes = 1024,
		.header_bytes = 16 * 1024 * 1024,
		.header_fields = 100000,
		.temp_folder = test_folder(),
	};
	int fd = open(test_file_bytes("message", bytes), O_RDONLY | O_CLOEXEC);

	REQUIRE(fd >= 0);
	message_close(&world->message);
	REQUIRE(message_open_fd(fd, &limits, &world->message, &world->err) ==
		0);
	fd_close(&fd);
	return world;
}

static struct str
large(const char *header, const char *filling, const char *end)
{
	struct buf buf;

	buf_init(&buf, BUF_UNLIMITED);
	buf_add_text(&buf, header);
	while (buf.len < LARGE)
		buf_add_text(&buf, filling);
	buf_add_text(&buf, end);
	return world_keep(&buf);
}

static const char *
judged(struct world *world, const char *test)
{
	const char *script = arena_format(world->arena,
		"require [\"body\", \"mime\", \"variables\", \"foreverypart\","
		" \"extracttext\", \"fileinto\", \"relational\"];\n"
		"if %s { fileinto \"yes\"; } else { fileinto \"no\"; }",
		test);

	world->result.count = 0;
	if (world_run(world, script) != SIEVE_OK)
		return world_problem(world);
	return world_actions(world);
}

/* RFC 5173 8: what is searched is not what is held. */
TEST(a_large_raw_body_is_searched_in_little_memory)
{
	struct world *world = world_of_file(
		large("Subject: x\n\n", "some text of a line\n", "needle\n"));

	world->settings.max_memory = 512 * 1024;
	CHECK_STR(
		judged(world, "body :raw :contains [\"nothing\", \"NEEDLE\"]"),
		"fileinto \"yes\"");
	CHECK_STR(judged(world, "body :raw :contains \"line\r\nneedle\r\n\""),
		"fileinto \"yes\"");
	CHECK_STR(judged(world, "body :raw :contains \"needle2\""),
		"fileinto \"no\"");
	CHECK_STR(judged(world, "body :raw :matches \"*needle*\""),
		"2:4: the script needs more than 524288 bytes of memory "
		"(sieve_max_memory)");
}

TEST(every_border_of_a_window_is_searched)
{
	size_t at;

	for (at = 65500; at < 65600; at += 3) {
		struct world *world;
		struct buf buf;

		buf_init(&buf, BUF_UNLIMITED);
		buf_add_text(&buf, "Subject: x\n\n");
		while (buf.len < at)
			buf_add_char(&buf, '.');
		buf_add_text(&buf, "a needle in a haystack");
		while (buf.len < 200 * 1024)
			buf_add_char(&buf, '.');
		world = world_of_file(world_keep(&buf));
		CHECK_STR(judged(world, "allof (body :raw :contains "
					"\".a needle in a haystack.\", body "
					":text :contains "
					"\".a needle in a haystack.\")"),
			"fileinto \"yes\"");
		world_close(world);
	}
}

/* The memory of one decoding, whatever the number of tests. */
TEST(many_tests_of_a_body_hold_it_once)
{
	struct world *world = world_of_file(
		large("Content-Transfer-Encoding: base64\n\n", "QUFB", ""));

	world->settings.max_memory = 2 * LARGE;
	world->settings.max_steps = 30 * 1000;
	CHECK_STR(judged(world,
			  "anyof (body :text :contains \"b\", body :text "
			  ":contains \"c\", body :content \"text\" :contains "
			  "\"d\", body :text :contains \"e\")"),
		"fileinto \"no\"");
}

/* Parts that nobody asks for are not decoded. */
TEST(a_large_attachment_needs_no_memory)
{
	struct world *world = world_of_file(
		large("Content-Type: multipart/mixed; boundary=b\n\n"
		      "--b\n\nhello\n--b\nContent-Type: image/png\n"
		      "Content-Transfer-Encoding: base64\n\n",
			"QUFBQUFB\n", "\n--b\n\nneedle\n--b--\n"));

	world->settings.max_memory = 256 * 1024;
	CHECK_STR(judged(world, "body :text :contains \"needle\""),
		"fileinto \"yes\"");
	CHECK_STR(judged(world, "body :content \"text\" :is \"hello\""),
		"fileinto \"yes\"");
	CHECK_STR(judged(world, "header :mime :anychild :type "
				"\"Content-Type\" \"image\""),
		"fileinto \"yes\"");
}

/* RFC 5703 3: the parts of what the script has made of the message. */
TEST(a_changed_header_changes_the_parts)
{
	struct world *world = world_of_file(
		STR("Subject: x\n\n--b\n\none\n--b\nX-A: y\n\ntwo\n--b--\n"));
	const char *script =
		"require [\"editheader\", \"foreverypart\", \"extracttext\", "
		"\"variables\", \"fileinto\", \"body\", \"mime\"];\n"
		"if body :text :is \"one\" { stop; }\n"
		"addheader \"Content-Type\" \"multipart/mixed; boundary=b\";\n"
		"foreverypart { extracttext \"t\"; fileinto \"<${t}>\"; }\n"
		"if allof (body :text :is \"one\", header :mime :anychild "
		"\"X-A\" \"y\") { fileinto \"parts\"; }\n"
		"deleteheader \"Content-Type\";\n"
		"if body :text :is \"one\" { fileinto \"wrong\"; }";

	CHECK_INT(world_run(world, script), SIEVE_OK);
	CHECK_STR(world_problem(world), "");
	CHECK_STR(world_actions(world), "fileinto \"<>\"; fileinto \"<one>\"; "
					"fileinto \"<two>\"; "
					"fileinto \"parts\"");
}

/* A loop goes over what was there when it began. */
TEST(a_loop_may_change_the_message)
{
	struct world *world = world_of_file(
		STR("Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n"
		    "--b\n\ntwo\n--b--\n"));
	const char *script =
		"require [\"editheader\", \"foreverypart\", \"extracttext\", "
		"\"variables\", \"fileinto\"];\n"
		"foreverypart { deleteheader \"Content-Type\"; "
		"extracttext \"t\"; fileinto \"<${t}>\"; }";

	CHECK_INT(world_run(world, script), SIEVE_OK);
	CHECK_STR(world_actions(world), "fileinto \"<>\"; fileinto \"<one>\"; "
					"fileinto \"<two>\"");
}

static struct str
nested(const char *text, size_t count, const char *end)
{
	struct buf buf;
	size_t i;

	buf_init(&buf, BUF_UNLIMITED);
	for (i = 0; i < count; i++)
		buf_add_text(&buf, text);
	buf_add_text(&buf, end);
	return world_keep(&buf);
}

TEST(hostile_messages_end_within_steps_and_memory)
{
	static const char *const tests[] = {
		"body :text :contains \"x\"",
		"body :content \"\" :contains \"x\"",
		"header :mime :anychild :param \"a\" \"Content-Type\" \"x\"",
		"exists :mime :anychild [\"a\", \"b\", \"c\", \"d\"]",
		"address :mime :anychild \"from\" \"x\"",
	};
	struct str messages[] = {
		nested("Content-Type: message/rfc822\n\n", 10000, "x"),
		nested("Content-Type: multipart/mixed; boundary=b\n\n--b\n",
			10000, "\nx"),
		nested("Content-Type: text/plain; a=1; b=2; a*0=x\n", 100000,
			"\nx"),
		nested("a: b\n", 1000 * 1000, "\nx"),
	};
	size_t i, j;

	for (i = 0; i < ARRAY_LENGTH(messages); i++)
		for (j = 0; j < ARRAY_LENGTH(tests); j++) {
			struct world *world = world_of_message(messages[i]);
			const char *answer;

			world->settings.max_memory = 32 * 1024 * 1024;
			world->settings.max_steps = 300 * 1000;
			answer = judged(world, tests[j]);
			CHECK(str_starts(str_from(answer), STR("fileinto")));
			world_close(world);
		}
}

/* A host may put another message where the old one lay. */
TEST(another_message_has_other_parts)
{
	struct world *world = world_of_message(STR("A: b\n\none"));
	struct run run = {
		.message = world->message,
		.result = &world->result,
		.settings = settings_filled(&world->settings),
		.kept = world->arena,
		.scratch = arena_open(),
		.steps = 1000,
		.err = &world->err,
	};
	struct parts *first, *again, *other;

	REQUIRE(run_parts(&run, &first) == SIEVE_OK);
	REQUIRE(run_parts(&run, &again) == SIEVE_OK);
	CHECK(again == first);
	run_set_message(&run, world->message);
	REQUIRE(run_parts(&run, &other) == SIEVE_OK);
	CHECK(other != first);
	parts_close(&run);
	arena_close(&run.scratch);
}
