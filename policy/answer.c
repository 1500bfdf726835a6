/* SPDX-License-Identifier: MIT */
#include "policy/answer.h"

#include "base/banned.h"

/* A line end would be the end of the answer. */
static void
add_line(struct buf *text, const char *value)
{
	for (; *value != '\0'; value++)
		buf_add_char(
			text, (unsigned char)*value < ' ' || *value == '\x7f'
				      ? ' '
				      : *value);
}

static void
add_full(const struct settings *settings, const struct err *err,
	struct buf *text)
{
	if (settings->quota_status_overquota[0] != '\0') {
		add_line(text, settings->quota_status_overquota);
		return;
	}
	buf_add_format(text, "554 %s ", err->status);
	add_line(text, err->text);
}

static void
add_action(const struct settings *settings, const struct err *err,
	struct buf *text)
{
	switch (err->kind) {
	case ERR_NONE:
		add_line(text, settings->quota_status_success);
		break;
	case ERR_NO_USER:
		add_line(text, settings->quota_status_nouser);
		break;
	case ERR_OVER_QUOTA:
		add_full(settings, err, text);
		break;
	case ERR_TOO_BIG:
		if (settings->quota_status_toolarge[0] != '\0')
			add_line(text, settings->quota_status_toolarge);
		else
			add_full(settings, err, text);
		break;
	case ERR_TEMPORARY:
	case ERR_REFUSED:
	case ERR_USAGE:
		add_line(text, settings->quota_status_failure);
		break;
	}
}

void
policy_answer(const struct settings *settings, const struct err *err,
	struct buf *text)
{
	buf_add_text(text, "action=");
	add_action(settings, err, text);
	buf_add_text(text, "\n\n");
}

void
policy_pass(struct buf *text)
{
	buf_add_text(text, "action=DUNNO\n\n");
}
