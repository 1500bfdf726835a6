/* SPDX-License-Identifier: MIT */
#include "quota/quota.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"
#include "quota/backend.h"
#include "quota/reserve.h"

#include "base/banned.h"

#define TABLE_NAME "doorstep-quota"

static const struct quota_backend *const backends[] = {
	&quota_maildirsize, &quota_count, &quota_dict, &quota_fs};

struct quota {
	struct quota_settings settings;
	struct quota_root roots[QUOTA_ROOTS_MAX];
	size_t count;
	struct reserve reserve;
	struct reserve_lines *lines;
	bool is_open;     /* the table */
	bool is_taken;    /* and not ended */
	bool has_changed; /* and was not compared */
	bool heeds_promises;
	bool is_doubtful; /* somebody may have counted between name and line */
	struct quota_crossing crossings[QUOTA_ROOTS_MAX];
	size_t crossing_count;
};

bool
quota_root_ignores(const struct quota_root *root, struct str folder)
{
	return quota_limits_of(
		&root->rules, &root->limits, folder, str_from(root->prefix))
	        .is_ignored;
}

/* ---- opening ---- */

static const struct quota_backend *
find_backend(struct str name)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(backends); i++)
		if (str_is(name, backends[i]->name))
			return backends[i];
	return NULL;
}

static bool
may_have_limits(const struct quota_root *root)
{
	return root->limits.bytes > 0 || root->limits.messages > 0 ||
	       (root->backend->has_limits && !root->has_limits_of_its_own);
}

/* A root that limits nothing and need not be known then is none. */
static int
open_root(struct quota *quota, const struct quota_root_settings *settings,
	struct err *err)
{
	struct quota_root *root = &quota->roots[quota->count];
	struct conf_quota_fault fault;

	*root = (struct quota_root){.arena = quota->settings.arena,
		.store = quota->settings.store,
		.user = quota->settings.user,
		.state_socket = quota->settings.state_socket,
		.number = settings->number,
		.rules = settings->rules,
		.warnings = settings->warnings,
		.warning_count = settings->warning_count};
	if (conf_quota_parse_root(
		    str_from(settings->spec), &root->spec, &fault) < 0)
		return err_temp(err, "4.3.5",
			"quota: found \"%.*s\", expected %s",
			STR_ARG(fault.found), fault.expected);
	root->backend = find_backend(root->spec.driver);
	if (root->backend == NULL)
		return err_temp(err, "4.3.5", "quota: unknown driver \"%.*s\"",
			STR_ARG(root->spec.driver));
	if (quota->settings.is_counted_only)
		root->spec.is_counted_only = true;
	if (root->spec.has_prefix)
		root->prefix = arena_text(root->arena, root->spec.prefix);
	root->limits = quota_limits_default(&root->rules);
	root->has_limits_of_its_own = quota_limits_are_forced(&root->rules);
	if (root->spec.ignores_unlimited && !may_have_limits(root))
		return 0;
	if (root->backend->open != NULL && root->backend->open(root, err) < 0)
		return -1;
	quota->count++;
	return 0;
}

int
quota_open(const struct quota_settings *settings, struct quota **quota_out,
	struct err *err)
{
	struct quota *quota = ARENA_NEW(settings->arena, struct quota);
	size_t i;

	quota->settings = *settings;
	quota->reserve.fd = -1;
	if (settings->root_count > QUOTA_ROOTS_MAX)
		return err_temp(err, "4.3.5", "more than %d quota roots",
			QUOTA_ROOTS_MAX);
	for (i = 0; i < settings->root_count; i++)
		if (open_root(quota, &settings->roots[i], err) < 0)
			return -1;
	*quota_out = quota;
	return 0;
}

void
quota_close(struct quota **quota)
{
	size_t i;

	if (*quota == NULL)
		return;
	for (i = 0; i < (*quota)->count; i++)
		if ((*quota)->roots[i].backend->close != NULL)
			(*quota)->roots[i].backend->close(&(*quota)->roots[i]);
	(*quota)->count = 0;
	if ((*quota)->is_open)
		reserve_close(&(*quota)->reserve);
	(*quota)->is_open = false;
	*quota = NULL;
}

/* ---- the table ---- */

static int
open_table(struct quota *quota, struct err *err)
{
	const char *path = NULL;

	if (quota->is_open)
		return 0;
	if (store_control_file(quota->settings.store, TABLE_NAME, false, &path,
		    err) == LOOKUP_ERROR ||
		reserve_open(&quota->reserve, path, quota->settings.deadline_ms,
			err) == LOOKUP_ERROR)
		return -1;
	if (quota->lines == NULL) {
		quota->lines =
			ARENA_NEW(quota->settings.arena, struct reserve_lines);
		quota->lines->arena = quota->settings.arena;
	}
	quota->is_open = true;
	return 0;
}

