/* sieve - `doorstep sieve check`, `capabilities` and `test`; sieve_compare.c has
 * `compare` and `diff`
 *
 *   doorstep sieve check [-u USER] [--global] [--from-libsieve] FILE...
 *   doorstep sieve capabilities
 *   doorstep sieve test [-f FROM] [-a ORIG] [-r RCPT] [-u USER] [-m MAILBOX]...
 *       [--trace] [--run-programs] SCRIPT MESSAGE...
 *
 * `test` does nothing: it prints the actions a delivery would take, one a line,
 * the implicit keep as "keep".  With several messages each line begins with the
 * message's name.  Mailboxes exist when -m names them; without -m those of -u's
 * user, and without a user all do.  Scripts that are included are those of -u's
 * user; without a user they lie beside the script.
 *
 * SPDX-License-Identifier: MIT
 */
#include "ctl/sieve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/json.h"
#include "mail/address.h"
#include "mail/message.h"
#include "conf/conf.h"
#include "sieve/legacy.h"
#include "sieve/sieve.h"
#include "store/store.h"
#include "deliver/deliver.h"
#include "deliver/environment.h"
#include "deliver/extlists.h"
#include "deliver/mailboxes.h"
#include "deliver/programs.h"
#include "deliver/recipient.h"
#include "deliver/script.h"
#include "deliver/setup.h"
#include "deliver/useraddress.h"

#include "base/banned.h"

/* Above the largest script there can be; sieve_compile() knows the limit. */
#define MOST_SCRIPT_BYTES ((size_t)1 << 30)

/* ---- problems ---- */

static void
print_problem(FILE *out, const struct sieve_problem *problem)
{
	fprintf(out, "%s:%u:%u: %s: %s\n", problem->script, problem->line,
		problem->column, sieve_problem_word(problem), problem->text);
}

static void
json_problems(struct json *json, const struct sieve_report *report)
{
	size_t i;

	json_open(json, "problems", '[');
	for (i = 0; i < report->count; i++) {
		const struct sieve_problem *problem = &report->problems[i];

		json_open(json, NULL, '{');
		json_number(json, "line", problem->line);
		json_number(json, "column", problem->column);
		json_text(json, "script", str_from(problem->script));
		json_bool(json, "warning", problem->is_warning);
		json_text(json, "text", str_from(problem->text));
		json_close(json);
	}
	json_close(json);
}

int
tester_read_script(const char *path, struct buf *text)
{
	if (fd_read_file(path, text) < 0)
		return ctl_fail(
			-1, "cannot read %s: %s", path, strerror(errno));
	return 0;
}

/* ---- capabilities ---- */

static int
run_capabilities(
	struct ctl *ctl, const struct sieve_settings *settings, int argc)
{
	size_t count, i;
	const char *const *names = sieve_capabilities(&count);
	struct json json;

	if (argc > 1)
		return ctl_fail(
			CTL_USAGE, "usage: doorstep sieve capabilities");
	json_init(&json, stdout);
	if (ctl->json)
		json_open(&json, NULL, '[');
	for (i = 0; i < count; i++) {
		if (!sieve_offers(settings, str_from(names[i])))
			continue;
		if (ctl->json)
			json_text(&json, NULL, str_from(names[i]));
		else
			puts(names[i]);
	}
	if (ctl->json)
		json_close(&json);
	return CTL_OK;
}

/* ---- test: the world of a script ---- */

static struct tester *
tester_of(struct sieve_host *host)
{
	return CONTAINER_OF(host, struct tester, host);
}

static const struct message *
answer_message(struct sieve_host *host)
{
	return tester_of(host)->message;
}

static bool
answer_envelope(struct sieve_host *host, enum sieve_envelope_part part,
	struct address *address_out)
{
	const struct tester *tester = tester_of(host);

	switch (part) {
	case SIEVE_ENVELOPE_FROM:
		*address_out = tester->from;
		return tester->has_from;
	case SIEVE_ENVELOPE_TO:
		*address_out = tester->to;
		return tester->has_to;
	}
	return false;
}

static enum lookup
answer_mailbox_exists(
	struct sieve_host *host, struct str mailbox, struct err *err)
{
	const struct tester *tester = tester_of(host);
	size_t i;

