/* explain - `doorstep explain [-u USER] [MESSAGE-ID|FILE|SESSION]`
 *
 * Which rule filed a message, and why a recipient was refused: from what was kept
 * at delivery (explain_log).  What is kept for a user is read by a child that has
 * become that user, as anything may stand in it.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/privilege.h"
#include "base/utf8.h"
#include "mail/message.h"
#include "conf/conf.h"
#include "userdb/userdb.h"
#include "deliver/decision.h"
#include "deliver/decisionlog.h"
#include "deliver/deliver.h"
#include "deliver/recipient.h"
#include "deliver/setup.h"
#include "ctl/ctl.h"

#include "base/banned.h"

enum {
	RECENT = 10,             /* deliveries, where none is asked for */
	FOUND_MAX = 1000,        /* that are shown of one user */
	HEADER_MAX = 1024 * 1024 /* of FILE */
};

static const char usage[] =
	"usage: doorstep explain [-u USER] [MESSAGE-ID | FILE | SESSION]";

/* Of one command. */
struct run {
	struct ctl *ctl;
	const struct settings *settings;
	struct userdb *db;
	const char *user;   /* -u; NULL: all whose mail we may look at */
	const char *wanted; /* NULL: the latest */
	struct stat file;   /* of `wanted`, where it is a file */
	bool is_file;
	/* Where there is no -u: the log of who runs this, which is not looked at
	 * twice. */
	const char *own_log;
	size_t looked_at;     /* users */
	const char *unlisted; /* a user database that cannot list its users */
	bool has_found;
	int status;
};

/* Whose log is looked at. */
struct subject {
	const struct recipient *recipient;
	const char *log;
	bool is_self; /* whatever name mail had: it is in the own log */
};

/* ---- what is looked for ---- */

struct wanted {
	struct str id;      /* as in decision_message_id() */
	struct str session; /* as it was given */
	struct str file;    /* as in decision_file() */
};

static struct str
base_name(struct str path)
{
	size_t slash = str_find_last_char(path, '/');

	return slash < path.len ? str_skip(path, slash + 1) : path;
}

/* Of the file; an empty one where there is none, or it cannot be read. */
static struct str
read_message_id(struct arena *arena, const char *path)
{
	const struct message_limits limits = {.memory_bytes = HEADER_MAX,
		.header_bytes = HEADER_MAX,
		.header_fields = 1000,
		.temp_folder = "/tmp"};
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *bytes = arena_alloc(arena, HEADER_MAX);
	const struct header_field *field;
	struct message *message = NULL;
	struct str id = STR_EMPTY;
	struct err err;
	ssize_t got;

	if (fd < 0)
		return STR_EMPTY;
	got = fd_read_at(fd, bytes, HEADER_MAX, 0);
	fd_close(&fd);
	if (got < 0 || message_open_bytes(str_of(bytes, (size_t)got), &limits,
			       &message, &err) < 0)
		return STR_EMPTY;
	field = message_field_next(message, STR("Message-ID"), NULL);
	if (field != NULL)
		id = decision_message_id(arena, field->value);
	message_close(&message);
	return id;
}

static struct wanted
make_wanted(const struct run *run)
{
	struct arena *arena = run->ctl->arena;
	struct str text = str_from(run->wanted);
	struct wanted wanted = {
		.session = text, .file = decision_file(base_name(text))};

	wanted.id = run->is_file ? read_message_id(arena, run->wanted)
	                         : decision_message_id(arena, text);
	return wanted;
}

static bool
names_file(const struct decision *decision, struct str file)
{
	size_t i;

	for (i = 0; i < decision->action_count; i++)
		if (file.len > 0 &&
			str_equal(
				decision_file(decision->actions[i].file), file))
			return true;
	return false;
}

static bool
is_meant(const struct decision *decision, const struct wanted *wanted)
{
	if (wanted->id.len > 0 && str_equal(wanted->id, decision->message_id))
		return true;
	if (wanted->session.len > 0 &&
		str_equal(wanted->session, decision->session))
		return true;
	return names_file(decision, wanted->file);
}

/* ---- a delivery, for people ---- */

