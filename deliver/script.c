/* SPDX-License-Identifier: MIT */
#include "deliver/script.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/log.h"
#include "engine/engine.h"
#include "deliver/host.h"
#include "deliver/report.h"
#include "deliver/scriptcache.h"
#include "deliver/setup.h"
#include "deliver/userlog.h"
#include "deliver/work.h"

#include "base/banned.h"

enum {
	MAX_SCRIPTS_IN_FOLDER = 1000,
	LONGEST_SCRIPT = 1024 * 1024 * 1024, /* that is read at all */
	EXPLANATION_MAX = 400                /* bytes */
};

struct script_file {
	const char *path;
	bool is_personal; /* its owner is the user: details go to the user's log */
};

struct script_list {
	struct script_file *files;
	size_t count, size;
};

struct sequence {
	struct job *job;
	struct delivery *delivery;
	struct sieve_settings settings;
	struct script_folders folders;
	struct script_list list;
	struct script_outcome *outcome;
};

/* ---- which scripts ---- */

static void
list_add(struct arena *arena, struct script_list *list, const char *path,
	bool is_personal)
{
	if (list->count == list->size) {
		list->size = list->size ? list->size * 2 : 8;
		list->files = arena_grow(arena, list->files,
			sizeof(*list->files), list->count, list->size);
	}
	list->files[list->count++] = (struct script_file){path, is_personal};
}

/* "file:PATH;active=PATH;name=..." as in Dovecot 2.3; what is no option of ours
 * has a meaning for other programs only. */
struct script_location {
	struct str path;
	struct str active;
};

static struct script_location
location_parse(const char *setting)
{
	struct script_location location = {STR_EMPTY, STR_EMPTY};
	struct str rest = str_from(setting), option;

	if (str_starts(rest, STR("file:")))
		rest = str_skip(rest, 5);
	if (!str_next_field(&rest, ';', &location.path))
		return location;
	while (str_next_field(&rest, ';', &option))
		if (str_starts(option, STR("active=")))
			location.active = str_skip(option, 7);
	return location;
}

static int
compare_paths(const void *a, const void *b)
{
	return strcmp(((const struct script_file *)a)->path,
		((const struct script_file *)b)->path);
}

/* What is no file cannot be a script: a folder, or a FIFO, which would hold up
 * the mail. */
static void
tell_no_file(const char *path)
{
	log_warning("sieve: %s is no file; passed over", path);
}

/* With errno of stat(): which folder refuses whom. */
static int
cannot_look(struct err *err, const char *path)
{
	struct buf why;

	if (errno != EACCES)
		return err_temp_errno(
			err, "4.3.0", "cannot look at the script %s", path);
	buf_init(&why, EXPLANATION_MAX);
	store_explain_refusal(&why, path);
	err_temp(err, "4.3.0", "cannot look at the script %s: %s (%s)", path,
		strerror(EACCES), buf_text(&why));
	buf_clear(&why);
	return -1;
}

/* One name of a script folder. */
static int
list_add_entry(struct sequence *sequence, const char *folder, const char *name,
	struct err *err)
{
	struct arena *arena = sequence->job->arena;
	const char *path = arena_format(arena, "%s/%s", folder, name);
	struct stat status;

	if (name[0] == '.' || !str_ends(str_from(name), STR(".sieve")))
		return 0;
	if (stat(path, &status) < 0)
		return cannot_look(err, path);
	if (S_ISREG(status.st_mode))
		list_add(arena, &sequence->list, path, false);
	else
		tell_no_file(path);
	return 0;
}

static int
list_add_entries(struct sequence *sequence, const char *path, DIR *folder,
	struct err *err)
{
	size_t first = sequence->list.count;
	struct dirent *entry;

	for (;;) {
		errno = 0;
		entry = readdir(folder);
		if (entry == NULL && errno != 0)
			return err_temp_errno(err, "4.3.0",
				"cannot read the script folder %s", path);
		if (entry == NULL)
			return 0;
		if (list_add_entry(sequence, path, entry->d_name, err) < 0)
			return -1;
		if (sequence->list.count - first > MAX_SCRIPTS_IN_FOLDER)
			return err_temp(err, "4.3.0",
				"more than %d scripts in %s",
				MAX_SCRIPTS_IN_FOLDER, path);
	}
}

