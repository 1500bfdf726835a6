/* attributes - promises that the compiler checks
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_ATTRIBUTES_H
#define BASE_ATTRIBUTES_H

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))
#define NO_RETURN __attribute__((noreturn))
#define UNUSED __attribute__((unused))
#define NOINLINE __attribute__((noinline)) /* what is seldom called */

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* From a driver's embedded public struct back to the driver's own. */
#define CONTAINER_OF(pointer, type, member)                                    \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif
