/* SPDX-License-Identifier: MIT */
#include "server/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/user.h"
#include "conf/conf.h"

#include "base/banned.h"

struct opening {
	const struct settings *settings;
	const struct listeners *old;
	struct passed *passed; /* NULL: none */
	struct listeners *set;
	const struct conf_listener *wanted; /* the block at hand */
	struct err *err;
	bool is_policy; /* the service at hand */
};

/* "FILE:LINE: NAME: TEXT" */
#define FAIL(opening, name, format, ...)                                       \
	err_temp((opening)->err, "4.3.5", "%s%s: " format, origin(opening),    \
		name, __VA_ARGS__)

/* "FILE:LINE: ", or "" for the default. */
static const char *
origin(const struct opening *opening)
{
	int reason = errno;
	const char *text =
		conf_place_text(opening->set->arena, opening->wanted->place);

	errno = reason;
	return text;
}

static const struct listener *
find(const struct listeners *set, const char *name)
{
	size_t i;

	for (i = 0; set != NULL && i < set->count; i++)
		if (strcmp(set->items[i].name, name) == 0)
			return &set->items[i];
	return NULL;
}

static void
add(struct opening *opening, const struct listener *listener)
{
	struct listeners *set = opening->set;

	if ((set->count & (set->count - 1)) == 0)
		set->items = arena_grow(set->arena, set->items,
			sizeof(*set->items), set->count,
			set->count == 0 ? 1 : 2 * set->count);
	set->items[set->count] = *listener;
	set->items[set->count].ssl = opening->wanted->ssl;
	set->items[set->count].haproxy = opening->wanted->haproxy;
	set->items[set->count].is_policy = opening->is_policy;
	set->count++;
}

/* The set in use has it already: another descriptor of the same socket. */
static int
share(struct opening *opening, struct listener listener)
{
	listener.fd = fcntl(listener.fd, F_DUPFD_CLOEXEC, 0);
	if (listener.fd < 0)
		return FAIL(opening, listener.name, "%s", strerror(errno));
	add(opening, &listener);
	return 0;
}

static int
check_new(struct opening *opening, const char *name)
{
	if (find(opening->set, name) != NULL)
		return FAIL(
			opening, name, "%s", "this listener is there twice");
	return 0;
}

/* ---- sockets of the service manager ---- */

/* Of that address; NULL: none. */
static struct passed_socket *
find_passed(const struct opening *opening, const char *address)
{
	struct passed *passed = opening->passed;
	size_t i;

	for (i = 0; passed != NULL && i < passed->count; i++)
		if (strcmp(passed->sockets[i].address, address) == 0)
			return &passed->sockets[i];
	return NULL;
}

/* Of the listener's name, as FileDescriptorName= has it. */
static struct passed_socket *
find_named(const struct opening *opening)
{
	struct passed *passed = opening->passed;
	size_t i;

	for (i = 0; passed != NULL && i < passed->count; i++)
		if (passed->sockets[i].name[0] != '\0' &&
			passed->sockets[i].is_inet ==
				opening->wanted->is_inet &&
			strcmp(passed->sockets[i].name,
				opening->wanted->name) == 0)
			return &passed->sockets[i];
	return NULL;
}

static int
share_passed(struct opening *opening, struct passed_socket *socket,
	struct listener listener)
{
	struct stat status;

	listener.name =
		arena_text(opening->set->arena, str_from(socket->address));
	listener.fd = socket->fd;
	listener.is_inet = socket->is_inet;
	listener.is_passed = socket->is_used = true;
	if (!socket->is_inet && lstat(listener.name, &status) == 0) {
		listener.device = status.st_dev;
		listener.inode = status.st_ino;
	}
	return share(opening, listener);
}

/* ---- Unix sockets ---- */

/* Is the file there the socket that we made? */
static bool
is_ours(const struct listener *listener, const struct stat *status)
{
	return S_ISSOCK(status->st_mode) &&
	       status->st_dev == listener->device &&
	       status->st_ino == listener->inode;
}

static bool
is_in_place(const struct listener *listener)
{
	struct stat status;

	return lstat(listener->name, &status) == 0 &&
	       is_ours(listener, &status);
}

