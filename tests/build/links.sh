#!/bin/sh
# A delivery pays for every library at its start: doorstep-lda links only what
# it needs.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/lib/tap.sh
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"

lda=$TEST_BUILD/lda/doorstep-lda
[ -x "$lda" ] || bail_out "$lda is not built"

# The libraries of the libraries as well.
ldd "$lda" >libraries || bail_out "ldd cannot read $lda"
like "$(cat libraries)" '*libc.so*' "ldd tells of a known library"
for library in ssl crypto pq mysqlclient mariadb sqlite3 hiredis ldap lber curl \
	icu glib systemd sasl2 stdc++; do
	unlike "$(cat libraries)" "*/lib${library}[-.]*" \
		"doorstep-lda does not load lib$library"
done

# Named one by one, so that a new one is a decision.
needed=$(readelf -d "$lda" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort)
for library in $needed; do
	case $library in
	libc.so.* | libpcre2-8.so.* | libutf8proc.so.* | libdb-5.3.so | \
		libsieve.so.*) # the last for sieve_engine = libsieve
		pass "doorstep-lda may link $library"
		;;
	*) fail "doorstep-lda may link $library" "a delivery needs it?" ;;
	esac
done

# What a mail program on untrusted input is expected to be built with.
if readelf -S "$lda" | grep -q '\.debug_info' &&
	! grep -q 'HARD_LDFLAGS = -pie' "$TEST_BUILD/Makefile"; then
	skip "hardening" "configured without"
else
	like "$(readelf -h "$lda")" '*DYN (Position-Independent*' \
		"doorstep-lda is position-independent"
	like "$(readelf -d "$lda")" '*NOW*' "symbols are bound at start"
	like "$(readelf -lW "$lda")" '*GNU_RELRO*' \
		"relocations are read-only after that"
	unlike "$(readelf -lW "$lda" | grep GNU_STACK)" '*RWE*' \
		"the stack is not executable"
fi
done_testing
