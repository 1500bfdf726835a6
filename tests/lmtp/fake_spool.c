/* SPDX-License-Identifier: MIT */
#include "tests/lmtp/fake_spool.h"

#include "base/buf.h"
#include "base/memory.h"

#include "base/banned.h"

struct spool {
	const struct spool_budget *budget;
	struct buf bytes;
	bool is_ended;
};

int fake_spool_count;

struct spool *
spool_open(struct spool_budget *budget)
{
	struct spool *spool = memory_get(sizeof(*spool));

	spool->budget = budget;
	buf_init(&spool->bytes, BUF_UNLIMITED);
	fake_spool_count++;
	return spool;
}

void
spool_close(struct spool **spool)
{
	buf_clear(&(*spool)->bytes);
	memory_free(*spool);
	*spool = NULL;
	fake_spool_count--;
}

void
spool_add(struct spool *spool, struct str bytes)
{
	if (spool->is_ended)
		BUG("bytes behind the end");
	if (bytes.len == 0)
		BUG("a piece of nothing");
	buf_add(&spool->bytes, bytes);
}

int
spool_end(struct spool *spool, struct err *err)
{
	const struct spool_budget *budget = spool->budget;

	spool->is_ended = true;
	if (str_is(str_from(budget->folder), "full"))
		return err_set(err, ERR_TEMPORARY, "4.3.1", "No space left");
	if (budget->message_max > 0 && spool->bytes.len > budget->message_max)
		return err_set(err, ERR_TOO_BIG, "5.2.3",
			"Message size exceeds administrative limit");
	return 0;
}

uint64_t
spool_size(const struct spool *spool)
{
	return spool->bytes.len;
}

struct str
spool_content(const struct spool *spool, int *file_out)
{
	*file_out = -1;
	return buf_view(&spool->bytes);
}
