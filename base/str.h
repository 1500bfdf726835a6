/* str - a borrowed run of bytes
 *
 * Pointer and length; may contain NUL; owns nothing.  An empty str may have any
 * pointer, NULL included.  Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
	const char *data;
	size_t len;
};

#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
#define STR_EMPTY ((struct str){"", 0})

/* For "%.*s". */
#define STR_ARG(s) (int)(s).len, (s).data

static inline struct str
str_of(const char *data, size_t len)
{
	return (struct str){data, len};
}

/* NULL becomes the empty str. */
static inline struct str
str_from(const char *text)
{
	return (struct str){text ? text : "", text ? strlen(text) : 0};
}

bool str_equal(struct str a, struct str b);
bool str_equal_nocase(struct str a, struct str b); /* ASCII letters folded */
bool str_is(struct str s, const char *text);
bool str_is_nocase(struct str s, const char *text);
int str_compare(struct str a, struct str b);
int str_compare_nocase(struct str a, struct str b);

/* FNV-1a: no defence against who chooses strings that fall together.  `hash` is
 * STR_HASH, or the hash of what stands before. */
#define STR_HASH 2166136261U
uint32_t str_hash(uint32_t hash, struct str s);
uint32_t str_hash_nocase(
	uint32_t hash, struct str s); /* ASCII letters folded */

bool str_starts(struct str s, struct str prefix);
bool str_starts_nocase(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);

/* Index of the first (last) `c`, or s.len when there is none. */
size_t str_find_char(struct str s, char c);
size_t str_find_last_char(struct str s, char c);
/* Index of the first byte that is in `set`, or s.len. */
size_t str_find_any(struct str s, const char *set);
/* Index of the first `needle`, or s.len (0 for an empty needle). */
size_t str_find(struct str s, struct str needle);
size_t str_find_nocase(struct str s, struct str needle);
static inline bool
str_has_char(struct str s, char c)
{
	return str_find_char(s, c) < s.len;
}

/* Both ends are cut to the string's length. */
struct str str_slice(struct str s, size_t from, size_t to);
static inline struct str
str_skip(struct str s, size_t count)
{
	return str_slice(s, count, s.len);
}

/* Without the blanks (SP HT CR LF) at both ends. */
struct str str_trim(struct str s);

/* Takes what stands before the first `separator` off the front of *rest, and
 * the separator with it.  False when nothing was left.  "a,,b" gives three. */
bool str_next_field(struct str *rest, char separator, struct str *field_out);
/* The next word between blanks; false at the end. */
bool str_next_word(struct str *rest, struct str *word_out);

/* ASCII only, whatever the locale.  Here, so that loops over text call nothing. */
static inline char
ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}
static inline char
ascii_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
}
static inline bool
ascii_is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
static inline bool
ascii_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
ascii_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Of a hexadecimal digit; -1: it is none. */
static inline int
ascii_hex_value(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
/* SP HT CR LF VT FF */
static inline bool
ascii_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

#endif
