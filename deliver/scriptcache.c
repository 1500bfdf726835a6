/* SPDX-License-Identifier: MIT */
#include "deliver/scriptcache.h"

#include <stdint.h>
#include <sys/stat.h>

#include "base/filestate.h"
#include "base/memory.h"
#include "deliver/include.h"
#include "deliver/scriptfile.h"

#include "base/banned.h"

/* What a small arena takes beyond what is in it. */
enum { ENTRY_OVERHEAD = 8 * 1024 };

struct entry {
	struct arena *arena; /* this and all below live in it */
	struct file_state state;
	struct sieve_settings settings;
	const char *path;
	const struct include_file *files; /* that it includes, or would */
	size_t file_count;
	struct script_folders folders; /* of these; else NULL */
	struct sieve_program *program; /* NULL: does not compile */
	struct sieve_report report;
	size_t bytes;
	uint64_t last_used;
};

/* Inode and path stand here so that a search reads no entry in vain. */
struct slot {
	ino_t inode;
	uint32_t path_hash;
	struct entry *entry;
};

struct script_cache {
	struct script_cache_limits limits;
	struct script_cache_counts counts;
	struct slot *slots; /* as many as limits.scripts; counts.scripts used */
	struct entry *guest; /* not to be kept; until the next call */
	uint64_t uses;
};

struct script_cache *
script_cache_open(const struct script_cache_limits *limits)
{
	static const struct script_cache_limits defaults = {
		SCRIPT_CACHE_SCRIPTS, SCRIPT_CACHE_BYTES};
	struct script_cache *cache = memory_get(sizeof(*cache));

	cache->limits = limits != NULL ? *limits : defaults;
	cache->slots = memory_get(memory_product(
		cache->limits.scripts + 1, sizeof(*cache->slots)));
	return cache;
}

static void
drop(struct script_cache *cache, size_t index)
{
	struct arena *arena = cache->slots[index].entry->arena;

	cache->counts.bytes -= cache->slots[index].entry->bytes;
	cache->slots[index] = cache->slots[--cache->counts.scripts];
	arena_close(&arena);
}

static void
drop_guest(struct script_cache *cache)
{
	struct arena *arena;

	if (cache->guest == NULL)
		return;
	arena = cache->guest->arena;
	cache->guest = NULL;
	arena_close(&arena);
}

void
script_cache_close(struct script_cache **cache)
{
	if (*cache == NULL)
		return;
	drop_guest(*cache);
	while ((*cache)->counts.scripts > 0)
		drop(*cache, 0);
	memory_free((*cache)->slots);
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
	return strcmp(entry->path, path) == 0 &&
	       sieve_settings_are_same(&entry->settings, settings) &&
	       (entry->file_count == 0 ||
		       (is_same_folder(
				entry->folders.personal, folders->personal) &&
			       is_same_folder(entry->folders.global,
				       folders->global)));
}

static struct entry *
find(struct script_cache *cache, const struct sieve_settings *settings,
	const struct script_folders *folders, const char *path)
{
	struct file_state state;
	struct stat status;
	size_t i;

	/* Trouble is told by whoever opens it. */
	if (stat(path, &status) < 0)
		return NULL;
	state = file_state_of(&status);
	for (i = 0; i < cache->counts.scripts; i++) {
		struct slot *slot = &cache->slots[i];

		if (slot->inode == state.inode &&
			file_state_is_same(&slot->entry->state, &state) &&
			is_script(slot->entry, settings, folders, path))
			return include_is_fresh(slot->entry->files,
				       slot->entry->file_count)
			               ? slot->entry
			               : NULL;
	}
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

/* NULL: a script that it includes is in trouble. */
static struct entry *
compile(const struct sieve_settings *settings,
	const struct script_folders *folders, const char *path,
	struct script_file_text *text, struct err *err)
{
	struct arena *arena = arena_open();
	struct entry *entry = ARENA_NEW(arena, struct entry);
	struct include_loader loader;

	entry->arena = arena;
	entry->path = arena_text(arena, str_from(path));
	entry->state = text->state;
	entry->settings = *settings;
	entry->settings.delimiters =
		arena_text(arena, str_from(settings->delimiters));
	entry->settings.extensions =
		arena_text(arena, str_from(settings->extensions));
	entry->settings.global_extensions =
		arena_text(arena, str_from(settings->global_extensions));
	sieve_report_init(&entry->report, arena);
	include_init(&loader, arena, folders, settings->max_script_size,
		script_file_identity(arena, &text->state));
	if (sieve_compile_all(arena, settings, &loader.loader, path,
		    buf_view(&text->bytes), &entry->program, &entry->report,
		    err) == SIEVE_TEMPORARY) {
		arena_close(&arena);
		return NULL;
	}
	text->is_settled = text->is_settled && loader.is_settled;
	entry->files = loader.files;
	entry->file_count = loader.count;
	if (loader.count > 0)
		entry->folders = (struct script_folders){
			arena_text(arena, str_from(folders->personal)),
			arena_text(arena, str_from(folders->global))};
	entry->bytes = arena_used(arena) + ENTRY_OVERHEAD;
	return entry;
}

/* ---- keeping ---- */

static void
drop_oldest(struct script_cache *cache)
{
	size_t oldest = 0, i;

	for (i = 1; i < cache->counts.scripts; i++)
		if (cache->slots[i].entry->last_used <
			cache->slots[oldest].entry->last_used)
			oldest = i;
	drop(cache, oldest);
}

/* Other states of the script that is to be kept. */
static void
drop_script(struct script_cache *cache, const struct entry *entry)
{
	uint32_t hash = str_hash(STR_HASH, str_from(entry->path));
	size_t i = 0;

	while (i < cache->counts.scripts)
		if (cache->slots[i].path_hash == hash &&
			is_script(cache->slots[i].entry, &entry->settings,
				&entry->folders, entry->path))
			drop(cache, i);
		else
			i++;
}

static void
keep_take(struct script_cache *cache, struct entry *entry)
{
	drop_script(cache, entry);
	while (cache->counts.scripts > 0 &&
		(cache->counts.scripts >= cache->limits.scripts ||
			cache->counts.bytes + entry->bytes >
				cache->limits.bytes))
		drop_oldest(cache);
	cache->slots[cache->counts.scripts++] =
		(struct slot){entry->state.inode,
			str_hash(STR_HASH, str_from(entry->path)), entry};
	cache->counts.bytes += entry->bytes;
	entry->last_used = ++cache->uses;
}

static bool
may_keep(const struct script_cache *cache, const struct entry *entry)
{
	return cache->limits.scripts > 0 && entry->bytes <= cache->limits.bytes;
}

/* ---- loading ---- */

static enum lookup
use(struct script_cache *cache, struct entry *entry,
	struct sieve_program **program_out, struct sieve_report *report)
{
	entry->last_used = ++cache->uses;
	*program_out = entry->program;
	add_report(report, &entry->report);
	return entry->program != NULL ? LOOKUP_FOUND : LOOKUP_NONE;
}

static struct entry *
add(struct script_cache *cache, struct entry *entry, bool is_settled)
{
	cache->counts.compiled++;
	if (is_settled && may_keep(cache, entry))
		keep_take(cache, entry);
	else
		cache->guest = entry;
	return entry;
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
	struct entry *entry;

	if (!script_file_read(path, settings->max_script_size, text)) {
		err_temp_errno(err, "4.3.0", "cannot read the script %s", path);
		return LOOKUP_ERROR;
	}
	if (cache == NULL)
		return compile_alone(arena, settings, folders, path, text,
			program_out, report, err);
	entry = compile(settings, folders, path, text, err);
	if (entry == NULL)
		return LOOKUP_ERROR;
	return use(cache, add(cache, entry, text->is_settled), program_out,
		report);
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
		if (entry != NULL) {
			cache->counts.hits++;
			return use(cache, entry, program_out, report);
		}
	}
	result = load(cache, arena, settings, folders, path, &text, program_out,
		report, err);
	buf_clear(&text.bytes);
	return result;
}
