/* engines - the drivers of engine.c's table
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ENGINE_ENGINES_H
#define ENGINE_ENGINES_H

#include "engine/engine.h"

extern const struct engine engine_native;
extern const struct engine engine_libsieve;

#endif
