/* legacy - what a script that was written for libsieve means here
 *
 * libsieve 2.2.6, which DBMail used, differs from RFC 5228 in what stands below;
 * each was measured with `doorstep sieve compare`.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_LEGACY_H
#define SIEVE_LEGACY_H

#include "base/str.h"
#include "sieve/sieve.h"

/* Warns in `report`, in the order of the script, of each place that meant
 * something else there.  What is an error here sieve_compile() tells. */
void sieve_check_legacy(const struct sieve_settings *settings,
	const char *script, struct str text, struct sieve_report *report);

#endif
