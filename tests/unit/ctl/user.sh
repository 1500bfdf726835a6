#!/bin/sh
# doorstep user, as the admin sees it.
#
# SPDX-License-Identifier: MIT
TEST_SOURCE=${TEST_SOURCE:-$(dirname "$0")/../../..}
. "$TEST_SOURCE/tests/lib/tap.sh"

me=$(id -u)
[ "$me" -ne 0 ] || me=61030
mkdir -p amy/scripts bob
echo keep\; >amy/.dovecot.sieve
cat >users <<END
amy:x:$me:$me::$PWD/amy::
bob:x:$me:$me::$PWD/bob::sieve=~/my.sieve
lost:x:$me:$me::::mail=maildir:~/mail
mbox:x:$me:$me::$PWD/bob::mail=mdbox:~/mail
homeless:x:$me:$me::::mail=maildir:/srv/%u
broken:x:none:$me::$PWD/bob::
END
cat >conf <<END
mail_location = maildir:~/Maildir
userdb {
  driver = passwd-file
  args = $PWD/users
}
END

# user ADDRESS...: standard output in "out", standard error in "err".
user() {
	"$TEST_BUILD/ctl/doorstep" -c conf user "$@" >out 2>err
	status=$?
}
# row NAME: what stands in that row.
row() {
	sed -n "s/^  $1   *//p" out
}

user amy
is "$status:$(cat err)" 0: "a good record"
is "$(row mail):$(row inbox)" "maildir:~/Maildir:$PWD/amy/Maildir" \
	"where mail goes is told"
is "$(row script)" "$PWD/amy/.dovecot.sieve" "the user's script is told"
user bob
is "$status:$(row script)" "0:$PWD/bob/my.sieve (not there)" \
	"where a script was looked for is told"
user homeless
is "$status:$(row mail):$(row script)" "0:maildir:/srv/homeless:(none)" \
	"without a home there is no script to look for"

user lost
is "$status:$(row mail):$(row inbox)" "75:maildir:~/mail:(none)" \
	"a record that cannot work is shown"
like "$(cat err)" 'doorstep: lost: mail_location has a path below the home*' \
	"and why it cannot"
user mbox
is "$status:$(cat out)" "75:" "settings that cannot be are trouble"
like "$(cat err)" 'doorstep: mbox: *"mdbox:~/mail"*' "and what they are is told"
user broken
is "$status:$(wc -l <err)" 75:1 "a broken record is trouble"
like "$(cat err)" "doorstep: broken: $PWD/users:6: field uid: *" \
	"the admin reads the cause, not what a sender would read"
unlike "$(cat err)" "*Internal error*" "and nothing else"
user nobody-here
is "$status:$(wc -l <err)" 67:1 "nobody is no trouble"

user --json amy lost nobody-here
is "$status" 75 "trouble says more than unknown"
like "$(cat out)" "*\"mail_location\":\"maildir:~/Maildir\",\"inbox\":\"$PWD/amy/Maildir\",\"script\":\"$PWD/amy/.dovecot.sieve\",\"has_script\":true*" \
	"--json says the same"
like "$(cat out)" '*"mail_location":"maildir:~/mail","inbox":null*"status":"4.3.5","error":"*' \
	"with the error"
is "$(cat err)" "" "and not on standard error"

# Users of other hosts.
cat >>users <<END
away:x::::::proxy=y host=b.example hostip=192.0.2.7 port=2424 starttls=any-cert destuser=a@b forward_x=1
shut:x::::::nologin=y host=b.example
odd:x::::::proxy=y host=b.example protocol=imap
END
echo "lmtp_proxy = yes" >>conf
user away
is "$status:$(row "goes to")" \
	"0:b.example (192.0.2.7), port 2424, lmtp, starttls=any-cert" \
	"where the mail of another host's user goes to is told"
is "$(row destuser):$(row forward):$(row uid)" "a@b:x=1:" \
	"and what is told there; there is no identity here"
user shut
is "$status:$(row refused)" "0:5.2.900 shut@b.example Referral" \
	"a refusal is told as clients read it"
user odd
is "$status:$(cat out)" "75:" "a route that makes no sense is trouble"
like "$(cat err)" "doorstep: odd: user odd * field protocol: 'imap' is not *" \
	"and the field is named"
user --json away
like "$(cat out)" '*"route":{"host":"b.example","ip":"192.0.2.7","port":2424,"protocol":"lmtp","tls":"starttls=any-cert",*"forward":{"x":"1"}*' \
	"--json says the same of the route"
user amy
is "$status:$(row mail)" "0:maildir:~/Maildir" \
	"users of this host are not touched"
done_testing
