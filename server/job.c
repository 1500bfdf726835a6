/* SPDX-License-Identifier: MIT */
#include "server/job.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/fd.h"

#include "base/banned.h"

void
assignment_init(struct assignment *assignment, struct arena *arena,
	const struct settings *settings)
{
	*assignment = (struct assignment){.arena = arena, .settings = settings};
}

void
assignment_clear(struct assignment *assignment)
{
	message_close(&assignment->message);
}

/* ---- what comes in ---- */

static int
broke_the_rules(struct err *err, const char *what)
{
	return err_temp(err, "4.3.0", "%s", what);
}

/* Room for `more` items. */
static void *
grow(struct arena *arena, void *items, size_t size, size_t count,
	size_t *allocated, size_t more)
{
	enum { FIRST = 4 };
	size_t wanted = *allocated > 0 ? *allocated : FIRST;

	if (count + more <= *allocated)
		return items;
	while (wanted < count + more)
		wanted *= 2;
	*allocated = wanted;
	return arena_grow(arena, items, size, count, wanted);
}

int
assignment_add_users(struct assignment *assignment,
	const struct wire_assign *assign, struct err *err)
{
	if (assignment->is_assigned && assignment->number != assign->job)
		return broke_the_rules(err, "two jobs at a time");
	if (assign->count > ASSIGNMENT_RECIPIENTS_MAX - assignment->user_count)
		return broke_the_rules(err, "too many recipients in a job");
	assignment->is_assigned = true;
	assignment->number = assign->job;
	assignment->users = grow(assignment->arena, assignment->users,
		sizeof(*assignment->users), assignment->user_count,
		&assignment->user_size, assign->count);
	if (assign->count > 0)
		memcpy(assignment->users + assignment->user_count,
			assign->items, sizeof(*assign->items) * assign->count);
	assignment->user_count += assign->count;
	return 0;
}

int
assignment_add_recipients(struct assignment *assignment,
	const struct wire_job_recipients *more, struct err *err)
{
	if (!assignment->is_assigned || assignment->number != more->job)
		return broke_the_rules(
			err, "recipients of a job that was not assigned");
	if (more->count >
		ASSIGNMENT_RECIPIENTS_MAX - assignment->recipient_count)
		return broke_the_rules(err, "too many recipients in a job");
	assignment->recipients = grow(assignment->arena, assignment->recipients,
		sizeof(*assignment->recipients), assignment->recipient_count,
		&assignment->recipient_size, more->count);
	if (more->count > 0)
		memcpy(assignment->recipients + assignment->recipient_count,
			more->recipients,
			sizeof(*more->recipients) * more->count);
	assignment->recipient_count += more->count;
	return 0;
}

/* Both are in the order of RCPT, so that the place is nearly always a good guess.
 * NULL: master did not give this ticket with this job. */
static const struct wire_assign_item *
find_user(const struct assignment *assignment, const struct wire_ticket *ticket,
	size_t guess)
{
	size_t i;

	for (i = 0; i < assignment->user_count; i++) {
		size_t place = (guess + i) % assignment->user_count;

		if (memcmp(&assignment->users[place].ticket, ticket,
			    sizeof(*ticket)) == 0)
			return &assignment->users[place];
	}
	return NULL;
}

bool
assignment_is_complete(const struct assignment *assignment, uint64_t job)
{
	size_t i;

	if (!assignment->is_assigned || assignment->number != job)
		return false;
	for (i = 0; i < assignment->recipient_count; i++)
		if (find_user(assignment, &assignment->recipients[i].ticket,
			    i) == NULL)
			return false;
	return true;
}

/* ---- a job of the core ---- */

static int
own_settings(struct arena *arena, const struct settings *settings,
	const struct wire_user *user, const struct settings **settings_out,
	struct err *err)
{
	struct conf_pair *pairs;
	size_t i;

