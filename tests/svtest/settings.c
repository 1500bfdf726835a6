/* test_config_set: the settings of a case are those of doorstep.conf
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/buf.h"
#include "conf/keys.h"
#include "sieve/registry.h"
#include "deliver/setup.h"
#include "tests/svtest/world.h"

#include "base/banned.h"

/* Names that exist, but whose meaning this engine does not have. */
static const struct {
	const char *name, *why;
} without_effect[] = {
	{"sieve_max_cpu_time",
		"a run is limited by sieve_max_steps, not by time"},
};

static const struct conf_key *
find_key(struct str name)
{
	unsigned root, number;
	const struct conf_key *key = conf_key_find(&conf_top_keys, name);

	return key != NULL ? key : conf_key_find_family(name, &root, &number);
}

/* Names of newer releases for what has another one here. */
static const struct {
	const char *name, *ours;
} aliases[] = {
	{"sieve_spamtest_score_max_header", "sieve_spamtest_max_header"},
	{"sieve_spamtest_score_max_value", "sieve_spamtest_max_value"},
	{"sieve_variables_max_variable_size", "sieve_variables_max_value_size"},
	{"sieve_virustest_score_max_header", "sieve_virustest_max_header"},
	{"sieve_virustest_score_max_value", "sieve_virustest_max_value"},
};

/* "sieve_spamtest_text_value/3" is sieve_spamtest_text_value3. */
static struct str
our_name(struct world *world, struct str name)
{
	const struct str member = STR("_text_value/");
	size_t at = str_find(name, member), i;

	for (i = 0; i < ARRAY_LENGTH(aliases); i++)
		if (str_is(name, aliases[i].name))
			return str_from(aliases[i].ours);
	if (at == name.len)
		return name;
	return str_from(arena_format(world->arena, "%.*s_text_value%.*s",
		STR_ARG(str_slice(name, 0, at)),
		STR_ARG(str_skip(name, at + member.len))));
}

/* Named blocks: sieve_editheader_header names them, blanks between. */
static const struct str headers = {"sieve_editheader_header", 23};
static const struct str lists = {"sieve_extlists_list", 19};
static const struct str environment = {"sieve_environment/", 18};

/* "sieve_editheader_header/NAME/MEMBER" */
static bool
is_header_member(struct str name)
{
	static const char *const members[] = {
		"name", "forbid_add", "forbid_delete"};
	size_t slash = str_find_last_char(name, '/'), i;

	for (i = 0; i < ARRAY_LENGTH(members); i++)
		if (slash < name.len &&
			str_is(str_skip(name, slash + 1), members[i]))
			return str_starts(name, headers);
	return false;
}

/* "sieve_extlists_list/NAME/MEMBER", "sieve_extlists_list/NAME/dict/file/path" */
static bool
is_list_member(struct str name)
{
	static const char *const members[] = {"name",
		"sieve_extlists_list_name", "max_lookup_size",
		"sieve_extlists_list_max_lookup_size", "dict", "driver",
		"dict_driver", "path", "file_path", "dict_file_path"};
	size_t slash = str_find_last_char(name, '/'), i;

	for (i = 0; i < ARRAY_LENGTH(members); i++)
		if (slash < name.len &&
			str_is(str_skip(name, slash + 1), members[i]))
			return str_starts(name, lists);
	return false;
}

static bool
is_ours_to_read(struct str name)
{
	return str_equal(name, lists) || is_list_member(name) ||
	       str_equal(name, headers) || is_header_member(name) ||
	       (str_starts(name, environment) && name.len > environment.len);
}

static const char *
refusal(struct world *world, struct str name)
{
	const struct conf_key *key = find_key(our_name(world, name));
	size_t i;

	if (is_ours_to_read(name))
		return NULL;
	for (i = 0; i < ARRAY_LENGTH(without_effect); i++)
		if (str_is(name, without_effect[i].name))
			return arena_format(world->arena,
				"setting %.*s cannot be honoured: %s",
				STR_ARG(name), without_effect[i].why);
	if (key == NULL)
		return arena_format(world->arena, "there is no setting %.*s",
			STR_ARG(name));
	if (conf_key_is_later(key))
		return arena_format(world->arena,
			"setting %.*s has no effect in this release",
			STR_ARG(name));
	return NULL;
}

