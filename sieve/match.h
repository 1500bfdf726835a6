/* match - :is, :contains and :matches (RFC 5228 2.7.1), :value and :count (RFC
 * 5231)
 *
 * Works on strings that a comparator has folded; a character is an octet, as
 * RFC 5228 2.7.1 says for i;octet and i;ascii-casemap, or a code point.
 *
 * A pattern of :matches is cut at its "*" into segments.  Each is looked for
 * once, from left to right, at the leftmost place where it fits: the first one
 * at the beginning, the last one at the end.  That makes every wildcard as short
 * as possible (RFC 5229 3.2) without ever going back.
 *
 *   re: *<*@??>*     "re: "  *  "<"  *  "@" ? ? ">"  *
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_MATCH_H
#define SIEVE_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"
#include "sieve/comparator.h"

/* ${0} is the whole match, ${1} to ${32} what the wildcards stood for. */
enum { MOST_CAPTURES = 33 };

struct capture {
	size_t from, to; /* octets of the value */
};

struct match_memory;

/* What regular expressions keep from one comparison to the next; lives as long as
 * the run. */
struct match_memory *match_memory_open(struct arena *arena);

/* One comparison. */
struct match_work {
	uint64_t budget; /* octets that may still be looked at */
	bool is_over;    /* there was not enough of it; the answer is void */
	const struct comparator *comparator; /* of value and keys */
	enum relation relation;              /* :value, :count */
	struct match_memory *memory;         /* :regex */
	struct arena *scratch;               /* :regex */
	const char *failure; /* why there is no answer; NULL: there is one */
	size_t count;        /* of captures; 0 when nothing matched */
	struct capture captures[MOST_CAPTURES];
};

struct pattern;

/* A key, folded and made ready for a match type. */
struct match_key {
	struct str text;
	bool has_code_points;              /* "?" stands for one */
	const struct pattern *pattern;     /* :matches */
	const struct regex_pattern *regex; /* :regex */
};

struct match_type {
	bool needs_substring;
	bool counts;       /* the values; their number is what is matched */
	bool needs_octets; /* goes with i;octet and i;ascii-casemap only */
	/* NULL: folding is enough.  -1: the key means nothing, `err` says
	 * why. */
	int (*prepare)(struct arena *arena, const struct comparator *comparator,
		struct match_memory *memory, struct match_key *key,
		struct err *err);
	bool keeps_key;  /* prepare() wants it as it is, not folded */
	bool asks_lists; /* keys name lists of the host's (RFC 6134) */
	/* NULL where lists are asked. */
	bool (*match)(const struct match_key *key, struct str value,
		struct match_work *work);
};

extern const struct match_type match_is;
extern const struct match_type match_contains;
extern const struct match_type match_matches;
extern const struct match_type match_regex; /* ext/regex.c */
extern const struct match_type match_by_value;
extern const struct match_type match_by_count;

/* `key_out` lives in the arena or points into `key` or `memory`, which may be
 * NULL: every key is made ready anew.  -1: the key means nothing, `err` says
 * why. */
MUST_USE int match_prepare(struct arena *arena, const struct match_type *type,
	const struct comparator *comparator, struct match_memory *memory,
	struct str key, struct match_key *key_out, struct err *err);

/* Takes `octets` off the budget; false when there is not so much of it. */
bool match_pay(struct match_work *work, uint64_t octets);
void match_add_capture(struct match_work *work, size_t from, size_t to);

#endif
