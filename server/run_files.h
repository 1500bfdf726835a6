/* run_files - what a running server leaves in base_dir for others to find
 *
 *   master.pid  its process id; locked as long as it runs, so that a file that
 *               was left behind is told from one of a living server
 *   status      what it does, as lines "key=value"; always whole
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_RUN_FILES_H
#define SERVER_RUN_FILES_H

#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"

enum run_state {
	RUN_STARTING,
	RUN_RUNNING,
	RUN_RELOADING,
	RUN_DRAINING /* told to stop, ends what is under way */
};

const char *run_state_name(enum run_state state);

struct run_status {
	enum run_state state;
	uint64_t since_s; /* wall clock */
	pid_t pid;
	uint32_t generation;
	uint32_t reloads;  /* that have ended, well or not */
	const char *error; /* of the last reload; "" when it went well */
};

struct run_files {
	int fd; /* of master.pid, locked; -1: none */
	const char *pid_path, *status_path;
	bool was_left; /* by a server that could not remove it: it was killed */
};

/* Takes base_dir for this process and writes its id.  -1: 4.3.5, another server
 * has it (its id is named), or the file cannot be written. */
MUST_USE int run_files_open(struct arena *arena, const char *base_dir,
	struct run_files *files_out, struct err *err);

/* -1: 4.3.0, for the log; nobody else needs to know. */
MUST_USE int run_files_write(const struct run_files *files,
	const struct run_status *status, struct err *err);

/* Removes both; nothing when not open.  Only in the process that opened them. */
void run_files_close(struct run_files *files);

/* ---- for others ---- */

/* The server that has base_dir.  NONE: there is none. */
MUST_USE enum lookup run_files_find(struct arena *arena, const char *base_dir,
	pid_t *pid_out, struct err *err);

/* The error lives in the arena.  NONE: there is no such file. */
MUST_USE enum lookup run_files_read(struct arena *arena, const char *base_dir,
	struct run_status *status_out, struct err *err);

#endif
