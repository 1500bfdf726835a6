/* SPDX-License-Identifier: MIT */
#include "sieve/evaluate.h"

#include "base/buf.h"
#include "tests/lib/test.h"
#include "tests/unit/sieve/world.h"

#include "base/banned.h"

static struct str
filled(const char *head, char c, size_t count, const char *tail)
{
	struct buf buf;

	buf_init(&buf, BUF_UNLIMITED);
	buf_add_text(&buf, head);
	while (count-- > 0)
		buf_add_char(&buf, c);
	buf_add_text(&buf, tail);
	return world_keep(&buf);
}

static struct str
repeated(const char *part, size_t count)
{
	struct buf buf;

	buf_init(&buf, BUF_UNLIMITED);
	while (count-- > 0)
		buf_add_text(&buf, part);
	buf_add_text(&buf, "\nbody\n");
	return world_keep(&buf);
}

TEST(actions_say_where_they_stand)
{
	struct world *world = world_of_message(STR("X: y\n\n"));

	REQUIRE(world_run(world, "require [\"fileinto\",\"imap4flags\"];\n"
				 "if true {\n"
				 "  fileinto :flags \"\\\\Seen b\" \"Lists\";\n"
				 "}") == SIEVE_OK);
	REQUIRE(world->result.count == 1);
	CHECK_INT(world->result.actions[0].kind, SIEVE_FILEINTO);
	CHECK_STR(world->result.actions[0].script, "script");
	CHECK_UINT(world->result.actions[0].line, 3);
	CHECK_UINT(world->result.actions[0].column, 3);
	CHECK_STR_IS(world->result.actions[0].fileinto.mailbox, "Lists");
	CHECK_UINT(world->result.actions[0].fileinto.flags.count, 2);
	CHECK(!world->result.keep_in_effect);
	CHECK(!world->result.implicit_keep);
}

TEST(a_header_of_ten_megabytes_is_judged)
{
	struct world *world = world_of_message(
		filled("X: ", 'a', 10 * 1024 * 1024, "b\nY: z\n\nbody\n"));

	CHECK_INT(world_run(world,
			  "require \"variables\";"
			  "if allof(header :contains \"X\" \"AAB\",\n"
			  " header :matches \"X\" \"*a*b\",\n"
			  " header :is \"Y\" \"z\",\n"
			  " not header :contains \"X\" [\"c\",\"d\",\"e\"],\n"
			  " string \"${1}\" \"\")\n"
			  "{ discard; }"),
		SIEVE_OK);
	CHECK_STR(world_actions(world), "discard");
}

TEST(a_hundred_thousand_fields_are_judged)
{
	struct world *world = world_of_message(
		repeated("X-A: a@example.org, b\n", 100 * 1000));

	CHECK_INT(world_run(world, "if anyof(header \"X-A\" \"c\",\n"
				   " address :localpart \"X-A\" \"c\",\n"
				   " exists \"Y\") { discard; }"),
		SIEVE_OK);
	CHECK_STR(world_actions(world), "keep");
}

/* A field of nothing but addresses may not take all memory. */
TEST(too_many_addresses_are_a_question_of_memory)
{
	struct world *world = world_of_message(
		repeated("X-A: a@b,a@b,a@b,a@b,a@b,a@b\n", 1000));

	world->settings.max_memory = 1000;
	CHECK_INT(world_run(world, "if address \"X-A\" \"c\" { discard; }"),
		SIEVE_FAILED);
	CHECK_STR(world_problem(world),
		"1:4: the script needs more than 1000 bytes of memory "
		"(sieve_max_memory)");
	CHECK_STR(world_actions(world), "keep");
}

