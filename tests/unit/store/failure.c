/* SPDX-License-Identifier: MIT */
#include "store/failure.h"

#include <errno.h>

#include "tests/lib/test.h"

#include "base/banned.h"

static struct err err;

static void
fail_with(int number)
{
	err_clear(&err);
	errno = number;
	CHECK_INT(failure(&err, "write", "/srv/amy/tmp/1"), -1);
}

TEST(a_full_quota_is_the_users)
{
	fail_with(EDQUOT);
	CHECK_INT(err.kind, ERR_OVER_QUOTA);
	CHECK_STR(err.status, "5.2.2");
	CHECK_STR(err.text, "Not enough disk quota");
	CHECK(strstr(err.detail, "write(/srv/amy/tmp/1)") != NULL);
}

TEST(a_full_disk_is_temporary)
{
	fail_with(ENOSPC);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK_STR(err.status, "4.3.1");
	CHECK(strstr(err.detail, "No space left") != NULL);
}

TEST(a_file_size_limit_is_temporary_and_named)
{
	fail_with(EFBIG);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK(strstr(err.detail, "mailbox_size_limit") != NULL);
}

TEST(what_is_not_known_is_temporary)
{
	fail_with(EIO);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK_STR(err.status, "4.3.0");
	/* Paths are for the log, not for the peer. */
	CHECK(strstr(err.text, "amy") == NULL);
	CHECK(strstr(err.detail, "/srv/amy/tmp/1") != NULL);
}

TEST(a_missing_permission_is_explained)
{
	fail_with(EACCES);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK(strstr(err.detail, "euid=") != NULL);
}