	if (tester->mailbox_count == 0 && tester->store != NULL)
		return mailboxes_exists(tester->known, mailbox, err);
	if (tester->mailbox_count == 0 || str_is_nocase(mailbox, "INBOX"))
		return LOOKUP_FOUND;
	for (i = 0; i < tester->mailbox_count; i++)
		if (str_is(mailbox, tester->mailboxes[i]))
			return LOOKUP_FOUND;
	return LOOKUP_NONE;
}

/* What is said of folders is known of a user's alone. */
static enum lookup
answer_special_use(struct sieve_host *host, const struct str *mailbox,
	struct str use, struct str *mailbox_out, struct err *err)
{
	const struct tester *tester = tester_of(host);

	if (tester->known == NULL)
		return LOOKUP_NONE;
	return mailbox != NULL
	               ? mailboxes_has_use(tester->known, *mailbox, use, err)
	               : mailboxes_find_use(
				 tester->known, use, mailbox_out, err);
}

static enum lookup
answer_mailbox_by_id(struct sieve_host *host, struct str id,
	struct str *mailbox_out, struct err *err)
{
	const struct tester *tester = tester_of(host);

	if (tester->store == NULL)
		return LOOKUP_NONE;
	return store_find_id(tester->store, id, mailbox_out, err);
}

static enum lookup
answer_metadata(struct sieve_host *host, const struct str *mailbox,
	struct str name, struct str *value_out, struct err *err)
{
	const struct tester *tester = tester_of(host);

	if (tester->known == NULL)
		return LOOKUP_NONE;
	return mailboxes_metadata(tester->known, mailbox, name, value_out, err);
}

static bool
answer_list_is_valid(struct sieve_host *host, struct str list)
{
	const struct tester *tester = tester_of(host);

	return tester->lists != NULL && extlists_has_list(tester->lists, list);
}

static enum lookup
answer_list_has(struct sieve_host *host,
	const struct sieve_list_question *question, struct err *err)
{
	const struct tester *tester = tester_of(host);

	return tester->lists != NULL
	               ? extlists_find(tester->lists, question, err)
	               : LOOKUP_NONE;
}

static enum lookup
answer_list_values(struct sieve_host *host, struct str list,
	const struct str **values_out, size_t *count_out, struct err *err)
{
	const struct tester *tester = tester_of(host);

	return tester->lists != NULL ? extlists_values(tester->lists, list,
					       values_out, count_out, err)
	                             : LOOKUP_NONE;
}

static void
print_trace(struct sieve_host *host, const struct sieve_trace_event *event)
{
	const struct tester *tester = tester_of(host);
	struct arena *arena = tester->ctl->arena;
	struct arena_mark mark = arena_mark(arena);
	struct str text = sieve_trace_text(arena, event);

	printf("%strace %s:%.*s\n", tester->prefix, event->script,
		STR_ARG(text));
	arena_release(arena, mark);
}

static int64_t
answer_now(struct sieve_host *host UNUSED)
{
	return clock_now().tv_sec;
}

static int
answer_zone(struct sieve_host *host UNUSED, int64_t seconds)
{
	return clock_zone(seconds);
}

/* What the LDA would answer. */
static bool
answer_environment(
	struct sieve_host *host, struct str name, struct str *value_out)
{
	const struct tester *tester = tester_of(host);
	const struct job job = {.arena = tester->ctl->arena, .service = "lda"};
	const struct delivery delivery = {
		.user = tester->user, .settings = tester->conf};

	return environment_find(&job, &delivery, name, value_out);
}

/* One that is not run changes nothing, as one that fails. */
static void
run_program(struct sieve_host *host, struct sieve_external *external)
{
	const struct tester *tester = tester_of(host);
	const struct job job = {.arena = tester->ctl->arena,
		.service = "lda",
		.message = tester->message,
		.sender = tester->from};
	const struct delivery delivery = {.user = tester->user,
		.settings = tester->conf,
		.final = tester->to,
		.original = tester->to};

	if (tester->runs_programs) {
		programs_for_script(&job, &delivery, external);
		return;
	}
	external->end = SIEVE_EXTERNAL_FAILED;
	fprintf(stderr, "%sprogram %.*s is not run without --run-programs\n",
		tester->prefix, STR_ARG(external->name));
}

/* What -r says, else -a, else -u. */
static struct delivery
delivery_of(const struct tester *tester)
{
	struct delivery delivery = {
		.user = tester->user, .settings = tester->conf};

	if (tester->has_recipient)
		delivery.final = tester->recipient;
	else if (tester->has_to)
		delivery.final = tester->to;
	return delivery;
}