TEST(steps_are_counted_the_same_every_time)
{
	static const char text[] =
		"require \"variables\"; set \"a\" \"x\";"
		"if anyof(header :matches \"X\" [\"*b*c\",\"*?d\"],"
		" header :contains \"Y\" \"z\") { discard; }";
	uint64_t steps, first = 0;

	for (steps = 1; steps < 60 && first == 0; steps++) {
		struct world *world = world_of_message(
			STR("X: aaaaaaaaaaaaaaaaaa\nX: bb\n\n"));
		enum sieve_status status, again;

		world->settings.max_steps = steps;
		status = world_run(world, text);
		again = world_run(world, text);
		CHECK_INT(status, again);
		if (status == SIEVE_OK)
			first = steps;
	}
	/* 6 instructions, 2 walks over the fields, 4 comparisons. */
	CHECK_UINT(first, 12);
}

TEST(a_run_that_fails_leaves_nothing_of_its_own)
{
	struct world *world = world_of_message(STR("X: y\n\n"));

	REQUIRE(world_run(world, "require [\"fileinto\", \"copy\"];"
				 "fileinto :copy \"a\";") == SIEVE_OK);
	CHECK(world->result.keep_in_effect);
	world->settings.max_actions = 1;
	CHECK_INT(world_run(world, "redirect \"a@example.org\"; discard;"),
		SIEVE_FAILED);
	CHECK_STR(world_actions(world), "fileinto \"a\" :copy; keep");
	CHECK(world->result.keep_in_effect);
}

TEST(one_program_judges_many_messages)
{
	struct world *first = world_of_message(STR("Subject: spam\n\n"));
	struct sieve_program *program = world_compile(
		first, STR("require \"variables\";"
			   "if header :matches \"Subject\" \"s*m\" {"
			   " set \"a\" \"${1}\"; }"
			   "if string \"${a}\" \"pa\" { discard; }"));
	size_t i;

	REQUIRE(program != NULL);
	for (i = 0; i < 100; i++) {
		struct world *world =
			world_of_message(i % 2 == 0 ? STR("Subject: spam\n\n")
						    : STR("Subject: ham\n\n"));

		CHECK_INT(sieve_run(program, NULL, &world->host, &world->result,
				  &world->report, &world->err),
			SIEVE_OK);
		CHECK_STR(
			world_actions(world), i % 2 == 0 ? "discard" : "keep");
		world_close(world);
	}
}

/* Values written over take no new memory, however often they are. */
TEST(setting_a_variable_often_takes_no_more_memory)
{
	struct world *world = world_of_message(STR("X: y\n\n"));
	struct buf buf;
	size_t i;

	world->settings.max_memory = 100 * 1000;
	buf_init(&buf, BUF_UNLIMITED);
	buf_add_text(&buf, "require \"variables\"; set \"b\" \"");
	for (i = 0; i < 1000; i++)
		buf_add_char(&buf, 'x');
	buf_add_text(&buf, "\";");
	for (i = 0; i < 5000; i++)
		buf_add_text(&buf, "set \"a\" \"${b}${b}\";");
	CHECK_INT(world_run(world, world_keep(&buf).data), SIEVE_OK);
}

/* 32 references to a value of 16 KiB in every name are half a megabyte. */
TEST(an_expansion_is_bounded_before_it_is_made)
{
	struct world *world = world_of_message(STR("X: y\n\n"));

	world->settings.max_memory = 400 * 1000;
	CHECK_INT(
		world_run(world,
			"require \"variables\";\n"
			"set \"a\" text:\n"
			"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n"
			".\n;\n"
			"set \"a\" "
			"\"${a}${a}${a}${a}${a}${a}${a}${a}${a}${a}\";\n"
			"set \"a\" "
			"\"${a}${a}${a}${a}${a}${a}${a}${a}${a}${a}\";\n"
			"set \"a\" "
			"\"${a}${a}${a}${a}${a}${a}${a}${a}${a}${a}\";\n"
			"if string \"${a}${a}${a}${a}${a}${a}${a}${a}${a}${a}"
			"${a}${a}${a}${a}${a}${a}${a}${a}${a}${a}${a}${a}${a}"
			"${a}${a}${a}${a}\" \"\" { discard; }"),
		SIEVE_FAILED);
	CHECK_STR(world_problem(world),
		"9:4: the script needs more than 400000 bytes of memory "
		"(sieve_max_memory)");
}

