/* top - `doorstep top`: what the running server does, again and again
 *
 * What stands above the list of processes is read from the same text that
 * Prometheus gets.  On a terminal the screen is drawn anew; elsewhere one picture
 * follows the other.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/number.h"
#include "server/histogram.h"
#include "server/metrics.h"
#include "ctl/ctl.h"

#include "base/banned.h"

enum {
	PAUSE_DEFAULT_MS = 2000,
	PAUSE_MAX_S = 3600,
	ROWS_DEFAULT = 24,
	CTRL_C = 3
};

enum sort { SORT_JOBS, SORT_KIND, SORT_PID, SORT_STATE, SORT_AGE };
static const char *const sort_names[] = {"jobs", "kind", "pid", "state", "age"};
enum { SORTS = ARRAY_LENGTH(sort_names) };

struct process_row {
	struct str kind, state;
	uint64_t pid, uid, generation, jobs, since;
};

/* One answer of the server. */
struct picture {
	struct arena *arena;
	struct str json; /* the server's answer */
	struct str metrics;
	struct str version, state;
	uint64_t since, now, generation, not_shown;
	uint64_t taken_ms;
	struct process_row *processes;
	size_t count, size;
};

struct top {
	struct ctl *ctl;
	uint64_t pause_ms;
	uint64_t pictures; /* how many; 0 = until told to end */
	enum sort sort;
	bool is_screen; /* standard output is a terminal */
	bool has_keys;  /* standard input is one */
	struct termios before;
	struct picture last; /* arena NULL: none yet */
};

/* ---- the answer ---- */

static void
take_number(struct str text, uint64_t *number)
{
	if (number_parse(text, number) < 0)
		*number = 0;
}

static void
take_process(struct process_row *row, const struct json_item *item)
{
	if (str_is(item->name, "kind"))
		row->kind = item->text;
	else if (str_is(item->name, "state"))
		row->state = item->text;
	else if (str_is(item->name, "pid"))
		take_number(item->text, &row->pid);
	else if (str_is(item->name, "uid"))
		take_number(item->text, &row->uid);
	else if (str_is(item->name, "generation"))
		take_number(item->text, &row->generation);
	else if (str_is(item->name, "jobs"))
		take_number(item->text, &row->jobs);
	else if (str_is(item->name, "since"))
		take_number(item->text, &row->since);
}

static void
take_head(struct picture *picture, const struct json_item *item)
{
	if (str_is(item->name, "version"))
		picture->version = item->text;
	else if (str_is(item->name, "state"))
		picture->state = item->text;
	else if (str_is(item->name, "since"))
		take_number(item->text, &picture->since);
	else if (str_is(item->name, "now"))
		take_number(item->text, &picture->now);
	else if (str_is(item->name, "generation"))
		take_number(item->text, &picture->generation);
	else if (str_is(item->name, "processes_not_shown"))
		take_number(item->text, &picture->not_shown);
}

static struct process_row *
add_process(struct picture *picture)
{
	if (picture->count == picture->size) {
		size_t size = picture->size > 0 ? picture->size * 2 : 32;

		picture->processes = arena_grow(picture->arena,
			picture->processes, sizeof(*picture->processes),
			picture->count, size);
		picture->size = size;
	}
	picture->processes[picture->count] =
		(struct process_row){.kind = STR_EMPTY};
	return &picture->processes[picture->count++];
}

static void
read_answer(struct picture *picture, struct str json)
{
	struct json_reader reader;
	struct json_item item;
	struct str list = STR_EMPTY;
	struct process_row *row = NULL;

	json_read(&reader, picture->arena, json);
	while (json_next(&reader, &item)) {
		if (item.depth == 1 && item.kind == JSON_BEGIN)
			list = item.name;
		else if (item.depth == 1)
			take_head(picture, &item);
		if (!str_is(list, "processes"))
			continue;
		if (item.depth == 2 && item.kind == JSON_BEGIN)
			row = add_process(picture);
		else if (item.depth == 3 && row != NULL)
			take_process(row, &item);
	}
}