static bool
answer_user_address(struct sieve_host *host, struct address *address_out)
{
	const struct tester *tester = tester_of(host);
	const struct job job = {
		.arena = tester->ctl->arena, .service = "lda", .session = ""};
	const struct delivery delivery = delivery_of(tester);

	return useraddress_main(&job, &delivery, address_out);
}

static bool
answer_user_alias(
	struct sieve_host *host, size_t index, struct str *address_out)
{
	const struct delivery delivery = delivery_of(tester_of(host));

	return useraddress_alias(&delivery, index, address_out);
}

static void
print_log(struct sieve_host *host UNUSED, const char *text)
{
	fprintf(stderr, "log: %s\n", text);
}

static const struct sieve_host_ops quiet_ops = {
	.message = answer_message,
	.envelope = answer_envelope,
	.mailbox_exists = answer_mailbox_exists,
	.special_use = answer_special_use,
	.mailbox_by_id = answer_mailbox_by_id,
	.metadata = answer_metadata,
	.now = answer_now,
	.zone = answer_zone,
	.environment = answer_environment,
	.run_program = run_program,
	.log = print_log,
	.list_is_valid = answer_list_is_valid,
	.list_has = answer_list_has,
	.user_address = answer_user_address,
	.user_alias = answer_user_alias,
	.list_values = answer_list_values,
};
static const struct sieve_host_ops traced_ops = {
	.message = answer_message,
	.envelope = answer_envelope,
	.mailbox_exists = answer_mailbox_exists,
	.special_use = answer_special_use,
	.mailbox_by_id = answer_mailbox_by_id,
	.metadata = answer_metadata,
	.now = answer_now,
	.zone = answer_zone,
	.environment = answer_environment,
	.run_program = run_program,
	.log = print_log,
	.list_is_valid = answer_list_is_valid,
	.list_has = answer_list_has,
	.user_address = answer_user_address,
	.user_alias = answer_user_alias,
	.list_values = answer_list_values,
	.trace = print_trace,
};

/* ---- test: one message ---- */

/* The sender of a message that came without an envelope: its "From " line, or
 * the Return-Path of an earlier delivery. */
static void
guess_sender(struct tester *tester)
{
	struct arena *arena = tester->ctl->arena;
	const struct header_field *field;
	struct str sender;
	struct err err;

	if (tester->has_from)
		return;
	if (!message_mbox_sender(tester->message, &sender)) {
		field = message_field_next(
			tester->message, STR("Return-Path"), NULL);
		if (field == NULL)
			return;
		sender = str_trim(field->value);
	}
	tester->has_from =
		address_parse_path(arena, sender,
			ADDRESS_NULL_ALLOWED | ADDRESS_LOCAL_ALLOWED |
				ADDRESS_BRACKETS_OPTIONAL,
			&tester->from, &err) == 0;
}

void
tester_begin_message(struct tester *tester, const struct message *message)
{
	tester->message = message;
	tester->has_from = tester->has_given_from;
	tester->from = tester->given_from;
	guess_sender(tester);
}

struct message_limits
tester_limits(const struct tester *tester)
{
	return (struct message_limits){
		.memory_bytes = 128 * 1024,
		.header_bytes = tester->conf->message_header_max_size,
		.header_fields = 100000,
		.temp_folder = tester->conf->mail_temp_dir,
	};
}

static void
print_actions(const struct tester *tester, const struct sieve_result *result)
{
	struct arena *arena = tester->ctl->arena;
	const struct sieve_action keep = sieve_implicit_keep(result);
	size_t i;

	for (i = 0; i < result->count; i++)
		printf("%s%.*s\n", tester->prefix,
			STR_ARG(sieve_action_text(arena, &result->actions[i])));
	if (result->implicit_keep)
		printf("%s%.*s\n", tester->prefix,
			STR_ARG(sieve_action_text(arena, &keep)));
}

