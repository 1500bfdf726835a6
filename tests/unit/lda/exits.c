/* SPDX-License-Identifier: MIT */
#include "lda/exits.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static int
status_of(enum err_kind kind, enum exit_style style)
{
	struct err err;

	err_clear(&err);
	err.kind = kind;
	return exits_status(&err, style);
}

TEST(sysexits_are_those_of_dovecot_lda)
{
	CHECK_INT(status_of(ERR_NONE, EXIT_STYLE_SYSEXITS), 0);
	CHECK_INT(status_of(ERR_USAGE, EXIT_STYLE_SYSEXITS), 64);
	CHECK_INT(status_of(ERR_NO_USER, EXIT_STYLE_SYSEXITS), 67);
	CHECK_INT(status_of(ERR_TEMPORARY, EXIT_STYLE_SYSEXITS), 75);
	CHECK_INT(status_of(ERR_REFUSED, EXIT_STYLE_SYSEXITS), 77);
	CHECK_INT(status_of(ERR_OVER_QUOTA, EXIT_STYLE_SYSEXITS), 77);
	CHECK_INT(status_of(ERR_TOO_BIG, EXIT_STYLE_SYSEXITS), 77);
}

TEST(qmail_knows_only_yes_hard_and_soft)
{
	CHECK_INT(status_of(ERR_NONE, EXIT_STYLE_QMAIL), 0);
	CHECK_INT(status_of(ERR_TEMPORARY, EXIT_STYLE_QMAIL), 111);
	CHECK_INT(status_of(ERR_USAGE, EXIT_STYLE_QMAIL), 100);
	CHECK_INT(status_of(ERR_NO_USER, EXIT_STYLE_QMAIL), 100);
	CHECK_INT(status_of(ERR_OVER_QUOTA, EXIT_STYLE_QMAIL), 100);
}
