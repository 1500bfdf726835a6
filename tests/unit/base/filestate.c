/* SPDX-License-Identifier: MIT */
#include "base/filestate.h"

#include "base/clock.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static struct file_state
state_of(const char *path)
{
	struct stat status;

	REQUIRE(stat(path, &status) == 0);
	return file_state_of(&status);
}

TEST(every_difference_makes_another_state)
{
	const struct file_state state = state_of(test_file("file", "text"));
	struct file_state other = state;

	CHECK(file_state_is_same(&state, &other));
	other.device++;
	CHECK(!file_state_is_same(&state, &other));
	other = state;
	other.inode++;
	CHECK(!file_state_is_same(&state, &other));
	other = state;
	other.size++;
	CHECK(!file_state_is_same(&state, &other));
	other = state;
	other.modified.tv_nsec++;
	CHECK(!file_state_is_same(&state, &other));
	other = state;
	other.modified.tv_sec++;
	CHECK(!file_state_is_same(&state, &other));
	other = state;
	other.changed.tv_nsec++;
	CHECK(!file_state_is_same(&state, &other));
}

TEST(a_change_of_a_moment_ago_is_in_doubt)
{
	struct file_state state = {
		.modified = {.tv_sec = 1000}, .changed = {.tv_sec = 1000}};

	clock_fix(1000 + FILE_STATE_DOUBT_S, 999999999, "host", 1);
	CHECK(file_state_is_in_doubt(&state));
	clock_fix(1000 + FILE_STATE_DOUBT_S + 1, 0, "host", 1);
	CHECK(!file_state_is_in_doubt(&state));
	state.modified.tv_sec = 5000;
	CHECK(file_state_is_in_doubt(&state));
	state.modified.tv_sec = 0;
	state.changed.tv_sec = 5000;
	CHECK(file_state_is_in_doubt(&state));
}
