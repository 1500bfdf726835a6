/* SPDX-License-Identifier: MIT */
#include "deliver/host.h"

#include "base/attributes.h"
#include "base/clock.h"
#include "base/log.h"
#include "deliver/environment.h"
#include "deliver/extlists.h"
#include "deliver/mailboxes.h"
#include "deliver/programs.h"
#include "deliver/seen.h"
#include "deliver/useraddress.h"
#include "deliver/work.h"

#include "base/banned.h"

static struct deliver_host *
host_of(struct sieve_host *host)
{
	return CONTAINER_OF(host, struct deliver_host, host);
}

static struct mailboxes *
mailboxes_of(struct sieve_host *host)
{
	return host_of(host)->delivery->work->mailboxes;
}

static const struct message *
answer_message(struct sieve_host *host)
{
	return host_of(host)->job->message;
}

static bool
answer_envelope(struct sieve_host *host, enum sieve_envelope_part part,
	struct address *address_out)
{
	switch (part) {
	case SIEVE_ENVELOPE_FROM:
		*address_out = host_of(host)->job->sender;
		return true;
	case SIEVE_ENVELOPE_TO:
		*address_out = host_of(host)->delivery->original;
		return true;
	}
	return false;
}

/* DELIVERBY is never offered. */
static bool
answer_envelope_text(struct sieve_host *host, enum sieve_envelope_text part,
	struct str *value_out)
{
	static const struct job_client nobody = {.helo = {NULL, 0}};
	const struct delivery *delivery = host_of(host)->delivery;
	const struct job_client *client = host_of(host)->job->client;

	if (client == NULL)
		client = &nobody;
	*value_out = STR_EMPTY;
	switch (part) {
	case SIEVE_ENVELOPE_RET:
		*value_out = client->ret;
		break;
	case SIEVE_ENVELOPE_ENVID:
		*value_out = client->envid;
		break;
	case SIEVE_ENVELOPE_AUTH:
		*value_out = client->login;
		break;
	case SIEVE_ENVELOPE_NOTIFY:
		*value_out = delivery->notify;
		break;
	case SIEVE_ENVELOPE_ORCPT:
		*value_out = delivery->orcpt;
		break;
	case SIEVE_ENVELOPE_BYTIME_ABSOLUTE:
	case SIEVE_ENVELOPE_BYTIME_RELATIVE:
	case SIEVE_ENVELOPE_BYMODE:
	case SIEVE_ENVELOPE_BYTRACE:
		break;
	}
	return value_out->len > 0;
}

static enum lookup
answer_mailbox_exists(
	struct sieve_host *host, struct str mailbox, struct err *err)
{
	return mailboxes_exists(mailboxes_of(host), mailbox, err);
}

static enum lookup
answer_special_use(struct sieve_host *host, const struct str *mailbox,
	struct str use, struct str *mailbox_out, struct err *err)
{
	return mailbox != NULL ? mailboxes_has_use(
					 mailboxes_of(host), *mailbox, use, err)
	                       : mailboxes_find_use(mailboxes_of(host), use,
					 mailbox_out, err);
}

static enum lookup
answer_mailbox_by_id(struct sieve_host *host, struct str id,
	struct str *mailbox_out, struct err *err)
{
	return store_find_id(
		host_of(host)->delivery->work->store, id, mailbox_out, err);
}

static enum lookup
answer_metadata(struct sieve_host *host, const struct str *mailbox,
	struct str name, struct str *value_out, struct err *err)
{
	return mailboxes_metadata(
		mailboxes_of(host), mailbox, name, value_out, err);
}

static void
run_program(struct sieve_host *host, struct sieve_external *external)
{
	programs_for_script(
		host_of(host)->job, host_of(host)->delivery, external);
}

static bool
answer_duplicate_seen(
	struct sieve_host *host, const unsigned char key[SIEVE_MARK_KEY])
{
	return seen_find(host_of(host)->job, host_of(host)->delivery, key);
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

/* Read once for all scripts of a delivery. */
static struct extlists *
lists_of(struct sieve_host *host)
{
	const struct deliver_host *own = host_of(host);
	struct delivery_work *work = own->delivery->work;

	if (work->lists == NULL ||
		!extlists_are_of(work->lists, own->delivery->settings))
		work->lists = extlists_new(own->job, own->delivery);
	return work->lists;
}

static bool
answer_environment(
	struct sieve_host *host, struct str name, struct str *value_out)
{
	return environment_find(
		host_of(host)->job, host_of(host)->delivery, name, value_out);
}

static void
take_log(struct sieve_host *host UNUSED, const char *text)
{
	log_info("sieve: %s", text);
}

static bool
answer_list_is_valid(struct sieve_host *host, struct str list)
{
	return extlists_has_list(lists_of(host), list);
}

static enum lookup
answer_list_has(struct sieve_host *host,
	const struct sieve_list_question *question, struct err *err)
{
	return extlists_find(lists_of(host), question, err);
}

static enum lookup
answer_list_values(struct sieve_host *host, struct str list,
	const struct str **values_out, size_t *count_out, struct err *err)
{
	return extlists_values(
		lists_of(host), list, values_out, count_out, err);
}

/* sieve_user_email, else the user's name where it is an address, else that of the
 * recipient. */
static bool
answer_user_address(struct sieve_host *host, struct address *address_out)
{
	return useraddress_main(
		host_of(host)->job, host_of(host)->delivery, address_out);
}

static bool
answer_user_alias(
	struct sieve_host *host, size_t index, struct str *address_out)
{
	return useraddress_alias(host_of(host)->delivery, index, address_out);
}

static const struct sieve_host_ops ops = {
	.message = answer_message,
	.envelope = answer_envelope,
	.envelope_text = answer_envelope_text,
	.mailbox_exists = answer_mailbox_exists,
	.special_use = answer_special_use,
	.mailbox_by_id = answer_mailbox_by_id,
	.metadata = answer_metadata,
	.duplicate_seen = answer_duplicate_seen,
	.list_is_valid = answer_list_is_valid,
	.list_has = answer_list_has,
	.list_values = answer_list_values,
	.run_program = run_program,
	.now = answer_now,
	.zone = answer_zone,
	.environment = answer_environment,
	.log = take_log,
	.user_address = answer_user_address,
	.user_alias = answer_user_alias,
};

void
host_init(struct deliver_host *host, const struct job *job,
	const struct delivery *delivery)
{
	*host = (struct deliver_host){
		.host = {.ops = &ops}, .job = job, .delivery = delivery};
}
