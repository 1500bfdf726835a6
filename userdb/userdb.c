/* SPDX-License-Identifier: MIT */
#include "userdb/userdb.h"

#include "base/memory.h"
#include "base/utf8.h"
#include "userdb/driver.h"
#include "userdb/record.h"

#include "base/banned.h"

static const struct userdb_driver *const drivers[] = {
	&userdb_passwd,
	&userdb_passwd_file,
	&userdb_static,
};

struct userdb {
	struct arena *arena;
	struct userdb_source **sources;
	size_t count;
};

bool
userdb_name_is_harmful(struct str name)
{
	struct str rest = name, part;
	size_t i;

	if (name.len == 0 || name.len > USERDB_NAME_MAX || !utf8_is_valid(name))
		return true;
	for (i = 0; i < name.len; i++) {
		unsigned char byte = (unsigned char)name.data[i];

		if (byte < ' ' || byte == 0x7f || byte == '/')
			return true;
	}
	/* %n and %d become parts of paths, each by itself. */
	while (str_next_field(&rest, '@', &part))
		if (str_is(part, ".") || str_is(part, ".."))
			return true;
	return false;
}

static const struct userdb_driver *
find_driver(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(drivers); i++)
		if (str_is(str_from(name), drivers[i]->name))
			return drivers[i];
	return NULL;
}

static const char *
place_of(struct arena *arena, const struct userdb_settings *settings)
{
	if (settings->file == NULL)
		return "userdb";
	return arena_format(
		arena, "%s:%u: userdb", settings->file, settings->line);
}

static int
open_source(struct userdb *db, const struct userdb_settings *settings,
	struct userdb_source **source_out, struct err *err)
{
	const struct userdb_driver *driver = find_driver(settings->driver);
	const char *place = place_of(db->arena, settings);
	struct userdb_source *source;

	if (driver == NULL)
		return err_temp(err, "4.3.5",
			"%s: driver '%s' is not one of passwd, passwd-file, "
			"static",
			place,
			settings->driver != NULL ? settings->driver : "");
	source = arena_alloc(db->arena, driver->size);
	source->driver = driver;
	source->settings = settings;
	source->place = place;
	*source_out = source;
	if (record_check_words(str_from(settings->default_fields), place, err) <
			0 ||
		record_check_words(
			str_from(settings->override_fields), place, err) < 0)
		return -1;
	return driver->open(source, db->arena, err);
}

int
userdb_open(const struct userdb_settings *settings, size_t count,
	struct userdb **db_out, struct err *err)
{
	struct userdb *db = memory_get(sizeof(*db));
	size_t i;

	db->arena = arena_open();
	db->sources = ARENA_ARRAY(db->arena, struct userdb_source *, count);
	db->count = count;
	for (i = 0; i < count; i++) {
		if (open_source(db, &settings[i], &db->sources[i], err) < 0) {
			userdb_close(&db);
			return -1;
		}
	}
	*db_out = db;
	return 0;
}

void
userdb_keep(struct userdb *db)
{
	size_t i;

	for (i = 0; i < db->count; i++)
		db->sources[i]->is_long_lived = true;
}

const char *const *
userdb_folders(const struct userdb *db, struct arena *arena, size_t *count_out)
{
	const char **folders = ARENA_ARRAY(arena, const char *, db->count);
	size_t i, count = 0;

	for (i = 0; i < db->count; i++) {
		const struct userdb_source *source = db->sources[i];

		if (source->driver->folder == NULL)
			continue;
		folders[count++] = source->driver->folder(source, arena);
	}
	*count_out = count;
	return folders;
}

static void
close_source(struct userdb_source *source)
{
	if (source != NULL && source->driver->close != NULL)
		source->driver->close(source);
}

void
userdb_close(struct userdb **db)
{
	size_t i;

	if (*db == NULL)
		return;
	for (i = 0; i < (*db)->count; i++)
		close_source((*db)->sources[i]);
	arena_close(&(*db)->arena);
	memory_free(*db);
	*db = NULL;
}

static enum lookup
find_in(struct userdb_source *source, struct record *record, struct err *err)
{
	const struct userdb_settings *settings = source->settings;
	enum lookup found;

	record->place = source->place;
	record->user.source = source->driver->name;
	found = source->driver->find(source, record, err);
	if (found != LOOKUP_FOUND)
		return found;
	record->place = source->place;
	record->name = str_from(record->user.name);
	if (record_set_words(record, str_from(settings->default_fields), true,
		    err) < 0 ||
		record_set_words(record, str_from(settings->override_fields),
			false, err) < 0)
		return LOOKUP_ERROR;
	return LOOKUP_FOUND;
}

enum lookup
userdb_find(struct userdb *db, struct arena *arena, struct str name,
	const char *service, const struct user **user_out, struct err *err)
{
	struct record record;
	size_t i;

	if (db->count == 0) {
		err_temp(err, "4.3.5", "no userdb { } is configured");
		return LOOKUP_ERROR;
	}
	if (userdb_name_is_harmful(name))
		return LOOKUP_NONE;
	name = arena_copy(arena, name);
	for (i = 0; i < db->count; i++) {
		enum lookup found;

		record_init(&record, arena, name, service);
		found = find_in(db->sources[i], &record, err);
		if (found == LOOKUP_FOUND)
			*user_out = record_end(&record);
		if (found != LOOKUP_NONE)
			return found;
	}
	return LOOKUP_NONE;
}

void
userdb_names_add(struct arena *arena, struct userdb_names *names,
	const struct userdb_name *name)
{
	enum { FIRST = 64 };

	if (names->count == names->size) {
		names->size = names->size > 0 ? names->size * 2 : FIRST;
		names->items = arena_grow(arena, names->items,
			sizeof(*names->items), names->count, names->size);
	}
	names->items[names->count++] = *name;
}

int
userdb_list(struct userdb *db, struct arena *arena,
	struct userdb_names *names_out, struct err *err)
{
	size_t i;

	*names_out = (struct userdb_names){.items = NULL};
	for (i = 0; i < db->count; i++) {
		struct userdb_source *source = db->sources[i];
		enum lookup listed = LOOKUP_NONE;

		if (source->driver->list != NULL)
			listed = source->driver->list(
				source, arena, names_out, err);
		if (listed == LOOKUP_ERROR)
			return -1;
		if (listed == LOOKUP_NONE)
			names_out->unlisted = source->driver->name;
	}
	return 0;
}

const struct str *
user_field(const struct user *user, const char *name)
{
	size_t i;

	for (i = 0; i < user->field_count; i++)
		if (str_is(user->fields[i].name, name))
			return &user->fields[i].value;
	return NULL;
}
