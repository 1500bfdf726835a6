#!/bin/sh
# What the pages name is there.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/lib/tap.sh
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"

cd "$TEST_SOURCE" || bail_out "no sources"

# Names of the tree in backticks, or as targets of links.  A single folder such
# as `tmp/` may be one of a Maildir.  (docs/rfc-coverage.md has a test of its own,
# tests/sieve/coverage.sh.)
named() {
	{
		grep -oE '`[a-z][a-z0-9_.-]*/[a-z0-9_./-]+`' "$1" | tr -d '`'
		grep -oE '\]\([A-Za-z][^):# ]*\)' "$1" | sed 's/^](//; s/)$//'
	} | grep -vF ... | sort -u
}

for page in *.md docs/decisions/*.md; do
	missing=
	count=0
	for name in $(named "$page"); do
		count=$((count + 1))
		[ -e "$name" ] || [ -e "$(dirname "$page")/$name" ] ||
			[ -e "$TEST_BUILD/$name" ] || missing="$missing $name"
	done
	is "$missing" "" "the $count files that $page names are there"
done

unmarked=$(for kind in c h sh python; do scripts/sources $kind; done |
	xargs grep -L 'SPDX-License-Identifier: MIT')
is "$unmarked" "" "every source names its licence"
done_testing