/* What somebody stored who died may not have been counted.  The count goes first:
 * should we die as well, the line is still there. */
static int
bury(struct quota *quota, const struct reserve_line *line, struct err *err)
{
	size_t i;

	for (i = 0; i < quota->count; i++)
		if (quota->roots[i].backend->forget != NULL)
			quota->roots[i].backend->forget(&quota->roots[i]);
	return reserve_clear(&quota->reserve, line->place, err);
}

/* Locks the table and reads it. */
static int
look_at_table(struct quota *quota, struct err *err)
{
	struct reserve_lines *lines;
	size_t i, kept = 0;

	if (open_table(quota, err) < 0 ||
		reserve_lock(&quota->reserve, err) < 0 ||
		reserve_read(&quota->reserve, quota->lines, err) < 0)
		return -1;
	lines = quota->lines;
	for (i = 0; i < lines->count; i++) {
		if (!lines->items[i].is_dead) {
			lines->items[kept++] = lines->items[i];
			continue;
		}
		if (bury(quota, &lines->items[i], err) < 0)
			return -1;
		if (lines->first_free > lines->items[i].place)
			lines->first_free = lines->items[i].place;
	}
	lines->count = kept;
	return 0;
}

/* The message has come, or will not. */
static int
redeem_promises(struct quota *quota, struct err *err)
{
	struct reserve_lines *lines = quota->lines;
	const char *key = quota->settings.key;
	size_t i, kept = 0;

	if (key == NULL || key[0] == '\0')
		return 0;
	for (i = 0; i < lines->count; i++) {
		if (lines->items[i].until_s == 0 ||
			strcmp(lines->items[i].key, key) != 0)
			lines->items[kept++] = lines->items[i];
		else if (reserve_clear(&quota->reserve, lines->items[i].place,
				 err) < 0)
			return -1;
	}
	lines->count = kept;
	return 0;
}

static struct quota_amount
reserved_by_others(const struct quota *quota, const struct quota_root *root)
{
	struct quota_amount sum = {0, 0};
	size_t i;

	for (i = 0; i < quota->lines->count; i++) {
		const struct reserve_line *line = &quota->lines->items[i];

		if (line->root == root->number && !line->is_known &&
			(quota->heeds_promises || line->until_s == 0))
			sum = quota_sum(sum, line->amount);
	}
	return sum;
}

/* ---- the use ---- */

static void
see_use(struct quota_root *root, struct quota_amount use)
{
	root->seen = use;
	root->is_seen = true;
}

/* With the table locked. */
static int
recount(struct quota *quota, struct quota_root *root,
	struct quota_amount *use_out, struct err *err)
{
	int result;

	if (!reserve_take_names(&quota->reserve)) {
		err_set(err, ERR_TEMPORARY, "4.2.0",
			"Internal quota calculation error");
		return err_detail(err,
			"%s: deliveries do not end, so that the quota cannot "
			"be counted",
			quota->reserve.path);
	}
	/* Those who were waited for have ended meanwhile. */
	result = reserve_read(&quota->reserve, quota->lines, err);
	if (result == 0)
		result = root->backend->recount(root, use_out, err);
	if (result == 0)
		see_use(root, *use_out);
	reserve_give_names(&quota->reserve);
	return result;
}

static int
read_use(struct quota *quota, struct quota_root *root,
	struct quota_amount *use_out, bool *is_certain_out, struct err *err)
{
	switch (root->backend->read(root, use_out, is_certain_out, err)) {
	case LOOKUP_FOUND:
		see_use(root, *use_out);
		return 0;
	case LOOKUP_ERROR:
		return -1;
	case LOOKUP_NONE:
		break;
	}
	*is_certain_out = true;
	return recount(quota, root, use_out, err);
}

/* ---- would it fit ---- */

/* What is asked of one root. */
struct question {
	const struct quota_item *items;
	size_t count;
	bool is_unknown; /* one item of unknown size */
	size_t wrong;    /* the item that has no room */
};

/* What counts of the first `count` items. */
static struct quota_amount
sum_items(const struct quota_root *root, const struct quota_item *items,
	size_t count)
{
	struct quota_amount sum = {0, 0};
	size_t i;

	for (i = 0; i < count; i++)
		if (!quota_root_ignores(root, items[i].folder))
			sum = quota_sum(
				sum, (struct quota_amount){items[i].bytes, 1});
	return sum;
}

