/* world - a host that answers from memory, for tests of the engine
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_UNIT_SIEVE_WORLD_H
#define TESTS_UNIT_SIEVE_WORLD_H

#include "base/buf.h"
#include "mail/message.h"
#include "sieve/sieve.h"

struct world {
	struct sieve_host host;
	struct arena *arena; /* everything lives in it */
	struct world *next;  /* of all that are open */
	struct message *message;
	struct sieve_settings settings;
	struct sieve_report report;
	struct sieve_result result;
	struct err err;
	size_t questions; /* mailbox_exists */
};

/* A world with this message and no envelope.  Closed at the end of the program
 * when world_close() did not do it before. */
struct world *world_of_message(struct str message);
void world_close(struct world *world);

/* The bytes of `buf`, which is cleared, until the end of the program. */
struct str world_keep(struct buf *buf);

/* NULL after an error, which is in the report. */
struct sieve_program *world_compile(struct world *world, struct str script);

/* Compiles and runs; an error of the compilation is SIEVE_FAILED. */
enum sieve_status world_run(struct world *world, const char *script);

/* Lines of sieve_action_text(), the implicit keep included, joined by "; ". */
const char *world_actions(const struct world *world);

/* "LINE:COLUMN: TEXT" of the first problem, "" without one. */
const char *world_problem(const struct world *world);

#endif
