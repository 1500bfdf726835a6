/* SPDX-License-Identifier: MIT */
#include "deliver/programs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/program.h"
#include "deliver/report.h"
#include "deliver/setup.h"
#include "deliver/work.h"

#include "base/banned.h"

enum { CHUNK_BYTES = 65536, END_BYTES = 4096 };

static const char path_variable[] = "PATH=/usr/local/bin:/usr/bin:/bin";

void
programs_refuse(struct program_answer *answer, const char *why)
{
	*answer = (struct program_answer){.end = PROGRAM_IMPOSSIBLE};
	snprintf(answer->text, sizeof(answer->text), "%s", why);
}

/* ---- what the settings say ---- */

struct rules {
	const char *word; /* of the command */
	const char *folder, *folder_key;
	uint64_t timeout_ms;
	enum conf_eol eol;
};

static struct rules
rules_of(const struct settings *settings, enum program_use use)
{
	/* ORDER PROGRAM USES */
	const struct rules rules[] = {
		{"pipe", settings->sieve_pipe_bin_dir, "sieve_pipe_bin_dir",
			settings->sieve_pipe_exec_timeout_ms,
			settings->sieve_pipe_input_eol},
		{"filter", settings->sieve_filter_bin_dir,
			"sieve_filter_bin_dir",
			settings->sieve_filter_exec_timeout_ms,
			settings->sieve_filter_input_eol},
		{"execute", settings->sieve_execute_bin_dir,
			"sieve_execute_bin_dir",
			settings->sieve_execute_exec_timeout_ms,
			settings->sieve_execute_input_eol},
		{"convert", settings->sieve_convert_bin_dir,
			"sieve_convert_bin_dir",
			settings->sieve_convert_exec_timeout_ms, CONF_EOL_CRLF},
		{"quota_warning", settings->quota_warning_bin_dir,
			"quota_warning_bin_dir",
			settings->quota_warning_exec_timeout_ms, CONF_EOL_LF},
	};

	return rules[use];
}

/* sieve_convert = FROM TO PROGRAM */
static bool
find_converter(const struct settings *settings,
	const struct program_request *request, struct str *name_out)
{
	size_t i;

	if (request->argument_count < 2)
		return false;
	for (i = 0; i < settings->sieve_convert.count; i++) {
		struct str rest =
			str_from(settings->sieve_convert.items[i].value);
		struct str from, to;

		if (str_next_word(&rest, &from) && str_next_word(&rest, &to) &&
			str_next_word(&rest, name_out) &&
			str_equal_nocase(from, request->arguments[0]) &&
			str_equal_nocase(to, request->arguments[1]))
			return true;
	}
	return false;
}

/* quota_warning = THRESHOLD PROGRAM ... */
static bool
is_warning_program(const struct settings *settings, struct str name)
{
	struct conf_quota_warning warning;
	struct conf_quota_fault fault;
	struct str word;
	size_t i;

	for (i = 0; i < settings->quota_warning.count; i++)
		if (conf_quota_parse_warning(
			    str_from(settings->quota_warning.items[i].value),
			    &warning, &fault) == 0 &&
			str_next_word(&warning.command, &word) &&
			str_equal(word, name))
			return true;
	return false;
}

/* ---- where the program is ---- */

/* Also what another process has said, which is not believed. */
static bool
is_file_name(struct str name)
{
	return name.len > 0 && name.data[0] != '.' &&
	       !str_has_char(name, '/') && !str_has_char(name, '\0');
}

/* What everybody may write is nobody's word. */
static const char *
what_is_wrong(const char *folder, const char *path)
{
	struct stat status;

	if (stat(folder, &status) < 0)
		return strerror(errno);
	if ((status.st_mode & S_IWOTH) != 0)
		return "everybody may write its folder";
	if (stat(path, &status) < 0)
		return strerror(errno);
	if (!S_ISREG(status.st_mode))
		return "it is no file";
	if ((status.st_mode & S_IWOTH) != 0)
		return "everybody may write it";
	return NULL;
}

/* NULL: `answer` says why. */
static const char *
use_program(struct arena *arena, const char *folder, const char *path,
	struct program_answer *answer)
{
	const char *wrong = what_is_wrong(folder, path);

	if (wrong == NULL)
		return path;
	programs_refuse(
		answer, arena_format(arena, "cannot run %s: %s", path, wrong));
	return NULL;
}

