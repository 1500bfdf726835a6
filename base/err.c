/* SPDX-License-Identifier: MIT */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/banned.h"

void
err_clear(struct err *err)
{
	memset(err, 0, sizeof(*err));
}

static void
set_meaning(struct err *err, enum err_kind kind, const char *status)
{
	err_clear(err);
	err->kind = kind;
	snprintf(err->status, sizeof(err->status), "%s", status);
}

int
err_set(struct err *err, enum err_kind kind, const char *status,
	const char *text_format, ...)
{
	va_list args;

	set_meaning(err, kind, status);
	va_start(args, text_format);
	vsnprintf(err->text, sizeof(err->text), text_format, args);
	va_end(args);
	return -1;
}

int
err_temp(struct err *err, const char *status, const char *detail_format, ...)
{
	va_list args;

	set_meaning(err, ERR_TEMPORARY, status);
	snprintf(err->text, sizeof(err->text), "%s", ERR_INTERNAL_TEXT);
	va_start(args, detail_format);
	vsnprintf(err->detail, sizeof(err->detail), detail_format, args);
	va_end(args);
	return -1;
}

int
err_temp_errno(
	struct err *err, const char *status, const char *detail_format, ...)
{
	const char *reason = strerror(errno);
	va_list args;
	size_t len;

	set_meaning(err, ERR_TEMPORARY, status);
	snprintf(err->text, sizeof(err->text), "%s", ERR_INTERNAL_TEXT);
	va_start(args, detail_format);
	vsnprintf(err->detail, sizeof(err->detail), detail_format, args);
	va_end(args);
	len = strlen(err->detail);
	snprintf(err->detail + len, sizeof(err->detail) - len, ": %s", reason);
	return -1;
}

int
err_detail(struct err *err, const char *detail_format, ...)
{
	va_list args;

	va_start(args, detail_format);
	vsnprintf(err->detail, sizeof(err->detail), detail_format, args);
	va_end(args);
	return -1;
}

void
err_tell(struct err *err)
{
	if (err->kind == ERR_TEMPORARY && err->detail[0] != '\0')
		snprintf(err->text, sizeof(err->text), "%s", err->detail);
}

const char *
err_log_text(const struct err *err)
{
	return err->detail[0] != '\0' ? err->detail : err->text;
}
