/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdlib.h>

#include "base/vars.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The template, a NUL, and the user's name.  What expands passes the check; a
 * path that expands leads nowhere the template does not. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str template = str_of((const char *)data, size);
	struct arena *arena = arena_open();
	struct var vars[] = {{'u', "user", STR_EMPTY},
		{'h', "home", STR("/home/amy")}, {0, "env:A", STR("12")},
		{'x', "list", STR("a\tb\001tc")}};
	const size_t count = ARRAY_LENGTH(vars);
	struct str text = STR_EMPTY, path = STR_EMPTY;
	struct err err;

	vars[0].value = str_skip(template, str_find_char(template, '\0') + 1);
	template = str_slice(template, 0, str_find_char(template, '\0'));
	if (vars_expand(arena, template, vars, count, &text, &err) == 0) {
		if (text.len > VARS_TEXT_MAX || text.data[text.len] != '\0' ||
			vars_check(template, vars, count, &err) < 0)
			abort();
		if (vars_expand_path(
			    arena, template, vars, count, &path, &err) == 0 &&
			!str_equal(path, text))
			abort();
	} else if (err.kind != ERR_TEMPORARY || err.detail[0] == '\0') {
		abort();
	}
	arena_close(&arena);
	return 0;
}
