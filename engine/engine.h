/* engine - which engine judges a message
 *
 *   native     sieve/, the whole language, in this process
 *   libsieve   Debian's libsieve, for sites that come from DBMail and need its
 *              exact behaviour; each run in a child of its own (child.h)
 *
 * An engine takes a script's text and answers what sieve_run() answers, with the
 * same promise: a script in error is a failure, and that means keep.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <stddef.h>

#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"
#include "sieve/sieve.h"

struct engine_script {
	const char *name; /* for reports */
	struct str text;
	struct sieve_loader *loader; /* of what it includes; NULL: nothing */
};

struct engine {
	const char *name;
	/* What its scripts may require; the host's settings may allow less. */
	const char *const *(*capabilities)(size_t *count_out);
	/* Use engine_run(). */
	enum sieve_status (*run)(const struct engine_script *script,
		const struct sieve_settings *settings, struct sieve_host *host,
		struct sieve_result *result, struct sieve_report *report,
		struct err *err);
};

/* NULL: there is none of that name, or this build is without it. */
const struct engine *engine_find(const char *name);

/* Compiles the script and runs it against the host's message; appends its
 * actions to `result`, all of them or, unless SIEVE_OK, none. */
MUST_USE enum sieve_status engine_run(const struct engine *engine,
	const struct engine_script *script,
	const struct sieve_settings *settings, struct sieve_host *host,
	struct sieve_result *result, struct sieve_report *report,
	struct err *err);

#endif
