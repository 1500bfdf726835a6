/* banned - functions that do not compile here
 *
 * Included last in every .c file.  What to use instead: base/str, base/buf and
 * base/arena for text, base/number for numbers, base/clock for time, base/fd
 * for temporary files, base/memory for memory.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

/* Their declarations have to be seen before the names are poisoned. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Some of them are macros in a hardened libc. */
#undef strcpy
#undef strncpy
#undef strcat
#undef strncat
#undef sprintf
#undef vsprintf
#undef strtok
#undef gets
#undef alloca

#pragma GCC poison strcpy strncpy strcat strncat sprintf vsprintf strtok
#pragma GCC poison atoi atol atoll atof gets system popen mktemp tmpnam
#pragma GCC poison localtime gmtime ctime asctime rand srand alloca

#endif
