/* SPDX-License-Identifier: MIT */
#include "deliver/scriptcache.h"

#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "base/filestate.h"
#include "base/list.h"
#include "base/memory.h"
#include "deliver/include.h"
#include "deliver/scriptfile.h"

#include "base/banned.h"

enum {
	/* What a small arena takes beyond what is in it. */
	PROGRAM_OVERHEAD = 8 * 1024,
	BUCKETS = 4096 /* a power of two */
};

/* What became of a text.  Files of the same text share it. */
struct compiled {
	struct arena *arena; /* this and all below live in it */
	size_t users;        /* entries */
	size_t bytes;
	struct compiled *next; /* in its bucket, when it may be shared */
	uint32_t hash;
	struct str text; /* empty: it is for one file only */
	struct sieve_settings settings;
	const struct include_file *files; /* that it includes, or would */
	size_t file_count;
	struct script_folders folders; /* of these; else NULL */
	struct sieve_program *program; /* NULL: does not compile */
	struct sieve_report report;
};

/* A file in one of its states. */
struct entry {
	struct list_link in_age;
	struct entry *next; /* in its bucket */
	uint32_t hash;      /* of the path */
	size_t bytes;
	struct file_state state;
	struct compiled *compiled;
	char path[];
};

struct script_cache {
	struct script_cache_limits limits;
	struct script_cache_counts counts;
	struct entry *entries[BUCKETS];
	struct compiled *texts[BUCKETS];
	struct list by_age;  /* entries; the one not used for longest first */
	struct entry *guest; /* not to be kept; until the next call */
};

#define ENTRY_OF(link) CONTAINER_OF(link, struct entry, in_age)

struct script_cache *
script_cache_open(const struct script_cache_limits *limits)
{
	static const struct script_cache_limits defaults = {
		SCRIPT_CACHE_SCRIPTS, SCRIPT_CACHE_BYTES};
	struct script_cache *cache = memory_get(sizeof(*cache));

	cache->limits = limits != NULL ? *limits : defaults;
	list_init(&cache->by_age);
	return cache;
}

/* ---- texts ---- */

static void
share(struct script_cache *cache, struct compiled *compiled)
{
	struct compiled **bucket = &cache->texts[compiled->hash % BUCKETS];

	if (compiled->text.len == 0 || compiled->users > 0)
		return;
	compiled->next = *bucket;
	*bucket = compiled;
}

/* One user less.  Those of a guest alone are in no bucket. */
static void
leave(struct script_cache *cache, struct compiled *compiled)
{
	struct compiled **link = &cache->texts[compiled->hash % BUCKETS];
	struct arena *arena = compiled->arena;

	if (compiled->users > 0 && --compiled->users > 0)
		return;
	while (*link != NULL && *link != compiled)
		link = &(*link)->next;
	if (*link != NULL)
		*link = compiled->next;
	arena_close(&arena);
}

/* The same text means the same for whoever's it is, unless it includes others. */
static struct compiled *
find_text(const struct script_cache *cache,
	const struct sieve_settings *settings, struct str text, uint32_t hash)
{
	struct compiled *compiled = cache->texts[hash % BUCKETS];

	while (compiled != NULL &&
		!(compiled->hash == hash && str_equal(compiled->text, text) &&
			sieve_settings_are_same(&compiled->settings, settings)))
		compiled = compiled->next;
	return compiled;
}

/* ---- entries ---- */

static size_t
bytes_to_free(const struct entry *entry)
{
	return entry->bytes +
	       (entry->compiled->users == 1 ? entry->compiled->bytes : 0);
}

static void
drop(struct script_cache *cache, struct entry *entry)
{
	struct entry **link = &cache->entries[entry->hash % BUCKETS];

	while (*link != entry)
		link = &(*link)->next;
	*link = entry->next;
	list_remove(&entry->in_age);
	cache->counts.scripts--;
	cache->counts.bytes -= bytes_to_free(entry);
	leave(cache, entry->compiled);
	memory_free(entry);
}

static void
drop_guest(struct script_cache *cache)
{
	struct entry *guest = cache->guest;

	cache->guest = NULL;
	if (guest == NULL)
		return;
	/* It is no user of what others share. */
	if (guest->compiled->users == 0)
		leave(cache, guest->compiled);
	memory_free(guest);
}

void
script_cache_close(struct script_cache **cache)
{
	struct list_link *link;

	if (*cache == NULL)
		return;
	drop_guest(*cache);
	while ((link = list_first(&(*cache)->by_age)) != NULL)
		drop(*cache, ENTRY_OF(link));
	memory_free(*cache);
	*cache = NULL;
}

struct script_cache_counts
script_cache_counts(const struct script_cache *cache)
{
	return cache->counts;
}

/* ---- finding ---- */

static bool
is_same_folder(const char *a, const char *b)
{
	return str_equal(str_from(a), str_from(b));
}

