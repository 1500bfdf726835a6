/* SPDX-License-Identifier: MIT */
#include "deliver/scriptcache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/filestate.h"
#include "base/memory.h"

#include "base/banned.h"

/* What a small arena takes beyond what is in it. */
enum { ENTRY_OVERHEAD = 8 * 1024 };

struct entry {
	struct arena *arena; /* this and all below live in it */
	struct file_state state;
	struct sieve_settings settings;
	const char *path;
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
is_script(const struct entry *entry, const struct sieve_settings *settings,
	const char *path)
{
	return strcmp(entry->path, path) == 0 &&
	       sieve_settings_are_same(&entry->settings, settings);
}

static struct entry *
find(struct script_cache *cache, const struct sieve_settings *settings,
	const char *path)
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
			is_script(slot->entry, settings, path))
			return slot->entry;
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

struct script_text {
	struct buf bytes;
	struct file_state state;
	bool is_settled; /* any other text will have another state */
};

/* False, with errno, when it cannot be read. */
static bool
read_script(const char *path, struct script_text *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), error = 0;
	struct stat before, after;
	struct file_state second;

	if (fd < 0)
		return false;
	if (fstat(fd, &before) < 0 ||
		(fd_read_rest(fd, &text->bytes) < 0 && errno != EFBIG) ||
		fstat(fd, &after) < 0)
		error = errno;
	fd_close(&fd);
	if (error != 0) {
		errno = error;
		return false;
	}
	text->state = file_state_of(&before);
	second = file_state_of(&after);
	text->is_settled = file_state_is_same(&text->state, &second) &&
	                   !file_state_is_in_doubt(&text->state);
	return true;
}

static struct entry *
compile(const struct sieve_settings *settings, const char *path,
	struct str text)
{
	struct arena *arena = arena_open();
	struct entry *entry = ARENA_NEW(arena, struct entry);

	entry->arena = arena;
	entry->path = arena_text(arena, str_from(path));
	entry->settings = *settings;
	entry->settings.delimiters =
		arena_text(arena, str_from(settings->delimiters));
	entry->settings.extensions =
		arena_text(arena, str_from(settings->extensions));
	sieve_report_init(&entry->report, arena);
	if (sieve_compile(arena, settings, path, text, &entry->program,
		    &entry->report) < 0)
		entry->program = NULL;
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
				entry->path))
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
add(struct script_cache *cache, const struct sieve_settings *settings,
	const char *path, const struct script_text *text)
{
	struct entry *entry = compile(settings, path, buf_view(&text->bytes));

	entry->state = text->state;
	cache->counts.compiled++;
	if (text->is_settled && may_keep(cache, entry))
		keep_take(cache, entry);
	else
		cache->guest = entry;
	return entry;
}

static enum lookup
load(struct script_cache *cache, struct arena *arena,
	const struct sieve_settings *settings, const char *path,
	struct script_text *text, struct sieve_program **program_out,
	struct sieve_report *report, struct err *err)
{
	if (!read_script(path, text)) {
		err_temp_errno(err, "4.3.0", "cannot read the script %s", path);
		return LOOKUP_ERROR;
	}
	if (cache != NULL)
		return use(cache, add(cache, settings, path, text), program_out,
			report);
	return sieve_compile(arena, settings, path, buf_view(&text->bytes),
		       program_out, report) < 0
	               ? LOOKUP_NONE
	               : LOOKUP_FOUND;
}

enum lookup
script_cache_load(struct script_cache *cache, struct arena *arena,
	const struct sieve_settings *settings, const char *path,
	struct sieve_program **program_out, struct sieve_report *report,
	struct err *err)
{
	struct script_text text;
	struct entry *entry;
	enum lookup result;

	if (cache != NULL) {
		drop_guest(cache);
		entry = find(cache, settings, path);
		if (entry != NULL) {
			cache->counts.hits++;
			return use(cache, entry, program_out, report);
		}
	}
	/* One byte too many is enough to tell that the script is too large;
	 * saying so is sieve_compile()'s. */
	buf_init(&text.bytes, settings->max_script_size > 0
				      ? settings->max_script_size + 1
				      : BUF_UNLIMITED);
	result = load(
		cache, arena, settings, path, &text, program_out, report, err);
	buf_clear(&text.bytes);
	return result;
}
