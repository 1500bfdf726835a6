/* Subject scripts: compiled, run, run as a sequence
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "sieve/result.h"
#include "deliver/include.h"
#include "deliver/seen.h"
#include "tests/svtest/world.h"

#include "base/banned.h"

static const char *
path_of(struct world *world, struct str path)
{
	if (str_starts(path, STR("/")))
		return arena_text(world->arena, path);
	return arena_format(
		world->arena, "%s/%.*s", world->folder, STR_ARG(path));
}

/* "../a/b.sieve" is the script b. */
static const char *
name_of(struct world *world, struct str path)
{
	static const char *const suffixes[] = {".sieve", ".svtest"};
	size_t slash = str_find_last_char(path, '/'), i;

	if (slash < path.len)
		path = str_skip(path, slash + 1);
	for (i = 0; i < ARRAY_LENGTH(suffixes); i++)
		if (str_ends(path, str_from(suffixes[i])))
			path = str_slice(
				path, 0, path.len - strlen(suffixes[i]));
	return arena_text(world->arena, path);
}

enum sieve_status
script_translate(struct world *world, const struct sieve_settings *settings,
	const char *name, struct str text, struct sieve_program **program_out,
	struct sieve_report *report, struct err *err)
{
	struct include_loader loader;

	include_init(&loader, world->arena, &world->include_folders,
		settings->max_script_size, NULL);
	return sieve_compile_all(world->arena, settings, &loader.loader, name,
		text, program_out, report, err);
}

/* Is it a test script itself?  Then it cannot be translated without the words of
 * one. */
static bool
needs_testsuite(struct world *world, struct str text)
{
	struct sieve_settings settings = world->sieve;
	struct sieve_program *program;
	struct sieve_report report;
	struct err err;

	settings.testsuite_path = NULL;
	sieve_report_init(&report, world->arena);
	return script_translate(world, &settings, "", text, &program, &report,
		       &err) == SIEVE_FAILED;
}

static bool
compile(struct world *world, struct str path, struct str text)
{
	struct sieve_program *program;
	struct sieve_report report;
	struct err err;

	sieve_report_init(&report, world->arena);
	switch (script_translate(world, &world->sieve, name_of(world, path),
		text, &program, &report, &err)) {
	case SIEVE_OK:
		break;
	case SIEVE_FAILED:
		errors_add_report(world, &report, name_of(world, path));
		return false;
	case SIEVE_TEMPORARY:
		errors_add(world, str_from(err_log_text(&err)));
		return false;
	}
	world->subject = program;
	world->is_subtest = needs_testsuite(world, text);
	return true;
}

bool
script_compile(struct world *world, struct str path)
{
	const char *file = path_of(world, path);
	struct buf text;
	bool is_good = false;

	buf_init(&text, BUF_UNLIMITED);
	if (fd_read_file(file, &text) < 0)
		errors_add(world, str_from(arena_format(world->arena,
					  "script %s cannot be read: %s", file,
					  strerror(errno))));
	else
		is_good = compile(world, path, buf_view(&text));
	buf_clear(&text);
	return is_good;
}

bool
script_compile_text(struct world *world, struct str text)
{
	return compile(world, STR("script"), text);
}

/* ---- running ---- */

static void
append(struct world *world, const struct sieve_result *result)
{
	size_t i;

	outcome_hold(world);
	for (i = 0; i < result->count; i++)
		result_add(&world->result, &result->actions[i]);
	world->result.implicit_keep &= result->implicit_keep;
	world->result.flags = result->flags;
}

/* A test script that runs as a subject fails by test_fail only. */
static bool
judge(struct world *world, enum sieve_status status,
	const struct sieve_report *report, const struct err *err)
{
	if (world->is_subtest)
		return !world->has_subject_failed;
	switch (status) {
	case SIEVE_OK:
		return true;
	case SIEVE_FAILED:
		errors_add_report(world, report, NULL);
		return false;
	case SIEVE_TEMPORARY:
		errors_add(world, str_from(err_log_text(err)));
		return false;
	}
	return false;
}

