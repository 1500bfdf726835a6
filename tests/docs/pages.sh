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

# Lines for Postfix are the same wherever they stand.
for line in mailbox_command 'flags=.*argv' \
	doorstep_destination_recipient_limit; do
	found=$(cd "$TEST_SOURCE" && grep -rhE "^ *$line *=" README.md \
		docs/man/doorstep-lda.8.scd samples/postfix | sed 's/^ *//' | sort | uniq -c | sed 's/^ *//')
	like "$found" "3 *" "all pages and samples have one line $line"
	is "$(echo "$found" | wc -l)" 1 "and no other"
done

# Every page is named in README.md and in each other page.
man=$TEST_SOURCE/docs/man
for page in "$man"/*.scd; do
	name=$(basename "$page" .scd)
	name=${name%.*}
	missing=
	for other in "$TEST_SOURCE/README.md" "$man"/*.scd; do
		[ "$other" = "$page" ] || tr -d '*' <"$other" |
			grep -qE "(^|[ ,])$name\([1578]\)" ||
			missing="$missing $(basename "$other")"
	done
	is "$missing" "" "every page leads to $name"
done

# The users of doorstep-userdb(5) are found.
page=$man/doorstep-userdb.5.scd
blocks() { # NUMBER...: what stands in these blocks of the page
	for number; do
		awk -v number="$number" '/^```/ { on = !on; block += on; next }
			on && block == number' "$page"
	done
}
{
	blocks 1 | sed "s|/etc/doorstep/users|$PWD/users|"
	printf 'mail_uid = 5000\nmail_gid = 5000\nmail_home = /srv/%%d/%%n\n'
} >users.conf
user() {
	"$TEST_BUILD/ctl/doorstep" -c users.conf user "$@" 2>&1
}
blocks 2 5 >users
like "$(user amy@example.org)" "*passwd-file*uid *5000*/srv/example.org/amy*" \
	"the first example has a user with nothing of her own"
like "$(user ben@example.org)" "*uid *5000*home */srv/mail/ben*" \
	"and one with a home"
like "$(user sales@example.org)" "*user *amy@example.org*" \
	"the last one maps an address to a user"
blocks 3 >users
like "$(user amy@example.org)" "*maildir:~/mail:LAYOUT=fs*" \
	"the one with passwords has a field"
blocks 4 | sed 's/vmail/5000/g' >users.conf
like "$(user anybody@example.org)" "*/srv/mail/example.org/anybody*" \
	"the static one knows everybody"
sed -i 's/allow_all_users=yes//' users.conf
like "$(user anybody@example.org)" "*allow_all_users=yes*" \
	"and says what is missing without allow_all_users=yes"

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
