/* SPDX-License-Identifier: MIT */
#include "base/password.h"

#include "config.h"

#include <crypt.h>
#ifdef HAVE_ARGON2
#include <argon2.h>
#endif
#include <string.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/encode.h"
#include "base/memory.h"
#include "base/number.h"

#include "base/banned.h"

/* crypt(3) takes no longer ones. */
enum { GIVEN_MAX = CRYPT_MAX_PASSPHRASE_SIZE };

struct scheme {
	const char *name;
	enum { SCHEME_PLAIN, SCHEME_CRYPT, SCHEME_ARGON2, SCHEME_DIGEST } way;
	enum digest_kind digest;
	bool has_salt;
};

static const struct scheme schemes[] = {
	{"PLAIN", SCHEME_PLAIN, 0, false},
	{"CLEAR", SCHEME_PLAIN, 0, false},
	{"CLEARTEXT", SCHEME_PLAIN, 0, false},
	{"CRYPT", SCHEME_CRYPT, 0, false},
	{"DES-CRYPT", SCHEME_CRYPT, 0, false},
	{"MD5-CRYPT", SCHEME_CRYPT, 0, false},
	{"SHA256-CRYPT", SCHEME_CRYPT, 0, false},
	{"SHA512-CRYPT", SCHEME_CRYPT, 0, false},
	{"BLF-CRYPT", SCHEME_CRYPT, 0, false},
	{"ARGON2I", SCHEME_ARGON2, 0, false},
	{"ARGON2ID", SCHEME_ARGON2, 0, false},
	{"SHA", SCHEME_DIGEST, DIGEST_SHA1, false},
	{"SHA1", SCHEME_DIGEST, DIGEST_SHA1, false},
	{"SHA256", SCHEME_DIGEST, DIGEST_SHA256, false},
	{"SHA512", SCHEME_DIGEST, DIGEST_SHA512, false},
	{"SSHA", SCHEME_DIGEST, DIGEST_SHA1, true},
	{"SSHA256", SCHEME_DIGEST, DIGEST_SHA256, true},
	{"SSHA512", SCHEME_DIGEST, DIGEST_SHA512, true},
};

static const struct scheme *
find_scheme(struct str name)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(schemes); i++)
		if (str_is_nocase(name, schemes[i].name))
			return &schemes[i];
	return NULL;
}

void
password_forget(void *bytes, size_t size)
{
	explicit_bzero(bytes, size);
}

/* Takes as long whatever differs; the lengths are no secret. */
static bool
is_same(struct str a, struct str b)
{
	unsigned char different = 0;
	size_t i;

	if (a.len != b.len)
		return false;
	for (i = 0; i < a.len; i++)
		different |= (unsigned char)(a.data[i] ^ b.data[i]);
	return different == 0;
}

static enum lookup
told(bool is_right)
{
	return is_right ? LOOKUP_FOUND : LOOKUP_NONE;
}

static enum lookup
trouble(struct err *err, const char *what)
{
	err_temp(err, "4.3.5", "%s", what);
	return LOOKUP_ERROR;
}

/* A setting that crypt(3) does not know gives a text that begins with "*" and is
 * not like the setting, or none. */
static enum lookup
check_crypt(struct arena *arena, struct str value, struct str given,
	struct err *err)
{
	struct crypt_data *data;
	const char *result;
	enum lookup found;

	if (given.len >= GIVEN_MAX || str_has_char(given, '\0'))
		return LOOKUP_NONE;
	/* An account that is locked. */
	if (value.len > 0 && (value.data[0] == '!' || value.data[0] == '*'))
		return LOOKUP_NONE;
	data = memory_get(sizeof(*data));
	result = crypt_rn(arena_text(arena, given), arena_text(arena, value),
		data, sizeof(*data));
	if (result == NULL || result[0] == '*')
		found = trouble(err, "crypt(3) does not know such a hash");
	else
		found = told(is_same(str_from(result), value));
	password_forget(data, sizeof(*data));
	memory_free(data);
	return found;
}

/* ---- Argon2 ---- */

#ifdef HAVE_ARGON2

/* A hash says itself how much memory it takes: "$m=65536,t=3,p=1$". */
enum { ARGON2_KIB_MAX = 256 * 1024, ARGON2_PASSES_MAX = 64 };

