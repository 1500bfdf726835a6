/* SPDX-License-Identifier: MIT */
#include "lmtp/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"

#include "base/banned.h"

enum { FIRST_BYTES = 4096, COPY_BYTES = 64 * 1024 };

struct spool {
	struct spool_budget *budget;
	uint64_t size;
	uint64_t counted; /* bytes of ours in the budget */
	char *bytes;      /* while it is in memory of ours */
	size_t room;      /* at `bytes` */
	int file;         /* -1: in memory of ours */
	bool is_memory_file;
	struct err *err; /* once it is broken */
};

struct spool *
spool_open(struct spool_budget *budget)
{
	struct spool *spool = memory_get(sizeof(*spool));

	spool->budget = budget;
	spool->file = -1;
	return spool;
}

/* ---- the budget ---- */

/* Later the folder cannot be reached by its name (base/sandbox.h). */
void
spool_budget_open(struct spool_budget *budget, const char *folder)
{
	budget->folder = folder;
	budget->folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	budget->folder_errno = errno;
	if (budget->folder_fd < 0)
		log_error("mail_temp_dir = %s: %s", folder, strerror(errno));
}

void
spool_budget_close(struct spool_budget *budget)
{
	fd_close(&budget->folder_fd);
}

static int
open_temporary(const struct spool_budget *budget)
{
	if (budget->folder_fd >= 0)
		return fd_temporary_at(budget->folder_fd);
	errno = budget->folder_errno;
	return -1;
}

/* Messages may not have all of it. */
static bool
take(struct spool *spool, uint64_t bytes)
{
	struct spool_budget *budget = spool->budget;
	uint64_t most =
		budget->memory_max - budget->memory_max / SPOOL_BUDGET_PARTS;

	if (budget->memory_used > most || bytes > most - budget->memory_used)
		return false;
	spool_budget_take(budget, bytes);
	spool->counted += bytes;
	return true;
}

static void
give(struct spool *spool, uint64_t bytes)
{
	spool_budget_give(spool->budget, bytes);
	spool->counted -= bytes;
}

void
spool_forget(struct spool *spool)
{
	memory_free(spool->bytes);
	spool->bytes = NULL;
	spool->room = 0;
	fd_close(&spool->file);
	give(spool, spool->counted);
}

void
spool_close(struct spool **spool)
{
	if (*spool == NULL)
		return;
	spool_forget(*spool);
	memory_free((*spool)->err);
	memory_free(*spool);
	*spool = NULL;
}

/* ---- trouble ---- */

/* From here on only the size is counted. */
static struct err *
refuse(struct spool *spool)
{
	spool->err = memory_get(sizeof(*spool->err));
	return spool->err;
}

static void
refuse_too_big(struct spool *spool)
{
	err_set(refuse(spool), ERR_TOO_BIG, "5.2.3",
		"Message size exceeds administrative limit");
	spool_forget(spool);
}

/* No space, no descriptor: room comes back.  Anything else is a fault. */
static void
refuse_storage(struct spool *spool)
{
	bool is_space = errno == ENOSPC || errno == EDQUOT || errno == EFBIG ||
	                errno == ENOMEM || errno == EMFILE || errno == ENFILE;
	int reason = errno;
	struct err *err = refuse(spool);

	errno = reason;
	err_temp_errno(err, is_space ? "4.3.1" : "4.3.0",
		"cannot store a message in %s", spool->budget->folder);
	spool_forget(spool);
}

/* ---- memory of ours ---- */

static size_t
grown(size_t room, size_t needed)
{
	if (room == 0)
		room = FIRST_BYTES;
	while (room < needed)
		room *= 2;
	return room;
}

/* False: too long for it, or the budget has nothing left. */
static bool
add_inline(struct spool *spool, struct str bytes)
{
	size_t needed = (size_t)spool->size + bytes.len;

	if (spool->file >= 0 || needed > SPOOL_INLINE)
		return false;
	if (needed > spool->room) {
		size_t room = grown(spool->room, needed);

		if (!take(spool, room - spool->room))
			return false;
		spool->bytes = memory_resize(spool->bytes, room);
		spool->room = room;
	}
	memcpy(spool->bytes + spool->size, bytes.data, bytes.len);
	return true;
}

/* ---- files ---- */

static int
open_memory_file(struct spool *spool)
{
	spool->file = memfd_create("message", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	spool->is_memory_file = spool->file >= 0;
	return spool->file;
}

/* Memory of ours goes to a file; `more` is what will be added to it next. */
static void
move_to_file(struct spool *spool, size_t more)
{
	struct str held = str_of(spool->bytes, (size_t)spool->size);
	uint64_t in_memory = spool->room;
	bool has_memory = take(spool, held.len + more);

	if (!has_memory || open_memory_file(spool) < 0) {
		if (has_memory)
			give(spool, held.len + more);
		spool->is_memory_file = false;
		spool->file = open_temporary(spool->budget);
	}
	if (spool->file < 0 || fd_write(spool->file, held) < 0) {
		refuse_storage(spool);
		return;
	}
	memory_free(spool->bytes);
	spool->bytes = NULL;
	spool->room = 0;
	give(spool, in_memory);
}

static int
copy_file(int from, int to, uint64_t size)
{
	char *bytes = memory_get(COPY_BYTES);
	uint64_t done = 0;
	int result = 0;

	while (result == 0 && done < size) {
		ssize_t got = fd_read_at(from, bytes, COPY_BYTES, done);

		if (got <= 0) {
			result = -1;
			break;
		}
		result = fd_write(to, str_of(bytes, (size_t)got));
		done += (uint64_t)got;
	}
	memory_free(bytes);
	return result;
}

/* The budget has no more for a message that is in a memory file. */
static void
move_to_folder(struct spool *spool)
{
	int file = open_temporary(spool->budget);

	if (file < 0 || copy_file(spool->file, file, spool->size) < 0) {
		refuse_storage(spool);
		fd_close(&file);
		return;
	}
	spool_forget(spool);
	spool->file = file;
	spool->is_memory_file = false;
}

static void
add_to_file(struct spool *spool, struct str bytes)
{
	bool is_new = spool->file < 0;

	if (is_new)
		move_to_file(spool, bytes.len);
	else if (spool->is_memory_file && !take(spool, bytes.len))
		move_to_folder(spool);
	if (spool->err == NULL && fd_write(spool->file, bytes) < 0)
		refuse_storage(spool);
}

void
spool_add(struct spool *spool, struct str bytes)
{
	uint64_t most = spool->budget->message_max;

	if (bytes.len == 0)
		return;
	if (spool->err == NULL && most > 0 && spool->size + bytes.len > most)
		refuse_too_big(spool);
	if (spool->err == NULL && !add_inline(spool, bytes))
		add_to_file(spool, bytes);
	spool->size += bytes.len;
}

/* ---- the end ---- */

int
spool_end(struct spool *spool, struct err *err)
{
	const int seals =
		F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

	if (spool->err == NULL && spool->is_memory_file &&
		fcntl(spool->file, F_ADD_SEALS, seals) < 0)
		refuse_storage(spool);
	if (spool->err == NULL)
		return 0;
	*err = *spool->err;
	return -1;
}

uint64_t
spool_size(const struct spool *spool)
{
	return spool->size;
}

struct str
spool_content(const struct spool *spool, int *file_out)
{
	*file_out = spool->file;
	if (spool->file >= 0 || spool->bytes == NULL)
		return STR_EMPTY;
	return str_of(spool->bytes, (size_t)spool->size);
}
