/* The bytes of a child: what is whole is read, all else refused
 *
 * SPDX-License-Identifier: MIT
 */
#include "engine/answer.h"

#include "tests/lib/test.h"

#include "base/banned.h"

static const struct sieve_settings few = {.max_actions = 3, .max_redirects = 1};

/* "keep; fileinto ..." or "refused: WHY", of these bytes. */
static const char *
read_bytes(struct arena *arena, struct str bytes)
{
	struct answer answer;
	struct err err;
	struct buf text;
	const char *copy;
	size_t i;

	if (answer_read(arena, bytes, "s", &few, &answer, &err) < 0)
		return arena_format(arena, "refused: %s", err.detail);
	buf_init(&text, BUF_UNLIMITED);
	for (i = 0; i < answer.count; i++) {
		buf_add(&text, sieve_action_text(arena, &answer.actions[i]));
		buf_add_char(&text, ';');
	}
	for (i = 0; i < answer.problem_count; i++)
		buf_add_format(&text, "%u:%s;", answer.problems[i].line,
			answer.problems[i].text);
	copy = arena_text(arena, buf_view(&text));
	buf_clear(&text);
	return copy;
}

/* `kinds` one after the other, all with this value. */
static void
check(const char *kinds, const char *value, const char *expected)
{
	struct arena *arena = arena_open();
	struct buf bytes;

	buf_init(&bytes, BUF_UNLIMITED);
	for (; *kinds != '\0'; kinds++)
		answer_add(&bytes, (enum answer_kind) * kinds,
			*kinds == ANSWER_KEEP || *kinds == ANSWER_DISCARD ||
					*kinds == ANSWER_END
				? STR_EMPTY
				: str_from(value));
	CHECK_STR(read_bytes(arena, buf_view(&bytes)), expected);
	buf_clear(&bytes);
	arena_close(&arena);
}

TEST(actions_are_read_in_their_order)
{
	check("E", "", "");
	check("KE", "", "keep;");
	check("DFRE", "a@b.example",
		"discard;fileinto \"a@b.example\";redirect \"a@b.example\";");
}

TEST(flags_belong_to_the_action_before_them)
{
	check("KGE", "\\Seen", "keep flags=\"\\\\Seen\";");
	check("FGGE", "a", "fileinto \"a\" flags=\"a\";");
	check("GE", "a", "refused: a flag of nothing");
	check("DGE", "a", "refused: a flag of nothing");
	check("KGE", "a b", "keep;");
	check("KGE", "\\", "keep;");
}

TEST(an_answer_without_its_end_is_half)
{
	check("", "", "refused: half an answer");
	check("K", "", "refused: half an answer");
	check("KEK", "", "refused: an answer that goes on");
}

TEST(a_record_that_is_cut_is_half)
{
	struct arena *arena = arena_open();

	CHECK_STR(read_bytes(arena, STR("F\0\0\0\4abc")),
		"refused: half an answer");
	CHECK_STR(read_bytes(arena, STR("F\xff\xff\xff\xff"
					"abc")),
		"refused: half an answer");
	CHECK_STR(read_bytes(arena, STR("F\0\0")), "refused: half an answer");
	CHECK_STR(read_bytes(arena, STR("P\0\0\0\3abc")),
		"refused: half an answer");
	CHECK_STR(read_bytes(arena, STR("K\0\0\0\1x")),
		"refused: an action with a value it cannot have");
	CHECK_STR(read_bytes(arena, STR("x\0\0\0\0")),
		"refused: an answer nobody knows");
	arena_close(&arena);
}

TEST(names_and_addresses_are_checked)
{
	check("FE", "", "refused: fileinto: that is no mailbox name");
	check("FE", "a\nb", "refused: fileinto: that is no mailbox name");
	check("FE", "\xff", "refused: fileinto: that is no mailbox name");
	check("RE", "Amy <amy@b.example>", "redirect \"amy@b.example\";");
	check("RE", "amy", "refused: redirect: that is no address");
	check("RE", "a@b.example, c@d.example",
		"refused: redirect: that is no address");
	check("RE", "a@b.example\r\n", "redirect \"a@b.example\";");
}

TEST(the_limits_on_actions_hold)
{
	check("DDDE", "", "discard;discard;discard;");
	check("DDDDE", "", "refused: too many actions");
	check("RRE", "a@b.example", "refused: too many redirects");
}

TEST(problems_are_clean_text)
{
	struct arena *arena = arena_open();
	struct buf bytes;

	buf_init(&bytes, BUF_UNLIMITED);
	answer_add_problem(&bytes, 7, STR("bad\x1b[0m\xff"));
	answer_add(&bytes, ANSWER_END, STR_EMPTY);
	CHECK_STR(read_bytes(arena, buf_view(&bytes)), "7:bad?[0m?;");
	buf_clear(&bytes);
	arena_close(&arena);
}