static void
json_actions(struct json *json, struct arena *arena,
	const struct sieve_result *result)
{
	const struct sieve_action keep = sieve_implicit_keep(result);
	size_t i;

	json_open(json, "actions", '[');
	for (i = 0; i < result->count; i++) {
		json_open(json, NULL, '{');
		json_text(json, "action",
			sieve_action_text(arena, &result->actions[i]));
		json_text(json, "tags",
			str_trim(str_from(
				sieve_action_tags(&result->actions[i]))));
		json_number(json, "line", result->actions[i].line);
		json_number(json, "column", result->actions[i].column);
		json_close(json);
	}
	if (result->implicit_keep) {
		json_open(json, NULL, '{');
		json_text(json, "action", sieve_action_text(arena, &keep));
		json_bool(json, "implicit", true);
		json_close(json);
	}
	json_close(json);
}

static int
judge(struct tester *tester, const struct sieve_program *program,
	const char *path, struct json *json)
{
	struct sieve_result result = {.arena = tester->ctl->arena};
	struct sieve_report report;
	struct err err;
	enum sieve_status status;
	size_t i;

	sieve_report_init(&report, tester->ctl->arena);
	status = sieve_run(program, &tester->settings, &tester->host, &result,
		&report, &err);
	if (status == SIEVE_TEMPORARY)
		return ctl_fail(CTL_TEMPORARY, "%s", err_log_text(&err));
	if (json != NULL) {
		json_open(json, NULL, '{');
		json_text(json, "message", str_from(path));
		json_actions(json, tester->ctl->arena, &result);
		json_problems(json, &report);
		json_close(json);
	} else {
		for (i = 0; i < report.count; i++)
			print_problem(stderr, &report.problems[i]);
		print_actions(tester, &result);
	}
	return status == SIEVE_OK ? CTL_OK : CTL_FAILED;
}

static int
test_message(const struct tester *template, const struct sieve_program *program,
	const char *path, bool is_named, struct json *json)
{
	struct tester tester = *template;
	const struct message_limits limits = tester_limits(template);
	struct message *message;
	struct err err;
	int fd, status;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ctl_fail(CTL_TEMPORARY, "cannot read %s: %s", path,
			strerror(errno));
	status = message_open_fd(fd, &limits, &message, &err);
	fd_close(&fd);
	if (status < 0)
		return ctl_fail(CTL_TEMPORARY, "cannot read %s: %s", path,
			err_log_text(&err));
	tester_begin_message(&tester, message);
	tester.prefix =
		is_named ? arena_format(tester.ctl->arena, "%s: ", path) : "";
	status = judge(&tester, program, path, json);
	message_close(&message);
	return status;
}

/* ---- test: the command line ---- */

struct test_options {
	const char *from, *original, *recipient, *user;
	const char **mailboxes;
	size_t mailbox_count;
	bool may_trace;    /* there are --trace and --run-programs */
	const char *usage; /* of the command */
	int least;         /* arguments behind the options */
	bool is_traced, runs_programs;
	int first; /* argument that is no option */
};

#define TEST_USAGE                                                             \
	"usage: doorstep sieve test [-f FROM] [-a ORIG] [-r RCPT] [-u USER] "  \
	"[-m MAILBOX]... [--trace] [--run-programs] SCRIPT MESSAGE..."

/* False when the option's value is missing or there is no such option. */
static bool
read_option(struct test_options *options, int argc, char **argv, int *index)
{
	const char *option = argv[*index], *value;

	if (options->may_trace && strcmp(option, "--trace") == 0) {
		options->is_traced = true;
		return true;
	}
	if (options->may_trace && strcmp(option, "--run-programs") == 0) {
		options->runs_programs = true;
		return true;
	}
	if (option[1] == '\0' || strchr("farum", option[1]) == NULL)
		return false;
	value = option + 2;
	if (*value == '\0') {
		if (*index + 1 >= argc)
			return false;
		value = argv[++*index];
	}
	switch (option[1]) {
	case 'f':
		options->from = value;
		break;
	case 'a':
		options->original = value;
		break;
	case 'r':
		options->recipient = value;
		break;
	case 'u':
		options->user = value;
		break;
	default:
		options->mailboxes[options->mailbox_count++] = value;
		break;
	}
	return true;
}

static int
read_options(
	struct ctl *ctl, struct test_options *options, int argc, char **argv)
{
	int i;

	options->mailboxes =
		ARENA_ARRAY(ctl->arena, const char *, (size_t)argc);
	for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1] != '\0'; i++) {
		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		if (!read_option(options, argc, argv, &i))
			return ctl_fail(-1, "%s", options->usage);
	}
	options->first = i;
	if (argc - i < options->least)
		return ctl_fail(-1, "%s", options->usage);
	return 0;
}