	*settings_out = settings;
	if (user->field_count == 0)
		return 0;
	pairs = ARENA_ARRAY(arena, struct conf_pair, user->field_count);
	for (i = 0; i < user->field_count; i++)
		pairs[i] = (struct conf_pair){.name = user->fields[i].name,
			.value = user->fields[i].value};
	return conf_override(arena, settings, pairs, user->field_count,
		arena_format(arena, "user %s", user->name), settings_out, err);
}

int
assignment_user(struct arena *arena, const struct settings *settings,
	struct str packed, struct delivery *delivery, struct err *err)
{
	struct wire_user user = {0};

	/* For log lines, whatever comes. */
	delivery->user = "";
	delivery->settings = settings;
	if (!wire_user_unpack(arena, packed, &user))
		return err_temp(err, "4.3.0", "a user's record is broken");
	delivery->user = user.name;
	delivery->home = user.home;
	delivery->detail = user.detail;
	return own_settings(arena, settings, &user, &delivery->settings, err);
}

static int
set_addresses(struct arena *arena, const struct wire_job_recipient *recipient,
	struct delivery *delivery, struct err *err)
{
	const unsigned flags =
		ADDRESS_LOCAL_ALLOWED | ADDRESS_BRACKETS_OPTIONAL;

	if (address_parse_path(
		    arena, recipient->path, flags, &delivery->final, err) < 0)
		return -1;
	delivery->original = delivery->final;
	/* What the sender's system once called it need not be an address. */
	if (recipient->original.len > 0 &&
		address_parse_path(arena, recipient->original, flags,
			&delivery->original, err) < 0)
		delivery->original = delivery->final;
	return 0;
}

static int
set_delivery(const struct assignment *assignment, size_t place,
	struct delivery *delivery, struct err *err)
{
	const struct wire_job_recipient *recipient =
		&assignment->recipients[place];
	const struct wire_assign_item *item =
		find_user(assignment, &recipient->ticket, place);

	delivery->session = recipient->session;
	delivery->orcpt = recipient->orcpt;
	delivery->notify = recipient->notify;
	delivery->ignores_quota = recipient->ignores_quota;
	delivery->user = "";
	delivery->settings = assignment->settings;
	if (item == NULL)
		return err_temp(err, "4.3.0",
			"a recipient that was not assigned with its job");
	if (assignment_user(assignment->arena, assignment->settings, item->user,
		    delivery, err) < 0)
		return -1;
	return set_addresses(assignment->arena, recipient, delivery, err);
}

static void
fail(struct delivery *delivery, const struct err *err)
{
	delivery->outcome = DELIVER_FAILED;
	delivery->err = *err;
	/* A recipient that cannot be parsed again is no refusal of the mail. */
	delivery->err.kind = ERR_TEMPORARY;
	if (delivery->err.status[0] != '4')
		snprintf(delivery->err.status, sizeof(delivery->err.status),
			"4.3.0");
}

static void
fail_all(struct job *job, const struct err *err)
{
	size_t d;

	for (d = 0; d < job->count; d++)
		if (job->deliveries[d].outcome == DELIVER_PENDING)
			fail(&job->deliveries[d], err);
}

static void
set_deliveries(struct assignment *assignment)
{
	struct job *job = &assignment->job;
	struct err err;
	size_t d;

	job->count = assignment->recipient_count;
	job->deliveries =
		ARENA_ARRAY(assignment->arena, struct delivery, job->count);
	assignment->claims = ARENA_ARRAY(
		assignment->arena, struct assignment_claim, job->count);
	for (d = 0; d < job->count; d++)
		if (set_delivery(assignment, d, &job->deliveries[d], &err) < 0)
			fail(&job->deliveries[d], &err);
}

static int
open_message(
	struct assignment *assignment, struct wire_job *from, struct err *err)
{
	const struct settings *settings = assignment->settings;
	/* The greatest size that is allowed is each recipient's own. */
	const struct message_limits limits = {
		.memory_bytes = ASSIGNMENT_MEMORY_BYTES,
		.header_bytes = settings->message_header_max_size,
		.header_fields = 100000,
		.temp_folder = settings->mail_temp_dir};