/* The same script, for the same people. */
static bool
is_script(const struct entry *entry, const struct sieve_settings *settings,
	const struct script_folders *folders, const char *path)
{
	const struct compiled *compiled = entry->compiled;

	return strcmp(entry->path, path) == 0 &&
	       sieve_settings_are_same(&compiled->settings, settings) &&
	       (compiled->file_count == 0 ||
		       (is_same_folder(compiled->folders.personal,
				folders->personal) &&
			       is_same_folder(compiled->folders.global,
				       folders->global)));
}

static struct entry *
find(struct script_cache *cache, const struct sieve_settings *settings,
	const struct script_folders *folders, const char *path)
{
	uint32_t hash = str_hash(STR_HASH, str_from(path));
	struct entry *entry = cache->entries[hash % BUCKETS];
	struct file_state state;
	struct stat status;

	/* Trouble is told by whoever opens it. */
	if (entry == NULL || stat(path, &status) < 0)
		return NULL;
	state = file_state_of(&status);
	for (; entry != NULL; entry = entry->next)
		if (entry->hash == hash &&
			file_state_is_same(&entry->state, &state) &&
			is_script(entry, settings, folders, path))
			return include_is_fresh(entry->compiled->files,
				       entry->compiled->file_count)
			               ? entry
			               : NULL;
	return NULL;
}

static void
add_report(struct sieve_report *report, const struct sieve_report *kept)
{
	size_t i;

	if (kept->count == 0)
		return;
	report->problems = arena_grow(report->arena, report->problems,
		sizeof(*report->problems), report->count,
		report->count + kept->count);
	for (i = 0; i < kept->count; i++) {
		struct sieve_problem *problem =
			&report->problems[report->count++];

		*problem = kept->problems[i];
		problem->script =
			arena_text(report->arena, str_from(problem->script));
		problem->text =
			arena_text(report->arena, str_from(problem->text));
	}
	report->size = report->count;
	report->errors += kept->errors;
	report->is_full = report->is_full || kept->is_full;
}

/* ---- reading ---- */

/* Where others stand in the program, or names in the report, it is one file's. */
static void
keep_text(struct compiled *compiled, struct str text, uint32_t hash)
{
	compiled->hash = hash;
	if (compiled->program != NULL && compiled->file_count == 0 &&
		compiled->report.count == 0)
		compiled->text = arena_copy(compiled->arena, text);
}

static void
copy_settings(struct compiled *compiled, const struct sieve_settings *settings)
{
	struct arena *arena = compiled->arena;

	compiled->settings = *settings;
	compiled->settings.delimiters =
		arena_text(arena, str_from(settings->delimiters));
	compiled->settings.extensions =
		arena_text(arena, str_from(settings->extensions));
	compiled->settings.global_extensions =
		arena_text(arena, str_from(settings->global_extensions));
}

/* NULL: a script that it includes is in trouble. */
static struct compiled *
compile(const struct sieve_settings *settings,
	const struct script_folders *folders, const char *path,
	struct script_file_text *text, struct err *err)
{
	struct arena *arena = arena_open();
	struct compiled *compiled = ARENA_NEW(arena, struct compiled);
	struct include_loader loader;

	compiled->arena = arena;
	copy_settings(compiled, settings);
	sieve_report_init(&compiled->report, arena);
	include_init(&loader, arena, folders, settings->max_script_size,
		script_file_identity(arena, &text->state));
	if (sieve_compile_all(arena, settings, &loader.loader, path,
		    buf_view(&text->bytes), &compiled->program,
		    &compiled->report, err) == SIEVE_TEMPORARY) {
		arena_close(&arena);
		return NULL;
	}
	text->is_settled = text->is_settled && loader.is_settled;
	compiled->files = loader.files;
	compiled->file_count = loader.count;
	if (loader.count > 0)
		compiled->folders = (struct script_folders){
			arena_text(arena, str_from(folders->personal)),
			arena_text(arena, str_from(folders->global))};
	return compiled;
}

/* NULL: as for compile(). */
static struct compiled *
find_or_compile(struct script_cache *cache,
	const struct sieve_settings *settings,
	const struct script_folders *folders, const char *path,
	struct script_file_text *text, struct err *err)
{
	struct str bytes = buf_view(&text->bytes);
	uint32_t hash = str_hash(STR_HASH, bytes);
	struct compiled *compiled = find_text(cache, settings, bytes, hash);

	if (compiled != NULL) {
		cache->counts.shared++;
		return compiled;
	}
	compiled = compile(settings, folders, path, text, err);
	if (compiled == NULL)
		return NULL;
	cache->counts.compiled++;
	keep_text(compiled, bytes, hash);
	compiled->bytes = arena_used(compiled->arena) + PROGRAM_OVERHEAD;
	return compiled;
}

static struct entry *
new_entry(struct compiled *compiled, const char *path,
	const struct file_state *state)
{
	size_t len = strlen(path);
	struct entry *entry = memory_get(sizeof(*entry) + len + 1);

	entry->hash = str_hash(STR_HASH, str_from(path));
	entry->bytes = sizeof(*entry) + len + 1;
	entry->state = *state;
	entry->compiled = compiled;
	memcpy(entry->path, path, len + 1);
	return entry;
}

