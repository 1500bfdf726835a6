#!/bin/sh
# Exit statuses and the words that an MTA is told with them.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lda/lda.sh"

cat >>"$conf" <<END
userdb {
  driver = passwd-file
  args = $TEST_WORK/users
}
END
echo "amy@example.test::$lda_uid:$lda_uid::$home::" >users
echo "else@example.test::$((lda_uid + 1)):$lda_uid::$home::" >>users

# ends STATUS QMAIL NAME OPTION...: both styles, no mail filed when not 0.
ends() {
	expected=$1 qmail=$2 name=$3
	shift 3
	fresh
	prepare
	lda "$@"
	is "$status" "$expected" "$name: $expected"
	[ "$status" -eq 0 ] || is "$(everything)" 0 "$name: no mail is filed"
	said=$err
	fresh
	prepare
	lda --exit-style qmail "$@"
	is "$status" "$qmail" "$name: $qmail for qmail"
}
prepare() {
	:
}
ends 0 0 "a known user" -d amy@example.test
is "$said" "" "a known user: nothing is said"
ends 67 100 "an unknown user" -d nobody@example.test
like "$said" "5.1.1 *" "an unknown user: the status comes first"
unlike "$said" "*
*
*" "an unknown user: on one line"
ends 67 100 "a user that cannot be one" -d ../../etc
ends 64 100 "a bad option" -d amy@example.test -a "<"
ends 75 111 "a user of another uid" -d else@example.test
like "$said" "4.3.* *" "a user of another uid: the status comes first"
mv users gone
ends 75 111 "a user database that is not there" -d amy@example.test
mv gone users
ends 75 111 "a configuration in error" -d amy@example.test -o mail_fsync=perhaps

ends 77 100 "a message above message_max_size" -d amy@example.test -e \
	-o message_max_size=10
like "$said" "5.2.3 *" "a message above message_max_size: 5.2.3"

prepare() {
	echo text >"$home/Maildir"
}
ends 75 111 "a mailbox that cannot be written" -d amy@example.test
like "$said" "4.[23].0 *" "a mailbox that cannot be written: 4.x.0 first"
unlike "$said" "*$home*" "a mailbox that cannot be written: no paths are told"

prepare() {
	echo 'redirect "x@outside.example";' | script
}
printf '#!/bin/sh\nexit 75\n' >bin/sendmail
ends 75 111 "a redirect that cannot be handed over" -d amy@example.test
printf '#!/bin/sh\nexit 0\n' >bin/sendmail
ends 75 111 "a redirect whose sendmail did not read it" -d amy@example.test
printf '#!/bin/sh\ncat >/dev/null\n' >bin/sendmail
ends 0 0 "a redirect that is taken" -d amy@example.test
ends 75 111 "a sendmail_path that is not there" -d amy@example.test \
	-o sendmail_path=/nonexistent/sendmail
prepare() {
	echo 'redirect :copy "x@outside.example";' |
		sed '1i require "copy";' | script
}
printf '#!/bin/sh\nkill -9 $$\n' >bin/sendmail
ends 75 111 "a redirect :copy whose sendmail is killed" -d amy@example.test
prepare() {
	echo 'discard;' | script
}
ends 0 0 "discarded mail" -d amy@example.test
is "$(everything)" 0 "discarded mail is nowhere"

# -d by the owner.
fresh
lda -d AMY@Example.TEST
is "$status:$(count)" 0:1 "-d in capitals is the same user"
fresh
lda -d amy+lists@example.test
is "$status:$(count)" 0:1 "-d with a detail is the same user"
environment=
fresh
lda -d amy@example.test
is "$status:$(count)" 0:1 "-d needs no environment"
done_testing