static int
take_picture(struct top *top, struct picture *picture)
{
	struct ctl one = *top->ctl;
	struct str json;
	int status;

	*picture = (struct picture){
		.arena = arena_open(), .taken_ms = clock_monotonic_ms()};
	one.arena = picture->arena;
	status = ctl_ask_server(&one, &json);
	if (status != CTL_OK)
		return status;
	if (metrics_text(picture->arena, json, &picture->metrics) < 0)
		return ctl_fail(
			CTL_TEMPORARY, "the server's answer is not understood");
	picture->json = json;
	read_answer(picture, json);
	return CTL_OK;
}

/* ---- numbers ---- */

/* Of the line that begins with it; 0: there is none. */
static uint64_t
metric(const struct picture *picture, const char *name)
{
	struct str rest = picture->metrics, line;
	struct str wanted = str_from(name);
	uint64_t value;

	while (str_next_field(&rest, '\n', &line))
		if (str_starts(line, wanted) && line.len > wanted.len &&
			line.data[wanted.len] == ' ' &&
			number_parse(str_skip(line, wanted.len + 1), &value) ==
				0)
			return value;
	return 0;
}

/* What came since the last picture; all, when there is none. */
static uint64_t
growth(const struct top *top, const struct picture *now, const char *name)
{
	uint64_t then = 0, value = metric(now, name);

	if (top->last.arena != NULL)
		then = metric(&top->last, name);
	return value > then ? value - then : 0;
}

static double
per_second(const struct top *top, const struct picture *now, const char *name)
{
	uint64_t ms;

	if (top->last.arena == NULL)
		ms = (now->now - now->since) * 1000;
	else
		ms = now->taken_ms - top->last.taken_ms;
	return ms > 0 ? (double)growth(top, now, name) * 1000 / (double)ms : 0;
}

/* The bound of the bucket that the one of `percent` is in. */
static const char *
quantile(const struct top *top, const struct picture *now, const char *phase,
	unsigned percent)
{
	uint64_t all, below;
	char name[96];
	size_t i;

	snprintf(name, sizeof(name),
		"doorstep_phase_seconds_count{phase=\"%s\"}", phase);
	all = growth(top, now, name);
	if (all == 0)
		return "-";
	for (i = 0; i + 1 < HISTOGRAM_BUCKETS; i++) {
		snprintf(name, sizeof(name),
			"doorstep_phase_seconds_bucket{phase=\"%s\",le=\"%s\"}",
			phase, histogram_bounds[i]);
		below = growth(top, now, name);
		if (below * 100 >= all * percent)
			return histogram_bounds[i];
	}
	return "more";
}

/* ---- the picture ---- */

static void
print_title(const struct top *top, const struct picture *now)
{
	uint64_t up = now->now > now->since ? now->now - now->since : 0;

	printf("Doorstep %.*s is %.*s, up %" PRIu64 "d %02u:%02u:%02u, "
	       "generation %" PRIu64 "\n",
		STR_ARG(now->version), STR_ARG(now->state), up / 86400,
		(unsigned)(up / 3600 % 24), (unsigned)(up / 60 % 60),
		(unsigned)(up % 60), now->generation);
	printf("connections %" PRIu64 ", workers %" PRIu64 " busy %" PRIu64
	       " idle, waiting %" PRIu64 ", memory %" PRIu64 " KiB\n",
		metric(now, "doorstep_connections"),
		metric(now, "doorstep_workers{state=\"busy\"}"),
		metric(now, "doorstep_workers{state=\"idle\"}"),
		metric(now, "doorstep_jobs_waiting"),
		metric(now, "doorstep_front_memory_bytes") / 1024);
	if (top->has_keys)
		printf("q: end   s: sort, now by %s\n", sort_names[top->sort]);
	putchar('\n');
}