static struct override *
find_override(struct world *world, struct str name)
{
	size_t i;

	for (i = 0; i < world->override_count; i++)
		if (str_equal_nocase(world->overrides[i].name, name))
			return &world->overrides[i];
	return NULL;
}

const char *
settings_set(struct world *world, struct str name, struct str value)
{
	const char *problem = refusal(world, name);
	struct override *override = find_override(world, name);

	if (problem != NULL)
		return problem;
	if (override == NULL) {
		if (world->override_count == MOST_OVERRIDES)
			return "more settings than the runner holds";
		override = &world->overrides[world->override_count++];
		override->name = arena_copy(world->arena, name);
	}
	override->value = arena_copy(world->arena, value);
	override->is_set = true;
	return NULL;
}

const char *
settings_unset(struct world *world, struct str name)
{
	struct override *override = find_override(world, name);

	if (override != NULL)
		override->is_set = false;
	return override != NULL ? NULL : refusal(world, name);
}

static struct str
value_of(struct world *world, const char *name)
{
	const struct override *override = find_override(world, str_from(name));

	return override != NULL && override->is_set ? override->value
	                                            : STR_EMPTY;
}

static bool
is_yes(struct str value)
{
	return str_is_nocase(value, "yes") || str_is_nocase(value, "true") ||
	       str_is(value, "1") || str_is_nocase(value, "y");
}

/* The fields of all sieve_editheader_header blocks that say so. */
static const char *
forbidden(struct world *world, const char *what)
{
	struct str rest = value_of(world, headers.data), name;
	struct buf list;
	const char *setting;

	buf_init(&list, BUF_UNLIMITED);
	while (str_next_word(&rest, &name)) {
		struct str block = str_from(arena_format(
			world->arena, "%s/%.*s/", headers.data, STR_ARG(name)));
		struct str field = value_of(world,
			arena_format(world->arena, "%sname", block.data));

		if (is_yes(value_of(world, arena_format(world->arena, "%s%s",
						   block.data, what))))
			buf_add_format(&list, "%.*s ",
				STR_ARG(field.len > 0 ? field : name));
	}
	setting = arena_format(
		world->arena, "sieve_editheader_%s=%s", what, buf_text(&list));
	buf_clear(&list);
	return setting;
}

/* What the block NAME of a list says of a member, whatever stands between them;
 * an empty text: nothing. */
static struct str
list_member(struct world *world, struct str name, const char *member)
{
	struct str block = str_from(arena_format(
		world->arena, "%s/%.*s/", lists.data, STR_ARG(name)));
	size_t i;

	for (i = 0; i < world->override_count; i++) {
		const struct override *override = &world->overrides[i];

		if (override->is_set && str_starts(override->name, block) &&
			str_ends(override->name, str_from(member)))
			return override->value;
	}
	return STR_EMPTY;
}

/* One setting of ours for each list; a file is looked for beside the case. */
static size_t
add_lists(struct world *world, const char **settings, size_t most)
{
	struct str rest = value_of(world, lists.data), name;
	size_t count = 0;

	while (count < most && str_next_word(&rest, &name)) {
		struct str uri = list_member(world, name, "name");
		struct str size = list_member(world, name, "max_lookup_size");
		struct str path = list_member(world, name, "path");
		bool is_beside = path.len > 0 && path.data[0] != '/' &&
		                 path.data[0] != '~' && path.data[0] != '%';

		settings[count] = arena_format(world->arena,
			"%s%zu=%.*s%s%.*s%s%s%s%.*s", lists.data, count + 1,
			STR_ARG(uri.len > 0 ? uri : name),
			size.len > 0 ? " max_lookup_size=" : "", STR_ARG(size),
			path.len > 0 ? " file:" : "",
			is_beside ? world->folder : "", is_beside ? "/" : "",
			STR_ARG(path));
		count++;
	}
	return count;
}

