/* A line of what was decided: whatever a user has put into the own file.
 *
 * What was read can be written, and is read again as the same.
 *
 * SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "deliver/decision.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_same(struct str a, struct str b)
{
	if (!str_equal(a, b))
		BUG("what was written is read as something else");
}

static void
write_and_read(struct arena *arena, const struct decision *decision)
{
	struct decision again;
	struct buf line;

	buf_init(&line, DECISION_LINE_MAX);
	decision_write(&line, decision);
	if (line.overflowed)
		BUG("a line has no place");
	if (str_find_char(buf_view(&line), '\n') != line.len - 1)
		BUG("a line ends before its end");
	if (!decision_read(arena, buf_view(&line), &again))
		BUG("what was written cannot be read");
	if (again.time_s != decision->time_s ||
		again.action_count > decision->action_count ||
		again.script_count > decision->script_count)
		BUG("what was written is read as something else");
	/* Others may have been cut, or be no UTF-8. */
	if (decision->outcome.len < 100 && utf8_is_valid(decision->outcome))
		check_same(again.outcome, decision->outcome);
	buf_clear(&line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_open();
	struct str bytes = str_of((const char *)data, size);
	struct decision decision;

	(void)decision_message_id(arena, bytes);
	if (decision_read(arena, bytes, &decision))
		write_and_read(arena, &decision);
	arena_close(&arena);
	return 0;
}
