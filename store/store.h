/* store - put messages into one user's mailboxes
 *
 * Filing has steps, so that trouble is known before any copy can be seen, and
 * so that the caller can do each step for all copies of a job before the next
 * (the order of flushes is worth more than any code):
 *
 *   store_write()   write it under a private name; not flushed
 *   store_link()    or: the same bytes as another copy, by hard link
 *   store_sync()    flush the file
 *   store_commit()  give the copy its public name
 *   store_settle()  flush the directories of many copies, each once
 *
 * A copy ends by store_copy_close() whatever happened, before its store and the
 * content it was written from; one that was not committed leaves nothing
 * behind.  store_retract() takes a committed copy away again.  After kill -9
 * only a private name is left.
 *
 * In an mbox, where no message has a name, store_write() looks whether it would
 * fit, and store_commit() appends it under the locks, flushes, and cuts the file
 * back when that fails.  kill -9 in that moment leaves a part of the message
 * behind the earlier ones.
 *
 * Folder names are those a Sieve script or -m gives: UTF-8, with the separator
 * and prefix of the configured namespaces (store/folder.h).  One that is spelled
 * in modified UTF-7 ("&AOk-") is text like any other, unless there is a folder
 * of that very name on disk and none for the text.
 *
 * Runs as the recipient's uid; blocks.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/flush.h"
#include "base/str.h"
#include "mail/content.h"

enum store_fsync {
	STORE_FSYNC_OPTIMIZED,
	STORE_FSYNC_ALWAYS,
	STORE_FSYNC_NEVER
};

/* RFC 3501 2.3.2 */
enum store_flags {
	STORE_SEEN = 1,
	STORE_ANSWERED = 2,
	STORE_FLAGGED = 4,
	STORE_DELETED = 8,
	STORE_DRAFT = 16
};

/* store/lock.h says what each of them is. */
enum store_lock_kind {
	STORE_LOCK_DOTLOCK,
	STORE_LOCK_DOTLOCK_TRY,
	STORE_LOCK_FCNTL,
	STORE_LOCK_FLOCK,
	STORE_LOCK_LOCKF
};

enum { STORE_LOCKS_MAX = 5 };

/* How a file that other programs write as well is locked: an mbox.  What is 0 is
 * as usual: dotlock, then fcntl; 5 minutes; 2 minutes. */
struct store_lock_settings {
	enum store_lock_kind kinds[STORE_LOCKS_MAX]; /* in this order */
	size_t count;
	uint64_t timeout_ms; /* the longest wait */
	/* A dotlock is forgotten when nothing has changed for that long. */
	uint64_t stale_ms;
	bool dotlock_by_link; /* not by O_EXCL; for an NFS of version 2 */
	/* For the log, where a dotlock cannot be made; NULL: what helps with an
	 * mbox. */
	const char *refusal_hint;
};

/* One `namespace { }` block. */
struct store_namespace {
	const char *prefix;   /* "INBOX." or "" */
	char separator;       /* 0 = the layout's own: '.' or '/' */
	bool has_inbox;       /* inbox = yes */
	const char *location; /* NULL = the user's mail location */
	bool is_shared;       /* of others: no use of this user's */
};

/* All strings have their variables and "~" expanded already. */
struct store_settings {
	const char *location; /* maildir:/home/amy/Maildir:LAYOUT=fs:UTF-8:
	                       * INBOX=...:CONTROL=...:INDEX=... */
	const char *home;     /* where a relative path starts; may be NULL */
	const struct store_namespace *namespaces;
	size_t namespace_count; /* 0 = one with prefix "" that has the INBOX */
	enum store_fsync fsync;
	bool save_crlf;
	bool autocreate; /* folders other than INBOX; lda_mailbox_autocreate */
	bool autosubscribe;   /* those just created */
	uint64_t folders_max; /* beside the INBOX, then none is made; 0 = no
	                       * limit.  quota_mailbox_count */
	/* Old files in tmp/ are removed at most that often; 0 = never. */
	uint64_t temp_scan_interval_ms;
	struct store_lock_settings locks; /* of an mbox */
	/* Longest wait for the locks that keywords in a Maildir need; 0 = 5
	 * seconds. */
	uint64_t keywords_timeout_ms;
	/* clock_monotonic_ms() from which on no lock may be waited for any
	 * longer; 0 = none. */
	uint64_t lock_deadline_ms;
};

struct store;
struct store_copy;
struct store_root;

