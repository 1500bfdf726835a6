#!/bin/sh
# scripts/check-layers sees each kind of broken rule.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/lib/tap.sh
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"

command -v python3 >/dev/null || skip_all "there is no python3"
mkdir -p top/scripts top/base top/mail top/sieve top/store top/deliver
cp "$TEST_SOURCE/scripts/layers.txt" top/scripts/

# try FILE LINE...: what the checker says of a tree with just that file.
try() {
	file=$1
	shift
	for line; do printf '%s\n' "$line"; done >"top/$file"
	out=$("$TEST_SOURCE/scripts/check-layers" top 2>&1)
	status=$?
	rm "top/$file"
}
last='#include "base/banned.h"'

# refused NAME WORDS FILE LINE...
refused() {
	name=$1 words=$2
	shift 2
	try "$@"
	like "$status:$out" "1:*$words*" "$name is seen"
}

try store/x.c '#include "store/x.h"' '#include <stdio.h>' \
	'#include "base/str.h"' '#include "mail/message.h"' "$last"
is "$status:$out" "0:" "a good file is not complained about"

refused "a layer above" "store/ may not look at deliver/" \
	store/x.c '#include "deliver/deliver.h"' "$last"
refused "a neighbour" "store/ may not look at sieve/" \
	store/x.h '#include "sieve/sieve.h"'
refused "a private header" "private to store/" \
	deliver/x.c '#include "store/maildir.h"' "$last"
refused "a bare header name" "from the top" \
	store/x.c '#include "maildir.h"' "$last"
refused "I/O in sieve/" "sieve/ does no I/O" \
	sieve/x.c '#include <stdio.h>' "$last"
refused "an impure header in sieve/" "sieve/ does no I/O" \
	sieve/x.c '#include "base/fd.h"' "$last"
refused "a library's header elsewhere" "belongs to base/regex.c" \
	deliver/x.c '#include <pcre2.h>' "$last"
refused "OpenSSL elsewhere" "belongs to" \
	deliver/x.c '#include <openssl/evp.h>' "$last"
refused "a change of uid" "setuid() belongs to base/privilege.c" \
	store/x.c "$last" 'int x(void) { return setuid(0); }'
refused "asking for the time" "time() belongs to base/clock.c" \
	store/x.c "$last" 'long x(void) { return time(0); }'
refused "a missing banned.h" "has to be included last" \
	store/x.c '#include "base/str.h"'
refused "an early banned.h" "has to be included last" \
	store/x.c "$last" '#include "base/str.h"'
refused "an own header that is not first" "has to be included first" \
	store/x.c '#include <stdio.h>' '#include "store/x.h"' "$last"
refused "a system header behind the project's" "from the system" \
	store/x.c '#include "base/str.h"' '#include <stdio.h>' "$last"
refused "a lower layer behind a higher one" "to the highest layer" \
	store/x.c '#include "mail/message.h"' '#include "base/str.h"' "$last"

try store/x.c "$last" '/* time(0) */ const char *x = "setuid(0)";'
is "$status:$out" "0:" "comments and texts call nothing"
try store/x.c "$last" 'int x = setuid(0); /* layers: for this test */'
is "$status:$out" "0:" "an exception with a reason is taken"
mkdir top/stray && echo >top/stray/x.c
try store/x.c "$last"
like "$status:$out" "1:*stray/ is not in*" "a folder without a rule is seen"
rm -r top/stray
out=$("$TEST_SOURCE/scripts/check-layers" top 2>&1)
unlike "$?" 0 "a tree without sources is no success ($out)"
done_testing
