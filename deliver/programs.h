/* programs - programs of the admin's that scripts ask for
 *
 * vnd.dovecot.pipe, filter, execute and convert (RFC 6558).  What a script says is
 * a name; the program is the file of that name in the folder that the settings name
 * for the command, with nothing else of the script's but arguments and standard
 * input.  It runs as the recipient, within the limits of the settings.  So does
 * what quota_warning names.
 *
 * A process that may not run others hands the request to one that may
 * (struct job_programs); that decides by its own settings.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_PROGRAMS_H
#define DELIVER_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "mail/content.h"
#include "sieve/sieve.h"
#include "deliver/deliver.h"

/* ORDER PROGRAM USES */
enum program_use {
	PROGRAM_PIPE,
	PROGRAM_FILTER,
	PROGRAM_EXECUTE,
	PROGRAM_CONVERT,
	PROGRAM_WARNING /* of the settings, not of a script: quota_warning */
};

/* What the program finds in its environment; empty: nothing. */
struct program_environment {
	struct str user, home, host;
	struct str sender, recipient, original;
};

struct program_request {
	enum program_use use;
	struct str name; /* of CONVERT empty: the settings choose */
	const struct str *arguments;
	size_t argument_count;
	struct program_environment environment;
	int input; /* a file, read from its beginning; -1: nothing */
	bool wants_output;
	uint64_t most; /* bytes of output, at most what the settings say */
	uint64_t timeout_ms; /* the same; 0: the settings' */
};

/* ORDER PROGRAM ENDS */
enum program_end {
	PROGRAM_DONE,      /* with status 0 */
	PROGRAM_STATUS,    /* with another one */
	PROGRAM_BROKEN,    /* killed, out of time, too much output */
	PROGRAM_IMPOSSIBLE /* there is none, or nobody to run it */
};

struct program_answer {
	enum program_end end;
	struct str output; /* in the arena of who asked */
	char text[400]; /* one line: why not DONE, and what it has said; of DONE
	                 * what it has said */
};

/* Runs it here, as a child. */
void programs_run(const struct settings *settings, struct arena *arena,
	const struct program_request *request, struct program_answer *answer);

/* Where programs are run for a job. */
struct job_programs {
	void (*run)(const struct job *job, const struct settings *settings,
		const struct program_request *request,
		struct program_answer *answer);
};

/* What a script asks for while it runs. */
void programs_for_script(const struct job *job, const struct delivery *delivery,
	struct sieve_external *external);

/* A program of quota_warning, with nothing to read. */
void programs_warn(const struct job *job, const struct delivery *delivery,
	struct program_request *request, struct program_answer *answer);

/* Whether a program of this delivery could not be waited for, as too many wait
 * already: then nothing else may come of it either, and `err` is temporary. */
bool programs_had_no_place(const struct delivery *delivery, struct err *err);

/* The answer to a question that could not even be asked. */
void programs_refuse(struct program_answer *answer, const char *why);

/* ---- the plan ---- */

/* One pipe; false when the program did not take the message, which is logged.
 * `content` NULL: the message as it came. */
bool programs_pipe(const struct job *job, const struct delivery *delivery,
	const struct sieve_action *action, const struct content *content);

#endif
