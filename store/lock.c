/* SPDX-License-Identifier: MIT */
#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/number.h"
#include "base/privilege.h"
#include "store/failure.h"

#include "base/banned.h"

enum {
	PAUSE_FIRST_MS = 2, /* between two tries; grows */
	PAUSE_MOST_MS = 50,
	HOLDER_MAX = 300 /* bytes of a lock file that are looked at */
};

/* ---- the lock file ---- */

/* Who made the lock file, as it says so itself. */
struct holder {
	pid_t pid; /* 0: it does not say */
	char host[256];
	uid_t owner;
};

static bool
is_refusal(int reason)
{
	return reason == EACCES || reason == EPERM || reason == EROFS;
}

/* -1 with errno.  Where the folder is for a group we may use only now and then,
 * it is used. */
static int
make_file(const char *path)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
	int fd = open(path, flags, 0600);

	if (fd < 0 && errno == EACCES && privilege_begin_spool()) {
		fd = open(path, flags, 0600);
		privilege_end_spool();
	}
	return fd;
}

static int
link_file(const char *from, const char *to)
{
	int result = link(from, to);

	if (result < 0 && errno == EACCES && privilege_begin_spool()) {
		result = link(from, to);
		privilege_end_spool();
	}
	return result;
}

static int
remove_file(const char *path)
{
	int result = unlink(path);

	if (result < 0 && errno == EACCES && privilege_begin_spool()) {
		result = unlink(path);
		privilege_end_spool();
	}
	return result;
}

/* Makes a file that says who we are; -1 with errno. */
static int
make_signed_file(const char *path)
{
	char text[HOLDER_MAX];
	int fd = make_file(path), reason;

	if (fd < 0)
		return -1;
	snprintf(text, sizeof(text), "%ld:%s", (long)clock_pid(), clock_host());
	/* Whoever waits for it may want to know whom to ask. */
	if (fchmod(fd, 0644) == 0 && fd_write(fd, str_from(text)) == 0)
		return fd;
	reason = errno;
	fd_close(&fd);
	(void)remove_file(path);
	errno = reason;
	return -1;
}

/* Where O_EXCL cannot be trusted: only one of several links succeeds.  Over NFS
 * the answer may have been lost, the count of links tells. */
static int
make_by_link(const char *path)
{
	char name[4096];
	struct stat made;
	int fd, reason, len;

	len = snprintf(name, sizeof(name), "%s.%s.%ld", path, clock_host(),
		(long)clock_pid());
	if (len < 0 || (size_t)len >= sizeof(name)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	(void)remove_file(name); /* left by an earlier process of our number */
	fd = make_signed_file(name);
	if (fd < 0)
		return -1;
	if (link_file(name, path) < 0) {
		reason = errno;
		if (fstat(fd, &made) < 0 || made.st_nlink != 2)
			fd_close(&fd);
		errno = reason;
	}
	reason = errno;
	(void)remove_file(name);
	errno = reason;
	return fd;
}

static void
read_holder(const char *path, const struct stat *found, struct holder *holder)
{
	char text[HOLDER_MAX];
	struct str rest, pid;
	uint64_t number;
	ssize_t got = -1;
	int fd;

	*holder = (struct holder){.owner = found->st_uid};
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd >= 0)
		got = fd_read(fd, text, sizeof(text));
	fd_close(&fd);
	rest = str_trim(str_of(text, got > 0 ? (size_t)got : 0));
	if (!str_next_field(&rest, ':', &pid) ||
		number_parse(str_trim(pid), &number) < 0 || number == 0 ||
		number > INT32_MAX)
		return;
	holder->pid = (pid_t)number;
	snprintf(holder->host, sizeof(holder->host), "%.*s", STR_ARG(rest));
}

/* ---- forgotten lock files ---- */

static int64_t
ms_of(struct timespec time)
{
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static int64_t
later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t
changed_ms(const struct stat *file)
{
	return later(ms_of(file->st_mtim), ms_of(file->st_ctim));
}

/* A process id without a host might be another machine's. */
static bool
is_dead(const struct holder *holder)
{
	return holder->pid > 0 && strcmp(holder->host, clock_host()) == 0 &&
	       kill(holder->pid, 0) < 0 && errno == ESRCH;
}

static bool
is_forgotten(const struct lock *lock, const struct stat *dot)
{
	int64_t now = ms_of(clock_now()), unchanged = now - changed_ms(dot);
	struct holder holder;
	struct stat file;

	if (unchanged < LOCK_DEAD_MS &&
		unchanged < (int64_t)lock->settings.stale_ms)
		return false;
	read_holder(lock->dot_path, dot, &holder);
	if (unchanged >= LOCK_DEAD_MS && is_dead(&holder))
		return true;
	/* Whoever holds it may be busy writing. */
	if (fstat(lock->fd, &file) < 0)
		return false;
	return now - later(changed_ms(dot), changed_ms(&file)) >=
	       (int64_t)lock->settings.stale_ms;
}

static bool
is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       ms_of(a->st_ctim) == ms_of(b->st_ctim);
}

