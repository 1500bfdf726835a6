/* SPDX-License-Identifier: MIT */
#include "proxy/reply.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

#include "base/banned.h"

void
backend_reply_begin(struct backend_reply *reply)
{
	reply->code = 0;
	reply->status[0] = reply->text[0] = '\0';
	reply->text_len = 0;
	reply->lines = 0;
}

static void
add_text(struct backend_reply *reply, struct str text)
{
	size_t room = sizeof(reply->text) - 1 - reply->text_len;

	if (text.len == 0 || room <= 1)
		return;
	if (reply->text_len > 0) {
		reply->text[reply->text_len++] = '\n';
		room--;
	}
	text = utf8_cut(text, room);
	memcpy(reply->text + reply->text_len, text.data, text.len);
	reply->text_len += text.len;
	reply->text[reply->text_len] = '\0';
}

enum reply_step
backend_reply_line(struct backend_reply *reply, struct str line)
{
	struct reply one;
	enum reply_step step;

	reply_begin(&one);
	step = reply_line(&one, line);
	if (step == REPLY_BROKEN ||
		(reply->lines > 0 && one.code != reply->code) ||
		reply->lines == REPLY_LINES_MAX)
		return REPLY_BROKEN;
	if (reply->lines == 0)
		memcpy(reply->status, one.status, sizeof(reply->status));
	reply->code = one.code;
	reply->lines++;
	add_text(reply, str_of(one.text, one.text_len));
	return step;
}

void
backend_reply_err(const struct backend_reply *reply, struct err *err)
{
	enum err_kind kind = ERR_TEMPORARY;

	if (backend_reply_is_good(reply))
		kind = ERR_NONE;
	else if (reply->code >= 500)
		kind = ERR_REFUSED;
	err_clear(err);
	err->kind = kind;
	memcpy(err->status, reply->status, sizeof(err->status));
	snprintf(err->text, sizeof(err->text), "%s", reply->text);
}
