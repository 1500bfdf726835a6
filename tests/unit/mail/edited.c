/* SPDX-License-Identifier: MIT */
#include "mail/edited.h"

#include "base/buf.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static const struct message_limits limits = {
	.memory_bytes = 1 << 20,
	.header_bytes = 1 << 24,
	.header_fields = 2000000,
};

static struct arena *arena;
static struct message *message;

static struct edited *
edit(struct str bytes)
{
	struct err err;

	arena_close(&arena);
	message_close(&message);
	arena = arena_open();
	REQUIRE(message_open_bytes(bytes, &limits, &message, &err) == 0);
	return edited_of(arena, message);
}

static void
done(void)
{
	arena_close(&arena);
	message_close(&message);
}

static struct str
read_text(const struct content *content, enum line_ends line_ends)
{
	struct content_reader reader;
	char buffer[4096];
	enum lookup found;
	struct str chunk, text;
	struct buf buf;
	struct err err;

	buf_init(&buf, BUF_UNLIMITED);
	content_reader_init(
		&reader, content, line_ends, buffer, sizeof(buffer));
	while ((found = content_read(&reader, &chunk, &err)) == LOOKUP_FOUND)
		buf_add(&buf, chunk);
	CHECK_INT(found, LOOKUP_NONE);
	text = arena_copy(arena, buf_view(&buf));
	buf_clear(&buf);
	return text;
}

/* Its size has to be the one it says, too. */
static void
check_text(const struct edited *edited, const char *expected)
{
	const struct content *content = edited_content(arena, edited);
	uint64_t size = 0;
	struct err err;

	CHECK_STR_IS(read_text(content, LINE_ENDS_LF), expected);
	REQUIRE(edited_size_crlf(edited, &size, &err) == 0);
	CHECK_UINT(size, read_text(content, LINE_ENDS_CRLF).len);
}

static void
delete_all(struct edited *edited, struct str name)
{
	const struct header_field *field = NULL;

	while ((field = edited_field_next(edited, name, field)) != NULL)
		edited_delete(edited, field);
}

static void
check_fields(const struct edited *edited, struct str name, const char *expected)
{
	const struct header_field *field = NULL;
	struct buf buf;

	buf_init(&buf, BUF_UNLIMITED);
	for (;;) {
		field = name.len > 0 ? edited_field_next(edited, name, field)
		                     : edited_field_after(edited, field);
		if (field == NULL)
			break;
		buf_add(&buf, str_trim(field->value));
		buf_add_char(&buf, ' ');
	}
	CHECK_STR(buf_text(&buf), expected);
	buf_clear(&buf);
}

TEST(what_nobody_has_changed_is_the_message)
{
	check_text(edit(STR("A: 1\nB: 2\n\nbody\n")), "A: 1\nB: 2\n\nbody\n");
	check_text(edit(STR("")), "");
	check_text(edit(STR("\nbody")), "\nbody");
	check_text(edit(STR("From me Mon\nA: 1\n\n")), "A: 1\n\n");
	done();
}

TEST(fields_are_added_on_top_and_at_the_end)
{
	struct edited *edited = edit(STR("A: 1\n\nbody\n"));

	edited_add(edited, STR("X"), STR("2"), false);
	edited_add(edited, STR("X"), STR("3\n\tfolded"), false);
	edited_add(edited, STR("Y"), STR("4"), true);
	edited_add(edited, STR("Y"), STR(""), true);
	check_text(edited, "X: 3\n\tfolded\nX: 2\nA: 1\nY: 4\nY: \n\nbody\n");
	check_fields(edited, STR(""), "3\n\tfolded 2 1 4  ");
	done();
}

TEST(a_field_keeps_its_pointer)
{
	struct edited *edited = edit(STR("A: 1\nB: 2\n\n"));

	edited_add(edited, STR("X"), STR("2"), false);
	CHECK(edited_field_next(edited, STR("b"), NULL) ==
		message_field_next(message, STR("B"), NULL));
	done();
}

TEST(fields_of_a_name_come_in_the_order_of_the_header)
{
	struct edited *edited = edit(STR("a: 1\nB: 2\nA: 3\nB: 4\n\n"));

	edited_add(edited, STR("A"), STR("5"), false);
	edited_add(edited, STR("b"), STR("6"), true);
	check_fields(edited, STR("A"), "5 1 3 ");
	check_fields(edited, STR("b"), "2 4 6 ");
	check_fields(edited, STR("C"), "");
	edited_delete(edited, message_field_next(message, STR("A"), NULL));
	check_fields(edited, STR("A"), "5 3 ");
	done();
}