static enum quota_fit
fit_items(const struct quota_root *root, struct question *question,
	struct quota_amount use)
{
	uint64_t grace = quota_limits_grace(&root->rules, &root->limits);
	enum quota_fit fit;
	size_t i;

	for (i = 0; i < question->count; i++) {
		struct quota_limits limits = quota_limits_of(&root->rules,
			&root->limits, question->items[i].folder,
			str_from(root->prefix));

		fit = question->is_unknown
		              ? quota_fit_unknown(&limits, use)
		              : quota_fit(&limits, use,
					sum_items(root, question->items, i + 1),
					grace);
		if (fit != QUOTA_FITS) {
			question->wrong = i;
			return fit;
		}
	}
	return QUOTA_FITS;
}

static int
refuse(const struct quota *quota, const struct quota_root *root,
	enum quota_fit fit, const struct question *question, struct err *err)
{
	const struct quota_item *item = &question->items[question->wrong];

	err_set(err, fit == QUOTA_TOO_BIG ? ERR_TOO_BIG : ERR_OVER_QUOTA,
		fit == QUOTA_TOO_BIG ? "5.2.3" : "5.2.2", "%s",
		quota->settings.full_text);
	return err_detail(err, "%s (quota %.*s, folder %.*s, %llu bytes)",
		quota->settings.full_text, STR_ARG(root->spec.name),
		STR_ARG(item->folder), (unsigned long long)item->bytes);
}

static bool
has_limits(const struct quota_root *root)
{
	return root->limits.bytes > 0 || root->limits.messages > 0 ||
	       !root->has_limits_of_its_own;
}

static bool
is_limited(const struct quota_root *root)
{
	return !root->spec.is_counted_only && has_limits(root);
}

/* Only others that may come to nothing are in the way. */
static int
refuse_for_now(const struct quota *quota, const struct quota_root *root,
	struct err *err)
{
	err_set(err, ERR_TEMPORARY, "4.2.2", "%s", quota->settings.full_text);
	return err_detail(err,
		"quota %.*s: other deliveries have taken what room is left",
		STR_ARG(root->spec.name));
}

/* Nobody is refused on account of a sum that may be stale, or that may hold what
 * others have reserved as well. */
static int
ask_limited(struct quota *quota, struct quota_root *root,
	struct question *question, struct err *err)
{
	struct quota_amount use, taken;
	bool is_certain = true;
	enum quota_fit fit;

	if (read_use(quota, root, &use, &is_certain, err) < 0)
		return -1;
	taken = reserved_by_others(quota, root);
	fit = fit_items(root, question, quota_sum(use, taken));
	if (fit == QUOTA_FULL && (!is_certain || taken.messages > 0)) {
		if (recount(quota, root, &use, err) < 0)
			return -1;
		taken = reserved_by_others(quota, root);
		fit = fit_items(root, question, quota_sum(use, taken));
	}
	if (fit == QUOTA_FITS)
		return 0;
	if (fit == QUOTA_FULL && fit_items(root, question, use) == QUOTA_FITS)
		return refuse_for_now(quota, root, err);
	return refuse(quota, root, fit, question, err);
}

/* Mail goes on, and is counted when the count is back. */
static bool
goes_on_without(const struct quota *quota, const struct quota_root *root,
	const struct err *err)
{
	if (!quota->settings.ignores_dict_failure ||
		root->backend != &quota_dict || err->kind != ERR_TEMPORARY ||
		strcmp(err->status, "4.3.0") != 0)
		return false;
	log_warning("quota %.*s: %s: quota_dict_failure = ignore",
		STR_ARG(root->spec.name), err_log_text(err));
	return true;
}

static int
ask_root(struct quota *quota, struct quota_root *root,
	struct question *question, struct err *err)
{
	struct quota_amount use;
	bool is_certain;

	if (is_limited(root))
		return ask_limited(quota, root, question, err) == 0 ||
		                       goes_on_without(quota, root, err)
		               ? 0
		               : -1;
	/* There has to be a sum that can be added to; nobody waits for it. */
	if ((root->backend->add != NULL || root->warning_count > 0) &&
		read_use(quota, root, &use, &is_certain, err) < 0)
		log_warning("quota %.*s: %s", STR_ARG(root->spec.name),
			err_log_text(err));
	return 0;
}

