/* registry - the tables that commands.def makes
 *
 * A new capability is one file in sieve/ext and its lines in commands.def.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_REGISTRY_H
#define SIEVE_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/str.h"
#include "mail/address.h"
#include "sieve/ast.h"
#include "sieve/program.h"
#include "sieve/sieve.h"

struct checker;
struct emitter;
struct run;

/* ---- identifiers ---- */

enum extension_id {
	EXTENSION_CORE, /* the language itself; always there */
#define EXTENSION(id, name, ops) EXTENSION_##id,
#define HIDDEN(id, name, ops) EXTENSION_##id,
#include "sieve/commands.def"
	EXTENSION_COUNT
};

enum absent_id {
#define ABSENT(id, name, words) ABSENT_##id,
#include "sieve/commands.def"
	ABSENT_COUNT
};

enum command_id {
#define COMMAND(id, name, kind, extension, end, parameters, ops) COMMAND_##id,
#include "sieve/commands.def"
	COMMAND_COUNT
};

enum tag_group {
#define GROUP(id) GROUP_##id,
#include "sieve/commands.def"
	GROUP_COUNT
};

enum tag_id {
#define TAG(id, name, extension, group, parameter, ops) TAG_##id,
#include "sieve/commands.def"
	TAG_COUNT
};

/* ---- what extensions fill in ---- */

struct extension_ops {
	/* Rewrites a literal at compile time; false after an error. */
	bool (*decode)(
		struct checker *checker, struct position at, struct str *text);
	/* Splits a literal into parts at compile time; false after an error. */
	bool (*split)(struct checker *checker, struct text *text);
	/* The part of a reference behind "NAME_SPACE.", as in ${tst.path}; it
	 * may hold further dots, and digits; of a name to set anything.  Only
	 * what becomes TEXT_VARIABLE can be set.  False after an error. */
	const char *name_space;
	bool (*resolve)(struct checker *checker, struct position at,
		struct str name, struct text_part *part);
	bool is_always_on; /* needs no require */
	/* Changes how the script itself is read, so that it cannot begin in the
	 * middle (RFC 5463 4). */
	bool is_grammar;
	bool is_hidden; /* only for struct sieve_settings' testsuite_path */
	/* One that a require brings as well; 0: none. */
	enum extension_id brings;
};

struct command_ops {
	/* Its tags may stand behind the positional arguments. */
	bool has_tags_behind;
	/* What the tables cannot say.  Errors are reported to the checker. */
	void (*check)(struct checker *checker, struct ast_command *node);
	/* What is known of a test that has been checked; NULL: nothing. */
	enum truth (*truth)(const struct ast_command *node);
	/* Of a test of tests: the first one like this is the last one made. */
	enum truth decided_by;
	/* NULL: one instruction that calls `act` or `test`. */
	void (*emit)(struct emitter *emitter, const struct ast_command *node);
	enum sieve_status (*act)(struct run *run, const struct call *call);
	enum sieve_status (*test)(
		struct run *run, const struct call *call, bool *answer_out);
};

/* An action that is being put together. */
struct pending_action {
	struct sieve_action action;
	bool cancels_keep; /* the implicit one, RFC 5228 2.10.2 */
};

/* Which part of an address a test acts on.  False: there is none, nothing
 * matches.  `delimiters` is the set from the settings. */
struct address_part {
	bool needs_syntax; /* broken addresses have no such part */
	bool (*take)(const struct address *address, const char *delimiters,
		struct str *part_out);
};

/* Each kind of tag fills in what it is about. */
struct tag_ops {
	void (*check)(struct checker *checker, struct call *call,
		const struct tag_use *use);
	enum sieve_status (*apply)(struct run *run, const struct tag_use *use,
		struct pending_action *pending);
	struct str (*modify)(struct arena *arena, struct str value);
	const struct match_type *match_type;
	const struct address_part *address_part;
};

/* ---- rows ---- */

struct extension {
	const char *name;
	const struct extension_ops *ops;
};

enum command_kind { KIND_CONTROL, KIND_ACTION, KIND_TEST };

enum command_end {
	END_NOTHING,
	END_ONE_TEST,
	END_TEST_LIST,
	END_BLOCK,
	END_TEST_AND_BLOCK
};

enum parameter_type {
	PARAMETER_NONE,
	PARAMETER_A_STRING,
	PARAMETER_A_STRING_LIST,
	PARAMETER_A_NUMBER,
	PARAMETER_A_STRING_OR_NUMBER
};

struct parameter {
	const char *name;
	enum parameter_type type;
	bool is_optional;
};

struct command {
	enum command_id id;
	const char *name;
	enum command_kind kind;
	enum extension_id extension;
	enum command_end end;
	struct parameter
		parameters[MOST_PARAMETERS]; /* ends with a NULL name */
	const struct command_ops *ops;
};

struct tag {
	enum tag_id id;
	const char *name; /* without the colon */
	enum extension_id extension;
	enum tag_group group;
	enum parameter_type parameter;
	const struct tag_ops *ops;
};

/* ---- look-ups; NULL or false when there is none ---- */

const struct extension *registry_extension(enum extension_id id);
/* Capability names are case-sensitive (RFC 5228 6). */
bool registry_find_extension(struct str name, enum extension_id *id_out);
/* What took the place of a name from before the RFCs. */
const char *registry_successor(struct str name);
/* A registered capability that this release does not have. */
bool registry_find_absent(struct str capability, enum absent_id *id_out);
const char *registry_absent_name(enum absent_id id);
/* Is it a command, a test or (with its colon) a tag of that capability? */
bool registry_absent_brings(enum absent_id id, struct str word);
/* Where a name is a command's and a test's, the one that is asked for; without
 * hidden ones unless `settings` has them. */
const struct command *registry_find_command(
	struct str name, bool is_test, const struct sieve_settings *settings);
/* The tag that this command takes; one of another command when it takes none of
 * that name and `is_other_out` is set. */
const struct tag *registry_find_tag(
	struct str name, const struct command *command, bool *is_other_out);
/* Do scripts under these settings know of the extension? */
bool registry_shows(
	const struct sieve_settings *settings, enum extension_id id);
bool registry_takes(const struct command *command, enum tag_group group);
const struct comparator *registry_find_comparator(
	struct str name, enum extension_id *extension_out);

/* The name most like `name`, NULL when none is near. */
const char *registry_near_extension(struct str name);
const char *registry_near_command(struct str name, enum command_kind kind);
const char *registry_near_tag(struct str name, const struct command *command);

/* ---- what the rows point at ---- */

#define EXTENSION(id, name, ops) extern const struct extension_ops ops;
#define HIDDEN(id, name, ops) extern const struct extension_ops ops;
#include "sieve/commands.def"
#define COMMAND(id, name, kind, extension, end, parameters, ops)               \
	extern const struct command_ops ops;
#include "sieve/commands.def"
#define TAG(id, name, extension, group, parameter, ops)                        \
	extern const struct tag_ops ops;
#include "sieve/commands.def"
#define COMPARATOR(name, extension, ops) extern const struct comparator ops;
#include "sieve/commands.def"

#endif