/* Without what could change a terminal. */
static const char *
clean(struct arena *arena, struct str text)
{
	struct buf out;
	const char *result;
	size_t at = 0;
	uint32_t code;

	buf_init(&out, BUF_UNLIMITED);
	while (at < text.len) {
		if (!utf8_next(text, &at, &code)) {
			at++;
			code = '?';
		}
		if (code < ' ' || (code >= 0x7f && code < 0xa0))
			code = ' ';
		utf8_add(&out, code);
	}
	result = arena_text(arena, buf_view(&out));
	buf_clear(&out);
	return result;
}

static const char *
when(struct arena *arena, uint64_t time_s)
{
	struct tm local = clock_local((time_t)time_s);
	char text[64];

	if (strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &local) == 0)
		text[0] = '\0';
	return arena_text(arena, str_from(text));
}

static void
print_head(struct arena *arena, const struct decision *decision)
{
	printf("%s  ", when(arena, decision->time_s));
	if (decision->message_id.len > 0)
		printf("<%s>\n", clean(arena, decision->message_id));
	else
		puts(decision->is_before_data ? "before the message came"
					      : "without a Message-ID");
	printf("  from %s to %s, user %s\n",
		decision->sender.len > 0 ? clean(arena, decision->sender)
					 : "an unknown sender",
		clean(arena, decision->recipient.len > 0 ? decision->recipient
							 : decision->user),
		clean(arena, decision->user));
	printf("  %s session %s, %llu bytes\n", clean(arena, decision->service),
		clean(arena, decision->session),
		(unsigned long long)decision->size);
}

static void
print_outcome(struct arena *arena, const struct decision *decision)
{
	const char *status = clean(arena, decision->status);
	const char *error = clean(arena, decision->error);

	if (decision->is_repeated)
		puts("  It was delivered before: this was a retry by a client "
		     "that had not seen the reply.");
	if (str_is(decision->outcome, "refused"))
		printf("  Refused%s: %s %s\n",
			decision->is_before_data ? " at RCPT" : "", status,
			error);
	else if (str_is(decision->outcome, "failed"))
		printf("  Not delivered, to be tried again%s: %s %s\n",
			decision->is_before_data ? " (at RCPT)" : "", status,
			error);
	else if (str_is(decision->outcome, "discarded"))
		puts("  No copy was filed.");
}

/* What became of an action: the beginning of a sentence. */
static const char *
fate(struct arena *arena, const struct decision_action *action)
{
	const char *verb = clean(arena, action->action);
	const char *target = clean(arena, action->target);
	const char *mailbox = clean(arena, action->mailbox);

	if (str_is(action->result, "filed"))
		return arena_format(arena, "Filed into \"%s\"", mailbox);
	if (str_is(action->result, "merged"))
		return arena_format(
			arena, "Nothing more for %s \"%s\"", verb, target);
	if (str_is(action->result, "sent"))
		return arena_format(arena, "Sent: %s \"%s\"", verb, target);
	if (str_is(action->result, "before"))
		return arena_format(arena, "Sent by an earlier try: %s \"%s\"",
			verb, target);
	if (str_is(action->result, "done"))
		return arena_format(arena, "Done: %s \"%s\"", verb, target);
	if (str_is(action->result, "failed"))
		return arena_format(arena, "Failed: %s \"%s\"", verb, target);
	if (str_is(action->result, "refused"))
		return arena_format(arena, "Refused: %s", verb);
	if (str_is(action->result, "planned"))
		return arena_format(arena,
			"To be sent afterwards: %s to \"%s\"", verb, target);
	if (str_is(action->result, "none"))
		return arena_format(arena, "Wanted: %s", verb);
	return arena_format(arena, "Not done: %s%s%s%s", verb,
		target[0] != '\0' ? " \"" : "", target,
		target[0] != '\0' ? "\"" : "");
}

static void
print_action(struct arena *arena, const struct decision_action *action)
{
	printf("  %s", fate(arena, action));
	if (action->script.len > 0)
		printf(" by %s:%llu", clean(arena, action->script),
			(unsigned long long)action->line);
	else if (action->is_implicit)
		fputs(" by the implicit keep", stdout);
	if (action->rule > 0)
		printf(", in the rule of line %llu",
			(unsigned long long)action->rule);
	if (action->why.len > 0)
		printf(": %s", clean(arena, action->why));
	putchar('\n');
	if (action->file.len > 0)
		printf("    as %s\n", clean(arena, action->file));
}