	if (from->file >= 0)
		return message_open_file_take(&from->file, from->size, &limits,
			&assignment->message, err);
	if (from->message.len != from->size)
		return err_temp(err, "4.3.0",
			"the message has %zu bytes, not %llu as was said",
			from->message.len, (unsigned long long)from->size);
	return message_open_bytes(
		from->message, &limits, &assignment->message, err);
}

static int
set_sender(struct assignment *assignment, struct str path, struct err *err)
{
	assignment->job.sender_is_known = true;
	return address_parse_path(assignment->arena, path,
		ADDRESS_NULL_ALLOWED | ADDRESS_LOCAL_ALLOWED |
			ADDRESS_BRACKETS_OPTIONAL,
		&assignment->job.sender, err);
}

static int
check_job(const struct assignment *assignment, const struct wire_job *job,
	struct err *err)
{
	if (!assignment->is_assigned || assignment->number != job->job)
		return broke_the_rules(err, "a job that was not assigned");
	if (assignment->recipient_count == 0)
		return broke_the_rules(err, "a job without recipients");
	if (job->session == NULL)
		return broke_the_rules(err, "a job without a session");
	return 0;
}

int
assignment_begin(
	struct assignment *assignment, struct wire_job *from, struct err *err)
{
	struct job *job = &assignment->job;
	struct err reason;

	if (check_job(assignment, from, err) < 0) {
		fd_close(&from->file);
		return -1;
	}
	assignment->client = (struct job_client){.helo = from->client.helo,
		.ip = from->client.ip,
		.tls = from->client.tls,
		.protocol = from->client.protocol,
		.login = from->client.login,
		.remote_ip = from->client.remote_ip,
		.remote_host = from->client.remote_host,
		.ret = from->ret,
		.envid = from->envid};
	*job = (struct job){.arena = assignment->arena,
		.service = "lmtp",
		.session = from->session,
		.client = &assignment->client,
		.recipients = from->recipients,
		.deadline_ms = from->deadline_ms};
	set_deliveries(assignment);
	/* Fewer than there are would name one of them to the others. */
	if (job->recipients < job->count)
		job->recipients = job->count;
	if (set_sender(assignment, from->sender, &reason) < 0 ||
		open_message(assignment, from, &reason) < 0)
		fail_all(job, &reason);
	fd_close(&from->file);
	job->message = assignment->message;
	return 0;
}

/* ---- keys ---- */

static void
add_number(struct digest *digest, uint64_t number)
{
	char bytes[8];
	size_t i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(number >> (8 * i));
	digest_add(digest, str_of(bytes, sizeof(bytes)));
}

/* With its length, so that no two lists of fields are the same bytes. */
static void
add_field(struct digest *digest, struct str field)
{
	add_number(digest, field.len);
	digest_add(digest, field);
}

static int
digest_message(const struct message *message, uint8_t result[DIGEST_MAX],
	struct err *err)
{
	uint64_t offset = 0, end = message_end(message);
	char bytes[16 * 1024];
	struct digest digest;
	struct str all;

	digest_init(&digest, DIGEST_SHA512);
	if (message_view(message, 0, end, &all)) {
		digest_add(&digest, all);
		offset = end;
	}
	while (offset < end) {
		ssize_t got = message_read(
			message, bytes, sizeof(bytes), offset, err);

		if (got < 0)
			return -1;
		digest_add(&digest, str_of(bytes, (size_t)got));
		offset += (uint64_t)got;
	}
	digest_end(&digest, result);
	return 0;
}