bool
script_run(struct world *world, bool appends)
{
	struct sieve_result result = {.arena = world->arena};
	struct sieve_report report;
	enum sieve_status status;
	struct err err;

	if (!appends)
		outcome_reset(world);
	if (world->subject == NULL) {
		errors_add(world, STR("no script was compiled"));
		return false;
	}
	result.flags = world->result.flags;
	result.edited = world->result.edited;
	result.content = world->result.content;
	sieve_report_init(&report, world->arena);
	world->runs_subject = true;
	world->has_subject_failed = false;
	err_clear(&err);
	status = sieve_run(world->subject, &world->sieve, &world->host.host,
		&result, &report, &err);
	world->runs_subject = false;
	append(world, &result);
	errors_read_log(world);
	return judge(world, status, &report, &err);
}

/* ---- a sequence, as a delivery has it ---- */

static bool
all_compile(struct world *world, const struct str *paths, size_t count)
{
	const struct sieve_program *subject = world->subject;
	bool is_subtest = world->is_subtest, is_good = true;
	size_t i;

	for (i = 0; i < count; i++)
		is_good &= script_compile(world, paths[i]);
	world->subject = subject;
	world->is_subtest = is_subtest;
	return is_good;
}

/* All but the last are sieve_before, sieve_before2 ... */
static void
name_scripts(struct world *world, struct settings *settings,
	const struct str *paths, size_t count)
{
	struct conf_numbered *before =
		ARENA_ARRAY(world->arena, struct conf_numbered, count);
	size_t i;

	for (i = 0; i + 1 < count; i++)
		before[i] = (struct conf_numbered){.root = 1,
			.number = (unsigned)i + 1,
			.value = path_of(world, paths[i])};
	settings->sieve_before =
		(struct conf_family){.items = before, .count = count - 1};
	settings->sieve = arena_format(
		world->arena, "file:%s", path_of(world, paths[count - 1]));
}

int
script_write_all(struct world *world, const struct str *texts, size_t count,
	const struct str **paths_out)
{
	struct str *paths = ARENA_ARRAY(world->arena, struct str, count + 1);
	size_t i;

	*paths_out = paths;
	for (i = 0; i < count; i++) {
		const char *path = arena_format(
			world->arena, "%s/script%zu.sieve", world->work, i + 1);
		FILE *file = fopen(path, "w");
		bool is_whole;

		if (file == NULL)
			return -1;
		is_whole = fwrite(texts[i].data, 1, texts[i].len, file) ==
		           texts[i].len;
		if (fclose(file) != 0 || !is_whole)
			return -1;
		paths[i] = str_from(path);
	}
	return 0;
}

bool
script_sequence(struct world *world, const struct str *paths, size_t count)
{
	struct settings settings = *world->delivery.settings;
	struct delivery delivery = world->delivery;
	struct job job = world->job;

	if (count == 0 || !all_compile(world, paths, count))
		return false;
	name_scripts(world, &settings, paths, count);
	delivery.settings = &settings;
	delivery.outcome = DELIVER_PENDING;
	job.deliveries = &delivery;
	deliver_job(&job);
	unlink(arena_format(
		world->arena, "%s/" SEEN_FILE, world->delivery.home));
	if (delivery.outcome == DELIVER_FAILED)
		errors_add(world, str_from(err_log_text(&delivery.err)));
	errors_read_log(world);
	return world->error_count == 0 && !delivery.work->script.has_failed;
}

/* ---- binaries ---- */

static struct binary *
find(const struct world *world, struct str name)
{
	struct binary *binary;

	for (binary = world->binaries; binary != NULL; binary = binary->next)
		if (str_equal(binary->name, name))
			return binary;
	return NULL;
}

void
script_save(struct world *world, struct str name)
{
	struct binary *binary = find(world, name);

	if (binary == NULL) {
		binary = ARENA_NEW(world->arena, struct binary);
		binary->name = arena_copy(world->arena, name);
		binary->next = world->binaries;
		world->binaries = binary;
	}
	binary->program = world->subject;
	binary->is_subtest = world->is_subtest;
}

bool
script_load(struct world *world, struct str name)
{
	const struct binary *binary = find(world, name);

	if (binary == NULL)
		return false;
	world->subject = binary->program;
	world->is_subtest = binary->is_subtest;
	return true;
}
