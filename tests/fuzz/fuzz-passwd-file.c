/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/fd.h"
#include "mail/route.h"
#include "userdb/userdb.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_record(const struct user *user)
{
	size_t i;

	if (userdb_name_is_harmful(str_from(user->name)) ||
		(user->home != NULL && user->home[0] != '/') ||
		user->field_count > USERDB_FIELDS_MAX)
		abort();
	for (i = 0; i < user->field_count; i++)
		if (user->fields[i].name.len == 0)
			abort();
}

/* What the record says of other hosts makes sense, or is trouble. */
static void
check_route(struct arena *arena, const struct user *user)
{
	struct route_pair *pairs =
		ARENA_ARRAY(arena, struct route_pair, user->field_count);
	struct route route;
	struct err err;
	size_t i;

	for (i = 0; i < user->field_count; i++)
		pairs[i] = (struct route_pair){
			user->fields[i].name, user->fields[i].value};
	if (route_read(arena, pairs, user->field_count, "user", &route, &err) <
		0) {
		if (err.kind != ERR_TEMPORARY || err.detail[0] == '\0')
			abort();
		return;
	}
	if ((route.kind == ROUTE_PROXY && route.host == NULL) ||
		(route.ip != NULL && !route_is_address(route.ip)) ||
		route.port > UINT16_MAX ||
		route.forward_count > ROUTE_FORWARD_COUNT_MAX)
		abort();
}

static void
look_up(const char *path, struct str name)
{
	const struct userdb_settings settings = {.driver = "passwd-file",
		.args = path,
		.default_fields = "home=/srv/%u",
		.override_fields = "gid=1000"};
	struct arena *arena = arena_open();
	const struct user *user = NULL;
	struct userdb *db = NULL;
	struct err err;

	if (userdb_open(&settings, 1, &db, &err) < 0)
		abort();
	switch (userdb_find(db, arena, name, "lda", &user, &err)) {
	case LOOKUP_FOUND:
		check_record(user);
		check_route(arena, user);
		break;
	case LOOKUP_NONE:
		break;
	case LOOKUP_ERROR:
		if (err.kind != ERR_TEMPORARY || err.detail[0] == '\0')
			abort();
		break;
	}
	userdb_close(&db);
	arena_close(&arena);
}

/* The first line is the name, the others are the file. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str file = str_of((const char *)data, size), name;
	char path[64];
	int fd;

	name = str_slice(file, 0, str_find_char(file, '\n'));
	file = str_skip(file, name.len + 1);
	fd = memfd_create("users", MFD_CLOEXEC);
	if (fd < 0 || fd_write(fd, file) < 0)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	look_up(path, name);
	fd_close(&fd);
	return 0;
}
