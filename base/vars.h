/* vars - %u, %{user | domain} and the like (Dovecot 2.3 and 2.4)
 *
 * Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_VARS_H
#define BASE_VARS_H

#include <stdbool.h>
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

enum {
	VARS_TEXT_MAX = 256 * 1024, /* bytes of an expanded template */
	VARS_DEPTH_MAX = 10         /* %{if} within %{if} */
};

/* Puts the values in; a value is never expanded itself.
 *
 *   %%  %u  %{user}             the letter or the name
 *   %[offset.][width]MODIFIERSu 2.3: L lower, U upper, E escape, X hex,
 *                               R reverse, T trim, D domain to dc=, M md5;
 *                               N and H hash to hexadecimal digits, there the
 *                               offset is the least number of digits and the
 *                               width the modulus: %2.256Nu
 *   %{if;a;op;b;then;else}      2.3; each may hold variables, "\" escapes
 *   %{sha256;rounds=2,salt=x,truncate=20,format=base64:user}
 *                               2.3; md5, sha1, sha256, sha512
 *   %{user | filter | filter('text', 2, variable, name='text') % 256}
 *                               2.4; the filters are in base/vars_filter.c
 *
 * Lower and upper case are Unicode's.  A digest that no filter made into text
 * shows as hexadecimal digits.
 * -1 with 4.3.5 and a detail that names the unknown variable or filter and where
 * in the template it stands (counted in bytes from 1).  The result lives in the
 * arena and has a NUL behind it. */
MUST_USE int vars_expand(struct arena *arena, struct str template,
	const struct var *vars, size_t count, struct str *text_out,
	struct err *err);

/* The same for a path, or a location that holds one: refuses (4.3.0) a result that
 * has a ".." between its slashes when the template has none, as "/srv/%2n" would
 * with the user "..x". */
MUST_USE int vars_expand_path(struct arena *arena, struct str template,
	const struct var *vars, size_t count, struct str *path_out,
	struct err *err);

/* Only the check: would it expand with these names, whatever the values?  For
 * `config check`. */
MUST_USE int vars_check(struct str template, const struct var *vars,
	size_t count, struct err *err);

/* The value of a letter or name, of %n, %d, %{username}, %{domain} as well. */
bool vars_find(const struct var *vars, size_t count, struct str name,
	struct str *value_out);

#endif
