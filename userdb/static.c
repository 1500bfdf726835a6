/* static - the same record for everybody
 *
 * It cannot say that somebody does not exist, so it is only taken when the
 * configuration says in so many words that every address shall have a mailbox.
 *
 * SPDX-License-Identifier: MIT
 */
#include "userdb/driver.h"

#include "base/banned.h"

struct static_source {
	struct userdb_source source;
	struct str words; /* without allow_all_users */
};

/* Takes allow_all_users=... out; the others keep their escapes. */
static bool
sort_words(struct arena *arena, struct str args, struct str *words_out)
{
	const char *words = "";
	bool allows_all = false;
	struct str rest = args, word;

	for (;;) {
		const char *start = rest.data;
		size_t len = rest.len;

		if (!record_next_word(arena, &rest, &word))
			break;
		if (str_starts(word, STR("allow_all_users=")))
			allows_all = str_is(word, "allow_all_users=yes");
		else
			words = arena_format(arena, "%s%.*s", words,
				(int)(len - rest.len), start);
	}
	*words_out = str_from(words);
	return allows_all;
}

static int
static_open(struct userdb_source *source, struct arena *arena, struct err *err)
{
	struct static_source *own =
		CONTAINER_OF(source, struct static_source, source);

	if (!sort_words(arena, str_from(source->settings->args), &own->words))
		return err_temp(err, "4.3.5",
			"%s: driver static gives a mailbox to every address, "
			"also to misspelt and invented ones; if that is meant "
			"(the MTA refuses unknown users itself), add "
			"allow_all_users=yes to args, else use another driver",
			source->place);
	return record_check_words(own->words, source->place, err);
}

static enum lookup
static_find(
	struct userdb_source *source, struct record *record, struct err *err)
{
	const struct static_source *own =
		CONTAINER_OF(source, struct static_source, source);

	if (record_set_words(record, own->words, false, err) < 0)
		return LOOKUP_ERROR;
	return LOOKUP_FOUND;
}

const struct userdb_driver userdb_static = {
	.name = "static",
	.size = sizeof(struct static_source),
	.open = static_open,
	.find = static_find,
};
