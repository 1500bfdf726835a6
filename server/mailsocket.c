/* SPDX-License-Identifier: MIT */
#include "server/mailsocket.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "ipc/channel.h"

#include "base/banned.h"

static bool
is_file(const struct mailsocket *socket)
{
	return socket->path[0] != '@';
}

/* Whether who comes to the path comes to us. */
static bool
is_ours(const struct mailsocket *socket)
{
	struct stat now;

	return lstat(socket->path, &now) == 0 && now.st_dev == socket->device &&
	       now.st_ino == socket->inode;
}

int
mailsocket_open(struct mailsocket *socket, const char *path, struct err *err)
{
	struct stat made = {0};
	int fd = channel_listen(path, 0666);

	socket->path = path;
	if (fd < 0 || (is_file(socket) && lstat(path, &made) < 0)) {
		err_temp_errno(err, "4.3.5", "cannot listen on %s", path);
		fd_close(&fd);
		return -1;
	}
	fd_close(&socket->fd);
	socket->fd = fd;
	socket->device = made.st_dev;
	socket->inode = made.st_ino;
	return 0;
}

bool
mailsocket_renew(struct mailsocket *socket)
{
	struct err err;

	if (socket->fd < 0 || !is_file(socket) || is_ours(socket))
		return false;
	if (mailsocket_open(socket, socket->path, &err) < 0) {
		log_error("%s", err_log_text(&err));
		return false;
	}
	log_warning("%s was removed, and is made anew", socket->path);
	return true;
}

void
mailsocket_close(struct mailsocket *socket)
{
	if (socket->fd < 0)
		return;
	if (is_file(socket) && is_ours(socket) && unlink(socket->path) < 0 &&
		errno != ENOENT)
		log_warning(
			"cannot remove %s: %s", socket->path, strerror(errno));
	fd_close(&socket->fd);
}
