/* SPDX-License-Identifier: MIT */
#include "sieve/match.h"

#include "base/utf8.h"

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

int
match_prepare(struct arena *arena, const struct match_type *type,
	const struct comparator *comparator, struct match_memory *memory,
	struct str key, struct match_key *key_out, struct err *err)
{
	*key_out = (struct match_key){
		.text = type->keeps_key
	                        ? key
	                        : comparator_fold(comparator, arena, key),
		.has_code_points = comparator->has_code_points,
	};
	if (type->prepare == NULL)
		return 0;
	return type->prepare(arena, comparator, memory, key_out, err);
}

bool
match_pay(struct match_work *work, uint64_t octets)
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
	return key->text.len == value.len && match_pay(work, value.len) &&
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
	return key->text.len <= value.len && match_pay(work, value.len) &&
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

static int
prepare_pattern(struct arena *arena, const struct comparator *comparator UNUSED,
	struct match_memory *memory UNUSED, struct match_key *key,
	struct err *err UNUSED)
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
	return 0;
}

/* ---- :matches, the match ---- */

void
match_add_capture(struct match_work *work, size_t from, size_t to)
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
			match_add_capture(work, at + i, at + i + 1);
}

static bool
fits(const struct segment *segment, struct str value, size_t at,
	struct match_work *work)
{
	size_t i;

	if (value.len - at < segment->text.len ||
		!match_pay(work, segment->text.len))
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

		if (!match_pay(work, ahead + 1))
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
		match_add_capture(work, at, found);
		capture_any(work, segment, found);
		at = found + segment->text.len;
	}
	if (value.len - at < last->text.len)
		return false;
	found = value.len - last->text.len;
	if (!fits(last, value, found, work))
		return false;
	match_add_capture(work, at, found);
	capture_any(work, last, found);
	return true;
}

/* ---- :matches by code points ---- */

/* A "*" that may be made longer, and where. */
struct retreat {
	bool is_set;
	size_t pattern; /* behind the "*" */
	size_t value;   /* where it ends so far */
	size_t count;   /* captures in front of it */
	size_t from;    /* where it begins */
};

static size_t
code_point_end(struct str value, size_t at)
{
	uint32_t code;

	if (!utf8_next(value, &at, &code))
		at++;
	return at;
}

/* One step of pattern and value; false when they differ. */
static bool
step_forward(struct str pattern, size_t *in_pattern, struct str value,
	size_t *in_value, struct match_work *work)
{
	size_t at = *in_pattern, from = *in_value;
	char c;

	if (at == pattern.len || from == value.len)
		return false;
	c = pattern.data[at];
	if (c == '?') {
		*in_value = code_point_end(value, from);
		match_add_capture(work, from, *in_value);
	} else {
		if (c == '\\' && at + 1 < pattern.len)
			c = pattern.data[++at];
		if (c != value.data[from])
			return false;
		*in_value = from + 1;
	}
	*in_pattern = at + 1;
	return true;
}

/* Only the last "*" is ever made longer: that finds the leftmost place for what
 * stands behind it, as match_segments() does. */
static bool
match_code_points(struct str pattern, struct str value, struct match_work *work)
{
	struct retreat star = {.is_set = false};
	size_t in_pattern = 0, in_value = 0;

	while (in_pattern < pattern.len || in_value < value.len) {
		if (!match_pay(work, 1))
			return false;
		if (in_pattern < pattern.len &&
			pattern.data[in_pattern] == '*') {
			star = (struct retreat){true, ++in_pattern, in_value,
				work->count, in_value};
			match_add_capture(work, in_value, in_value);
			continue;
		}
		if (step_forward(pattern, &in_pattern, value, &in_value, work))
			continue;
		if (!star.is_set || star.value >= value.len)
			return false;
		star.value = code_point_end(value, star.value);
		in_pattern = star.pattern;
		in_value = star.value;
		work->count = star.count;
		match_add_capture(work, star.from, star.value);
	}
	return true;
}

static bool
matches(const struct match_key *key, struct str value, struct match_work *work)
{
	bool is_match;

	work->count = 0;
	match_add_capture(work, 0, value.len);
	is_match = key->has_code_points
	                   ? match_code_points(key->text, value, work)
	                   : match_segments(key->pattern, value, work);
	if (is_match)
		return true;
	work->count = 0;
	return false;
}

const struct match_type match_matches = {
	.needs_substring = true,
	.prepare = prepare_pattern,
	.match = matches,
};

/* ---- :value, :count (RFC 5231 4) ---- */

static bool
relates(const struct match_key *key, struct str value, struct match_work *work)
{
	return match_pay(work, value.len) &&
	       comparator_relates(
		       work->comparator, work->relation, value, key->text);
}

const struct match_type match_by_value = {
	.match = relates,
};

const struct match_type match_by_count = {
	.counts = true,
	.match = relates,
};
