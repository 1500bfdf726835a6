/* dump - the settings in the configuration's own syntax
 *
 * SPDX-License-Identifier: MIT
 */
#include "conf/conf.h"

#include <limits.h>

#include "conf/keys.h"
#include "conf/value.h"

#include "base/banned.h"

struct dump {
	struct arena *arena;
	struct buf *out;
	bool only_changed;
	unsigned kinds;   /* of the keys to show */
	bool has_origins; /* write "#line" before what was said somewhere */
	unsigned depth;
	struct settings *scratch; /* has room for any object's fields */
};

static void
indent(struct dump *dump)
{
	unsigned i;

	for (i = 0; i < dump->depth; i++)
		buf_add_text(dump->out, "  ");
}

static bool
is_shown(const struct dump *dump, const struct conf_key *key)
{
	return (key->kinds & dump->kinds) != 0;
}

/* A name with a line break in it could say anything. */
static void
add_origin(struct dump *dump, struct conf_place place)
{
	if (dump->has_origins && place.file[0] != '\0' &&
		!str_has_char(str_from(place.file), '\n'))
		buf_add_format(
			dump->out, "#line %u %s\n", place.line, place.file);
}

/* Would the value, written as it is, be read as something else? */
static bool
needs_quotes(struct str value)
{
	size_t i;

	if (value.len == 0)
		return false;
	if (ascii_is_blank(value.data[0]) ||
		ascii_is_blank(value.data[value.len - 1]) ||
		str_find_any(str_slice(value, 0, 1), "\"'<#") == 0 ||
		value.data[value.len - 1] == '\\')
		return true;
	for (i = 0; i < value.len; i++)
		if ((value.data[i] == '#' || value.data[i] == '$') &&
			(i == 0 || ascii_is_blank(value.data[i - 1])))
			return true;
	return false;
}

static void
add_quoted(struct buf *out, struct str value)
{
	size_t i;

	buf_add_char(out, '"');
	for (i = 0; i < value.len; i++) {
		if (value.data[i] == '"' || value.data[i] == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, value.data[i]);
	}
	buf_add_char(out, '"');
}

static void
add_line(struct dump *dump, const char *name, struct str value, bool is_path)
{
	indent(dump);
	buf_add_format(dump->out, "%s =", name);
	if (value.len > 0)
		buf_add_char(dump->out, ' ');
	if (!is_path && needs_quotes(value))
		add_quoted(dump->out, value);
	else
		buf_add(dump->out, value);
	buf_add_char(dump->out, '\n');
}

static void
open_block(struct dump *dump, const char *type, const char *name)
{
	struct str text = str_from(name);

	indent(dump);
	buf_add_text(dump->out, type);
	if (text.len > 0)
		buf_add_char(dump->out, ' ');
	if (text.len > 0 && str_find_any(text, " \t\"'\\{}#=") < text.len)
		add_quoted(dump->out, text);
	else
		buf_add(dump->out, text);
	buf_add_text(dump->out, " {\n");
	dump->depth++;
}

static void
close_block(struct dump *dump)
{
	dump->depth--;
	indent(dump);
	buf_add_text(dump->out, "}\n");
}

/* The canonical text of a field, in the arena. */
static struct str
field_text(struct dump *dump, const struct conf_key *key, const void *object)
{
	struct buf buf;
	struct str text;

	buf_init(&buf, BUF_UNLIMITED);
	conf_value_format(key, object, &buf);
	text = arena_copy(dump->arena, buf_view(&buf));
	buf_clear(&buf);
	return text;
}

/* The same for the key's default. */
static struct str
default_text(struct dump *dump, const struct conf_key *key)
{
	struct str text = str_from(key->fallback);
	const char *expected;

	if (conf_value_parse(dump->arena, key, text, dump->scratch, &expected) <
		0)
		return text;
	return field_text(dump, key, dump->scratch);
}

static bool
is_path(const struct conf_key *key, const void *object)
{
	const struct conf_text *text =
		(const struct conf_text *)(const void *)((const char *)object +
							 key->offset);

	return key->type == CONF_TYPE_TEXT && text->path != NULL;
}

