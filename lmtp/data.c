/* SPDX-License-Identifier: MIT */
#include "lmtp/data.h"

#include "base/banned.h"

/* The state behind the byte `c` of a line; all states but the dots'. */
static enum data_state
after(struct data *data, char c)
{
	bool follows_cr = data->state == DATA_CR;

	if (c == '\n') {
		if (follows_cr)
			return DATA_LINE_START;
		data->has_bare_newline = true;
		return DATA_TEXT;
	}
	if (follows_cr)
		data->has_bare_newline = true;
	return c == '\r' ? DATA_CR : DATA_TEXT;
}

/* How many bytes of `s` are plain data: up to a dot that begins a line. */
static size_t
run_length(struct data *data, struct str s)
{
	size_t at = 0, line_feed = 0;

	while (at < s.len) {
		if (data->state == DATA_LINE_START && s.data[at] == '.')
			break;
		if (data->state == DATA_TEXT) {
			/* Looked for once for each line: many a CR in between
			 * must not make it look again. */
			if (line_feed <= at)
				line_feed = at + str_find_char(
							 str_skip(s, at), '\n');
			at += str_find_char(str_slice(s, at, line_feed), '\r');
			if (at == s.len)
				break;
		}
		data->state = after(data, s.data[at++]);
	}
	return at;
}

bool
data_next(struct data *data, struct str *input, struct str *piece_out)
{
	while (input->len > 0 && data->state != DATA_END) {
		char c = input->data[0];
		size_t len;

		if (data->state == DATA_LINE_START && c == '.') {
			data->state = DATA_DOT;
			*input = str_skip(*input, 1);
			continue;
		}
		if (data->state == DATA_DOT && c == '\r') {
			data->state = DATA_DOT_CR;
			*input = str_skip(*input, 1);
			continue;
		}
		if (data->state == DATA_DOT_CR && c == '\n') {
			data->state = DATA_END;
			*input = str_skip(*input, 1);
			return false;
		}
		if (data->state == DATA_DOT_CR) {
			/* Its CR was data; the dot before it is gone. */
			data->state = DATA_CR;
			*piece_out = STR("\r");
			return true;
		}
		if (data->state == DATA_DOT)
			data->state = DATA_TEXT;
		len = run_length(data, *input);
		*piece_out = str_slice(*input, 0, len);
		*input = str_skip(*input, len);
		return true;
	}
	return false;
}

void
data_see_chunk(struct data *data, struct str bytes)
{
	size_t i;

	for (i = 0; i < bytes.len && !data->has_bare_newline; i++)
		data->state = after(data, bytes.data[i]);
}

void
data_end_chunks(struct data *data)
{
	if (data->state == DATA_CR)
		data->has_bare_newline = true;
	data->state = DATA_END;
}
