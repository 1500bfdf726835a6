/* SPDX-License-Identifier: MIT */
#include "ipc/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/memory.h"

#include "base/banned.h"

/* The kernel's own accounting takes some of it; what does not fit is queued. */
enum { SOCKET_BYTES = 1024 * 1024 };

/* Seconds until a listener has room in its line. */
enum { CONNECT_S = 5 };

/* A frame that the socket did not take yet. */
struct channel_waiting {
	struct channel_waiting *next;
	int fds[FRAME_FDS_MAX];
	size_t fd_count;
	size_t len;
	char bytes[];
};

union control {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(sizeof(int) * FRAME_FDS_MAX)];
};

/* ---- sockets ---- */

/* More than the default needs a privilege; without it the default does. */
static void
set_room(int fd)
{
	int bytes = SOCKET_BYTES;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) <
			0 &&
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)) <
			0)
		return;
}

int
channel_pair(int fds[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -1;
	set_room(fds[0]);
	set_room(fds[1]);
	return 0;
}

/* Linux has names that are no files: their first byte is NUL. */
static bool
is_abstract(const char *path)
{
	return path[0] == '@';
}

static int
set_path(struct sockaddr_un *address, const char *path, socklen_t *size_out)
{
	size_t len = strlen(path);

	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	if (len >= sizeof(address->sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address->sun_path, path, len + 1);
	*size_out = sizeof(*address);
	if (is_abstract(path)) {
		address->sun_path[0] = '\0';
		*size_out = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
					len);
	}
	return 0;
}

static int
close_and_fail(int fd)
{
	int reason = errno;

	close(fd);
	errno = reason;
	return -1;
}

int
channel_listen(const char *path, unsigned mode)
{
	struct sockaddr_un address;
	socklen_t size;
	int fd;

	if (set_path(&address, path, &size) < 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (!is_abstract(path) && unlink(path) < 0 && errno != ENOENT)
		return close_and_fail(fd);
	if (bind(fd, (struct sockaddr *)&address, size) < 0 ||
		(!is_abstract(path) && chmod(path, mode) < 0) ||
		listen(fd, SOMAXCONN) < 0)
		return close_and_fail(fd);
	return fd;
}

/* One that takes nobody in must not hold us; sending has the same limit until the
 * caller sets another one. */
static void
limit_connecting(int fd)
{
	struct timeval limit = {.tv_sec = CONNECT_S};

	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return;
}

int
channel_connect(const char *path)
{
	struct sockaddr_un address;
	socklen_t size;
	int fd;

	if (set_path(&address, path, &size) < 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	set_room(fd);
	limit_connecting(fd);
	if (connect(fd, (struct sockaddr *)&address, size) < 0)
		return close_and_fail(fd);
	return fd;
}

void
channel_open(struct channel *channel, int fd, bool is_blocking)
{
	int flags = fcntl(fd, F_GETFL);

	memset(channel, 0, sizeof(*channel));
	channel->fd = fd;
	channel->is_blocking = is_blocking;
	flags = is_blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
	if (fcntl(fd, F_SETFL, flags) < 0)
		BUG("fcntl: %s", strerror(errno));
}

static void
drop_first(struct channel *channel)
{
	struct channel_waiting *waiting = channel->first;
	size_t i;

	channel->first = waiting->next;
	if (channel->first == NULL)
		channel->last = NULL;
	channel->waiting -= waiting->len;
	for (i = 0; i < waiting->fd_count; i++)
		close(waiting->fds[i]);
	memory_free(waiting);
}

void
channel_close(struct channel *channel)
{
	while (channel->first != NULL)
		drop_first(channel);
	fd_close(&channel->fd);
}

/* ---- sending ---- */

/* 0, or -1 with errno. */
static int
send_packet(int fd, struct str bytes, const int *fds, size_t fd_count)
{
	union control control;
	struct iovec part = {.iov_base = (void *)(uintptr_t)bytes.data,
		.iov_len = bytes.len};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	if (fd_count > 0) {
		memset(&control, 0, sizeof(control));
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		memcpy(CMSG_DATA(&control.head), fds, sizeof(int) * fd_count);
	}
	for (;;) {
		if (sendmsg(fd, &message, MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno != EINTR)
			return -1;
	}
}

/* ENOBUFS, ETOOMANYREFS: too much under way at this moment; it gets better when
 * the peer reads. */
static bool
is_for_later(int reason)
{
	return reason == EAGAIN || reason == ENOBUFS || reason == ETOOMANYREFS;
}

static int
queue(struct channel *channel, const struct frame *frame, struct err *err)
{
	struct str bytes = buf_view(&frame->bytes);
	struct channel_waiting *waiting;

	if (channel->waiting + bytes.len > CHANNEL_QUEUE_MAX)
		return err_temp(err, "4.3.0", "the other process hangs");
	waiting = memory_get(sizeof(*waiting) + bytes.len);
	memcpy(waiting->bytes, bytes.data, bytes.len);
	waiting->len = bytes.len;
	for (; waiting->fd_count < frame->fd_count; waiting->fd_count++) {
		size_t i = waiting->fd_count;

		waiting->fds[i] = fcntl(frame->fds[i], F_DUPFD_CLOEXEC, 3);
		if (waiting->fds[i] < 0) {
			err_temp_errno(err, "4.3.0", "dup");
			while (waiting->fd_count > 0)
				close(waiting->fds[--waiting->fd_count]);
			memory_free(waiting);
			return -1;
		}
	}
	if (channel->last != NULL)
		channel->last->next = waiting;
	else
		channel->first = waiting;
	channel->last = waiting;
	channel->waiting += bytes.len;
	return 0;
}

static int
send_or_queue(
	struct channel *channel, const struct frame *frame, struct err *err)
{
	if (!channel_is_open(channel))
		return err_temp(err, "4.3.0", "the channel is closed");
	if (!frame_is_whole(frame))
		return err_temp(err, "4.3.0", "a frame is too long");
	if (channel->first == NULL) {
		if (send_packet(channel->fd, buf_view(&frame->bytes),
			    frame->fds, frame->fd_count) == 0)
			return 0;
		if (!is_for_later(errno) || channel->is_blocking)
			return err_temp_errno(err, "4.3.0",
				"cannot send to the other process");
	}
	return queue(channel, frame, err);
}

int
channel_send(struct channel *channel, struct frame *frame, struct err *err)
{
	int result = send_or_queue(channel, frame, err);

	frame_close(frame);
	return result;
}

bool
channel_is_waiting(const struct channel *channel)
{
	return channel->first != NULL;
}

int
channel_flush(struct channel *channel, struct err *err)
{
	while (channel->first != NULL) {
		struct channel_waiting *waiting = channel->first;

		if (send_packet(channel->fd,
			    str_of(waiting->bytes, waiting->len), waiting->fds,
			    waiting->fd_count) < 0) {
			if (is_for_later(errno))
				return 0;
			return err_temp_errno(err, "4.3.0",
				"cannot send to the other process");
		}
		drop_first(channel);
	}
	return 0;
}

/* ---- receiving ---- */

/* What is more than a frame has is closed. */
static size_t
take_descriptors(struct msghdr *message, int fds[FRAME_FDS_MAX])
{
	struct cmsghdr *control = CMSG_FIRSTHDR(message);
	size_t came, i, count = 0;

	if (control == NULL || control->cmsg_level != SOL_SOCKET ||
		control->cmsg_type != SCM_RIGHTS)
		return 0;
	came = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	for (i = 0; i < came; i++) {
		int fd;

		memcpy(&fd, CMSG_DATA(control) + i * sizeof(fd), sizeof(fd));
		if (count < FRAME_FDS_MAX)
			fds[count++] = fd;
		else
			close(fd);
	}
	return count;
}

static enum lookup
fail(struct err *err, const char *what)
{
	err_temp(err, "4.3.0", "%s", what);
	return LOOKUP_ERROR;
}

enum lookup
channel_receive(struct channel *channel, struct arena *arena,
	struct frame *frame, struct err *err)
{
	union control control;
	int fds[FRAME_FDS_MAX];
	/* Most frames are far shorter than the longest; only what came is kept. */
	char bytes[FRAME_MAX];
	struct iovec part = {.iov_base = bytes, .iov_len = sizeof(bytes)};
	struct msghdr message = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		/* CMSG_SPACE is rounded up: one more would have room. */
		.msg_controllen = CMSG_LEN(sizeof(fds))};
	ssize_t got;

	if (!channel_is_open(channel))
		return fail(err, "the channel is closed");
	do
		got = recvmsg(channel->fd, &message, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0 && errno == EAGAIN && !channel->is_blocking)
		return LOOKUP_NONE;
	if (got < 0) {
		err_temp_errno(err, "4.3.0", "cannot receive");
		return LOOKUP_ERROR;
	}
	if (got == 0)
		return fail(err, "the other process has gone");
	frame_open(frame, arena, arena_copy(arena, str_of(bytes, (size_t)got)),
		fds, take_descriptors(&message, fds));
	if (frame->is_broken ||
		(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
		frame_close(frame);
		return fail(err, "what the other process sent is no frame");
	}
	return LOOKUP_FOUND;
}

bool
channel_wait(const struct channel *channel, uint64_t until_ms)
{
	struct pollfd wanted = {.fd = channel->fd, .events = POLLIN};
	uint64_t now;
	int ready;

	if (!channel_is_open(channel))
		return true;
	do {
		now = until_ms > 0 ? clock_monotonic_ms() : 0;
		ready = poll(
			&wanted, 1, until_ms > now ? (int)(until_ms - now) : 0);
	} while (ready < 0 && errno == EINTR);
	return ready > 0;
}