bool
settings_environment(
	struct world *world, struct str name, struct str *value_out)
{
	const struct override *override = find_override(
		world, str_from(arena_format(world->arena, "%s%.*s",
			       environment.data, STR_ARG(name))));

	if (override == NULL || !override->is_in_force)
		return false;
	*value_out = override->in_force;
	return true;
}

static void
use_sieve(struct world *world)
{
	enum { MOST_ERRORS = 1000, MOST_STEPS = 1000000000 };

	world->sieve = setup_sieve(world->delivery.settings);
	world->sieve.extensions = NULL;
	world->sieve.testsuite_path = world->folder;
	world->sieve.max_errors = MOST_ERRORS;
	world->main_sieve = world->sieve;
	/* A case is no delivery: only what it tests is limited. */
	world->main_sieve.max_steps = MOST_STEPS;
	world->main_sieve.max_memory = UINT64_MAX;
}

/* In quotes, as a value may begin with "<" without naming a file. */
static const char *
assignment(struct world *world, const struct override *override)
{
	struct str value = str_trim(override->value);
	const char *line;
	struct buf text;
	size_t i;

	buf_init(&text, BUF_UNLIMITED);
	buf_add_format(
		&text, "%.*s=\"", STR_ARG(our_name(world, override->name)));
	for (i = 0; i < value.len; i++) {
		if (value.data[i] == '"' || value.data[i] == '\\')
			buf_add_char(&text, '\\');
		buf_add_char(&text, value.data[i]);
	}
	buf_add_char(&text, '"');
	line = arena_text(world->arena, buf_view(&text));
	buf_clear(&text);
	return line;
}

const char *
settings_load(struct world *world)
{
	enum { MOST_LISTS = 20 };
	const char *all[MOST_OVERRIDES + 20 + MOST_LISTS];
	struct conf_source source = {.only_defaults = true,
		.protocol = CONF_PROTOCOL_LDA,
		.overrides = all};
	struct conf_report report = {0};
	const struct settings *settings;
	size_t i, count = 0;

	all[count++] = "hostname=mail.example.com";
	all[count++] = "postmaster_address=postmaster@example.com";
	all[count++] = "mail_location=maildir:~/Maildir";
	all[count++] = "mail_fsync=never";
	all[count++] = "mail_log_prefix=";
	all[count++] = "lmtp_hdr_delivery_address=none";
	all[count++] = "message_loop_check=no";
	all[count++] = "sieve_user_log=~/user.log";
	all[count++] = "mail_attribute_dict=file:%h/dovecot-attributes";
	all[count++] = arena_format(
		world->arena, "sieve_dir=%s", world->include_folders.personal);
	all[count++] = arena_format(
		world->arena, "sieve_global=%s", world->include_folders.global);
	all[count++] = arena_format(
		world->arena, "sendmail_path=%s/sent", world->work);
	if (world->is_stalwart)
		all[count++] = "lda_mailbox_autocreate=yes";
	all[count++] = forbidden(world, "forbid_add");
	all[count++] = forbidden(world, "forbid_delete");
	count += add_lists(world, all + count, MOST_LISTS);
	for (i = 0; i < world->override_count; i++) {
		struct override *override = &world->overrides[i];

		override->is_in_force = override->is_set;
		override->in_force = override->value;
		if (override->is_set && !is_ours_to_read(override->name))
			all[count++] = assignment(world, override);
	}
	source.override_count = count;
	if (conf_load(world->arena, &source, &settings, &report) < 0)
		return conf_problem_text(world->arena, &report.problems[0]);
	world->delivery.settings = settings;
	use_sieve(world);
	return world_open_store(world);
}

bool
settings_know_extension(struct str name)
{
	enum extension_id id;

	return registry_find_extension(name, &id);
}
