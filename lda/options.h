/* options - what the command line and the environment say
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LDA_OPTIONS_H
#define LDA_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"

enum exit_style { EXIT_STYLE_SYSEXITS, EXIT_STYLE_QMAIL };

struct lda_options {
	const char *user;     /* -d; NULL: the user who runs us */
	const char *original; /* -a, ORIGINAL_RECIPIENT */
	const char *final;    /* -r, RECIPIENT */
	const char *sender;   /* -f, SENDER; NULL: not given, "": null sender */
	bool has_original, has_final; /* by option: a bad one is an error */
	const char *detail;           /* EXTENSION */
	const char *mailbox;          /* -m; NULL or "" = INBOX */
	const char *file;             /* -p; NULL: standard input */
	const char *config;           /* -c */
	bool no_config;               /* -O */
	const char **overrides;       /* -o */
	size_t override_count;
	bool keep_environment; /* -k */
	bool refuses_by_exit;  /* -e; else by mail */
	bool help;
	enum exit_style exit_style;
	/* The environment's idea of the user, used without -d. */
	const char *env_user; /* USER */
	const char *env_home; /* HOME */
};

/* ERR_USAGE with a text for standard error. */
MUST_USE int lda_options_parse(struct arena *arena, int argc, char **argv,
	struct lda_options *options_out, struct err *err);

/* Fills what no option gave; afterwards the environment is emptied but for PATH,
 * TZ and the like, unless -k was given. */
void lda_options_environment(struct arena *arena, struct lda_options *options);

extern const char lda_usage[];

#endif
