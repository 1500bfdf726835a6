/* bdb - Berkeley DB 5.3, one process
 *
 * A transactional environment whose regions are this process' own memory
 * (DB_PRIVATE): its files are the data base and the log, and each opening is a
 * recovery.  Locks between processes are not Berkeley DB's, which a process that
 * is killed leaves behind: one file is locked for as long as the environment is
 * open.  A commit is written, not flushed (DB_TXN_WRITE_NOSYNC): it survives the
 * process, and after a loss of power the data base is whole, but may lack the
 * last of it.
 *
 * A call that blocks cannot be cancelled.  A timer that runs while Berkeley DB is
 * at work ends the process; the next one recovers.
 *
 * SPDX-License-Identifier: MIT
 */
#include <db.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "dict/driver.h"

#include "base/banned.h"

enum {
	CACHE_BYTES = 8 * 1024 * 1024,
	RESERVE_BYTES = 32 * 1024 * 1024,
	HANG_MS = 15 * 1000,
	PAGE_BYTES = 4096,
	LOG_FILE_BYTES = 4 * 1024 * 1024,
	LOG_BUFFER_BYTES = 512 * 1024,
	/* How much log, and of what time, a recovery has to read at most. */
	CHECKPOINT_BYTES = 16 * 1024 * 1024,
	CHECKPOINT_MS = 60 * 1000,
	/* Of the log for a change and for a transaction, beside the entry; about. */
	CHANGE_BYTES = 200,
	/* Openings in trouble before the environment is given up. */
	TROUBLES_MAX = 8,
	EXPIRES_BYTES = 8 /* before each value, little endian */
};

struct bdb {
	struct dict dict;
	struct dict_bdb_options options;
	struct arena *arena; /* of the paths */
	const char *environment_path;
	const char *trouble_path;
	int lock;
	timer_t timer;
	bool has_timer;
	int guards; /* guard_begin() without guard_end() */
	DB_ENV *environment;
	DB *db;
	DB_TXN *transaction;
	uint64_t logged;        /* bytes since the last checkpoint, about */
	uint64_t checkpoint_ms; /* when that was */
	struct buf value;
	char said[256]; /* Berkeley DB's own last message */
};

static struct bdb *
own(struct dict *dict)
{
	return CONTAINER_OF(dict, struct bdb, dict);
}

/* ---- a call that does not come back ---- */

/* In a thread of its own, while the other one hangs. */
static void
end_process(union sigval value)
{
	const struct bdb *bdb = value.sival_ptr;

	log_error("Berkeley DB in %s does not come back after %llu ms; this "
		  "process ends for another one",
		bdb->environment_path,
		(unsigned long long)bdb->options.hang_ms);
	_exit(DICT_EXIT_HUNG);
}

static void
set_timer(struct bdb *bdb, uint64_t ms)
{
	/* Again and again: a thread may be refused. */
	struct itimerspec times = {
		.it_value = {.tv_sec = (time_t)(ms / 1000),
			.tv_nsec = (long)(ms % 1000) * 1000 * 1000},
		.it_interval = {.tv_sec = 1}};

	if (timer_settime(bdb->timer, 0, &times, NULL) < 0)
		BUG("timer_settime: %s", strerror(errno));
}

static void
guard_begin(struct bdb *bdb)
{
	if (bdb->guards++ == 0)
		set_timer(bdb, bdb->options.hang_ms);
}

static void
guard_end(struct bdb *bdb)
{
	if (--bdb->guards == 0)
		set_timer(bdb, 0);
}

static int
open_timer(struct bdb *bdb, struct err *err)
{
	struct sigevent event = {.sigev_notify = SIGEV_THREAD,
		.sigev_notify_function = end_process,
		.sigev_value.sival_ptr = bdb};

	if (timer_create(CLOCK_MONOTONIC, &event, &bdb->timer) < 0)
		return err_temp_errno(err, "4.3.0", "timer_create");
	bdb->has_timer = true;
	return 0;
}

/* ---- trouble ---- */

/* The count is the size of a file: nothing to parse, nothing to be torn. */
static uint64_t
count_troubles(const struct bdb *bdb)
{
	struct stat status;

	return stat(bdb->trouble_path, &status) < 0 ? 0
	                                            : (uint64_t)status.st_size;
}