static void
dump_field(struct dump *dump, const struct conf_key *key, const void *object,
	const void *base, struct conf_place place)
{
	struct str text = field_text(dump, key, object);

	if (base != NULL && str_equal(text, field_text(dump, key, base)))
		return;
	if (base == NULL && dump->only_changed &&
		str_equal(text, default_text(dump, key)))
		return;
	add_origin(dump, place);
	add_line(dump, key->name, text, is_path(key, object));
}

static const struct conf_family *
family_of(const void *settings, const struct conf_key *key)
{
	return (const struct conf_family *)(const void *)((const char *)
								  settings +
							  key->offset);
}

static const struct conf_numbered *
find_numbered(const struct conf_family *family, unsigned root, unsigned number)
{
	size_t i;

	for (i = 0; i < family->count; i++)
		if (family->items[i].root == root &&
			family->items[i].number == number)
			return &family->items[i];
	return NULL;
}

static void
dump_numbered(struct dump *dump, const struct conf_key *key,
	const struct conf_numbered *item, const char *value)
{
	add_origin(dump, item->place);
	add_line(dump,
		conf_family_name(dump->arena, key, item->root, item->number),
		str_from(value), false);
}

static void
dump_family(struct dump *dump, const struct conf_key *key,
	const struct settings *settings, const struct settings *base)
{
	static const struct conf_family none = {NULL, 0};
	const struct conf_family *family = family_of(settings, key);
	const struct conf_family *others =
		base != NULL ? family_of(base, key) : &none;
	size_t i;

	for (i = 0; i < family->count; i++) {
		const struct conf_numbered *item = &family->items[i];
		const struct conf_numbered *other =
			find_numbered(others, item->root, item->number);

		if (other == NULL ||
			!str_is(str_from(item->value), other->value))
			dump_numbered(dump, key, item, item->value);
	}
	/* What the base has and a protocol takes away. */
	for (i = 0; i < others->count; i++)
		if (find_numbered(family, others->items[i].root,
			    others->items[i].number) == NULL)
			dump_numbered(dump, key, &others->items[i], "");
}

static void
dump_top(struct dump *dump, const struct settings *settings,
	const struct settings *base)
{
	size_t i;

	for (i = 0; i < conf_top_keys.count; i++) {
		const struct conf_key *key = &conf_top_keys.items[i];

		if (!is_shown(dump, key))
			continue;
		if (key->type == CONF_TYPE_FAMILY)
			dump_family(dump, key, settings, base);
		else
			dump_field(
				dump, key, settings, base, settings->places[i]);
	}
}

static void
dump_keys(struct dump *dump, const struct conf_keys *keys, const void *object)
{
	static const struct conf_place nowhere = {"", 0};
	size_t i;

	for (i = 0; i < keys->count; i++)
		if (is_shown(dump, &keys->items[i]))
			dump_field(
				dump, &keys->items[i], object, NULL, nowhere);
}

/* Is there a key to be shown in blocks of this sort? */
static bool
has_shown(const struct dump *dump, const struct conf_keys *keys)
{
	size_t i;

	for (i = 0; i < keys->count; i++)
		if (is_shown(dump, &keys->items[i]))
			return true;
	return false;
}

static void
dump_userdbs(struct dump *dump, const struct settings *settings)
{
	size_t i;

	if (!has_shown(dump, &conf_userdb_keys))
		return;
	for (i = 0; i < settings->userdb_count; i++) {
		add_origin(dump, settings->userdbs[i].place);
		open_block(dump, "userdb", settings->userdbs[i].name);
		dump_keys(dump, &conf_userdb_keys, &settings->userdbs[i]);
		close_block(dump);
	}
}

static void
dump_mailboxes(
	struct dump *dump, const struct conf_mailbox *mailboxes, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		add_origin(dump, mailboxes[i].place);
		open_block(dump, "mailbox", mailboxes[i].name);
		dump_keys(dump, &conf_mailbox_keys, &mailboxes[i]);
		close_block(dump);
	}
}

static void
dump_namespaces(struct dump *dump, const struct settings *settings)
{
	size_t i;

	if (!has_shown(dump, &conf_namespace_keys))
		return;
	for (i = 0; i < settings->namespace_count; i++) {
		const struct conf_namespace *space = &settings->namespaces[i];

		add_origin(dump, space->place);
		open_block(dump, "namespace", space->name);
		dump_keys(dump, &conf_namespace_keys, space);
		dump_mailboxes(dump, space->mailboxes, space->mailbox_count);
		close_block(dump);
	}
}

