/* SPDX-License-Identifier: MIT */
#include "server/ledger.h"

#include <search.h>
#include <string.h>

#include "base/memory.h"
#include "server/claims.h"

#include "base/banned.h"

enum {
	KEY_BYTES = 32,
	SECRET_BYTES = 16,
	DICT_KEY_BYTES = 1 + 4 + KEY_BYTES,
	/* What an entry costs beside key and value, about. */
	ENTRY_OVERHEAD = 64,
	/* kind, outcome, secret; then the value */
	HEAD_BYTES = 2 + SECRET_BYTES,
	COUNT_STEP = 1000,
	ANSWER_LEAST = 28, /* bytes of an item of CLAIMED without a value */
	ANSWER_HEAD = 64   /* of the frame, at most */
};

const struct ledger_limits ledger_limits_default = {
	.lifetime_s = 24 * 60 * 60,
	.entries = 1000 * 1000,
	.entries_per_uid = 500 * 1000,
	.bytes = 1024 * 1024 * 1024,
	.bytes_per_uid = 512 * 1024 * 1024,
	.value_bytes = CLAIM_VALUE_MAX,
	.held_per_owner = 10 * 1000,
};

/* In the first byte of a stored value. */
enum kind { KIND_CLAIMED = 1, KIND_FINISHED = 2 };

/* 'd', uid, digest */
struct dict_key {
	unsigned char bytes[DICT_KEY_BYTES];
};

/* A claim under way. */
struct held {
	struct dict_key key; /* first: what the tree compares */
	struct ledger_owner *owner;
	struct held *next, *previous; /* of the owner */
	unsigned char secret[SECRET_BYTES];
	uint64_t serial;
	uint64_t bytes; /* of the entry; 0: there is none any more */
};

struct usage {
	uint32_t uid; /* first: what the tree compares */
	uint64_t entries, bytes;
};

/* What is taken back when the transaction comes to nothing. */
struct step {
	uint32_t uid;
	int64_t entries, bytes;           /* added */
	struct wire_claimed_item *answer; /* NULL: not a claim */
	struct dict_key key;
	uint64_t serial; /* of what is held */
};

struct ledger {
	struct dict *dict;
	struct ledger_limits limits;
	struct ledger_counters counters;
	uint64_t bytes;
	void *held;   /* tree of struct held */
	void *usages; /* tree of struct usage */
	uint64_t serial;

	bool is_active; /* between begin and commit */
	uint64_t now_s;
	bool has_failed; /* `err`: no more changes in this transaction */
	struct err err;
	bool has_asked_room, has_room;
	struct step *steps;
	size_t step_count, step_size;
	struct arena *scratch;
	struct arena_mark scratch_begin;

	bool has_complaint;
	char complaint[sizeof(((struct err *)NULL)->detail)];
	struct dict_key swept; /* the sweep goes on behind it */
	bool is_sweeping;
};

/* What is stored. */
struct record {
	enum kind kind;
	enum wire_outcome outcome;
	unsigned char secret[SECRET_BYTES];
	struct str value;
	uint64_t bytes;
};

/* ---- keys ---- */

static struct dict_key
make_key(uint32_t uid, const unsigned char key[KEY_BYTES])
{
	struct dict_key result;

	result.bytes[0] = 'd';
	result.bytes[1] = (unsigned char)(uid >> 24);
	result.bytes[2] = (unsigned char)(uid >> 16);
	result.bytes[3] = (unsigned char)(uid >> 8);
	result.bytes[4] = (unsigned char)uid;
	memcpy(result.bytes + 5, key, KEY_BYTES);
	return result;
}

static struct str
key_view(const struct dict_key *key)
{
	return str_of((const char *)key->bytes, sizeof(key->bytes));
}

static uint32_t
uid_of(const struct dict_key *key)
{
	return (uint32_t)key->bytes[1] << 24 | (uint32_t)key->bytes[2] << 16 |
	       (uint32_t)key->bytes[3] << 8 | key->bytes[4];
}

