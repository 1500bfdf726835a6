/* settings - the limits that are in force
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_SETTINGS_H
#define SIEVE_SETTINGS_H

#include <stdbool.h>

#include "base/str.h"
#include "sieve/sieve.h"

/* The settings with every zero replaced by its default; NULL is all zero. */
struct sieve_settings settings_filled(const struct sieve_settings *settings);

/* Does the list `extensions` (see struct sieve_settings) let a script require
 * this capability? */
bool settings_allow(const struct sieve_settings *settings, struct str name);

/* Does `global_extensions` name it? */
bool settings_is_for_global(
	const struct sieve_settings *settings, struct str name);

#endif
