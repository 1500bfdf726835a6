/* number - numbers written by people, and sums that cannot overflow
 *
 * Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/str.h"

/* Decimal digits and nothing else; -1 when empty, too large or not a number. */
MUST_USE int number_parse(struct str s, uint64_t *value_out);
MUST_USE int number_parse_octal(struct str s, uint64_t *value_out);

/* A size in bytes: digits and an optional unit B, K, M, G or T (powers of 1024,
 * also kB, KiB ...).  `bare_unit` is what a number without unit counts: 1, or
 * 1024 where Dovecot takes KiB. */
MUST_USE int number_parse_size(
	struct str s, uint64_t bare_unit, uint64_t *bytes_out);

/* A time span in milliseconds: digits and a unit msecs, secs, mins, hours, days
 * or weeks (any unambiguous beginning: s, min, d ...).  A bare number counts
 * `bare_unit_ms`. */
MUST_USE int number_parse_duration(
	struct str s, uint64_t bare_unit_ms, uint64_t *ms_out);

MUST_USE bool number_add(uint64_t a, uint64_t b, uint64_t *sum_out);
MUST_USE bool number_multiply(uint64_t a, uint64_t b, uint64_t *product_out);

#endif