/* NULL: `answer` says why. */
static const char *
find_program(const struct settings *settings, struct arena *arena,
	const struct program_request *request, struct program_answer *answer)
{
	struct rules rules = rules_of(settings, request->use);
	struct str name = request->name;

	if (request->use == PROGRAM_WARNING &&
		!is_warning_program(settings, name)) {
		programs_refuse(answer,
			"it is in no quota_warning of the configuration");
		return NULL;
	}
	if (request->use == PROGRAM_WARNING && str_starts(name, STR("/")))
		return use_program(arena, "/", arena_text(arena, name), answer);
	if (request->use == PROGRAM_CONVERT &&
		!find_converter(settings, request, &name)) {
		programs_refuse(answer,
			"no converter is set for these types (sieve_convert)");
		return NULL;
	}
	if (rules.folder[0] == '\0') {
		programs_refuse(answer,
			arena_format(arena, "no folder of programs is set (%s)",
				rules.folder_key));
		return NULL;
	}
	if (!is_file_name(name)) {
		programs_refuse(answer, "that is no name of a program");
		return NULL;
	}
	return use_program(arena, rules.folder,
		arena_format(arena, "%s/%.*s", rules.folder, STR_ARG(name)),
		answer);
}

/* ---- one run ---- */

static char **
words_of(struct arena *arena, const char *path,
	const struct program_request *request)
{
	char **words = ARENA_ARRAY(arena, char *, request->argument_count + 2);
	size_t i;

	words[0] = arena_text(arena, str_from(path));
	for (i = 0; i < request->argument_count; i++)
		words[i + 1] = arena_text(arena, request->arguments[i]);
	return words;
}

static char **
environment_of(struct arena *arena, const struct program_environment *values)
{
	const struct {
		const char *name;
		struct str value;
	} variables[] = {
		{"USER", values->user},
		{"HOME", values->home},
		{"HOST", values->host},
		{"SENDER", values->sender},
		{"RECIPIENT", values->recipient},
		{"ORIG_RECIPIENT", values->original},
	};
	char **words = ARENA_ARRAY(arena, char *, ARRAY_LENGTH(variables) + 2);
	size_t i, count = 0;

	words[count++] = arena_text(arena, str_from(path_variable));
	for (i = 0; i < ARRAY_LENGTH(variables); i++)
		words[count++] = arena_format(arena, "%s=%.*s",
			variables[i].name, STR_ARG(variables[i].value));
	return words;
}

static uint64_t
lesser(uint64_t a, uint64_t b)
{
	return b != 0 && b < a ? b : a;
}

static struct program_order
order_of(const struct settings *settings, struct arena *arena, const char *path,
	const struct program_request *request)
{
	struct rules rules = rules_of(settings, request->use);

	return (struct program_order){
		.words = words_of(arena, path, request),
		.environment = environment_of(arena, &request->environment),
		.folder = "/",
		.input = request->input,
		.timeout_ms = lesser(rules.timeout_ms, request->timeout_ms),
		.cpu_s = (settings->sieve_program_max_cpu_time_ms + 999) / 1000,
		.memory = settings->sieve_program_max_memory,
		.output = request->wants_output
	                          ? lesser(settings->sieve_program_max_output,
					    request->most)
	                          : 0,
	};
}

/* Line ends and the like would not be seen in a log. */
static void
make_one_line(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == '\x7f')
			*text = ' ';
}

static void
tell_end(const struct program *program, struct program_answer *answer)
{
	struct str said = program_said(program);
	struct buf text;

	buf_init(&text, END_BYTES);
	if (answer->end != PROGRAM_DONE) {
		program_add_end(program, &text);
		if (said.len > 0)
			buf_add_text(&text, ": ");
	}
	buf_add(&text, said);
	snprintf(answer->text, sizeof(answer->text), "%s", buf_text(&text));
	buf_clear(&text);
	make_one_line(answer->text);
}

static void
judge(const struct program *program, struct arena *arena,
	struct program_answer *answer)
{
	if (program_has_succeeded(program)) {
		answer->end = PROGRAM_DONE;
		answer->output = arena_copy(arena, program_output(program));
	} else {
		answer->end = program_was_killed(program) ? PROGRAM_BROKEN
		                                          : PROGRAM_STATUS;
	}
	tell_end(program, answer);
}

static void
run(const struct program_order *order, struct arena *arena,
	struct program_answer *answer)
{
	struct program program;
	struct err err;

	err_clear(&err);
	if (program_start(&program, order, &err) == 0 &&
		program_wait(&program, &err) == 0) {
		judge(&program, arena, answer);
	} else {
		programs_refuse(answer, err_log_text(&err));
		answer->end = PROGRAM_BROKEN;
	}
	program_end(&program);
}

