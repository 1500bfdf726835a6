/* SPDX-License-Identifier: MIT */
#include "store/mbox_keywords.h"

#include <inttypes.h>

#include "base/fd.h"
#include "base/memory.h"

#include "base/banned.h"

/* The words of that field, behind its two numbers. */
static struct str
words_of_line(struct str line)
{
	struct str rest = str_skip(line, str_find_char(line, ':') + 1);
	struct str number;
	unsigned n;

	for (n = 0; n < 2; n++)
		if (!str_next_word(&rest, &number))
			return STR_EMPTY;
	return rest;
}

/* Of the first message's header; empty where it says none. */
static struct str
known_words(struct str head)
{
	struct str line;

	while (str_next_field(&head, '\n', &line)) {
		if (str_trim(line).len == 0)
			break;
		if (str_starts_nocase(line, STR("X-IMAPbase:")) ||
			str_starts_nocase(line, STR("X-IMAP:")))
			return words_of_line(line);
	}
	return STR_EMPTY;
}

static bool
is_among(struct str words, struct str keyword)
{
	struct str word;

	while (str_next_word(&words, &word))
		if (str_equal_nocase(word, keyword))
			return true;
	return false;
}

static void
add_word(struct buf *words, struct str word)
{
	buf_add_char(words, ' ');
	buf_add(words, word);
}

static void
add_line(struct buf *lines, const char *name, const struct buf *words)
{
	if (words->len > 0)
		buf_add_format(
			lines, "%s%.*s\n", name, STR_ARG(buf_view(words)));
}

static void
add_first(const struct str *keywords, size_t count, int64_t now,
	struct buf *lines)
{
	struct buf words;
	size_t i;

	buf_init(&words, BUF_UNLIMITED);
	for (i = 0; i < count; i++)
		add_word(&words, keywords[i]);
	buf_add_format(lines, "X-IMAPbase: %" PRId64 " %010d", now, 0);
	add_line(lines, "", &words);
	add_line(lines, "X-Keywords:", &words);
	buf_clear(&words);
}

static void
add_known(const struct str *keywords, size_t count, struct str known,
	struct buf *lines, struct buf *lost)
{
	struct buf words;
	size_t i;

	buf_init(&words, BUF_UNLIMITED);
	for (i = 0; i < count; i++)
		add_word(is_among(known, keywords[i]) ? &words : lost,
			keywords[i]);
	add_line(lines, "X-Keywords:", &words);
	buf_clear(&words);
}

int
mbox_keywords_lines(int fd, const struct str *keywords, size_t count,
	int64_t now, struct buf *lines, struct buf *lost)
{
	char *head = memory_get(MBOX_KEYWORDS_HEAD_BYTES);
	ssize_t got = fd_read_at(fd, head, MBOX_KEYWORDS_HEAD_BYTES, 0);

	if (got == 0)
		add_first(keywords, count, now, lines);
	else if (got > 0)
		add_known(keywords, count,
			known_words(str_of(head, (size_t)got)), lines, lost);
	memory_free(head);
	return got < 0 ? -1 : 0;
}
