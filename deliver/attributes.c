/* SPDX-License-Identifier: MIT */
#include "deliver/attributes.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"
#include "store/store.h"

#include "base/banned.h"

static void
add(struct arena *arena, struct attributes *attributes, struct str key,
	struct str value)
{
	if (attributes->count == attributes->size) {
		attributes->size = attributes->size ? attributes->size * 2 : 16;
		attributes->items = arena_grow(arena, attributes->items,
			sizeof(*attributes->items), attributes->count,
			attributes->size);
	}
	attributes->items[attributes->count++] = (struct attribute){key, value};
}

/* What has no line end is being written. */
static void
parse(struct arena *arena, struct str text, struct attributes *attributes)
{
	struct str key, value;

	while (str_next_field(&text, '\n', &key) && str_has_char(text, '\n') &&
		str_next_field(&text, '\n', &value))
		add(arena, attributes, key, value);
}

static int
cannot_read(const char *path, struct err *err)
{
	int reason = errno;
	struct buf why;

	buf_init(&why, 400);
	if (reason == EACCES)
		store_explain_refusal(&why, path);
	err_temp(err, "4.3.0", "mail_attribute_dict: cannot read %s: %s %s",
		path, strerror(reason), buf_text(&why));
	buf_clear(&why);
	return -1;
}

int
attributes_read(struct arena *arena, const char *path,
	struct attributes *attributes_out, struct err *err)
{
	struct buf text;
	int result;

	*attributes_out = (struct attributes){0};
	buf_init(&text, ATTRIBUTES_MAX_BYTES);
	result = fd_read_file(path, &text);
	if (result < 0 && (errno == ENOENT || errno == ENOTDIR))
		result = 0;
	else if (result < 0)
		cannot_read(path, err);
	else
		parse(arena, arena_copy(arena, buf_view(&text)),
			attributes_out);
	buf_clear(&text);
	return result;
}

bool
attributes_find(const struct attributes *attributes, struct str key,
	struct str *value_out)
{
	size_t i;

	for (i = 0; i < attributes->count; i++)
		if (str_equal_nocase(attributes->items[i].key, key)) {
			*value_out = attributes->items[i].value;
			return true;
		}
	return false;
}

bool
attributes_is_use(const struct attribute *attribute, struct str *id_out)
{
	const struct str before = STR("priv/"), behind = STR("/specialuse");
	struct str key = attribute->key;

	if (!str_starts(key, before) || !str_ends(key, behind) ||
		key.len <= before.len + behind.len)
		return false;
	*id_out = str_slice(key, before.len, key.len - behind.len);
	return !str_has_char(*id_out, '/');
}
