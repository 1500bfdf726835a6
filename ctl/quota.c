/* quota - `doorstep quota get|recalc|check`: use and limits of users
 *
 * Mailboxes are looked at as their users: each by a child that has become that
 * user, so that nothing of root's lies in a mailbox afterwards and no link leads
 * root astray.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/number.h"
#include "base/privilege.h"
#include "conf/conf.h"
#include "userdb/userdb.h"
#include "quota/quota.h"
#include "deliver/deliver.h"
#include "deliver/quota.h"
#include "deliver/recipient.h"
#include "deliver/setup.h"
#include "ctl/ctl.h"
#include "ctl/progress.h"

#include "base/banned.h"

enum {
	ANSWER_MAX = 256 * 1024, /* bytes of what a child says */
	KIB = 1024,
	WHOLE = 100
};

static const char usage[] =
	"usage: doorstep quota get -u USER | --all\n"
	"       doorstep quota recalc -u USER | --all\n"
	"       doorstep quota check -u USER [-m FOLDER] [SIZE]";

enum action { ACTION_GET, ACTION_RECALC, ACTION_CHECK };

static const char *const words[] = {"get", "recalc", "check"};

struct request {
	enum action action;
	const char *user; /* NULL: all */
	const char *folder;
	uint64_t size; /* 0: not told */
};

/* Of one command. */
struct run {
	struct ctl *ctl;
	const struct settings *settings;
	struct userdb *db;
	const struct request *request;
	struct json json;
	bool has_head; /* of the table */
	struct progress progress;
	int status;
};

/* ---- in the child, as the user ---- */

static void
say_err(struct buf *out, const struct err *err)
{
	buf_add_format(out, "!%d\t%s\t%s\n", (int)err->kind, err->status,
		err_log_text(err));
}

/* The name of a root comes last: it may hold anything but a line end. */
static void
say_report(struct buf *out, const struct quota_report *report)
{
	const uint64_t numbers[] = {report->is_enforced, report->use.bytes,
		report->use.messages, report->limits.bytes,
		report->limits.messages, report->grace, report->reserved.bytes,
		report->reserved.messages};
	size_t i;

	buf_add_format(out, "%s", report->backend);
	for (i = 0; i < ARRAY_LENGTH(numbers); i++)
		buf_add_format(out, "\t%llu", (unsigned long long)numbers[i]);
	buf_add_format(out, "\t%.*s\n", STR_ARG(report->name));
}

static int
answer(const struct request *request, struct quota *quota, struct buf *out,
	struct err *err)
{
	struct quota_report *reports;
	size_t count, i;

	if (quota == NULL)
		return 0;
	if (request->action == ACTION_RECALC &&
		quota_recalculate(quota, err) < 0)
		return -1;
	if (request->action == ACTION_CHECK &&
		quota_check(quota, str_from(request->folder), request->size,
			err) < 0)
		say_err(out, err);
	if (quota_report(quota,
		    request->action == ACTION_CHECK ? str_from(request->folder)
						    : STR_EMPTY,
		    &reports, &count, err) < 0)
		return -1;
	for (i = 0; i < count; i++)
		say_report(out, &reports[i]);
	return 0;
}

static int
look(const struct run *run, const struct recipient *recipient, struct buf *out,
	struct err *err)
{
	struct job job = {
		.arena = run->ctl->arena, .service = "lda", .session = ""};
	struct delivery delivery = {.user = recipient->name,
		.home = recipient->home,
		.settings = recipient->settings};
	struct store_settings store_settings;
	struct quota *quota = NULL;
	struct store *store;
	int result;

	if (privilege_become(&recipient->identity, err) < 0 ||
		setup_store(&job, &delivery, &store_settings, err) < 0 ||
		store_open(&store_settings, &store, err) < 0)
		return -1;
	result = quota_open_user(&job, &delivery, store, &quota, err);
	if (result == 0)
		result = answer(run->request, quota, out, err);
	quota_close(&quota);
	store_close(&store);
	return result;
}

