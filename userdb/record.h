/* record - a user record being put together, field by field
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef USERDB_RECORD_H
#define USERDB_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"
#include "userdb/userdb.h"

struct record {
	struct arena *arena;
	struct str asked; /* the name that was asked for */
	struct str name;  /* what %u stands for */
	const char *service;
	const char *place; /* file and line, for messages */
	struct user user;
	struct user_field *fields; /* USERDB_FIELDS_MAX, or NULL */
	size_t count;
};

/* Nothing is known yet but the name. */
void record_init(struct record *record, struct arena *arena, struct str name,
	const char *service);

/* One field; puts the variables into its value.  "home" without a value is no
 * home.  -1 with 4.3.5 or 4.3.0 and a detail that begins with record->place. */
MUST_USE int record_set(struct record *record, struct str name,
	struct str value, struct err *err);

/* "name=value", or "name" for "yes". */
MUST_USE int record_set_word(
	struct record *record, struct str word, struct err *err);

/* All of "uid=vmail home=/srv/%n"; with `only_missing` those that the record has
 * already are left alone. */
MUST_USE int record_set_words(struct record *record, struct str words,
	bool only_missing, struct err *err);

bool record_has(const struct record *record, struct str name);

/* In the record's arena. */
const struct user *record_end(struct record *record);

/* The next word between blanks, a backslash taking the next character as it is;
 * false at the end.  The word lives in the arena. */
bool record_next_word(
	struct arena *arena, struct str *rest, struct str *word_out);

/* Copies `text` without its backslashes; "\\x" is "x". */
struct str record_unescape(struct arena *arena, struct str text);

/* Would every value of these words expand?  -1: 4.3.5. */
MUST_USE int record_check_words(
	struct str words, const char *place, struct err *err);

#endif