/* All *.sieve of a folder, by octet order of their names. */
static int
list_add_folder(struct sequence *sequence, const char *path, struct err *err)
{
	struct script_list *list = &sequence->list;
	size_t first = list->count;
	DIR *folder = opendir(path);
	int result;

	if (folder == NULL)
		return err_temp_errno(
			err, "4.3.0", "cannot read the script folder %s", path);
	result = list_add_entries(sequence, path, folder, err);
	closedir(folder);
	if (result == 0 && list->count > first)
		qsort(list->files + first, list->count - first,
			sizeof(*list->files), compare_paths);
	return result;
}

/* A user need not have what a template names.  But a fixed path is the admin's:
 * filters that do not run must not go unnoticed. */
static void
tell_missing(const char *setting, const char *path)
{
	if (strchr(setting, '%') == NULL && strchr(setting, '~') == NULL)
		log_warning(
			"sieve: the script %s is not there; passed over", path);
	else
		log_debug(
			"sieve: the script %s is not there; passed over", path);
}

/* One sieve_before or sieve_after: a script, or a folder of scripts. */
static int
list_add_global(struct sequence *sequence, const char *setting, struct err *err)
{
	struct arena *arena = sequence->job->arena;
	struct script_location location = location_parse(setting);
	struct stat status;
	const char *path;

	if (setup_path(sequence->job, sequence->delivery,
		    arena_text(arena, location.path), &path, err) < 0)
		return -1;
	if (stat(path, &status) < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			return cannot_look(err, path);
		tell_missing(setting, path);
		return 0;
	}
	if (S_ISDIR(status.st_mode))
		return list_add_folder(sequence, path, err);
	if (S_ISREG(status.st_mode))
		list_add(arena, &sequence->list, path, false);
	else
		tell_no_file(path);
	return 0;
}

static int
list_add_all(struct sequence *sequence, const struct conf_family *settings,
	struct err *err)
{
	size_t i;

	for (i = 0; i < settings->count; i++)
		if (list_add_global(sequence, settings->items[i].value, err) <
			0)
			return -1;
	return 0;
}

/* LOOKUP_NONE: there is nothing of that name. */
static enum lookup
look_at(const struct job *job, const struct delivery *delivery,
	const char *template, const char **path_out, struct stat *status_out,
	struct err *err)
{
	/* Without a home there is nothing of the user's own to run. */
	if (delivery->home == NULL && template[0] != '/')
		return LOOKUP_NONE;
	if (setup_path(job, delivery, template, path_out, err) < 0)
		return LOOKUP_ERROR;
	if (stat(*path_out, status_out) == 0)
		return LOOKUP_FOUND;
	if (errno == ENOENT || errno == ENOTDIR)
		return LOOKUP_NONE;
	cannot_look(err, *path_out);
	return LOOKUP_ERROR;
}

enum lookup
script_find_personal(const struct job *job, const struct delivery *delivery,
	const char **path_out, struct err *err)
{
	struct script_location location =
		location_parse(delivery->settings->sieve);
	struct str active = location.active;
	struct stat status;
	enum lookup found;

	*path_out = NULL;
	if (location.path.len == 0 && active.len == 0)
		return LOOKUP_NONE;
	if (active.len == 0)
		active = location.path;
	found = look_at(job, delivery, arena_text(job->arena, active), path_out,
		&status, err);
	/* `sieve = ~/sieve` may name the folder of a ManageSieve server; which of
	 * its scripts is active is then said by Dovecot's default link. */
	if (found == LOOKUP_FOUND && S_ISDIR(status.st_mode) &&
		location.active.len == 0)
		found = look_at(job, delivery, "~/.dovecot.sieve", path_out,
			&status, err);
	if (found == LOOKUP_FOUND && !S_ISREG(status.st_mode)) {
		tell_no_file(*path_out);
		return LOOKUP_NONE;
	}
	return found;
}

/* ---- where included scripts are ---- */

/* Dovecot's folder of a user's scripts, where nothing names another. */
#define PERSONAL_FOLDER "~/sieve"

static int
find_folder(const struct job *job, const struct delivery *delivery,
	const char *template, const char **path_out, struct err *err)
{
	*path_out = NULL;
	if (template[0] == '\0' ||
		(delivery->home == NULL && template[0] != '/'))
		return 0;
	return setup_path(job, delivery, template, path_out, err);
}

