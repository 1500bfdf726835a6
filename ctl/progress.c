/* SPDX-License-Identifier: MIT */
#include "ctl/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#include "base/banned.h"

#define ERASE_LINE "\r\033[K"

enum {
	BAR = 30,
	WHOLE = 100,
	PAUSE_MS = 100, /* between two pictures */
	MS = 1000,
	MINUTE_S = 60,
	HOUR_S = 3600,
	LINE_MAX_BYTES = 200
};

static bool
is_capable_terminal(int fd)
{
	const char *kind = getenv("TERM");

	return isatty(fd) && kind != NULL && kind[0] != '\0' &&
	       strcmp(kind, "dumb") != 0;
}

void
progress_begin(struct progress *progress, const char *what, size_t total)
{
	*progress = (struct progress){.what = what,
		.total = total,
		.began_ms = clock_monotonic_ms(),
		.is_shown = is_capable_terminal(STDERR_FILENO)};
}

void
progress_hide(struct progress *progress)
{
	if (!progress->is_drawn)
		return;
	fputs(ERASE_LINE, stderr);
	progress->is_drawn = false;
}

static void
add_time(struct buf *line, uint64_t seconds)
{
	unsigned long long all = (unsigned long long)seconds;

	if (all >= HOUR_S)
		buf_add_format(line, "%llu:%02llu:%02llu", all / HOUR_S,
			all / MINUTE_S % MINUTE_S, all % MINUTE_S);
	else
		buf_add_format(
			line, "%llu:%02llu", all / MINUTE_S, all % MINUTE_S);
}

void
progress_line(const struct progress *progress, size_t done, uint64_t elapsed_ms,
	struct buf *line)
{
	size_t total = progress->total > 0 ? progress->total : 1;
	size_t filled = done * BAR / total, i;

	buf_add_format(line, "%s [", progress->what);
	for (i = 0; i < BAR; i++)
		buf_add_char(line, i < filled ? '#' : '.');
	buf_add_format(line, "] %zu/%zu %3zu%%", done, progress->total,
		done * WHOLE / total);
	/* Of the first ones nothing can be told. */
	if (done == 0 || done >= progress->total)
		return;
	buf_add_text(line, "  ETA ");
	add_time(line, elapsed_ms * (progress->total - done) / done / MS);
}

void
progress_show(struct progress *progress, size_t done)
{
	uint64_t now_ms = clock_monotonic_ms();
	struct buf line;

	if (!progress->is_shown ||
		(progress->drawn_ms > 0 &&
			now_ms - progress->drawn_ms < PAUSE_MS))
		return;
	buf_init(&line, LINE_MAX_BYTES);
	progress_line(progress, done, now_ms - progress->began_ms, &line);
	/* What goes to the same terminal comes before. */
	fflush(stdout);
	fprintf(stderr, ERASE_LINE "%s", buf_text(&line));
	fflush(stderr);
	buf_clear(&line);
	progress->drawn_ms = now_ms;
	progress->is_drawn = true;
}
