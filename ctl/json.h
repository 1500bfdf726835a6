/* json - one JSON document on standard output, written as it comes
 *
 *   json_open(&json, NULL, '{'); json_text(&json, "user", s); json_close(&json);
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CTL_JSON_H
#define CTL_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/str.h"

enum { JSON_DEPTH = 16 };

struct json {
	FILE *out;
	unsigned depth;
	char closers[JSON_DEPTH];
	bool has_item[JSON_DEPTH];
};

void json_init(struct json *json, FILE *out);
/* `bracket` is '{' or '['; `name` is NULL inside '[' and at the top. */
void json_open(struct json *json, const char *name, char bracket);
/* Ends what was opened last; a line end follows the outermost. */
void json_close(struct json *json);
void json_text(struct json *json, const char *name, struct str value);
void json_number(struct json *json, const char *name, uint64_t value);
void json_bool(struct json *json, const char *name, bool value);
void json_null(struct json *json, const char *name);

#endif
