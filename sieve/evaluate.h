/* evaluate - one run of a program
 *
 * A loop over instructions without recursion.  What it costs is counted, not
 * timed: steps and bytes, so that a run over a limit is over it every time.
 *
 *   scratch   values while one instruction runs     given back after each
 *   kept      variables, match variables            given back after the run
 *   result    actions and their strings             the caller's
 *
 * The second half of this header is for the files of commands and extensions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_EVALUATE_H
#define SIEVE_EVALUATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "mail/content.h"
#include "mail/edited.h"
#include "sieve/host.h"
#include "sieve/match.h"
#include "sieve/program.h"
#include "sieve/registry.h"
#include "sieve/report.h"
#include "sieve/sieve.h"

/* A value that is written over in place: no growth by being set often. */
struct variable {
	char *data;
	size_t len, size;
};

/* inclusion.h */
struct run_frame;
enum script_use { SCRIPT_NEW, SCRIPT_RUNNING, SCRIPT_DONE };

struct parts;

/* foreverypart: over the parts [next, end) that are still to come. */
struct loop {
	struct parts *parts;
	size_t part; /* that it is at */
	size_t next, end;
};

struct run {
	const struct sieve_program *program;
	struct sieve_settings settings;
	struct sieve_host *host;
	const struct message *message; /* as it came: see current.h */
	struct edited *edited;         /* NULL: nobody has changed it */
	const struct content *content; /* what `edited` says; NULL: not known */
	struct sieve_result *result;
	const char *script; /* that runs; in the result's arena */
	struct reporter reporter;
	struct err *err;

	struct arena *scratch;
	struct arena *kept;
	/* The one that runs, and where it stands. */
	const struct instruction *instruction;
	struct position at;
	uint64_t steps;     /* left */
	size_t result_used; /* bytes of the result's arena at the start */

	struct variable *variables;
	struct variable captures[MOST_CAPTURES];
	struct match_memory *memory;
	struct field_text *field_texts; /* by field of `message`; fields.h */

	const struct parts *marked_by; /* ext/newmessage.h */
	struct parts *parts;           /* part.h: those that were asked for */
	uint64_t part_bytes;           /* held by them, outside of the arenas */
	struct loop loops[MOST_LOOPS]; /* that run, outermost first */
	size_t loop_count;

	int64_t now; /* valid when it has been asked for */
	bool knows_now;

	/* inclusion.h */
	size_t current;            /* index of the script that runs */
	const char **script_names; /* in the result's arena, once needed */
	enum script_use *script_uses;
	struct run_frame **frames; /* of the includers, outermost first */
	size_t depth;

	/* ext/testsuite.h; the end of the `test` block that runs */
	size_t test_end, test_depth, test_loops;
	bool is_in_test;

	struct sieve_flags flags; /* imap4flags' internal variable */
	bool implicit_keep;       /* not cancelled so far */
	size_t first_action;      /* of this run in the result */
	size_t first_mark;
	struct str keep_target; /* in the result's arena */
	bool keep_target_create;
	size_t lines; /* for the admin's log */
	/* `err`: the run ends as SIEVE_TEMPORARY, whatever a test makes of it. */
	bool host_in_trouble;
	size_t redirects;
	size_t notifications;
	size_t programs;
};

/* ---- for commands and extensions ---- */

/* The run ends as SIEVE_FAILED: the reason goes into the report, with the place
 * of the instruction.  Result: SIEVE_FAILED. */
enum sieve_status run_fail(struct run *run, const char *format, ...)
	PRINTF_LIKE(2, 3);

/* Takes `count` steps; SIEVE_FAILED when there are not so many left. */
MUST_USE enum sieve_status run_charge(struct run *run, uint64_t count);

/* SIEVE_FAILED when `more` bytes would go beyond the memory limit. */
MUST_USE enum sieve_status run_reserve(struct run *run, uint64_t more);

/* Bytes up to that limit. */
uint64_t run_memory_left(const struct run *run);

/* Seconds since 1970, the same in all of a run; false when nobody knows. */
bool run_now(struct run *run, int64_t *now_out);

/* A text's present value, in scratch or the program. */
MUST_USE enum sieve_status run_text(
	struct run *run, const struct text *text, struct str *value_out);
MUST_USE enum sieve_status run_texts(struct run *run,
	const struct argument *argument, const struct str **values_out);

/* Values are cut to settings.max_variable_size at a code point. */
struct str variable_value(const struct variable *variable);
void variable_set(struct run *run, struct variable *variable, struct str value);

/* Lets the call's tags change the action and adds it to the result; one that is
 * there already is not added again (RFC 5228 2.10.3). */
MUST_USE enum sieve_status run_add_action(struct run *run,
	const struct call *call, struct pending_action *pending);

bool run_is_traced(const struct run *run);
/* `values` says what was compared or done. */
void run_trace_test(struct run *run, const struct call *call, struct str values,
	bool answer);
void run_trace_command(
	struct run *run, const struct call *call, struct str values);

#endif
