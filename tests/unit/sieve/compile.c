/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "base/memory.h"
#include "sieve/program.h"
#include "sieve/sieve.h"
#include "tests/lib/test.h"
#include "tests/unit/sieve/world.h"

#include "base/banned.h"

static const char script[] =
	"require [\"fileinto\", \"variables\", \"copy\", "
	"\"imap4flags\"];\n"
	"# a comment /* \n"
	"if anyof (header :contains [\"Subject\", \"X\"] \"hell\\\"o\",\n"
	"	not size :over 10K) {\n"
	"	set :upper \"a\" text:\n"
	"..value ${1}\n"
	".\n"
	"	;\n"
	"	set :length \"a\" \"${a}\";\n"
	"	fileinto :copy :flags [\"\\\\Seen\", \"a\"] \"x${a}\";\n"
	"} elsif true { stop; } else { redirect \"a@example.org\"; }\n"
	"/* the end */ keep;\n";

/* Every beginning of a script is a script that an editor may have cut off. */
TEST(a_script_cut_anywhere_is_good_or_has_errors)
{
	size_t len;

	for (len = 0; len < sizeof(script) - 1; len++) {
		struct world *world = world_of_message(STR("X: y\n\n"));
		struct str cut = str_of(memory_get(len + 1), len);
		struct sieve_program *program;

		memcpy((char *)(uintptr_t)cut.data, script, len);
		program = world_compile(world, cut);
		CHECK((program == NULL) == (world->report.errors > 0));
		memory_free((char *)(uintptr_t)cut.data);
	}
}

TEST(every_byte_of_a_script_may_be_wrong)
{
	size_t at;
	char changed[sizeof(script)];

	for (at = 0; at < sizeof(script) - 1; at++) {
		struct world *world = world_of_message(STR("X: y\n\n"));
		struct sieve_program *program;

		memcpy(changed, script, sizeof(script));
		changed[at] = (char)(changed[at] ^ 0x15);
		program = world_compile(
			world, str_of(changed, sizeof(script) - 1));
		CHECK((program == NULL) == (world->report.errors > 0));
	}
}

/* sieve.h: the program borrows nothing from the text. */
TEST(a_program_lives_on_when_its_text_is_gone)
{
	struct world *world = world_of_message(STR("X: hell\"o\n\n"));
	char *text = memory_get(sizeof(script));
	struct sieve_program *program;

	memcpy(text, script, sizeof(script));
	program = world_compile(world, str_of(text, sizeof(script) - 1));
	REQUIRE(program != NULL);
	memset(text, 'x', sizeof(script));
	memory_free(text);
	CHECK_INT(sieve_run(program, &world->settings, &world->host,
			  &world->result, &world->report, &world->err),
		SIEVE_OK);
	CHECK_STR(world_actions(world),
		"fileinto \"x9\" flags=\"\\\\Seen a\" :copy; keep");
}

static struct str
repeat(const char *head, const char *part, size_t bytes)
{
	struct buf buf;

	buf_init(&buf, BUF_UNLIMITED);
	buf_add_text(&buf, head);
	while (buf.len + strlen(part) <= bytes)
		buf_add_text(&buf, part);
	return world_keep(&buf);
}

/* Whatever a script of the largest size holds, it takes bounded memory. */
TEST(a_megabyte_of_anything_compiles_in_bounded_memory)
{
	static const char *const parts[] = {"keep;", "{", "}", "(", "[", "\"",
		"a", "1 ", ":a ", "if true {", "if not ", "not ", "/*", "#\n",
		"if header \"a\" [\"b\",\"c\"] {}", "\\", "redirect \"${a}\";",
		"text:\n.\n", "elsif true {}", ";"};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(parts); i++) {
		struct world *world = world_of_message(STR("X: y\n\n"));
		struct str text = repeat("", parts[i], 1024 * 1024);

		(void)world_compile(world, text);
		CHECK(arena_used(world->arena) < 256 * text.len);
		CHECK(world->report.errors <= 30);
		world_close(world);
	}
}

TEST(a_list_of_a_megabyte_is_one_argument)
{
	struct world *world = world_of_message(STR("X: y\n\n"));
	struct str text =
		repeat("if exists [\"a\"", ",\"a\"", 1024 * 1024 - 20);
	struct buf buf;

	buf_init(&buf, BUF_UNLIMITED);
	buf_add(&buf, text);
	buf_add_text(&buf, "] { discard; }");
	REQUIRE(world_compile(world, world_keep(&buf)) != NULL);
}

TEST(strings_that_only_look_like_references_take_linear_time)
{
	static const char *const parts[] = {"${", "${a.", "${hex:", "${hex:4",
		"$", "${1", "${unicode: 41 "};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(parts); i++) {
		struct world *world = world_of_message(STR("X: y\n\n"));
		struct buf buf;

		buf_init(&buf, BUF_UNLIMITED);
		buf_add_text(&buf,
			"require [\"variables\", \"encoded-character\"];"
			"if string \"");
		buf_add(&buf, repeat("", parts[i], 900 * 1000));
		buf_add_text(&buf, "\" \"x\" { discard; }");
		CHECK(world_compile(world, world_keep(&buf)) != NULL);
		world_close(world);
	}
}

/* RFC 5228 3.2: what is announced can be required. */
TEST(every_capability_can_be_required)
{
	size_t count, i;
	const char *const *names = sieve_capabilities(&count);

	CHECK(count >= 11);
	for (i = 0; i < count; i++) {
		struct world *world = world_of_message(STR("X: y\n\n"));

		CHECK_INT(
			world_run(world, arena_format(world->arena,
						 "require \"%s\";", names[i])),
			SIEVE_OK);
	}
}

TEST(problems_outlive_the_arena_of_the_program)
{
	struct world *world = world_of_message(STR("X: y\n\n"));
	struct arena *other = arena_open();
	struct sieve_program *program;

	CHECK_INT(sieve_compile(other, NULL, "name", STR("frob;"), &program,
			  &world->report),
		-1);
	arena_close(&other);
	CHECK_STR(world_problem(world), "1:1: unknown command \"frob\"");
	CHECK_STR(world->report.problems[0].script, "name");
}

TEST(more_errors_than_are_told_are_known_to_be_more)
{
	struct world *world = world_of_message(STR("X: y\n\n"));

	world->settings.max_errors = 3;
	CHECK(world_compile(world, STR("a; b; c; d; e;")) == NULL);
	CHECK_UINT(world->report.errors, 3);
	CHECK(world->report.is_full);
}
