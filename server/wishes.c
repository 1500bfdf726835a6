/* SPDX-License-Identifier: MIT */
#include "server/wishes.h"

#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/memory.h"
#include "ipc/frame.h"

#include "base/banned.h"

enum {
	DIGEST_BYTES = 32,
	KEY_BYTES = 1 + DIGEST_BYTES,
	STEP = 1000 /* entries of the data base at a time */
};

/* The key of ours begins with it; those of deliveries, marks and counts do not. */
static const char key_kind = 'w';

/* Nothing but the admin takes them away. */
static const uint64_t lifetime_s = UINT64_C(3650) * 24 * 60 * 60;

struct wish {
	struct wish *next; /* in the bucket */
	enum wire_wish_kind kind;
	char *name, *value;
};

static char *
keep_text(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = memory_get(size);

	memcpy(copy, text, size);
	return copy;
}

static struct wish **
find(struct wishes *wishes, const struct wire_proxy_wish *wish)
{
	struct wish **at =
		&wishes->buckets[str_hash(STR_HASH, str_from(wish->name)) %
				 WISHES_BUCKETS];

	while (*at != NULL && ((*at)->kind != wish->kind ||
				      strcmp((*at)->name, wish->name) != 0))
		at = &(*at)->next;
	return at;
}

static void
remove_at(struct wishes *wishes, struct wish **at)
{
	struct wish *old = *at;

	*at = old->next;
	memory_free(old->name);
	memory_free(old->value);
	memory_free(old);
	wishes->count--;
}

int
wishes_set(struct wishes *wishes, const struct wire_proxy_wish *wish,
	struct err *err)
{
	struct wish **at = find(wishes, wish), *item;

	if (*at != NULL)
		remove_at(wishes, at);
	if (wish->value[0] == '\0')
		return 0;
	if (wishes->count == WISHES_MAX)
		return err_set(err, ERR_TEMPORARY, "4.3.1",
			"more than %d users are moved: let the user database "
			"say where they live",
			WISHES_MAX);
	item = memory_get(sizeof(*item));
	*item = (struct wish){.kind = wish->kind,
		.name = keep_text(wish->name),
		.value = keep_text(wish->value),
		.next = *find(wishes, wish)};
	*find(wishes, wish) = item;
	wishes->count++;
	return 0;
}

void
wishes_clear(struct wishes *wishes)
{
	size_t i;

	for (i = 0; i < WISHES_BUCKETS; i++)
		while (wishes->buckets[i] != NULL)
			remove_at(wishes, &wishes->buckets[i]);
}

void
wishes_each(const struct wishes *wishes,
	void (*call)(void *context, struct wire_proxy_wish *wish),
	void *context)
{
	const struct wish *item;
	size_t i;

	for (i = 0; i < WISHES_BUCKETS; i++)
		for (item = wishes->buckets[i]; item != NULL;
			item = item->next) {
			struct wire_proxy_wish wish = {
				item->kind, item->name, item->value};

			call(context, &wish);
		}
}

/* ---- checking ---- */

static bool
is_backend(const struct settings *settings, const char *name)
{
	size_t i, j;

	for (i = 0; i < settings->proxy_group_count; i++)
		for (j = 0; j < settings->proxy_groups[i].backend_count; j++)
			if (str_is_nocase(str_from(name),
				    settings->proxy_groups[i].backends[j].name))
				return true;
	return false;
}

/* What is taken back need not exist any more. */
int
wishes_check(const struct settings *settings,
	const struct wire_proxy_wish *wish, struct err *err)
{
	const char *backend =
		wish->kind == WIRE_WISH_MOVE ? wish->value : wish->name;

	if (!settings->lmtp_proxy)
		return err_set(err, ERR_USAGE, "5.3.5",
			"this server passes no mail on: lmtp_proxy = no");
	if (wish->value[0] == '\0' || is_backend(settings, backend))
		return 0;
	return err_set(err, ERR_USAGE, "5.3.5",
		"no proxy_group has a backend %s", backend);
}

/* ---- the data base ---- */

static struct str
key_of(const struct wire_proxy_wish *wish, char key[KEY_BYTES])
{
	uint8_t result[DIGEST_MAX];
	struct digest digest;
	char kind = (char)('0' + (int)wish->kind);

	digest_init(&digest, DIGEST_SHA256);
	digest_add(&digest, str_of(&kind, 1));
	digest_add(&digest, str_from(wish->name));
	digest_end(&digest, result);
	key[0] = key_kind;
	memcpy(key + 1, result, DIGEST_BYTES);
	return str_of(key, KEY_BYTES);
}

static int
put(struct dict *dict, struct str key, struct wire_proxy_wish wish,
	struct err *err)
{
	struct dict_entry entry = {.key = key, .expires_s = lifetime_s * 10};
	struct frame frame;
	int result;

	frame_begin(&frame, 0);
	wire_proxy_wish(&frame, &wish);
	entry.value = buf_view(&frame.bytes);
	result = dict_put(dict, &entry, err);
	frame_close(&frame);
	return result;
}

int
wishes_put(
	struct dict *dict, const struct wire_proxy_wish *wish, struct err *err)
{
	char key[KEY_BYTES];
	struct str view = key_of(wish, key);

	if (wish->value[0] == '\0')
		return dict_delete(dict, view, err);
	return put(dict, view, *wish, err);
}

static void
tell(struct arena *arena, struct str value,
	void (*call)(void *context, struct wire_proxy_wish *wish),
	void *context)
{
	struct wire_proxy_wish wish;
	struct frame frame;

	frame_open(&frame, arena, value, NULL, 0);
	wire_proxy_wish(&frame, &wish);
	if (frame_is_whole(&frame) && wish.name != NULL && wish.value != NULL)
		call(context, &wish);
}

int
wishes_load(struct dict *dict, struct arena *arena,
	void (*call)(void *context, struct wire_proxy_wish *wish),
	void *context, struct err *err)
{
	struct str after = str_of(&key_kind, 1);
	struct dict_walk walk;
	size_t i;

	do {
		if (dict_walk(dict, arena, after, STEP, &walk, err) < 0)
			return -1;
		for (i = 0; i < walk.count; i++) {
			if (walk.entries[i].key.data[0] != key_kind)
				return 0;
			tell(arena, walk.entries[i].value, call, context);
		}
		after = walk.last;
	} while (after.len > 0);
	return 0;
}
