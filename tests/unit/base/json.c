/* SPDX-License-Identifier: MIT */
#include "base/json.h"

#include <stdio.h>

#include "tests/lib/test.h"

#include "base/banned.h"

TEST(what_is_written_is_read_again)
{
	struct arena *arena = arena_open();
	struct json_reader reader;
	struct json_item item;
	struct json json;
	struct buf buf;

	buf_init(&buf, 4096);
	json_init_buf(&json, &buf);
	json_open(&json, NULL, '{');
	json_text(&json, "a \"b\"", STR(" \\ \n \x01 \xc3\xbc"));
	json_number(&json, "n", 18446744073709551615ULL);
	json_open(&json, "list", '[');
	json_bool(&json, NULL, true);
	json_null(&json, NULL);
	json_open(&json, NULL, '{');
	json_close(&json);
	json_close(&json);
	json_close(&json);
	json_read(&reader, arena, buf_view(&buf));

	REQUIRE(json_next(&reader, &item));
	CHECK_INT(item.kind, JSON_BEGIN);
	CHECK_INT(item.bracket, '{');
	REQUIRE(json_next(&reader, &item));
	CHECK_INT(item.kind, JSON_TEXT);
	CHECK_UINT(item.depth, 1);
	CHECK_STR_IS(item.name, "a \"b\"");
	CHECK_STR_IS(item.text, " \\ \n \x01 \xc3\xbc");
	REQUIRE(json_next(&reader, &item));
	CHECK_INT(item.kind, JSON_NUMBER);
	CHECK_STR_IS(item.text, "18446744073709551615");
	REQUIRE(json_next(&reader, &item));
	CHECK_INT(item.bracket, '[');
	CHECK_STR_IS(item.name, "list");
	REQUIRE(json_next(&reader, &item));
	CHECK_INT(item.kind, JSON_WORD);
	CHECK_STR_IS(item.text, "true");
	REQUIRE(json_next(&reader, &item));
	CHECK_STR_IS(item.text, "null");
	REQUIRE(json_next(&reader, &item));
	CHECK_UINT(item.depth, 2);
	REQUIRE(json_next(&reader, &item));
	CHECK_INT(item.kind, JSON_END);
	CHECK_INT(item.bracket, '}');
	CHECK_UINT(item.depth, 2);
	REQUIRE(json_next(&reader, &item));
	CHECK_INT(item.bracket, ']');
	REQUIRE(json_next(&reader, &item));
	CHECK_UINT(item.depth, 0);
	CHECK(!json_next(&reader, &item));
	CHECK(!reader.is_broken);
	buf_clear(&buf);
	arena_close(&arena);
}

TEST(what_is_no_json_is_found_out)
{
	static const char *const texts[] = {"", "{", "[1", "[1 2]", "[1,]",
		"{\"a\"}", "{\"a\":}", "{a:1}", "\"", "\"\\x\"", "\"\\u12\"",
		"\"\\u12g4\"", "[}", "[]]", "{} x", ",", "]",
		"[[[[[[[[[[[[[[[[[[[[[["};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(texts); i++) {
		struct arena *arena = arena_open();
		struct json_reader reader;
		struct json_item item;

		json_read(&reader, arena, str_from(texts[i]));
		while (json_next(&reader, &item))
			continue;
		if (!CHECK(reader.is_broken))
			printf("# %s\n", texts[i]);
		arena_close(&arena);
	}
}
