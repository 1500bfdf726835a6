/* escape - bytes that a case file cannot hold as they are
 *
 *   \r \n \t \0 \xHH    that byte; any other character behind "\" is itself
 *   \{N}{TEXT}           TEXT N times
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_LIB_ESCAPE_H
#define TESTS_LIB_ESCAPE_H

#include "base/buf.h"
#include "base/str.h"

void escape_decode(struct buf *out, struct str text);

#endif