void
programs_run(const struct settings *settings, struct arena *arena,
	const struct program_request *request, struct program_answer *answer)
{
	struct program_order order;
	const char *path;
	int null = -1;

	*answer = (struct program_answer){.end = PROGRAM_IMPOSSIBLE};
	path = find_program(settings, arena, request, answer);
	if (path == NULL)
		return;
	order = order_of(settings, arena, path, request);
	if (order.input < 0)
		order.input = null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (order.input < 0 ||
		(null < 0 && lseek(order.input, 0, SEEK_SET) < 0))
		programs_refuse(answer, "its standard input cannot be opened");
	else
		run(&order, arena, answer);
	fd_close(&null);
}

/* ---- standard input ---- */

static enum line_ends
line_ends_of(enum conf_eol eol)
{
	switch (eol) {
	case CONF_EOL_CRLF:
		return LINE_ENDS_CRLF;
	case CONF_EOL_LF:
		return LINE_ENDS_LF;
	}
	return LINE_ENDS_CRLF;
}

static int
write_content(int file, const struct content *content, enum line_ends line_ends,
	struct err *err)
{
	struct arena *arena = arena_open();
	struct content_reader reader;
	enum lookup more;
	struct str chunk;
	int result = 0;

	content_reader_init(&reader, content, line_ends,
		arena_alloc(arena, CHUNK_BYTES), CHUNK_BYTES);
	while (result == 0 &&
		(more = content_read(&reader, &chunk, err)) != LOOKUP_NONE)
		result = more == LOOKUP_ERROR || fd_write(file, chunk) < 0 ? -1
		                                                           : 0;
	arena_close(&arena);
	return result;
}

/* A file without a name; -1: there is no room for it. */
static int
input_file(const struct settings *settings)
{
	int file = memfd_create("input", MFD_CLOEXEC);

	return file >= 0 ? file : fd_temporary(settings->mail_temp_dir);
}

/* As a script has given it; the caller closes the file. */
static bool
make_input(const struct settings *settings, const struct content *content,
	struct str text, enum conf_eol eol, int *file_out)
{
	struct err err;

	*file_out = -1;
	if (content == NULL && text.len == 0)
		return true;
	*file_out = input_file(settings);
	if (*file_out >= 0 &&
		(content != NULL ? write_content(*file_out, content,
					   line_ends_of(eol), &err)
				 : fd_write(*file_out, text)) == 0)
		return true;
	fd_close(file_out);
	return false;
}

/* ---- for a delivery ---- */

static struct program_environment
environment_for(const struct job *job, const struct delivery *delivery)
{
	return (struct program_environment){
		.user = str_from(delivery->user),
		.home = str_from(delivery->home),
		.host = setup_hostname(delivery->settings),
		.sender = job->sender.text,
		.recipient = delivery->final.text,
		.original = delivery->original.text,
	};
}

/* Until the client will have gone.  0: nobody waits. */
static uint64_t
time_left_ms(const struct job *job)
{
	uint64_t now = clock_monotonic_ms();

	if (job->deadline_ms == 0)
		return 0;
	return now < job->deadline_ms ? job->deadline_ms - now : 1;
}

static void
log_end(const struct rules *rules, struct str name,
	const struct program_answer *answer)
{
	switch (answer->end) {
	case PROGRAM_DONE:
		if (answer->text[0] != '\0')
			log_info("sieve: %s: program '%.*s' said: %s",
				rules->word, STR_ARG(name), answer->text);
		break;
	case PROGRAM_STATUS:
		log_info("sieve: %s: %s", rules->word, answer->text);
		break;
	case PROGRAM_BROKEN:
	case PROGRAM_IMPOSSIBLE:
		log_error("sieve: %s: failed to run program '%.*s': %s",
			rules->word, STR_ARG(name), answer->text);
		break;
	}
}

/* Here or elsewhere, when it may be waited for.  IMPOSSIBLE with work->no_place: it
 * may not. */
static void
run_in_place(const struct job *job, const struct delivery *delivery,
	const struct program_request *request, struct program_answer *answer)
{
	const struct settings *settings = delivery->settings;
	struct err err;

	if (job->waits != NULL &&
		job->waits->begin(job, JOB_WAIT_PROGRAM, &err) < 0) {
		struct err *why = ARENA_NEW(job->arena, struct err);

		*why = err;
		delivery->work->no_place = why;
		programs_refuse(answer, err_log_text(&err));
		return;
	}
	if (job->programs != NULL)
		job->programs->run(job, settings, request, answer);
	else
		programs_run(settings, job->arena, request, answer);
	if (job->waits != NULL)
		job->waits->end(job, JOB_WAIT_PROGRAM);
}

