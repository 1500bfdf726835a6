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

unnamed=$(cd "$TEST_SOURCE/tests/sieve" && find rfc* -mindepth 1 -type d \
	! -name 'included*' ! -name lists |
	while read -r folder; do
		grep -q "\`$folder\`" "$table" || echo "$folder"
	done)
is "$unnamed" "" "every folder of cases stands in the table"

unnamed=$(cd "$TEST_SOURCE/tests/lmtp" && find rfc* -prune |
	while read -r folder; do
		grep -q "\`$folder/" "$table" || echo "$folder"
	done)
is "$unnamed" "" "every folder of LMTP cases stands in the table"

# ---- every capability and limit is told ----

page=$(sed 's/\\//g' "$TEST_SOURCE/docs/man/doorstep-sieve.7.scd")
"$TEST_BUILD/ctl/doorstep" -o hostname=x sieve capabilities >capabilities
ok "there are capabilities" grep -qx fileinto capabilities

untold=$(while read -r name; do
	grep -qE "^\| \`$name\` \| [^|]+ \| [^|]+ \| \`sieve/[^|]+\` \| \`[^|]+\` \|$" \
		"$table" || echo "$name"
done <capabilities)
is "$untold" "" "every capability has its source, status, file and tests"

# shown by: FOLDER of cases, and FOLDER.svtest that has a script require it
untested=$(sed -n '/^## Capabilities/,/^Known by name/s/^| `\([^`]*\)` .*| `\([^`]*\)` |$/\1 \2/p' \
	"$table" | while read -r name folder; do
	file=$TEST_SOURCE/tests/sieve/$folder.svtest
	grep -q '^test "' "$file" && grep -qF "\"$name\"" "$file" || echo "$name"
done)
is "$untested" "" "every capability has test scripts that require it"

untrue=$(sed -n '/^## Capabilities/,/^Known by name/s/^| `\([^`]*\)` .*/\1/p' \
	"$table" | while read -r name; do
	grep -qxF "$name" capabilities || echo "$name"
done)
is "$untrue" "" "every capability of the table can be required"

untold=$(while read -r name; do
	case $page in
	*"*$name*"*) ;;
	*) echo "$name" ;;
	esac
done <capabilities)
is "$untold" "" "the manual page names every capability"

untold=$(grep -oE '[(A-Z, ]sieve_([a-z]+_)?max_[a-z_]+' \
	"$TEST_SOURCE/conf/keys.def" | sed 's/^.//' | sort -u |
	grep -v '_max_\(value\|header\)$' |
	while read -r name; do
		case $page in
		*"*$name*"*) ;;
		*) echo "$name" ;;
		esac
	done)
is "$untold" "" "the manual page names every limit"
done_testing
