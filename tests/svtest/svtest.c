/* svtest - runs cases written in the svtest language
 *
 *   svtest [-D] [-E] [-F] [-W FOLDER] [--lenient-errors] FILE...
 *
 * One line for each test, last of all "N passed, N failed"; exit status 0 when
 * none failed.  README.md says what a case looks like and what the options do.
 * Each case runs in a process and a folder of its own.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <ftw.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "tests/svtest/world.h"

#include "base/banned.h"

struct verdict {
	size_t tests, passed, failures;
	bool is_known; /* false: it crashed, or could not begin */
};

static void
print_problems(const struct world *world, const char *file,
	const struct sieve_report *report)
{
	size_t i;

	for (i = 0; i < report->count; i++) {
		const struct sieve_problem *problem = &report->problems[i];

		if (problem->is_warning && !world->options->echoes_log)
			continue;
		fprintf(stderr, "%s:%u:%u: %s: %s\n", file, problem->line,
			problem->column,
			problem->is_warning ? "warning" : "error",
			problem->text);
	}
}

/* NAME.svtest.in is for engines with and without addresses in UTF-8, which this
 * one has: a marker stands before what is for those. */
static struct str
without_markers(struct world *world, const char *file, struct str text)
{
	const struct str marker = STR("#UTF8#");
	struct buf out;
	struct str result;
	size_t at;

	if (!str_ends(str_from(file), STR(".svtest.in")))
		return text;
	buf_init(&out, BUF_UNLIMITED);
	while ((at = str_find(text, marker)) < text.len) {
		buf_add(&out, str_slice(text, 0, at));
		text = str_skip(text, at + marker.len);
	}
	buf_add(&out, text);
	result = arena_copy(world->arena, buf_view(&out));
	buf_clear(&out);
	return result;
}

static void
choose_dialect(struct world *world, struct str text)
{
	const struct str name = STR("vnd.stalwart.testsuite");

	world->is_stalwart = str_find(text, name) < text.len;
	if (world->is_stalwart && settings_load(world) != NULL)
		abort();
}

static int
compile_case(struct world *world, const char *file,
	struct sieve_program **program_out)
{
	struct sieve_report report;
	struct str source;
	struct buf text;
	struct err err;
	int result;

	buf_init(&text, BUF_UNLIMITED);
	if (fd_read_file(file, &text) < 0) {
		fprintf(stderr, "svtest: %s: %s\n", file, strerror(errno));
		buf_clear(&text);
		return -1;
	}
	source = without_markers(world, file, buf_view(&text));
	choose_dialect(world, source);
	sieve_report_init(&report, world->arena);
	result = script_translate(world, &world->main_sieve, file, source,
			 program_out, &report, &err) == SIEVE_OK
	                 ? 0
	                 : -1;
	print_problems(world, file, &report);
	buf_clear(&text);
	return result;
}

/* False when the case broke off. */
static bool
run_main(struct world *world, const char *file,
	const struct sieve_program *program)
{
	struct sieve_report report;
	enum sieve_status status;
	struct err err;

	sieve_report_init(&report, world->arena);
	err_clear(&err);
	status = sieve_run(program, &world->main_sieve, &world->host.host,
		&world->result, &report, &err);
	print_problems(world, file, &report);
	if (status == SIEVE_TEMPORARY)
		fprintf(stderr, "%s: %s\n", file, err_log_text(&err));
	return status == SIEVE_OK;
}

static void
run_case(struct world *world, const char *file)
{
	struct sieve_program *program;

	if (compile_case(world, file, &program) < 0) {
		world->failures++;
		printf("  0: %s: FAILED: it does not compile\n", file);
	} else if (!run_main(world, file, program)) {
		world_fail_test(world, "the case ended with an error");
	} else if (world->test != NULL) {
		/* `stop` in a block is no failure. */
		world_pass_test(world);
	}
}

/* ---- a process for each ---- */

static struct verdict
run_alone(const struct svtest_options *options, const char *work,
	const char *file)
{
	struct world world;
	struct verdict verdict = {.failures = 1};

	if (world_open(&world, options, work, file) == 0) {
		run_case(&world, file);
		verdict = (struct verdict){.tests = world.tests,
			.passed = world.passed,
			.failures = world.failures,
			.is_known = true};
	}
	world_close(&world);
	return verdict;
}

