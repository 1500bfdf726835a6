/* SPDX-License-Identifier: MIT */
#include "ctl/json.h"

#include <stddef.h>

#include "base/memory.h"
#include "base/utf8.h"

#include "base/banned.h"

void
json_init(struct json *json, FILE *out)
{
	*json = (struct json){.out = out};
}

/* RFC 8259 7; bytes that are no UTF-8 become U+FFFD. */
static void
write_string(FILE *out, struct str value)
{
	size_t at = 0, start;
	uint32_t code;

	fputc('"', out);
	while (at < value.len) {
		start = at;
		if (!utf8_next(value, &at, &code)) {
			fputs("\\ufffd", out);
			at++;
		} else if (code == '"' || code == '\\') {
			fprintf(out, "\\%c", (int)code);
		} else if (code < ' ' || code == 0x7f) {
			fprintf(out, "\\u%04x", (unsigned)code);
		} else {
			fwrite(value.data + start, 1, at - start, out);
		}
	}
	fputc('"', out);
}

static void
begin_item(struct json *json, const char *name)
{
	if (json->depth > 0) {
		if (json->has_item[json->depth - 1])
			fputc(',', json->out);
		json->has_item[json->depth - 1] = true;
	}
	if (name != NULL) {
		write_string(json->out, str_from(name));
		fputc(':', json->out);
	}
}

void
json_open(struct json *json, const char *name, char bracket)
{
	begin_item(json, name);
	if (json->depth == JSON_DEPTH)
		BUG("JSON nested too deeply");
	fputc(bracket, json->out);
	json->closers[json->depth] = bracket == '{' ? '}' : ']';
	json->has_item[json->depth] = false;
	json->depth++;
}

void
json_close(struct json *json)
{
	if (json->depth == 0)
		BUG("nothing to close");
	json->depth--;
	fputc(json->closers[json->depth], json->out);
	if (json->depth == 0)
		fputc('\n', json->out);
}

void
json_text(struct json *json, const char *name, struct str value)
{
	begin_item(json, name);
	write_string(json->out, value);
}

void
json_number(struct json *json, const char *name, uint64_t value)
{
	begin_item(json, name);
	fprintf(json->out, "%llu", (unsigned long long)value);
}

void
json_bool(struct json *json, const char *name, bool value)
{
	begin_item(json, name);
	fputs(value ? "true" : "false", json->out);
}

void
json_null(struct json *json, const char *name)
{
	begin_item(json, name);
	fputs("null", json->out);
}