/* ---- keeping ---- */

/* Other states of the script that is to be kept. */
static void
drop_script(struct script_cache *cache, const struct entry *entry)
{
	struct entry *other = cache->entries[entry->hash % BUCKETS], *next;

	for (; other != NULL; other = next) {
		next = other->next;
		if (other->hash == entry->hash &&
			is_script(other, &entry->compiled->settings,
				&entry->compiled->folders, entry->path))
			drop(cache, other);
	}
}

static bool
is_full(const struct script_cache *cache)
{
	return cache->counts.scripts > cache->limits.scripts ||
	       cache->counts.bytes > cache->limits.bytes;
}

/* The new one is the last that would have to go. */
static void
keep(struct script_cache *cache, struct entry *entry)
{
	struct entry **bucket = &cache->entries[entry->hash % BUCKETS];

	share(cache, entry->compiled);
	entry->compiled->users++;
	cache->counts.scripts++;
	cache->counts.bytes += bytes_to_free(entry);
	drop_script(cache, entry);
	entry->next = *bucket;
	*bucket = entry;
	list_add_last(&cache->by_age, &entry->in_age);
	while (is_full(cache))
		drop(cache, ENTRY_OF(list_first(&cache->by_age)));
}

static bool
may_keep(const struct script_cache *cache, const struct entry *entry)
{
	return cache->limits.scripts > 0 &&
	       entry->bytes + entry->compiled->bytes <= cache->limits.bytes;
}

/* ---- loading ---- */

static enum lookup
use(struct arena *arena, const struct entry *entry,
	struct sieve_program **program_out, struct sieve_report *report)
{
	const struct compiled *compiled = entry->compiled;

	add_report(report, &compiled->report);
	if (compiled->program == NULL)
		return LOOKUP_NONE;
	*program_out =
		sieve_program_named(arena, compiled->program, entry->path);
	return LOOKUP_FOUND;
}

static const struct entry *
add(struct script_cache *cache, struct entry *entry, bool is_settled)
{
	if (is_settled && may_keep(cache, entry))
		keep(cache, entry);
	else
		cache->guest = entry;
	return entry;
}

static enum lookup
use_again(struct script_cache *cache, struct arena *arena, struct entry *entry,
	struct sieve_program **program_out, struct sieve_report *report)
{
	cache->counts.hits++;
	list_remove(&entry->in_age);
	list_add_last(&cache->by_age, &entry->in_age);
	return use(arena, entry, program_out, report);
}

static enum lookup
compile_alone(struct arena *arena, const struct sieve_settings *settings,
	const struct script_folders *folders, const char *path,
	const struct script_file_text *text, struct sieve_program **program_out,
	struct sieve_report *report, struct err *err)
{
	struct include_loader loader;

	include_init(&loader, arena, folders, settings->max_script_size,
		script_file_identity(arena, &text->state));
	switch (sieve_compile_all(arena, settings, &loader.loader, path,
		buf_view(&text->bytes), program_out, report, err)) {
	case SIEVE_OK:
		return LOOKUP_FOUND;
	case SIEVE_FAILED:
		return LOOKUP_NONE;
	case SIEVE_TEMPORARY:
		break;
	}
	return LOOKUP_ERROR;
}

static enum lookup
load(struct script_cache *cache, struct arena *arena,
	const struct sieve_settings *settings,
	const struct script_folders *folders, const char *path,
	struct script_file_text *text, struct sieve_program **program_out,
	struct sieve_report *report, struct err *err)
{
	struct compiled *compiled;

	if (!script_file_read(path, settings->max_script_size, text)) {
		err_temp_errno(err, "4.3.0", "cannot read the script %s", path);
		return LOOKUP_ERROR;
	}
	if (cache == NULL)
		return compile_alone(arena, settings, folders, path, text,
			program_out, report, err);
	compiled = find_or_compile(cache, settings, folders, path, text, err);
	if (compiled == NULL)
		return LOOKUP_ERROR;
	return use(arena,
		add(cache, new_entry(compiled, path, &text->state),
			text->is_settled),
		program_out, report);
}

enum lookup
script_cache_load(struct script_cache *cache, struct arena *arena,
	const struct sieve_settings *settings,
	const struct script_folders *folders, const char *path,
	struct sieve_program **program_out, struct sieve_report *report,
	struct err *err)
{
	static const struct script_folders none = {NULL, NULL};
	struct script_file_text text;
	struct entry *entry;
	enum lookup result;

	if (folders == NULL)
		folders = &none;
	if (cache != NULL) {
		drop_guest(cache);
		entry = find(cache, settings, folders, path);
		if (entry != NULL)
			return use_again(
				cache, arena, entry, program_out, report);
	}
	result = load(cache, arena, settings, folders, path, &text, program_out,
		report, err);
	buf_clear(&text.bytes);
	return result;
}
