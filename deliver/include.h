/* include - where included scripts are found (RFC 6609), and what they were
 *
 *   include :personal "lists"   PERSONAL/lists.sieve
 *   include :global "lists"     GLOBAL/lists.sieve
 *
 * Remembers every file that was looked for, so that a program in memory can be
 * asked whether it would still be the same.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_INCLUDE_H
#define DELIVER_INCLUDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/filestate.h"
#include "sieve/sieve.h"
#include "deliver/scriptcache.h"

/* A file that a program was made of, or one that was not there. */
struct include_file {
	const char *path;
	bool is_there;
	struct file_state state;
};

struct include_loader {
	struct sieve_loader loader;
	struct arena *arena; /* of `files` */
	const struct script_folders *folders;
	uint64_t max_size;
	bool is_settled; /* no file was in doubt */
	struct include_file *files;
	size_t count, size;
};

/* `identity` is that of the script that is compiled. */
void include_init(struct include_loader *loader, struct arena *arena,
	const struct script_folders *folders, uint64_t max_size,
	const char *identity);

/* Would looking for them now find the same? */
bool include_is_fresh(const struct include_file *files, size_t count);

#endif