/* Nothing is touched yet.  Errors: 4.3.5 for a location that cannot be. */
MUST_USE int store_open(const struct store_settings *settings,
	struct store **store_out, struct err *err);
void store_close(struct store **store);

/* LOOKUP_NONE: no such folder, or no possible name.  The INBOX is always found:
 * it is made when mail comes.  Errors: 4.3.0 permission or I/O. */
enum lookup store_find_folder(
	struct store *store, struct str folder, struct err *err);

/* For names that others give: the sender of amy+lists@example.org.  All of them
 * stay in the namespace of the INBOX, whatever prefix they begin with; what comes
 * out is a name for the other functions and lives as long as the store. */

/* What parts the levels of a name there.  Errors: as store_open(). */
MUST_USE int store_separator(
	struct store *store, char *separator_out, struct err *err);

/* The folder of that name, else one whose name differs only in the case of its
 * letters (store/match.h).  LOOKUP_NONE: there is none, or can be none.  One
 * stat() when the spelling is exact. */
enum lookup store_match_folder(struct store *store, struct str name,
	struct str *found_out, struct err *err) MUST_USE;

/* How a folder that is not there would be called: the levels above it as those
 * are spelled that are there.  LOOKUP_NONE: no folder can have that name. */
enum lookup store_name_new_folder(struct store *store, struct str name,
	struct str *name_out, struct err *err) MUST_USE;

/* Folders beside the INBOX, counted up to `most`.  LOOKUP_NONE: this kind of
 * mailbox cannot tell. */
enum lookup store_count_folders(struct store *store, size_t most,
	size_t *count_out, struct err *err) MUST_USE;

/* The id of a folder, for as long as it is there and under whatever name
 * (RFC 8474): Dovecot's GUID.  LOOKUP_NONE: no such folder, or nobody has given it
 * one so far.  Lives as long as the store.  Errors: 4.3.0. */
enum lookup store_folder_id(struct store *store, struct str folder,
	struct str *id_out, struct err *err) MUST_USE;

enum store_keywords {
	STORE_KEYWORDS_READY, /* nobody has to be waited for */
	STORE_KEYWORDS_NEW,   /* a lock is needed for moments */
	STORE_KEYWORDS_LOCKED /* which somebody holds */
};

/* What a copy with these keywords meets there at this moment.  It may be something
 * else by the time of store_commit(). */
enum store_keywords store_keywords_state(struct store *store, struct str folder,
	const struct str *keywords, size_t count);

/* The folder that has that id, in any namespace; one file is read for each folder
 * that is looked at. */
enum lookup store_find_id(struct store *store, struct str id,
	struct str *name_out, struct err *err) MUST_USE;

/* Whether two names mean one folder: "inbox" and "INBOX", a name with and without
 * its namespace's prefix.  False when one of them is no folder's. */
bool store_is_same_folder(struct store *store, struct str a, struct str b);

/* Whether filing there may have to wait until others give up a lock. */
bool store_may_wait(const struct store *store);

/* Where the INBOX is or would be made; lives as long as the store.  Touches
 * nothing. */
MUST_USE int store_inbox_path(
	struct store *store, const char **path_out, struct err *err);

enum store_write_flags {
	STORE_CREATE_FOLDER =
		1, /* fileinto :create, whatever autocreate says */
	STORE_SUBSCRIBE_FOLDER = 2 /* when just created, whatever autosubscribe
	                            * says */
};

enum store_result {
	STORE_OK = 0,
	STORE_FAILED = -1, /* err says why */
	/* Missing and not to be created, or a name that no folder can have; err
	 * says which.  Its kind is ERR_TEMPORARY (4.2.0): a wrong name is no
	 * refusal of the mail, the caller has the INBOX to fall back to. */
	STORE_NO_FOLDER = -2
};

/* Write `content` for `folder` ("INBOX" in any case is the inbox).  STORE_OK:
 * *copy_out is to be ended by store_copy_close().
 * Errors, of the later steps as well: ERR_OVER_QUOTA 5.2.2 "Not enough disk
 * quota" for EDQUOT; 4.3.1 for ENOSPC, as a full disk is not the user's fault;
 * 4.3.0 for a file size limit of the process, I/O and permission, with a detail
 * that explains which folder refuses whom. */
MUST_USE enum store_result store_write(struct store *store, struct str folder,
	unsigned write_flags, const struct content *content,
	unsigned store_flags, struct store_copy **copy_out, struct err *err);

