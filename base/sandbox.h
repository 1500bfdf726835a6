/* sandbox - what a process gives up for good
 *
 * A process says once, in a plan, what it will need from then on: the groups of
 * system calls, the folders, the capabilities.  sandbox_enter() takes the rest
 * away, in this order: the root folder, capabilities, new privileges by executing
 * a file, files (Landlock), system calls (seccomp).  Nothing of it comes back, and
 * it counts for all children of the process.  It must be entered before the first
 * thread is started.
 *
 * A call that the plan has not is never made.  It is logged with its name; what
 * then happens is the plan's to say.  Calls that a C library tries first and can
 * do without (clone3, openat2 ...) fail with ENOSYS, silently.
 *
 * In a build with sanitizers SANDBOX_IS_RELAXED is 1: the calls that they need are
 * allowed, and there is no empty root and no Landlock, as their reports are files.
 *
 * The only place for libseccomp, Landlock, prctl() and capabilities.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_SANDBOX_H
#define BASE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"

#if defined(__SANITIZE_ADDRESS__) || defined(SANDBOX_FOR_COVERAGE)
#define SANDBOX_IS_RELAXED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANDBOX_IS_RELAXED 1
#endif
#endif
#ifndef SANDBOX_IS_RELAXED
#define SANDBOX_IS_RELAXED 0
#endif

/* ---- what the kernel has ---- */

/* NULL, or a sentence that names what is missing here and since when kernels have
 * it.  Nothing is given up. */
const char *sandbox_find_missing(struct arena *arena);

/* ---- capabilities, by whoever is root ---- */

/* Of root's capabilities the ones stay that master needs: to bind, to change uid,
 * to signal, to own and open files, to raise limits.  Does nothing for others.
 * Errors: 4.3.0. */
MUST_USE int sandbox_limit_root(struct err *err);

/* In a forked child of root that changes its uid and executes a program next: no
 * file that it will ever execute can give it a capability again. */
MUST_USE int sandbox_forbid_capabilities(struct err *err);

/* Before sandbox_forbid_capabilities() and after the change of uid: CAP_SYS_CHROOT
 * stays, through one exec, until sandbox_enter(). */
MUST_USE int sandbox_keep_chroot(struct err *err);
MUST_USE int sandbox_pass_chroot(struct err *err);

/* ---- giving up the rest ---- */

/* Groups of system calls; memory, clocks, waiting, descriptors and what is open
 * already are always there. */
enum {
	SANDBOX_FILES = 1 << 0,        /* open, read, look into folders */
	SANDBOX_FILES_CHANGE = 1 << 1, /* make, rename, remove, lock, flush */
	SANDBOX_ACCEPT = 1 << 2,       /* from sockets that listen already */
	SANDBOX_UNIX = 1 << 3,         /* connect by sockets of this host */
	SANDBOX_INTERNET = 1 << 4,     /* and of others */
	SANDBOX_THREADS = 1 << 5,
	SANDBOX_FORK = 1 << 6, /* children, and signals for them */
	SANDBOX_EXECUTE = 1 << 7,
	SANDBOX_GROUPS = 1 << 8, /* change between groups that it has */
	SANDBOX_TIMERS = 1 << 9
};

enum sandbox_refusal {
	SANDBOX_FAILS, /* the call fails with EPERM, or ENOSYS */
	SANDBOX_ENDS /* so do harmless ones; for others the process is killed */
};

enum sandbox_access {
	SANDBOX_READ,
	SANDBOX_CHANGE, /* read and write, make and remove files and folders */
	SANDBOX_SPOOL,  /* make files; read and write them; remove them */
	SANDBOX_EXECUTE_CHANGE /* as CHANGE; and execute what is there */
};

struct sandbox_folder {
	const char *path; /* with all that is below; a missing one is skipped */
	enum sandbox_access access;
};

struct sandbox_plan {
	const char *name; /* "front"; for messages */
	unsigned calls;
	enum sandbox_refusal refusal;
	/* Becomes the root; an empty folder of root's.  NULL: stay. */
	const char *root;
	const struct sandbox_folder *folders;
	size_t folder_count;
	bool is_required; /* an error where the kernel refuses; else a warning */
	/* The kernel may write its memory into a core dump; then others of the
	 * same uid may look into it as well. */
	bool dumps_core;
};

/* For a process that executes programs which we do not know. */
enum sandbox_programs {
	/* Any, also setuid and setgid ones: neither new privileges nor files nor
	 * system calls can be barred, as each would take their rights. */
	SANDBOX_PROGRAMS_ANY,
	/* Such files are like others; of system calls those are barred that no
	 * program needs for its work; signals reach nobody else. */
	SANDBOX_PROGRAMS_BOUND
};

/* Enters it.  On success *words_out, in the arena, says what confines the process
 * now: "empty root, Landlock, seccomp, no new privileges".  Errors: 4.3.5. */
MUST_USE int sandbox_enter(struct arena *arena, const struct sandbox_plan *plan,
	const char **words_out, struct err *err);

/* The same for whoever executes programs.  Of the plan its name, is_required and
 * dumps_core count. */
MUST_USE int sandbox_enter_for_programs(struct arena *arena,
	const struct sandbox_plan *plan, enum sandbox_programs programs,
	const char **words_out, struct err *err);

#endif
