/* SPDX-License-Identifier: MIT */
#include "base/err.h"

#include <errno.h>
#include <string.h>

#include "tests/lib/test.h"

#include "base/banned.h"

TEST(a_refusal_tells_the_peer)
{
	struct err err;

	CHECK_INT(err_set(&err, ERR_NO_USER, "5.1.1", "<%s> is unknown", "x"),
		-1);
	CHECK_INT(err.kind, ERR_NO_USER);
	CHECK_STR(err.status, "5.1.1");
	CHECK_STR(err.text, "<x> is unknown");
	CHECK_STR(err.detail, "");
	CHECK_STR(err_log_text(&err), "<x> is unknown");
}

/* Paths and errno are for the log, never for a peer. */
TEST(the_peer_learns_nothing_of_temporary_trouble)
{
	struct err err;

	CHECK_INT(err_temp(&err, "4.3.0", "open(%s) failed", "/home/x"), -1);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK_STR(err.status, "4.3.0");
	CHECK_STR(err.text, ERR_INTERNAL_TEXT);
	CHECK_STR(err.detail, "open(/home/x) failed");
	CHECK_STR(err_log_text(&err), "open(/home/x) failed");
}

TEST(the_text_of_errno_ends_the_detail)
{
	struct err err;

	errno = EACCES;
	CHECK_INT(err_temp_errno(&err, "4.3.0", "open(%s)", "/x"), -1);
	CHECK_STR(err.detail, "open(/x): Permission denied");
	CHECK_STR(err.text, ERR_INTERNAL_TEXT);
}

TEST(a_new_error_leaves_nothing_of_the_old_one)
{
	struct err err;

	err_temp(&err, "4.3.0", "old detail");
	err_set(&err, ERR_REFUSED, "5.7.1", "no");
	CHECK_STR(err.detail, "");
	err_detail(&err, "line %d", 3);
	CHECK_STR(err.text, "no");
	CHECK_STR(err_log_text(&err), "line 3");
	err_clear(&err);
	CHECK_INT(err.kind, ERR_NONE);
	CHECK_STR(err.text, "");
}

TEST(too_long_a_text_is_cut_and_ended)
{
	char text[5000];
	struct err err;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	err_set(&err, ERR_REFUSED, "5.7.1", "%s", text);
	CHECK_UINT(strlen(err.text), sizeof(err.text) - 1);
	errno = EIO;
	err_temp_errno(&err, "4.3.0", "%s", text);
	CHECK_UINT(strlen(err.detail), sizeof(err.detail) - 1);
	err_set(&err, ERR_REFUSED, text, "x");
	CHECK_UINT(strlen(err.status), sizeof(err.status) - 1);
}
