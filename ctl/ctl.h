/* ctl - what the sub-commands of `doorstep` share
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/str.h"

/* Exit statuses, as sysexits has them where it matters. */
enum ctl_exit {
	CTL_OK = 0,
	CTL_FAILED = 1, /* the thing asked about is wrong: a script, a file */
	CTL_USAGE = 64,
	CTL_NO_USER = 67,
	CTL_TEMPORARY = 75, /* a database, a file or the server is in trouble,
	                     * or no server runs */
	CTL_CONFIG = 78
};

struct ctl {
	struct arena *arena;     /* lives as long as the program */
	const char *config_file; /* -c; NULL = the default file */
	const char **overrides;  /* -o name=value */
	size_t override_count;
	bool json; /* --json */
};

/* argv[0] is the sub-command's name; -c, -o and --json are out of argv already.
 * Result: an exit status. */
struct ctl_command {
	const char *name;
	const char *usage; /* "ADDRESS..." */
	const char *help;  /* one line */
	int (*run)(struct ctl *ctl, int argc, char **argv);
};

int ctl_config(struct ctl *ctl, int argc, char **argv);
int ctl_explain(struct ctl *ctl, int argc, char **argv);
int ctl_metrics(struct ctl *ctl, int argc, char **argv);
int ctl_proxy(struct ctl *ctl, int argc, char **argv);
int ctl_quota(struct ctl *ctl, int argc, char **argv);
int ctl_reload(struct ctl *ctl, int argc, char **argv);
int ctl_sieve(struct ctl *ctl, int argc, char **argv);
int ctl_status(struct ctl *ctl, int argc, char **argv);
int ctl_stop(struct ctl *ctl, int argc, char **argv);
int ctl_top(struct ctl *ctl, int argc, char **argv);
int ctl_user(struct ctl *ctl, int argc, char **argv);

struct settings;

/* The configuration for a sub-command; problems go to standard error.  NULL when
 * it is wrong (the command ends with CTL_CONFIG). */
const struct settings *ctl_settings(struct ctl *ctl);

/* What the running server says of itself (server/control.h).  Result: an exit
 * status; what is wrong was said. */
int ctl_ask_server(struct ctl *ctl, struct str *json_out);
/* The same for another question, which is closed. */
struct frame;
int ctl_ask_server_frame(
	struct ctl *ctl, struct frame *question, struct str *json_out);

/* Writes "doorstep: TEXT" to standard error and returns `status`. */
int ctl_fail(int status, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
