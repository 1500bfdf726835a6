/* oneshot - the cost of a program that runs once for each message
 *
 *	oneshot [-n RUNS] MESSAGE COMMAND [ARGUMENT...]
 *
 * Runs the command RUNS (100) times, one after the other, with the file MESSAGE
 * as standard input, and prints one line:
 *
 *	MEDIAN P90 CPU MEMORY FAULTS FAILED
 *
 * wall time and CPU time (user and system, the median) in microseconds, the most
 * memory in KB, page faults of the median run, and how many runs did not exit 0.
 * The message is read before the first run, so that all find it in memory.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/number.h"

#include "base/banned.h"

enum { RUNS_DEFAULT = 100, RUNS_MAX = 100000 };

extern char **environ;

struct run {
	uint64_t wall_us;
	uint64_t cpu_us;
	uint64_t memory_kb;
	uint64_t faults;
	bool has_failed;
};

static void
die(const char *what)
{
	fprintf(stderr, "oneshot: %s: %s\n", what, strerror(errno));
	exit(2);
}

static uint64_t
now_us(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		die("clock_gettime");
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static uint64_t
timeval_us(struct timeval time)
{
	return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

static void
run_once(const char *message, char **command, struct run *run)
{
	posix_spawn_file_actions_t actions;
	struct rusage usage;
	uint64_t start;
	pid_t child;
	int status;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(
		&actions, STDIN_FILENO, message, O_RDONLY, 0);
	start = now_us();
	errno = posix_spawnp(
		&child, command[0], &actions, NULL, command, environ);
	if (errno != 0)
		die(command[0]);
	if (wait4(child, &status, 0, &usage) < 0)
		die("wait4");
	run->wall_us = now_us() - start;
	run->cpu_us = timeval_us(usage.ru_utime) + timeval_us(usage.ru_stime);
	run->memory_kb = (uint64_t)usage.ru_maxrss;
	run->faults = (uint64_t)usage.ru_minflt;
	run->has_failed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	posix_spawn_file_actions_destroy(&actions);
}

static int
compare_numbers(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

/* What `percent` of the runs do not exceed, of the field at `offset`. */
static unsigned long long
percentile(
	const struct run *runs, size_t count, size_t offset, unsigned percent)
{
	uint64_t *values = calloc(count, sizeof(*values));
	uint64_t result;
	size_t i;

	if (values == NULL)
		die("calloc");
	for (i = 0; i < count; i++)
		memcpy(&values[i], (const char *)&runs[i] + offset,
			sizeof(values[i]));
	qsort(values, count, sizeof(*values), compare_numbers);
	result = values[(count - 1) * percent / 100];
	free(values);
	return result;
}

static void
warm(const char *message)
{
	char bytes[65536];
	int fd = open(message, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(message);
	while (read(fd, bytes, sizeof(bytes)) > 0)
		continue;
	close(fd);
}

int
main(int argc, char **argv)
{
	uint64_t count = RUNS_DEFAULT;
	size_t i, failed = 0;
	struct run *runs;
	int option;

	while ((option = getopt(argc, argv, "+n:")) != -1)
		if (option != 'n' || number_parse(str_from(optarg), &count) < 0)
			return 2;
	if (argc - optind < 2 || count == 0 || count > RUNS_MAX)
		return 2;
	warm(argv[optind]);
	runs = calloc((size_t)count, sizeof(*runs));
	if (runs == NULL)
		die("calloc");
	for (i = 0; i < count; i++) {
		run_once(argv[optind], argv + optind + 1, &runs[i]);
		failed += runs[i].has_failed;
	}
#define PERCENTILE(field, percent)                                             \
	percentile(runs, (size_t)count, offsetof(struct run, field), percent)
	printf("%llu %llu %llu %llu %llu %zu\n", PERCENTILE(wall_us, 50),
		PERCENTILE(wall_us, 90), PERCENTILE(cpu_us, 50),
		PERCENTILE(memory_kb, 100), PERCENTILE(faults, 50), failed);
	free(runs);
	return 0;
}