/* Names are looked up here: the front has nobody to ask. */
static int
find_peers(struct opening *opening, struct listener *listener)
{
	const struct conf_list *users = &opening->wanted->peer_users;
	struct arena *arena = opening->set->arena;
	size_t i;

	listener->peers = ARENA_ARRAY(arena, uid_t, users->count);
	listener->peer_count = users->count;
	for (i = 0; i < users->count; i++)
		switch (user_parse_uid(arena, str_from(users->items[i]),
			&listener->peers[i], opening->err)) {
		case LOOKUP_FOUND:
			break;
		case LOOKUP_NONE:
			return FAIL(opening, listener->name,
				"peer_users: there is no user %s on this "
				"system",
				users->items[i]);
		case LOOKUP_ERROR:
			return -1;
		}
	listener->is_trusted = opening->wanted->trusted;
	return 0;
}

static int
find_owner(struct opening *opening, struct listener *listener)
{
	const struct conf_listener *wanted = opening->wanted;
	struct arena *arena = opening->set->arena;
	enum lookup found = LOOKUP_FOUND;

	listener->uid = geteuid();
	listener->gid = getegid();
	if (wanted->user[0] != '\0')
		found = user_parse_uid(arena, str_from(wanted->user),
			&listener->uid, opening->err);
	if (found == LOOKUP_NONE)
		return FAIL(opening, listener->name,
			"there is no user %s on this system", wanted->user);
	if (found == LOOKUP_FOUND && wanted->group[0] != '\0')
		found = user_parse_gid(arena, str_from(wanted->group),
			&listener->gid, opening->err);
	if (found == LOOKUP_NONE)
		return FAIL(opening, listener->name,
			"there is no group %s on this system", wanted->group);
	return found == LOOKUP_FOUND ? 0 : -1;
}

static int
set_address(struct opening *opening, const char *path,
	struct sockaddr_un *address_out)
{
	size_t len = strlen(path);

	*address_out = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (len >= sizeof(address_out->sun_path))
		return FAIL(opening, path,
			"the path has %zu bytes; the kernel takes %zu for the "
			"path of a socket: choose a shorter one",
			len, sizeof(address_out->sun_path) - 1);
	memcpy(address_out->sun_path, path, len + 1);
	return 0;
}

/* Folders between base_dir and the socket.  Elsewhere a missing folder is
 * probably a slip. */
static int
make_parents(struct opening *opening, const char *path)
{
	struct str base = str_from(opening->settings->base_dir);
	char *text = arena_text(opening->set->arena, str_from(path));
	size_t at;

	if (!str_starts(str_from(path), base) || text[base.len] != '/')
		return 0;
	for (at = base.len + 1; text[at] != '\0'; at++) {
		if (text[at] != '/')
			continue;
		text[at] = '\0';
		if (mkdir(text, 0755) == 0) {
			if (chmod(text, 0755) < 0)
				return FAIL(
					opening, path, "%s", strerror(errno));
		} else if (errno != EEXIST) {
			return FAIL(opening, path, "cannot make %s: %s", text,
				strerror(errno));
		}
		text[at] = '/';
	}
	return 0;
}

/* What a server that has died leaves behind is taken away. */
static int
clear_place(struct opening *opening, const struct sockaddr_un *address)
{
	const char *path = address->sun_path;
	struct stat status;
	int fd, result, reason;

	if (lstat(path, &status) < 0)
		return 0;
	if (!S_ISSOCK(status.st_mode))
		return FAIL(opening, path, "%s",
			"a file is there that is no socket; remove it, or "
			"choose another path");
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return FAIL(opening, path, "%s", strerror(errno));
	result =
		connect(fd, (const struct sockaddr *)address, sizeof(*address));
	reason = errno;
	close(fd);
	if (result == 0 || reason == EAGAIN || reason == EPROTOTYPE)
		return FAIL(opening, path, "%s",
			"another server listens there; stop it, or choose "
			"another path");
	if (reason != ECONNREFUSED && reason != ENOENT)
		return FAIL(opening, path,
			"cannot tell whether another server listens there: %s",
			strerror(reason));
	if (unlink(path) < 0 && errno != ENOENT)
		return FAIL(opening, path, "cannot remove the old socket: %s",
			strerror(errno));
	return 0;
}

/* The file may stand in a folder of somebody who would like to see the mode or
 * owner of another one changed: names are not followed twice. */
