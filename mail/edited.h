/* edited - a message as a script has changed it
 *
 *   X-New: a                 added on top, the newest first
 *   [start, 120) [155, 300)  what is left of the message's own fields
 *   X-Last: b                added at the end
 *   (empty line) body        the message's own, or other text
 *
 * Only what differs from the message is held: one bit for each of its fields,
 * and the new text.  No byte of the message is copied, and every edit takes the
 * same time however many there were.  Lines of the header block that are no
 * fields stay.
 *
 * A field of the message is known by the same pointer as from
 * message_field_next(); the pointer to a new one is valid as long as the arena.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MAIL_EDITED_H
#define MAIL_EDITED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"
#include "mail/content.h"
#include "mail/message.h"

struct edited;

/* Nothing is changed yet.  It and all that is added to it live in the arena. */
struct edited *edited_of(struct arena *arena, const struct message *message);

/* Another one that says the same; edits of either do not touch the other. */
struct edited *edited_copy(struct arena *arena, const struct edited *edited);

const struct message *edited_message(const struct edited *edited);

/* The next field called `name` (case does not matter) after `after`, in the
 * order of the header as it is now; NULL at the end.  `after` may have been
 * deleted since the last call. */
const struct header_field *edited_field_next(const struct edited *edited,
	struct str name, const struct header_field *after);

/* The same whatever the name is. */
const struct header_field *edited_field_after(
	const struct edited *edited, const struct header_field *after);

/* How many fields a walk has to look at. */
size_t edited_field_count(const struct edited *edited);

/* Adds "name: value LF".  `value` may hold folds, with LF as line ends, and is
 * copied; whether it may stand in a header is the caller's to know. */
void edited_add(
	struct edited *edited, struct str name, struct str value, bool at_end);

void edited_delete(struct edited *edited, const struct header_field *field);

/* In place of what stands behind the empty line.  The pieces' texts stay the
 * caller's; they live as long as the arena. */
void edited_set_body(struct edited *edited, const struct content_piece *pieces,
	size_t count);

/* The whole message becomes a part of the body of a new one that has no fields yet:
 * `before` and `behind` stand around it there.  Both stay the caller's. */
void edited_enclose(
	struct edited *edited, struct str before, struct str behind);

/* The message as it was before it was enclosed for the first time; NULL when it
 * was not. */
const struct content *edited_innermost(const struct edited *edited);

/* Ranges of the body are told by where their bytes are at this moment, the body's
 * first byte being at `start`, whatever is done to the message from now on. */
void edited_mark_body(struct edited *edited, uint64_t start);

/* `text` in place of [from, to), and of what has been put there before.  False when
 * those bytes are no longer there because something around them was replaced. */
bool edited_replace(
	struct edited *edited, uint64_t from, uint64_t to, struct str text);

/* What one edited_replace() has to look at. */
size_t edited_body_count(const struct edited *edited);

/* Bytes that edited_content() needs of an arena. */
uint64_t edited_content_cost(const struct edited *edited);

/* As it will be stored or sent.  Lives in the arena, which has to live as long as
 * that of the edits does. */
const struct content *edited_content(
	struct arena *arena, const struct edited *edited);

/* Every line end counted as CR LF.  -1 with 4.3.0 when the message has to be read
 * for that (a body of pieces) and cannot be. */
MUST_USE int edited_size_crlf(
	const struct edited *edited, uint64_t *size_out, struct err *err);

#endif