/* The number behind `name`, as "m=". */
static bool
find_cost(struct str value, const char *name, uint64_t *cost_out)
{
	struct str costs = str_skip(value, str_find(value, str_from(name)));
	size_t end = 0;

	costs = str_skip(costs, strlen(name));
	while (end < costs.len && ascii_is_digit(costs.data[end]))
		end++;
	return number_parse(str_slice(costs, 0, end), cost_out) == 0;
}

static bool
is_bearable(struct str value)
{
	uint64_t kib, passes;

	return find_cost(value, "$m=", &kib) &&
	       find_cost(value, ",t=", &passes) && kib <= ARGON2_KIB_MAX &&
	       passes <= ARGON2_PASSES_MAX;
}

static enum lookup
check_argon2(struct arena *arena, struct str value, struct str given,
	struct err *err)
{
	argon2_type type =
		str_starts(value, STR("$argon2id$")) ? Argon2_id : Argon2_i;
	int result;

	if (!str_starts(value, STR("$argon2id$")) &&
		!str_starts(value, STR("$argon2i$")))
		return trouble(err, "no hash of Argon2");
	if (!is_bearable(value))
		return trouble(err, "a hash of Argon2 that takes more than "
				    "256 MB or 64 passes");
	result = argon2_verify(
		arena_text(arena, value), given.data, given.len, type);
	if (result == ARGON2_OK)
		return LOOKUP_FOUND;
	if (result == ARGON2_VERIFY_MISMATCH)
		return LOOKUP_NONE;
	return trouble(err, argon2_error_message(result));
}

#else

static enum lookup
check_argon2(struct arena *arena, struct str value, struct str given,
	struct err *err)
{
	(void)arena;
	(void)value;
	(void)given;
	return trouble(err, "this program was built without libargon2");
}

#endif

static enum lookup
check_digest(struct arena *arena, const struct scheme *scheme, bool is_hex,
	struct str value, struct str given, struct err *err)
{
	const size_t size = digest_size(scheme->digest);
	uint8_t result[DIGEST_MAX];
	struct digest digest;
	struct str bytes;

	if ((is_hex ? decode_hex(arena, value, &bytes)
		    : decode_base64(arena, value, &bytes)) < 0 ||
		bytes.len < size || (!scheme->has_salt && bytes.len != size))
		return trouble(err, "a digest of the wrong form");
	digest_init(&digest, scheme->digest);
	digest_add(&digest, given);
	digest_add(&digest, str_skip(bytes, size));
	digest_end(&digest, result);
	return told(is_same(
		str_of((const char *)result, size), str_slice(bytes, 0, size)));
}

static enum lookup
check_value(struct arena *arena, struct str name, struct str value,
	struct str given, struct err *err)
{
	size_t dot = str_find_char(name, '.');
	struct str encoding = str_skip(name, dot);
	const struct scheme *scheme = find_scheme(str_slice(name, 0, dot));

	if (scheme == NULL)
		return trouble(err, "a scheme that is not known");
	if (encoding.len > 0 &&
		(scheme->way != SCHEME_DIGEST ||
			(!str_is_nocase(encoding, ".hex") &&
				!str_is_nocase(encoding, ".b64"))))
		return trouble(err, "an encoding that is not known");
	switch (scheme->way) {
	case SCHEME_PLAIN:
		return told(is_same(value, given));
	case SCHEME_CRYPT:
		return check_crypt(arena, value, given, err);
	case SCHEME_ARGON2:
		return check_argon2(arena, value, given, err);
	case SCHEME_DIGEST:
		break;
	}
	return check_digest(arena, scheme, str_is_nocase(encoding, ".hex"),
		value, given, err);
}

enum lookup
password_check(struct str stored, struct str given, struct err *err)
{
	size_t end = str_find_char(stored, '}');
	struct arena *arena;
	enum lookup found;

	if (stored.len == 0 || given.len == 0)
		return LOOKUP_NONE;
	if (stored.data[0] != '{' || end == stored.len)
		return trouble(err, "no scheme");
	if (end + 1 == stored.len)
		return LOOKUP_NONE;
	arena = arena_open();
	found = check_value(arena, str_slice(stored, 1, end),
		str_skip(stored, end + 1), given, err);
	arena_close(&arena);
	return found;
}
