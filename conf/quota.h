/* quota - the grammar of quota, quota_rule, quota_grace and quota_warning
 *
 *   quota         = maildir:User quota:noenforcing:ns=INBOX/
 *   quota         = dict:User quota:USER:noenforcing:redis:host=127.0.0.1:prefix=q/
 *   quota_rule    = *:storage=1G:messages=1000
 *   quota_rule2   = Trash:storage=+10%%        relative to the rule of "*"
 *   quota_rule3   = Spam:ignore
 *   quota_grace   = 10%%                       or a size
 *   quota_warning = -storage=95%% PROGRAM ARGUMENT...
 *
 * A share is written "10%%" in the file, where "%" begins a variable, and "10%"
 * in a user's record; both are read.  What comes out borrows from the text.  Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_QUOTA_H
#define CONF_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/str.h"

/* What is wrong with a value. */
struct conf_quota_fault {
	struct str found;
	const char *expected;
};

struct conf_quota_root {
	struct str driver; /* "maildir", "count", "dict", "fs" */
	struct str name;   /* for people; the driver's where there is none */
	struct str user;   /* dict: whose count; empty: the user's own */
	struct str rest;   /* the parameters that only the driver knows */
	struct str prefix; /* ns=: of the only namespace that counts */
	bool has_prefix;
	bool is_counted_only; /* noenforcing */
	bool is_hidden;
	bool ignores_unlimited;
};

/* The rest of "dict": where the count is kept. */
struct conf_quota_dict {
	bool is_redis;   /* else in the server's own data base */
	struct str host; /* an IPv4 address; 127.0.0.1 */
	struct str path; /* of a Unix socket, in place of host and port */
	struct str prefix;
	uint64_t port, database;
	uint64_t timeout_ms;
};

enum conf_quota_change {
	CONF_QUOTA_UNSAID,
	CONF_QUOTA_SET,  /* this is the limit; 0: there is none */
	CONF_QUOTA_PLUS, /* so much more than the default */
	CONF_QUOTA_MINUS
};

struct conf_quota_limit {
	enum conf_quota_change change;
	bool is_share; /* `number` is a percentage of the default */
	bool lacks_unit;
	uint64_t number;
};

struct conf_quota_rule {
	struct str mask;  /* of folder names, with "*" and "?" */
	bool is_default;  /* "*", or "?" */
	bool is_weak;     /* "?": only where the backend has no limit */
	bool ignores;     /* the folder is not counted and has no limit */
	struct str first; /* the limit that lacks_unit, as written */
	struct conf_quota_limit storage; /* bytes */
	struct conf_quota_limit messages;
};

struct conf_quota_grace {
	bool is_share;
	uint64_t number; /* bytes, or a percentage */
};

struct conf_quota_warning {
	bool is_downward; /* when use falls below */
	bool is_messages;
	bool is_share;      /* `number` is a percentage of the limit */
	uint64_t number;    /* bytes, or messages */
	struct str command; /* words; variables stand in it as written */
};

MUST_USE int conf_quota_parse_root(struct str text,
	struct conf_quota_root *root_out, struct conf_quota_fault *fault);
MUST_USE int conf_quota_parse_dict(struct str rest,
	struct conf_quota_dict *dict_out, struct conf_quota_fault *fault);
MUST_USE int conf_quota_parse_rule(struct str text,
	struct conf_quota_rule *rule_out, struct conf_quota_fault *fault);
MUST_USE int conf_quota_parse_grace(struct str text,
	struct conf_quota_grace *grace_out, struct conf_quota_fault *fault);
MUST_USE int conf_quota_parse_warning(struct str text,
	struct conf_quota_warning *warning_out, struct conf_quota_fault *fault);

/* `limit` of a rule for a folder, where the default rule gives `base`; 0 = none.
 * What is added to no limit gives none. */
uint64_t conf_quota_apply(const struct conf_quota_limit *limit, uint64_t base);

/* number percent of `of`, the greatest number where that does not fit. */
uint64_t conf_quota_share(uint64_t of, uint64_t percent);

#endif