NO_RETURN static void
be_child(const struct run *run, const struct recipient *recipient, int fd)
{
	struct buf out;
	struct err err;

	umask(077);
	buf_init(&out, ANSWER_MAX);
	if (look(run, recipient, &out, &err) < 0) {
		buf_reset(&out);
		say_err(&out, &err);
	}
	_exit(fd_write(fd, buf_view(&out)) < 0 ? 1 : 0);
}

/* ---- what it said ---- */

struct row {
	struct str backend, name;
	uint64_t is_enforced;
	struct quota_amount use, limit, reserved;
	uint64_t grace;
};

static bool
parse_row(struct str line, struct row *row)
{
	uint64_t *const numbers[] = {&row->is_enforced, &row->use.bytes,
		&row->use.messages, &row->limit.bytes, &row->limit.messages,
		&row->grace, &row->reserved.bytes, &row->reserved.messages};
	struct str field;
	size_t i;

	if (!str_next_field(&line, '\t', &row->backend))
		return false;
	for (i = 0; i < ARRAY_LENGTH(numbers); i++)
		if (!str_next_field(&line, '\t', &field) ||
			number_parse(field, numbers[i]) < 0)
			return false;
	row->name = line;
	return true;
}

static const char *
percent_of(struct arena *arena, uint64_t use, uint64_t limit)
{
	if (limit == 0)
		return "0";
	return arena_format(arena, "%llu",
		use <= UINT64_MAX / WHOLE
			? (unsigned long long)(use * WHOLE / limit)
			: (unsigned long long)(use / (limit / WHOLE + 1)));
}

static void
print_resource(struct run *run, const char *user, const struct row *row,
	const char *type, uint64_t use, uint64_t limit)
{
	struct arena *arena = run->ctl->arena;

	printf("%-24s %-16.*s %-7s %12llu %12s %4s\n", user, STR_ARG(row->name),
		type, (unsigned long long)use,
		limit == 0 ? "-"
			   : arena_format(
				     arena, "%llu", (unsigned long long)limit),
		percent_of(arena, use, limit));
}

static void
print_row(struct run *run, const char *user, const struct row *row)
{
	if (!run->has_head)
		printf("%-24s %-16s %-7s %12s %12s %4s\n", "Username",
			"Quota name", "Type", "Value", "Limit", "%");
	run->has_head = true;
	print_resource(run, user, row, "STORAGE",
		(row->use.bytes + KIB - 1) / KIB, row->limit.bytes / KIB);
	print_resource(run, user, row, "MESSAGE", row->use.messages,
		row->limit.messages);
}

static void
json_limit(struct json *json, const char *name, uint64_t limit)
{
	if (limit == 0)
		json_null(json, name);
	else
		json_number(json, name, limit);
}

static void
json_row(struct json *json, const struct row *row)
{
	json_open(json, NULL, '{');
	json_text(json, "name", row->name);
	json_text(json, "backend", row->backend);
	json_bool(json, "enforced", row->is_enforced != 0);
	json_number(json, "bytes", row->use.bytes);
	json_number(json, "messages", row->use.messages);
	json_limit(json, "bytes_limit", row->limit.bytes);
	json_limit(json, "messages_limit", row->limit.messages);
	json_number(json, "bytes_grace", row->grace);
	json_number(json, "bytes_reserved", row->reserved.bytes);
	json_number(json, "messages_reserved", row->reserved.messages);
	json_close(json);
}

/* "!KIND STATUS TEXT" */
struct failure {
	bool is_there;
	enum err_kind kind;
	struct str status, text;
};

static void
parse_failure(struct str line, struct failure *failure)
{
	uint64_t kind = ERR_TEMPORARY;
	struct str field;

	failure->is_there = true;
	line = str_skip(line, 1);
	if (str_next_field(&line, '\t', &field) &&
		number_parse(field, &kind) < 0)
		kind = ERR_TEMPORARY;
	failure->kind = (enum err_kind)kind;
	(void)str_next_field(&line, '\t', &failure->status);
	failure->text = line;
}