static int
read_address(struct tester *tester, const char *text, struct address *address,
	bool *has_out)
{
	struct err err;

	*has_out = text != NULL;
	if (text == NULL)
		return 0;
	if (address_parse_path(tester->ctl->arena, str_from(text),
		    ADDRESS_NULL_ALLOWED | ADDRESS_LOCAL_ALLOWED |
			    ADDRESS_BRACKETS_OPTIONAL,
		    address, &err) < 0)
		return ctl_fail(-1, "%s: %s", text, err.text);
	return 0;
}

static int
read_envelope(struct tester *tester, const struct test_options *options)
{
	const char *to = options->original;

	if (to == NULL)
		to = options->recipient;
	if (to == NULL)
		to = options->user;
	if (read_address(tester, options->from, &tester->given_from,
		    &tester->has_given_from) < 0)
		return -1;
	if (read_address(tester, options->recipient, &tester->recipient,
		    &tester->has_recipient) < 0)
		return -1;
	return read_address(tester, to, &tester->to, &tester->has_to);
}

/* The user's settings and folders, as a delivery would have them.  An exit
 * status. */
static int
find_user(struct tester *tester, const char *name)
{
	struct arena *arena = tester->ctl->arena;
	struct job *job = ARENA_NEW(arena, struct job);
	struct delivery *delivery = ARENA_NEW(arena, struct delivery);
	struct store_settings settings;
	struct recipient recipient;
	struct address address;
	struct userdb *db = NULL;
	struct err err;
	int found;

	if (address_parse_path(arena, str_from(name),
		    ADDRESS_LOCAL_ALLOWED | ADDRESS_BRACKETS_OPTIONAL, &address,
		    &err) < 0)
		return ctl_fail(CTL_NO_USER, "%s: %s", name, err.text);
	if (recipient_open_userdb(arena, tester->conf, &db, &err) < 0)
		return ctl_fail(CTL_CONFIG, "%s", err_log_text(&err));
	found = recipient_find(
		arena, tester->conf, db, &address, "lda", &recipient, &err);
	recipient_close_userdb(&db);
	if (found < 0)
		return ctl_fail(
			err.kind == ERR_NO_USER ? CTL_NO_USER : CTL_TEMPORARY,
			"%s: %s", name, err_log_text(&err));
	*job = (struct job){.arena = arena, .service = "lda", .session = ""};
	*delivery = (struct delivery){.user = recipient.name,
		.home = recipient.home,
		.settings = recipient.settings};
	if (script_find_folders(job, delivery, &tester->folders, &err) < 0 ||
		setup_store(job, delivery, &settings, &err) < 0 ||
		store_open(&settings, &tester->store, &err) < 0 ||
		mailboxes_open(
			job, delivery, tester->store, &tester->known, &err) < 0)
		return ctl_fail(
			CTL_TEMPORARY, "%s: %s", name, err_log_text(&err));
	tester->lists = extlists_new(job, delivery);
	tester->has_user = true;
	tester->user = recipient.name;
	tester->conf = recipient.settings;
	tester->settings = setup_sieve(recipient.settings);
	return CTL_OK;
}

/* ---- compiling ---- */

/* Without a user whose folders could be known: beside the script, and the one
 * that is the same for all. */
struct script_folders
tester_folders(const struct tester *tester, const char *path)
{
	const char *global = tester->conf->sieve_global;
	size_t slash = str_find_last_char(str_from(path), '/');
	bool has_slash = slash < strlen(path), is_fixed;

	if (tester->has_user)
		return tester->folders;
	is_fixed = global[0] == '/' && strchr(global, '%') == NULL;
	return (struct script_folders){
		.personal = has_slash ? arena_text(tester->ctl->arena,
						str_of(path, slash))
	                              : ".",
		.global = is_fixed ? global : NULL,
	};
}

int
tester_compile(const struct tester *tester, const char *path,
	struct sieve_program **program_out, struct sieve_report *report)
{
	struct script_folders folders = tester_folders(tester, path);
	struct err err;

	switch (script_cache_load(NULL, tester->ctl->arena, &tester->settings,
		&folders, path, program_out, report, &err)) {
	case LOOKUP_FOUND:
		return 1;
	case LOOKUP_NONE:
		return 0;
	case LOOKUP_ERROR:
		break;
	}
	return ctl_fail(-1, "%s", err_log_text(&err));
}

/* ---- check ---- */

