/* program - one run of another program, bounded in every way
 *
 *   program_start()  no shell, a session of its own, only descriptors 0, 1, 2
 *   program_write()  its standard input, while what it says is heard
 *   program_wait()   until it ends, or its time is over
 *   program_end()    kills what is left of it; always called
 *
 * What counts is the end of the program itself: a child that it left in the
 * background may hold its descriptors as long as it likes.
 *
 * Blocks, never longer than the time-out and a second.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_PROGRAM_H
#define BASE_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attributes.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { PROGRAM_SAID_BYTES = 300 };

struct program_order {
	char *const *words;       /* path and arguments, then NULL */
	char *const *environment; /* "NAME=VALUE", then NULL; NULL: ours */
	const char *folder;       /* where it starts; NULL: where we are */
	int input; /* its standard input, the caller's; -1: program_write() */
	uint64_t timeout_ms;
	uint64_t cpu_s;  /* of processor time; 0: no limit */
	uint64_t memory; /* bytes of address space, each process; 0: no limit */
	/* What it writes to standard output is its result, up to so many bytes;
	 * 0: it is heard like standard error. */
	size_t output;
	/* What it leaves in the background goes on after its end; else that ends
	 * with it, in whatever session it is. */
	bool leaves_children;
};

struct program {
	const char *path;
	pid_t pid;
	int pidfd; /* readable at its end; -1: the kernel has none */
	/* The ends of the pipes between us and the program. */
	struct program_pipes {
		int input[2];
		int output[2];  /* standard output, where it is the result */
		int said[2];    /* standard error */
		int trouble[2]; /* errno of an exec that failed */
	} pipes;
	uint64_t deadline_ms;
	bool leaves_children;
	struct buf output;
	char said[PROGRAM_SAID_BYTES]; /* the beginning of what it wrote */
	size_t said_len;
	bool is_cut;    /* it ended before everything was written */
	bool has_ended; /* and is reaped */
	bool is_lost;   /* somebody else reaped it: `status` is not known */
	int status;     /* as of waitpid() */
};

/* Errors: 4.3.0.  One that cannot be executed is told by program_wait().
 * program_end() has to follow in any case. */
MUST_USE int program_start(struct program *program,
	const struct program_order *order, struct err *err);

/* What it does not read any more is dropped.  Errors: as program_wait(). */
MUST_USE int program_write(
	struct program *program, struct str chunk, struct err *err);
void program_close_input(struct program *program);

/* 0: it has ended by itself, whatever its status.  Errors: 4.4.2 it did not end in
 * time, 4.3.0 it could not be executed, wrote too much, or nobody knows how it
 * ended. */
MUST_USE int program_wait(struct program *program, struct err *err);

void program_end(struct program *program);

/* ---- once it has ended ---- */

bool program_has_succeeded(const struct program *program);

/* By a signal: a limit, or its own fault. */
bool program_was_killed(const struct program *program);

/* Only where its input is a pipe. */
bool program_has_read_all(const struct program *program);

/* What it wrote to standard error, without blanks around it. */
struct str program_said(const struct program *program);

/* Its result; valid until program_end(). */
struct str program_output(const struct program *program);

/* "/usr/bin/x ended with status 1", "/usr/bin/x was killed by signal 9". */
void program_add_end(const struct program *program, struct buf *text);

#endif