/* `sieve = FOLDER;active=FILE` names it, and so does `sieve = FOLDER`. */
static const char *
personal_template(const struct job *job, const struct delivery *delivery)
{
	struct script_location location =
		location_parse(delivery->settings->sieve);
	const char *template = arena_text(job->arena, location.path);
	struct stat status;
	const char *path;
	struct err err;

	if (location.active.len > 0)
		return template;
	if (delivery->settings->sieve_dir[0] != '\0')
		return delivery->settings->sieve_dir;
	if (find_folder(job, delivery, template, &path, &err) == 0 &&
		path != NULL && stat(path, &status) == 0 &&
		S_ISDIR(status.st_mode))
		return template;
	return PERSONAL_FOLDER;
}

int
script_find_folders(const struct job *job, const struct delivery *delivery,
	struct script_folders *folders_out, struct err *err)
{
	struct script_location global =
		location_parse(delivery->settings->sieve_global);

	if (find_folder(job, delivery, arena_text(job->arena, global.path),
		    &folders_out->global, err) < 0)
		return -1;
	return find_folder(job, delivery, personal_template(job, delivery),
		&folders_out->personal, err);
}

/* Else sieve_default stands in for it. */
static enum lookup
list_add_personal(struct sequence *sequence, struct err *err)
{
	const char *path;
	enum lookup found = script_find_personal(
		sequence->job, sequence->delivery, &path, err);

	if (found == LOOKUP_FOUND)
		list_add(sequence->job->arena, &sequence->list, path, true);
	else if (found == LOOKUP_NONE)
		log_debug("sieve: the user has no script: %s",
			path != NULL ? path : "no place to look at");
	return found;
}

static int
list_scripts(struct sequence *sequence, struct err *err)
{
	const struct settings *settings = sequence->delivery->settings;
	enum lookup personal;

	if (!settings->sieve_enabled)
		return 0;
	if (list_add_all(sequence, &settings->sieve_before, err) < 0)
		return -1;
	personal = list_add_personal(sequence, err);
	if (personal == LOOKUP_ERROR)
		return -1;
	if (personal == LOOKUP_NONE && settings->sieve_default[0] != '\0' &&
		list_add_global(sequence, settings->sieve_default, err) < 0)
		return -1;
	return list_add_all(sequence, &settings->sieve_after, err);
}

/* ---- running them ---- */

/* The first problem may be that of a script that was included. */
static const char *
included_name(const struct sequence *sequence, const struct script_file *file,
	const struct sieve_report *report)
{
	if (report->count == 0 ||
		strcmp(report->problems[0].script, file->path) == 0)
		return "";
	return arena_format(
		sequence->job->arena, "'%s' ", report->problems[0].script);
}

/* For who asks later. */
static void
note_run(struct sequence *sequence, const struct script_file *file,
	const char *error)
{
	struct script_outcome *outcome = sequence->outcome;

	if (outcome->run_count == outcome->run_size) {
		outcome->run_size =
			outcome->run_size ? outcome->run_size * 2 : 4;
		outcome->runs = arena_grow(sequence->job->arena, outcome->runs,
			sizeof(*outcome->runs), outcome->run_count,
			outcome->run_size);
	}
	outcome->runs[outcome->run_count++] =
		(struct script_run){file->path, error};
}

static const char *
first_problem(const struct sequence *sequence, const struct script_file *file,
	const struct sieve_report *report)
{
	if (report->count == 0)
		return "it failed";
	return arena_format(sequence->job->arena, "%sline %u: %s",
		included_name(sequence, file, report), report->problems[0].line,
		report->problems[0].text);
}

static void
report_failure(struct sequence *sequence, const struct script_file *file,
	bool has_compiled, const struct sieve_report *report)
{
	const char *what =
		has_compiled ? "Failed to execute" : "Failed to compile";
	const char *log_path = NULL;

	sequence->job->script_errors++;
	if (file->is_personal)
		log_path = userlog_write(sequence->job, sequence->delivery,
			file->path,
			has_compiled ? USERLOG_EACH_TIME : USERLOG_ONCE,
			report);
	if (log_path != NULL) {
		log_error("sieve: %s script '%s' (view user logfile '%s' for "
			  "more information): the message is kept",
			what, file->path, log_path);
		return;
	}
	log_error("sieve: %s script '%s': %sline %u: %s: the message is kept",
		what, file->path, included_name(sequence, file, report),
		report->count > 0 ? report->problems[0].line : 0,
		report->count > 0 ? report->problems[0].text : "unknown");
}