static void
run_child(const struct svtest_options *options, const char *work,
	const char *file, int fd)
{
	struct verdict verdict = run_alone(options, work, file);

	fflush(stdout);
	exit(fd_write(fd, str_of((const char *)&verdict, sizeof(verdict))) == 0
			? EXIT_SUCCESS
			: EXIT_FAILURE);
}

static void
print_crash(const char *file, int status)
{
	if (WIFSIGNALED(status))
		printf("%s: FAILED: signal %d ended it (%s)\n", file,
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		printf("%s: FAILED: it ended the runner with status %d\n", file,
			WEXITSTATUS(status));
}

static struct verdict
run_in(const struct svtest_options *options, const char *work, const char *file)
{
	struct verdict verdict = {.failures = 1};
	int ends[2], status = 0;
	pid_t child;

	fflush(stdout);
	if (pipe(ends) < 0 || (child = fork()) < 0) {
		perror("svtest");
		return verdict;
	}
	if (child == 0)
		run_child(options, work, file, ends[1]);
	close(ends[1]);
	if (fd_read(ends[0], &verdict, sizeof(verdict)) !=
		(ssize_t)sizeof(verdict))
		verdict = (struct verdict){.failures = 1};
	close(ends[0]);
	waitpid(child, &status, 0);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS) {
		print_crash(file, status);
		verdict = (struct verdict){.failures = 1};
	}
	return verdict;
}

static int
remove_one(
	const char *path, const struct stat *status, int kind, struct FTW *ftw)
{
	(void)status;
	(void)kind;
	(void)ftw;
	return remove(path);
}

/* The folder is made and removed here, so that none is left by a crash. */
static struct verdict
run_file(const struct svtest_options *options, const char *file)
{
	enum { MOST_FILES = 16 };
	struct verdict verdict = {.failures = 1};
	char work[PATH_MAX];

	printf("%s\n", file);
	if (snprintf(work, sizeof(work), "%s/svtest.XXXXXX", options->work) >=
			(int)sizeof(work) ||
		mkdtemp(work) == NULL) {
		fprintf(stderr, "svtest: cannot make a folder in %s: %s\n",
			options->work, strerror(errno));
		return verdict;
	}
	verdict = run_in(options, work, file);
	nftw(work, remove_one, MOST_FILES, FTW_DEPTH | FTW_PHYS);
	return verdict;
}

/* -F: a case of which every test fails passes. */
static struct verdict
turned_round(const char *file, struct verdict verdict)
{
	bool has_failed = verdict.failures >= verdict.tests;
	bool is_good = verdict.is_known && has_failed;

	printf("%s: %s\n", file,
		is_good      ? "failed as expected"
		: has_failed ? "FAILED: it did not come to its tests"
			     : "FAILED: it did not fail");
	return (struct verdict){
		.tests = 1, .passed = is_good, .failures = !is_good};
}

static int
run_files(const struct svtest_options *options, char *const *files)
{
	struct verdict all = {0};

	for (; *files != NULL; files++) {
		struct verdict verdict = run_file(options, *files);

		if (options->expects_failure)
			verdict = turned_round(*files, verdict);
		all.passed += verdict.passed;
		all.failures += verdict.failures;
	}
	printf("%zu passed, %zu failed\n", all.passed, all.failures);
	return all.failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int
usage(void)
{
	fprintf(stderr, "usage: svtest [-D] [-E] [-F] [-W FOLDER] "
			"[--lenient-errors] FILE...\n");
	return 2;
}

int
main(int argc, char **argv)
{
	enum { LENIENT = 256 };
	static const struct option longer[] = {
		{"lenient-errors", no_argument, NULL, LENIENT}, {0}};
	struct svtest_options options = {.work = getenv("TMPDIR")};
	int c;

	if (options.work == NULL)
		options.work = "/tmp";
	/* A crash takes no line along. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((c = getopt_long(argc, argv, "DEFW:", longer, NULL)) != -1) {
		switch (c) {
		case 'D':
			options.is_traced = true;
			break;
		case 'E':
			options.echoes_log = true;
			break;
		case 'F':
			options.expects_failure = true;
			break;
		case 'W':
			options.work = optarg;
			break;
		case LENIENT:
			options.has_lenient_errors = true;
			break;
		default:
			return usage();
		}
	}
	return optind < argc ? run_files(&options, argv + optind) : usage();
}
