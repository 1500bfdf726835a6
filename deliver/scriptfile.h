/* scriptfile - the text of a script, and whether it is still the same
 *
 * Private to deliver/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_SCRIPTFILE_H
#define DELIVER_SCRIPTFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/buf.h"
#include "base/filestate.h"

struct script_file_text {
	struct buf bytes;
	struct file_state state;
	bool is_settled; /* any other text will have another state */
};

/* `limit`: of the script's size, 0 = none; of a longer one there is enough to
 * tell that it is.  The caller clears `bytes` in any case.  False, with errno,
 * when it cannot be read. */
MUST_USE bool script_file_read(
	const char *path, uint64_t limit, struct script_file_text *text);

/* Equal for every path that leads to the same file. */
const char *script_file_identity(
	struct arena *arena, const struct file_state *state);

#endif