static int
reserve_items(struct quota *quota, const struct quota_root *root,
	const struct question *question, struct err *err)
{
	struct quota_amount sum =
		sum_items(root, question->items, question->count);

	if (sum.messages == 0 ||
		(root->backend->add == NULL && !is_limited(root)))
		return 0;
	return reserve_put(
		&quota->reserve, quota->lines, root->number, sum, err);
}

/* The first one to deliver says what there was before. */
static int
note_first_use(
	struct quota *quota, const struct quota_root *root, struct err *err)
{
	struct quota_amount known;

	if (root->warning_count == 0 || !root->is_seen ||
		reserve_known(quota->lines, root->number, &known))
		return 0;
	return reserve_note(
		&quota->reserve, quota->lines, root->number, root->seen, err);
}

static int
take_locked(struct quota *quota, struct question *question, struct err *err)
{
	size_t i;

	if (look_at_table(quota, err) < 0 || redeem_promises(quota, err) < 0)
		return -1;
	for (i = 0; i < quota->count; i++)
		if (ask_root(quota, &quota->roots[i], question, err) < 0)
			return -1;
	question->wrong = question->count;
	for (i = 0; i < quota->count; i++)
		if (note_first_use(quota, &quota->roots[i], err) < 0 ||
			reserve_items(quota, &quota->roots[i], question, err) <
				0)
			return -1;
	return 0;
}

int
quota_take(struct quota *quota, const struct quota_item *items, size_t count,
	size_t *wrong_out, struct err *err)
{
	struct question question = {
		.items = items, .count = count, .wrong = count};
	int result = take_locked(quota, &question, err);

	*wrong_out = question.wrong;
	quota->is_taken = result == 0;
	if (result < 0)
		reserve_drop(&quota->reserve);
	reserve_unlock(&quota->reserve);
	return result;
}

static int
ask_all(struct quota *quota, struct question *question, struct err *err)
{
	size_t i;

	if (look_at_table(quota, err) < 0)
		return -1;
	for (i = 0; i < quota->count; i++)
		if (ask_root(quota, &quota->roots[i], question, err) < 0)
			return -1;
	return 0;
}

static struct question
question_of(const struct quota_item *item)
{
	return (struct question){
		.items = item, .count = 1, .is_unknown = item->bytes == 0};
}

int
quota_check(
	struct quota *quota, struct str folder, uint64_t bytes, struct err *err)
{
	const struct quota_item item = {folder, bytes};
	struct question question = question_of(&item);
	int result = ask_all(quota, &question, err);

	reserve_unlock(&quota->reserve);
	return result;
}

static int
promise_item(struct quota *quota, const struct quota_item *item,
	bool *has_promised_out, struct err *err)
{
	uint64_t until_s = (uint64_t)clock_now().tv_sec + QUOTA_PROMISE_S;
	size_t i;

	if (quota->settings.key == NULL)
		return 0;
	for (i = 0; i < quota->count; i++) {
		const struct quota_root *root = &quota->roots[i];

		if (!is_limited(root) || quota_root_ignores(root, item->folder))
			continue;
		*has_promised_out = true;
		if (reserve_promise(&quota->reserve, quota->lines, root->number,
			    (struct quota_amount){item->bytes, 1},
			    quota->settings.key, until_s, err) < 0)
			return -1;
	}
	return 0;
}

int
quota_promise(struct quota *quota, struct str folder, uint64_t bytes,
	bool *has_promised_out, struct err *err)
{
	const struct quota_item item = {folder, bytes};
	struct question question = question_of(&item);
	int result;

	*has_promised_out = false;
	quota->heeds_promises = true;
	result = ask_all(quota, &question, err);
	if (result == 0)
		result = promise_item(quota, &item, has_promised_out, err);
	quota->heeds_promises = false;
	reserve_unlock(&quota->reserve);
	return result;
}

int
quota_withdraw(struct quota *quota, struct err *err)
{
	int result = look_at_table(quota, err);

	if (result == 0)
		result = redeem_promises(quota, err);
	reserve_unlock(&quota->reserve);
	return result;
}

/* ---- the end ---- */

void
quota_begin(struct quota *quota)
{
	if (quota->is_taken)
		quota->is_doubtful = !reserve_share_names(&quota->reserve);
}

static void
add_to_root(const struct quota *quota, struct quota_root *root,
	const struct quota_item *items, size_t count)
{
	struct quota_amount sum = sum_items(root, items, count);
	struct err err;

	if (sum.messages == 0 || root->backend->add == NULL)
		return;
	if (!quota->is_doubtful && root->backend->add(root, sum, &err) == 0)
		return;
	/* Mail is filed; the next one counts. */
	log_warning("quota %.*s is counted anew: %s", STR_ARG(root->spec.name),
		quota->is_doubtful ? "a lock could not be had"
				   : err_log_text(&err));
	if (root->backend->forget != NULL)
		root->backend->forget(root);
}

