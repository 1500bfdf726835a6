/* SPDX-License-Identifier: MIT */
#include "deliver/quota.h"

#include <string.h>

#include "base/log.h"
#include "base/number.h"
#include "deliver/setup.h"
#include "deliver/warnings.h"
#include "deliver/work.h"

#include "base/banned.h"

#define FULL_TEXT "Quota exceeded (mailbox for user is full)"

/* ---- the roots ---- */

static int
parse_fault(
	const char *key, const struct conf_quota_fault *fault, struct err *err)
{
	return err_temp(err, "4.3.5", "%s: found \"%.*s\", expected %s", key,
		STR_ARG(fault->found), fault->expected);
}

/* `mailbox { }` of 2.4 says of its folder what a rule says. */
static bool
rule_of_mailbox(const struct job *job, const char *prefix,
	const struct conf_mailbox *mailbox, const struct quota_limits *base,
	struct conf_quota_rule *rule)
{
	uint64_t bytes = conf_quota_share(
		base->bytes, mailbox->quota_storage_percentage);

	if (bytes == base->bytes && mailbox->quota_storage_extra == 0 &&
		!mailbox->quota_ignore)
		return false;
	*rule = (struct conf_quota_rule){
		.mask = str_from(arena_format(
			job->arena, "%s%s", prefix, mailbox->name)),
		.ignores = mailbox->quota_ignore};
	if (base->bytes == 0)
		return true;
	rule->storage.change = CONF_QUOTA_SET;
	if (!number_add(
		    bytes, mailbox->quota_storage_extra, &rule->storage.number))
		rule->storage.number = UINT64_MAX;
	return true;
}

static size_t
count_mailboxes(const struct settings *settings)
{
	size_t count = settings->mailbox_count, i;

	for (i = 0; i < settings->namespace_count; i++)
		count += settings->namespaces[i].mailbox_count;
	return count;
}

/* Behind those of quota_rule, which count more. */
static void
add_mailbox_rules(const struct job *job, const struct settings *settings,
	struct conf_quota_rule *items, struct quota_rules *rules)
{
	const struct quota_limits base = quota_limits_default(rules);
	size_t i, k;

	for (i = 0; i < settings->namespace_count; i++) {
		const struct conf_namespace *space = &settings->namespaces[i];

		for (k = 0; k < space->mailbox_count; k++)
			if (rule_of_mailbox(job, space->prefix,
				    &space->mailboxes[k], &base,
				    &items[rules->count]))
				rules->count++;
	}
	for (k = 0; k < settings->mailbox_count; k++)
		if (rule_of_mailbox(job, "", &settings->mailboxes[k], &base,
			    &items[rules->count]))
			rules->count++;
}

/* An empty rule takes an earlier one back. */
static int
setup_rules(const struct job *job, const struct settings *settings,
	unsigned root, struct quota_rules *rules, struct err *err)
{
	const struct conf_family *family = &settings->quota_rule;
	struct conf_quota_rule *items =
		ARENA_ARRAY(job->arena, struct conf_quota_rule,
			family->count + count_mailboxes(settings));
	struct conf_quota_fault fault;
	size_t i;

	for (i = 0; i < family->count; i++) {
		if (family->items[i].root != root ||
			family->items[i].value[0] == '\0')
			continue;
		if (conf_quota_parse_rule(str_from(family->items[i].value),
			    &items[rules->count], &fault) < 0)
			return parse_fault("quota_rule", &fault, err);
		rules->count++;
	}
	rules->items = items;
	add_mailbox_rules(job, settings, items, rules);
	return 0;
}

static int
setup_grace(const struct settings *settings, unsigned root,
	struct conf_quota_grace *grace, struct err *err)
{
	enum { USUAL_PERCENT = 10 };
	const struct conf_family *family = &settings->quota_grace;
	struct conf_quota_fault fault;
	size_t i;

