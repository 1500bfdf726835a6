/* SPDX-License-Identifier: MIT */
#include "sieve/match.h"

#include "base/banned.h"

/* A segment is what stands between two "*": octets, of which some are "?". */
struct segment {
	struct str text;     /* one octet for each "?" */
	const bool *is_any;  /* by octet: it is a "?"; NULL: none is */
	struct str longest;  /* run without "?", to look for */
	size_t longest_from; /* in text */
};

struct pattern {
	const struct segment *segments; /* one more than there are "*" */
	size_t count;
};

void
match_prepare(struct arena *arena, const struct match_type *type,
	const struct comparator *comparator, struct str key,
	struct match_key *key_out)
{
	*key_out = (struct match_key){
		.text = comparator_fold(comparator, arena, key)};
	if (type->prepare != NULL)
		type->prepare(arena, key_out);
}

/* Pays for looking at `octets`. */
static bool
pay(struct match_work *work, uint64_t octets)
{
	if (octets > work->budget) {
		work->budget = 0;
		work->is_over = true;
		return false;
	}
	work->budget -= octets;
	return true;
}

/* ---- :is ---- */

static bool
is_equal(const struct match_key *key, struct str value, struct match_work *work)
{
	return key->text.len == value.len && pay(work, value.len) &&
	       str_equal(key->text, value);
}

const struct match_type match_is = {
	.match = is_equal,
};

/* ---- :contains ---- */

static bool
contains(const struct match_key *key, struct str value, struct match_work *work)
{
	if (key->text.len == 0)
		return true;
	return key->text.len <= value.len && pay(work, value.len) &&
	       str_find(value, key->text) < value.len;
}

const struct match_type match_contains = {
	.needs_substring = true,
	.match = contains,
};

/* ---- :matches, the pattern ---- */

static size_t
count_stars(struct str key)
{
	size_t i, count = 0;

	for (i = 0; i < key.len; i++) {
		if (key.data[i] == '\\')
			i++;
		else if (key.data[i] == '*')
			count++;
	}
	return count;
}

static void
find_longest(struct segment *segment)
{
	size_t from = 0, i;

	for (i = 0; i <= segment->text.len; i++) {
		if (i < segment->text.len &&
			(segment->is_any == NULL || !segment->is_any[i]))
			continue;
		if (i - from > segment->longest.len) {
			segment->longest = str_slice(segment->text, from, i);
			segment->longest_from = from;
		}
		from = i + 1;
	}
}

struct pattern_builder {
	struct str key;
	size_t at;
	char *text;   /* as long as the key */
	bool *is_any; /* the same */
	size_t len;   /* of text so far */
};

/* Reads up to the next "*" or the end.  RFC 5228 2.7.1: a backslash takes the
 * meaning from the character behind it. */
static void
read_segment(struct pattern_builder *builder, struct segment *segment)
{
	size_t start = builder->len;
	bool has_any = false;

	for (; builder->at < builder->key.len; builder->at++) {
		char c = builder->key.data[builder->at];

		if (c == '*')
			break;
		if (c == '\\' && builder->at + 1 < builder->key.len) {
			c = builder->key.data[++builder->at];
		} else if (c == '?') {
			builder->is_any[builder->len] = true;
			has_any = true;
		}
		builder->text[builder->len++] = c;
	}
	builder->at++;
	segment->text = str_of(builder->text + start, builder->len - start);
	segment->is_any = has_any ? builder->is_any + start : NULL;
	find_longest(segment);
}

static void
prepare_pattern(struct arena *arena, struct match_key *key)
{
	struct pattern *pattern = ARENA_NEW(arena, struct pattern);
	size_t count = count_stars(key->text) + 1, i;
	struct segment *segments = ARENA_ARRAY(arena, struct segment, count);
	struct pattern_builder builder = {
		.key = key->text,
		.text = arena_alloc(arena, key->text.len + 1),
		.is_any = ARENA_ARRAY(arena, bool, key->text.len + 1),
	};

	for (i = 0; i < count; i++)
		read_segment(&builder, &segments[i]);
	pattern->segments = segments;
	pattern->count = count;
	key->pattern = pattern;
}

/* ---- :matches, the match ---- */

static void
add_capture(struct match_work *work, size_t from, size_t to)
{
	if (work->count < MOST_CAPTURES)
		work->captures[work->count++] = (struct capture){from, to};
}

static void
capture_any(struct match_work *work, const struct segment *segment, size_t at)
{
	size_t i;

	if (segment->is_any == NULL)
		return;
	for (i = 0; i < segment->text.len; i++)
		if (segment->is_any[i])
			add_capture(work, at + i, at + i + 1);
}

static bool
fits(const struct segment *segment, struct str value, size_t at,
	struct match_work *work)
{
	size_t i;

	if (value.len - at < segment->text.len || !pay(work, segment->text.len))
		return false;
	if (segment->is_any == NULL)
		return str_equal(segment->text,
			str_of(value.data + at, segment->text.len));
	for (i = 0; i < segment->text.len; i++)
		if (!segment->is_any[i] &&
			segment->text.data[i] != value.data[at + i])
			return false;
	return true;
}

/* The leftmost place at or behind `from`; false when it fits nowhere.  Looks
 * for the longest run of octets and only then at the "?" around it. */
static bool
find_segment(const struct segment *segment, struct str value, size_t from,
	struct match_work *work, size_t *at_out)
{
	size_t at = from;

	while (at <= value.len && value.len - at >= segment->text.len) {
		struct str rest = str_skip(value, at + segment->longest_from);
		size_t ahead = str_find(rest, segment->longest);

		if (!pay(work, ahead + 1))
			return false;
		if (ahead == rest.len && segment->longest.len > 0)
			return false;
		at += ahead;
		if (fits(segment, value, at, work)) {
			*at_out = at;
			return true;
		}
		if (work->is_over)
			return false;
		at++;
	}
	return false;
}

static bool
match_segments(const struct pattern *pattern, struct str value,
	struct match_work *work)
{
	const struct segment *segment = pattern->segments;
	const struct segment *last = segment + pattern->count - 1;
	size_t at = 0, found;

	if (segment == last)
		return value.len == segment->text.len &&
		       fits(segment, value, 0, work) &&
		       (capture_any(work, segment, 0), true);
	if (!fits(segment, value, 0, work))
		return false;
	capture_any(work, segment, 0);
	at = segment->text.len;
	for (segment++; segment < last; segment++) {
		if (!find_segment(segment, value, at, work, &found))
			return false;
		add_capture(work, at, found);
		capture_any(work, segment, found);
		at = found + segment->text.len;
	}
	if (value.len - at < last->text.len)
		return false;
	found = value.len - last->text.len;
	if (!fits(last, value, found, work))
		return false;
	add_capture(work, at, found);
	capture_any(work, last, found);
	return true;
}

static bool
matches(const struct match_key *key, struct str value, struct match_work *work)
{
	work->count = 0;
	add_capture(work, 0, value.len);
	if (match_segments(key->pattern, value, work))
		return true;
	work->count = 0;
	return false;
}

const struct match_type match_matches = {
	.needs_substring = true,
	.prepare = prepare_pattern,
	.match = matches,
};