/* Another copy of what `original` holds (written, perhaps not yet committed,
 * perhaps for another store of the same uid).  Falls back to writing where a
 * link cannot be made: other file system, too many links, other permissions. */
MUST_USE enum store_result store_link(struct store *store, struct str folder,
	unsigned write_flags, struct store_copy *original, unsigned store_flags,
	struct store_copy **copy_out, struct err *err);

/* Keywords that the copy is to have (RFC 3501 2.3.2: atoms, none twice in any
 * case), before it is synced; borrowed until it is closed.  One that cannot be had
 * when the copy gets its name is left out, and the log says so. */
MUST_USE int store_set_keywords(struct store_copy *copy,
	const struct str *keywords, size_t count, struct err *err);

/* Nothing when the file is flushed already, or shares its bytes with one that
 * is, or mail_fsync = never. */
MUST_USE int store_sync(struct store_copy *copy, struct err *err);

/* What store_sync() does for one, done for many at the same time.  How it went is told
 * by the store_sync() of each, which has nothing else to do then. */
void store_flush_files(struct store_copy *const *copies, size_t count,
	struct flush_crew *crew);

/* Once.  Syncs first what is not yet. */
MUST_USE int store_commit(struct store_copy *copy, struct err *err);

/* Flushes the folders that the commits changed, each once, and those created
 * for them.  Only then are the copies durable. */
MUST_USE int store_settle(
	struct store_copy *const *copies, size_t count, struct err *err);

/* The same for what store_settle() will be asked. */
void store_flush_folders(struct store_copy *const *copies, size_t count,
	struct flush_crew *crew);

/* Takes a committed copy away again: another copy of its delivery failed and
 * all will be tried again. */
void store_retract(struct store_copy *copy);

/* For a process that dies between the commits and its answer: the name that
 * store_commit() will give this copy, fixed from now on.  NULL: copies in this
 * kind of mailbox have no names.  Lives as long as the copy. */
const char *store_copy_target(struct store_copy *copy);

/* Whether a copy with that target, of a process that died, has got its name:
 * where it is now (readers of the mailbox move it within its folder), in memory
 * that lives as long as the store.  LOOKUP_NONE as well for what is not below
 * this store's locations.  Errors: 4.3.0. */
enum lookup store_find_target(struct store *store, const char *target,
	const char **path_out, struct err *err) MUST_USE;

/* Whether what was found is in the folder of this copy. */
bool store_copy_is_beside(struct store_copy *copy, const char *path);

/* With a path of store_find_target(): make it durable, or take it away unless
 * somebody has read it. */
MUST_USE int store_flush_target(
	struct store *store, const char *path, struct err *err);
void store_remove_target(struct store *store, const char *path);

void store_copy_close(struct store_copy **copy);

/* ---- how much is there ---- */

/* A directory or a file that holds messages: a folder has one or several.  What
 * is put in or taken out shows in its time of modification. */
struct store_part {
	struct store_root *root; /* the store's own */
	struct str folder;       /* as people see it */
	const char *path;
};

struct store_parts {
	struct store_part *items; /* live as long as the store */
	size_t count;
};

struct store_use {
	uint64_t bytes; /* as they lie on disk: S= */
	uint64_t messages;
};

/* Of all folders in the user's own namespaces: the INBOX and what the driver can
 * list.  `only_prefix`: of the namespace with that prefix alone; NULL: of all.
 * Errors: 4.3.0. */
MUST_USE int store_list_parts(struct store *store, const char *only_prefix,
	struct store_parts *parts_out, struct err *err);

/* What a part holds; nothing where it is not there. */
MUST_USE int store_measure(const struct store_part *part,
	struct store_use *use_out, struct err *err);

/* A file beside the INBOX that is no mail, where the IMAP server keeps its own as
 * well: maildirsize among them.  LOOKUP_NONE: there is no folder for such files.
 * `make`: that folder is made where it is apart from the mailbox and missing. */
MUST_USE enum lookup store_control_file(struct store *store, const char *name,
	bool make, const char **path_out, struct err *err);

/* Adds to `text` who we are and which folder on the way to `path` refuses us, for
 * the other files of a user (store/permission.h). */
void store_explain_refusal(struct buf *text, const char *path);

/* For log lines and people.  Path: where the copy is now. */
const char *store_copy_path(const struct store_copy *copy);
struct str store_copy_folder(const struct store_copy *copy);
uint64_t store_copy_size(const struct store_copy *copy);  /* S= */
uint64_t store_copy_vsize(const struct store_copy *copy); /* W= */

#endif
