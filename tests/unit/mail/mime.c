/* SPDX-License-Identifier: MIT */
#include "mail/mime.h"

#include "base/buf.h"
#include "tests/lib/test.h"

#include "base/banned.h"

/* Bytes that are not at hand: they come in reads that are counted. */
struct far {
	struct str bytes;
	size_t most;      /* of one read; 0: as many as are asked for */
	uint64_t failing; /* reads from here on fail; 0: none */
	uint64_t *reads, *read_bytes;
};

static bool
view_nothing(const void *object UNUSED, uint64_t from UNUSED,
	uint64_t to UNUSED, struct str *view_out UNUSED)
{
	return false;
}

static bool
view_all(const void *object, uint64_t from, uint64_t to, struct str *view_out)
{
	const struct far *far = object;

	*view_out = str_slice(far->bytes, (size_t)from, (size_t)to);
	return true;
}

static ssize_t
read_far(const void *object, void *bytes, size_t size, uint64_t offset,
	struct err *err)
{
	const struct far *far = object;
	struct str rest = str_skip(far->bytes, (size_t)offset);

	if (far->failing > 0 && offset >= far->failing)
		return err_temp(err, "4.3.0", "cannot read");
	if (far->most > 0 && size > far->most)
		size = far->most;
	rest = str_slice(rest, 0, size);
	memcpy(bytes, rest.data, rest.len);
	if (far->reads != NULL)
		++*far->reads;
	if (far->read_bytes != NULL)
		*far->read_bytes += rest.len;
	return (ssize_t)rest.len;
}

static struct mime_source
source_of(const struct far *far, bool is_at_hand)
{
	return (struct mime_source){
		.object = far,
		.end = far->bytes.len,
		.view = is_at_hand ? view_all : view_nothing,
		.read = read_far,
	};
}

/* ---- what was found, as text ---- */

static void
add_range(struct buf *buf, struct str bytes, uint64_t from, uint64_t to)
{
	struct str range = str_slice(bytes, (size_t)from, (size_t)to);
	size_t i;

	buf_add_char(buf, '[');
	for (i = 0; i < range.len; i++)
		if (range.data[i] == '\n')
			buf_add_char(buf, '$');
		else if (range.data[i] != '\r')
			buf_add_char(buf, range.data[i]);
	buf_add_char(buf, ']');
}

/* "+type/subtype[body]" of a leaf, "+type/subtype[prologue][epilogue]" of a
 * multipart, "+message/rfc822" of a nested message, one "+" for each level;
 * "-" in front of a body that no empty line announces. */
static void
add_part(struct buf *buf, struct str bytes, const struct mime_part *part)
{
	size_t i;

	for (i = 0; i < part->depth; i++)
		buf_add_char(buf, '+');
	buf_add(buf, part->type);
	buf_add_char(buf, '/');
	buf_add(buf, part->subtype);
	if (!part->has_body)
		buf_add_char(buf, '-');
	if (part->is_multipart) {
		add_range(buf, bytes, part->body, part->prologue_end);
		if (part->has_epilogue)
			add_range(buf, bytes, part->epilogue, part->end);
	} else if (!part->is_message) {
		add_range(buf, bytes, part->body, part->end);
	}
	buf_add_char(buf, '\n');
}

static void
check_tree(const struct mime *mime)
{
	size_t i;

	CHECK(mime->count > 0);
	for (i = 0; i < mime->count; i++) {
		const struct mime_part *part = &mime->parts[i];
		const struct mime_part *parent = &mime->parts[part->parent];

		REQUIRE(part->header <= part->body && part->body <= part->end);
		REQUIRE(part->body <= part->prologue_end &&
			part->prologue_end <= part->end);
		REQUIRE(!part->has_epilogue ||
			(part->prologue_end <= part->epilogue &&
				part->epilogue <= part->end));
		REQUIRE(part->next > i && part->next <= mime->count);
		if (i == 0)
			continue;
		REQUIRE(part->parent < i && part->next <= parent->next);
		REQUIRE(part->depth == parent->depth + 1);
		REQUIRE(part->header >= parent->body &&
			part->end <= parent->end);
	}
}

static struct mime *
parse(struct arena *arena, const struct mime_source *source,
	const struct mime_limits *limits)
{
	struct mime *mime = NULL;
	struct err err;

	REQUIRE(mime_parse(arena, source, limits, &mime, &err) == 0);
	check_tree(mime);
	return mime;
}

