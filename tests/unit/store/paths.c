/* SPDX-License-Identifier: MIT */
#include "store/paths.h"

#include "tests/unit/store/box.h"

#include "base/banned.h"

TEST(the_parent_is_what_stands_before_the_last_slash)
{
	CHECK_STR_IS(paths_parent(STR("/a/b/c")), "/a/b");
	CHECK_STR_IS(paths_parent(STR("/a")), "/");
	CHECK_STR_IS(paths_parent(STR("/")), "/");
}

TEST(many_paths_are_flushed)
{
	struct arena *arena = arena_open();
	struct paths paths;
	struct err err;
	int i;

	paths_init(&paths, arena);
	for (i = 0; i < 100; i++)
		paths_add(&paths, str_from(test_folder()));
	CHECK_INT(paths.count, 100);
	CHECK_INT(paths_flush(&paths, &err), 0);
	arena_close(&arena);
}

TEST(a_folder_that_cannot_be_flushed_is_named)
{
	struct arena *arena = arena_open();
	struct paths paths;
	struct err err;

	paths_init(&paths, arena);
	paths_add(&paths, str_from(test_folder()));
	paths_add(&paths, str_from(test_path("missing")));
	CHECK_INT(paths_flush(&paths, &err), -1);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK(strstr(err.detail, "/missing") != NULL);
	arena_close(&arena);
}

TEST(nothing_to_flush_is_no_failure)
{
	struct paths paths;
	struct err err;

	paths_init(&paths, NULL);
	CHECK_INT(paths_flush(&paths, &err), 0);
}
