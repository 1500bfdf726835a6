/* driver - what a kind of data base does for dict.c
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DICT_DRIVER_H
#define DICT_DRIVER_H

#include "dict/dict.h"

struct dict_driver {
	void (*close)(struct dict *dict);
	int (*has_room)(struct dict *dict, struct err *err); /* NULL: yes */
	int (*begin)(struct dict *dict, struct err *err);
	int (*commit)(struct dict *dict, struct err *err);
	void (*abort)(struct dict *dict);
	enum lookup (*get)(struct dict *dict, struct arena *arena,
		struct str key, struct dict_entry *entry_out, struct err *err);
	/* Within a transaction. */
	int (*put)(struct dict *dict, const struct dict_entry *entry,
		struct err *err);
	int (*remove)(struct dict *dict, struct str key, struct err *err);
	/* The array has room for `most`; *count_out < most: that was the end. */
	int (*walk)(struct dict *dict, struct arena *arena, struct str after,
		size_t most, struct dict_entry *entries, size_t *count_out,
		struct err *err);
	void (*well)(struct dict *dict); /* NULL: nothing to forget */
};

/* Drivers embed it. */
struct dict {
	const struct dict_driver *driver;
	bool is_broken;
	bool has_transaction;
};

#endif
