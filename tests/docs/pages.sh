#!/bin/sh
# What the pages for people say is there, is there.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"

# Paths between backquotes: folders end in "/", files in a known ending.
for page in ARCHITECTURE.md CONTRIBUTING.md SECURITY.md; do
	missing=
	named=0
	for path in $(grep -o '`[A-Za-z0-9_./-]*`' "$TEST_SOURCE/$page" |
		tr -d '`' | grep -E '(/|\.(c|h|def|md|txt|sh))$' |
		grep -v -e '\.\.\.' -e '^/' -e 'doorstep\.conf' -e '^tmp/$' | sort -u); do
		named=$((named + 1))
		[ -e "$TEST_SOURCE/$path" ] || missing="$missing $path"
	done
	is "$missing" "" "every file that $page names is there ($named)"
done

for page in README.md ARCHITECTURE.md CONTRIBUTING.md docs/decisions/README.md; do
	missing=
	for path in $(grep -o '](\([^)#]*\))' "$TEST_SOURCE/$page" |
		tr -d '()]' | grep -v '://'); do
		[ -e "$TEST_SOURCE/$(dirname "$page")/$path" ] ||
			missing="$missing $path"
	done
	is "$missing" "" "every link of $page leads somewhere"
done

listed=$(grep -o '([a-z-]*\.md)' "$TEST_SOURCE/docs/decisions/README.md" |
	tr -d '()' | sort)
there=$(find "$TEST_SOURCE/docs/decisions" -name '*.md' ! -name README.md \
	-printf '%f\n' | sort)
is "$listed" "$there" "every decision is listed"

# The Sieve examples of README.md compile.
awk '/^```sieve/ { on = 1; next } /^```/ { on = 0 } on' \
	"$TEST_SOURCE/README.md" >example.sieve
is "$(test -s example.sieve && echo found)" found "README.md has an example"
is "$("$TEST_BUILD/ctl/doorstep" -c /dev/null sieve check example.sieve)" "" \
	"and it compiles"

# The programs know every option that their pages name, and no other.
options() {
	grep -o '^\*-[a-zA-Z-]*\*' "$TEST_SOURCE/docs/man/doorstep-lda.8.scd" |
		tr -d '*' | sort -u
}
unknown=
for option in $(options); do
	# Unknown options end before anything is read; so do these, by --help.
	"$TEST_BUILD/lda/doorstep-lda" --help | grep -q -e "$option" ||
		[ "$option" = -i ] || unknown="$unknown $option"
done
is "$unknown" "" "doorstep-lda --help has every option of its page"
done_testing
