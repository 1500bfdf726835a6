/* SPDX-License-Identifier: MIT */
#include "server/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/number.h"

#include "base/banned.h"

/* False: no path, and no name of the abstract kind ("@..."). */
static bool
set_address(struct notify *notify, const char *path)
{
	size_t len = strlen(path);

	if ((path[0] != '/' && path[0] != '@') || len < 2 ||
		len >= sizeof(notify->address.sun_path))
		return false;
	notify->address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(notify->address.sun_path, path, len);
	if (path[0] == '@')
		notify->address.sun_path[0] = '\0';
	notify->address_len =
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	return true;
}

static uint64_t
number_of(const char *name)
{
	const char *text = getenv(name);
	uint64_t number;

	if (text == NULL || number_parse(str_from(text), &number) < 0)
		return 0;
	return number;
}

static void
read_watchdog(struct notify *notify)
{
	uint64_t us = number_of("WATCHDOG_USEC");

	/* Set for another process, perhaps one that has started us. */
	if (getenv("WATCHDOG_PID") != NULL &&
		number_of("WATCHDOG_PID") != (uint64_t)clock_pid())
		us = 0;
	notify->every_ms = us / 2000;
	if (us > 0 && notify->every_ms == 0)
		notify->every_ms = 1;
}

void
notify_open(struct notify *notify)
{
	const char *path = getenv("NOTIFY_SOCKET");

	*notify = (struct notify){.fd = -1};
	if (path != NULL && set_address(notify, path)) {
		notify->fd = socket(
			AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		read_watchdog(notify);
	}
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

void
notify_close(struct notify *notify)
{
	fd_close(&notify->fd);
}

void
notify_send(const struct notify *notify, const char *format, ...)
{
	char text[1024];
	va_list args;
	int len;

	if (notify->fd < 0)
		return;
	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (len < 0)
		return;
	if ((size_t)len >= sizeof(text))
		len = (int)sizeof(text) - 1;
	if (sendto(notify->fd, text, (size_t)len, MSG_NOSIGNAL,
		    (const struct sockaddr *)&notify->address,
		    notify->address_len) < 0)
		log_debug("NOTIFY_SOCKET: %s", strerror(errno));
}