/* It is a help, not a promise: a full disk must not stop us here. */
static void
set_troubles(const struct bdb *bdb, uint64_t count)
{
	int fd = open(bdb->trouble_path,
		O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 || ftruncate(fd, (off_t)count) < 0)
		log_warning("%s: %s", bdb->trouble_path, strerror(errno));
	fd_close(&fd);
}

/* What an admin can mend, and what says nothing about the files. */
static bool
is_from_outside(int code)
{
	static const int codes[] = {ENOSPC, EDQUOT, EACCES, EPERM, EROFS, EIO,
		EMFILE, ENFILE, ENOMEM, EAGAIN, EINTR, EFBIG};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(codes); i++)
		if (code == codes[i])
			return true;
	return false;
}

static int
fail(struct bdb *bdb, const char *what, int code, struct err *err)
{
	if (!is_from_outside(code) && !bdb->dict.is_broken) {
		bdb->dict.is_broken = true;
		set_troubles(bdb, count_troubles(bdb) + 1);
	}
	err_temp(err, "4.3.0", "%s: cannot %s: %s%s%s", bdb->environment_path,
		what, db_strerror(code), bdb->said[0] ? ": " : "", bdb->said);
	bdb->said[0] = '\0';
	return -1;
}

static void
note_message(const DB_ENV *environment, const char *prefix UNUSED,
	const char *message)
{
	struct bdb *bdb = environment->app_private;

	snprintf(bdb->said, sizeof(bdb->said), "%s", message);
}

/* ---- opening ---- */

static enum lookup
take_lock(struct bdb *bdb, struct err *err)
{
	const char *path =
		arena_format(bdb->arena, "%s/db.lock", bdb->options.folder);

	if (mkdir(bdb->options.folder, 0700) < 0 && errno != EEXIST) {
		err_temp_errno(err, "4.3.0", "%s", bdb->options.folder);
		return LOOKUP_ERROR;
	}
	bdb->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (bdb->lock >= 0 && flock(bdb->lock, LOCK_EX | LOCK_NB) == 0)
		return LOOKUP_FOUND;
	if (bdb->lock >= 0 && errno == EWOULDBLOCK)
		return LOOKUP_NONE;
	err_temp_errno(err, "4.3.0", "%s", path);
	return LOOKUP_ERROR;
}

static int
check_room(const struct bdb *bdb, struct err *err)
{
	struct statvfs status;

	if (fstatvfs(bdb->lock, &status) < 0)
		return err_temp_errno(err, "4.3.0", "%s", bdb->options.folder);
	if ((uint64_t)status.f_bavail * status.f_frsize >=
		bdb->options.reserve_bytes)
		return 0;
	return err_temp(err, "4.3.1",
		"%s: less than %llu KiB are free: make room on that disk",
		bdb->options.folder,
		(unsigned long long)bdb->options.reserve_bytes / 1024);
}

/* 0, or Berkeley DB's code. */
static int
open_environment(struct bdb *bdb)
{
	DB_ENV *environment;
	int code = db_env_create(&bdb->environment, 0);

	if (code != 0)
		return code;
	environment = bdb->environment;
	environment->app_private = bdb;
	environment->set_errcall(environment, note_message);
	code = environment->set_cachesize(environment,
		(uint32_t)(bdb->options.cache_bytes >> 30),
		(uint32_t)(bdb->options.cache_bytes & 0x3fffffff), 1);
	if (code == 0)
		code = environment->set_lg_max(environment, LOG_FILE_BYTES);
	if (code == 0)
		code = environment->set_lg_bsize(environment, LOG_BUFFER_BYTES);
	if (code == 0)
		code = environment->log_set_config(
			environment, DB_LOG_AUTO_REMOVE, 1);
	if (code == 0)
		code = environment->set_flags(
			environment, DB_TXN_WRITE_NOSYNC, 1);
	if (code == 0)
		code = environment->open(environment, bdb->environment_path,
			DB_CREATE | DB_PRIVATE | DB_RECOVER | DB_INIT_TXN |
				DB_INIT_LOG | DB_INIT_MPOOL,
			0600);
	return code;
}

