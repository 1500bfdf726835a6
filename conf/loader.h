/* loader - settings while they are being put together
 *
 * Shared by conf_load() and conf_override(), nobody else.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_LOADER_H
#define CONF_LOADER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "conf/conf.h"
#include "conf/keys.h"
#include "conf/location.h"
#include "conf/quota_names.h"
#include "conf/settings.h"
#include "conf/syntax.h"

/* A value is not overwritten by one of a lower level, wherever that stands. */
enum conf_level {
	CONF_LEVEL_DEFAULT,
	CONF_LEVEL_GLOBAL,
	CONF_LEVEL_PROTOCOL, /* protocol lda { } */
	CONF_LEVEL_COMMAND,  /* -o */
	CONF_LEVEL_USER      /* conf_override() */
};

enum scope_kind {
	SCOPE_TOP = 1,
	SCOPE_PLUGIN = 2,
	SCOPE_USERDB = 4,
	SCOPE_NAMESPACE = 8,
	SCOPE_MAILBOX = 16,
	SCOPE_SERVICE = 32,
	SCOPE_LISTENER = 64,
	SCOPE_PAIRS = 128, /* collected, looked at when the block ends */
	SCOPE_WORDS = 256, /* sieve_extensions { fileinto = yes } */
	SCOPE_SKIP = 512,
	SCOPE_LOCAL_NAME = 1024,
	SCOPE_PROXY_GROUP = 2048,
	SCOPE_BACKEND = 4096
};

enum { CONF_PAIRS_MAX = 64 }; /* settings of one such block */

struct conf_pairs {
	struct conf_pair items[CONF_PAIRS_MAX];
	struct conf_place places[CONF_PAIRS_MAX];
	size_t count;
};

struct conf_loader;

struct conf_scope {
	enum scope_kind kind;
	struct str type, name; /* as in "type name {" */
	struct conf_place place;
	enum conf_level level;
	bool is_kept; /* false: checked only, as in a block of another protocol */
	const struct conf_keys *keys; /* of `object` */
	void *object;
	const struct conf_key
		*words_key; /* SCOPE_WORDS: in the scope outside */
	struct conf_pairs *pairs;
	void (*close)(struct conf_loader *loader, struct conf_scope *scope);
};

/* A limit of 2.4 outside of its block: it counts for all roots. */
struct conf_quota_said {
	const char *value; /* NULL: not said */
	enum conf_level level;
	struct conf_place place;
};

struct conf_loader {
	struct arena *arena;
	struct conf_report *report;
	enum conf_protocol protocol;
	bool is_lenient; /* pass over names that are no keys, without a word */
	struct settings *settings;
	struct settings *scratch; /* takes what is checked only */
	/* Of every top key, by its index: */
	unsigned char *levels;
	struct str *texts; /* as written, for "$name"; NULL = default */
	struct conf_location location;
	enum conf_level location_levels[CONF_LOCATION_PARTS];
	struct conf_quota_said quota_said[CONF_QUOTA_NAMES];
	struct conf_scope scopes[CONF_NESTING_MAX + 2];
	size_t depth; /* of the innermost scope; 0 is the file itself */
};

/* All settings at their defaults. */
void conf_loader_init(struct conf_loader *loader, struct arena *arena,
	struct conf_report *report);

/* The same for a copy of `settings`; theirs are not touched. */
void conf_loader_init_copy(struct conf_loader *loader, struct arena *arena,
	struct conf_report *report, const struct settings *settings);

/* One line of a file. */
void conf_loader_take(struct conf_loader *loader, const struct conf_line *line);

/* "name", "plugin/name", "namespace/NAME/name" = value; no "$name". */
void conf_loader_assign(struct conf_loader *loader, struct str path,
	struct str value, enum conf_level level, struct conf_place place);

/* What can only be said when all is read. */
void conf_loader_finish(struct conf_loader *loader);

/* ---- for block.c ---- */

void conf_loader_set_defaults(
	struct arena *arena, const struct conf_keys *keys, void *object);
void *conf_loader_grow(
	struct arena *arena, void *items, size_t size, size_t *count);
struct conf_family *conf_loader_family(
	struct settings *settings, const struct conf_key *key);
bool conf_loader_set_field(struct conf_loader *loader,
	const struct conf_key *key, const struct conf_line *line,
	struct str value, void *object);
void conf_loader_set_top(struct conf_loader *loader,
	const struct conf_scope *scope, const struct conf_key *key,
	const struct conf_line *line);
void conf_loader_put(struct conf_loader *loader, struct conf_family *family,
	struct conf_numbered item);
void conf_loader_set(struct conf_loader *loader, const struct conf_scope *scope,
	const char *name, const char *value, struct conf_place place);
const char *conf_append_word(
	struct arena *arena, const char *words, const char *word);
const char *conf_escape_word(struct arena *arena, struct str word);

#endif