static void
print_rates(const struct top *top, const struct picture *now)
{
	static const char *const lines[][2] = {
		{"saved", "doorstep_deliveries_total{result=\"saved\"}"},
		{"discarded",
			"doorstep_deliveries_total{result=\"discarded\"}"},
		{"temporary",
			"doorstep_deliveries_total{result=\"temporary\"}"},
		{"refused", "doorstep_deliveries_total{result=\"refused\"}"},
		{"unknown user", "doorstep_recipients_refused_total{reason="
				 "\"unknown\"}"},
		{"Sieve errors", "doorstep_sieve_errors_total"},
		{"connections", "doorstep_connections_total"},
	};
	size_t i;

	printf("%-12s %14s %10s\n", "", "IN ALL", "A SECOND");
	for (i = 0; i < ARRAY_LENGTH(lines); i++)
		printf("%-12s %14" PRIu64 " %10.1f\n", lines[i][0],
			metric(now, lines[i][1]),
			per_second(top, now, lines[i][1]));
	putchar('\n');
}

static void
print_phases(const struct top *top, const struct picture *now)
{
	size_t p;

	printf("%-12s %14s %10s %10s\n", "PHASE (s)", "HALF WITHIN", "95%",
		"99%");
	for (p = 0; p < HISTOGRAM_PHASES; p++)
		printf("%-12s %14s %10s %10s\n", histogram_phases[p],
			quantile(top, now, histogram_phases[p], 50),
			quantile(top, now, histogram_phases[p], 95),
			quantile(top, now, histogram_phases[p], 99));
	putchar('\n');
}

static int
compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int
compare_rows(const struct process_row *a, const struct process_row *b,
	enum sort sort)
{
	switch (sort) {
	case SORT_JOBS:
		return compare_numbers(b->jobs, a->jobs);
	case SORT_KIND:
		return str_compare(a->kind, b->kind);
	case SORT_STATE:
		return str_compare(a->state, b->state);
	case SORT_AGE:
		return compare_numbers(a->since, b->since);
	case SORT_PID:
		break;
	}
	return 0;
}

/* Equal ones by number.  There are some thousands at most. */
static void
sort_processes(const struct picture *picture, enum sort sort)
{
	struct process_row *rows = picture->processes;
	size_t gap, i, j;

	for (gap = picture->count / 2; gap > 0; gap /= 2)
		for (i = gap; i < picture->count; i++) {
			struct process_row one = rows[i];

			for (j = i; j >= gap; j -= gap) {
				int order = compare_rows(
					&one, &rows[j - gap], sort);

				if (order > 0 ||
					(order == 0 &&
						one.pid >= rows[j - gap].pid))
					break;
				rows[j] = rows[j - gap];
			}
			rows[j] = one;
		}
}

static size_t
screen_rows(const struct top *top)
{
	struct winsize size;

	if (!top->is_screen)
		return SIZE_MAX;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row == 0)
		return ROWS_DEFAULT;
	return size.ws_row;
}

static void
print_processes(const struct top *top, const struct picture *now)
{
	/* What stands above, and the line of the cursor. */
	const size_t above = 25;
	size_t rows = screen_rows(top), most, i;

	most = rows > above ? rows - above : 1;
	sort_processes(now, top->sort);
	printf("%-8s %8s %8s %-10s %10s %10s %10s\n", "KIND", "PID", "UID",
		"STATE", "GENERATION", "JOBS", "AGE (s)");
	for (i = 0; i < now->count && i < most; i++) {
		const struct process_row *row = &now->processes[i];

		printf("%-8.*s %8" PRIu64 " %8" PRIu64 " %-10.*s %10" PRIu64
		       " %10" PRIu64 " %10" PRIu64 "\n",
			STR_ARG(row->kind), row->pid, row->uid,
			STR_ARG(row->state), row->generation, row->jobs,
			now->now > row->since ? now->now - row->since : 0);
	}
	if (i < now->count || now->not_shown > 0)
		printf("and %" PRIu64 " more\n",
			now->count - i + now->not_shown);
}

