/* A decision as a line, and back
 *
 * SPDX-License-Identifier: MIT
 */
#include "deliver/decision.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static struct buf line;

static struct str
write_line(const struct decision *decision)
{
	buf_clear(&line);
	buf_init(&line, DECISION_LINE_MAX);
	decision_write(&line, decision);
	CHECK(!line.overflowed);
	return buf_view(&line);
}

static struct decision
write_and_read(struct arena *arena, const struct decision *decision)
{
	struct decision result;

	CHECK(decision_read(arena, write_line(decision), &result));
	return result;
}

TEST(all_of_a_decision_comes_back)
{
	struct arena *arena = arena_open();
	struct decision_script scripts[] = {{STR("/a.sieve"), STR("")},
		{STR("/b.sieve"), STR("line 3: no")}};
	struct decision_action actions[] = {{.action = STR("fileinto"),
						    .target = STR("Lists"),
						    .script = STR("/a.sieve"),
						    .line = 12,
						    .column = 3,
						    .rule = 10,
						    .result = STR("filed"),
						    .mailbox = STR("Lists"),
						    .file = STR("17.M1P2.mx"),
						    .why = STR("so")},
		{.action = STR("keep"), .is_implicit = true}};
	const struct decision given = {.time_s = 1700000000,
		.session = STR("abc"),
		.service = STR("lmtp"),
		.user = STR("amy"),
		.sender = STR("a@b"),
		.recipient = STR("amy@c"),
		.original = STR("x@c"),
		.message_id = STR("1@b"),
		.size = UINT64_MAX,
		.is_before_data = true,
		.scripts = scripts,
		.script_count = 2,
		.actions = actions,
		.action_count = 2,
		.dropped = 7,
		.outcome = STR("refused"),
		.is_repeated = true,
		.status = STR("5.7.1"),
		.error = STR("two\nlines")};
	struct decision read = write_and_read(arena, &given);

	CHECK_UINT(read.time_s, 1700000000);
	CHECK_STR_IS(read.session, "abc");
	CHECK_STR_IS(read.service, "lmtp");
	CHECK_STR_IS(read.user, "amy");
	CHECK_STR_IS(read.sender, "a@b");
	CHECK_STR_IS(read.recipient, "amy@c");
	CHECK_STR_IS(read.original, "x@c");
	CHECK_STR_IS(read.message_id, "1@b");
	CHECK(read.size == UINT64_MAX);
	CHECK(read.is_before_data && read.is_repeated);
	CHECK_UINT(read.dropped, 7);
	CHECK_STR_IS(read.outcome, "refused");
	CHECK_STR_IS(read.status, "5.7.1");
	CHECK_STR_IS(read.error, "two\nlines");
	CHECK_UINT(read.script_count, 2);
	CHECK_STR_IS(read.scripts[1].script, "/b.sieve");
	CHECK_STR_IS(read.scripts[1].error, "line 3: no");
	CHECK_UINT(read.action_count, 2);
	CHECK_STR_IS(read.actions[0].action, "fileinto");
	CHECK_STR_IS(read.actions[0].target, "Lists");
	CHECK_STR_IS(read.actions[0].script, "/a.sieve");
	CHECK_UINT(read.actions[0].line, 12);
	CHECK_UINT(read.actions[0].column, 3);
	CHECK_UINT(read.actions[0].rule, 10);
	CHECK_STR_IS(read.actions[0].result, "filed");
	CHECK_STR_IS(read.actions[0].mailbox, "Lists");
	CHECK_STR_IS(read.actions[0].file, "17.M1P2.mx");
	CHECK_STR_IS(read.actions[0].why, "so");
	CHECK(!read.actions[0].is_implicit && read.actions[1].is_implicit);
	arena_close(&arena);
}

/* Every octet, in every place where a stranger may have put it. */
TEST(no_octet_of_a_message_ends_the_line_or_its_value)
{
	char octets[256];
	size_t controls = 0, i;
	struct arena *arena = arena_open();
	struct decision_action action = {.result = STR("filed")};
	struct decision given = {.actions = &action, .action_count = 1};
	struct decision read;
	struct str view;

	for (i = 0; i < sizeof(octets); i++)
		octets[i] = (char)i;
	given.user = given.sender = given.recipient = given.error =
		str_of(octets, sizeof(octets));
	given.message_id =
		decision_message_id(arena, str_of(octets, sizeof(octets)));
	action.target = action.mailbox = action.why = given.user;
	view = write_line(&given);
	CHECK_UINT(str_find_char(view, '\n'), view.len - 1);
	for (i = 0; i + 1 < view.len; i++)
		controls += (unsigned char)view.data[i] < ' ' ||
		            view.data[i] == 0x7f;
	CHECK_UINT(controls, 0);
	CHECK(utf8_is_valid(view));
	CHECK(decision_read(arena, view, &read));
	CHECK(str_equal(read.message_id, given.message_id));
	CHECK_STR_IS(read.actions[0].result, "filed");
	CHECK_UINT(read.action_count, 1);
	arena_close(&arena);
}