/* What the script's own commands have to say (debug_log): to its owner. */
static void
report_notes(struct sequence *sequence, const struct script_file *file,
	const struct sieve_report *report)
{
	bool has_notes = false;
	size_t i;

	for (i = 0; i < report->count; i++)
		has_notes = has_notes || report->problems[i].is_note;
	if (!has_notes)
		return;
	if (file->is_personal) {
		userlog_write(sequence->job, sequence->delivery, file->path,
			USERLOG_EACH_TIME, report);
		return;
	}
	for (i = 0; i < report->count; i++)
		if (report->problems[i].is_note)
			log_info("sieve: %s:%u: %s", report->problems[i].script,
				report->problems[i].line,
				report->problems[i].text);
}

/* In all but the last script keep means "go on": the copy is made at the end of
 * the sequence, with the flags this script wanted. */
static void
defer_keeps(struct sieve_result *result, size_t first)
{
	size_t kept = first, i;

	for (i = first; i < result->count; i++) {
		if (result->actions[i].kind == SIEVE_KEEP)
			result->flags = result->actions[i].keep.flags;
		else
			result->actions[kept++] = result->actions[i];
	}
	result->count = kept;
	result->implicit_keep = true;
}

/* By our own engine, whose programs are kept. */
static enum sieve_status
run_native(struct sequence *sequence, const struct script_file *file,
	struct sieve_report *report, bool *has_compiled_out, struct err *err)
{
	struct sieve_program *program;
	struct deliver_host host;
	enum lookup loaded = script_cache_load(sequence->job->script_cache,
		sequence->job->arena, &sequence->settings, &sequence->folders,
		file->path, &program, report, err);

	*has_compiled_out = loaded == LOOKUP_FOUND;
	if (loaded == LOOKUP_ERROR)
		return SIEVE_TEMPORARY;
	if (loaded == LOOKUP_NONE)
		return SIEVE_FAILED;
	host_init(&host, sequence->job, sequence->delivery);
	return sieve_run(program, &sequence->settings, &host.host,
		&sequence->outcome->result, report, err);
}

/* By libsieve, which reads the text each time. */
static enum sieve_status
run_libsieve(struct sequence *sequence, const struct script_file *file,
	struct sieve_report *report, struct err *err)
{
	const struct engine *engine = engine_find("libsieve");
	struct engine_script script = {.name = file->path};
	enum sieve_status status = SIEVE_TEMPORARY;
	struct deliver_host host;
	struct buf text;

	if (engine == NULL) {
		err_temp(err, "4.3.5",
			"sieve_engine = libsieve: this build is without "
			"libsieve");
		return SIEVE_TEMPORARY;
	}
	buf_init(&text, LONGEST_SCRIPT);
	if (fd_read_file(file->path, &text) < 0) {
		err_temp_errno(
			err, "4.3.0", "cannot read the script %s", file->path);
	} else {
		script.text = buf_view(&text);
		host_init(&host, sequence->job, sequence->delivery);
		status = engine_run(engine, &script, &sequence->settings,
			&host.host, &sequence->outcome->result, report, err);
	}
	buf_clear(&text);
	return status;
}

static enum sieve_status
run_script(struct sequence *sequence, const struct script_file *file,
	struct sieve_report *report, bool *has_compiled_out, struct err *err)
{
	*has_compiled_out = true;
	switch (sequence->delivery->settings->sieve_engine) {
	case CONF_SIEVE_ENGINE_LIBSIEVE:
		return run_libsieve(sequence, file, report, err);
	case CONF_SIEVE_ENGINE_NATIVE:
		break;
	}
	return run_native(sequence, file, report, has_compiled_out, err);
}

/* Users see it in any client, as with Cyrus. */
#define FAILED_KEYWORD "$SieveFailed"