TEST(many_flags_cost_steps)
{
	struct world *world = world_of_message(STR("X: y\n\n"));
	struct buf buf;
	size_t i;

	buf_init(&buf, BUF_UNLIMITED);
	buf_add_text(&buf, "require \"imap4flags\"; addflag \"");
	for (i = 0; i < 50 * 1000; i++)
		buf_add_format(&buf, "f%zu ", i);
	buf_add_text(&buf, "\";");
	CHECK_INT(world_run(world, world_keep(&buf).data), SIEVE_FAILED);
	CHECK_STR_IS(str_slice(str_from(world->report.problems[0].text), 0, 26),
		"the script needs more than");
}

/* RFC 5490 3.1, RFC 5229 3.2: the host is asked no more than needed. */
TEST(the_host_is_only_asked_what_is_needed)
{
	struct world *world = world_of_message(STR("X: y\n\n"));

	CHECK_INT(world_run(world,
			  "require \"mailbox\";"
			  "if anyof(true, mailboxexists \"a\") { keep; }"),
		SIEVE_OK);
	CHECK_UINT(world->questions, 0);
}

TEST(a_message_with_NUL_bytes_is_judged_to_its_end)
{
	struct world *world =
		world_of_message(STR("X: a\0b\nY\0: c\nZ: d\n\nbody"));

	CHECK_INT(world_run(world, "require \"encoded-character\";"
				   "if allof(header :is \"X\" \"a${hex:00}b\","
				   " header :is \"Z\" \"d\") { discard; }"),
		SIEVE_OK);
	CHECK_STR(world_actions(world), "discard");
}

/* ---- editheader ---- */

TEST(a_hundred_thousand_fields_are_added)
{
	struct world *world = world_of_message(STR("A: b\n\n"));
	struct buf buf;
	size_t i;

	world->settings.max_script_size = 8 * 1024 * 1024;
	buf_init(&buf, BUF_UNLIMITED);
	buf_add_text(&buf, "require \"editheader\";\n");
	for (i = 0; i < 100 * 1000; i++)
		buf_add_text(&buf, "addheader \"X\" \"y\";\n");
	buf_add_text(&buf, "if header \"X\" \"z\" { discard; }\n"
			   "deleteheader \"A\";");
	CHECK_INT(world_run(world, buf_text(&buf)), SIEVE_OK);
	CHECK_STR(world_actions(world), "keep");
	REQUIRE(world->result.content != NULL);
	CHECK_UINT(world->result.content->count, 2);
	CHECK_UINT(world->result.content->pieces[0].text.len, 100 * 1000 * 5);
	buf_clear(&buf);
}

TEST(fields_that_are_added_count_for_the_memory_limit)
{
	struct world *world = world_of_message(STR("A: b\n\n"));
	struct buf buf;
	size_t i;

	world->settings.max_memory = 1024 * 1024;
	buf_init(&buf, BUF_UNLIMITED);
	buf_add_text(&buf, "require \"editheader\";\n");
	for (i = 0; i < 10 * 1000; i++)
		buf_add_text(&buf, "addheader \"X\" \"y\";\n");
	CHECK_INT(world_run(world, buf_text(&buf)), SIEVE_FAILED);
	CHECK(str_find(str_from(world_problem(world)),
		      STR("sieve_max_memory")) < strlen(world_problem(world)));
	CHECK(world->result.content == NULL);
	buf_clear(&buf);
}

TEST(one_of_a_hundred_thousand_fields_is_deleted)
{
	struct world *world = world_of_message(repeated("X: a\n", 100 * 1000));

	CHECK_INT(world_run(world, "require \"editheader\";\n"
				   "deleteheader :index 50000 \"X\";\n"
				   "deleteheader :index 1 :last \"X\";\n"
				   "deleteheader \"X\" \"b\";\n"),
		SIEVE_OK);
	REQUIRE(world->result.content != NULL);
	CHECK_UINT(world->result.content->count, 3);
}

