/* confine - what each kind of process keeps for its work
 *
 * The table is docs/decisions/isolation.md's; base/sandbox.h does it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_CONFINE_H
#define SERVER_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/err.h"
#include "ipc/frame.h"
#include "server/child.h"

/* Gives up all that the child's kind does not need, before its first thread and
 * its first byte from outside.  `folders`: what it has to read beyond what its kind
 * always reads.  A child that a test plays (not child->is_real) keeps all.  Then
 * child->confinement says in words what confines it.  Errors: 4.3.5. */
MUST_USE int confine(struct child *child, const char *const *folders,
	size_t folder_count, struct err *err);

/* Do programs that a process of this kind executes need the rights which files may
 * give them (setuid, setgid)?  Master leaves it its bounding set then. */
bool confine_keeps_rights(enum wire_kind kind, const struct settings *settings);

/* READY, with those words. */
void confine_ready(const struct child *child, struct frame *frame);

#endif
