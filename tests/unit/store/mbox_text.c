/* SPDX-License-Identifier: MIT */
#include "store/mbox_text.h"

#include "base/arena.h"
#include "store/store.h"
#include "tests/unit/store/box.h"

#include "base/banned.h"

#define FROM_LINE "From x  Fri Jul 04 10:00:00 2025\n"

static struct err err;

/* What stands in the mbox for a content; `size` is that of the reader's buffer.
 * Never given back, but where the leak checker sees it. */
static struct str
text_of(const struct content *content, unsigned flags, size_t size)
{
	static struct buf kept[64];
	static size_t count;
	static char buffer[1 << 16];
	struct mbox_text text;
	enum lookup found;
	struct str chunk;
	struct buf *all = &kept[count++ % ARRAY_LENGTH(kept)];

	buf_clear(all);
	buf_init(all, BUF_UNLIMITED);
	mbox_text_init(&text, content, flags, FROM_LINE, buffer, size);
	while ((found = mbox_text_read(&text, &chunk, &err)) == LOOKUP_FOUND) {
		CHECK(chunk.len > 0);
		buf_add(all, chunk);
	}
	CHECK_INT(found, LOOKUP_NONE);
	CHECK_UINT(text.size + strlen(FROM_LINE) + 1, all->len);
	mbox_text_clear(&text);
	return buf_view(all);
}

static struct str
stored(const char *mail)
{
	struct str all =
		text_of(box_content(str_from(mail)), 0, sizeof(char) << 16);

	REQUIRE(str_starts(all, STR(FROM_LINE)));
	return str_skip(all, strlen(FROM_LINE));
}

#define CHECK_STORED(mail, expected) CHECK_STR_IS(stored(mail), expected)

static struct str
from_line(struct str trace, const char *mail)
{
	static struct buf line;
	struct arena *arena = arena_open();
	struct tm time = {.tm_year = 125,
		.tm_mon = 6,
		.tm_mday = 4,
		.tm_hour = 10,
		.tm_min = 5,
		.tm_sec = 9,
		.tm_wday = 5};

	buf_clear(&line);
	buf_init(&line, BUF_UNLIMITED);
	mbox_from_line(&line,
		content_prepend(arena, box_content(str_from(mail)), trace),
		time);
	arena_close(&arena);
	return buf_view(&line);
}

TEST(the_from_line_names_the_return_path_on_top)
{
	CHECK_STR_IS(from_line(STR("Return-Path: <ada@client.example>\n"),
			     "Return-Path: <eve@x>\n\n"),
		"From ada@client.example  Fri Jul 04 10:05:09 2025\n");
	CHECK_STR_IS(from_line(STR_EMPTY, "A: b\nReturn-Path: <eve@x>\n\n"),
		"From eve@x  Fri Jul 04 10:05:09 2025\n");
}

TEST(nobody_is_called_mailer_daemon)
{
	static const char expected[] =
		"From MAILER-DAEMON  Fri Jul 04 10:05:09 2025\n";

	CHECK_STR_IS(from_line(STR("Return-Path: <>\n"), MAIL), expected);
	CHECK_STR_IS(from_line(STR_EMPTY, MAIL), expected);
	CHECK_STR_IS(from_line(STR("Delivered-To: a@b\n"), MAIL), expected);
}

TEST(a_sender_cannot_end_the_from_line)
{
	static char longest[3000];
	size_t len;

	CHECK_STR_IS(from_line(STR("Return-Path: <\"a b\tc\"@x>\n"), MAIL),
		"From \"a-b-c\"@x  Fri Jul 04 10:05:09 2025\n");
	CHECK_STR_IS(from_line(STR_EMPTY, "Return-Path: <a\n b\001@x>\n\n"),
		"From a--b-@x  Fri Jul 04 10:05:09 2025\n");
	memset(longest, 'x', sizeof(longest) - 1);
	len = from_line(STR_EMPTY, longest).len;
	CHECK_UINT(len, strlen("From MAILER-DAEMON") + 27);
	memcpy(longest, "Return-Path: ", 13);
	len = from_line(STR_EMPTY, longest).len;
	CHECK_UINT(len, strlen("From ") + MBOX_SENDER_MAX + 27);
}

