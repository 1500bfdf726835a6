/* SPDX-License-Identifier: MIT */
#include "base/password.h"

#include "config.h"

#include "tests/lib/test.h"

#include "base/banned.h"

/* Of "secret", as doveadm pw and crypt(3) write them. */
static const char *const known[] = {
	"{PLAIN}secret",
	"{plain}secret",
	"{CLEARTEXT}secret",
	"{CRYPT}abNANd1rDfiNc",
	"{DES-CRYPT}wVVrqB.8kIARk",
	"{MD5-CRYPT}$1$iktOElDQ$XY7.TJpF3zVHQiZu14Epa0",
	"{SHA256-CRYPT}$5$lAFaq7J3StpYhIGh$"
	"9nu7IN08LiqHbxJT1u1W1aIJRgdPeCjO63CovQfqMB8",
	"{SHA512-CRYPT}$6$BpH1QbHU9fBtSPtJ$"
	"Wi1wcJJ64qHeSSjbQPAVoxmlq6IJn3s3nzp3pOmBpllqv3XMlr6em0DzPjZA2u5m8YQ7l7"
	"0LnQbwLOizkr69w/",
	"{BLF-CRYPT}"
	"$2y$05$4y2.ep2pMX3qpX8rG5yjhecC3lsiJ11ah4IDLWfOjSChOek4.O4gW",
	"{CRYPT}$y$j75$saltsaltsalt$jyf/"
	"lxrpdyAIshWRo1x5DRC6KIE7sNRRtjcomR3PgHA",
	"{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",
	"{SHA1}5en6G6MezRroT3XKqkdPOmY/BfQ=",
	"{SSHA}yvtJwoUy8tJBv0BazKRGaZY9RU08wYpG",
	"{SSHA256}aBnGGqzvNrJV8PdW0IpluFlKJhNWlKADyiLA2a3KTAy7YDg1",
	"{SHA256}K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=",
	"{SHA256.b64}K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=",
	"{SSHA512.HEX}"
	"7aea8afa50cef16e5cb70368642fca38ce5ff0694dc5a7e18bb6a69025"
	"8f1b60740d369ef9053dd1b28b28aac5c73ae40f572b7d8d5cd6149522b2ad9b334b9c"
	"99bf66cf",
};

static enum lookup
check(const char *stored, const char *given)
{
	struct err err;

	return password_check(str_from(stored), str_from(given), &err);
}

TEST(a_password_matches_what_doveadm_writes_of_it)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(known); i++)
		CHECK_INT(check(known[i], "secret"), LOOKUP_FOUND);
}

TEST(another_one_does_not)
{
	static const char *const others[] = {
		"Secret", "secre", "secret1", "", " "};
	size_t i, j;

	for (i = 0; i < ARRAY_LENGTH(known); i++)
		for (j = 0; j < ARRAY_LENGTH(others); j++)
			CHECK_INT(check(known[i], others[j]), LOOKUP_NONE);
}

#ifdef HAVE_ARGON2

TEST(hashes_of_argon2_are_known)
{
	static const char *const hashes[] = {
		"{ARGON2ID}$argon2id$v=19$m=1024,t=2,p=1$c2FsdHNhbHRzYWx0$"
		"RGrC2kghhmdFPTu+VWYImMCAKqufCVt9PjEVxccoErs",
		"{ARGON2I}$argon2i$v=19$m=4096,t=3,p=1$c2FsdHNhbHRzYWx0$"
		"qOCkx9nMeFlaGOO4DUmPDgrlUbgMMuO9T1+vQCFuyzw"};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(hashes); i++) {
		CHECK_INT(check(hashes[i], "secret"), LOOKUP_FOUND);
		CHECK_INT(check(hashes[i], "Secret"), LOOKUP_NONE);
		CHECK_INT(check(hashes[i], ""), LOOKUP_NONE);
	}
}

/* Whoever wrote it takes the memory of the process that checks it. */
TEST(a_hash_of_argon2_must_not_cost_too_much)
{
	static const char *const stored[] = {"$argon2id$v=19$m=4194304,t=2,p=1$"
					     "c2FsdHNhbHRzYWx0$RGrC2kghhmdF",
		"$argon2id$v=19$m=1024,t=99999,p=1$c2FsdHNhbHRzYWx0$"
		"RGrC2kghhmd",
		"$argon2id$v=19$t=2,p=1$c2FsdHNhbHRzYWx0$RGrC2kghhmdFPTu+"
		"VWYImM",
		"$argon2d$v=19$m=1024,t=2,p=1$c2FsdHNhbHRzYWx0$"
		"RGrC2kghhmdFPTu+",
		"$argon2id$", "$6$saltsalt$x"};
	char text[200];
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(stored); i++) {
		snprintf(text, sizeof(text), "{ARGON2ID}%s", stored[i]);
		CHECK_INT(check(text, "secret"), LOOKUP_ERROR);
	}
}

#endif

TEST(what_is_empty_or_locked_matches_nothing)
{
	static const char *const stored[] = {"", "{PLAIN}", "{CRYPT}", "{SSHA}",
		"{CRYPT}*", "{CRYPT}!", "{CRYPT}!$1$iktOElDQ$XY7"};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(stored); i++) {
		CHECK_INT(check(stored[i], "secret"), LOOKUP_NONE);
		CHECK_INT(check(stored[i], ""), LOOKUP_NONE);
		CHECK_INT(check(stored[i], "*"), LOOKUP_NONE);
		CHECK_INT(check(stored[i], "*0"), LOOKUP_NONE);
	}
}

TEST(what_nobody_can_check_is_trouble)
{
	static const char *const stored[] = {"secret", "{PLAIN", "{MD9}secret",
		"{}secret", "{PLAIN.hex}secret", "{SHA.b32}x", "{SSHA}x",
		"{SSHA}????", "{SHA}yvtJwoUy8tJBv0BazKRGaZY9RU08wYpG",
		"{SHA.hex}zz", "{CRYPT}$9$x$y"};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(stored); i++)
		CHECK_INT(check(stored[i], "secret"), LOOKUP_ERROR);
}

/* crypt(3) would take what stands before it for all of it. */
TEST(a_nul_ends_no_password)
{
	struct err err;

	CHECK_INT(password_check(str_from(known[5]), STR("secret\0x"), &err),
		LOOKUP_NONE);
	CHECK_INT(password_check(STR("{PLAIN}secret"), STR("secret\0x"), &err),
		LOOKUP_NONE);
}
