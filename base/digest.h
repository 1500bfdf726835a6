/* digest - MD5 (RFC 1321), SHA-1 (RFC 3174), SHA-256 and SHA-512 (RFC 6234)
 *
 * For names of folders, keys and duplicate detection, not for passwords.  Our
 * own because libcrypto would treble the start-up of a delivery.  Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum digest_kind { DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA512 };

enum { DIGEST_MAX = 64, DIGEST_BLOCK_MAX = 128 };

struct digest {
	enum digest_kind kind;
	uint64_t bytes; /* added so far */
	size_t used;    /* of block */
	uint8_t block[DIGEST_BLOCK_MAX];
	union {
		uint32_t words[8];
		uint64_t longs[8];
	} state;
};

/* "md5", "sha1", "sha256", "sha512"; false for any other name. */
bool digest_find(struct str name, enum digest_kind *kind_out);

size_t digest_size(enum digest_kind kind); /* bytes of the result */

void digest_init(struct digest *digest, enum digest_kind kind);
void digest_add(struct digest *digest, struct str bytes);
/* Writes digest_size() bytes; the digest is used up then. */
void digest_end(struct digest *digest, uint8_t result[DIGEST_MAX]);

/* All three for bytes that are at hand. */
void digest_of(
	enum digest_kind kind, struct str bytes, uint8_t result[DIGEST_MAX]);

#endif
