/* SPDX-License-Identifier: MIT */
#include "store/failure.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "store/permission.h"

#include "base/banned.h"

enum { EXPLANATION_MAX = 400 /* bytes; the detail takes no more */ };

static int
not_permitted(struct err *err, const char *call, const char *path)
{
	const char *reason = strerror(errno);
	struct buf why;

	buf_init(&why, EXPLANATION_MAX);
	permission_explain(&why, path);
	err_temp(err, "4.3.0", "%s(%s) failed: %s (%s)", call, path, reason,
		buf_text(&why));
	buf_clear(&why);
	return -1;
}

int
failure(struct err *err, const char *call, const char *path)
{
	switch (errno) {
	case EDQUOT:
		err_set(err, ERR_OVER_QUOTA, "5.2.2", "Not enough disk quota");
		return err_detail(
			err, "%s(%s) failed: %s", call, path, strerror(errno));
	case ENOSPC:
		return err_temp_errno(
			err, "4.3.1", "%s(%s) failed", call, path);
	case EFBIG:
		return err_temp(err, "4.3.0",
			"%s(%s) failed: %s (the process may not write so large "
			"a file; Postfix sets that limit by "
			"mailbox_size_limit)",
			call, path, strerror(errno));
	case EACCES:
	case EPERM:
		return not_permitted(err, call, path);
	default:
		return err_temp_errno(
			err, "4.3.0", "%s(%s) failed", call, path);
	}
}
