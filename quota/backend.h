/* backend - what a kind of quota does for quota.c
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QUOTA_BACKEND_H
#define QUOTA_BACKEND_H

#include <stdbool.h>
#include <time.h>

#include "quota/quota.h"

struct quota_root;

struct quota_backend {
	const char *name;
	bool has_limits; /* may take the place of rules that force nothing */
	/* Once; NULL: nothing is needed. */
	int (*open)(struct quota_root *root, struct err *err);
	/* NULL: nothing is to be given back. */
	void (*close)(struct quota_root *root);
	/* The use.  NONE: nobody has counted, or what is there cannot be used.
	 * *is_certain_out: a new count would say the same. */
	enum lookup (*read)(struct quota_root *root,
		struct quota_amount *use_out, bool *is_certain_out,
		struct err *err);
	/* Counts anew, and keeps what it found. */
	int (*recount)(struct quota_root *root, struct quota_amount *use_out,
		struct err *err);
	/* NULL: it shows by itself. */
	int (*add)(struct quota_root *root, struct quota_amount more,
		struct err *err);
	/* What is kept is not to be believed; NULL: nothing is kept. */
	void (*forget)(struct quota_root *root);
};

struct quota_root {
	const struct quota_backend *backend;
	struct arena *arena;
	struct store *store;
	unsigned number;
	struct conf_quota_root spec;
	const char *user;         /* for "dict" */
	const char *state_socket; /* the same */
	const char *prefix; /* of the only namespace that counts; NULL: all */
	struct quota_rules rules;
	struct quota_limits limits; /* by default */
	bool has_limits_of_its_own; /* else a backend's may take their place */
	const struct conf_quota_warning *warnings;
	size_t warning_count;
	struct quota_amount seen; /* the use as it was read last */
	bool is_seen;
	void *state; /* the backend's */
};

bool quota_root_ignores(const struct quota_root *root, struct str folder);

extern const struct quota_backend quota_maildirsize, quota_count, quota_dict,
	quota_fs;

#endif