static bool
is_ours(struct str key)
{
	return key.len == DICT_KEY_BYTES && key.data[0] == 'd';
}

/* Takes the same time wherever they differ. */
static bool
is_same_secret(const unsigned char *a, const unsigned char *b)
{
	unsigned char difference = 0;
	size_t i;

	for (i = 0; i < SECRET_BYTES; i++)
		difference |= a[i] ^ b[i];
	return difference == 0;
}

/* ---- trees ---- */

static int
compare_keys(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct dict_key));
}

static int
compare_uids(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

static struct held *
find_held(const struct ledger *ledger, const struct dict_key *key)
{
	struct held **node = tfind(key, &ledger->held, compare_keys);

	return node == NULL ? NULL : *node;
}

static const struct usage *
find_usage(const struct ledger *ledger, uint32_t uid)
{
	static const struct usage none = {0};
	struct usage **node = tfind(&uid, &ledger->usages, compare_uids);

	return node == NULL ? &none : *node;
}

static void
add_usage(struct ledger *ledger, uint32_t uid, int64_t entries, int64_t bytes)
{
	struct usage **node = tfind(&uid, &ledger->usages, compare_uids);
	struct usage *usage;

	if (node == NULL) {
		usage = memory_get(sizeof(*usage));
		usage->uid = uid;
		if (tsearch(usage, &ledger->usages, compare_uids) == NULL)
			memory_exhausted();
	} else {
		usage = *node;
	}
	usage->entries += (uint64_t)entries;
	usage->bytes += (uint64_t)bytes;
	ledger->counters.entries += (uint64_t)entries;
	ledger->bytes += (uint64_t)bytes;
	if (usage->entries == 0) {
		tdelete(usage, &ledger->usages, compare_uids);
		memory_free(usage);
	}
}

static struct held *
hold(struct ledger *ledger, struct ledger_owner *owner,
	const struct dict_key *key, const unsigned char *secret, uint64_t bytes)
{
	struct held *held = memory_get(sizeof(*held));

	held->key = *key;
	held->owner = owner;
	memcpy(held->secret, secret, SECRET_BYTES);
	held->serial = ++ledger->serial;
	held->bytes = bytes;
	held->next = owner->first;
	if (owner->first != NULL)
		owner->first->previous = held;
	owner->first = held;
	owner->count++;
	ledger->counters.held++;
	if (tsearch(held, &ledger->held, compare_keys) == NULL)
		memory_exhausted();
	return held;
}

static void
let_go(struct ledger *ledger, struct held *held)
{
	if (held->next != NULL)
		held->next->previous = held->previous;
	if (held->previous != NULL)
		held->previous->next = held->next;
	else
		held->owner->first = held->next;
	held->owner->count--;
	ledger->counters.held--;
	tdelete(held, &ledger->held, compare_keys);
	memory_free(held);
}

/* ---- opening ---- */

static uint64_t
entry_bytes(size_t value_len)
{
	return DICT_KEY_BYTES + value_len + ENTRY_OVERHEAD;
}

static void
count_entry(struct ledger *ledger, const struct dict_entry *entry)
{
	struct dict_key key;

	if (!is_ours(entry->key))
		return;
	memcpy(key.bytes, entry->key.data, sizeof(key.bytes));
	add_usage(ledger, uid_of(&key), 1,
		(int64_t)entry_bytes(entry->value.len));
}

static int
count_entries(struct ledger *ledger, struct err *err)
{
	char last[DICT_KEY_MAX];
	struct str after = STR_EMPTY;
	struct dict_walk walk;
	size_t i;

	do {
		arena_release(ledger->scratch, ledger->scratch_begin);
		if (dict_walk(ledger->dict, ledger->scratch, after, COUNT_STEP,
			    &walk, err) < 0)
			return -1;
		for (i = 0; i < walk.count; i++)
			count_entry(ledger, &walk.entries[i]);
		memcpy(last, walk.last.data, walk.last.len);
		after = str_of(last, walk.last.len);
	} while (after.len > 0);
	arena_release(ledger->scratch, ledger->scratch_begin);
	return 0;
}

int
ledger_open(struct dict *dict, const struct ledger_limits *limits,
	struct ledger **ledger_out, struct err *err)
{
	struct ledger *ledger = memory_get(sizeof(*ledger));

	ledger->dict = dict;
	ledger->limits = *limits;
	ledger->scratch = arena_open();
	/* Something of it stays, so that its memory is not asked for each time. */
	arena_alloc(ledger->scratch, 1);
	ledger->scratch_begin = arena_mark(ledger->scratch);
	*ledger_out = ledger;
	if (count_entries(ledger, err) == 0)
		return 0;
	ledger_close(ledger_out);
	return -1;
}

static int
copy_entries(struct ledger *ledger, struct dict *to, struct err *err)
{
	char last[DICT_KEY_MAX];
	struct str after = STR_EMPTY;
	struct dict_walk walk;
	size_t i;

	do {
		arena_release(ledger->scratch, ledger->scratch_begin);
		if (dict_walk(ledger->dict, ledger->scratch, after, COUNT_STEP,
			    &walk, err) < 0)
			return -1;
		for (i = 0; i < walk.count; i++)
			if (dict_put(to, &walk.entries[i], err) < 0)
				return -1;
		memcpy(last, walk.last.data, walk.last.len);
		after = str_of(last, walk.last.len);
	} while (after.len > 0);
	return 0;
}

static void
free_node(void *node)
{
	memory_free(node);
}

static int
count_anew(struct ledger *ledger, struct err *err)
{
	tdestroy(ledger->usages, free_node);
	ledger->usages = NULL;
	ledger->counters.entries = 0;
	ledger->bytes = 0;
	return count_entries(ledger, err);
}

int
ledger_move(struct ledger *ledger, struct dict *dict, struct err *err)
{
	struct dict *before = ledger->dict;

	if (ledger->is_active)
		BUG("a move within a transaction");
	if (dict_begin(dict, err) < 0)
		return -1;
	if (copy_entries(ledger, dict, err) < 0) {
		dict_abort(dict);
		return -1;
	}
	if (dict_commit(dict, err) < 0)
		return -1;
	ledger->dict = dict;
	if (count_anew(ledger, err) == 0)
		return 0;
	ledger->dict = before;
	if (count_anew(ledger, err) < 0)
		BUG("the former dict cannot be read: %s", err_log_text(err));
	return -1;
}

void
ledger_close(struct ledger **ledger)
{
	if (*ledger == NULL)
		return;
	dict_abort((*ledger)->dict);
	tdestroy((*ledger)->held, free_node);
	tdestroy((*ledger)->usages, free_node);
	memory_free((*ledger)->steps);
	arena_close(&(*ledger)->scratch);
	memory_free(*ledger);
	*ledger = NULL;
}

/* ---- transactions ---- */

static void
complain(struct ledger *ledger, const char *text)
{
	if (ledger->has_complaint)
		return;
	ledger->has_complaint = true;
	snprintf(ledger->complaint, sizeof(ledger->complaint), "%s", text);
}

const char *
ledger_complaint(struct ledger *ledger)
{
	if (!ledger->has_complaint)
		return NULL;
	ledger->has_complaint = false;
	return ledger->complaint;
}

void
ledger_begin(struct ledger *ledger, uint64_t now_s)
{
	if (ledger->is_active)
		BUG("a transaction within a transaction");
	ledger->is_active = true;
	ledger->now_s = now_s;
	ledger->has_failed = false;
	ledger->has_asked_room = false;
	ledger->step_count = 0;
	if (dict_begin(ledger->dict, &ledger->err) < 0)
		ledger->has_failed = true;
}

static struct step *
add_step(struct ledger *ledger)
{
	struct step *step;

	if (ledger->step_count == ledger->step_size) {
		ledger->step_size =
			ledger->step_size ? ledger->step_size * 2 : 64;
		ledger->steps = memory_resize(
			ledger->steps, memory_product(ledger->step_size,
					       sizeof(*ledger->steps)));
	}
	step = &ledger->steps[ledger->step_count++];
	memset(step, 0, sizeof(*step));
	return step;
}

/* Counts a change, in a way that can be taken back. */
static struct step *
change_usage(
	struct ledger *ledger, uint32_t uid, int64_t entries, int64_t bytes)
{
	struct step *step = add_step(ledger);

	step->uid = uid;
	step->entries = entries;
	step->bytes = bytes;
	add_usage(ledger, uid, entries, bytes);
	return step;
}

static void
take_back(struct ledger *ledger, const struct step *step)
{
	struct held *held;

	/* In this order no usage is given up that the next step needs. */
	if (step->entries != 0 || step->bytes != 0)
		add_usage(ledger, step->uid, -step->entries, -step->bytes);
	if (step->answer == NULL)
		return;
	step->answer->state = WIRE_CLAIM_UNABLE;
	ledger->counters.unable++;
	held = find_held(ledger, &step->key);
	if (held != NULL && held->serial == step->serial)
		let_go(ledger, held);
}

int
ledger_commit(struct ledger *ledger, struct err *err)
{
	if (!ledger->is_active)
		BUG("no transaction to commit");
	ledger->is_active = false;
	arena_release(ledger->scratch, ledger->scratch_begin);
	if (ledger->has_failed)
		dict_abort(ledger->dict);
	else if (dict_commit(ledger->dict, &ledger->err) == 0)
		return 0;
	while (ledger->step_count > 0)
		take_back(ledger, &ledger->steps[--ledger->step_count]);
	*err = ledger->err;
	complain(ledger, err_log_text(err));
	return -1;
}

/* ---- entries ---- */

static void
failed(struct ledger *ledger)
{
	ledger->has_failed = true;
}

static bool
parse_entry(const struct dict_entry *stored, struct record *entry_out)
{
	const unsigned char *bytes = (const unsigned char *)stored->value.data;

	if (stored->value.len < HEAD_BYTES ||
		(bytes[0] != KIND_CLAIMED && bytes[0] != KIND_FINISHED) ||
		bytes[1] > WIRE_REFUSED)
		return false;
	entry_out->kind = (enum kind)bytes[0];
	entry_out->outcome = (enum wire_outcome)bytes[1];
	memcpy(entry_out->secret, bytes + 2, SECRET_BYTES);
	entry_out->value = str_skip(stored->value, HEAD_BYTES);
	return true;
}

/* NONE: nothing that counts; then entry_out->bytes are those of what is in its
 * place all the same, 0: nothing. */
static enum lookup
read_entry(struct ledger *ledger, struct arena *arena,
	const struct dict_key *key, struct record *entry_out)
{
	struct dict_entry stored;
	enum lookup found;

	memset(entry_out, 0, sizeof(*entry_out));
	if (ledger->has_failed)
		return LOOKUP_ERROR;
	found = dict_get(
		ledger->dict, arena, key_view(key), &stored, &ledger->err);
	if (found == LOOKUP_ERROR)
		failed(ledger);
	if (found != LOOKUP_FOUND)
		return found;
	entry_out->bytes = entry_bytes(stored.value.len);
	if (stored.expires_s <= ledger->now_s ||
		!parse_entry(&stored, entry_out))
		return LOOKUP_NONE;
	return LOOKUP_FOUND;
}

/* Writes over what had `before` bytes (0: nothing); result: the bytes now, 0: it
 * failed. */
static uint64_t
write_entry(struct ledger *ledger, const struct dict_key *key, uint64_t before,
	const struct record *entry)
{
	size_t len = HEAD_BYTES + entry->value.len;
	char *bytes = arena_alloc(ledger->scratch, len);
	struct dict_entry stored = {.key = key_view(key),
		.value = str_of(bytes, len),
		.expires_s = ledger->now_s + ledger->limits.lifetime_s};

	if (ledger->has_failed)
		return 0;
	bytes[0] = (char)entry->kind;
	bytes[1] = (char)entry->outcome;
	memcpy(bytes + 2, entry->secret, SECRET_BYTES);
	if (entry->value.len > 0)
		memcpy(bytes + HEAD_BYTES, entry->value.data, entry->value.len);
	if (dict_put(ledger->dict, &stored, &ledger->err) < 0) {
		failed(ledger);
		return 0;
	}
	change_usage(ledger, uid_of(key), before == 0,
		(int64_t)entry_bytes(len) - (int64_t)before);
	return entry_bytes(len);
}

static int
remove_entry(struct ledger *ledger, const struct dict_key *key, uint64_t before)
{
	if (ledger->has_failed)
		return -1;
	if (before == 0)
		return 0;
	if (dict_delete(ledger->dict, key_view(key), &ledger->err) < 0) {
		failed(ledger);
		return -1;
	}
	change_usage(ledger, uid_of(key), -1, -(int64_t)before);
	return 0;
}

/* ---- CLAIM ---- */

/* One item being answered. */
struct asking {
	struct ledger *ledger;
	struct ledger_owner *owner;
	const struct wire_claim_item *item;
	struct dict_key key;
	struct wire_claimed_item *answer;
};

static void
unable(struct asking *asking, const char *why)
{
	asking->answer->state = WIRE_CLAIM_UNABLE;
	asking->ledger->counters.unable++;
	complain(asking->ledger, why);
}

/* NULL, or why a new entry with that value cannot be. */
static const char *
find_limit(const struct ledger *ledger, uint32_t uid, size_t value_len)
{
	const struct ledger_limits *limits = &ledger->limits;
	const struct usage *usage = find_usage(ledger, uid);
	uint64_t bytes = entry_bytes(HEAD_BYTES + value_len);

	if (ledger->counters.entries >= limits->entries ||
		ledger->bytes + bytes > limits->bytes)
		return "the memory of deliveries is full";
	if (usage->entries >= limits->entries_per_uid ||
		usage->bytes + bytes > limits->bytes_per_uid)
		return "a user's part of the memory of deliveries is full";
	return NULL;
}

/* Asked once in a transaction. */
static bool
has_room(struct ledger *ledger)
{
	struct err err;

	if (!ledger->has_asked_room) {
		ledger->has_asked_room = true;
		ledger->has_room = dict_has_room(ledger->dict, &err) == 0;
		if (!ledger->has_room)
			complain(ledger, err_log_text(&err));
	}
	return ledger->has_room;
}

/* Whether the claim can be written; else it is UNABLE. */
static bool
may_write(struct asking *asking)
{
	struct ledger *ledger = asking->ledger;
	const char *limit =
		find_limit(ledger, asking->owner->uid, asking->item->value.len);

	if (asking->item->value.len > ledger->limits.value_bytes)
		limit = "what a delivery means to do is too long";
	else if (limit == NULL && !has_room(ledger))
		limit = "no room";
	if (limit != NULL)
		unable(asking, limit);
	return limit == NULL;
}

/* Result: the bytes of the entry, 0: UNABLE. */
static uint64_t
write_claim(struct asking *asking, uint64_t before)
{
	struct record entry = {
		.kind = KIND_CLAIMED, .value = asking->item->value};
	uint64_t bytes;

	if (!may_write(asking))
		return 0;
	memcpy(entry.secret, asking->item->secret, SECRET_BYTES);
	bytes = write_entry(asking->ledger, &asking->key, before, &entry);
	if (bytes == 0)
		unable(asking, err_log_text(&asking->ledger->err));
	return bytes;
}

static void
grant(struct asking *asking, const struct held *held)
{
	struct step *step = add_step(asking->ledger);

	step->answer = asking->answer;
	step->key = held->key;
	step->serial = held->serial;
	asking->answer->state = WIRE_CLAIM_GRANTED;
}

static void
claim_again(struct asking *asking, struct held *held)
{
	uint64_t bytes = write_claim(asking, held->bytes);

	if (bytes == 0) {
		let_go(asking->ledger, held);
		return;
	}
	memcpy(held->secret, asking->item->secret, SECRET_BYTES);
	held->bytes = bytes;
	grant(asking, held);
}

static void
claim_new(struct asking *asking, uint64_t before)
{
	uint64_t bytes = write_claim(asking, before);

	if (bytes == 0)
		return;
	asking->ledger->counters.claims++;
	grant(asking, hold(asking->ledger, asking->owner, &asking->key,
			      asking->item->secret, bytes));
}

static void
answer_busy(struct asking *asking)
{
	asking->answer->state = WIRE_CLAIM_BUSY;
	asking->ledger->counters.busy++;
}

static void
answer_finished(struct asking *asking, const struct record *entry)
{
	asking->answer->state = WIRE_CLAIM_FINISHED;
	asking->answer->outcome = entry->outcome;
	memcpy(asking->answer->secret, entry->secret, SECRET_BYTES);
}

/* The entry stays as it is: should this one die as well, the next one still knows
 * what the first meant to do. */
static void
take_over(struct asking *asking, const struct record *entry, size_t *room)
{
	/* What the frame has no room for is found by the client's next try. */
	if (entry->value.len > *room) {
		answer_busy(asking);
		return;
	}
	*room -= entry->value.len;
	asking->answer->state = WIRE_CLAIM_BROKEN;
	asking->answer->value = entry->value;
	asking->ledger->counters.broken++;
	hold(asking->ledger, asking->owner, &asking->key, asking->item->secret,
		entry->bytes);
}

static void
claim_free(struct asking *asking, struct arena *arena, size_t *room)
{
	struct ledger *ledger = asking->ledger;
	struct record entry;
	enum lookup found = read_entry(ledger, arena, &asking->key, &entry);

	if (found == LOOKUP_ERROR)
		unable(asking, err_log_text(&ledger->err));
	else if (found == LOOKUP_FOUND && entry.kind == KIND_FINISHED)
		answer_finished(asking, &entry);
	else if (asking->owner->count >= ledger->limits.held_per_owner)
		unable(asking, "too many claims under way");
	else if (found == LOOKUP_FOUND)
		take_over(asking, &entry, room);
	else
		claim_new(asking, entry.bytes);
}

void
ledger_claim(struct ledger *ledger, struct arena *arena,
	struct ledger_owner *owner, bool is_again,
	const struct wire_claim *claim, struct wire_claimed *claimed_out)
{
	size_t least = ANSWER_HEAD + claim->count * ANSWER_LEAST, i;
	size_t room = least < FRAME_MAX ? FRAME_MAX - least : 0;

	claimed_out->request = claim->request;
	claimed_out->count = claim->count;
	claimed_out->items =
		ARENA_ARRAY(arena, struct wire_claimed_item, claim->count);
	for (i = 0; i < claim->count; i++) {
		struct asking asking = {ledger, owner, &claim->items[i],
			make_key(owner->uid, claim->items[i].key),
			&claimed_out->items[i]};
		struct held *held = find_held(ledger, &asking.key);

		asking.answer->value = STR_EMPTY;
		if (held == NULL)
			claim_free(&asking, arena, &room);
		else if (is_again && held->owner == owner)
			claim_again(&asking, held);
		else
			answer_busy(&asking);
	}
}

/* ---- FINISH, CONFIRM ---- */

static void
finish(struct ledger *ledger, struct held *held, enum wire_outcome outcome)
{
	struct record entry = {.kind = KIND_FINISHED, .outcome = outcome};

	memcpy(entry.secret, held->secret, SECRET_BYTES);
	if (outcome == WIRE_FAILED) {
		if (remove_entry(ledger, &held->key, held->bytes) < 0)
			complain(ledger, err_log_text(&ledger->err));
	} else if (write_entry(ledger, &held->key, held->bytes, &entry) == 0) {
		/* The claim stays: the retry finds the copies by its value. */
		complain(ledger, err_log_text(&ledger->err));
	} else {
		ledger->counters.finished++;
	}
	let_go(ledger, held);
}

void
ledger_finish(struct ledger *ledger, struct ledger_owner *owner,
	const struct wire_finish *request)
{
	size_t i;

	for (i = 0; i < request->count; i++) {
		struct dict_key key =
			make_key(owner->uid, request->items[i].key);
		struct held *held = find_held(ledger, &key);

		if (held != NULL && held->owner == owner)
			finish(ledger, held, request->items[i].outcome);
	}
}

/* The secret leaves its owner with the result, behind FINISH; that may be read
 * after CONFIRM all the same, as it comes by another socket.  So who knows the
 * secret ends the claim, and FINISH is about nothing then. */
static void
confirm_held(struct ledger *ledger, struct held *held,
	const struct wire_handle *handle)
{
	if (!is_same_secret(held->secret, handle->secret))
		return;
	if (remove_entry(ledger, &held->key, held->bytes) == 0)
		ledger->counters.confirmed++;
	let_go(ledger, held);
}

/* Claimed by nobody: its FINISH was lost with an earlier process. */
static void
confirm_stored(struct ledger *ledger, const struct dict_key *key,
	const struct wire_handle *handle)
{
	struct record entry;

	if (read_entry(ledger, ledger->scratch, key, &entry) == LOOKUP_FOUND &&
		is_same_secret(entry.secret, handle->secret) &&
		remove_entry(ledger, key, entry.bytes) == 0)
		ledger->counters.confirmed++;
}

void
ledger_confirm(struct ledger *ledger, const struct wire_confirm *request)
{
	size_t i;

	for (i = 0; i < request->count; i++) {
		const struct wire_handle *handle = &request->handles[i];
		struct dict_key key = make_key(handle->uid, handle->key);
		struct held *held = find_held(ledger, &key);

		if (held != NULL)
			confirm_held(ledger, held, handle);
		else
			confirm_stored(ledger, &key, handle);
	}
}

void
ledger_release(struct ledger *ledger, struct ledger_owner *owner)
{
	while (owner->first != NULL)
		let_go(ledger, owner->first);
}

/* ---- the sweep ---- */

static void
forget_removed(struct ledger *ledger, const struct dict_walk *removed)
{
	size_t i;

	for (i = 0; i < removed->count; i++) {
		const struct dict_entry *entry = &removed->entries[i];
		struct dict_key key;
		struct held *held;

		if (!is_ours(entry->key))
			continue;
		memcpy(key.bytes, entry->key.data, sizeof(key.bytes));
		add_usage(ledger, uid_of(&key), -1,
			-(int64_t)entry_bytes(entry->value.len));
		ledger->counters.expired++;
		held = find_held(ledger, &key);
		if (held != NULL)
			held->bytes = 0;
	}
}

static int
expire(struct ledger *ledger, uint64_t now_s, size_t most,
	struct dict_walk *removed_out, struct err *err)
{
	struct str after =
		ledger->is_sweeping ? key_view(&ledger->swept) : STR_EMPTY;

	if (dict_begin(ledger->dict, err) < 0)
		return -1;
	if (dict_expire(ledger->dict, ledger->scratch, STR("d"), after, most,
		    now_s, removed_out, err) == 0)
		return dict_commit(ledger->dict, err);
	dict_abort(ledger->dict);
	return -1;
}

enum lookup
ledger_sweep(
	struct ledger *ledger, uint64_t now_s, size_t most, struct err *err)
{
	struct dict_walk removed;
	enum lookup result = LOOKUP_ERROR;

	if (ledger->is_active)
		BUG("a sweep within a transaction");
	if (expire(ledger, now_s, most, &removed, err) == 0) {
		forget_removed(ledger, &removed);
		/* Keys of others in the same dict come behind ours. */
		ledger->is_sweeping = is_ours(removed.last);
		if (ledger->is_sweeping)
			memcpy(ledger->swept.bytes, removed.last.data,
				sizeof(ledger->swept.bytes));
		result = ledger->is_sweeping ? LOOKUP_FOUND : LOOKUP_NONE;
	} else {
		ledger->is_sweeping = false;
	}
	arena_release(ledger->scratch, ledger->scratch_begin);
	return result;
}

struct ledger_counters
ledger_counters(const struct ledger *ledger)
{
	return ledger->counters;
}