TEST(a_message_id_is_one_line_without_its_brackets)
{
	struct arena *arena = arena_open();
	struct buf buf;

	CHECK_STR_IS(decision_message_id(arena, STR(" <a@b> ")), "a@b");
	CHECK_STR_IS(decision_message_id(arena, STR("\r\n\t<a@b>\r\n")), "a@b");
	CHECK_STR_IS(decision_message_id(arena, STR("a@b")), "a@b");
	CHECK_STR_IS(decision_message_id(arena, STR("<a@b> (c)")), "a@b");
	CHECK_STR_IS(decision_message_id(arena, STR("(c) < a@b >")), "a@b");
	CHECK_STR_IS(decision_message_id(arena, STR("<a@b> <c@d>")), "a@b");
	CHECK_STR_IS(decision_message_id(arena, STR("a> <b")), "a> <b");
	CHECK_STR_IS(decision_message_id(arena, STR("<>")), "");
	CHECK_STR_IS(decision_message_id(arena, STR("<")), "<");
	CHECK_STR_IS(decision_message_id(arena, STR("")), "");
	CHECK_STR_IS(decision_message_id(arena, STR("<a\377@b>")),
		"a\xef\xbf\xbd@b");
	buf_init(&buf, BUF_UNLIMITED);
	while (buf.len < 100000)
		buf_add_text(&buf, "\xc3\xa9");
	CHECK_UINT(decision_message_id(arena, buf_view(&buf)).len, 998);
	/* Asked for in its whole length it is the same. */
	CHECK(str_equal(decision_message_id(arena,
				decision_message_id(arena, buf_view(&buf))),
		decision_message_id(arena, buf_view(&buf))));
	buf_clear(&buf);
	arena_close(&arena);
}

TEST(a_file_is_known_without_its_flags)
{
	CHECK_STR_IS(
		decision_file(STR("17.M1P2.mx,S=1:2,RS")), "17.M1P2.mx,S=1");
	CHECK_STR_IS(decision_file(STR("17.M1P2.mx")), "17.M1P2.mx");
	CHECK_STR_IS(decision_file(STR(":2,S")), "");
}

/* The longest values that there can be, all to be escaped. */
TEST(the_longest_line_has_a_place_and_says_what_is_missing)
{
	enum { MANY = 2000, LONG = 5000 };
	struct arena *arena = arena_open();
	struct decision_script *scripts =
		ARENA_ARRAY(arena, struct decision_script, MANY);
	struct decision_action *actions =
		ARENA_ARRAY(arena, struct decision_action, MANY);
	char octets[LONG];
	struct str text = str_of(octets, LONG);
	struct decision given;
	struct decision read;
	size_t i;

	memset(octets, 1, sizeof(octets));
	given = (struct decision){.session = text,
		.service = text,
		.user = text,
		.sender = text,
		.recipient = text,
		.original = text,
		.message_id = text,
		.outcome = text,
		.status = text,
		.error = text,
		.scripts = scripts,
		.script_count = MANY,
		.actions = actions,
		.action_count = MANY,
		.dropped = 1};
	for (i = 0; i < MANY; i++) {
		scripts[i] = (struct decision_script){text, text};
		actions[i] = (struct decision_action){.action = text,
			.target = text,
			.script = text,
			.result = text,
			.mailbox = text,
			.file = text,
			.why = text};
	}
	read = write_and_read(arena, &given);
	CHECK(read.action_count > 0);
	CHECK_UINT(read.action_count + read.dropped, MANY + 1);
	CHECK_UINT(read.message_id.len, 998);
	CHECK_UINT(read.actions[0].why.len, 400);
	/* Short ones, but more than are read. */
	for (i = 0; i < MANY; i++)
		actions[i] = (struct decision_action){.action = STR("")};
	given.script_count = 0;
	read = write_and_read(arena, &given);
	CHECK_UINT(read.action_count, DECISION_ACTIONS_MAX);
	CHECK_UINT(read.action_count + read.dropped, MANY + 1);
	arena_close(&arena);
}

TEST(what_is_no_line_is_no_decision)
{
	static const char *const wrong[] = {"", "\n", "{", "{}", "[]", "null",
		"{\"user\":\"amy\"}", "{\"time\":", "{\"time\":1",
		"{\"time\":1,\"user\":\"amy", "{\"time\":1} x",
		"{\"time\":1,\"actions\":[{]}", "{\"time\":1,}}",
		" {\"time\":\"\\u12", "{\"time\":{\"time\":1"};
	struct arena *arena = arena_open();
	struct decision decision;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(wrong); i++)
		CHECK(!decision_read(arena, str_from(wrong[i]), &decision));
	arena_close(&arena);
}

TEST(what_is_strange_in_a_line_is_passed_over)
{
	struct arena *arena = arena_open();
	struct decision decision;

	CHECK(decision_read(arena,
		STR("{\"time\":-1,\"user\":7,\"size\":\"x\",\"new\":{\"user\":"
		    "\"bob\",\"a\":[[1]]},\"actions\":[1,[2],{\"line\":\"y\","
		    "\"action\":{\"action\":\"z\"}}],\"sender\":\"a@b\"}"),
		&decision));
	CHECK_UINT(decision.time_s, 0);
	CHECK_STR_IS(decision.user, "");
	CHECK_STR_IS(decision.sender, "a@b");
	CHECK_UINT(decision.actions[decision.action_count - 1].line, 0);
	arena_close(&arena);
}

TEST(a_line_that_was_cut_off_spoils_no_other)
{
	struct arena *arena = arena_open();
	const struct decision given = {.time_s = 9, .user = STR("amy")};
	struct str whole = write_line(&given);
	struct decision decision;
	size_t cut;

	for (cut = 0; cut < whole.len; cut++) {
		const char *both = arena_format(arena, "%.*s%.*s", (int)cut,
			whole.data, STR_ARG(whole));

		CHECK(decision_read(arena, str_from(both), &decision));
		CHECK_STR_IS(decision.user, "amy");
		CHECK_UINT(decision.time_s, 9);
	}
	arena_close(&arena);
}
