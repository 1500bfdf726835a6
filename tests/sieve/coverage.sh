# docs/rfc-coverage.md names what there is, and every folder of cases.
#
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"

table=$TEST_SOURCE/docs/rfc-coverage.md

missing=$(grep -o '`[a-z0-9]*/[a-z0-9_./-]*`' "$table" | tr -d '`' | sort -u |
	while read -r name; do
		[ -e "$TEST_SOURCE/$name" ] ||
			[ -d "$TEST_SOURCE/tests/sieve/$name" ] ||
			[ -f "$TEST_SOURCE/tests/lmtp/$name" ] || echo "$name"
	done)
is "$missing" "" "every file and folder in the table exists"

unnamed=$(cd "$TEST_SOURCE/tests/sieve" && find rfc* -mindepth 1 -type d |
	while read -r folder; do
		grep -q "\`$folder\`" "$table" || echo "$folder"
	done)
is "$unnamed" "" "every folder of cases stands in the table"

unnamed=$(cd "$TEST_SOURCE/tests/lmtp" && find rfc* -prune |
	while read -r folder; do
		grep -q "\`$folder/" "$table" || echo "$folder"
	done)
is "$unnamed" "" "every folder of LMTP cases stands in the table"
done_testing
