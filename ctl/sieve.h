/* sieve - what the sub-commands of `doorstep sieve` share
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CTL_SIEVE_H
#define CTL_SIEVE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "mail/message.h"
#include "conf/settings.h"
#include "sieve/sieve.h"
#include "store/store.h"
#include "deliver/scriptcache.h"
#include "ctl/ctl.h"

/* The world of a script: the options of `test`, `compare` and `diff`. */
struct tester {
	struct sieve_host host;
	struct ctl *ctl;
	const struct settings *conf;
	struct sieve_settings settings;
	const struct message *message;
	struct address from, to;
	bool has_from, has_to;
	struct address recipient; /* -r */
	bool has_recipient;
	struct address given_from; /* -f */
	bool has_given_from;
	bool has_user;    /* -u: these are the user's */
	const char *user; /* NULL: none */
	struct store *store;
	struct script_folders folders;
	struct mailboxes *known;
	struct extlists *lists; /* the user's */
	const char **mailboxes;
	size_t mailbox_count;
	bool runs_programs; /* that scripts ask for while they run */
	const char *prefix; /* of every line: "message: " or "" */
};

/* Reads "[-f FROM] [-a ORIG] [-r RCPT] [-u USER] [-m MAILBOX]..." and finds the
 * user; *first_out is the first of at least `least` further arguments.  An exit
 * status.  tester_close() is always called. */
int tester_open(struct tester *tester, struct ctl *ctl,
	const struct settings *conf, const char *usage, int least, int argc,
	char **argv, int *first_out);
void tester_close(struct tester *tester);

struct message_limits tester_limits(const struct tester *tester);

/* The message that is judged next; its sender is guessed where -f does not say
 * it. */
void tester_begin_message(struct tester *tester, const struct message *message);

/* Where the scripts are that the one at `path` includes. */
struct script_folders tester_folders(
	const struct tester *tester, const char *path);

/* Compiles a script with what it includes: 1, 0 when there are errors, -1 when a
 * file cannot be read (told). */
int tester_compile(const struct tester *tester, const char *path,
	struct sieve_program **program_out, struct sieve_report *report);

/* Reads a file to its end; told when that fails. */
int tester_read_script(const char *path, struct buf *text);

int ctl_sieve_compare(
	struct ctl *ctl, const struct settings *conf, int argc, char **argv);
int ctl_sieve_diff(
	struct ctl *ctl, const struct settings *conf, int argc, char **argv);

#endif