static int
open_db(struct bdb *bdb)
{
	int code = db_create(&bdb->db, bdb->environment, 0);

	if (code == 0)
		code = bdb->db->set_pagesize(bdb->db, PAGE_BYTES);
	if (code == 0)
		code = bdb->db->set_flags(bdb->db, DB_CHKSUM);
	if (code == 0)
		code = bdb->db->open(bdb->db, NULL, "dict.db", NULL, DB_BTREE,
			DB_CREATE | DB_AUTO_COMMIT, 0600);
	return code;
}

static void
close_environment(struct bdb *bdb)
{
	if (bdb->db != NULL && bdb->db->close(bdb->db, 0) != 0)
		bdb->dict.is_broken = true;
	bdb->db = NULL;
	if (bdb->environment != NULL &&
		bdb->environment->close(bdb->environment, 0) != 0)
		bdb->dict.is_broken = true;
	bdb->environment = NULL;
}

static int
try_open(struct bdb *bdb)
{
	int code = 0;

	if (mkdir(bdb->environment_path, 0700) < 0 && errno != EEXIST)
		return errno;
	code = open_environment(bdb);
	if (code == 0)
		code = open_db(bdb);
	if (code != 0)
		close_environment(bdb);
	return code;
}

static int
move_aside(struct bdb *bdb, const char *why, struct err *err)
{
	const char *path = arena_format(bdb->arena, "%s.broken-%lld",
		bdb->environment_path, (long long)clock_now().tv_sec);

	if (rename(bdb->environment_path, path) < 0 && errno != ENOENT)
		return err_temp_errno(err, "4.3.0", "%s", path);
	log_error("%s cannot be used (%s): it is now %s, and a new one begins",
		bdb->environment_path, why, path);
	return 0;
}

static int
open_or_begin_anew(struct bdb *bdb, struct err *err)
{
	uint64_t troubles = count_troubles(bdb);
	int code;

	if (troubles >= TROUBLES_MAX) {
		if (move_aside(bdb, "trouble again and again", err) < 0)
			return -1;
		troubles = 0;
	}
	/* Should it end the process, or keep it for ever, this is known. */
	set_troubles(bdb, troubles + 1);
	code = try_open(bdb);
	if (code != 0 && !is_from_outside(code)) {
		if (move_aside(bdb,
			    bdb->said[0] ? bdb->said : db_strerror(code),
			    err) < 0)
			return -1;
		troubles = 0;
		bdb->dict.is_broken = false;
		bdb->said[0] = '\0';
		code = try_open(bdb);
	}
	set_troubles(bdb, troubles);
	return code == 0 ? 0 : fail(bdb, "open it", code, err);
}

static int
open_locked(struct bdb *bdb, struct err *err)
{
	int result;

	if (check_room(bdb, err) < 0 || open_timer(bdb, err) < 0)
		return -1;
	guard_begin(bdb);
	result = open_or_begin_anew(bdb, err);
	bdb->checkpoint_ms = clock_monotonic_ms();
	guard_end(bdb);
	return result;
}

/* ---- checkpoints ---- */

/* txn_checkpoint() itself can tell whether it is time, but reads the log for it. */
static bool
is_time_for_checkpoint(const struct bdb *bdb)
{
	return bdb->logged >= CHECKPOINT_BYTES ||
	       clock_monotonic_ms() >= bdb->checkpoint_ms + CHECKPOINT_MS;
}

/* What was committed is in the log whether this fails or not. */
static void
write_checkpoint(struct bdb *bdb)
{
	int code = bdb->environment->txn_checkpoint(bdb->environment, 0, 0, 0);
	struct err err;

	bdb->logged = 0;
	bdb->checkpoint_ms = clock_monotonic_ms();
	if (code != 0) {
		fail(bdb, "write a checkpoint", code, &err);
		log_error("%s", err_log_text(&err));
	}
}

/* ---- the driver ---- */

static void
bdb_close(struct dict *dict)
{
	struct bdb *bdb = own(dict);

	if (bdb->has_timer) {
		guard_begin(bdb);
		if (bdb->environment != NULL && !bdb->dict.is_broken)
			write_checkpoint(bdb);
		close_environment(bdb);
		guard_end(bdb);
		timer_delete(bdb->timer);
	}
	fd_close(&bdb->lock);
	buf_clear(&bdb->value);
	arena_close(&bdb->arena);
	memory_free(bdb);
}

static int
bdb_has_room(struct dict *dict, struct err *err)
{
	return check_room(own(dict), err);
}