TEST(a_message_ends_with_an_empty_line)
{
	CHECK_STORED("A: b\n\nbody\n", "A: b\n\nbody\n\n");
	CHECK_STORED("A: b\n\nbody", "A: b\n\nbody\n\n");
	CHECK_STORED("A: b\n\n", "A: b\n\n\n");
	CHECK_STORED("A: b\n", "A: b\n\n");
	CHECK_STORED("A: b", "A: b\n\n");
	CHECK_STORED("", "\n");
	CHECK_STORED("\nbody\n", "\nbody\n\n");
}

TEST(lines_end_in_lf)
{
	CHECK_STORED("A: b\r\n\r\nFrom x\r\n", "A: b\n\n>From x\n\n");
}

TEST(every_from_in_the_body_gets_one_more_sign)
{
	CHECK_STORED("A: b\n\nFrom x\n>From y\n>>From z\nFromm\n From a\n",
		"A: b\n\n>From x\n>>From y\n>>>From z\nFromm\n From a\n\n");
	CHECK_STORED("\nFrom ", "\n>From \n\n");
	CHECK_STORED("\n>>From", "\n>>From\n\n");
	CHECK_STORED("\nFro\nFrom x\n>\n>F", "\nFro\n>From x\n>\n>F\n\n");
	CHECK_STORED("\nFFrom x\nFrFrom y\n>F>From z\n",
		"\nFFrom x\nFrFrom y\n>F>From z\n\n");
}

TEST(from_in_the_header_is_quoted_or_left_out)
{
	CHECK_STORED(">From a Thu\n>From b\n\tc\nA: b\n\nx\n", "A: b\n\nx\n\n");
	CHECK_STORED(
		"A: b\nFrom c\nD: e\n\nx\n", "A: b\n>From c\nD: e\n\nx\n\n");
	CHECK_STORED("A: b\nFrom : c\n\n", "A: b\nFrom: c\n\n\n");
	CHECK_STORED("A: b\nFrom:c\n\n", "A: b\nFrom:c\n\n\n");
	CHECK_STORED("A: b\nFrom c: d\n\n", "A: b\n>From c: d\n\n\n");
}

TEST(lines_above_the_message_do_not_hide_its_own_from_lines)
{
	struct arena *arena = arena_open();

	CHECK_STR_IS(
		text_of(content_prepend(arena,
				box_content(STR(">From b\nA: c\n>From d\n\n")),
				STR("Return-Path: <x>\nDelivered-To: y\n")),
			0, 4096),
		FROM_LINE "Return-Path: <x>\nDelivered-To: y\nA: c\n"
			  ">>From d\n\n\n");
	arena_close(&arena);
}

TEST(fields_of_the_mailbox_itself_are_left_out)
{
	CHECK_STORED("Status: RO\nA: b\nX-STATUS: F\nx-keywords: a\n b\n"
		     "X-UID: 7\nX-IMAP: 1\nX-IMAPbase: 1 2\n"
		     "X-Delivery-ID: x\nContent-Length  : 5\nC: d\n\n"
		     "Status: stays\n",
		"A: b\nC: d\n\nStatus: stays\n\n");
	CHECK_STORED("Status:", "\n");
	CHECK_STORED("Statusx: a\nX-Statu: b\nStatus\n\n",
		"Statusx: a\nX-Statu: b\nStatus\n\n\n");
}

TEST(blanks_do_not_hide_a_field)
{
	char mail[2000];

	memset(mail, ' ', sizeof(mail));
	memcpy(mail, "A: b\nStatus", 11);
	snprintf(mail + 1000, sizeof(mail) - 1000, ": RO\nC: d\n\n");
	CHECK_STORED(mail, "A: b\nC: d\n\n\n");
}