static const char *
tree(struct arena *arena, struct str bytes, size_t most, bool is_at_hand,
	const struct mime_limits *limits)
{
	struct far far = {.bytes = bytes, .most = most};
	struct mime_source source = source_of(&far, is_at_hand);
	struct mime *mime = parse(arena, &source, limits);
	struct buf buf;
	size_t i;
	char *text;

	buf_init(&buf, BUF_UNLIMITED);
	for (i = 0; i < mime->count; i++)
		add_part(&buf, bytes, &mime->parts[i]);
	text = arena_text(arena, buf_view(&buf));
	buf_clear(&buf);
	return text;
}

static struct str
with_crlf(struct arena *arena, struct str text)
{
	struct buf buf;
	size_t i;

	buf_init(&buf, BUF_UNLIMITED);
	for (i = 0; i < text.len; i++) {
		if (text.data[i] == '\n')
			buf_add_char(&buf, '\r');
		buf_add_char(&buf, text.data[i]);
	}
	text = arena_copy(arena, buf_view(&buf));
	buf_clear(&buf);
	return text;
}

/* With both line ends, at hand, in large reads and byte by byte. */
static void
check_limited(const char *text, const char *expected,
	const struct mime_limits *limits)
{
	struct arena *arena = arena_open();
	struct str forms[] = {str_from(text), with_crlf(arena, str_from(text))};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(forms); i++) {
		CHECK_STR(tree(arena, forms[i], 0, true, limits), expected);
		CHECK_STR(tree(arena, forms[i], 0, false, limits), expected);
		CHECK_STR(tree(arena, forms[i], 1, false, limits), expected);
		CHECK_STR(tree(arena, forms[i], 7, false, limits), expected);
	}
	arena_close(&arena);
}

static void
check(const char *text, const char *expected)
{
	const struct mime_limits limits = {.parts = 0};

	check_limited(text, expected, &limits);
}

/* ---- shapes ---- */

TEST(a_message_without_mime_is_one_text)
{
	check("Subject: x\n\nhello\n", "text/plain[hello$]\n");
	check("\nhello", "text/plain[hello]\n");
	check("Subject: x\n\n", "text/plain[]\n");
	check("Subject: x\n", "text/plain-[]\n");
	check("Subject: x", "text/plain-[]\n");
	check("", "text/plain-[]\n");
}

/* RFC 2045 5.2: what cannot be read is text/plain. */
TEST(a_type_that_cannot_be_read_is_text)
{
	check("Content-Type: text\n\nx", "text/plain[x]\n");
	check("Content-Type:\n\nx", "text/plain[x]\n");
	check("Content-Type: ; charset=utf-8\n\nx", "text/plain[x]\n");
	check("content-TYPE : IMAGE/PNG\n\nx", "image/png[x]\n");
	check("Content-Type: a/b\nContent-Type: c/d\n\nx", "a/b[x]\n");
	check("X: y\n Content-Type: a/b\n\nx", "text/plain[x]\n");
	check("Content-Type:\n a/b\n\nx", "a/b[x]\n");
}

/* RFC 2046 5.1.1: the line end before a boundary belongs to it. */
TEST(a_multipart_has_parts_a_prologue_and_an_epilogue)
{
	check("Content-Type: multipart/mixed; boundary=b\n\n"
	      "pro\nlogue\n--b\n\none\n--b \t\nContent-Type: a/b\n\ntwo\n\n"
	      "--b-- \nepi\nlogue\n",
		"multipart/mixed[pro$logue][epi$logue$]\n"
		"+text/plain[one]\n"
		"+a/b[two$]\n");
	check("Content-Type: multipart/mixed; boundary=b\n\n--b\n\n--b--",
		"multipart/mixed[][]\n+text/plain[]\n");
	check("Content-Type: multipart/mixed; boundary=b\n\n--b--\n",
		"multipart/mixed[][]\n");
}

TEST(a_part_may_end_within_its_header)
{
	check("Content-Type: multipart/mixed; boundary=b\n\n"
	      "--b\nContent-Type: a/b\n--b\n--b\n\n--b--",
		"multipart/mixed[][]\n+a/b-[]\n+text/plain-[]\n"
		"+text/plain[]\n");
}

