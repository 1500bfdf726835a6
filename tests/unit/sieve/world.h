/* world - a host that answers from memory, for tests of the engine
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_UNIT_SIEVE_WORLD_H
#define TESTS_UNIT_SIEVE_WORLD_H

#include "mail/message.h"
#include "sieve/sieve.h"

struct world {
	struct sieve_host host;
	struct arena *arena; /* everything lives in it; closed by nobody */
	struct message *message;
	struct sieve_settings settings;
	struct sieve_report report;
	struct sieve_result result;
	struct err err;
	size_t questions; /* mailbox_exists */
};

/* A world with this message and no envelope. */
struct world *world_of_message(struct str message);

/* NULL after an error, which is in the report. */
struct sieve_program *world_compile(struct world *world, struct str script);

/* Compiles and runs; an error of the compilation is SIEVE_FAILED. */
enum sieve_status world_run(struct world *world, const char *script);

/* Lines of sieve_action_text(), the implicit keep included, joined by "; ". */
const char *world_actions(const struct world *world);

/* "LINE:COLUMN: TEXT" of the first problem, "" without one. */
const char *world_problem(const struct world *world);

#endif