static int
exit_of(const struct run *run, const struct failure *failure)
{
	if (!failure->is_there)
		return CTL_OK;
	if (failure->kind == ERR_NO_USER)
		return CTL_NO_USER;
	/* The answer to the question, not trouble. */
	if (run->request->action == ACTION_CHECK &&
		(failure->kind == ERR_OVER_QUOTA ||
			failure->kind == ERR_TOO_BIG ||
			str_is(failure->status, "4.2.2")))
		return CTL_FAILED;
	return CTL_TEMPORARY;
}

static void
show_text(struct run *run, const char *user, struct str said,
	struct failure *failure)
{
	struct str line;

	while (str_next_field(&said, '\n', &line)) {
		struct row row = {.grace = 0};

		if (str_starts(line, STR("!")))
			parse_failure(line, failure);
		else if (parse_row(line, &row))
			print_row(run, user, &row);
	}
	if (run->request->action == ACTION_CHECK && !failure->is_there)
		printf("%s: fits\n", user);
	else if (exit_of(run, failure) == CTL_FAILED)
		printf("%s: does not fit: %.*s %.*s\n", user,
			STR_ARG(failure->status), STR_ARG(failure->text));
	else if (failure->is_there)
		ctl_fail(0, "%s: %.*s", user, STR_ARG(failure->text));
}

static void
show_json(struct run *run, const char *user, struct str said,
	struct failure *failure)
{
	struct json *json = &run->json;
	struct str line;

	json_open(json, NULL, '{');
	json_text(json, "user", str_from(user));
	json_open(json, "roots", '[');
	while (str_next_field(&said, '\n', &line)) {
		struct row row = {.grace = 0};

		if (str_starts(line, STR("!")))
			parse_failure(line, failure);
		else if (parse_row(line, &row))
			json_row(json, &row);
	}
	json_close(json);
	if (run->request->action == ACTION_CHECK &&
		(!failure->is_there || exit_of(run, failure) == CTL_FAILED))
		json_bool(json, "fits", !failure->is_there);
	if (failure->is_there) {
		json_text(json, "status", failure->status);
		json_text(json, "error", failure->text);
	}
	json_close(json);
}

/* ---- users ---- */

static void
show(struct run *run, const char *user, struct str said)
{
	struct failure failure = {.is_there = false};
	int status;

	progress_hide(&run->progress);
	if (run->ctl->json)
		show_json(run, user, said, &failure);
	else
		show_text(run, user, said, &failure);
	status = exit_of(run, &failure);
	if (status > run->status)
		run->status = status;
}

static int
ask_child(struct run *run, const struct recipient *recipient, struct buf *said,
	struct err *err)
{
	int ends[2], status, result;
	pid_t child;

	if (pipe(ends) < 0)
		return err_temp_errno(err, "4.3.0", "pipe");
	fflush(stdout);
	child = fork();
	if (child < 0) {
		fd_close(&ends[0]);
		fd_close(&ends[1]);
		return err_temp_errno(err, "4.3.0", "fork");
	}
	if (child == 0) {
		fd_close(&ends[0]);
		be_child(run, recipient, ends[1]);
	}
	fd_close(&ends[1]);
	result = fd_read_rest(ends[0], said);
	fd_close(&ends[0]);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	if (result < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return err_temp(err, "4.3.0", "the look at it has failed");
	return 0;
}

static int
find_user(struct run *run, const char *name, struct recipient *recipient,
	struct err *err)
{
	struct address address;

