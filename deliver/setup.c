/* SPDX-License-Identifier: MIT */
#include "deliver/setup.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/vars.h"
#include "deliver/loopcheck.h"
#include "deliver/trace.h"
#include "deliver/work.h"

#include "base/banned.h"

/* A system call that nearly no template asks for. */
static struct str
pid_text(struct arena *arena, const char *template)
{
	if (strchr(template, 'p') == NULL)
		return STR_EMPTY;
	return str_from(arena_format(arena, "%ld", (long)clock_pid()));
}

static int
expand(const struct job *job, const struct delivery *delivery,
	const char *template, bool is_path, struct str *text_out,
	struct err *err)
{
	struct arena *arena = job->arena;
	const struct settings *settings = delivery->settings;
	const struct str pid = pid_text(arena, template);
	const struct var vars[] = {
		{'u', "user", str_from(delivery->user)},
		{'h', "home", str_from(delivery->home)},
		{'s', "service", str_from(job->service)},
		{0, "protocol", str_from(job->service)},
		{'p', "pid", pid},
		{0, "process:pid", pid},
		{0, "session", setup_session(job, delivery)},
		{0, "hostname", setup_hostname(settings)},
	};

	return is_path ? vars_expand_path(arena, str_from(template), vars,
				 ARRAY_LENGTH(vars), text_out, err)
	               : vars_expand(arena, str_from(template), vars,
				 ARRAY_LENGTH(vars), text_out, err);
}

int
setup_expand(const struct job *job, const struct delivery *delivery,
	const char *template, struct str *text_out, struct err *err)
{
	return expand(job, delivery, template, true, text_out, err);
}

int
setup_expand_words(const struct job *job, const struct delivery *delivery,
	const char *template, struct str *text_out, struct err *err)
{
	return expand(job, delivery, template, false, text_out, err);
}

int
setup_postmaster(const struct job *job, const struct delivery *delivery,
	struct str *address_out, struct err *err)
{
	const char *template = delivery->settings->postmaster_address;
	const struct address *addresses;
	struct str text;

	if (setup_expand_words(job, delivery, template, &text, err) < 0)
		return -1;
	if (address_parse_list(job->arena, text, 1, &addresses) != 1 ||
		addresses[0].is_broken || addresses[0].domain.len == 0)
		return err_temp(err, "4.3.5",
			"postmaster_address: %.*s is no address",
			STR_ARG(text));
	*address_out = addresses[0].text;
	return 0;
}

struct str
setup_session(const struct job *job, const struct delivery *delivery)
{
	return str_from(
		delivery->session != NULL ? delivery->session : job->session);
}

struct str
setup_hostname(const struct settings *settings)
{
	return str_from(settings->hostname[0] != '\0' ? settings->hostname
						      : clock_host());
}

bool
setup_is_too_long(struct str path)
{
	struct str part;

	while (str_next_field(&path, '/', &part))
		if (part.len > NAME_MAX)
			return true;
	return false;
}

int
setup_path(const struct job *job, const struct delivery *delivery,
	const char *template, const char **path_out, struct err *err)
{
	struct str path;

	if (setup_expand(job, delivery, template, &path, err) < 0)
		return -1;
	if (str_starts(path, STR("~/")))
		path = str_skip(path, 2);
	else if (str_starts(path, STR("/"))) {
		*path_out = arena_text(job->arena, path);
		return 0;
	}
	if (delivery->home == NULL)
		return err_temp(err, "4.3.5",
			"%s is below the home folder, but user %s has none",
			template, delivery->user);
	*path_out = arena_format(
		job->arena, "%s/%.*s", delivery->home, STR_ARG(path));
	return 0;
}

static enum store_fsync
fsync_of(enum conf_mail_fsync value)
{
	switch (value) {
	case CONF_FSYNC_OPTIMIZED:
		return STORE_FSYNC_OPTIMIZED;
	case CONF_FSYNC_ALWAYS:
		return STORE_FSYNC_ALWAYS;
	case CONF_FSYNC_NEVER:
		return STORE_FSYNC_NEVER;
	}
	return STORE_FSYNC_OPTIMIZED;
}

static enum store_lock_kind
lock_kind_of(const char *word)
{
	static const struct {
		const char *word;
		enum store_lock_kind kind;
	} kinds[] = {{"dotlock", STORE_LOCK_DOTLOCK},
		{"dotlock_try", STORE_LOCK_DOTLOCK_TRY},
		{"fcntl", STORE_LOCK_FCNTL}, {"flock", STORE_LOCK_FLOCK},
		{"lockf", STORE_LOCK_LOCKF}};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(kinds); i++)
		if (str_is(str_from(word), kinds[i].word))
			return kinds[i].kind;
	BUG("mbox_write_locks has \"%s\"", word);
}