TEST(boundaries_that_are_never_closed_end_with_what_is_around)
{
	check("Content-Type: multipart/mixed; boundary=b\n\nx\n",
		"multipart/mixed[x$]\n");
	check("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n",
		"multipart/mixed[]\n+text/plain[x$]\n");
	check("Content-Type: multipart/mixed; boundary=o\n\n--o\n"
	      "Content-Type: multipart/alternative; boundary=i\n\n--i\n\nx\n"
	      "--o\n\ny\n--o--\n",
		"multipart/mixed[][]\n+multipart/alternative[]\n"
		"++text/plain[x]\n+text/plain[y]\n");
}

TEST(a_multipart_without_a_boundary_is_one_whole)
{
	check("Content-Type: multipart/mixed\n\n--\n\nx",
		"multipart/mixed[--$$x]\n");
	check("Content-Type: multipart/mixed; boundary=\"\"\n\n--\n\nx",
		"multipart/mixed[--$$x]\n");
}

/* RFC 2046 5.1.2 */
TEST(a_boundary_may_begin_with_another)
{
	check("Content-Type: multipart/mixed; boundary=b\n\n--b\n"
	      "Content-Type: multipart/mixed; boundary=bb\n\n--bb\n\nx\n"
	      "--bb--\n--b\n\ny\n--b--\n",
		"multipart/mixed[][]\n+multipart/mixed[][]\n"
		"++text/plain[x]\n+text/plain[y]\n");
	check("Content-Type: multipart/mixed; boundary=bb\n\n--bb\n"
	      "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n"
	      "--b--\n--bb\n\ny\n--bb--\n",
		"multipart/mixed[][]\n+multipart/mixed[][]\n"
		"++text/plain[x]\n+text/plain[y]\n");
	check("Content-Type: multipart/mixed; boundary=b\n\n--b trailing\n\nx\n"
	      "--b--trailing\ny",
		"multipart/mixed[][y]\n+text/plain[x]\n");
}

TEST(a_boundary_right_behind_a_header_takes_no_line_end)
{
	check("Content-Type: multipart/mixed; boundary=a\n\n--a\n"
	      "Content-Type: message/rfc822\n\n"
	      "Content-Type: multipart/mixed; boundary=b\n\n--a\n\nx\n--a--",
		"multipart/mixed[][]\n+message/rfc822\n++multipart/mixed[]\n"
		"+text/plain[x]\n");
}

/* RFC 2046 5.1.1 allows 70 characters. */
TEST(a_boundary_that_is_too_long_divides_nothing)
{
	struct arena *arena = arena_open();
	char longest[512 + 1] = {0};
	size_t i;

	memset(longest, 'b', sizeof(longest) - 1);
	for (i = 0; i < 2; i++)
		check(arena_format(arena,
			      "Content-Type: multipart/mixed; "
			      "boundary=%s%s\n\n--%s%s\n\nx",
			      longest, i > 0 ? "b" : "", longest,
			      i > 0 ? "b" : ""),
			i > 0 ? arena_format(arena,
					"multipart/mixed[--%sb$$x]\n", longest)
			      : "multipart/mixed[]\n+text/plain[x]\n");
	arena_close(&arena);
}

TEST(an_inner_boundary_may_be_that_of_the_outer)
{
	check("Content-Type: multipart/mixed; boundary=b\n\n--b\n"
	      "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n"
	      "--b--\n--b\n\ny\n--b--\n",
		"multipart/mixed[][]\n+multipart/mixed[][]\n"
		"++text/plain[x]\n+text/plain[y]\n");
}

TEST(a_closed_boundary_divides_no_more)
{
	check("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b--\n"
	      "--b\n\ny\n",
		"multipart/mixed[][--b$$y$]\n+text/plain[x]\n");
}

TEST(a_nested_message_is_divided)
{
	check("Content-Type: message/rfc822\n\nSubject: in\n"
	      "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b--\n",
		"message/rfc822\n+multipart/mixed[][]\n++text/plain[x]\n");
	check("Content-Type: multipart/digest; boundary=b\n\n--b\n\n"
	      "Subject: in\n\nx\n--b\nContent-Type: text/plain\n\ny\n--b--\n",
		"multipart/digest[][]\n+message/rfc822\n++text/plain[x]\n"
		"+text/plain[y]\n");
	check("Content-Type: message/global\n\nSubject: in\n",
		"message/global\n+text/plain-[]\n");
}

/* RFC 2046 5.2.1 forbids it. */
TEST(a_nested_message_that_is_encoded_is_not_divided)
{
	check("Content-Type: message/rfc822\n"
	      "Content-Transfer-Encoding: base64\n\neDogeQoK\n",
		"message/rfc822[eDogeQoK$]\n");
	check("Content-Type: message/partial\n\nx: y\n\nz",
		"message/partial[x: y$$z]\n");
}

