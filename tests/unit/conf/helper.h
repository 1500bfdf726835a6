/* helper - load a configuration from text
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_UNIT_CONF_HELPER_H
#define TESTS_UNIT_CONF_HELPER_H

#include <stdio.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "conf/conf.h"
#include "tests/lib/test.h"

struct loaded {
	struct arena *arena;
	const struct settings *settings; /* NULL when it is wrong */
	struct conf_report report;
	const char *file;
};

static inline struct loaded
load_as(const char *text, enum conf_protocol protocol, bool is_thorough,
	const char *const *overrides, size_t override_count)
{
	struct loaded loaded = {.arena = arena_open(),
		.report = {.is_thorough = is_thorough},
		.file = test_file("test.conf", text)};
	const struct conf_source source = {.file = loaded.file,
		.protocol = protocol,
		.overrides = overrides,
		.override_count = override_count};

	if (conf_load(loaded.arena, &source, &loaded.settings, &loaded.report) <
		0)
		loaded.settings = NULL;
	return loaded;
}

static inline struct loaded
load(const char *text)
{
	return load_as(text, CONF_PROTOCOL_LDA, false, NULL, 0);
}

static inline struct loaded
load_good(const char *text)
{
	struct loaded loaded = load(text);
	size_t i;

	for (i = 0; i < loaded.report.count; i++)
		printf("# %s\n", conf_problem_text(loaded.arena,
					 &loaded.report.problems[i]));
	REQUIRE(loaded.settings != NULL);
	return loaded;
}

static inline void
unload(struct loaded *loaded)
{
	arena_close(&loaded->arena);
}

/* The problem of that number without its file: "2: error: ..."; "" when there
 * are not so many. */
static inline const char *
problem(const struct loaded *loaded, size_t index)
{
	const struct conf_problem *found;

	if (index >= loaded->report.count)
		return "";
	found = &loaded->report.problems[index];
	return arena_format(loaded->arena, "%u: %s: %s", found->place.line,
		found->is_warning ? "warning" : "error", found->text);
}

static inline bool
says(const char *text, const char *part)
{
	struct str s = str_from(text);

	return str_find(s, str_from(part)) < s.len;
}

/* The only problem of a wrong configuration, which has a file. */
static inline void
check_error(const char *text, const char *expected)
{
	struct loaded loaded = load(text);

	CHECK(loaded.settings == NULL);
	CHECK_UINT(loaded.report.errors, 1);
	CHECK_STR(problem(&loaded, 0), expected);
	if (loaded.report.count > 0)
		CHECK_STR(loaded.report.problems[0].place.file, loaded.file);
	unload(&loaded);
}

#endif
