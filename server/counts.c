/* SPDX-License-Identifier: MIT */
#include "server/counts.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/fd.h"
#include "base/number.h"

#include "base/banned.h"

enum {
	UID_BYTES = 4,
	DIGEST_BYTES = 32,
	UID_KEY_BYTES = 1 + UID_BYTES, /* how many that uid has */
	KEY_BYTES = UID_KEY_BYTES + DIGEST_BYTES,
	VALUE_MAX = 200
};

/* Nothing else takes them away. */
static const uint64_t lifetime_s = UINT64_C(3650) * 24 * 60 * 60;

struct row {
	bool is_valid;
	uint64_t version, bytes, messages, counted_s;
};

/* One call. */
struct counting {
	struct dict *dict;
	const char *stamp;
	struct arena *arena;
	uint64_t now_s;
	char key[KEY_BYTES];
	bool is_new;
	struct row row;
};

void
counts_stamp(char stamp_out[COUNTS_STAMP])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t len = 0;
	uint64_t random;

	if (fd >= 0)
		len = fd_read_at(fd, stamp_out, COUNTS_STAMP - 1, 0);
	fd_close(&fd);
	if (len > 0) {
		stamp_out[len] = '\0';
		stamp_out[strcspn(stamp_out, " \n")] = '\0';
	}
	if (len > 0 && stamp_out[0] != '\0')
		return;
	clock_random(&random, sizeof(random));
	snprintf(stamp_out, COUNTS_STAMP, "%016" PRIx64, random);
}

/* ---- rows ---- */

static void
make_key(struct counting *counting, uint32_t uid,
	const struct request_count *count)
{
	unsigned char result[DIGEST_MAX];
	char number[16];
	struct digest digest;

	counting->key[0] = 't';
	counting->key[1] = (char)(unsigned char)(uid >> 24);
	counting->key[2] = (char)(unsigned char)(uid >> 16);
	counting->key[3] = (char)(unsigned char)(uid >> 8);
	counting->key[4] = (char)(unsigned char)uid;
	snprintf(number, sizeof(number), "%" PRIu32 " ", count->root);
	digest_init(&digest, DIGEST_SHA256);
	digest_add(&digest, str_from(number));
	digest_add(&digest, count->user);
	digest_end(&digest, result);
	memcpy(counting->key + UID_KEY_BYTES, result, DIGEST_BYTES);
}

static struct str
row_key(const struct counting *counting)
{
	return str_of(counting->key, KEY_BYTES);
}

/* "STAMP VALID VERSION BYTES MESSAGES COUNTED" */
static void
parse_row(struct counting *counting, struct str text)
{
	struct row *row = &counting->row;
	uint64_t valid = 0;
	uint64_t *const numbers[] = {&valid, &row->version, &row->bytes,
		&row->messages, &row->counted_s};
	struct str word;
	bool is_of_now =
		str_next_word(&text, &word) && str_is(word, counting->stamp);
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(numbers); i++)
		if (!str_next_word(&text, &word) ||
			number_parse(word, numbers[i]) < 0)
			is_of_now = false;
	row->is_valid = is_of_now && valid == 1;
}

static int
read_row(struct counting *counting, struct err *err)
{
	struct dict_entry entry;

	switch (dict_get(counting->dict, counting->arena, row_key(counting),
		&entry, err)) {
	case LOOKUP_FOUND:
		parse_row(counting, entry.value);
		return 0;
	case LOOKUP_NONE:
		counting->is_new = true;
		return 0;
	case LOOKUP_ERROR:
		break;
	}
	return -1;
}

static int
put(struct counting *counting, struct str key, const char *value,
	struct err *err)
{
	const struct dict_entry entry = {.key = key,
		.value = str_from(value),
		.expires_s = counting->now_s + lifetime_s};

	return dict_put(counting->dict, &entry, err);
}

/* One more for that uid. */
static int
count_row(struct counting *counting, struct err *err)
{
	struct str key = str_of(counting->key, UID_KEY_BYTES);
	struct dict_entry entry;
	uint64_t rows = 0;
	enum lookup found =
		dict_get(counting->dict, counting->arena, key, &entry, err);

	if (found == LOOKUP_ERROR)
		return -1;
	if (found == LOOKUP_FOUND && number_parse(entry.value, &rows) < 0)
		rows = 0;
	if (rows >= COUNTS_PER_UID)
		return err_temp(
			err, "4.3.1", "a uid has %" PRIu64 " counts", rows);
	return put(counting, key,
		arena_format(counting->arena, "%" PRIu64, rows + 1), err);
}

static int
put_row(struct counting *counting, struct err *err)
{
	const struct row *row = &counting->row;

	return put(counting, row_key(counting),
		arena_format(counting->arena,
			"%s %d %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64,
			counting->stamp, row->is_valid, row->version,
			row->bytes, row->messages, row->counted_s),
		err);
}

static int
write_row(struct counting *counting, struct err *err)
{
	struct dict *dict = counting->dict;

	if ((counting->is_new && dict_has_room(dict, err) < 0) ||
		dict_begin(dict, err) < 0)
		return -1;
	if ((counting->is_new && count_row(counting, err) < 0) ||
		put_row(counting, err) < 0) {
		dict_abort(dict);
		return -1;
	}
	return dict_commit(dict, err);
}

/* ---- requests ---- */

static void
set(struct counting *counting, const struct request_count *count)
{
	struct row *row = &counting->row;

	row->is_valid = row->version == count->version;
	row->version++;
	row->bytes = count->bytes;
	row->messages = count->messages;
	row->counted_s = counting->now_s;
}

static void
add(struct counting *counting, const struct request_count *count)
{
	struct row *row = &counting->row;

	row->version++;
	if (!number_add(row->bytes, count->bytes, &row->bytes) ||
		!number_add(row->messages, count->messages, &row->messages))
		row->is_valid = false;
}

static int
serve(struct counting *counting, const struct request_count *count,
	struct err *err)
{
	if (read_row(counting, err) < 0)
		return -1;
	switch (count->action) {
	case REQUEST_COUNT_READ:
		return 0;
	case REQUEST_COUNT_ADD:
		add(counting, count);
		break;
	case REQUEST_COUNT_SET:
		set(counting, count);
		break;
	case REQUEST_COUNT_FORGET:
		counting->row.version++;
		counting->row.is_valid = false;
		break;
	}
	return write_row(counting, err);
}

int
counts_serve(struct dict *dict, const char *stamp, uint32_t uid,
	const struct request_count *count, uint64_t now_s,
	struct request_counted *counted, struct err *err)
{
	struct counting counting = {.dict = dict,
		.stamp = stamp,
		.arena = arena_open(),
		.now_s = now_s};
	const struct row *row = &counting.row;
	int result;

	make_key(&counting, uid, count);
	result = serve(&counting, count, err);
	arena_close(&counting.arena);
	counted->version = row->version;
	counted->state = result < 0      ? REQUEST_COUNTED_UNABLE
	                 : row->is_valid ? REQUEST_COUNTED_YES
	                                 : REQUEST_COUNTED_NONE;
	if (result < 0 || !row->is_valid)
		return result;
	counted->bytes = row->bytes;
	counted->messages = row->messages;
	counted->counted_s = row->counted_s;
	return 0;
}