TEST(charset_and_encoding_are_told)
{
	struct arena *arena = arena_open();
	struct far far = {.bytes = STR("Content-Transfer-Encoding: BASE64\n"
				       "Content-Transfer-Encoding: 7bit\n"
				       "Content-Type: text/plain; "
				       "charset=\"ISO-8859-1\"\n\nx")};
	struct mime_source source = source_of(&far, true);
	struct mime_limits limits = {.parts = 0};
	struct mime *mime = parse(arena, &source, &limits);

	CHECK_STR_IS(mime->parts[0].charset, "iso-8859-1");
	CHECK_INT(mime->parts[0].encoding, TRANSFER_BASE64);
	CHECK(!mime->is_cut);
	arena_close(&arena);
}

/* ---- limits ---- */

TEST(beyond_the_limit_of_parts_all_belongs_to_the_last)
{
	const struct mime_limits limits = {.parts = 2};

	check_limited("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n"
		      "--b\n\ny\n--b--\nz",
		"multipart/mixed[]\n+text/plain[x$--b$$y$--b--$z]\n", &limits);
}

TEST(beyond_the_limit_of_depth_nothing_is_divided)
{
	const struct mime_limits limits = {.depth = 1};

	check_limited("Content-Type: multipart/mixed; boundary=o\n\n--o\n"
		      "Content-Type: multipart/mixed; boundary=i\n\n--i\n\nx\n"
		      "--i--\n--o\n\ny\n--o--\n",
		"multipart/mixed[][]\n+multipart/mixed[--i$$x$--i--]\n"
		"+text/plain[y]\n",
		&limits);
	check_limited("Content-Type: multipart/digest; boundary=o\n\n--o\n\n"
		      "A: b\n\nx\n--o--\n",
		"multipart/digest[][]\n+message/rfc822[A: b$$x]\n", &limits);
}

TEST(what_cannot_be_read_is_an_error)
{
	struct arena *arena = arena_open();
	struct far far = {
		.bytes = STR("Content-Type: multipart/mixed; boundary=b\n\n"
			     "--b\n\nx\n"),
		.most = 10,
		.failing = 20,
	};
	struct mime_source source = source_of(&far, false);
	struct mime_limits limits = {.parts = 0};
	struct mime *mime;
	struct err err;

	CHECK_INT(mime_parse(arena, &source, &limits, &mime, &err), -1);
	far.failing = 0;
	source.end++;
	CHECK_INT(mime_parse(arena, &source, &limits, &mime, &err), -1);
	arena_close(&arena);
}

/* ---- hostile messages: what they cost is counted ---- */

struct cost {
	uint64_t reads, read_bytes, work;
	size_t memory, parts;
};

static struct cost
cost_of(struct buf *message, const struct mime_limits *limits)
{
	struct arena *arena = arena_open();
	struct cost cost = {0};
	struct far far = {.bytes = buf_view(message),
		.reads = &cost.reads,
		.read_bytes = &cost.read_bytes};
	struct mime_source source = source_of(&far, false);
	struct mime *mime = parse(arena, &source, limits);

	cost.work = mime->work;
	cost.memory = arena_used(arena);
	cost.parts = mime->count;
	CHECK(cost.read_bytes <= message->len);
	CHECK(cost.reads <= message->len / (32 * 1024) + 2);
	arena_close(&arena);
	buf_clear(message);
	return cost;
}

/* Another boundary on each level, and none is closed. */
static void
add_levels(struct buf *message, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		buf_add_format(message,
			"Content-Type: multipart/mixed; boundary=b%zu.\n\n"
			"--b%zu.\n",
			i, i);
	buf_add_text(message, "\nx\n");
}

TEST(ten_thousand_levels_cost_in_proportion_to_their_bytes)
{
	enum { LEVELS = 10000 };
	const struct mime_limits limits = {
		.depth = LEVELS + 1, .parts = 2 * LEVELS};
	struct buf message;
	struct cost cost;
	size_t i, len;

	buf_init(&message, BUF_UNLIMITED);
	add_levels(&message, LEVELS);
	/* Every line of the text could be a boundary of each level. */
	for (i = 0; i < LEVELS; i++)
		buf_add_text(&message, "--b\n--c\n--\n--b1\n--b1x\n\n");
	len = message.len;
	cost = cost_of(&message, &limits);
	CHECK(cost.parts > LEVELS);
	CHECK(cost.work <= 20 * (uint64_t)len);
	CHECK(cost.memory <= 8 * len);
}

