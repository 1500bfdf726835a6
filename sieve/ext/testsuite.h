/* testsuite - the language of test scripts (vnd.dovecot.testsuite)
 *
 * A test script changes the world around it and looks at what other scripts do
 * there.  The engine reads the commands, finds the values of their arguments
 * and compares; the world itself is with the host:
 *
 *   test_set "message" "..."      request --> testsuite() --> another message
 *   test_error :count "eq" "2"    request --> testsuite() --> values --> answer
 *
 * While the host is asked the result of the run says all that the run wants so
 * far (implicit_keep and flags included); the run goes on with what the result
 * says afterwards, and with the message that ops->message() gives then.
 *
 * test_fail jumps to the end of its `test` block; outside of one it ends the
 * script.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_EXT_TESTSUITE_H
#define SIEVE_EXT_TESTSUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "sieve/registry.h"
#include "sieve/sieve.h"

/* Strings are borrowed during the call. */
struct testsuite_request {
	enum command_id command; /* COMMAND_TEST_... */
	bool is_end;             /* of a `test` block that was not failed */
	struct str script;       /* where it stands, for messages */
	unsigned line;

	const struct str *texts; /* positional strings, in order */
	size_t text_count;
	bool has_action;     /* test_result_action "redirect" "to whom" */
	uint64_t number;     /* test_message's index, from 0 */
	bool has_smtp;       /* :smtp, else :folder */
	bool has_tag_text;   /* :folder, :mailbox, :extension were given */
	struct str tag_text; /* with this */
	bool appends;        /* :append_result */
	bool has_script;     /* :script, the texts are scripts, not paths */
	bool has_text;       /* :text, sieve_action_text() and its tags */
	bool is_located;     /* :located, "LINE:COLUMN: TEXT" of errors */

	struct sieve_result *result; /* of the run that asks */

	/* What the host says: */
	bool answer;              /* of a test; of test_message as a command
	                           * false: the block was failed */
	const struct str *values; /* that are compared, in order */
	size_t value_count;
	/* Of test_error: one that is not right is right when there are errors.
	 * Which and how many engines tell is not the same everywhere. */
	bool is_lenient;
	/* With SIEVE_FAILED: why the run ends. */
	const char *problem;
	/* NULL, or what the run goes on with. */
	const struct sieve_settings *settings;
};

/* ---- for evaluate.c ---- */

void testsuite_enter(struct run *run, size_t end);
/* `at` becomes the end of the block.  False: no block runs, so the script ends. */
bool testsuite_leave(struct run *run, size_t *at);

#endif
