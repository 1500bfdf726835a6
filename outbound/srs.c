/* SPDX-License-Identifier: MIT */
#include "outbound/srs.h"

#include <string.h>

#include "base/digest.h"
#include "base/encode.h"
#include "mail/address.h"

#include "base/banned.h"

enum {
	BLOCK = 64, /* of SHA-1, bytes */
	SHA1_SIZE = 20,
	HASH_LENGTH = 4, /* of base64 */
	DAY = 24 * 60 * 60,
	TAG = 4 /* "SRS0", then the separator */
};

/* HMAC (RFC 2104) of texts that are folded to lower case: hosts on the way may
 * change the case of an address. */
struct hmac {
	struct digest inner;
	uint8_t outer_pad[BLOCK];
};

static void
hmac_begin(struct hmac *hmac, struct str key)
{
	uint8_t hashed[DIGEST_MAX], pad[BLOCK] = {0};
	size_t i;

	if (key.len > BLOCK) {
		digest_of(DIGEST_SHA1, key, hashed);
		key = str_of((const char *)hashed, SHA1_SIZE);
	}
	memcpy(pad, key.data, key.len);
	for (i = 0; i < BLOCK; i++) {
		hmac->outer_pad[i] = pad[i] ^ 0x5c;
		pad[i] ^= 0x36;
	}
	digest_init(&hmac->inner, DIGEST_SHA1);
	digest_add(&hmac->inner, str_of((const char *)pad, BLOCK));
}

static void
hmac_add(struct hmac *hmac, struct arena *arena, struct str text)
{
	digest_add(&hmac->inner, arena_lower(arena, text));
}

static struct str
hmac_end(struct hmac *hmac, struct arena *arena)
{
	uint8_t result[DIGEST_MAX];
	struct digest outer;

	digest_end(&hmac->inner, result);
	digest_init(&outer, DIGEST_SHA1);
	digest_add(&outer, str_of((const char *)hmac->outer_pad, BLOCK));
	digest_add(&outer, str_of((const char *)result, SHA1_SIZE));
	digest_end(&outer, result);
	return str_slice(
		encode_base64(arena, str_of((const char *)result, SHA1_SIZE),
			false, false),
		0, HASH_LENGTH);
}

static struct str
hash_of(struct arena *arena, struct str key, const struct str *texts,
	size_t count)
{
	struct hmac hmac;
	size_t i;

	hmac_begin(&hmac, key);
	for (i = 0; i < count; i++)
		hmac_add(&hmac, arena, texts[i]);
	return hmac_end(&hmac, arena);
}

static bool
has_tag(struct str local, const char *tag)
{
	return local.len > TAG &&
	       str_is_nocase(str_slice(local, 0, TAG), tag) &&
	       strchr("=+-", local.data[TAG]) != NULL;
}

/* The day, modulo 1024, as two digits of base 32 (RFC 4648 6). */
static struct str
stamp_of(struct arena *arena, uint64_t seconds)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	uint64_t day = seconds / DAY;
	const char stamp[2] = {digits[day >> 5 & 31], digits[day & 31]};

	return arena_copy(arena, str_of(stamp, sizeof(stamp)));
}

static struct str
first_hop(struct arena *arena, struct str key, struct str local,
	struct str domain, const char *alias, uint64_t seconds)
{
	const struct str texts[] = {stamp_of(arena, seconds), domain, local};
	struct str hash = hash_of(arena, key, texts, ARRAY_LENGTH(texts));

	local = str_from(
		arena_format(arena, "SRS0=%.*s=%.*s=%.*s=%.*s", STR_ARG(hash),
			STR_ARG(texts[0]), STR_ARG(domain), STR_ARG(local)));
	return address_text(arena, local, str_from(alias));
}

/* The first one who rewrote it keeps being told of: a bounce goes back there by
 * the last one alone, however many were in between. */
static struct str
later_hop(struct arena *arena, struct str key, struct str host,
	struct str opaque, const char *alias)
{
	const struct str texts[] = {host, opaque};
	struct str hash = hash_of(arena, key, texts, ARRAY_LENGTH(texts));

	struct str local = str_from(arena_format(arena, "SRS1=%.*s=%.*s=%.*s",
		STR_ARG(hash), STR_ARG(host), STR_ARG(opaque)));

	return address_text(arena, local, str_from(alias));
}

/* "SRS1=HASH=HOST=OPAQUE"; false where it has another form. */
static bool
split_srs1(struct str local, struct str *host_out, struct str *opaque_out)
{
	struct str rest = str_skip(local, TAG + 1), hash;

	return str_next_field(&rest, '=', &hash) &&
	       str_next_field(&rest, '=', host_out) && host_out->len > 0 &&
	       (*opaque_out = rest).len > 0;
}

int
srs_rewrite(struct arena *arena, const char *alias, struct str secrets,
	struct str sender, uint64_t seconds, struct str *sender_out,
	struct err *err)
{
	struct str key = STR_EMPTY, local, domain, host, opaque;
	struct address address;
	struct err broken;

	*sender_out = sender;
	if (address_parse_path(arena, sender,
		    ADDRESS_NULL_ALLOWED | ADDRESS_LOCAL_ALLOWED |
			    ADDRESS_BRACKETS_OPTIONAL,
		    &address, &broken) < 0)
		return 0;
	/* Without its quotes: what is added stands within them. */
	local = address.local_part;
	domain = address.domain;
	if (domain.len == 0 || str_is_nocase(domain, alias))
		return 0;
	while (key.len == 0 && str_next_field(&secrets, '\n', &key))
		key = str_trim(key);
	if (key.len == 0)
		return err_temp(err, "4.3.5",
			"srs_secret has no secret, which srs_domain needs");
	if (has_tag(local, "SRS1") && split_srs1(local, &host, &opaque))
		*sender_out = later_hop(arena, key, host, opaque, alias);
	else if (has_tag(local, "SRS0"))
		*sender_out = later_hop(
			arena, key, domain, str_skip(local, TAG), alias);
	else
		*sender_out =
			first_hop(arena, key, local, domain, alias, seconds);
	return 0;
}