	*grace = (struct conf_quota_grace){
		.is_share = true, .number = USUAL_PERCENT};
	for (i = 0; i < family->count; i++)
		if (family->items[i].root == root &&
			family->items[i].value[0] != '\0' &&
			conf_quota_parse_grace(str_from(family->items[i].value),
				grace, &fault) < 0)
			return parse_fault("quota_grace", &fault, err);
	return 0;
}

/* An empty one takes an earlier one back. */
static int
setup_warnings(const struct job *job, const struct settings *settings,
	struct quota_root_settings *root, struct err *err)
{
	const struct conf_family *family = &settings->quota_warning;
	struct conf_quota_warning *items = ARENA_ARRAY(
		job->arena, struct conf_quota_warning, family->count);
	struct conf_quota_fault fault;
	size_t i;

	for (i = 0; i < family->count; i++) {
		if (family->items[i].root != root->number ||
			family->items[i].value[0] == '\0')
			continue;
		if (conf_quota_parse_warning(str_from(family->items[i].value),
			    &items[root->warning_count], &fault) < 0)
			return parse_fault("quota_warning", &fault, err);
		root->warning_count++;
	}
	root->warnings = items;
	return 0;
}

static int
setup_root(const struct job *job, const struct delivery *delivery,
	const struct conf_numbered *item, struct quota_root_settings *root,
	struct err *err)
{
	const struct settings *settings = delivery->settings;
	struct str spec;

	*root = (struct quota_root_settings){.number = item->number};
	if (setup_expand(job, delivery, item->value, &spec, err) < 0)
		return -1;
	root->spec = arena_text(job->arena, spec);
	if (setup_rules(job, settings, item->number, &root->rules, err) < 0 ||
		setup_warnings(job, settings, root, err) < 0)
		return -1;
	return setup_grace(settings, item->number, &root->rules.grace, err);
}

static const char *
full_text(const struct job *job, const struct settings *settings)
{
	struct str text;
	struct err err;

	if (conf_read_text(job->arena, &settings->quota_exceeded_message, &text,
		    &err) == 0)
		return arena_text(job->arena, text);
	log_error("quota_exceeded_message: %s", err_log_text(&err));
	return FULL_TEXT;
}

int
quota_open_user(const struct job *job, const struct delivery *delivery,
	struct store *store, struct quota **quota_out, struct err *err)
{
	const struct conf_family *family = &delivery->settings->quota;
	struct quota_root_settings *roots = ARENA_ARRAY(
		job->arena, struct quota_root_settings, family->count);
	struct quota_settings settings = {.arena = job->arena,
		.store = store,
		.roots = roots,
		.deadline_ms = job->deadline_ms,
		.is_counted_only = delivery->ignores_quota,
		.user = delivery->user,
		.ignores_dict_failure =
			delivery->settings->quota_dict_failure ==
			CONF_DICT_FAILURE_IGNORE,
		.key = arena_text(job->arena, setup_session(job, delivery))};
	size_t i;

	settings.state_socket = arena_format(
		job->arena, "%s/state", delivery->settings->base_dir);
	*quota_out = NULL;
	for (i = 0; i < family->count; i++)
		if (family->items[i].value[0] != '\0' &&
			setup_root(job, delivery, &family->items[i],
				&roots[settings.root_count++], err) < 0)
			return -1;
	if (settings.root_count == 0)
		return 0;
	settings.full_text = full_text(job, delivery->settings);
	return quota_open(&settings, quota_out, err);
}

/* ---- a delivery with a plan ---- */

/* Of the copies that are there; places_out[i] is that of item i in the plan. */
static size_t
collect_items(const struct job *job, const struct delivery *delivery,
	struct quota_item **items_out, size_t **places_out)
{
	const struct plan *plan = delivery->work->plan;
	struct quota_item *items =
		ARENA_ARRAY(job->arena, struct quota_item, plan->copy_count);
	size_t *places = ARENA_ARRAY(job->arena, size_t, plan->copy_count);
	size_t count = 0, i;

