/* SPDX-License-Identifier: MIT */
#include "deliver/detail.h"

#include "base/log.h"
#include "deliver/work.h"

#include "base/banned.h"

/* What may part levels in an address, whatever does so in the mailbox. */
#define LEVEL_MARKS "/."

/* The names that a detail may stand for, the first wins. */
struct spellings {
	struct str names[2];
	size_t count;
};

static bool
wants_folder(const struct delivery *delivery)
{
	return delivery->mailbox.len == 0 && delivery->detail.len > 0 &&
	       delivery->settings->lmtp_save_to_detail_mailbox;
}

static struct str
with_separator(struct arena *arena, struct str detail, char separator)
{
	char *text = arena_alloc(arena, detail.len + 1);
	size_t i;

	for (i = 0; i < detail.len; i++)
		text[i] = str_has_char(STR(LEVEL_MARKS), detail.data[i])
		                  ? separator
		                  : detail.data[i];
	return str_of(text, detail.len);
}

static int
spell(const struct job *job, const struct delivery *delivery,
	struct spellings *spellings, struct err *err)
{
	char separator;

	if (store_separator(delivery->work->store, &separator, err) < 0)
		return -1;
	spellings->names[0] = delivery->detail;
	spellings->names[1] =
		with_separator(job->arena, delivery->detail, separator);
	spellings->count =
		str_equal(spellings->names[0], spellings->names[1]) ? 1 : 2;
	return 0;
}

static size_t
count_levels(struct str name)
{
	size_t levels = 1, at;

	while ((at = str_find_any(name, LEVEL_MARKS)) < name.len) {
		levels++;
		name = str_skip(name, at + 1);
	}
	return levels;
}

static enum lookup
find_folder(struct delivery *delivery, const struct spellings *spellings,
	struct err *err)
{
	struct delivery_work *work = delivery->work;
	enum lookup found = LOOKUP_NONE;
	size_t i;

	for (i = 0; i < spellings->count && found == LOOKUP_NONE; i++)
		found = store_match_folder(
			work->store, spellings->names[i], &work->folder, err);
	return found;
}

/* Names that IMAP's LIST takes for patterns would be hard to get rid of
 * (RFC 3501 5.1). */
static bool
may_be_made(const struct delivery *delivery)
{
	return delivery->settings->lmtp_detail_autocreate &&
	       str_find_any(delivery->detail, "*%") == delivery->detail.len;
}

/* LOOKUP_NONE: the user has folders enough, or nobody can tell. */
static enum lookup
has_room(const struct delivery *delivery, struct err *err)
{
	size_t most = delivery->settings->lmtp_detail_max_folders, count;
	size_t wanted = count_levels(delivery->detail);
	enum lookup found;

	if (most == 0)
		return LOOKUP_FOUND;
	found = store_count_folders(delivery->work->store, most, &count, err);
	if (found != LOOKUP_FOUND)
		return found;
	return count + wanted <= most ? LOOKUP_FOUND : LOOKUP_NONE;
}

/* The folder is made when the message is written. */
static enum lookup
plan_folder(struct delivery *delivery, const struct spellings *spellings,
	struct err *err)
{
	struct delivery_work *work = delivery->work;
	enum lookup found = LOOKUP_NONE;
	size_t i;

	if (!may_be_made(delivery))
		return LOOKUP_NONE;
	for (i = 0; i < spellings->count && found == LOOKUP_NONE; i++)
		found = store_name_new_folder(
			work->store, spellings->names[i], &work->folder, err);
	if (found == LOOKUP_FOUND)
		found = has_room(delivery, err);
	work->creates_folder = found == LOOKUP_FOUND;
	return found;
}

static enum lookup
choose(struct job *job, struct delivery *delivery, struct err *err)
{
	struct spellings spellings;
	enum lookup found;

	if (count_levels(delivery->detail) > DETAIL_LEVELS_MAX)
		return LOOKUP_NONE;
	if (spell(job, delivery, &spellings, err) < 0)
		return LOOKUP_ERROR;
	found = find_folder(delivery, &spellings, err);
	if (found == LOOKUP_NONE)
		found = plan_folder(delivery, &spellings, err);
	return found;
}

int
detail_choose_folder(
	struct job *job, struct delivery *delivery, struct err *err)
{
	struct delivery_work *work = delivery->work;

	work->folder =
		delivery->mailbox.len > 0 ? delivery->mailbox : STR("INBOX");
	if (!wants_folder(delivery))
		return 0;
	switch (choose(job, delivery, err)) {
	case LOOKUP_FOUND:
		return 0;
	case LOOKUP_NONE:
		work->folder = STR("INBOX");
		/* No error: any sender can cause it. */
		log_debug("the detail '%.*s' has no folder: INBOX",
			STR_ARG(delivery->detail));
		return 0;
	case LOOKUP_ERROR:
		break;
	}
	return -1;
}
