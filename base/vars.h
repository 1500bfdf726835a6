/* vars - %u, %{user | domain} and the like (Dovecot 2.3 and 2.4)
 *
 * Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_VARS_H
#define BASE_VARS_H

#include <stddef.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"

/* Both names of a variable; a 0 `letter` or NULL `name` has no such form.
 * %n and %d, %{user | username} and %{user | domain} follow from "user" by
 * themselves when they are not in the table. */
struct var {
	char letter;
	const char *name;
	struct str value;
};

/* Puts the values in.  "%%" is a percent sign.  2.3: modifiers L U E X R N H M
 * D T and %offset.widthX; %{name}, %{if;a;op;b;then;else}, %{sha256;...:u}.
 * 2.4: %{name | filter | filter(args)}.
 * -1 with 4.3.5 and a detail that names the unknown variable or filter and where
 * in the template it stands.  The result lives in the arena. */
MUST_USE int vars_expand(struct arena *arena, struct str template,
        const struct var *vars, size_t count, struct str *text_out,
        struct err *err);

/* Only the check: would it expand with these names?  For `config check`. */
MUST_USE int vars_check(struct str template, const struct var *vars,
        size_t count, struct err *err);

#endif
