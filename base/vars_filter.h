/* vars_filter - what can be done with the value of a variable (Dovecot 2.4)
 *
 * The filters of %{user | lower | default('x')}, one table.  Used by
 * base/vars.c alone.  Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_VARS_FILTER_H
#define BASE_VARS_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/digest.h"
#include "base/str.h"
#include "base/vars.h"

enum { VARS_ARGUMENTS_MAX = 32, VARS_ROUNDS_MAX = 100000 };

/* Bytes that are not text (a digest) are shown as hexadecimal digits. */
struct vars_value {
	struct str bytes;
	bool is_binary;
};

struct vars_argument {
	struct str name; /* of name=value, else empty */
	struct vars_value value;
};

struct vars_call {
	struct arena *arena;
	const struct var *vars; /* for lookup() */
	size_t var_count;
	const struct vars_argument *args;
	size_t arg_count;
	bool is_first;   /* nothing stands before it: its value is empty */
	bool is_mistake; /* out: wrong in the template whatever the values */
};

/* NULL, or what is wrong (lives in the arena or for ever). */
const char *vars_filter_apply(struct str filter, struct vars_call *call,
	struct vars_value *value) MUST_USE;

/* value = value `operation` operand, signed 64 bits; a binary value counts as a
 * big-endian number.  NULL or what is wrong. */
const char *vars_arithmetic(struct arena *arena, char operation,
	struct str operand, struct vars_value *value) MUST_USE;

/* "==" "!=" "<" "<=" ">" ">=" compare numbers, "eq" "ne" "lt" "le" "gt" "ge"
 * text, "*" "!*" a text with a pattern of * and ?, "~" "!~" one with a regular
 * expression.  NULL or what is wrong. */
const char *vars_compare(struct arena *arena, struct str a, struct str op,
	struct str b, bool *result_out, bool *is_mistake_out) MUST_USE;

struct vars_hash {
	enum digest_kind kind;
	uint64_t
		rounds; /* at least 1; each hashes the salt and the last result */
	struct str salt;
	uint64_t bits; /* of the result, the first ones; 0 = all */
};

/* NULL or what is wrong with `hash`. */
const char *vars_hash(struct arena *arena, const struct vars_hash *hash,
	struct str text, struct str *bytes_out) MUST_USE;

/* What stands before and behind the last "@"; all and nothing without one. */
struct str vars_username(struct str user);
struct str vars_domain(struct str user);

/* "a.b" becomes "a,dc=b". */
struct str vars_domain_dn(struct arena *arena, struct str domain);
struct str vars_reverse(struct arena *arena, struct str text);
struct str vars_trim_end(struct str text);

#endif
