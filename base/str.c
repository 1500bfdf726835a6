/* SPDX-License-Identifier: MIT */
#include "base/str.h"

#include "base/banned.h"

static int
compare_folded(const char *a, const char *b, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		unsigned char x = (unsigned char)ascii_lower(a[i]);
		unsigned char y = (unsigned char)ascii_lower(b[i]);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

bool
str_equal(struct str a, struct str b)
{
	return a.len == b.len &&
	       (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool
str_equal_nocase(struct str a, struct str b)
{
	return a.len == b.len && compare_folded(a.data, b.data, a.len) == 0;
}

bool
str_is(struct str s, const char *text)
{
	size_t i;

	if (text == NULL)
		return s.len == 0;
	/* Most words of a table differ in their first letter. */
	if (s.len > 0 && ((s.data[0] ^ text[0]) & ~0x20) != 0)
		return false;
	for (i = 0; i < s.len; i++)
		if (text[i] == '\0' || s.data[i] != text[i])
			return false;
	return text[s.len] == '\0';
}

bool
str_is_nocase(struct str s, const char *text)
{
	size_t i;

	if (text == NULL)
		return s.len == 0;
	if (s.len > 0 && ((s.data[0] ^ text[0]) & ~0x20) != 0)
		return false;
	for (i = 0; i < s.len; i++)
		if (text[i] == '\0' ||
			(s.data[i] != text[i] &&
				ascii_lower(s.data[i]) != ascii_lower(text[i])))
			return false;
	return text[s.len] == '\0';
}

static uint32_t
hash_add(uint32_t hash, char c)
{
	return (hash ^ (unsigned char)c) * 16777619U;
}

uint32_t
str_hash(uint32_t hash, struct str s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		hash = hash_add(hash, s.data[i]);
	return hash;
}

uint32_t
str_hash_nocase(uint32_t hash, struct str s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		hash = hash_add(hash, ascii_lower(s.data[i]));
	return hash;
}

static int
compare_lengths(size_t a, size_t b)
{
	return a < b ? -1 : a > b;
}

int
str_compare(struct str a, struct str b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len > 0 ? memcmp(a.data, b.data, len) : 0;

	return order != 0 ? order : compare_lengths(a.len, b.len);
}

int
str_compare_nocase(struct str a, struct str b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = compare_folded(a.data, b.data, len);

	return order != 0 ? order : compare_lengths(a.len, b.len);
}

bool
str_starts(struct str s, struct str prefix)
{
	return s.len >= prefix.len &&
	       str_equal(str_slice(s, 0, prefix.len), prefix);
}

bool
str_starts_nocase(struct str s, struct str prefix)
{
	return s.len >= prefix.len &&
	       str_equal_nocase(str_slice(s, 0, prefix.len), prefix);
}

bool
str_ends(struct str s, struct str suffix)
{
	return s.len >= suffix.len &&
	       str_equal(str_skip(s, s.len - suffix.len), suffix);
}

size_t
str_find_char(struct str s, char c)
{
	const char *at = s.len > 0 ? memchr(s.data, c, s.len) : NULL;

	return at != NULL ? (size_t)(at - s.data) : s.len;
}

size_t
str_find_last_char(struct str s, char c)
{
	const char *at = s.len > 0 ? memrchr(s.data, c, s.len) : NULL;

	return at != NULL ? (size_t)(at - s.data) : s.len;
}

size_t
str_find_any(struct str s, const char *set)
{
	uint64_t bits[4] = {0};
	size_t i;

	for (; *set != '\0'; set++) {
		unsigned char c = (unsigned char)*set;

		bits[c / 64] |= UINT64_C(1) << c % 64;
	}
	for (i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.data[i];

		if ((bits[c / 64] >> c % 64 & 1) != 0)
			break;
	}
	return i;
}

size_t
str_find(struct str s, struct str needle)
{
	const char *at;

	if (needle.len == 0)
		return 0;
	if (s.len < needle.len)
		return s.len;
	at = memmem(s.data, s.len, needle.data, needle.len);
	return at != NULL ? (size_t)(at - s.data) : s.len;
}

size_t
str_find_nocase(struct str s, struct str needle)
{
	size_t i;

	if (needle.len == 0)
		return 0;
	for (i = 0; i + needle.len <= s.len; i++)
		if (ascii_lower(s.data[i]) == ascii_lower(needle.data[0]) &&
			compare_folded(s.data + i, needle.data, needle.len) ==
				0)
			return i;
	return s.len;
}

struct str
str_slice(struct str s, size_t from, size_t to)
{
	if (to > s.len)
		to = s.len;
	if (from >= to)
		return STR_EMPTY;
	return str_of(s.data + from, to - from);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str
str_trim(struct str s)
{
	while (s.len > 0 && is_blank(s.data[s.len - 1]))
		s.len--;
	while (s.len > 0 && is_blank(s.data[0])) {
		s.data++;
		s.len--;
	}
	return s;
}

bool
str_next_field(struct str *rest, char separator, struct str *field_out)
{
	size_t at;

	if (rest->data == NULL)
		return false;
	at = str_find_char(*rest, separator);
	*field_out = str_of(rest->data, at);
	if (at == rest->len)
		*rest = str_of(NULL, 0);
	else
		*rest = str_of(rest->data + at + 1, rest->len - at - 1);
	return true;
}

bool
str_next_word(struct str *rest, struct str *word_out)
{
	size_t len = 0;

	*rest = str_trim(*rest);
	if (rest->len == 0)
		return false;
	while (len < rest->len && !is_blank(rest->data[len]))
		len++;
	*word_out = str_of(rest->data, len);
	*rest = str_of(rest->data + len, rest->len - len);
	return true;
}
