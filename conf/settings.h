/* settings - the configuration, typed
 *
 * Built by conf_load() and never changed afterwards.  A field has its key's name
 * (durations: name_ms), its type is that of keys.def.  Strings are never NULL;
 * "~" and variables stand in them as written: who uses a TEMPLATE key expands
 * it (base/vars.h).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_SETTINGS_H
#define CONF_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kinds of process that are sent a setting; see ARCHITECTURE.md. */
enum conf_kind {
	CONF_KIND_LDA = 1,
	CONF_KIND_FRONT = 2,
	CONF_KIND_LOOKUP = 4,
	CONF_KIND_STATE = 8,
	CONF_KIND_WORKER = 16,
	CONF_KIND_MAILER = 32,
	CONF_KIND_MASTER = 64,
	/* Accepted and checked, but nothing in this release reads it. */
	CONF_KIND_LATER = 128,
	CONF_KIND_POLICY = 256,
	CONF_KIND_PROXY = 512
};

/* Where something was said.  `file` is "" for a default, "-o" for the command
 * line, or what conf_override() was told; `line` is 0 when there is none. */
struct conf_place {
	const char *file;
	unsigned line;
};

/* `key = text`, or `key = </path`, read by conf_read_text(). */
struct conf_text {
	const char *text;
	const char *path; /* NULL when the text is given */
};

struct conf_list {
	const char **items;
	size_t count;
};

struct conf_network {
	bool is_v6;
	unsigned bits;
	unsigned char address[16]; /* network order; the first 4 for IPv4 */
	const char *text;
};

struct conf_networks {
	struct conf_network *items;
	size_t count;
};

/* sieve_before, sieve_before2 ...; quota_rule, quota_rule2, quota2_rule ...
 * In the order of (root, number), whatever the order in the file. */
struct conf_numbered {
	unsigned root;   /* quota2_rule3: 2; 1 where the name has none */
	unsigned number; /* quota2_rule3: 3; 1 where the name has none */
	const char *value;
	struct conf_place place;
	unsigned level; /* the loader's: a protocol's value wins */
};

struct conf_family {
	struct conf_numbered *items;
	size_t count;
};

#define WORD(symbol, word) symbol,
#define WORD_LIST(list, words) enum conf_##list{words};
#include "conf/words.def"
#undef WORD
#undef WORD_LIST

/* How a key's row becomes a field. */
#define WORDS(list) enum conf_##list
#define CONF_FIELD_STRING(name, bounds) const char *name;
#define CONF_FIELD_TEMPLATE(name, bounds) const char *name;
#define CONF_FIELD_PATH(name, bounds) const char *name;
#define CONF_FIELD_LOG_TARGET(name, bounds) const char *name;
#define CONF_FIELD_CHOICE(name, bounds) const char *name;
#define CONF_FIELD_TEXT(name, bounds) struct conf_text name;
#define CONF_FIELD_CHARACTER(name, bounds) char name;
#define CONF_FIELD_BOOL(name, bounds) bool name;
#define CONF_FIELD_NUMBER(name, bounds) uint64_t name;
#define CONF_FIELD_SIZE(name, bounds) uint64_t name;
#define CONF_FIELD_DURATION(name, bounds) uint64_t name##_ms;
#define CONF_FIELD_OCTAL(name, bounds) unsigned name;
#define CONF_FIELD_ENUM(name, bounds) bounds name;
#define CONF_FIELD_LIST(name, bounds) struct conf_list name;
#define CONF_FIELD_NETWORKS(name, bounds) struct conf_networks name;
#define CONF_FIELD_FAMILY(name, bounds) struct conf_family name;
#define CONF_FIELD(type, name, text, bounds, kinds, help)                      \
	CONF_FIELD_##type(name, bounds)

struct conf_userdb {
	const char *name;
#define USERDB_KEY CONF_FIELD
#include "conf/keys.def"
	struct conf_place place;
};

struct conf_mailbox {
	const char *name;
#define MAILBOX_KEY CONF_FIELD
#include "conf/keys.def"
	struct conf_place place;
};

struct conf_namespace {
	const char *name;
#define NAMESPACE_KEY CONF_FIELD
#include "conf/keys.def"
	struct conf_mailbox *mailboxes;
	size_t mailbox_count;
	struct conf_place place;
};

struct conf_listener {
	bool is_inet;
	const char *name; /* unix: the path, relative to base_dir */
#define LISTENER_KEY CONF_FIELD
#include "conf/keys.def"
	struct conf_place place;
};

struct conf_service {
	const char *name;
#define SERVICE_KEY CONF_FIELD
#include "conf/keys.def"
	struct conf_listener *listeners;
	size_t listener_count;
	struct conf_place place;
};

/* A certificate that clients can ask for by name (SNI). */
struct conf_local_name {
	const char *name; /* "mx.example.org", "*.example.org" */
#define LOCAL_NAME_KEY CONF_FIELD
#include "conf/keys.def"
	struct conf_place place;
};

/* A host that mail is passed on to. */
struct conf_backend {
	const char *name; /* "10.0.0.1:24"; conf_backend_parse() */
#define BACKEND_KEY CONF_FIELD
#include "conf/keys.def"
	struct conf_place place;
};

struct conf_proxy_group {
	const char *name;
#define PROXY_GROUP_KEY CONF_FIELD
#include "conf/keys.def"
	struct conf_backend *backends;
	size_t backend_count;
	struct conf_place place;
};

struct settings {
#define TOP_KEY CONF_FIELD
#include "conf/keys.def"
	struct conf_userdb *userdbs;
	size_t userdb_count;
	struct conf_namespace *namespaces;
	size_t namespace_count;
	/* Those outside of a namespace: of that of the INBOX. */
	struct conf_mailbox *mailboxes;
	size_t mailbox_count;
	struct conf_service *services;
	size_t service_count;
	struct conf_local_name *local_names;
	size_t local_name_count;
	struct conf_proxy_group *proxy_groups;
	size_t proxy_group_count;
	struct conf_place *places; /* of TOP_KEYs; conf_place() */
};

#undef WORDS

#endif