static void
print_script(struct arena *arena, const struct decision_script *script)
{
	if (script->error.len > 0)
		printf("  Script %s was in error, so the message is kept: %s\n",
			clean(arena, script->script),
			clean(arena, script->error));
	else
		printf("  Script %s has run.\n", clean(arena, script->script));
}

static void
print_text(const struct run *run, const struct decision *decision)
{
	struct arena *arena = run->ctl->arena;
	size_t i;

	if (run->has_found)
		putchar('\n');
	print_head(arena, decision);
	for (i = 0; i < decision->script_count; i++)
		print_script(arena, &decision->scripts[i]);
	for (i = 0; i < decision->action_count; i++)
		print_action(arena, &decision->actions[i]);
	if (decision->dropped > 0)
		printf("  And %llu actions more.\n",
			(unsigned long long)decision->dropped);
	print_outcome(arena, decision);
}

static void
print_json(const struct run *run, const struct decision *decision)
{
	struct buf line;
	struct str text;

	buf_init(&line, BUF_UNLIMITED);
	decision_write(&line, decision);
	text = str_trim(buf_view(&line));
	printf("%s\n%.*s", run->has_found ? "," : "", STR_ARG(text));
	buf_clear(&line);
}

static void
print(struct run *run, const struct decision *decision)
{
	if (run->ctl->json)
		print_json(run, decision);
	else
		print_text(run, decision);
	run->has_found = true;
}

/* ---- in the child, as the user ---- */

struct search {
	struct run *run;
	const struct subject *subject;
	struct wanted wanted;
	struct str found[FOUND_MAX]; /* lines, the oldest first */
	size_t count;
	size_t lines;           /* that could be read */
	uint64_t oldest_s;      /* of them */
	const char *other_user; /* to whom it went; NULL: to nobody else */
};

static bool
is_ours(const struct search *search, const struct decision *decision)
{
	return search->subject->is_self ||
	       str_is(decision->user, search->subject->recipient->name);
}

/* Of too many the latest stay. */
static void
add_found(struct search *search, struct str line, size_t most)
{
	if (search->count == most) {
		memmove(search->found, search->found + 1,
			sizeof(search->found[0]) * (most - 1));
		search->count--;
	}
	search->found[search->count++] = line;
}

static void
look_at_line(struct search *search, struct str line)
{
	struct run *run = search->run;
	struct decision decision;

	if (!decision_read(run->ctl->arena, line, &decision))
		return;
	if (search->lines++ == 0)
		search->oldest_s = decision.time_s;
	if (run->wanted != NULL && !is_meant(&decision, &search->wanted))
		return;
	if (is_ours(search, &decision))
		add_found(
			search, line, run->wanted != NULL ? FOUND_MAX : RECENT);
	else if (run->wanted != NULL)
		search->other_user = clean(run->ctl->arena, decision.user);
}

static void
look_at_lines(struct search *search, struct str lines)
{
	struct arena *arena = search->run->ctl->arena;
	struct str line;

	while (str_next_field(&lines, '\n', &line)) {
		struct arena_mark mark = arena_mark(arena);
		const char *other_user = search->other_user;

		look_at_line(search, line);
		if (search->other_user == other_user)
			arena_release(arena, mark);
	}
}

static void
print_found(struct search *search)
{
	size_t i;

	for (i = 0; i < search->count; i++) {
		struct decision decision;

		if (decision_read(search->run->ctl->arena, search->found[i],
			    &decision))
			print(search->run, &decision);
	}
}

/* Why there is nothing: only where one user was asked about. */
static void
tell_nothing(const struct search *search, enum lookup kept)
{
	const struct run *run = search->run;
	const char *log = search->subject->log;

	if (run->user == NULL && !search->subject->is_self)
		return;
	if (kept == LOOKUP_NONE)
		ctl_fail(0, "nothing is kept for user %s: %s is not there",
			search->subject->recipient->name, log);
	else if (search->other_user != NULL)
		ctl_fail(0, "%s was delivered to user %s, not to %s",
			run->wanted, search->other_user,
			search->subject->recipient->name);
	else if (search->lines == 0 || run->wanted == NULL)
		ctl_fail(0, "nothing is kept for user %s in %s",
			search->subject->recipient->name, log);
	else
		ctl_fail(0, "nothing is kept of %s: what %s holds begins at %s",
			run->wanted, log,
			when(run->ctl->arena, search->oldest_s));
}