static void
dump_services(struct dump *dump, const struct settings *settings)
{
	size_t i, j;

	if (!has_shown(dump, &conf_service_keys) &&
		!has_shown(dump, &conf_listener_keys))
		return;
	for (i = 0; i < settings->service_count; i++) {
		const struct conf_service *service = &settings->services[i];

		add_origin(dump, service->place);
		open_block(dump, "service", service->name);
		dump_keys(dump, &conf_service_keys, service);
		for (j = 0; j < service->listener_count; j++) {
			const struct conf_listener *listener =
				&service->listeners[j];

			add_origin(dump, listener->place);
			open_block(dump,
				listener->is_inet ? "inet_listener"
						  : "unix_listener",
				listener->name);
			dump_keys(dump, &conf_listener_keys, listener);
			close_block(dump);
		}
		close_block(dump);
	}
}

static void
dump_local_names(struct dump *dump, const struct settings *settings)
{
	size_t i;

	if (!has_shown(dump, &conf_local_name_keys))
		return;
	for (i = 0; i < settings->local_name_count; i++) {
		add_origin(dump, settings->local_names[i].place);
		open_block(dump, "local_name", settings->local_names[i].name);
		dump_keys(
			dump, &conf_local_name_keys, &settings->local_names[i]);
		close_block(dump);
	}
}

static void
dump_proxy_group(struct dump *dump, const struct conf_proxy_group *group)
{
	size_t i;

	add_origin(dump, group->place);
	open_block(dump, "proxy_group", group->name);
	dump_keys(dump, &conf_proxy_group_keys, group);
	for (i = 0; i < group->backend_count; i++) {
		add_origin(dump, group->backends[i].place);
		open_block(dump, "backend", group->backends[i].name);
		dump_keys(dump, &conf_backend_keys, &group->backends[i]);
		close_block(dump);
	}
	close_block(dump);
}

static void
dump_proxy_groups(struct dump *dump, const struct settings *settings)
{
	size_t i;

	if (!has_shown(dump, &conf_proxy_group_keys))
		return;
	for (i = 0; i < settings->proxy_group_count; i++)
		dump_proxy_group(dump, &settings->proxy_groups[i]);
}

static void
dump_all(struct dump *dump, const struct settings *settings)
{
	dump_top(dump, settings, NULL);
	dump_namespaces(dump, settings);
	if (has_shown(dump, &conf_mailbox_keys))
		dump_mailboxes(
			dump, settings->mailboxes, settings->mailbox_count);
	dump_services(dump, settings);
	dump_local_names(dump, settings);
	dump_proxy_groups(dump, settings);
	dump_userdbs(dump, settings);
}

void
conf_dump(struct arena *arena, const struct settings *settings,
	bool only_changed, struct buf *out)
{
	struct dump dump = {.arena = arena,
		.out = out,
		.only_changed = only_changed,
		.kinds = UINT_MAX,
		.scratch = ARENA_NEW(arena, struct settings)};

	dump_all(&dump, settings);
}

void
conf_dump_kind(struct arena *arena, const struct settings *settings,
	unsigned kinds, struct buf *out)
{
	struct dump dump = {.arena = arena,
		.out = out,
		.only_changed = true,
		.kinds = kinds,
		.has_origins = true,
		.scratch = ARENA_NEW(arena, struct settings)};

	dump_all(&dump, settings);
}

void
conf_dump_protocol(struct arena *arena, const char *name,
	const struct settings *settings, const struct settings *base,
	struct buf *out)
{
	struct buf block;
	struct dump dump = {.arena = arena,
		.out = &block,
		.only_changed = true,
		.kinds = UINT_MAX,
		.depth = 1,
		.scratch = ARENA_NEW(arena, struct settings)};

	buf_init(&block, BUF_UNLIMITED);
	dump_top(&dump, settings, base);
	if (block.len > 0)
		buf_add_format(
			out, "protocol %s {\n%s}\n", name, buf_text(&block));
	buf_clear(&block);
}
