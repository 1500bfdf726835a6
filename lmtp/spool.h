/* spool - a message while it comes in
 *
 *   up to SPOOL_INLINE bytes   in memory of ours; travels within a frame
 *   longer                     a memory file while the budget lasts
 *   what the budget refuses    a file without a name in mail_temp_dir
 *
 * All memory that clients can make the front take is counted in one budget, so
 * that no number of them can exhaust it: messages may have most of it, the rest
 * is for what connections and transactions need besides (spool_budget_take()).
 * When that is used up, too, no further recipient is accepted for now.
 *
 * Adding never fails at once: the rest of the message has to be read anyhow.  What
 * went wrong is told at the end.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LMTP_SPOOL_H
#define LMTP_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"
#include "server/wire.h"

enum {
	SPOOL_INLINE = WIRE_INLINE_MAX,
	/* Of the budget's parts messages leave one to everything else. */
	SPOOL_BUDGET_PARTS = 8
};

struct spool_budget {
	uint64_t memory_max; /* bytes in memory, of all sessions together */
	uint64_t memory_used;
	uint64_t message_max; /* bytes of one message; 0 = no limit */
	const char *folder;   /* mail_temp_dir */
	int folder_fd; /* the same; -1: it cannot be opened, folder_errno */
	int folder_errno;
};

/* The path stays the caller's. */
void spool_budget_open(struct spool_budget *budget, const char *folder);
void spool_budget_close(struct spool_budget *budget);

/* What is not a message and cannot be refused: counted, whatever is left. */
static inline void
spool_budget_take(struct spool_budget *budget, uint64_t bytes)
{
	budget->memory_used += bytes;
}

static inline void
spool_budget_give(struct spool_budget *budget, uint64_t bytes)
{
	budget->memory_used -= bytes;
}

static inline bool
spool_budget_is_full(const struct spool_budget *budget)
{
	return budget->memory_used >= budget->memory_max;
}

struct spool;

struct spool *spool_open(struct spool_budget *budget);
void spool_close(struct spool **spool);

void spool_add(struct spool *spool, struct str bytes);

/* 0: the whole message is there.  -1: ERR_TOO_BIG 5.2.3, or temporary: 4.3.1 no
 * space, 4.3.0.  Nothing may be added any more; a memory file is sealed. */
MUST_USE int spool_end(struct spool *spool, struct err *err);

/* After spool_end(). */
uint64_t spool_size(const struct spool *spool);
/* Its bytes when it is in memory of ours (then *file_out is -1), else the file,
 * which stays the spool's. */
struct str spool_content(const struct spool *spool, int *file_out);
/* Everybody who needs the content has it: it is given back, the size stays. */
void spool_forget(struct spool *spool);

#endif
