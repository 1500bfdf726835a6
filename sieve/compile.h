/* compile - the scripts of one compilation
 *
 * The script that was asked for is the first unit; each script that is included
 * becomes one more unit when it is first met, while the one that includes it is
 * being checked, and is a part of the same program (RFC 6609).
 *
 *   main.sieve       unit 0
 *    |-- lists       unit 1, depth 1
 *    |    '-- spam   unit 2, depth 2
 *    '-- spam        unit 2
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_COMPILE_H
#define SIEVE_COMPILE_H

#include <stdbool.h>
#include <stddef.h>

#include "sieve/check.h"
#include "sieve/parse.h"
#include "sieve/report.h"
#include "sieve/sieve.h"

struct compilation;

struct unit {
	struct compilation *compilation;
	struct unit *includer; /* in which it was first met; NULL: none */
	size_t index;
	size_t depth;
	const char *identity;
	bool is_open; /* being compiled */
	bool is_good;
	struct sieve_settings settings;
	struct sieve_report report; /* until it is done */
	struct reporter reporter;
	struct checker checker;
	struct parsed parsed;
};

/* An include as it stands in a script. */
struct include_request {
	struct position at; /* of the name */
	enum sieve_location location;
	struct str name;
	bool is_optional;
	bool is_once;
};

/* Finds or compiles it.  False: nothing is to be included; either there is no
 * such script, which was allowed, or that has been reported. */
bool compile_include(struct checker *checker,
	const struct include_request *request, size_t *script_out);

/* A variable that no other script knows, under a name that is new. */
bool compile_local(struct checker *checker, struct position at, struct str name,
	struct scope_entry **entry_out);
/* One of the program's global variables, made when it is new. */
bool compile_global(struct checker *checker, struct position at,
	struct str name, size_t *index_out);
/* From here on `name` means that global variable in this script. */
void compile_declare(struct checker *checker, struct str name, size_t index);

/* NULL: the script has no variable of that name. */
struct scope_entry *scope_find(const struct scope *scope, struct str name);

#endif