/* To what the implicit keep files. */
static void
add_flag(struct sieve_result *result, struct str flag)
{
	const struct sieve_flags *old = &result->flags;
	struct str *items =
		ARENA_ARRAY(result->arena, struct str, old->count + 1);
	size_t i;

	for (i = 0; i < old->count; i++)
		items[i] = old->items[i];
	items[old->count] = flag;
	result->flags = (struct sieve_flags){items, old->count + 1};
}

/* LOOKUP_FOUND: go on with the next script; LOOKUP_NONE: the sequence ends. */
static enum lookup
run_one(struct sequence *sequence, const struct script_file *file,
	struct err *err)
{
	struct sieve_result *result = &sequence->outcome->result;
	struct sieve_report report;
	bool has_compiled;

	log_debug("sieve: running the script %s", file->path);
	sequence->settings.is_global = !file->is_personal;
	sieve_report_init(&report, sequence->job->arena);
	switch (run_script(sequence, file, &report, &has_compiled, err)) {
	case SIEVE_OK:
		note_run(sequence, file, NULL);
		report_notes(sequence, file, &report);
		sequence->outcome->has_script = true;
		return result->keep_in_effect ? LOOKUP_FOUND : LOOKUP_NONE;
	case SIEVE_TEMPORARY:
		return LOOKUP_ERROR;
	case SIEVE_FAILED:
		break;
	}
	note_run(sequence, file, first_problem(sequence, file, &report));
	report_failure(sequence, file, has_compiled, &report);
	/* RFC 5228 2.10.6: what earlier scripts did stays, and a keep. */
	if (sequence->delivery->settings->sieve_mark_failed)
		add_flag(result, STR(FAILED_KEYWORD));
	sequence->outcome->has_script = true;
	sequence->outcome->has_failed = true;
	result->implicit_keep = true;
	result->keep_in_effect = true;
	return LOOKUP_NONE;
}

static int
run_all(struct sequence *sequence, struct err *err)
{
	struct sieve_result *result = &sequence->outcome->result;
	size_t i;

	for (i = 0; i < sequence->list.count; i++) {
		size_t first = result->count;

		switch (run_one(sequence, &sequence->list.files[i], err)) {
		case LOOKUP_ERROR:
			return -1;
		case LOOKUP_NONE:
			return 0;
		case LOOKUP_FOUND:
			if (i + 1 < sequence->list.count)
				defer_keeps(result, first);
			break;
		}
	}
	return 0;
}

static bool
would_vanish(const struct sieve_result *result)
{
	size_t i;

	for (i = 0; i < result->count; i++)
		if (result->actions[i].kind != SIEVE_DISCARD &&
			result->actions[i].kind != SIEVE_VACATION &&
			result->actions[i].kind != SIEVE_NOTIFY &&
			result->actions[i].kind != SIEVE_REPORT)
			return false;
	return !result->implicit_keep;
}

/* sieve_discard: a last word of the admin's on what would vanish.  Its implicit
 * keep lets the discard stand. */
static int
run_discard(struct sequence *sequence, struct err *err)
{
	struct sieve_result *result = &sequence->outcome->result;
	const char *setting = sequence->delivery->settings->sieve_discard;

	if (setting[0] == '\0' || !would_vanish(result))
		return 0;
	sequence->list.count = 0;
	if (list_add_global(sequence, setting, err) < 0)
		return -1;
	if (sequence->list.count == 0)
		return 0;
	if (run_one(sequence, &sequence->list.files[0], err) == LOOKUP_ERROR)
		return -1;
	if (!sequence->outcome->has_failed)
		result->implicit_keep = false;
	return 0;
}

int
script_evaluate(struct job *job, struct delivery *delivery, struct err *err)
{
	struct sequence sequence = {.job = job,
		.delivery = delivery,
		.settings = setup_sieve(delivery->settings),
		.outcome = &delivery->work->script};

	sequence.outcome->result = (struct sieve_result){.arena = job->arena,
		.keep_in_effect = true,
		.implicit_keep = true};
	if (script_find_folders(job, delivery, &sequence.folders, err) < 0 ||
		list_scripts(&sequence, err) < 0 ||
		run_all(&sequence, err) < 0 ||
		run_discard(&sequence, err) < 0) {
		snprintf(err->text, sizeof(err->text), "%s",
			"Temporarily unable to access necessary Sieve scripts");
		return -1;
	}
	return 0;
}