static void
cross(struct quota *quota, const struct quota_root *root,
	struct quota_amount before, struct quota_amount use)
{
	const struct conf_quota_warning *warning =
		quota_warning_crossed(root->warnings, root->warning_count,
			&root->limits, before, use);

	if (warning != NULL)
		quota->crossings[quota->crossing_count++] =
			(struct quota_crossing){.name = root->spec.name,
				.warning = warning,
				.use = use,
				.limits = root->limits};
}

static int
compare_root(struct quota *quota, struct quota_root *root, struct err *err)
{
	struct quota_amount use, before;
	bool is_certain;

	if (root->warning_count == 0 ||
		!reserve_known(quota->lines, root->number, &before))
		return 0;
	if (read_use(quota, root, &use, &is_certain, err) < 0)
		return -1;
	if (use.bytes == before.bytes && use.messages == before.messages)
		return 0;
	if (reserve_note(
		    &quota->reserve, quota->lines, root->number, use, err) < 0)
		return -1;
	cross(quota, root, before, use);
	return 0;
}

static bool
has_warnings(const struct quota *quota)
{
	size_t i;

	for (i = 0; i < quota->count; i++)
		if (quota->roots[i].warning_count > 0)
			return true;
	return false;
}

/* Trouble leaves it to the next delivery, which compares with what was known. */
static void
find_crossings(struct quota *quota)
{
	struct err err;
	int result;
	size_t i;

	quota->crossing_count = 0;
	if (!has_warnings(quota))
		return;
	result = look_at_table(quota, &err);
	for (i = 0; result == 0 && i < quota->count; i++)
		result = compare_root(quota, &quota->roots[i], &err);
	reserve_unlock(&quota->reserve);
	if (result < 0)
		log_warning("quota_warning: %s", err_log_text(&err));
}

size_t
quota_crossings(
	const struct quota *quota, const struct quota_crossing **crossings_out)
{
	*crossings_out = quota->crossings;
	return quota->crossing_count;
}

void
quota_end(struct quota *quota, const struct quota_item *items, size_t count)
{
	size_t i;

	if (!quota->is_taken)
		return;
	quota->is_taken = false;
	for (i = 0; i < quota->count; i++)
		add_to_root(quota, &quota->roots[i], items, count);
	reserve_drop(&quota->reserve);
	reserve_give_names(&quota->reserve);
	quota->has_changed = true;
}

void
quota_compare(struct quota *quota)
{
	if (quota->has_changed)
		find_crossings(quota);
	quota->has_changed = false;
}

/* ---- for people ---- */

static int
report_root(struct quota *quota, struct quota_root *root, struct str folder,
	struct quota_report *report, struct err *err)
{
	bool is_certain;

	if (read_use(quota, root, &report->use, &is_certain, err) < 0)
		return -1;
	report->name = root->spec.name;
	report->backend = root->backend->name;
	report->is_hidden = root->spec.is_hidden;
	report->is_enforced = !root->spec.is_counted_only;
	report->reserved = reserved_by_others(quota, root);
	report->limits = folder.len > 0
	                         ? quota_limits_of(&root->rules, &root->limits,
					   folder, str_from(root->prefix))
	                         : root->limits;
	report->grace = quota_limits_grace(&root->rules, &root->limits);
	return 0;
}

int
quota_report(struct quota *quota, struct str folder,
	struct quota_report **reports_out, size_t *count_out, struct err *err)
{
	struct quota_report *reports = ARENA_ARRAY(
		quota->settings.arena, struct quota_report, quota->count);
	int result = look_at_table(quota, err);
	size_t i;

	for (i = 0; result == 0 && i < quota->count; i++)
		result = report_root(
			quota, &quota->roots[i], folder, &reports[i], err);
	reserve_unlock(&quota->reserve);
	*reports_out = reports;
	*count_out = quota->count;
	return result;
}

int
quota_recalculate(struct quota *quota, struct err *err)
{
	int result = look_at_table(quota, err);
	struct quota_amount use;
	size_t i;

	for (i = 0; result == 0 && i < quota->count; i++)
		if (quota->roots[i].backend->forget != NULL)
			quota->roots[i].backend->forget(&quota->roots[i]);
	for (i = 0; result == 0 && i < quota->count; i++)
		result = recount(quota, &quota->roots[i], &use, err);
	reserve_unlock(&quota->reserve);
	return result;
}
