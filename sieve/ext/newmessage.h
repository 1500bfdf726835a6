/* newmessage - what replace and enclose have in common (RFC 5703 5, 6)
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_EXT_NEWMESSAGE_H
#define SIEVE_EXT_NEWMESSAGE_H

#include "base/attributes.h"
#include "base/str.h"
#include "sieve/check.h"
#include "sieve/evaluate.h"
#include "sieve/part.h"

/* The text behind a tag :subject or :from; `use` may be NULL. */
void newmessage_check_subject(
	struct checker *checker, const struct tag_use *use);
void newmessage_check_from(struct checker *checker, const struct tag_use *use);

/* As the field's text, folded and encoded; in the result's arena. */
MUST_USE enum sieve_status newmessage_read_subject(
	struct run *run, const struct tag_use *use, struct str *value_out);
MUST_USE enum sieve_status newmessage_read_from(
	struct run *run, const struct tag_use *use, struct str *value_out);

/* What such a text costs to be written. */
MUST_USE enum sieve_status newmessage_charge(struct run *run, struct str text);

/* Is it one address, with a name or without, that can be written? */
bool newmessage_is_sender(struct arena *arena, struct str text);

/* The field gets another text; what it had is preserved under the name
 * `original`. */
void newmessage_set(struct run *run, struct str name, struct str original,
	struct str value);

/* The message's body, and the fields that describe it (Content-..., RFC 2045), are
 * those of this entity; its other fields stay. */
MUST_USE enum sieve_status newmessage_set_entity(
	struct run *run, struct str entity);

/* Nothing of the old one is left; in the result's arena. */
MUST_USE enum sieve_status newmessage_set_message(
	struct run *run, struct str text);

/* Before the body is changed in a loop: its parts stay where the loop has found
 * them. */
void newmessage_mark_body(struct run *run, const struct parts *parts);

/* Is it one of the fields that describe a body? */
bool newmessage_is_mime_field(struct str name);

#endif