static int
apply_owner(const struct listener *listener)
{
	int fd = open(listener->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat status;
	char path[64];
	int result = 0;

	if (fd < 0)
		return -1;
	if (fstat(fd, &status) < 0 || !is_ours(listener, &status)) {
		close(fd);
		errno = ESTALE;
		return -1;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if ((status.st_mode & 07777) != listener->mode)
		result = chmod(path, listener->mode);
	if (result == 0 && (status.st_uid != listener->uid ||
				   status.st_gid != listener->gid))
		result = fchownat(
			fd, "", listener->uid, listener->gid, AT_EMPTY_PATH);
	close(fd);
	return result;
}

static int
bind_unix(struct opening *opening, const struct sockaddr_un *address,
	struct listener *listener)
{
	struct stat status;
	/* Nobody may come in before the owner is set. */
	mode_t old = umask(0777 & ~listener->mode);
	int result = bind(listener->fd, (const struct sockaddr *)address,
		sizeof(*address));

	umask(old);
	if (result < 0)
		return FAIL(opening, listener->name, "cannot listen: %s%s",
			strerror(errno),
			errno == ENOENT ? "; the folder has to be there" : "");
	if (lstat(listener->name, &status) < 0)
		return FAIL(opening, listener->name, "%s", strerror(errno));
	listener->device = status.st_dev;
	listener->inode = status.st_ino;
	return 0;
}

static int
give_owner(struct opening *opening, const struct listener *listener)
{
	if (apply_owner(listener) == 0)
		return 0;
	return FAIL(opening, listener->name,
		"cannot give the socket to uid %lu, gid %lu: %s%s",
		(unsigned long)listener->uid, (unsigned long)listener->gid,
		strerror(errno),
		errno == EPERM ? "; only a server that was started as root can"
			       : "");
}

static int
start_unix(struct opening *opening, struct listener *listener)
{
	struct sockaddr_un address;

	if (set_address(opening, listener->name, &address) < 0 ||
		make_parents(opening, listener->name) < 0 ||
		clear_place(opening, &address) < 0)
		return -1;
	listener->fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener->fd < 0)
		return FAIL(opening, listener->name, "%s", strerror(errno));
	if (bind_unix(opening, &address, listener) < 0)
		return -1;
	if (give_owner(opening, listener) == 0) {
		if (listen(listener->fd, LISTEN_BACKLOG) == 0)
			return 0;
		FAIL(opening, listener->name, "%s", strerror(errno));
	}
	unlink(listener->name);
	return -1;
}

static int
open_unix(struct opening *opening)
{
	const struct conf_listener *wanted = opening->wanted;
	const char *path = wanted->name;
	const struct listener *old;
	struct listener listener = {.fd = -1, .mode = wanted->mode};
	struct passed_socket *named = find_named(opening);

	if (named != NULL)
		path = named->address;
	if (path[0] != '/')
		path = arena_format(opening->set->arena, "%s/%s",
			opening->settings->base_dir, path);
	listener.name = arena_text(opening->set->arena, str_from(path));
	if (check_new(opening, path) < 0 ||
		find_owner(opening, &listener) < 0 ||
		find_peers(opening, &listener) < 0)
		return -1;
	named = find_passed(opening, path);
	if (named != NULL)
		return share_passed(opening, named, listener);
	old = find(opening->old, path);
	if (old != NULL && is_in_place(old)) {
		listener.fd = old->fd;
		listener.device = old->device;
		listener.inode = old->inode;
		return share(opening, listener);
	}
	if (start_unix(opening, &listener) < 0) {
		fd_close(&listener.fd);
		return -1;
	}
	add(opening, &listener);
	return 0;
}

/* ---- TCP ---- */

static const char *
bind_hint(uint64_t port)
{
	if (errno == EACCES && port < 1024)
		return "; ports below 1024 need a server that was started as "
		       "root, or CAP_NET_BIND_SERVICE";
	if (errno == EADDRINUSE)
		return "; another server has that port (ss -ltnp shows which)";
	if (errno == EADDRNOTAVAIL)
		return "; this machine has no such address";
	return "";
}

static int
bind_inet(struct opening *opening, const struct addrinfo *address,
	struct listener *listener)
{
	const int yes = 1;

	listener->fd = socket(address->ai_family,
		SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener->fd < 0)
		return FAIL(opening, listener->name, "%s", strerror(errno));
	if (setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &yes,
		    sizeof(yes)) < 0 ||
		(address->ai_family == AF_INET6 &&
			setsockopt(listener->fd, IPPROTO_IPV6, IPV6_V6ONLY,
				&yes, sizeof(yes)) < 0))
		return FAIL(opening, listener->name, "%s", strerror(errno));
	if (bind(listener->fd, address->ai_addr, address->ai_addrlen) < 0 ||
		listen(listener->fd, LISTEN_BACKLOG) < 0)
		return FAIL(opening, listener->name, "cannot listen: %s%s",
			strerror(errno), bind_hint(opening->wanted->port));
	return 0;
}

