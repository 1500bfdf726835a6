/* maps - the files that Postfix' tables are, only to be read
 *
 *   hash, btree   a Berkeley DB file, as `postmap hash:PATH` writes it; which of
 *                 both it is stands in the file
 *   cdb           as `postmap cdb:PATH` and `cdb -c` write it
 *   texthash      lines of a key and a value; one that begins with a blank goes
 *                 on with the value before, of which the first line is read here
 *
 * All bytes of a file are looked at once, in its own order, by this code alone:
 * it needs no library, no lock of one, and believes nothing that the file says.
 * A zero byte at the end of a key is Postfix' and not part of it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DICT_MAPS_H
#define DICT_MAPS_H

#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"

/* Takes a key, borrowed from the bytes, and its value. */
typedef void map_take(void *taker, struct str key, struct str value);

/* -1: they are no such file, or one that cannot be read here; `path` is for the
 * error. */
MUST_USE int map_read_berkeley(struct str bytes, const char *path,
	map_take *take, void *taker, struct err *err);
MUST_USE int map_read_cdb(struct str bytes, const char *path, map_take *take,
	void *taker, struct err *err);
void map_read_text(struct str bytes, map_take *take, void *taker);

#endif
