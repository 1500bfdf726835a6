/* doorstep-lda - one message on standard input, one user, one exit status
 *
 * Runs as root or as the user.  As root it becomes the recipient before it reads
 * the message or opens anything of the recipient's.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/privilege.h"
#include "base/session_id.h"
#include "mail/message.h"
#include "conf/conf.h"
#include "deliver/deliver.h"
#include "deliver/recipient.h"
#include "lda/addresses.h"
#include "lda/exits.h"
#include "lda/options.h"

#include "base/banned.h"

/* One run of the program. */
struct lda {
	struct arena *arena;
	struct lda_options options;
	const struct settings *settings;
	struct recipient recipient;
	struct message *message;
	const char *session;
	bool has_input; /* standard input was open */
	bool is_told;   /* the delivery has told the MTA and the log its end */
};

/* What would end the program.  SIGXCPU comes from RLIMIT_CPU. */
static const int end_signals[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGALRM,
	SIGVTALRM, SIGPROF, SIGXCPU, SIGUSR1, SIGUSR2};

static void
set_signals(void)
{
	/* Postfix's mailbox_size_limit becomes RLIMIT_FSIZE: a write error tells
	 * more than a death. */
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	/* Ignored by our caller, it would hide how sendmail ended. */
	signal(SIGCHLD, SIG_DFL);
}

static void
end_for_now(int signal_number)
{
	(void)signal_number;
	_exit(EX_TEMPFAIL);
}

static void
end_for_now_qmail(int signal_number)
{
	(void)signal_number;
	_exit(EXITS_QMAIL_SOFT);
}

/* Exim takes a death by signal for a refusal.  Until hold_signals() nothing has
 * been written that would have to be cleaned up. */
static void
set_end_signals(enum exit_style style)
{
	struct sigaction action = {.sa_handler = end_for_now};
	size_t i;

	if (style == EXIT_STYLE_QMAIL)
		action.sa_handler = end_for_now_qmail;
	sigemptyset(&action.sa_mask);
	for (i = 0; i < ARRAY_LENGTH(end_signals); i++)
		sigaction(end_signals[i], &action, NULL);
}

static int
load_settings(struct lda *lda, struct err *err)
{
	const struct conf_source source = {.file = lda->options.config,
		.only_defaults = lda->options.no_config,
		.protocol = CONF_PROTOCOL_LDA,
		.overrides = lda->options.overrides,
		.override_count = lda->options.override_count};
	struct conf_report report = {0};

	if (conf_load(lda->arena, &source, &lda->settings, &report) < 0)
		return conf_report_err(&report, err);
	return 0;
}

static void
open_log(const struct lda *lda)
{
	const struct settings *settings = lda->settings;

	log_open(&(struct log_settings){.path = settings->log_path,
		.info_path = settings->info_log_path,
		.debug_path = settings->debug_log_path,
		.facility = settings->syslog_facility,
		.timestamp = settings->log_timestamp,
		.debug = settings->mail_debug});
	log_set_prefix("lda:");
}

static const char *
new_session(struct arena *arena)
{
	char *id = arena_alloc(arena, SESSION_ID_LEN + 1);

	session_id_make(id);
	return id;
}

static int
find_by_userdb(struct lda *lda, struct err *err)
{
	struct userdb *db = NULL;
	struct address address =
		lda_address_of_user(lda->arena, str_from(lda->options.user));
	int result;

	if (recipient_open_userdb(lda->arena, lda->settings, &db, err) < 0)
		return -1;
	result = recipient_find(lda->arena, lda->settings, db, &address, "lda",
		&lda->recipient, err);
	recipient_close_userdb(&db);
	return result;
}

static int
find_recipient(struct lda *lda, struct err *err)
{
	if (lda->options.user != NULL)
		return find_by_userdb(lda, err);
	if (privilege_is_root())
		return err_set(err, ERR_USAGE, "5.3.5",
			"destination user parameter (-d user) not given");
	return recipient_self(lda->arena, lda->settings, lda->options.env_user,
		lda->options.env_home, &lda->recipient, err);
}