static void
remove_forgotten(const struct lock *lock, const struct stat *judged)
{
	struct stat now;

	if (lstat(lock->dot_path, &now) < 0 || !is_same_file(&now, judged))
		return;
	log_warning("%s is forgotten: removing it", lock->dot_path);
	if (remove_file(lock->dot_path) < 0 && errno != ENOENT)
		log_error("unlink(%s) failed: %s", lock->dot_path,
			strerror(errno));
}

/* Of two that judged the same file, the slower would remove the new lock of the
 * quicker: one at a time, and each looks again.  A program that holds this lock
 * for its own use shows that the file is in use.  (If it is one of ours, it is
 * given back before the next try anyway.) */
static void
break_if_forgotten(const struct lock *lock)
{
	struct stat dot;

	if (lstat(lock->dot_path, &dot) < 0 || !is_forgotten(lock, &dot))
		return;
	if (flock(lock->fd, LOCK_EX | LOCK_NB) < 0)
		return;
	remove_forgotten(lock, &dot);
	(void)flock(lock->fd, LOCK_UN);
}

/* ---- one kind each: FOUND it is ours now, NONE somebody else's ---- */

static void
explain_refusal(const struct lock *lock, struct err *err)
{
	struct err why;

	failure(&why, "open", lock->dot_path);
	err_temp(err, why.status, "%s; %s", why.detail,
		lock->settings.refusal_hint != NULL
			? lock->settings.refusal_hint
			: "mail_privileged_group = the folder's group helps "
			  "where root starts us, else dotlock_try in "
			  "mbox_write_locks, or no dotlock");
}

static enum lookup
try_dotlock(struct lock *lock, bool is_needed, struct err *err)
{
	struct stat made;
	int fd;

	if (lock->has_dot)
		return LOOKUP_FOUND;
	fd = lock->settings.dotlock_by_link ? make_by_link(lock->dot_path)
	                                    : make_signed_file(lock->dot_path);
	if (fd < 0 && errno == EEXIST) {
		break_if_forgotten(lock);
		return LOOKUP_NONE;
	}
	if (fd < 0 && is_refusal(errno)) {
		if (!is_needed)
			return LOOKUP_FOUND;
		explain_refusal(lock, err);
		return LOOKUP_ERROR;
	}
	if (fd < 0 || fstat(fd, &made) < 0) {
		failure(err, "open", lock->dot_path);
		fd_close(&fd);
		return LOOKUP_ERROR;
	}
	fd_close(&fd);
	lock->has_dot = true;
	lock->dot_device = made.st_dev;
	lock->dot_inode = made.st_ino;
	return LOOKUP_FOUND;
}

static void
release_dotlock(struct lock *lock)
{
	struct stat found;

	if (!lock->has_dot)
		return;
	lock->has_dot = false;
	if (lstat(lock->dot_path, &found) < 0 ||
		found.st_dev != lock->dot_device ||
		found.st_ino != lock->dot_inode)
		log_warning("%s was removed by another program while we held "
			    "it",
			lock->dot_path);
	else if (remove_file(lock->dot_path) < 0)
		log_error("unlink(%s) failed: %s", lock->dot_path,
			strerror(errno));
}

static struct flock
whole_file(short type)
{
	return (struct flock){.l_type = type, .l_whence = SEEK_SET};
}

/* Waiting is done by lock_open(): F_SETLKW would know no end. */
static enum lookup
try_fcntl(const struct lock *lock, struct err *err)
{
	struct flock region = whole_file(F_WRLCK);

	if (fcntl(lock->fd, F_SETLK, &region) == 0)
		return LOOKUP_FOUND;
	if (errno == EAGAIN || errno == EACCES || errno == EINTR)
		return LOOKUP_NONE;
	failure(err, "fcntl", lock->path);
	return LOOKUP_ERROR;
}

static void
release_fcntl(const struct lock *lock)
{
	struct flock region = whole_file(F_UNLCK);

	(void)fcntl(lock->fd, F_SETLK, &region);
}

static enum lookup
try_flock(const struct lock *lock, struct err *err)
{
	if (flock(lock->fd, LOCK_EX | LOCK_NB) == 0)
		return LOOKUP_FOUND;
	if (errno == EWOULDBLOCK || errno == EINTR)
		return LOOKUP_NONE;
	failure(err, "flock", lock->path);
	return LOOKUP_ERROR;
}

static enum lookup
try_one(struct lock *lock, enum store_lock_kind kind, struct err *err)
{
	switch (kind) {
	case STORE_LOCK_DOTLOCK:
		return try_dotlock(lock, true, err);
	case STORE_LOCK_DOTLOCK_TRY:
		return try_dotlock(lock, false, err);
	case STORE_LOCK_FCNTL:
	case STORE_LOCK_LOCKF:
		return try_fcntl(lock, err);
	case STORE_LOCK_FLOCK:
		return try_flock(lock, err);
	}
	return LOOKUP_ERROR;
}

