/* SPDX-License-Identifier: MIT */
#include "store/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/banned.h"

int
publish_by_link(const char *from, const char *to)
{
	if (link(from, to) < 0)
		return -1;
	/* It has its name; the old one is cleaned up as a leftover at worst. */
	(void)unlink(from);
	return 0;
}

int
publish(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	/* NFS, for one, has no such rename. */
	if (errno == EINVAL || errno == ENOSYS)
		return publish_by_link(from, to);
	return -1;
}