TEST(ten_thousand_levels_stop_at_the_usual_limit)
{
	const struct mime_limits limits = {.parts = 0};
	struct buf message;
	struct cost cost;

	buf_init(&message, BUF_UNLIMITED);
	add_levels(&message, 10000);
	cost = cost_of(&message, &limits);
	CHECK_UINT(cost.parts, 101);
	CHECK(cost.memory <= 64 * 1024);
}

TEST(ten_thousand_nested_messages_stop_at_the_usual_limit)
{
	const struct mime_limits limits = {.parts = 0};
	struct buf message;
	size_t i;

	buf_init(&message, BUF_UNLIMITED);
	for (i = 0; i < 10000; i++)
		buf_add_text(&message, "Content-Type: message/rfc822\n\n");
	CHECK_UINT(cost_of(&message, &limits).parts, 101);
}

TEST(a_million_parts_stop_at_the_usual_limit)
{
	const struct mime_limits limits = {.parts = 0};
	struct buf message;
	struct cost cost;
	size_t i;

	buf_init(&message, BUF_UNLIMITED);
	buf_add_text(&message, "Content-Type: multipart/mixed; boundary=b\n\n");
	for (i = 0; i < 1000 * 1000; i++)
		buf_add_text(&message, "--b\n");
	cost = cost_of(&message, &limits);
	CHECK_UINT(cost.parts, 10000);
	CHECK(cost.memory <= 10000 * 2 * sizeof(struct mime_part));
	CHECK(cost.work <= 1100 * 1000);
}

TEST(a_million_fields_cost_no_memory)
{
	const struct mime_limits limits = {.parts = 0};
	struct buf message;
	struct cost cost;
	size_t i;

	buf_init(&message, BUF_UNLIMITED);
	for (i = 0; i < 1000 * 1000; i++)
		buf_add_text(&message, "Content-Type: a/b; c=d\n");
	buf_add_text(&message, "\nx");
	cost = cost_of(&message, &limits);
	CHECK(cost.memory <= 1024);
	CHECK(cost.work <= 1000 * 1000 + 10);
}

TEST(endless_fields_and_lines_cost_no_memory)
{
	const struct mime_limits limits = {.parts = 0};
	struct buf message;
	struct cost cost;
	size_t i;

	buf_init(&message, BUF_UNLIMITED);
	buf_add_text(
		&message, "Content-Type: multipart/mixed; boundary=b; x=\"");
	for (i = 0; i < 100 * 1000; i++)
		buf_add_text(&message, "a lot of text and more text");
	for (i = 0; i < 100 * 1000; i++)
		buf_add_text(&message, "\n folded");
	buf_add_text(&message, "\"\n\n--b\n\nx\n--b");
	for (i = 0; i < 100 * 1000; i++)
		buf_add_text(&message, "------------------------------");
	cost = cost_of(&message, &limits);
	CHECK_UINT(cost.parts, 2);
	CHECK(cost.memory <= 4096);
}

/* RFC 2046 5.1: nothing behind the last boundary has to be looked at. */
TEST(a_text_without_boundaries_is_not_read)
{
	const struct mime_limits limits = {.parts = 0};
	struct buf message;
	size_t i;

	buf_init(&message, BUF_UNLIMITED);
	buf_add_text(&message, "Subject: x\n\n");
	for (i = 0; i < 1000 * 1000; i++)
		buf_add_text(&message, "some text\n");
	CHECK(cost_of(&message, &limits).read_bytes <= 64 * 1024);
}

TEST(a_field_of_a_block_is_found_after_the_other)
{
	struct str block = STR("A: 1\nno field\n B\nC : 2\n 3\r\n\nD: 4\n");
	struct header_field field;
	size_t at = 0;

	REQUIRE(message_block_field(block, &at, &field));
	CHECK_STR_IS(field.name, "A");
	CHECK_STR_IS(field.value, " 1");
	REQUIRE(message_block_field(block, &at, &field));
	CHECK_STR_IS(field.name, "C");
	CHECK_STR_IS(field.value, " 2\n 3");
	CHECK(!message_block_field(block, &at, &field));
	CHECK(!message_block_field(block, &at, &field));
}