	if (address_parse_path(run->ctl->arena, str_from(name),
		    ADDRESS_LOCAL_ALLOWED | ADDRESS_BRACKETS_OPTIONAL, &address,
		    err) < 0) {
		err->kind = ERR_NO_USER;
		return -1;
	}
	return recipient_find(run->ctl->arena, run->settings, run->db, &address,
		"lda", recipient, err);
}

static void
do_user(struct run *run, const char *name)
{
	struct recipient recipient;
	struct buf said;
	struct err err;

	buf_init(&said, ANSWER_MAX);
	if (find_user(run, name, &recipient, &err) < 0 ||
		ask_child(run, &recipient, &said, &err) < 0) {
		buf_reset(&said);
		say_err(&said, &err);
	}
	show(run, name, buf_view(&said));
	buf_clear(&said);
}

/* Accounts of the system's own services are nobody's mailbox. */
static bool
may_get_mail(const struct settings *settings, const struct userdb_name *name)
{
	return !name->has_uid ||
	       (name->uid >= settings->first_valid_uid &&
		       (settings->last_valid_uid == 0 ||
			       name->uid <= settings->last_valid_uid));
}

static int
do_all(struct run *run)
{
	struct userdb_names names;
	struct err err;
	size_t i;

	if (userdb_list(run->db, run->ctl->arena, &names, &err) < 0)
		return ctl_fail(CTL_TEMPORARY, "%s", err_log_text(&err));
	if (names.unlisted != NULL)
		ctl_fail(0, "userdb %s cannot list its users", names.unlisted);
	/* None is not all. */
	if (names.unlisted != NULL && names.count == 0)
		return CTL_FAILED;
	progress_begin(
		&run->progress, words[run->request->action], names.count);
	for (i = 0; i < names.count; i++) {
		progress_show(&run->progress, i);
		if (may_get_mail(run->settings, &names.items[i]))
			do_user(run, arena_text(run->ctl->arena,
					     names.items[i].name));
	}
	progress_hide(&run->progress);
	return run->status;
}

/* ---- the command line ---- */

static bool
parse_action(const char *word, enum action *action_out)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(words); i++) {
		if (strcmp(word, words[i]) != 0)
			continue;
		*action_out = (enum action)i;
		return true;
	}
	return false;
}

static bool
take_size(struct request *request, const char *text)
{
	return request->action == ACTION_CHECK && request->size == 0 &&
	       number_parse_size(str_from(text), 1, &request->size) == 0;
}

static int
parse(int argc, char **argv, struct request *request)
{
	bool is_all = false;
	int i;

	*request = (struct request){.folder = "INBOX"};
	if (argc < 2 || !parse_action(argv[1], &request->action))
		return -1;
	for (i = 2; i < argc; i++) {
		bool has_value = i + 1 < argc;

		if (strcmp(argv[i], "-u") == 0 && has_value)
			request->user = argv[++i];
		else if (strcmp(argv[i], "-m") == 0 && has_value)
			request->folder = argv[++i];
		else if (strcmp(argv[i], "--all") == 0)
			is_all = request->action != ACTION_CHECK;
		else if (!take_size(request, argv[i]))
			return -1;
	}
	return is_all == (request->user == NULL) ? 0 : -1;
}

static int
do_request(struct run *run)
{
	if (run->settings->quota.count == 0)
		ctl_fail(0, "the configuration names no quota root");
	json_init(&run->json, stdout);
	if (run->ctl->json)
		json_open(&run->json, NULL, '[');
	if (run->request->user != NULL)
		do_user(run, run->request->user);
	else
		run->status = do_all(run);
	if (run->ctl->json)
		json_close(&run->json);
	return run->status;
}

int
ctl_quota(struct ctl *ctl, int argc, char **argv)
{
	struct request request;
	struct run run = {.ctl = ctl, .request = &request};
	struct err err;
	int status;

	if (parse(argc, argv, &request) < 0)
		return ctl_fail(CTL_USAGE, "%s", usage);
	run.settings = ctl_settings(ctl);
	if (run.settings == NULL)
		return CTL_CONFIG;
	if (recipient_open_userdb(ctl->arena, run.settings, &run.db, &err) < 0)
		return ctl_fail(CTL_CONFIG, "%s", err_log_text(&err));
	status = do_request(&run);
	recipient_close_userdb(&run.db);
	return status;
}