/* Walks over what is deleted are paid for, too. */
TEST(deleting_again_and_again_runs_out_of_steps)
{
	struct world *world = world_of_message(repeated("X: a\n", 100 * 1000));
	struct buf buf;
	size_t i;

	buf_init(&buf, BUF_UNLIMITED);
	buf_add_text(&buf, "require \"editheader\";\n");
	for (i = 0; i < 10 * 1000; i++)
		buf_add_text(&buf, "deleteheader :index 1 :last \"X\";\n");
	CHECK_INT(world_run(world, buf_text(&buf)), SIEVE_FAILED);
	CHECK(str_find(str_from(world_problem(world)), STR("sieve_max_steps")) <
		strlen(world_problem(world)));
	buf_clear(&buf);
}

/* ---- replace, enclose ---- */

/* The boundary of the message as the run has left it. */
static struct str
boundary_of(const struct world *world)
{
	const struct content *content = world->result.content;
	const struct str word = STR("boundary=\"");
	struct str text;

	REQUIRE(content != NULL && content->pieces[0].is_text);
	text = content->pieces[0].text;
	text = str_skip(text, str_find(text, word) + word.len);
	return str_slice(text, 0, str_find_char(text, '"'));
}

/* Who knows the script could foresee it. */
TEST(a_boundary_does_not_stand_in_the_message)
{
	static const char enclose[] = "require \"enclose\"; enclose \"t\";";
	struct world *world = world_of_message(STR("A: b\n\nx\n"));
	struct str first, second;
	struct buf buf;

	REQUIRE(world_run(world, enclose) == SIEVE_OK);
	first = boundary_of(world);
	CHECK_UINT(first.len, 42);
	/* Across the chunks in which a message is read, too. */
	buf_init(&buf, BUF_UNLIMITED);
	buf_add_text(&buf, "A: b\n\n");
	while (buf.len < 40 * 1024)
		buf_add_format(&buf, "x\r\n%.*s\r\n", STR_ARG(first));
	world = world_of_message(world_keep(&buf));
	REQUIRE(world_run(world, enclose) == SIEVE_OK);
	second = boundary_of(world);
	CHECK_UINT(second.len, 42);
	CHECK(!str_equal(first, second));
}

TEST(every_part_of_thousands_is_replaced)
{
	struct world *world;
	struct buf buf;
	size_t i;

	buf_init(&buf, BUF_UNLIMITED);
	buf_add_text(&buf, "Content-Type: multipart/mixed; boundary=b\n\n");
	for (i = 0; i < 3000; i++)
		buf_add_text(&buf, "--b\nContent-Type: text/html\n\nold\n");
	buf_add_text(&buf, "--b--\n");
	world = world_of_message(world_keep(&buf));
	CHECK_INT(world_run(world,
			  "require [\"replace\", \"foreverypart\", "
			  "\"mime\"]; foreverypart {\n"
			  "if header :mime :subtype \"Content-Type\" \"html\" "
			  "{ replace \"new\"; } }"),
		SIEVE_OK);
	REQUIRE(world->result.content != NULL);
	CHECK_UINT(world->result.content->count, 2 * 3000 + 3);
}

/* Each of them holds the ones before it. */
TEST(enclosing_again_and_again_ends)
{
	struct world *world = world_of_message(STR("A: b\n\nx\n"));
	struct buf buf;
	size_t i;

	world->settings.max_steps = 100000;
	buf_init(&buf, BUF_UNLIMITED);
	buf_add_text(&buf, "require \"enclose\";\n");
	for (i = 0; i < 10 * 1000; i++)
		buf_add_text(&buf, "enclose \"t\";\n");
	CHECK_INT(world_run(world, buf_text(&buf)), SIEVE_FAILED);
	CHECK(world->result.content == NULL);
	buf_clear(&buf);
}
