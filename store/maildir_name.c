/* SPDX-License-Identifier: MIT */
#include "store/maildir_name.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "store/store.h"

#include "base/banned.h"

/* In ASCII order, as readers of a Maildir expect. */
static const struct {
	enum store_flags flag;
	char letter;
} letters[] = {
	{STORE_DRAFT, 'D'},
	{STORE_FLAGGED, 'F'},
	{STORE_ANSWERED, 'R'},
	{STORE_SEEN, 'S'},
	{STORE_DELETED, 'T'},
};

static bool
has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	return false;
}

int
maildir_name_host(struct arena *arena, const char **host_out, struct err *err)
{
	const char *host = clock_host(), *at;
	struct buf buf;

	buf_init(&buf, MAILDIR_HOST_MAX);
	for (at = host; *at != '\0'; at++) {
		if (*at == '/')
			buf_add_text(&buf, "\\057");
		else if (*at == ':')
			buf_add_text(&buf, "\\072");
		else
			buf_add_char(&buf, *at);
	}
	*host_out = arena_text(arena, buf_view(&buf));
	if (buf.overflowed || buf.len == 0 || has_control(host)) {
		buf_clear(&buf);
		return err_temp(err, "4.3.5",
			"the host's name cannot be part of a file name: \"%s\"",
			host);
	}
	buf_clear(&buf);
	return 0;
}

void
maildir_name_stem(char stem[MAILDIR_STEM_MAX], const char *host)
{
	struct timespec stamp = clock_stamp();

	snprintf(stem, MAILDIR_STEM_MAX, "%lld.M%ldP%ld.%.*s",
		(long long)stamp.tv_sec, stamp.tv_nsec / 1000,
		(long)clock_pid(), MAILDIR_HOST_MAX, host);
}

void
maildir_name_public(struct buf *buf, const char *stem, uint64_t size,
	uint64_t vsize, unsigned store_flags, const char *keyword_letters)
{
	size_t i;

	buf_add_format(buf, "%s,S=%" PRIu64 ",W=%" PRIu64, stem, size, vsize);
	if (store_flags == 0 && keyword_letters[0] == '\0')
		return;
	buf_add_text(buf, ":2,");
	for (i = 0; i < ARRAY_LENGTH(letters); i++)
		if (store_flags & letters[i].flag)
			buf_add_char(buf, letters[i].letter);
	buf_add_text(buf, keyword_letters);
}