/* "[::]" of the service manager's may take connections to "0.0.0.0" too. */
static bool
is_covered(const struct opening *opening, const char *host)
{
	const struct passed_socket *all;

	if (strcmp(host, "0.0.0.0") != 0)
		return false;
	all = find_passed(opening, passed_inet_name(opening->set->arena, "::",
					   (unsigned)opening->wanted->port));
	return all != NULL && all->is_dual;
}

static int
open_address(struct opening *opening, const struct addrinfo *address)
{
	struct arena *arena = opening->set->arena;
	struct listener listener = {.fd = -1, .is_inet = true};
	const struct listener *old;
	struct passed_socket *passed;
	char host[NI_MAXHOST];

	if (getnameinfo(address->ai_addr, address->ai_addrlen, host,
		    sizeof(host), NULL, 0, NI_NUMERICHOST) != 0)
		return FAIL(opening, opening->wanted->name, "%s",
			"an address cannot be written down");
	listener.name =
		passed_inet_name(arena, host, (unsigned)opening->wanted->port);
	if (check_new(opening, listener.name) < 0)
		return -1;
	passed = find_passed(opening, listener.name);
	if (passed != NULL)
		return share_passed(opening, passed, listener);
	if (is_covered(opening, host))
		return 0;
	old = find(opening->old, listener.name);
	if (old != NULL) {
		listener.fd = old->fd;
		return share(opening, listener);
	}
	if (bind_inet(opening, address, &listener) < 0) {
		fd_close(&listener.fd);
		return -1;
	}
	add(opening, &listener);
	return 0;
}

/* A name is refused: at boot there may be nobody yet to ask for it. */
static int
open_text(struct opening *opening, struct str text)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
	struct addrinfo *found = NULL;
	char port[16];
	int result;

	if (str_is(text, "*"))
		text = STR("0.0.0.0");
	if (str_starts(text, STR("[")) && str_ends(text, STR("]")))
		text = str_slice(text, 1, text.len - 1);
	snprintf(port, sizeof(port), "%u", (unsigned)opening->wanted->port);
	if (getaddrinfo(arena_text(opening->set->arena, text), port, &hints,
		    &found) != 0)
		return FAIL(opening, opening->wanted->name,
			"address: found \"%.*s\", expected an IP address such "
			"as 127.0.0.1 or ::1",
			STR_ARG(text));
	result = open_address(opening, found);
	freeaddrinfo(found);
	return result;
}