static uint64_t
lesser_limit(uint64_t a, uint64_t b)
{
	return b != 0 && b < a ? b : a;
}

static struct store_lock_settings
setup_locks(const struct settings *settings)
{
	struct store_lock_settings locks = {
		.timeout_ms = lesser_limit(settings->mbox_lock_timeout_ms,
			settings->mail_max_lock_timeout_ms),
		.stale_ms = settings->mbox_dotlock_change_timeout_ms,
		.dotlock_by_link = !settings->dotlock_use_excl,
	};
	size_t i;

	for (i = 0; i < settings->mbox_write_locks.count &&
		    locks.count < STORE_LOCKS_MAX;
		i++)
		locks.kinds[locks.count++] =
			lock_kind_of(settings->mbox_write_locks.items[i]);
	return locks;
}

static int
setup_namespaces(const struct job *job, const struct delivery *delivery,
	struct store_settings *out, struct err *err)
{
	const struct settings *settings = delivery->settings;
	struct store_namespace *namespaces = ARENA_ARRAY(
		job->arena, struct store_namespace, settings->namespace_count);
	size_t i;

	for (i = 0; i < settings->namespace_count; i++) {
		const struct conf_namespace *from = &settings->namespaces[i];
		struct store_namespace *to = &namespaces[i];
		struct str location;

		to->prefix = from->prefix;
		to->separator = from->separator;
		to->has_inbox = from->inbox;
		to->is_shared = from->type != CONF_NAMESPACE_PRIVATE;
		if (from->location[0] == '\0')
			continue;
		if (setup_expand(
			    job, delivery, from->location, &location, err) < 0)
			return -1;
		to->location = arena_text(job->arena, location);
	}
	out->namespaces = namespaces;
	out->namespace_count = settings->namespace_count;
	return 0;
}

int
setup_store(const struct job *job, const struct delivery *delivery,
	struct store_settings *settings_out, struct err *err)
{
	const struct settings *settings = delivery->settings;
	struct str location;

	if (setup_expand(
		    job, delivery, settings->mail_location, &location, err) < 0)
		return -1;
	if (setup_is_too_long(location))
		return err_set(err, ERR_NO_USER, "5.1.1",
			"User's name is too long for a mailbox");
	*settings_out = (struct store_settings){
		.location = arena_text(job->arena, location),
		.home = delivery->home,
		.fsync = fsync_of(settings->mail_fsync),
		.save_crlf = settings->mail_save_crlf,
		.autocreate = settings->lda_mailbox_autocreate,
		.autosubscribe = settings->lda_mailbox_autosubscribe,
		.folders_max = settings->quota_mailbox_count,
		.temp_scan_interval_ms = settings->mail_temp_scan_interval_ms,
		.lock_deadline_ms = job->deadline_ms,
		.locks = setup_locks(settings),
		.keywords_timeout_ms =
			lesser_limit(settings->maildir_keywords_lock_timeout_ms,
				settings->mail_max_lock_timeout_ms),
	};
	return setup_namespaces(job, delivery, settings_out, err);
}

/* Where the configuration says 0 for "no limit", the engine wants a number that
 * nothing reaches: its own 0 means a default. */
static uint64_t
or_unlimited(uint64_t limit)
{
	return limit > 0 ? limit : BUF_UNLIMITED;
}

static struct sieve_vacation_settings
setup_vacation(const struct settings *settings)
{
	return (struct sieve_vacation_settings){
		.default_s = settings->sieve_vacation_default_period_ms / 1000,
		.min_s = settings->sieve_vacation_min_period_ms / 1000,
		.has_no_min = settings->sieve_vacation_min_period_ms < 1000,
		.max_s = or_unlimited(
			settings->sieve_vacation_max_period_ms / 1000),
		.answers_implicit =
			!settings->sieve_vacation_check_recipient ||
			settings->sieve_vacation_dont_check_recipient,
		.knows_original =
			settings->sieve_vacation_use_original_recipient,
		.ignores_envelope =
			settings->sieve_vacation_to_header_ignore_envelope,
		.subject = settings->sieve_vacation_default_subject,
		.template = settings->sieve_vacation_default_subject_template,
	};
}

