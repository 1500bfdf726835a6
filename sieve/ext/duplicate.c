/* duplicate - was this seen by an earlier delivery? (RFC 7352)
 *
 * The host is asked for the key, a digest of handle and unique ID, and a mark
 * goes into the result: the host keeps it when the delivery has succeeded.  The
 * first answer of a delivery is the answer of all its tests of the same ID.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/digest.h"
#include "mail/encodedword.h"
#include "sieve/check.h"
#include "sieve/current.h"
#include "sieve/evaluate.h"
#include "sieve/registry.h"
#include "sieve/result.h"

#include "base/banned.h"

enum {
	/* The host may have to ask another process, or read a file. */
	STEPS_OF_A_TEST = 1000,
	STEP_OCTETS = 1024
};

static enum sieve_status
tag_text(struct run *run, const struct tag_use *use, struct str *text_out)
{
	return run_text(run, &use->argument.texts[0], text_out);
}

/* The first field of that name (RFC 7352 3.1).  NONE: there is no such field, or
 * nothing in it: messages without an ID are not copies of each other. */
static enum sieve_status
id_of_field(struct run *run, struct str name, bool *has_id, struct str *id_out)
{
	const struct header_field *field;

	*has_id = false;
	if (run_charge_fields(run) != SIEVE_OK)
		return SIEVE_FAILED;
	field = run_field_next(run, name, NULL);
	if (field == NULL)
		return SIEVE_OK;
	if (run_reserve(run, field->value.len) != SIEVE_OK)
		return SIEVE_FAILED;
	*id_out = str_trim(encodedword_decode(run->scratch, field->value));
	*has_id = id_out->len > 0;
	return SIEVE_OK;
}

static enum sieve_status
unique_id(struct run *run, const struct call *call, bool *has_id,
	struct str *id_out)
{
	const struct tag_use *use = call_tag(call, GROUP_UNIQUE_ID);
	struct str name = STR("Message-ID");

	if (use != NULL && use->tag->id == TAG_UNIQUE_TEXT) {
		*has_id = true;
		return tag_text(run, use, id_out);
	}
	if (use != NULL && tag_text(run, use, &name) != SIEVE_OK)
		return SIEVE_FAILED;
	return id_of_field(run, name, has_id, id_out);
}

/* A handle that is not given is another one than an empty one.  Its length
 * stands in front of it, so that no handle and ID look like another pair. */
static enum sieve_status
make_key(struct run *run, const struct call *call, struct str id,
	unsigned char key[DIGEST_MAX])
{
	const struct tag_use *use = call_tag(call, GROUP_DUPLICATE_HANDLE);
	struct str handle = STR_EMPTY;
	struct digest digest;

	if (use != NULL && tag_text(run, use, &handle) != SIEVE_OK)
		return SIEVE_FAILED;
	if (run_charge(run, (id.len + handle.len) / STEP_OCTETS) != SIEVE_OK)
		return SIEVE_FAILED;
	digest_init(&digest, DIGEST_SHA256);
	digest_add(&digest,
		str_from(use == NULL ? "duplicate\n"
				     : arena_format(run->scratch,
					       "duplicate %zu\n", handle.len)));
	digest_add(&digest, handle);
	digest_add(&digest, id);
	digest_end(&digest, key);
	return SIEVE_OK;
}

/* RFC 7352 3.3: what is too long is silently made shorter. */
static uint64_t
seconds_of(const struct run *run, const struct call *call)
{
	const struct tag_use *use = call_tag(call, GROUP_DUPLICATE_SECONDS);
	uint64_t seconds = use != NULL ? use->argument.number
	                               : run->settings.duplicate_default_s;
	uint64_t most = run->settings.duplicate_max_s;

	return seconds < most ? seconds : most;
}

static struct sieve_mark *
ask(struct run *run, const unsigned char *key)
{
	const struct sieve_host_ops *ops = run->host->ops;
	struct sieve_mark *mark = result_find_mark(run->result, key);

	if (mark != NULL)
		return mark;
	mark = result_add_mark(run->result, key);
	mark->was_seen = ops->duplicate_seen != NULL &&
	                 ops->duplicate_seen(run->host, key);
	return mark;
}

/* RFC 7352 3.3: without :last later copies do not change when the mark ends.  Of
 * several tests of one ID the last one decides. */
static enum sieve_status
test_id(struct run *run, const struct call *call, struct str id,
	bool *answer_out)
{
	bool renews = call_tag(call, GROUP_DUPLICATE_LAST) != NULL;
	uint64_t seconds = seconds_of(run, call);
	unsigned char key[DIGEST_MAX];
	struct sieve_mark *mark;

	*answer_out = false;
	if (make_key(run, call, id, key) != SIEVE_OK ||
		run_charge(run, STEPS_OF_A_TEST) != SIEVE_OK ||
		run_reserve(run, 2 * sizeof(*mark)) != SIEVE_OK)
		return SIEVE_FAILED;
	if (seconds == 0)
		return SIEVE_OK;
	mark = ask(run, key);
	*answer_out = mark->was_seen;
	mark->seconds = mark->was_seen && !renews ? 0 : seconds;
	return SIEVE_OK;
}

static enum sieve_status
test_duplicate(struct run *run, const struct call *call, bool *answer_out)
{
	struct str id = STR_EMPTY;
	bool has_id;

	*answer_out = false;
	if (unique_id(run, call, &has_id, &id) != SIEVE_OK ||
		(has_id && test_id(run, call, id, answer_out) != SIEVE_OK))
		return SIEVE_FAILED;
	run_trace_test(
		run, call, has_id ? id : STR("without an ID"), *answer_out);
	return SIEVE_OK;
}

const struct command_ops command_duplicate = {.test = test_duplicate};