static bool
has_v6(void)
{
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static int
open_everywhere(struct opening *opening)
{
	if (open_text(opening, STR("0.0.0.0")) < 0)
		return -1;
	return has_v6() ? open_text(opening, STR("::")) : 0;
}

static int
open_inet(struct opening *opening)
{
	const struct conf_listener *wanted = opening->wanted;
	struct passed_socket *named = find_named(opening);
	const char *warning;
	size_t i;

	warning = conf_listener_warning(
		opening->set->arena, opening->settings, wanted);
	if (warning != NULL)
		log_warning("%s%s", origin(opening), warning);
	if (named != NULL)
		return share_passed(
			opening, named, (struct listener){.fd = -1});
	if (wanted->address.count == 0)
		return open_everywhere(opening);
	for (i = 0; i < wanted->address.count; i++)
		if (open_text(opening, str_from(wanted->address.items[i])) < 0)
			return -1;
	return 0;
}

/* ---- the set ---- */

static bool
is_off(const struct conf_listener *wanted)
{
	return wanted->is_inet ? wanted->port == 0 : wanted->mode == 0;
}

static int
open_block(struct opening *opening, const struct conf_listener *wanted)
{
	opening->wanted = wanted;
	if (is_off(wanted))
		return 0;
	return wanted->is_inet ? open_inet(opening) : open_unix(opening);
}

static int
open_service(struct opening *opening, const struct conf_service *service)
{
	size_t i;

	for (i = 0; i < service->listener_count; i++)
		if (open_block(opening, &service->listeners[i]) < 0)
			return -1;
	return 0;
}

static const struct conf_listener fallback = {.name = "lmtp",
	.mode = 0666,
	.user = "",
	.group = "",
	.place = {"", 0}};

/* The configuration leaves it to the service manager. */
static int
open_passed(struct opening *opening)
{
	struct passed *passed = opening->passed;
	size_t i;

	opening->wanted = &fallback;
	for (i = 0; i < passed->count; i++)
		if (share_passed(opening, &passed->sockets[i],
			    (struct listener){.fd = -1}) < 0)
			return -1;
	return 0;
}

/* As Dovecot has it. */
static int
open_default(struct opening *opening)
{
	if (opening->passed != NULL && opening->passed->count > 0)
		return open_passed(opening);
	return open_block(opening, &fallback);
}

/* Nothing is wrong with none. */
static int
open_policy(struct opening *opening)
{
	const struct settings *settings = opening->settings;
	size_t i;

	opening->is_policy = true;
	for (i = 0; i < settings->service_count; i++)
		if (strcmp(settings->services[i].name, "quota-status") == 0 &&
			open_service(opening, &settings->services[i]) < 0)
			return -1;
	return 0;
}

static int
open_lmtp(struct opening *opening)
{
	const struct settings *settings = opening->settings;
	size_t i, blocks = 0;

	for (i = 0; i < settings->service_count; i++) {
		const struct conf_service *service = &settings->services[i];

		if (strcmp(service->name, "lmtp") != 0)
			continue;
		blocks += service->listener_count;
		if (open_service(opening, service) < 0)
			return -1;
	}
	if (blocks == 0)
		return open_default(opening);
	if (opening->set->count == 0)
		return err_temp(opening->err, "4.3.5",
			"service lmtp: every listener is switched off (port = "
			"0, or mode = 0)");
	return 0;
}

static void
warn_of_unused(const struct passed *passed)
{
	size_t i;

	for (i = 0; passed != NULL && i < passed->count; i++)
		if (!passed->sockets[i].is_used)
			log_warning("the service manager has passed the socket "
				    "%s, which no listener of any service "
				    "wants: nobody will answer there",
				passed->sockets[i].address);
}

static int
open_all(struct opening *opening)
{
	return open_lmtp(opening) < 0 ? -1 : open_policy(opening);
}

int
listen_open(const struct settings *settings, const struct listeners *old,
	struct passed *passed, struct listeners **listeners_out,
	struct err *err)
{
	struct arena *arena = arena_open();
	struct opening opening = {settings, old, passed,
		ARENA_NEW(arena, struct listeners), NULL, err, false};

	opening.set->arena = arena;
	*listeners_out = NULL;
	if (open_all(&opening) < 0) {
		listen_abandon(&opening.set, old);
		return -1;
	}
	warn_of_unused(passed);
	*listeners_out = opening.set;
	return 0;
}

static void
close_set(struct listeners **set)
{
	struct arena *arena = (*set)->arena;
	size_t i;

	for (i = 0; i < (*set)->count; i++)
		fd_close(&(*set)->items[i].fd);
	*set = NULL;
	arena_close(&arena);
}

/* Removes the files of those sockets in `set` that `other` has not. */
static void
remove_files(const struct listeners *set, const struct listeners *other)
{
	size_t i;

	for (i = 0; i < set->count; i++) {
		const struct listener *listener = &set->items[i];
		const struct listener *kept = find(other, listener->name);

		if (listener->is_inet || listener->is_passed ||
			!is_in_place(listener) ||
			(kept != NULL && is_in_place(kept)))
			continue;
		if (unlink(listener->name) < 0)
			log_warning("cannot remove %s: %s", listener->name,
				strerror(errno));
	}
}

void
listen_replace(struct listeners **old, const struct listeners *now)
{
	size_t i;

	for (i = 0; i < now->count; i++)
		if (!now->items[i].is_inet && !now->items[i].is_passed &&
			apply_owner(&now->items[i]) < 0)
			log_warning("cannot change the mode or owner of %s: %s",
				now->items[i].name, strerror(errno));
	if (*old == NULL)
		return;
	remove_files(*old, now);
	close_set(old);
}

void
listen_abandon(struct listeners **fresh, const struct listeners *old)
{
	if (*fresh == NULL)
		return;
	remove_files(*fresh, old);
	close_set(fresh);
}