static int
bdb_begin(struct dict *dict, struct err *err)
{
	struct bdb *bdb = own(dict);
	int code;

	guard_begin(bdb);
	code = bdb->environment->txn_begin(
		bdb->environment, NULL, &bdb->transaction, 0);
	if (code == 0)
		return 0;
	guard_end(bdb);
	bdb->transaction = NULL;
	return fail(bdb, "begin a transaction", code, err);
}

static int
bdb_commit(struct dict *dict, struct err *err)
{
	struct bdb *bdb = own(dict);
	int code = bdb->transaction->commit(bdb->transaction, 0);

	bdb->transaction = NULL;
	bdb->logged += CHANGE_BYTES;
	if (code == 0 && is_time_for_checkpoint(bdb))
		write_checkpoint(bdb);
	guard_end(bdb);
	return code == 0 ? 0 : fail(bdb, "commit", code, err);
}

static void
bdb_abort(struct dict *dict)
{
	struct bdb *bdb = own(dict);
	int code = bdb->transaction->abort(bdb->transaction);
	struct err err;

	bdb->transaction = NULL;
	guard_end(bdb);
	if (code != 0) {
		fail(bdb, "abort a transaction", code, &err);
		log_error("%s", err_log_text(&err));
	}
}

static void
set_dbt(DBT *dbt, struct str bytes)
{
	memset(dbt, 0, sizeof(*dbt));
	dbt->data = (void *)(uintptr_t)bytes.data;
	dbt->size = (uint32_t)bytes.len;
}

static struct str
dbt_view(const DBT *dbt)
{
	return str_of(dbt->data, dbt->size);
}

static int
read_entry(struct bdb *bdb, struct arena *arena, struct str key,
	struct str bytes, struct dict_entry *entry_out, struct err *err)
{
	size_t i;

	if (bytes.len < EXPIRES_BYTES)
		return fail(bdb, "read an entry", EINVAL, err);
	entry_out->expires_s = 0;
	for (i = EXPIRES_BYTES; i-- > 0;)
		entry_out->expires_s = entry_out->expires_s << 8 |
		                       (unsigned char)bytes.data[i];
	entry_out->key = arena_copy(arena, key);
	entry_out->value = arena_copy(arena, str_skip(bytes, EXPIRES_BYTES));
	return 0;
}

static struct str
write_value(struct bdb *bdb, const struct dict_entry *entry)
{
	size_t i;

	buf_reset(&bdb->value);
	for (i = 0; i < EXPIRES_BYTES; i++)
		buf_add_char(&bdb->value,
			(char)(unsigned char)(entry->expires_s >> (8 * i)));
	buf_add(&bdb->value, entry->value);
	return buf_view(&bdb->value);
}

static enum lookup
bdb_get(struct dict *dict, struct arena *arena, struct str key,
	struct dict_entry *entry_out, struct err *err)
{
	struct bdb *bdb = own(dict);
	DBT key_dbt, value_dbt;
	int code;

	set_dbt(&key_dbt, key);
	set_dbt(&value_dbt, STR_EMPTY);
	guard_begin(bdb);
	code = bdb->db->get(bdb->db, bdb->transaction, &key_dbt, &value_dbt, 0);
	guard_end(bdb);
	if (code == DB_NOTFOUND)
		return LOOKUP_NONE;
	if (code != 0)
		fail(bdb, "read", code, err);
	else if (read_entry(bdb, arena, key, dbt_view(&value_dbt), entry_out,
			 err) == 0)
		return LOOKUP_FOUND;
	return LOOKUP_ERROR;
}

static int
bdb_put(struct dict *dict, const struct dict_entry *entry, struct err *err)
{
	struct bdb *bdb = own(dict);
	DBT key, value;
	int code;

	set_dbt(&key, entry->key);
	set_dbt(&value, write_value(bdb, entry));
	/* What it replaces is in the log, too. */
	bdb->logged += key.size + 2 * value.size + CHANGE_BYTES;
	guard_begin(bdb);
	code = bdb->db->put(bdb->db, bdb->transaction, &key, &value, 0);
	guard_end(bdb);
	return code == 0 ? 0 : fail(bdb, "write", code, err);
}

