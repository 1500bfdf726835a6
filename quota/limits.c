/* SPDX-License-Identifier: MIT */
#include "quota/limits.h"

#include "base/number.h"

#include "base/banned.h"

/* Reached is passed: 95% is full enough to be told. */
static bool
is_crossed(const struct conf_quota_warning *warning, uint64_t limit,
	uint64_t before, uint64_t now)
{
	uint64_t mark = warning->is_share
	                        ? conf_quota_share(limit, warning->number)
	                        : warning->number;

	if (mark == 0)
		return false;
	return warning->is_downward ? before >= mark && now < mark
	                            : before < mark && now >= mark;
}

const struct conf_quota_warning *
quota_warning_crossed(const struct conf_quota_warning *warnings, size_t count,
	const struct quota_limits *limits, struct quota_amount before,
	struct quota_amount now)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (warnings[i].is_messages
				? is_crossed(&warnings[i], limits->messages,
					  before.messages, now.messages)
				: is_crossed(&warnings[i], limits->bytes,
					  before.bytes, now.bytes))
			return &warnings[i];
	return NULL;
}

bool
quota_mask_fits(struct str mask, struct str text)
{
	size_t m = 0, t = 0, star = mask.len, star_text = 0;

	/* On a mismatch the last "*" takes one byte more. */
	while (t < text.len) {
		if (m < mask.len && mask.data[m] == '*') {
			star = m++;
			star_text = t;
		} else if (m < mask.len &&
			   (mask.data[m] == '?' ||
				   mask.data[m] == text.data[t])) {
			m++;
			t++;
		} else if (star < mask.len) {
			m = star + 1;
			t = ++star_text;
		} else {
			return false;
		}
	}
	while (m < mask.len && mask.data[m] == '*')
		m++;
	return m == mask.len;
}

struct quota_limits
quota_limits_default(const struct quota_rules *rules)
{
	struct quota_limits limits = {.bytes = 0};
	size_t i;

	for (i = 0; i < rules->count; i++) {
		const struct conf_quota_rule *rule = &rules->items[i];

		if (!rule->is_default)
			continue;
		if (rule->storage.change != CONF_QUOTA_UNSAID)
			limits.bytes =
				conf_quota_apply(&rule->storage, limits.bytes);
		if (rule->messages.change != CONF_QUOTA_UNSAID)
			limits.messages = conf_quota_apply(
				&rule->messages, limits.messages);
	}
	return limits;
}

bool
quota_limits_are_forced(const struct quota_rules *rules)
{
	size_t i;

	for (i = 0; i < rules->count; i++)
		if (rules->items[i].is_default && !rules->items[i].is_weak)
			return true;
	return false;
}

static const struct conf_quota_rule *
find_rule(const struct quota_rules *rules, struct str folder, struct str prefix)
{
	struct str bare = folder;
	size_t i;

	if (prefix.len > 0 && str_starts(folder, prefix))
		bare = str_skip(folder, prefix.len);
	for (i = 0; i < rules->count; i++) {
		const struct conf_quota_rule *rule = &rules->items[i];

		if (!rule->is_default &&
			(quota_mask_fits(rule->mask, folder) ||
				quota_mask_fits(rule->mask, bare)))
			return rule;
	}
	return NULL;
}

struct quota_limits
quota_limits_of(const struct quota_rules *rules,
	const struct quota_limits *base, struct str folder, struct str prefix)
{
	const struct conf_quota_rule *rule = find_rule(rules, folder, prefix);
	struct quota_limits limits = *base;

	if (rule == NULL)
		return limits;
	if (rule->ignores)
		return (struct quota_limits){.is_ignored = true};
	if (base->bytes == 0 && base->messages == 0)
		return limits;
	limits.bytes = conf_quota_apply(&rule->storage, base->bytes);
	limits.messages = conf_quota_apply(&rule->messages, base->messages);
	return limits;
}

uint64_t
quota_limits_grace(
	const struct quota_rules *rules, const struct quota_limits *base)
{
	return rules->grace.is_share
	               ? conf_quota_share(base->bytes, rules->grace.number)
	               : rules->grace.number;
}

struct quota_amount
quota_sum(struct quota_amount a, struct quota_amount b)
{
	struct quota_amount sum;

	if (!number_add(a.bytes, b.bytes, &sum.bytes))
		sum.bytes = UINT64_MAX;
	if (!number_add(a.messages, b.messages, &sum.messages))
		sum.messages = UINT64_MAX;
	return sum;
}

static enum quota_fit
fit_one(uint64_t limit, uint64_t use, uint64_t more, uint64_t grace)
{
	if (limit == 0 || more == 0)
		return QUOTA_FITS;
	if (more > limit && more - limit > grace)
		return QUOTA_TOO_BIG;
	if (use >= limit)
		return QUOTA_FULL;
	if (more <= limit - use || more - (limit - use) <= grace)
		return QUOTA_FITS;
	return QUOTA_FULL;
}

enum quota_fit
quota_fit(const struct quota_limits *limits, struct quota_amount use,
	struct quota_amount more, uint64_t grace)
{
	enum quota_fit bytes, messages;

	if (limits->is_ignored)
		return QUOTA_FITS;
	bytes = fit_one(limits->bytes, use.bytes, more.bytes, grace);
	messages = fit_one(limits->messages, use.messages, more.messages, 0);
	return bytes > messages ? bytes : messages;
}

enum quota_fit
quota_fit_unknown(const struct quota_limits *limits, struct quota_amount use)
{
	if (limits->is_ignored)
		return QUOTA_FITS;
	if ((limits->bytes > 0 && use.bytes > limits->bytes) ||
		(limits->messages > 0 && use.messages >= limits->messages))
		return QUOTA_FULL;
	return QUOTA_FITS;
}
