/* SPDX-License-Identifier: MIT */
#include "sieve/registry.h"

#include <limits.h>
#include <stdint.h>

#include "sieve/settings.h"

#include "base/banned.h"

static const struct extension extensions[EXTENSION_COUNT] = {
#define EXTENSION(id, name, ops) [EXTENSION_##id] = {name, &ops},
#define HIDDEN(id, name, ops) [EXTENSION_##id] = {name, &ops},
#include "sieve/commands.def"
};

static const char *const capabilities[] = {
#define EXTENSION(id, name, ops) name,
#include "sieve/commands.def"
};

static const struct {
	const char *name;
	const char *successor;
} successors[] = {
#define SUCCESSOR(name, successor) {name, successor},
#include "sieve/commands.def"
};

static const struct {
	const char *name;
	const char *words; /* with blanks between them */
} absent[ABSENT_COUNT] = {
#define ABSENT(id, name, words) [ABSENT_##id] = {name, words},
#include "sieve/commands.def"
};

#define NO_PARAMETERS                                                          \
	{                                                                      \
		{                                                              \
			NULL, PARAMETER_NONE, false                            \
		}                                                              \
	}
#define PARAMETERS(...)                                                        \
	{                                                                      \
		__VA_ARGS__                                                    \
	}
#define STRING(name)                                                           \
	{                                                                      \
		name, PARAMETER_A_STRING, false                                \
	}
#define STRINGS(name)                                                          \
	{                                                                      \
		name, PARAMETER_A_STRING_LIST, false                           \
	}
#define NUMBER(name)                                                           \
	{                                                                      \
		name, PARAMETER_A_NUMBER, false                                \
	}
#define STRING_OR_NUMBER(name)                                                 \
	{                                                                      \
		name, PARAMETER_A_STRING_OR_NUMBER, false                      \
	}
#define OPTIONAL_STRING(name)                                                  \
	{                                                                      \
		name, PARAMETER_A_STRING, true                                 \
	}
#define OPTIONAL_STRINGS(name)                                                 \
	{                                                                      \
		name, PARAMETER_A_STRING_LIST, true                            \
	}

static const struct command commands[COMMAND_COUNT] = {
#define COMMAND(id_, name_, kind_, extension_, end_, parameters_, ops_)        \
	{                                                                      \
		.id = COMMAND_##id_,                                           \
		.name = name_,                                                 \
		.kind = KIND_##kind_,                                          \
		.extension = EXTENSION_##extension_,                           \
		.end = END_##end_,                                             \
		.parameters = parameters_,                                     \
		.ops = &ops_,                                                  \
	},
#include "sieve/commands.def"
};

static const struct tag tags[TAG_COUNT] = {
#define TAG(id, name, extension, group, parameter, ops)                        \
	{TAG_##id, name, EXTENSION_##extension, GROUP_##group,                 \
		PARAMETER_##parameter, &ops},
#include "sieve/commands.def"
};

/* Which tags a command takes. */
static const bool attached[COMMAND_COUNT][GROUP_COUNT] = {
#define ATTACH(group, command) [COMMAND_##command][GROUP_##group] = true,
#include "sieve/commands.def"
};

static const struct {
	const char *name;
	enum extension_id extension;
	const struct comparator *comparator;
} comparators[] = {
#define COMPARATOR(name, extension, ops) {name, EXTENSION_##extension, &ops},
#include "sieve/commands.def"
};

/* Lengths and first letters sort out most names of a table before they are
 * compared. */
struct word {
	const char *text;
	size_t len;
};

static const struct word command_words[] = {
#define COMMAND(id, name, kind, extension, end, parameters, ops)               \
	{name, sizeof(name) - 1},
#include "sieve/commands.def"
};

static const struct word tag_words[] = {
#define TAG(id, name, extension, group, parameter, ops)                        \
	{name, sizeof(name) - 1},
#include "sieve/commands.def"
};

static bool
is_word(const struct word *word, struct str name)
{
	return word->len == name.len &&
	       ascii_lower(word->text[0]) == ascii_lower(name.data[0]) &&
	       str_is_nocase(name, word->text);
}

const struct extension_ops extension_plain = {.is_always_on = false};
const struct tag_ops tag_plain = {.check = NULL};

const char *const *
sieve_capabilities(size_t *count_out)
{
	*count_out = ARRAY_LENGTH(capabilities);
	return capabilities;
}

const struct extension *
registry_extension(enum extension_id id)
{
	return &extensions[id];
}

bool
registry_find_extension(struct str name, enum extension_id *id_out)
{
	int id;

	for (id = EXTENSION_CORE + 1; id < EXTENSION_COUNT; id++)
		if (str_is(name, extensions[id].name)) {
			*id_out = (enum extension_id)id;
			return true;
		}
	return false;
}

static bool
is_hidden(enum extension_id id)
{
	return id != EXTENSION_CORE && extensions[id].ops->is_hidden;
}

bool
registry_shows(const struct sieve_settings *settings, enum extension_id id)
{
	return !is_hidden(id) || settings->testsuite_path != NULL;
}

bool
sieve_offers(const struct sieve_settings *settings, struct str capability)
{
	enum extension_id id;

	return registry_find_extension(capability, &id) &&
	       registry_shows(settings, id) &&
	       (extensions[id].ops->is_always_on ||
		       settings_allow(settings, capability));
}

const char *
registry_successor(struct str name)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(successors); i++)
		if (str_is_nocase(name, successors[i].name))
			return successors[i].successor;
	return NULL;
}