TEST(what_is_deleted_is_no_longer_there)
{
	struct edited *edited =
		edit(STR("A: 1\n 1\njunk\nB: 2\nA: 3\nC: 4\n\nA: body\n"));

	delete_all(edited, STR("A"));
	check_text(edited, "junk\nB: 2\nC: 4\n\nA: body\n");
	delete_all(edited, STR("C"));
	delete_all(edited, STR("C"));
	check_text(edited, "junk\nB: 2\n\nA: body\n");
	edited_add(edited, STR("A"), STR("5"), false);
	edited_add(edited, STR("A"), STR("6"), true);
	edited_add(edited, STR("A"), STR("7"), true);
	delete_all(edited, STR("A"));
	check_text(edited, "junk\nB: 2\n\nA: body\n");
	check_fields(edited, STR(""), "2 ");
	done();
}

TEST(line_ends_of_the_message_do_not_matter)
{
	struct edited *edited = edit(STR("A: 1\r\nB: 2\nC: 3\r\n\r\nx\ry\r\n"));

	edited_add(edited, STR("X"), STR("4"), true);
	edited_delete(edited, message_field_next(message, STR("B"), NULL));
	check_text(edited, "A: 1\nC: 3\nX: 4\n\nx\ry\n");
	edited_delete(edited, message_field_next(message, STR("C"), NULL));
	check_text(edited, "A: 1\nX: 4\n\nx\ry\n");
	done();
}

TEST(a_message_without_a_body_gets_the_line_end_it_lacks)
{
	struct edited *edited = edit(STR("A: 1"));

	edited_add(edited, STR("X"), STR("2"), true);
	check_text(edited, "A: 1\nX: 2\n");
	delete_all(edited, STR("A"));
	check_text(edited, "X: 2\n");
	edited = edit(STR("A: 1"));
	edited_add(edited, STR("X"), STR("2"), false);
	check_text(edited, "X: 2\nA: 1");
	edited = edit(STR(""));
	edited_add(edited, STR("X"), STR("2"), true);
	check_text(edited, "X: 2\n");
	done();
}

TEST(a_copy_goes_its_own_way)
{
	struct edited *edited = edit(STR("A: 1\nA: 2\n\n")), *copy;

	edited_add(edited, STR("X"), STR("3"), false);
	copy = edited_copy(arena, edited);
	delete_all(copy, STR("A"));
	delete_all(copy, STR("X"));
	edited_add(copy, STR("Y"), STR("4"), true);
	check_text(copy, "Y: 4\n\n");
	check_text(edited, "X: 3\nA: 1\nA: 2\n\n");
	done();
}

TEST(a_body_takes_the_place_of_the_message_s)
{
	struct edited *edited = edit(STR("A: 1\nB: 2\n\nold\n"));
	struct content_piece pieces[] = {
		{.is_text = true, .text = STR("new\n")},
		{.from = 11, .to = 15},
	};

	edited_delete(edited, message_field_next(message, STR("B"), NULL));
	edited_set_body(edited, pieces, 2);
	check_text(edited, "A: 1\n\nnew\nold\n");
	done();
}

TEST(a_header_without_line_end_gets_one_before_a_new_body)
{
	struct edited *edited = edit(STR("A: 1"));
	struct content_piece piece = {.is_text = true, .text = STR("new")};

	edited_set_body(edited, &piece, 1);
	check_text(edited, "A: 1\n\nnew");
	done();
}

/* Linear: with a walk for each of them this would take minutes. */
TEST(a_hundred_thousand_additions_and_deletions)
{
	struct edited *edited = edit(STR("A: 1\n\n"));
	size_t i;

	for (i = 0; i < 100 * 1000; i++)
		edited_add(edited, STR("X"), STR("y"), i % 2 > 0);
	CHECK_UINT(edited_field_count(edited), 100 * 1000 + 1);
	CHECK_UINT(edited_content(arena, edited)->count, 4);
	delete_all(edited, STR("X"));
	check_text(edited, "A: 1\n\n");
	done();
}