struct sieve_settings
setup_sieve(const struct settings *settings)
{
	return (struct sieve_settings){
		.max_script_size =
			or_unlimited(settings->sieve_max_script_size),
		.max_string = settings->sieve_max_string_size,
		.max_nesting = settings->sieve_max_nesting,
		.max_actions = or_unlimited(settings->sieve_max_actions),
		.max_redirects = settings->sieve_max_redirects,
		.redirects_prohibited = settings->sieve_max_redirects == 0,
		.max_notifications = settings->sieve_notify_max_notifications,
		.notifications_prohibited =
			settings->sieve_notify_max_notifications == 0,
		.max_notify_recipients =
			settings->sieve_notify_mailto_max_recipients,
		.max_notify_headers = settings->sieve_notify_mailto_max_headers,
		.max_variable_size = settings->sieve_variables_max_value_size,
		.max_variables = settings->sieve_variables_max_scope_size,
		.max_includes = settings->sieve_include_max_includes,
		.max_include_depth = settings->sieve_include_max_nesting_depth,
		.max_mime_parts = settings->sieve_max_mime_parts,
		.max_mime_depth = settings->sieve_max_mime_depth,
		.max_steps = settings->sieve_max_steps,
		.max_memory = settings->sieve_max_memory,
		.duplicate_default_s =
			settings->sieve_duplicate_default_period_ms / 1000,
		.duplicate_max_s =
			settings->sieve_duplicate_max_period_ms / 1000,
		.max_programs = settings->sieve_max_programs,
		.max_program_output = settings->sieve_program_max_output,
		.vacation = setup_vacation(settings),
		.max_header_size = settings->sieve_editheader_max_header_size,
		.protected_headers = settings->sieve_editheader_protected,
		.no_add_headers = settings->sieve_editheader_forbid_add,
		.no_delete_headers = settings->sieve_editheader_forbid_delete,
		.spam =
			{
				.status_header =
					settings->sieve_spamtest_status_header,
				.type = (unsigned)settings
	                                        ->sieve_spamtest_status_type,
				.max_value = settings->sieve_spamtest_max_value,
				.max_header =
					settings->sieve_spamtest_max_header,
				.text_values =
					{
						settings->sieve_spamtest_text_value0,
						settings->sieve_spamtest_text_value1,
						settings->sieve_spamtest_text_value2,
						settings->sieve_spamtest_text_value3,
						settings->sieve_spamtest_text_value4,
						settings->sieve_spamtest_text_value5,
						settings->sieve_spamtest_text_value6,
						settings->sieve_spamtest_text_value7,
						settings->sieve_spamtest_text_value8,
						settings->sieve_spamtest_text_value9,
						settings->sieve_spamtest_text_value10,
					},
			},
		.virus =
			{
				.status_header =
					settings->sieve_virustest_status_header,
				.type = (unsigned)settings
	                                        ->sieve_virustest_status_type,
				.max_value =
					settings->sieve_virustest_max_value,
				.max_header =
					settings->sieve_virustest_max_header,
				.text_values =
					{
						settings->sieve_virustest_text_value0,
						settings->sieve_virustest_text_value1,
						settings->sieve_virustest_text_value2,
						settings->sieve_virustest_text_value3,
						settings->sieve_virustest_text_value4,
						settings->sieve_virustest_text_value5,
					},
			},
		.delimiters = settings->recipient_delimiter,
		.extensions = settings->sieve_extensions,
		.global_extensions = settings->sieve_global_extensions,
	};
}

static enum outbound_tls
tls_of(enum conf_submission_ssl ssl)
{
	switch (ssl) {
	case CONF_SUBMISSION_CLEAR:
		return OUTBOUND_CLEAR;
	case CONF_SUBMISSION_STARTTLS:
		return OUTBOUND_STARTTLS;
	case CONF_SUBMISSION_SMTPS:
	case CONF_SUBMISSION_SUBMISSIONS:
		return OUTBOUND_IMPLICIT;
	}
	return OUTBOUND_IMPLICIT;
}

static struct outbound_relay
setup_relay(const struct settings *settings)
{
	return (struct outbound_relay){
		.host = settings->submission_host,
		.is_lmtp =
			settings->submission_protocol == CONF_SUBMISSION_LMTP,
		.tls = tls_of(settings->submission_ssl),
		.verify = settings->ssl_client_require_valid_cert,
		.ca_file = settings->ssl_client_ca_file,
		.ca_dir = settings->ssl_client_ca_dir,
		.user = settings->submission_user,
		.password = {str_from(settings->submission_password.text),
			settings->submission_password.path},
		/* What there is of it has the life of the settings or of the
	         * process. */
		.name = setup_hostname(settings).data,
	};
}

