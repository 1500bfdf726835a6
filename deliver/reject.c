/* SPDX-License-Identifier: MIT */
#include "deliver/reject.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "mail/compose.h"
#include "sieve/sieve.h"
#include "deliver/deliver.h"

#include "base/banned.h"

#define NO_REASON "Message refused by the recipient's mail filter"
#define CUT_MARK "\n[...]"

/* UTF-8 without NUL, so that it can be a text of C; LF line ends. */
static struct str
clean_reason(struct arena *arena, struct str reason)
{
	struct buf clean;
	struct str result;
	size_t i;

	buf_init(&clean, BUF_UNLIMITED);
	utf8_add_repaired(&clean, reason);
	for (i = 0; i < clean.len; i++)
		if (clean.data[i] == '\0')
			clean.data[i] = '?';
	result = compose_lf(
		arena, arena_copy(arena, str_trim(buf_view(&clean))));
	buf_clear(&clean);
	return result;
}

void
reject_tell(struct delivery *delivery, const struct sieve_action *refusal)
{
	enum { ROOM = sizeof(delivery->err.text) - sizeof(CUT_MARK) };
	struct arena *scratch = arena_open();
	struct str reason = clean_reason(scratch, refusal->reject.reason);
	struct str shown = utf8_cut(reason, ROOM);

	if (reason.len == 0)
		shown = STR(NO_REASON);
	err_set(&delivery->err, ERR_REFUSED, "5.7.1", "%.*s%s", STR_ARG(shown),
		shown.len < reason.len ? CUT_MARK : "");
	delivery->outcome = DELIVER_REFUSED;
	arena_close(&scratch);
}
