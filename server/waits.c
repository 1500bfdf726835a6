/* SPDX-License-Identifier: MIT */
#include "server/waits.h"

#include <string.h>

#include "base/banned.h"

/* What is left is for mail that waits for nobody. */
enum { MAIL_PART = 2, PROGRAM_PART = 4 };

/* A limit that leaves nothing would be an odd way to forbid redirects. */
static size_t
share_of(size_t workers, uint64_t limit, size_t part)
{
	size_t share = limit > 0 && limit < workers ? (size_t)limit : workers;

	if (limit == 0)
		share = workers / part;
	return share > 0 ? share : 1;
}

void
waits_init(struct waits *waits, size_t workers, uint64_t mail_limit,
	uint64_t program_limit)
{
	memset(waits, 0, sizeof(*waits));
	waits->limits[WIRE_WAIT_MAIL] =
		share_of(workers, mail_limit, MAIL_PART);
	waits->limits[WIRE_WAIT_PROGRAM] =
		share_of(workers, program_limit, PROGRAM_PART);
}

bool
waits_begin(struct waits *waits, struct waiter *waiter, enum wire_wait what)
{
	if (waiter->is_waiting[what])
		return true;
	if (waits->counts[what] >= waits->limits[what]) {
		waits->refused[what]++;
		return false;
	}
	waiter->is_waiting[what] = true;
	waits->counts[what]++;
	return true;
}

void
waits_end(struct waits *waits, struct waiter *waiter, enum wire_wait what)
{
	if (!waiter->is_waiting[what])
		return;
	waiter->is_waiting[what] = false;
	waits->counts[what]--;
}

void
waits_end_all(struct waits *waits, struct waiter *waiter)
{
	waits_end(waits, waiter, WIRE_WAIT_MAIL);
	waits_end(waits, waiter, WIRE_WAIT_PROGRAM);
}
