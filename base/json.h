/* json - one JSON document, written as it comes, or read item by item
 *
 *   json_open(&json, NULL, '{'); json_text(&json, "user", s); json_close(&json);
 *
 *   json_read(&reader, arena, text);
 *   while (json_next(&reader, &item)) ...
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

enum { JSON_DEPTH = 16 };

struct json {
	FILE *file; /* or */
	struct buf *buf;
	unsigned depth;
	char closers[JSON_DEPTH];
	bool has_item[JSON_DEPTH];
};

void json_init(struct json *json, FILE *file);
void json_init_buf(struct json *json, struct buf *buf);
/* `bracket` is '{' or '['; `name` is NULL inside '[' and at the top. */
void json_open(struct json *json, const char *name, char bracket);
/* Ends what was opened last; a line end follows the outermost. */
void json_close(struct json *json);
void json_text(struct json *json, const char *name, struct str value);
void json_number(struct json *json, const char *name, uint64_t value);
void json_bool(struct json *json, const char *name, bool value);
void json_null(struct json *json, const char *name);

/* ---- reading ---- */

enum json_kind {
	JSON_BEGIN, /* "{" or "[" */
	JSON_END,   /* "}" or "]" */
	JSON_TEXT,
	JSON_NUMBER, /* in `text`, as it is written */
	JSON_WORD    /* true, false, null; in `text` */
};

struct json_item {
	enum json_kind kind;
	char bracket;    /* of BEGIN and END */
	struct str name; /* empty inside "[" and of END */
	struct str text; /* in the arena */
	unsigned depth;  /* how much is open around it */
};

struct json_reader {
	struct arena *arena;
	struct str rest;
	unsigned depth;
	char closers[JSON_DEPTH];
	bool has_item;  /* in what was opened last */
	bool is_broken; /* it is no JSON */
};

void json_read(
	struct json_reader *reader, struct arena *arena, struct str text);
/* False at the end, and for a fault. */
bool json_next(struct json_reader *reader, struct json_item *item_out);

#endif
