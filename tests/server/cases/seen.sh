# The test duplicate (RFC 7352): what one worker has seen all others know of, and
# what comes after them.
# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154

mkdir -p "$TEST_WORK/scripts"
chmod 755 "$TEST_WORK/scripts"
cat >"$TEST_WORK/scripts/seen.sieve" <<'END'
require "duplicate";
if duplicate :header "subject" { discard; }
END
server_conf seen <<END
mail_home = $TEST_WORK/home/vmail/%n
mail_location = maildir:~/Maildir
mail_uid = vmail
mail_gid = vmail
plugin {
  sieve_before = $TEST_WORK/scripts/seen.sieve
}
userdb {
  driver = static
  args = allow_all_users=yes
}
END

# seen_deliver SUBJECT RECIPIENT...: answers, and how many messages each has then.
seen_deliver() {
	SUBJECT=$1
	export SUBJECT
	shift
	python deliver "$TEST_WORK/run-seen/lmtp" "$@" | while read -r who code
	do
		echo "$who $code $(find "$TEST_WORK/home/vmail/$who/Maildir/new" \
			-type f | wc -l)"
	done
	unset SUBJECT
}

seen_kill() {
	for seen_pid in $(server_processes "$1"); do
		kill -9 "$seen_pid"
		wait_for 5 test ! -d "/proc/$seen_pid" ||
			bail_out "$1 does not die"
	done
}

seen_counted() {
	"$doorstep" -c "$TEST_WORK/seen.conf" status --json |
		grep -q '"marks":5[,}]'
}

rm -rf "$TEST_WORK"/home/vmail/*
server_start seen
is "$(seen_deliver alpha amy)" "amy 250 1" "the first message is filed"
is "$(seen_deliver alpha amy)" "amy 250 1" "the second is a duplicate"
is "$(seen_deliver beta amy)" "amy 250 2" "another message is none"
is "$(seen_deliver alpha amy bob)" "amy 250 2
bob 250 1" "another user of the same uid has not seen it"
is "$(seen_deliver alpha bob amy)" "bob 250 1
amy 250 2" "and then has"
seen_kill worker
is "$(seen_deliver alpha amy)" "amy 250 2" "another worker knows of it"
seen_kill state
is "$(seen_deliver alpha amy)" "amy 250 2" "so it is when state was killed"
is "$(seen_deliver gamma amy)" "amy 250 3" "and its successor remembers"
is "$(seen_deliver gamma amy)" "amy 250 3" "what comes then"
server_stop
is $? 0 "the server ends as it should"
server_start seen
is "$(seen_deliver alpha amy)" "amy 250 3" "after a restart it is a duplicate"
is "$(seen_deliver gamma bob)" "bob 250 2" "and another one is none"
is "$(find "$TEST_WORK/home/vmail" -name '.doorstep*' ! -name .doorstep-explain)" "" \
	"no file in a home has to do with it"
ok "doorstep status tells how many marks there are" wait_for 10 seen_counted
server_stop
is $? 0 "and the server ends as it should"
