# A user's own process and the memory of deliveries: the kernel says whose it is.
# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154

askstate=$TEST_BUILD/tests/server/askstate

# as USER QUESTION KEY: what state answers a process of that user.
as() {
	setpriv --reuid="$1" --regid="$1" --clear-groups \
		"$TEST_WORK/bin/askstate" "$TEST_WORK/run-others/state" "$2" "$3"
}

machine_program askstate "$askstate"
server_conf others <<END
mail_location = maildir:~/Maildir
userdb {
  driver = passwd
}
END
server_start others
is "$(as amy seen A)" no "nothing is marked at first"
is "$(as amy mark A)" yes "a user's process may mark what that user has seen"
is "$(as amy seen A)" yes "and then it is marked"
is "$(as bob seen A)" no "another user does not see that mark"
is "$(as bob mark B)" yes "and what the other one marks"
is "$(as amy seen B)" no "is not marked for the first"
is "$(as bob mark A) $(as bob seen A)" "yes yes" \
	"both may have the same mark, each of their own"
is "$(as amy finish C)" "granted
no" "a user's process may claim a delivery of that user"
is "$(as bob claim C)" granted "another one's claim of the same is of its own"
is "$(as amy claim C)" finished "and what was finished stays so for the first"
is "$(python deliver "$TEST_WORK/run-others/lmtp" amy bob)" "amy 250
bob 250" "mail is delivered as before"
is "$(setpriv --reuid=bob --regid=bob --clear-groups \
	"$TEST_WORK/bin/askstate" "$TEST_WORK/run-others/control" seen A)" \
	"no socket" "a user cannot reach the socket of master"
is "$(server_errors others)" "" "and nobody complains"
server_stop
is $? 0 "the server ends as it should"
