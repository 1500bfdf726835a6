#!/bin/sh
# user+detail: which folder takes the mail.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lda/lda.sh"

# folder NAME: makes one, spelled as on disk.
folder() {
	as_user mkdir -p "$home/Maildir/$1/cur" "$home/Maildir/$1/new" \
		"$home/Maildir/$1/tmp"
}

# goes DETAIL FOLDER NAME [OPTION...]: where mail for amy+DETAIL is found.
goes() {
	detail=$1 expected=$2 name=$3
	shift 3
	fresh
	folder .Lists
	folder .Lists.Users
	lda -a "amy+$detail@example.test" -o lda_mailbox_autocreate=yes "$@"
	is "$status:$(count "$expected"):$(everything)" 0:1:1 "$name"
	unlike "$(cat "$log")" "*Error*" "$name: no error"
}
yes="-o lmtp_save_to_detail_mailbox=yes"

goes Lists "" "the detail is no folder by default"
# shellcheck disable=SC2086 # several words
{
	goes Lists .Lists "the detail is a folder by option" $yes
	goes lists .Lists "in any case" $yes
	goes lists/users .Lists.Users "with levels" $yes
	goes LISTS.USERS .Lists.Users "or levels parted by a dot" $yes
	goes gone "" "a missing folder means INBOX" $yes
	goes inbox "" "so does inbox" $yes
	goes ../../x "" "a detail does not leave the mailbox" $yes
	goes 'a/b/../c' "" "nor by its middle" $yes
	goes "$(printf '%0300d' 0)" "" "one that is too long means INBOX" $yes
	goes new .new "it makes a folder by option" $yes \
		-o lmtp_detail_autocreate=yes
	goes lists/new .Lists.new "below the one that is there" $yes \
		-o lmtp_detail_autocreate=yes
	goes new "" "but not when there are folders enough" $yes \
		-o lmtp_detail_autocreate=yes -o lmtp_detail_max_folders=2
	goes lists "" "-m wins" -m INBOX $yes
}

fresh
folder .Lists
# shellcheck disable=SC2086 # several words
environment="$environment EXTENSION=lists" lda -a amy@example.test $yes
is "$status:$(count .Lists)" 0:1 "EXTENSION gives the detail"
done_testing