static void
print_picture(const struct top *top, const struct picture *now)
{
	if (top->is_screen)
		fputs("\033[H\033[J", stdout);
	print_title(top, now);
	print_rates(top, now);
	print_phases(top, now);
	print_processes(top, now);
	fflush(stdout);
}

/* ---- keys ---- */

static void
open_keys(struct top *top)
{
	struct termios raw;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &top->before) < 0)
		return;
	raw = top->before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	top->has_keys = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

static void
close_keys(struct top *top)
{
	if (top->has_keys && tcsetattr(STDIN_FILENO, TCSANOW, &top->before) < 0)
		perror("doorstep: terminal");
	top->has_keys = false;
}

/* False: the end. */
static bool
take_key(struct top *top)
{
	char key;

	if (read(STDIN_FILENO, &key, 1) != 1)
		return false;
	if (key == 's')
		top->sort = (enum sort)((top->sort + 1) % SORTS);
	return key != 'q' && key != 'Q' && key != CTRL_C;
}

/* Until the next picture is due, or a key wants one. */
static bool
pause_or_key(struct top *top)
{
	struct pollfd keys = {
		.fd = top->has_keys ? STDIN_FILENO : -1, .events = POLLIN};
	int found = poll(&keys, 1, (int)top->pause_ms);

	if (found < 0)
		return errno == EINTR;
	return found == 0 || take_key(top);
}

/* ---- the command ---- */

static int
show(struct top *top)
{
	uint64_t shown = 0;
	struct picture now;
	int status;

	do {
		status = take_picture(top, &now);
		if (status == CTL_OK && top->ctl->json)
			printf("%.*s", STR_ARG(now.json));
		else if (status == CTL_OK)
			print_picture(top, &now);
		fflush(stdout);
		arena_close(&top->last.arena);
		top->last = now;
		if (++shown == top->pictures)
			break;
	} while (status == CTL_OK && pause_or_key(top));
	arena_close(&top->last.arena);
	return status;
}

static int
find_sort(const char *name, enum sort *sort)
{
	size_t i;

	for (i = 0; i < SORTS; i++)
		if (strcmp(name, sort_names[i]) == 0) {
			*sort = (enum sort)i;
			return 0;
		}
	return -1;
}

static int
take_option(struct top *top, const char *option)
{
	uint64_t seconds;

	if (strcmp(option, "--once") == 0) {
		top->pictures = 1;
		return 0;
	}
	if (strncmp(option, "--sort=", 7) == 0)
		return find_sort(option + 7, &top->sort);
	if (strncmp(option, "--times=", 8) == 0)
		return number_parse(str_from(option + 8), &top->pictures);
	if (strncmp(option, "--every=", 8) != 0 ||
		number_parse(str_from(option + 8), &seconds) < 0 ||
		seconds < 1 || seconds > PAUSE_MAX_S)
		return -1;
	top->pause_ms = seconds * 1000;
	return 0;
}

int
ctl_top(struct ctl *ctl, int argc, char **argv)
{
	struct top top = {.ctl = ctl, .pause_ms = PAUSE_DEFAULT_MS};
	int status, i;

	for (i = 1; i < argc; i++)
		if (take_option(&top, argv[i]) < 0)
			return ctl_fail(CTL_USAGE,
				"usage: doorstep top [--once] "
				"[--every=SECONDS] "
				"[--times=COUNT] "
				"[--sort=jobs|kind|pid|state|age]");
	top.is_screen =
		top.pictures != 1 && !ctl->json && isatty(STDOUT_FILENO);
	if (top.pictures != 1)
		open_keys(&top);
	status = show(&top);
	close_keys(&top);
	return status;
}