struct outbound_settings
setup_outbound(const struct settings *settings)
{
	return (struct outbound_settings){
		.sendmail_path = settings->sendmail_path,
		.sendmail_dsn = settings->sendmail_dsn,
		.timeout_ms = settings->submission_timeout_ms,
		.mailer = settings->mailer_socket,
		.base_dir = settings->base_dir,
		.libexec_dir = settings->libexec_dir[0] != '\0'
	                               ? settings->libexec_dir
	                               : PKGLIBEXECDIR,
		.temp_folder = settings->mail_temp_dir,
		.relay = setup_relay(settings),
		.srs = {.domain = settings->srs_domain,
			.secrets = {str_from(settings->srs_secret.text),
				settings->srs_secret.path}},
	};
}

int
setup_check_loop(
	const struct job *job, const struct delivery *delivery, struct err *err)
{
	const struct loopcheck_limits limits = {
		.received = delivery->settings->message_max_hops,
		.own_delivered_to = 1};

	return loopcheck_message(job->message,
		delivery->settings->message_loop_check ? delivery->final.text
						       : STR_EMPTY,
		&limits, err);
}

/* Copies for several recipients are to be the same, and must not tell one of them
 * about another. */
static bool
has_single_recipient(const struct job *job)
{
	return (job->recipients > 0 ? job->recipients : job->count) == 1;
}

/* lmtp_hdr_delivery_address.  Left out where the MTA wrote it. */
static struct str
delivered_to(const struct job *job, const struct delivery *delivery)
{
	struct str address = STR_EMPTY;

	if (!has_single_recipient(job))
		return address;
	switch (delivery->settings->lmtp_hdr_delivery_address) {
	case CONF_DELIVERY_ADDRESS_NONE:
		break;
	case CONF_DELIVERY_ADDRESS_FINAL:
		address = delivery->final.text;
		break;
	case CONF_DELIVERY_ADDRESS_ORIGINAL:
		address = delivery->original.text;
		break;
	}
	return trace_has_delivered_to(job->message, address) ? STR_EMPTY
	                                                     : address;
}

static bool
wants_received(const struct job *job, const struct delivery *delivery)
{
	return job->client != NULL &&
	       delivery->settings->lmtp_add_received_header;
}

static const struct content *
add_trace(const struct job *job, const struct work_bytes *bytes)
{
	const struct job_client *client = job->client;
	struct trace trace = {
		.sender = job->sender_is_known ? &job->sender : NULL,
		.delivered_to = bytes->delivered_to};
	struct trace_received received;

	if (bytes->received_by.len > 0) {
		received = (struct trace_received){.helo = client->helo,
			.ip = client->ip,
			.tls = client->tls,
			.host = bytes->received_by,
			.protocol = client->protocol,
			.id = str_from(job->session),
			.sender = &job->sender,
			.recipient = bytes->received_for,
			.time = job->work->received_at};
		trace.received = &received;
	}
	return trace_add(job->arena,
		bytes->edited != NULL ? bytes->edited
				      : content_of(job->arena, job->message),
		&trace);
}

static bool
is_same_bytes(const struct work_bytes *a, const struct work_bytes *b)
{
	bool is_edited_same = a->edited == b->edited ||
	                      (a->edited != NULL && b->edited != NULL &&
				      content_is_same(a->edited, b->edited));

	return is_edited_same && str_equal(a->delivered_to, b->delivered_to) &&
	       str_equal(a->received_by, b->received_by) &&
	       str_equal(a->received_for, b->received_for);
}

struct work_bytes *
setup_bytes(struct job *job, const struct delivery *delivery,
	const struct content *edited)
{
	/* Where each user has a host name of its own there is nothing to share. */
	enum { COMPARED = 8 };
	struct work_bytes wanted = {
		.edited = edited, .delivered_to = delivered_to(job, delivery)};
	struct work_bytes *known = job->work->bytes;
	unsigned compared;

	if (wants_received(job, delivery)) {
		wanted.received_by = setup_hostname(delivery->settings);
		if (has_single_recipient(job))
			wanted.received_for = delivery->final.text;
	}
	for (compared = 0; known != NULL && compared < COMPARED; compared++) {
		if (is_same_bytes(known, &wanted))
			return known;
		known = known->next;
	}
	known = ARENA_NEW(job->arena, struct work_bytes);
	*known = wanted;
	known->content = add_trace(job, &wanted);
	known->next = job->work->bytes;
	job->work->bytes = known;
	return known;
}
