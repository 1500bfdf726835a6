/* SPDX-License-Identifier: MIT */
#include "deliver/include.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/log.h"
#include "deliver/scriptfile.h"

#include "base/banned.h"

/* A name that the file system cannot have is no trouble: nothing is there. */
static bool
is_missing(int error)
{
	return error == ENOENT || error == ENOTDIR || error == ENAMETOOLONG ||
	       error == EILSEQ;
}

static struct include_loader *
loader_of(struct sieve_loader *loader)
{
	return CONTAINER_OF(loader, struct include_loader, loader);
}

static struct include_file *
file_new(struct include_loader *loader, const char *path)
{
	if (loader->count == loader->size) {
		loader->size = loader->size ? loader->size * 2 : 4;
		loader->files = arena_grow(loader->arena, loader->files,
			sizeof(*loader->files), loader->count, loader->size);
	}
	loader->files[loader->count] = (struct include_file){
		.path = arena_text(loader->arena, str_from(path))};
	return &loader->files[loader->count++];
}

/* A folder or a FIFO is no script; the latter would hold up the mail. */
static enum lookup
look_at(const char *path, struct err *err)
{
	struct stat status;

	if (stat(path, &status) == 0 && S_ISREG(status.st_mode))
		return LOOKUP_FOUND;
	if (stat(path, &status) == 0) {
		log_warning("sieve: %s is no file; passed over", path);
		return LOOKUP_NONE;
	}
	if (is_missing(errno))
		return LOOKUP_NONE;
	err_temp_errno(err, "4.3.0", "cannot look at the script %s", path);
	return LOOKUP_ERROR;
}

static enum lookup
read_file(struct include_loader *loader, struct arena *arena, const char *path,
	struct sieve_loaded *loaded_out, struct err *err)
{
	enum lookup found = look_at(path, err);
	struct include_file *file;
	struct script_file_text text;

	if (found == LOOKUP_ERROR)
		return LOOKUP_ERROR;
	file = file_new(loader, path);
	if (found == LOOKUP_NONE)
		return LOOKUP_NONE;
	file->is_there = true;
	if (script_file_read(path, loader->max_size, &text)) {
		file->state = text.state;
		loader->is_settled = loader->is_settled && text.is_settled;
		loaded_out->text = arena_copy(arena, buf_view(&text.bytes));
		loaded_out->identity = script_file_identity(arena, &text.state);
	} else {
		err_temp_errno(err, "4.3.0", "cannot read the script %s", path);
		found = LOOKUP_ERROR;
	}
	buf_clear(&text.bytes);
	return found;
}

static enum lookup
load(struct sieve_loader *base, struct arena *arena,
	enum sieve_location location, struct str name,
	struct sieve_loaded *loaded_out, struct err *err)
{
	struct include_loader *loader = loader_of(base);
	const char *folder = location == SIEVE_GLOBAL
	                             ? loader->folders->global
	                             : loader->folders->personal;
	const char *path;

	*loaded_out = (struct sieve_loaded){.script = NULL};
	if (folder == NULL)
		return LOOKUP_NONE;
	path = arena_format(arena, "%s/%.*s.sieve", folder, STR_ARG(name));
	loaded_out->script = path;
	return read_file(loader, arena, path, loaded_out, err);
}

static const struct sieve_loader_ops ops = {.load = load};

void
include_init(struct include_loader *loader, struct arena *arena,
	const struct script_folders *folders, uint64_t max_size,
	const char *identity)
{
	static const struct script_folders none = {NULL, NULL};

	*loader = (struct include_loader){
		.loader = {.ops = &ops, .identity = identity},
		.arena = arena,
		.folders = folders != NULL ? folders : &none,
		.max_size = max_size,
		.is_settled = true,
	};
}

/* Where it cannot be told whoever reads the file shall say why. */
static bool
is_fresh(const struct include_file *file)
{
	struct stat status;
	struct file_state state;

	if (stat(file->path, &status) < 0)
		return !file->is_there && is_missing(errno);
	if (!S_ISREG(status.st_mode))
		return !file->is_there;
	state = file_state_of(&status);
	return file->is_there && file_state_is_same(&state, &file->state);
}

bool
include_is_fresh(const struct include_file *files, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!is_fresh(&files[i]))
			return false;
	return true;
}