static enum lookup
look(struct run *run, const struct subject *subject, struct err *err)
{
	struct search *search = ARENA_NEW(run->ctl->arena, struct search);
	struct buf lines;
	enum lookup kept;

	if (privilege_become(&subject->recipient->identity, err) < 0)
		return LOOKUP_ERROR;
	search->run = run;
	search->subject = subject;
	if (run->wanted != NULL)
		search->wanted = make_wanted(run);
	buf_init(&lines, BUF_UNLIMITED);
	kept = decisionlog_read(subject->log, &lines, err);
	look_at_lines(search, buf_view(&lines));
	print_found(search);
	if (kept != LOOKUP_ERROR && search->count == 0)
		tell_nothing(search, kept);
	buf_clear(&lines);
	if (kept == LOOKUP_FOUND && search->count == 0)
		return LOOKUP_NONE;
	return kept;
}

NO_RETURN static void
be_child(struct run *run, const struct subject *subject)
{
	int status = CTL_OK;
	struct err err;

	switch (look(run, subject, &err)) {
	case LOOKUP_FOUND:
		break;
	case LOOKUP_NONE:
		status = CTL_FAILED;
		break;
	case LOOKUP_ERROR:
		status = ctl_fail(CTL_TEMPORARY, "user %s: %s",
			subject->recipient->name, err_log_text(&err));
		break;
	}
	_exit(fflush(stdout) != 0 ? CTL_TEMPORARY : status);
}

/* ---- users ---- */

static void
worsen(struct run *run, int status)
{
	if (status > run->status)
		run->status = status;
}

