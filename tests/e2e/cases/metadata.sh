# What IMAP clients have made is what scripts see: special uses, annotations, ids.
# SPDX-License-Identifier: MIT
# Names come from ../users.sh; no path of a test has a blank.
# shellcheck shell=sh disable=SC2016,SC2034,SC2046,SC2154

user=noted@$domain
cp "$TEST_WORK/virtual.conf" unchanged.conf
cat >>"$TEST_WORK/virtual.conf" <<'END'
mail_attribute_dict = file:%h/dovecot-attributes
mailbox Shelf {
  special_use = \Archive
}
END
script $user <<'END'
require ["fileinto", "special-use", "mailbox", "variables", "imap4flags",
	"mboxmetadata", "servermetadata"];
if metadata :matches "INBOX" "/private/comment" "*" { set "mine" "${1}"; }
if metadata :matches "Noted" "/shared/comment" "*" { set "shared" "${1}"; }
if servermetadata :matches "/private/vendor/x" "*" { set "server" "${1}"; }
if anyof (metadataexists "INBOX" "/private/other",
	servermetadataexists "/shared/vendor/x") { set "mine" "wrong"; }
fileinto :create :copy :specialuse "\\Archive" "None";
fileinto :specialuse "\\Junk" "None";
fileinto :create "${mine}/${shared}/${server}";
END
sed -i 's/"mailbox", /"mailbox", "copy", /' "$(home_of $user)/.dovecot.sieve"
places() {
	fetch $user mailbox "header subject $1" | sort | tr '\n' ';'
}

message before | smtp ada@client.example $user
is "$(places before)" "INBOX;Junk;None;" \
	"a use counts that a folder has which is there or is to be made"
imap $user 'CREATE Shelf' 'CREATE Noted' 'SELECT INBOX' \
	'SETMETADATA INBOX (/private/comment "my own")' \
	'SETMETADATA Noted (/shared/comment "all of us")' \
	'SETMETADATA "" (/private/vendor/x "of the server")' \
	>"$TEST_WORK/log/imap" ||
	fail "a client sets annotations" "$(cat "$TEST_WORK/log/imap")"
message after | smtp ada@client.example $user
is "$(places after)" "Junk;Shelf;my own/all of us/of the server;" \
	"a script sees the folder and the annotations that a client has made"

script $user <<END
require ["fileinto", "mailboxid"];
if mailboxidexists "$(dovecot_admin mailbox status -u $user guid Shelf |
	sed 's/.*guid=//')" {
	fileinto :mailboxid "$(dovecot_admin mailbox status -u $user guid Shelf |
		sed 's/.*guid=//')" "INBOX";
}
END
imap $user 'RENAME Shelf Attic' >"$TEST_WORK/log/imap"
message moved | smtp ada@client.example $user
is "$(places moved)" "Attic;" "a folder is found by its id under a new name"
cp unchanged.conf "$TEST_WORK/virtual.conf"
dovecot_is_content "Dovecot has nothing to complain of"