static int
open_input(const struct lda *lda, struct err *err)
{
	const char *path = lda->options.file;
	struct stat status;
	int fd;

	if (path == NULL && !lda->has_input)
		return err_temp(err, "4.3.0", "standard input is closed");
	if (path == NULL)
		return STDIN_FILENO;
	/* A FIFO without a writer would hold up the MTA. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return err_temp_errno(err, "4.3.0", "cannot open %s", path);
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
		return fd;
	fd_close(&fd);
	return err_temp(err, "4.3.0", "%s is no file", path);
}

static int
read_message(struct lda *lda, struct err *err)
{
	const struct settings *settings = lda->recipient.settings;
	const struct message_limits limits = {.memory_bytes = 128 * 1024,
		.message_bytes = settings->message_max_size,
		.header_bytes = settings->message_header_max_size,
		.header_fields = 100000,
		.temp_folder = settings->mail_temp_dir};
	int fd = open_input(lda, err), result;

	if (fd < 0)
		return -1;
	result = message_open_fd(fd, &limits, &lda->message, err);
	if (fd != STDIN_FILENO)
		fd_close(&fd);
	return result;
}

/* Told to end before anything became visible?  The signals are held back during
 * the delivery, so that its own cleaning up is not cut short. */
static bool
has_signal(const struct job *job)
{
	sigset_t pending;
	size_t i;

	(void)job;
	if (sigpending(&pending) < 0)
		return false;
	for (i = 0; i < ARRAY_LENGTH(end_signals); i++)
		if (sigismember(&pending, end_signals[i]))
			return true;
	return false;
}

static void
hold_signals(void)
{
	sigset_t held;
	size_t i;

	sigemptyset(&held);
	for (i = 0; i < ARRAY_LENGTH(end_signals); i++)
		sigaddset(&held, end_signals[i]);
	sigprocmask(SIG_BLOCK, &held, NULL);
}

static int
deliver(struct lda *lda, struct err *err)
{
	struct lda_addresses addresses;
	struct delivery delivery = {.user = lda->recipient.name,
		.home = lda->recipient.home,
		.settings = lda->recipient.settings};
	struct job job = {.arena = lda->arena,
		.message = lda->message,
		.service = "lda",
		.session = lda->session,
		.refuses_by_mail = !lda->options.refuses_by_exit,
		.deliveries = &delivery,
		.count = 1,
		.is_abandoned = has_signal};

	if (lda_addresses_resolve(lda->arena, &lda->options, &lda->recipient,
		    lda->message, &addresses, err) < 0)
		return -1;
	job.sender = addresses.sender;
	job.sender_is_known = addresses.sender_is_known;
	delivery.original = addresses.original;
	delivery.final = addresses.final;
	delivery.detail = addresses.detail;
	delivery.mailbox = str_from(lda->options.mailbox);
	hold_signals();
	deliver_job(&job);
	/* Before the log, which may be standard error: Postfix takes a status only
	 * from the beginning of the output. */
	exits_explain(&delivery.err);
	deliver_report(&job);
	lda->is_told = true;
	if (delivery.outcome == DELIVER_FAILED ||
		delivery.outcome == DELIVER_REFUSED) {
		*err = delivery.err;
		return -1;
	}
	return 0;
}

static int
run(struct lda *lda, struct err *err)
{
	if (privilege_is_lent())
		return err_temp(err, "4.3.5",
			"refusing to run setuid or setgid: anybody could "
			"deliver as anybody");
	if (load_settings(lda, err) < 0)
		return -1;
	open_log(lda);
	if (find_recipient(lda, err) < 0)
		return -1;
	if (privilege_become(&lda->recipient.identity, err) < 0)
		return -1;
	if (read_message(lda, err) < 0)
		return -1;
	return deliver(lda, err);
}

static void
explain(const struct lda *lda, const struct err *err)
{
	if (!lda->is_told) {
		exits_explain(err);
		log_error("%s", err_log_text(err));
	}
	if (err->kind == ERR_USAGE)
		fputs(lda_usage, stderr);
}

/* From the command line to the result, of which standard error is told. */
static void
serve(struct lda *lda, int argc, char **argv, struct err *err)
{
	if (lda_options_parse(lda->arena, argc, argv, &lda->options, err) < 0) {
		exits_explain(err);
		fputs(lda_usage, stderr);
		return;
	}
	if (lda->options.help) {
		fputs(lda_usage, stdout);
		err->kind = ERR_USAGE; /* as dovecot-lda's */
		return;
	}
	set_end_signals(lda->options.exit_style);
	lda_options_environment(lda->arena, &lda->options);
	if (run(lda, err) < 0)
		explain(lda, err);
	else
		err_clear(err);
}

int
main(int argc, char **argv)
{
	struct lda lda = {.has_input = fd_fill_standard()};
	struct err err;
	int status;

	lda.arena = arena_open();
	err_clear(&err);
	umask(077);
	set_signals();
	lda.session = new_session(lda.arena);
	serve(&lda, argc, argv, &err);
	status = exits_status(&err, lda.options.exit_style);
	message_close(&lda.message);
	log_close();
	arena_close(&lda.arena);
	return status;
}