static void
release_one(struct lock *lock, enum store_lock_kind kind)
{
	switch (kind) {
	case STORE_LOCK_DOTLOCK:
	case STORE_LOCK_DOTLOCK_TRY:
		release_dotlock(lock);
		break;
	case STORE_LOCK_FCNTL:
	case STORE_LOCK_LOCKF:
		release_fcntl(lock);
		break;
	case STORE_LOCK_FLOCK:
		(void)flock(lock->fd, LOCK_UN);
		break;
	}
}

/* ---- all of them ---- */

static enum lookup
try_all(struct lock *lock, struct err *err)
{
	while (lock->held < lock->settings.count) {
		enum lookup found =
			try_one(lock, lock->settings.kinds[lock->held], err);

		if (found != LOOKUP_FOUND)
			return found;
		lock->held++;
	}
	return LOOKUP_FOUND;
}

void
lock_close(struct lock *lock)
{
	while (lock->held > 0)
		release_one(lock, lock->settings.kinds[--lock->held]);
}

static void
add_dotlock_holder(const struct lock *lock, struct buf *who)
{
	struct holder holder;
	struct stat found;

	if (lstat(lock->dot_path, &found) < 0)
		return;
	read_holder(lock->dot_path, &found, &holder);
	buf_add_format(who, "%s is there", lock->dot_path);
	if (holder.pid > 0)
		buf_add_format(who, ", made by process %ld%s%s",
			(long)holder.pid, holder.host[0] != '\0' ? " of " : "",
			holder.host);
	buf_add_format(who, ", owned by uid %ld", (long)holder.owner);
}

static void
add_fcntl_holder(const struct lock *lock, struct buf *who)
{
	struct flock region = whole_file(F_WRLCK);

	buf_add_text(who, "fcntl lock");
	if (fcntl(lock->fd, F_GETLK, &region) == 0 &&
		region.l_type != F_UNLCK && region.l_pid > 0)
		buf_add_format(who, " held by process %ld", (long)region.l_pid);
}

static int
timed_out(const struct lock *lock, enum store_lock_kind kind,
	uint64_t waited_ms, struct err *err)
{
	struct buf who;

	buf_init(&who, 300);
	switch (kind) {
	case STORE_LOCK_DOTLOCK:
	case STORE_LOCK_DOTLOCK_TRY:
		add_dotlock_holder(lock, &who);
		break;
	case STORE_LOCK_FCNTL:
	case STORE_LOCK_LOCKF:
		add_fcntl_holder(lock, &who);
		break;
	case STORE_LOCK_FLOCK:
		buf_add_text(&who, "flock lock");
		break;
	}
	err_temp(err, "4.2.0", "%s is locked, waited %llu ms: %s", lock->path,
		(unsigned long long)waited_ms, buf_text(&who));
	buf_clear(&who);
	return -1;
}

/* Not the same for all who wait, or they would meet again and again. */
static void
pause_before_try(unsigned tries, uint64_t left_ms)
{
	uint64_t most_ms =
		tries < 5 ? (uint64_t)PAUSE_FIRST_MS << tries : PAUSE_MOST_MS;
	uint16_t random;
	struct timespec pause = {0, 0};

	clock_random(&random, sizeof(random));
	if (most_ms > left_ms)
		most_ms = left_ms;
	pause.tv_nsec = (long)(most_ms * 1000000 / 2 +
			       most_ms * 500000 * random / UINT16_MAX);
	nanosleep(&pause, NULL);
}

static int
lock_init(struct lock *lock, const struct store_lock_settings *settings,
	const char *path, int fd, struct err *err)
{
	int len;

	*lock = (struct lock){.settings = *settings, .path = path, .fd = fd};
	if (settings->count == 0) {
		lock->settings.kinds[0] = STORE_LOCK_DOTLOCK;
		lock->settings.kinds[1] = STORE_LOCK_FCNTL;
		lock->settings.count = 2;
	}
	if (settings->timeout_ms == 0)
		lock->settings.timeout_ms = LOCK_TIMEOUT_MS;
	if (settings->stale_ms == 0)
		lock->settings.stale_ms = LOCK_STALE_MS;
	len = snprintf(lock->dot_path, sizeof(lock->dot_path), "%s.lock", path);
	if (len < 0 || (size_t)len >= sizeof(lock->dot_path))
		return err_temp(err, "4.3.0", "%s: path is too long", path);
	return 0;
}

int
lock_open(struct lock *lock, const struct store_lock_settings *settings,
	uint64_t deadline_ms, const char *path, int fd, struct err *err)
{
	uint64_t begin = clock_monotonic_ms(), end, now;
	enum store_lock_kind missing;
	unsigned tries;

	if (lock_init(lock, settings, path, fd, err) < 0)
		return -1;
	end = begin + lock->settings.timeout_ms;
	if (deadline_ms != 0 && deadline_ms < end)
		end = deadline_ms;
	for (tries = 0;; tries++) {
		enum lookup found = try_all(lock, err);

		if (found == LOOKUP_FOUND)
			return 0;
		missing = lock->settings.kinds[lock->held];
		lock_close(lock);
		if (found == LOOKUP_ERROR)
			return -1;
		now = clock_monotonic_ms();
		if (now >= end)
			return timed_out(lock, missing, now - begin, err);
		pause_before_try(tries, end - now);
	}
}
