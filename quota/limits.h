/* limits - which limit a folder has, and whether something fits below it
 *
 * A limit is one of the whole use of a root; what a rule for a folder changes is
 * how far the use may grow by mail for that folder (Dovecot's meaning).
 * Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QUOTA_LIMITS_H
#define QUOTA_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "conf/quota.h"

struct quota_amount {
	uint64_t bytes;
	uint64_t messages;
};

struct quota_limits {
	uint64_t bytes, messages; /* 0 = none */
	bool is_ignored;          /* the folder does not count at all */
};

struct quota_rules {
	const struct conf_quota_rule *items; /* in the order of their numbers */
	size_t count;
	struct conf_quota_grace grace;
};

/* Of "*" and "?", later ones over earlier ones. */
struct quota_limits quota_limits_default(const struct quota_rules *rules);

/* Whether the configuration, by "*", says what the limits are; else those that
 * the backend has win, where it has some. */
bool quota_limits_are_forced(const struct quota_rules *rules);

/* The first rule whose mask fits the folder, with or without the namespace's
 * prefix; what it does not name stays as `base` has it.  Where `base` has no
 * limit no folder has one. */
struct quota_limits quota_limits_of(const struct quota_rules *rules,
	const struct quota_limits *base, struct str folder, struct str prefix);

/* Bytes by which one delivery may pass the limit. */
uint64_t quota_limits_grace(
	const struct quota_rules *rules, const struct quota_limits *base);

enum quota_fit {
	QUOTA_FITS,
	QUOTA_FULL,   /* not now */
	QUOTA_TOO_BIG /* not even into an empty mailbox */
};

/* A limit that is reached leaves no room; else there is room up to the limit and
 * `grace` more.  There is no grace for messages. */
enum quota_fit quota_fit(const struct quota_limits *limits,
	struct quota_amount use, struct quota_amount more, uint64_t grace);

/* Whether a message of unknown size would be welcome: Dovecot's 0 bytes and 1
 * message, which a use that equals the limit still takes. */
enum quota_fit quota_fit_unknown(
	const struct quota_limits *limits, struct quota_amount use);

/* The first warning whose threshold lies between the two; one that is a share of
 * no limit fits never.  NULL: none. */
const struct conf_quota_warning *quota_warning_crossed(
	const struct conf_quota_warning *warnings, size_t count,
	const struct quota_limits *limits, struct quota_amount before,
	struct quota_amount now);

/* "*" is any text, "?" one byte. */
bool quota_mask_fits(struct str mask, struct str text);

struct quota_amount quota_sum(struct quota_amount a, struct quota_amount b);

#endif