struct check {
	struct tester tester;
	bool is_legacy;    /* --from-libsieve */
	struct json *json; /* NULL: lines */
};

/* Warns where the script does not mean what it meant.  False: it cannot be read. */
static bool
check_legacy(const struct check *check, const char *path,
	struct sieve_report *report)
{
	struct buf text;
	bool is_read;

	buf_init(&text, MOST_SCRIPT_BYTES);
	is_read = tester_read_script(path, &text) == 0;
	if (is_read)
		sieve_check_legacy(
			&check->tester.settings, path, buf_view(&text), report);
	buf_clear(&text);
	return is_read;
}

static void
tell_check(const struct check *check, const char *path, bool is_good,
	const struct sieve_report *report)
{
	size_t i;

	if (check->json != NULL) {
		json_open(check->json, NULL, '{');
		json_text(check->json, "script", str_from(path));
		json_bool(check->json, "good", is_good);
		json_problems(check->json, report);
		json_close(check->json);
		return;
	}
	for (i = 0; i < report->count; i++)
		print_problem(stdout, &report->problems[i]);
	if (report->is_full)
		printf("%s: more errors are not shown\n", path);
}

static int
check_file(const struct check *check, const char *path)
{
	struct sieve_program *program;
	struct sieve_report report;
	int compiled;
	size_t told;

	sieve_report_init(&report, check->tester.ctl->arena);
	compiled = tester_compile(&check->tester, path, &program, &report);
	if (compiled < 0)
		return CTL_TEMPORARY;
	told = report.count;
	if (check->is_legacy && !check_legacy(check, path, &report))
		return CTL_TEMPORARY;
	tell_check(check, path, compiled == 1 && report.count == told, &report);
	return compiled == 1 && report.count == told ? CTL_OK : CTL_FAILED;
}

static int
check_files(struct check *check, int count, char **paths)
{
	struct json json;
	int i, status = CTL_OK;

	json_init(&json, stdout);
	if (check->tester.ctl->json) {
		check->json = &json;
		json_open(&json, NULL, '[');
	}
	for (i = 0; i < count; i++) {
		int one = check_file(check, paths[i]);

		if (one > status)
			status = one;
	}
	if (check->json != NULL)
		json_close(&json);
	check->json = NULL;
	return status;
}

struct check_options {
	const char *user; /* NULL: none */
	bool is_global, is_legacy;
	int first; /* the file that comes first; 0 = wrong usage */
};

static struct check_options
parse_check_options(int argc, char **argv)
{
	struct check_options options = {.first = 1};
	int i;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--from-libsieve") == 0) {
			options.is_legacy = true;
		} else if (strcmp(argv[i], "--global") == 0) {
			options.is_global = true;
		} else if (strcmp(argv[i], "-u") == 0 && i + 1 < argc) {
			options.user = argv[++i];
		} else if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		} else {
			i = argc;
		}
	}
	options.first = i < argc ? i : 0;
	return options;
}

static int
run_check(struct ctl *ctl, const struct settings *conf, int argc, char **argv)
{
	struct check_options options = parse_check_options(argc, argv);
	struct check check = {.tester = {.ctl = ctl,
				      .conf = conf,
				      .settings = setup_sieve(conf)}};
	int status = CTL_OK;

	if (options.first == 0)
		return ctl_fail(CTL_USAGE, "usage: doorstep sieve check "
					   "[-u USER] [--global] "
					   "[--from-libsieve] "
					   "FILE...");
	check.is_legacy = options.is_legacy;
	if (options.user != NULL)
		status = find_user(&check.tester, options.user);
	check.tester.settings.is_global = options.is_global;
	if (status == CTL_OK)
		status = check_files(
			&check, argc - options.first, argv + options.first);
	tester_close(&check.tester);
	return status;
}

/* ---- test: several messages ---- */

static int
test_messages(const struct tester *tester, const struct sieve_program *program,
	int count, char **paths)
{
	bool is_json = tester->ctl->json;
	struct json json;
	int i, status = CTL_OK;

	json_init(&json, stdout);
	if (is_json)
		json_open(&json, NULL, '[');
	for (i = 0; i < count; i++) {
		int one = test_message(tester, program, paths[i], count > 1,
			is_json ? &json : NULL);

		if (one > status)
			status = one;
	}
	if (is_json)
		json_close(&json);
	return status;
}