	for (i = 0; i < plan->copy_count; i++) {
		const struct store_copy *copy = plan->copies[i].copy;

		if (copy == NULL)
			continue;
		places[count] = i;
		items[count++] = (struct quota_item){
			store_copy_folder(copy), store_copy_size(copy)};
	}
	*items_out = items;
	*places_out = places;
	return count;
}

static int
check_mail_size(
	const struct settings *settings, uint64_t bytes, struct err *err)
{
	uint64_t most = settings->quota_max_mail_size;

	if (most == 0 || bytes <= most)
		return 0;
	return err_set(err, ERR_TOO_BIG, "5.2.3",
		"Mail size is larger than the maximum size allowed by server "
		"configuration");
}

/* ---- quota_mailbox_message_count ---- */

/* That of the first `mailbox { }` with this name, else the one for all. */
static uint64_t
message_limit(const struct delivery *delivery, struct str folder)
{
	const struct settings *settings = delivery->settings;
	struct store *store = delivery->work->store;
	size_t i, k;

	for (i = 0; i < settings->namespace_count; i++) {
		const struct conf_namespace *space = &settings->namespaces[i];

		for (k = 0; k < space->mailbox_count; k++) {
			const struct conf_mailbox *mailbox =
				&space->mailboxes[k];
			struct str rest = folder;

			if (str_starts(folder, str_from(space->prefix)))
				rest = str_skip(folder, strlen(space->prefix));
			if (mailbox->quota_mailbox_message_count > 0 &&
				store_is_same_folder(
					store, rest, str_from(mailbox->name)))
				return mailbox->quota_mailbox_message_count;
		}
	}
	for (k = 0; k < settings->mailbox_count; k++)
		if (settings->mailboxes[k].quota_mailbox_message_count > 0 &&
			store_is_same_folder(store, folder,
				str_from(settings->mailboxes[k].name)))
			return settings->mailboxes[k]
			        .quota_mailbox_message_count;
	return settings->quota_mailbox_message_count;
}

static int
count_messages(struct store *store, struct str folder, uint64_t *count_out,
	struct err *err)
{
	struct store_parts parts;
	struct store_use use;
	size_t i;

	*count_out = 0;
	if (store_list_parts(store, NULL, &parts, err) < 0)
		return -1;
	for (i = 0; i < parts.count; i++) {
		if (!store_is_same_folder(store, parts.items[i].folder, folder))
			continue;
		if (store_measure(&parts.items[i], &use, err) < 0)
			return -1;
		*count_out += use.messages;
	}
	return 0;
}

/* `more` of this delivery go there before it. */
static int
check_message_count(const struct delivery *delivery, struct str folder,
	uint64_t more, struct err *err)
{
	uint64_t limit, count;

	if (delivery->ignores_quota)
		return 0;
	limit = message_limit(delivery, folder);
	if (limit == 0)
		return 0;
	if (count_messages(delivery->work->store, folder, &count, err) < 0)
		return -1;
	count += more;
	if (count < limit)
		return 0;
	err_set(err, ERR_OVER_QUOTA, "5.2.2",
		"Too many messages in the mailbox");
	return err_detail(err,
		"quota_mailbox_message_count: folder %.*s has %llu messages",
		STR_ARG(folder), (unsigned long long)count);
}

static int
check_message_counts(const struct delivery *delivery,
	const struct quota_item *items, size_t count, size_t *wrong_out,
	struct err *err)
{
	size_t i, k;

	for (i = 0; i < count; i++) {
		uint64_t more = 0;

		for (k = 0; k < i; k++)
			if (store_is_same_folder(delivery->work->store,
				    items[k].folder, items[i].folder))
				more++;
		*wrong_out = i;
		if (check_message_count(delivery, items[i].folder, more, err) <
			0)
			return -1;
	}
	*wrong_out = count;
	return 0;
}