/* A mere test of a script has no work. */
static bool
has_no_place(const struct delivery *delivery)
{
	return delivery->work != NULL && delivery->work->no_place != NULL;
}

bool
programs_had_no_place(const struct delivery *delivery, struct err *err)
{
	if (!has_no_place(delivery))
		return false;
	*err = *delivery->work->no_place;
	return true;
}

/* With the input that the request shall have. */
static void
ask(const struct job *job, const struct delivery *delivery,
	struct program_request *request, const struct content *content,
	struct str text, struct program_answer *answer)
{
	const struct settings *settings = delivery->settings;
	struct rules rules = rules_of(settings, request->use);

	request->environment = environment_for(job, delivery);
	request->timeout_ms = lesser(rules.timeout_ms, time_left_ms(job));
	if (!make_input(settings, content, text, rules.eol, &request->input))
		programs_refuse(answer, "no room for its standard input");
	else
		run_in_place(job, delivery, request, answer);
	fd_close(&request->input);
}

void
programs_warn(const struct job *job, const struct delivery *delivery,
	struct program_request *request, struct program_answer *answer)
{
	const struct settings *settings = delivery->settings;

	request->environment = environment_for(job, delivery);
	request->timeout_ms = rules_of(settings, request->use).timeout_ms;
	request->input = -1;
	run_in_place(job, delivery, request, answer);
}

static enum program_use
use_of(enum sieve_external_kind kind)
{
	switch (kind) {
	case SIEVE_EXTERNAL_FILTER:
		return PROGRAM_FILTER;
	case SIEVE_EXTERNAL_EXECUTE:
		return PROGRAM_EXECUTE;
	case SIEVE_EXTERNAL_CONVERT:
		break;
	}
	return PROGRAM_CONVERT;
}

static enum sieve_external_end
external_end_of(enum program_end end)
{
	switch (end) {
	case PROGRAM_DONE:
		return SIEVE_EXTERNAL_DONE;
	case PROGRAM_STATUS:
	case PROGRAM_BROKEN:
		return SIEVE_EXTERNAL_FAILED;
	case PROGRAM_IMPOSSIBLE:
		break;
	}
	return SIEVE_EXTERNAL_IMPOSSIBLE;
}

/* A media type without a converter is no trouble of the admin's. */
static bool
is_known(const struct settings *settings, const struct program_request *request)
{
	struct str name;

	return request->use != PROGRAM_CONVERT ||
	       find_converter(settings, request, &name);
}

void
programs_for_script(const struct job *job, const struct delivery *delivery,
	struct sieve_external *external)
{
	struct program_request request = {.use = use_of(external->kind),
		.name = external->name,
		.arguments = external->arguments,
		.argument_count = external->argument_count,
		.wants_output = external->wants_output,
		.most = external->most};
	struct rules rules = rules_of(delivery->settings, request.use);
	struct program_answer answer;

	if (!is_known(delivery->settings, &request))
		return;
	if (job->work != NULL && job->work->holds_programs) {
		job->work->wants_programs = true;
		external->end = SIEVE_EXTERNAL_FAILED;
		return;
	}
	ask(job, delivery, &request, external->content, external->input,
		&answer);
	if (!has_no_place(delivery))
		log_end(&rules, request.name, &answer);
	external->end = external_end_of(answer.end);
	external->output = answer.output;
	if (answer.end != PROGRAM_DONE)
		external->problem =
			arena_text(external->arena, str_from(answer.text));
}

bool
programs_pipe(const struct job *job, const struct delivery *delivery,
	const struct sieve_action *action, const struct content *content)
{
	struct program_request request = {.use = PROGRAM_PIPE,
		.name = action->pipe.program,
		.arguments = action->pipe.arguments,
		.argument_count = action->pipe.argument_count};
	struct program_answer answer;

	if (content == NULL)
		content = content_of(job->arena, job->message);
	ask(job, delivery, &request, content, STR_EMPTY, &answer);
	if (has_no_place(delivery))
		return false;
	if (answer.end == PROGRAM_DONE) {
		report_line(job, delivery, NULL,
			"piped message to program '%.*s'%s%s",
			STR_ARG(request.name),
			answer.text[0] != '\0' ? ": " : "", answer.text);
		return true;
	}
	if (action->pipe.is_try)
		log_info("sieve: failed to pipe message to program '%.*s' "
			 "(ignored): %s",
			STR_ARG(request.name), answer.text);
	else
		log_error("sieve: failed to pipe message to program '%.*s': %s",
			STR_ARG(request.name), answer.text);
	return false;
}