bool
registry_find_absent(struct str capability, enum absent_id *id_out)
{
	int id;

	for (id = 0; id < ABSENT_COUNT; id++)
		if (str_is(capability, absent[id].name)) {
			*id_out = (enum absent_id)id;
			return true;
		}
	return false;
}

const char *
registry_absent_name(enum absent_id id)
{
	return absent[id].name;
}

bool
registry_absent_brings(enum absent_id id, struct str word)
{
	struct str rest = str_from(absent[id].words), one;

	while (str_next_word(&rest, &one))
		if (str_equal_nocase(one, word))
			return true;
	return false;
}

const struct command *
registry_find_command(
	struct str name, bool is_test, const struct sieve_settings *settings)
{
	const struct command *other = NULL;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(commands); i++) {
		if (!is_word(&command_words[i], name) ||
			!registry_shows(settings, commands[i].extension))
			continue;
		if ((commands[i].kind == KIND_TEST) == is_test)
			return &commands[i];
		other = &commands[i];
	}
	return other;
}

bool
registry_takes(const struct command *command, enum tag_group group)
{
	return attached[command->id][group];
}

const struct tag *
registry_find_tag(
	struct str name, const struct command *command, bool *is_other_out)
{
	const struct tag *other = NULL;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(tags); i++) {
		if (!is_word(&tag_words[i], name))
			continue;
		*is_other_out = false;
		if (registry_takes(command, tags[i].group))
			return &tags[i];
		if (other == NULL || is_hidden(other->extension))
			other = &tags[i];
	}
	*is_other_out = other != NULL;
	return other;
}

const struct comparator *
registry_find_comparator(struct str name, enum extension_id *extension_out)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(comparators); i++)
		if (str_is(name, comparators[i].name)) {
			*extension_out = comparators[i].extension;
			return comparators[i].comparator;
		}
	return NULL;
}

/* ---- suggestions ---- */

enum { LONGEST_COMPARED = 40, FARTHEST = 2 };

static size_t
smallest(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* How many letters have to be put in, taken out or changed (Levenshtein). */
static size_t
distance(struct str a, struct str b)
{
	size_t row[LONGEST_COMPARED + 1];
	size_t i, j;

	if (a.len > LONGEST_COMPARED || b.len > LONGEST_COMPARED)
		return SIZE_MAX;
	for (j = 0; j <= b.len; j++)
		row[j] = j;
	for (i = 0; i < a.len; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (j = 0; j < b.len; j++) {
			size_t above = row[j + 1];
			bool is_same = ascii_lower(a.data[i]) ==
			               ascii_lower(b.data[j]);

			row[j + 1] = smallest(row[j] + 1, above + 1,
				diagonal + (is_same ? 0 : 1));
			diagonal = above;
		}
	}
	return row[b.len];
}

struct nearest {
	struct str name;
	const char *found;
	size_t distance;
};

static struct nearest
nearest_to(struct str name)
{
	/* Of a short word nearly all letters could differ. */
	size_t limit = name.len / 3 < FARTHEST ? name.len / 3 : FARTHEST;

	return (struct nearest){name, NULL, limit + 1};
}

static void
nearest_try(struct nearest *nearest, const char *candidate)
{
	size_t d = distance(nearest->name, str_from(candidate));

	if (d < nearest->distance) {
		nearest->distance = d;
		nearest->found = candidate;
	}
}

const char *
registry_near_extension(struct str name)
{
	struct nearest nearest = nearest_to(name);
	int id;

	for (id = EXTENSION_CORE + 1; id < EXTENSION_COUNT; id++)
		if (!extensions[id].ops->is_hidden)
			nearest_try(&nearest, extensions[id].name);
	return nearest.found;
}

const char *
registry_near_command(struct str name, enum command_kind kind)
{
	struct nearest nearest = nearest_to(name);
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(commands); i++)
		if ((commands[i].kind == KIND_TEST) == (kind == KIND_TEST) &&
			!is_hidden(commands[i].extension))
			nearest_try(&nearest, commands[i].name);
	return nearest.found;
}

const char *
registry_near_tag(struct str name, const struct command *command)
{
	struct nearest nearest = nearest_to(name);
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(tags); i++)
		if (registry_takes(command, tags[i].group))
			nearest_try(&nearest, tags[i].name);
	return nearest.found;
}