static bool
has_message_limits(const struct settings *settings)
{
	return settings->quota_mailbox_message_count > 0 ||
	       count_mailboxes(settings) > 0;
}

/* ---- all of it ---- */

bool
quota_is_limited(const struct settings *settings)
{
	return settings->quota.count > 0 || settings->quota_max_mail_size > 0 ||
	       has_message_limits(settings);
}

static int
open_work(const struct job *job, struct delivery *delivery, struct err *err)
{
	struct delivery_work *work = delivery->work;

	if (work->quota != NULL || delivery->settings->quota.count == 0)
		return 0;
	return quota_open_user(job, delivery, work->store, &work->quota, err);
}

int
quota_take_room(const struct job *job, struct delivery *delivery,
	size_t *wrong_out, struct err *err)
{
	const struct plan *plan = delivery->work->plan;
	struct quota_item *items;
	size_t *places, count, i, wrong;

	*wrong_out = plan->copy_count;
	if (!quota_is_limited(delivery->settings))
		return 0;
	count = collect_items(job, delivery, &items, &places);
	for (i = 0; i < count; i++)
		if (check_mail_size(delivery->settings, items[i].bytes, err) <
			0)
			return -1;
	if (count == 0 || open_work(job, delivery, err) < 0)
		return count == 0 ? 0 : -1;
	if (check_message_counts(delivery, items, count, &wrong, err) == 0 &&
		(delivery->work->quota == NULL ||
			quota_take(delivery->work->quota, items, count, &wrong,
				err) == 0)) {
		delivery->has_redeemed = true;
		return 0;
	}
	if (wrong < count)
		*wrong_out = places[wrong];
	return -1;
}

int
quota_check_inbox(const struct delivery *delivery, size_t copy, struct err *err)
{
	if (check_message_count(delivery, STR("INBOX"), 0, err) < 0)
		return -1;
	if (delivery->work->quota == NULL)
		return 0;
	return quota_check(delivery->work->quota, STR("INBOX"),
		store_copy_size(delivery->work->plan->copies[copy].copy), err);
}

void
quota_begin_names(const struct delivery *delivery)
{
	if (delivery->work->quota != NULL)
		quota_begin(delivery->work->quota);
}

void
quota_count_copies(const struct job *job, struct delivery *delivery)
{
	struct quota_item *items;
	size_t *places, count;

	if (delivery->work->quota == NULL)
		return;
	count = collect_items(job, delivery, &items, &places);
	quota_end(delivery->work->quota, items, count);
}

void
quota_compare_use(const struct job *job, const struct delivery *delivery)
{
	if (delivery->work->quota != NULL)
		warnings_collect(job, delivery, delivery->work->quota);
}

void
quota_leave(struct delivery *delivery)
{
	quota_close(&delivery->work->quota);
}

/* ---- before there is a message ---- */

int
quota_check_room(const struct job *job, struct delivery *delivery,
	uint64_t size, struct err *err)
{
	if (check_mail_size(delivery->settings, size, err) < 0 ||
		check_message_count(delivery, delivery->work->folder, 0, err) <
			0 ||
		open_work(job, delivery, err) < 0)
		return -1;
	if (delivery->work->quota == NULL)
		return 0;
	/* As at delivery: grace counts, and one byte is the least there is. */
	if (delivery->is_mere_question)
		return quota_check(delivery->work->quota,
			delivery->work->folder, size > 0 ? size : 1, err);
	return quota_promise(delivery->work->quota, delivery->work->folder,
		size, &delivery->has_promised, err);
}

int
quota_withdraw_promise(
	const struct job *job, struct delivery *delivery, struct err *err)
{
	if (open_work(job, delivery, err) < 0)
		return -1;
	return delivery->work->quota == NULL
	               ? 0
	               : quota_withdraw(delivery->work->quota, err);
}