static void
ask_child(struct run *run, const struct subject *subject)
{
	pid_t child;
	int status;

	run->looked_at++;
	fflush(stdout);
	child = fork();
	if (child == 0)
		be_child(run, subject);
	if (child < 0) {
		worsen(run,
			ctl_fail(CTL_TEMPORARY, "fork: %s", strerror(errno)));
		return;
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	if (!WIFEXITED(status) || WEXITSTATUS(status) == CTL_TEMPORARY)
		worsen(run, CTL_TEMPORARY);
	else if (WEXITSTATUS(status) == CTL_OK)
		run->has_found = true;
}

/* NULL: nothing is kept, and `err` says why. */
static const char *
log_of(const struct run *run, const struct recipient *recipient,
	struct err *err)
{
	const struct job job = {
		.arena = run->ctl->arena, .service = "lda", .session = ""};
	const struct delivery delivery = {.user = recipient->name,
		.home = recipient->home,
		.settings = recipient->settings};
	const char *path;

	if (recipient->settings->explain_log[0] == '\0') {
		err_temp(err, "4.3.5",
			"nothing is kept for user %s: explain_log is empty",
			recipient->name);
		return NULL;
	}
	return setup_path(&job, &delivery, recipient->settings->explain_log,
		       &path, err) < 0
	               ? NULL
	               : path;
}

static int
find_user(const struct run *run, const char *name, struct recipient *recipient,
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

static bool
may_look(const struct recipient *recipient)
{
	return privilege_is_root() || recipient->identity.uid == geteuid();
}

/* The one of -u. */
static int
do_user(struct run *run)
{
	struct recipient recipient;
	struct subject subject = {.recipient = &recipient};
	struct err err;

	if (find_user(run, run->user, &recipient, &err) < 0) {
		if (err.kind == ERR_NO_USER)
			return ctl_fail(CTL_NO_USER,
				"%s: mail for it is refused: %s %s", run->user,
				err.status, err_log_text(&err));
		return ctl_fail(
			CTL_TEMPORARY, "%s: %s", run->user, err_log_text(&err));
	}
	subject.log = log_of(run, &recipient, &err);
	if (subject.log == NULL)
		return ctl_fail(CTL_FAILED, "%s", err_log_text(&err));
	if (!may_look(&recipient))
		return ctl_fail(CTL_FAILED,
			"what is kept for user %s may be looked at by uid %lu "
			"and root; you are uid %lu",
			recipient.name, (unsigned long)recipient.identity.uid,
			(unsigned long)geteuid());
	ask_child(run, &subject);
	return run->has_found || run->status != CTL_OK ? run->status
	                                               : CTL_FAILED;
}

/* Who runs this, as doorstep-lda knows it.  Never root. */
static void
do_self(struct run *run)
{
	struct recipient recipient;
	struct subject subject = {.recipient = &recipient, .is_self = true};
	struct err err;

	if (recipient_self(run->ctl->arena, run->settings, getenv("USER"),
		    getenv("HOME"), &recipient, &err) < 0)
		return;
	run->own_log = subject.log = log_of(run, &recipient, &err);
	if (subject.log != NULL)
		ask_child(run, &subject);
}

/* Where nothing is kept there is no need for a child. */
static void
do_listed(struct run *run, const char *name)
{
	struct recipient recipient;
	struct subject subject = {.recipient = &recipient};
	struct stat status;
	struct err err;

	if (find_user(run, name, &recipient, &err) < 0 || !may_look(&recipient))
		return;
	if (run->is_file && recipient.identity.uid != run->file.st_uid)
		return;
	subject.log = log_of(run, &recipient, &err);
	if (subject.log == NULL ||
		(run->own_log != NULL &&
			strcmp(subject.log, run->own_log) == 0) ||
		(lstat(subject.log, &status) < 0 && errno == ENOENT))
		return;
	ask_child(run, &subject);
}

static void
do_all(struct run *run)
{
	struct userdb_names names;
	struct err err;
	size_t i;

	if (userdb_list(run->db, run->ctl->arena, &names, &err) < 0) {
		/* Who is not root need not be able to read it. */
		if (privilege_is_root())
			worsen(run, ctl_fail(CTL_TEMPORARY, "%s",
					    err_log_text(&err)));
		return;
	}
	run->unlisted = names.unlisted;
	for (i = 0; i < names.count; i++)
		if (!names.items[i].has_uid ||
			names.items[i].uid >= run->settings->first_valid_uid)
			do_listed(run, arena_text(run->ctl->arena,
					       names.items[i].name));
}

static int
do_everybody(struct run *run)
{
	if (run->settings->explain_log[0] == '\0')
		ctl_fail(0, "explain_log is empty: nothing is kept");
	if (!privilege_is_root())
		do_self(run);
	do_all(run);
	if (run->has_found || run->status != CTL_OK)
		return run->status;
	if (run->unlisted != NULL)
		ctl_fail(0, "userdb %s cannot list its users: name one by -u",
			run->unlisted);
	/* It has said why itself. */
	if (run->own_log != NULL && run->looked_at == 1)
		return CTL_FAILED;
	if (run->looked_at == 0)
		return ctl_fail(CTL_FAILED,
			"nothing is kept for any user that you may look at: "
			"name one by -u");
	return ctl_fail(CTL_FAILED,
		"nothing is kept of %s for the users that you may look at "
		"(%zu)",
		run->wanted != NULL ? run->wanted : "any delivery",
		run->looked_at);
}

/* ---- the command line ---- */

static int
parse(struct run *run, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0)
			continue;
		if (strcmp(argv[i], "-u") == 0 && i + 1 < argc)
			run->user = argv[++i];
		else if (run->wanted == NULL && argv[i][0] != '-' &&
			 argv[i][0] != '\0')
			run->wanted = argv[i];
		else
			return -1;
	}
	run->is_file = run->wanted != NULL &&
	               stat(run->wanted, &run->file) == 0 &&
	               S_ISREG(run->file.st_mode);
	return 0;
}

int
ctl_explain(struct ctl *ctl, int argc, char **argv)
{
	struct run run = {.ctl = ctl};
	struct err err;
	int status;

	if (parse(&run, argc, argv) < 0)
		return ctl_fail(CTL_USAGE, "%s", usage);
	run.settings = ctl_settings(ctl);
	if (run.settings == NULL)
		return CTL_CONFIG;
	if (recipient_open_userdb(ctl->arena, run.settings, &run.db, &err) < 0)
		return ctl_fail(CTL_CONFIG, "%s", err_log_text(&err));
	if (ctl->json)
		fputs("[", stdout);
	status = run.user != NULL ? do_user(&run) : do_everybody(&run);
	if (ctl->json)
		puts(run.has_found ? "\n]" : "]");
	recipient_close_userdb(&run.db);
	return status;
}
