/* cost - what tests of header fields do not do again and again
 *
 * Linked with --wrap, so that calls are counted on their way.
 *
 * SPDX-License-Identifier: MIT
 */
#include "mail/encodedword.h"
#include "base/memory.h"

#include "tests/lib/test.h"
#include "tests/unit/sieve/world.h"

#include "base/banned.h"

static struct counts {
	size_t memory;    /* asked of libc */
	size_t decoded;   /* header fields */
	size_t addresses; /* header fields whose addresses were read */
} counts;

void *__real_memory_get(size_t size);
void *__wrap_memory_get(size_t size);
void *__real_memory_resize(void *memory, size_t size);
void *__wrap_memory_resize(void *memory, size_t size);
struct str __real_encodedword_decode(struct arena *arena, struct str value);
struct str __wrap_encodedword_decode(struct arena *arena, struct str value);
size_t __real_address_parse_list(struct arena *arena, struct str text,
	size_t most, const struct address **list_out);
size_t __wrap_address_parse_list(struct arena *arena, struct str text,
	size_t most, const struct address **list_out);

void *
__wrap_memory_get(size_t size)
{
	counts.memory++;
	return __real_memory_get(size);
}

void *
__wrap_memory_resize(void *memory, size_t size)
{
	counts.memory++;
	return __real_memory_resize(memory, size);
}

struct str
__wrap_encodedword_decode(struct arena *arena, struct str value)
{
	counts.decoded++;
	return __real_encodedword_decode(arena, value);
}

size_t
__wrap_address_parse_list(struct arena *arena, struct str text, size_t most,
	const struct address **list_out)
{
	counts.addresses++;
	return __real_address_parse_list(arena, text, most, list_out);
}

/* Judges by a script of so many rules; "%zu" in the rule is its number. */
static struct counts
judge(size_t rules, const char *test)
{
	struct world *world = world_of_message(
		STR("From: =?utf-8?q?Ad=C3=A9?= <ada@partner.example>\n"
		    "To: amy@example.org, bob@example.org\n"
		    "Subject: =?utf-8?b?TcO8bGxlcg==?=\n lunch on Tuesday\n"
		    "\n"
		    "text\n"));
	struct sieve_program *program;
	struct buf script;
	size_t i;

	buf_init(&script, BUF_UNLIMITED);
	for (i = 0; i < rules; i++)
		buf_add_format(
			&script, "if %s \"needle%zu\" { discard; }\n", test, i);
	program = world_compile(world, world_keep(&script));
	REQUIRE(program != NULL);
	counts = (struct counts){0};
	CHECK_INT(sieve_run(program, &world->settings, &world->host,
			  &world->result, &world->report, &world->err),
		SIEVE_OK);
	CHECK_STR(world_actions(world), "keep");
	return counts;
}

static const char *const tests[] = {
	"header :contains \"Subject\"",
	"header :is \"Subject\"",
	"header :comparator \"i;octet\" :matches \"Subject\"",
	"header [\"Subject\", \"X-None\"]",
	"address :domain :contains \"From\"",
	"address :localpart [\"From\", \"To\"]",
	"address :all :matches \"To\"",
};

TEST(five_hundred_tests_ask_for_no_more_memory_than_one)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(tests); i++) {
		struct counts one = judge(1, tests[i]);
		struct counts all = judge(500, tests[i]);

		CHECK(one.memory > 0);
		CHECK_UINT(all.memory, one.memory);
	}
}

TEST(five_hundred_tests_read_a_field_once)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(tests); i++) {
		struct counts one = judge(1, tests[i]);
		struct counts all = judge(500, tests[i]);

		CHECK(one.decoded + one.addresses > 0);
		CHECK_UINT(all.decoded, one.decoded);
		CHECK_UINT(all.addresses, one.addresses);
	}
}