/* The same as a check of it says. */
static void
tell_bad_script(struct tester *tester, const char *path,
	const struct sieve_report *report)
{
	struct json json;
	const struct check check = {.tester = *tester, .json = &json};

	json_init(&json, stdout);
	json_open(&json, NULL, '[');
	tell_check(&check, path, false, report);
	json_close(&json);
}

static int
compile_and_test(struct tester *tester, int argc, char **argv)
{
	struct sieve_program *program;
	struct sieve_report report;
	int compiled;
	size_t i;

	sieve_report_init(&report, tester->ctl->arena);
	compiled = tester_compile(tester, argv[0], &program, &report);
	for (i = 0; i < report.count; i++)
		print_problem(stderr, &report.problems[i]);
	if (compiled < 0)
		return CTL_TEMPORARY;
	if (compiled == 0 && tester->ctl->json)
		tell_bad_script(tester, argv[0], &report);
	if (compiled == 0)
		return CTL_FAILED;
	return test_messages(tester, program, argc - 1, argv + 1);
}

/* An exit status. */
static int
open_tester(struct tester *tester, struct ctl *ctl, const struct settings *conf,
	struct test_options *options, int argc, char **argv)
{
	*tester = (struct tester){
		.ctl = ctl, .conf = conf, .settings = setup_sieve(conf)};
	if (read_options(ctl, options, argc, argv) < 0)
		return CTL_USAGE;
	if (read_envelope(tester, options) < 0)
		return CTL_USAGE;
	tester->mailboxes = options->mailboxes;
	tester->mailbox_count = options->mailbox_count;
	tester->runs_programs = options->runs_programs;
	/* A trace between the brackets would be no JSON. */
	tester->host.ops =
		options->is_traced && !ctl->json ? &traced_ops : &quiet_ops;
	return options->user != NULL ? find_user(tester, options->user)
	                             : CTL_OK;
}

int
tester_open(struct tester *tester, struct ctl *ctl, const struct settings *conf,
	const char *usage, int least, int argc, char **argv, int *first_out)
{
	struct test_options options = {.usage = usage, .least = least};
	int status = open_tester(tester, ctl, conf, &options, argc, argv);

	*first_out = options.first;
	return status;
}

void
tester_close(struct tester *tester)
{
	store_close(&tester->store);
}

/* This command runs the native engine. */
static void
tell_engine(const struct tester *tester)
{
	if (tester->conf->sieve_engine != CONF_SIEVE_ENGINE_NATIVE)
		fprintf(stderr,
			"doorstep: sieve_engine is another one: deliveries "
			"may act otherwise, \"doorstep sieve compare\" shows "
			"where\n");
}

static int
run_test(struct ctl *ctl, const struct settings *conf, int argc, char **argv)
{
	struct test_options options = {
		.may_trace = true, .usage = TEST_USAGE, .least = 2};
	struct tester tester;
	int status = open_tester(&tester, ctl, conf, &options, argc, argv);

	if (status == CTL_OK)
		tell_engine(&tester);
	if (status == CTL_OK)
		status = compile_and_test(
			&tester, argc - options.first, argv + options.first);
	tester_close(&tester);
	return status;
}

int
ctl_sieve(struct ctl *ctl, int argc, char **argv)
{
	const struct settings *conf;
	struct sieve_settings settings;

	if (argc < 2)
		return ctl_fail(CTL_USAGE,
			"usage: doorstep sieve "
			"check|capabilities|test|compare|diff ...");
	conf = ctl_settings(ctl);
	if (conf == NULL)
		return CTL_CONFIG;
	settings = setup_sieve(conf);
	if (strcmp(argv[1], "check") == 0)
		return run_check(ctl, conf, argc - 1, argv + 1);
	if (strcmp(argv[1], "capabilities") == 0)
		return run_capabilities(ctl, &settings, argc - 1);
	if (strcmp(argv[1], "test") == 0)
		return run_test(ctl, conf, argc - 1, argv + 1);
	if (strcmp(argv[1], "compare") == 0)
		return ctl_sieve_compare(ctl, conf, argc - 1, argv + 1);
	if (strcmp(argv[1], "diff") == 0)
		return ctl_sieve_diff(ctl, conf, argc - 1, argv + 1);
	return ctl_fail(CTL_USAGE,
		"unknown sub-command: sieve %s; doorstep sieve --help names "
		"them",
		argv[1]);
}