int
assignment_make_keys(struct assignment *assignment, uid_t uid, struct err *err)
{
	const struct job *job = &assignment->job;
	uint8_t message[DIGEST_MAX], result[DIGEST_MAX];
	size_t d;

	if (digest_message(job->message, message, err) < 0)
		return -1;
	for (d = 0; d < job->count; d++) {
		const struct wire_job_recipient *recipient =
			&assignment->recipients[d];
		struct digest digest;

		digest_init(&digest, DIGEST_SHA512);
		add_number(&digest, uid);
		digest_add(&digest,
			str_of((const char *)message, sizeof(message)));
		add_field(&digest, job->sender.text);
		add_field(&digest, recipient->path);
		add_field(&digest, recipient->original);
		add_field(&digest, job->deliveries[d].detail);
		digest_end(&digest, result);
		memcpy(assignment->claims[d].key, result,
			sizeof(assignment->claims[d].key));
	}
	return 0;
}

/* ---- what goes out ---- */

static enum wire_outcome
outcome_of(const struct delivery *delivery)
{
	switch (delivery->outcome) {
	case DELIVER_SAVED:
		return WIRE_SAVED;
	case DELIVER_DISCARDED:
		return WIRE_DISCARDED;
	case DELIVER_REFUSED:
		return WIRE_REFUSED;
	case DELIVER_PENDING:
	case DELIVER_FAILED:
		break;
	}
	return WIRE_FAILED;
}

static bool
has_err(const struct delivery *delivery)
{
	return delivery->outcome == DELIVER_FAILED ||
	       delivery->outcome == DELIVER_REFUSED;
}

static void
set_result(const struct assignment *assignment, uid_t uid, size_t place,
	struct wire_recipient_result *result)
{
	const struct delivery *delivery = &assignment->job.deliveries[place];
	const struct assignment_claim *claim = &assignment->claims[place];

	result->outcome = outcome_of(delivery);
	if (has_err(delivery))
		result->err = delivery->err;
	if (assignment->settings->lmtp_verbose_replies)
		err_tell(&result->err);
	if (result->outcome == WIRE_FAILED)
		return;
	result->has_handle = claim->has_handle;
	result->handle.uid = uid;
	memcpy(result->handle.key, claim->key, sizeof(claim->key));
	memcpy(result->handle.secret, claim->secret, sizeof(claim->secret));
}

/* Bytes of a result in a frame, at most. */
static size_t
size_of(const struct delivery *delivery)
{
	enum { FIXED = 128 };

	if (!has_err(delivery))
		return FIXED;
	/* Either may be its text. */
	return FIXED + strlen(delivery->err.text) +
	       strlen(delivery->err.detail);
}

/* Two names for the same, as deliver/ does not know the wire. */
static void
set_phases(const struct job *job, struct wire_result *result)
{
	_Static_assert(
		(int)WIRE_PHASES == (int)JOB_PHASES &&
			(int)WIRE_PHASE_QUOTA == (int)JOB_PHASE_QUOTA &&
			(int)WIRE_PHASE_STORE == (int)JOB_PHASE_STORE &&
			(int)WIRE_PHASE_OUTBOUND == (int)JOB_PHASE_OUTBOUND,
		"phases have the same order");

	memcpy(result->phases_us, job->phases_us, sizeof(result->phases_us));
}

void
assignment_result(struct assignment *assignment, uid_t uid, size_t first,
	struct wire_result *result)
{
	enum { HEAD = 128 };
	const struct job *job = &assignment->job;
	size_t bytes = HEAD, end = first, i;

	while (end < job->count) {
		bytes += size_of(&job->deliveries[end]);
		if (bytes > FRAME_MAX)
			break;
		end++;
	}
	*result = (struct wire_result){.job = assignment->number,
		.first = (uint32_t)first,
		.count = end - first,
		.is_last = end == job->count,
		.script_errors = (uint32_t)job->script_errors};
	set_phases(job, result);
	result->results = ARENA_ARRAY(
		assignment->arena, struct wire_recipient_result, result->count);
	for (i = 0; i < result->count; i++)
		set_result(assignment, uid, first + i, &result->results[i]);
}