TEST(long_lines_in_the_header_are_kept)
{
	char mail[3000], expected[3002];

	memset(mail, 'x', sizeof(mail));
	snprintf(mail + 1000, sizeof(mail) - 1000, ": y\nB: ");
	memset(mail + 1007, 'z', 1500);
	snprintf(mail + 2507, sizeof(mail) - 2507, "\n\nx\n");
	snprintf(expected, sizeof(expected), "%s\n", mail);
	CHECK_STORED(mail, expected);
}

TEST(flags_become_status_fields)
{
	const struct content *mail = box_content(STR(MAIL));

	CHECK_STR_IS(text_of(mail, STORE_SEEN, 4096),
		FROM_LINE "Subject: hello\nStatus: RO\n\nbody\n\n");
	CHECK_STR_IS(text_of(mail,
			     STORE_ANSWERED | STORE_FLAGGED | STORE_DRAFT |
				     STORE_DELETED,
			     4096),
		FROM_LINE "Subject: hello\nX-Status: AFTD\n\nbody\n\n");
	CHECK_STR_IS(text_of(box_content(STR("A: b")),
			     STORE_SEEN | STORE_DELETED, 4096),
		FROM_LINE "A: b\nStatus: RO\nX-Status: D\n\n");
}

/* ---- the property: a reader gets back what was put in ---- */

static void
unquote(struct buf *out, struct str text)
{
	struct str rest = text, line;
	bool is_first = true;

	while (str_next_field(&rest, '\n', &line)) {
		size_t signs = 0;

		while (signs < line.len && line.data[signs] == '>')
			signs++;
		if (signs > 0 &&
			str_starts(str_skip(line, signs), STR("From ")))
			line = str_skip(line, 1);
		if (!is_first)
			buf_add_char(out, '\n');
		is_first = false;
		buf_add(out, line);
	}
}

static uint32_t
next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 16;
}

/* Pieces that the quoting is about, in any order; with CR LF they are read through
 * a small buffer and lie across its ends. */
static void
add_pieces(struct buf *lf, struct buf *sent, bool has_crlf, uint32_t *state)
{
	static const char *const pieces[] = {"From ", ">", "\n", "From", " ",
		"F", "Fro", "x", "\n\n", ">>From ", "m "};
	int count = (int)(next_random(state) % 1500), i;
	size_t at;

	buf_add_text(lf, "A: b\n\n");
	for (i = 0; i < count; i++)
		buf_add_text(
			lf, pieces[next_random(state) % ARRAY_LENGTH(pieces)]);
	buf_add_char(lf, '\n');
	for (at = 0; at < lf->len; at++) {
		if (has_crlf && lf->data[at] == '\n')
			buf_add_char(sent, '\r');
		buf_add_char(sent, lf->data[at]);
	}
}

static bool
has_from_line(struct str rest)
{
	struct str line;

	while (str_next_field(&rest, '\n', &line))
		if (str_starts(line, STR("From ")))
			return true;
	return false;
}

TEST(unquoting_gives_back_what_was_quoted)
{
	const struct message_limits limits = {.memory_bytes = 1 << 20,
		.header_bytes = 1 << 20,
		.header_fields = 100,
		.temp_folder = "/tmp"};
	uint32_t state = 7;
	int round;

	for (round = 0; round < 1000; round++) {
		struct arena *arena = arena_open();
		struct buf mail, sent, back;
		struct message *message;
		struct str text;

		buf_init(&mail, BUF_UNLIMITED);
		buf_init(&sent, BUF_UNLIMITED);
		buf_init(&back, BUF_UNLIMITED);
		add_pieces(&mail, &sent, round % 2 == 1, &state);
		REQUIRE(message_open_bytes(
				buf_view(&sent), &limits, &message, &err) == 0);
		text = str_skip(text_of(content_of(arena, message), 0, 4096),
			strlen(FROM_LINE));
		REQUIRE(!has_from_line(text));
		REQUIRE(str_ends(text, STR("\n\n")));
		unquote(&back, text);
		buf_add_char(&mail, '\n');
		REQUIRE(str_equal(buf_view(&back), buf_view(&mail)));
		message_close(&message);
		arena_close(&arena);
		buf_clear(&mail);
		buf_clear(&sent);
		buf_clear(&back);
	}
}
