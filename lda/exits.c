/* SPDX-License-Identifier: MIT */
#include "lda/exits.h"

#include <stdio.h>
#include <sysexits.h>

#include "base/banned.h"

static int
sysexits_status(enum err_kind kind)
{
	switch (kind) {
	case ERR_NONE:
		return EX_OK;
	case ERR_TEMPORARY:
		return EX_TEMPFAIL;
	case ERR_REFUSED:
	case ERR_OVER_QUOTA:
	case ERR_TOO_BIG:
		return EX_NOPERM;
	case ERR_NO_USER:
		return EX_NOUSER;
	case ERR_USAGE:
		return EX_USAGE;
	}
	return EX_TEMPFAIL;
}

int
exits_status(const struct err *err, enum exit_style style)
{
	int status = sysexits_status(err->kind);

	switch (style) {
	case EXIT_STYLE_SYSEXITS:
		return status;
	case EXIT_STYLE_QMAIL:
		if (status == EX_OK)
			return status;
		return status == EX_TEMPFAIL ? EXITS_QMAIL_SOFT
		                             : EXITS_QMAIL_HARD;
	}
	return EX_TEMPFAIL;
}

void
exits_explain(const struct err *err)
{
	if (err->kind != ERR_NONE)
		fprintf(stderr, "%s %s\n", err->status, err->text);
}