TEST(one_of_a_million_fields_is_deleted)
{
	const struct header_field *field = NULL;
	struct edited *edited;
	struct buf buf;
	size_t i;

	buf_init(&buf, BUF_UNLIMITED);
	for (i = 0; i < 1000 * 1000; i++)
		buf_add_text(&buf, "X: y\n");
	edited = edit(buf_view(&buf));
	for (i = 0; i <= 500 * 1000; i++)
		field = edited_field_next(edited, STR("X"), field);
	edited_delete(edited, field);
	CHECK_UINT(edited_content(arena, edited)->count, 2);
	CHECK_UINT(read_text(edited_content(arena, edited), LINE_ENDS_LF).len,
		buf.len - 5);
	buf_clear(&buf);
	done();
}

TEST(a_message_is_enclosed_in_a_new_one)
{
	struct edited *edited = edit(STR("A: 1\nB: 2\n\nold\n"));

	edited_add(edited, STR("X"), STR("0"), false);
	edited_delete(edited, message_field_next(message, STR("B"), NULL));
	edited_enclose(edited, STR("--\n"), STR("--.\n"));
	check_fields(edited, STR(""), "");
	CHECK_UINT(edited_field_count(edited), 0);
	edited_add(edited, STR("N"), STR("1"), true);
	check_text(edited, "N: 1\n\n--\nX: 0\nA: 1\n\nold\n--.\n");
	edited_enclose(edited, STR("2\n"), STR(""));
	edited_add(edited, STR("M"), STR("2"), true);
	check_text(edited, "M: 2\n\n2\nN: 1\n\n--\nX: 0\nA: 1\n\nold\n--.\n");
	done();
}

/* Positions are those of the digits. */
TEST(ranges_of_the_body_are_replaced_by_where_they_were)
{
	struct edited *edited = edit(STR("A: 1\n\n0123456789"));

	edited_mark_body(edited, 0);
	CHECK(edited_replace(edited, 3, 5, STR("abc")));
	check_text(edited, "A: 1\n\n012abc56789");
	CHECK(edited_replace(edited, 7, 8, STR("")));
	CHECK(edited_replace(edited, 5, 6, STR("x")));
	check_text(edited, "A: 1\n\n012abcx689");
	/* The same one again. */
	CHECK(edited_replace(edited, 7, 8, STR("seven")));
	CHECK(edited_replace(edited, 3, 5, STR("-")));
	check_text(edited, "A: 1\n\n012-x6seven89");
	/* What lies around several of them. */
	CHECK(edited_replace(edited, 2, 8, STR("?")));
	check_text(edited, "A: 1\n\n01?89");
	CHECK(!edited_replace(edited, 3, 5, STR("gone")));
	CHECK(edited_replace(edited, 0, 1, STR("<")));
	CHECK(edited_replace(edited, 9, 10, STR(">")));
	check_text(edited, "A: 1\n\n<1?8>");
	CHECK(edited_replace(edited, 0, 10, STR("all")));
	check_text(edited, "A: 1\n\nall");
	done();
}

TEST(ranges_are_counted_anew_after_a_new_mark)
{
	struct edited *edited = edit(STR("A: 1\n\n0123456789"));

	edited_mark_body(edited, 100);
	CHECK(edited_replace(edited, 103, 105, STR("abcdef")));
	edited_mark_body(edited, 50);
	CHECK(edited_replace(edited, 54, 56, STR("-")));
	check_text(edited, "A: 1\n\n012a-def56789");
	done();
}

TEST(an_enclosed_body_is_known_by_its_places_still)
{
	struct edited *edited = edit(STR("A: 1\n\n0123456789"));

	edited_mark_body(edited, 0);
	CHECK(edited_replace(edited, 3, 5, STR("a")));
	edited_enclose(edited, STR("<\n"), STR(">\n"));
	CHECK(edited_replace(edited, 0, 1, STR("b")));
	CHECK(edited_replace(edited, 9, 10, STR("c")));
	check_text(edited, "\n<\nA: 1\n\nb12a5678c>\n");
	CHECK(edited_replace(edited, 3, 5, STR("d")));
	check_text(edited, "\n<\nA: 1\n\nb12d5678c>\n");
	done();
}

TEST(a_copy_has_a_body_of_its_own)
{
	struct edited *edited = edit(STR("A: 1\n\n0123456789")), *copy;

	edited_mark_body(edited, 0);
	CHECK(edited_replace(edited, 3, 5, STR("a")));
	copy = edited_copy(arena, edited);
	CHECK(edited_replace(copy, 0, 1, STR("b")));
	CHECK(edited_replace(edited, 9, 10, STR("c")));
	check_text(copy, "A: 1\n\nb12a56789");
	check_text(edited, "A: 1\n\n012a5678c");
	done();
}