static int
bdb_remove(struct dict *dict, struct str key, struct err *err)
{
	struct bdb *bdb = own(dict);
	DBT key_dbt;
	int code;

	set_dbt(&key_dbt, key);
	/* What is deleted is in the log, too. */
	bdb->logged += 2 * CHANGE_BYTES;
	guard_begin(bdb);
	code = bdb->db->del(bdb->db, bdb->transaction, &key_dbt, 0);
	guard_end(bdb);
	if (code == 0 || code == DB_NOTFOUND)
		return 0;
	return fail(bdb, "delete", code, err);
}

static int
walk_cursor(struct bdb *bdb, DBC *cursor, struct arena *arena, struct str after,
	size_t most, struct dict_entry *entries, size_t *count_out,
	struct err *err)
{
	DBT key, value;
	int code;

	set_dbt(&key, after);
	set_dbt(&value, STR_EMPTY);
	code = cursor->get(
		cursor, &key, &value, after.len > 0 ? DB_SET_RANGE : DB_FIRST);
	if (code == 0 && after.len > 0 && str_equal(dbt_view(&key), after))
		code = cursor->get(cursor, &key, &value, DB_NEXT);
	while (code == 0) {
		if (read_entry(bdb, arena, dbt_view(&key), dbt_view(&value),
			    &entries[(*count_out)++], err) < 0)
			return -1;
		if (*count_out == most)
			return 0;
		code = cursor->get(cursor, &key, &value, DB_NEXT);
	}
	return code == DB_NOTFOUND ? 0 : fail(bdb, "walk", code, err);
}

static int
bdb_walk(struct dict *dict, struct arena *arena, struct str after, size_t most,
	struct dict_entry *entries, size_t *count_out, struct err *err)
{
	struct bdb *bdb = own(dict);
	DBC *cursor;
	int code, result;

	*count_out = 0;
	guard_begin(bdb);
	code = bdb->db->cursor(bdb->db, bdb->transaction, &cursor, 0);
	if (code == 0) {
		result = walk_cursor(bdb, cursor, arena, after, most, entries,
			count_out, err);
		code = cursor->close(cursor);
		if (result == 0 && code != 0)
			result = fail(bdb, "end a walk", code, err);
	} else {
		result = fail(bdb, "begin a walk", code, err);
	}
	guard_end(bdb);
	return result;
}

static void
bdb_well(struct dict *dict)
{
	struct bdb *bdb = own(dict);

	if (!bdb->dict.is_broken && count_troubles(bdb) > 0)
		set_troubles(bdb, 0);
}

static const struct dict_driver bdb_driver = {
	.close = bdb_close,
	.has_room = bdb_has_room,
	.begin = bdb_begin,
	.commit = bdb_commit,
	.abort = bdb_abort,
	.get = bdb_get,
	.put = bdb_put,
	.remove = bdb_remove,
	.walk = bdb_walk,
	.well = bdb_well,
};

static uint64_t
or_default(uint64_t value, uint64_t standard)
{
	return value > 0 ? value : standard;
}

static struct bdb *
prepare(const struct dict_bdb_options *options)
{
	struct bdb *bdb = memory_get(sizeof(*bdb));

	bdb->dict.driver = &bdb_driver;
	bdb->arena = arena_open();
	bdb->options.folder = arena_text(bdb->arena, str_from(options->folder));
	bdb->options.cache_bytes =
		or_default(options->cache_bytes, CACHE_BYTES);
	bdb->options.reserve_bytes =
		or_default(options->reserve_bytes, RESERVE_BYTES);
	bdb->options.hang_ms = or_default(options->hang_ms, HANG_MS);
	bdb->environment_path =
		arena_format(bdb->arena, "%s/db", options->folder);
	bdb->trouble_path =
		arena_format(bdb->arena, "%s/db.trouble", options->folder);
	bdb->lock = -1;
	buf_init(&bdb->value, EXPIRES_BYTES + DICT_VALUE_MAX);
	return bdb;
}

enum lookup
dict_open_bdb(const struct dict_bdb_options *options, struct dict **dict_out,
	struct err *err)
{
	struct bdb *bdb = prepare(options);
	enum lookup result = take_lock(bdb, err);

	if (result == LOOKUP_FOUND && open_locked(bdb, err) < 0)
		result = LOOKUP_ERROR;
	*dict_out = &bdb->dict;
	if (result != LOOKUP_FOUND)
		dict_close(dict_out);
	return result;
}
