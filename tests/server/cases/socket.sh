# The socket of state is removed: a reload makes it anew.
# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154

server_conf socket <<END
mail_home = $TEST_WORK/home/%n
mail_location = maildir:~/Maildir
userdb {
  driver = passwd
}
END
rm -rf "$TEST_WORK"/home/amy/Maildir "$TEST_WORK"/home/bob/Maildir
server_start socket
socket_path=$TEST_WORK/run-socket/lmtp
socket_state=$(server_processes state)
is "$(python deliver "$socket_path" amy)" "amy 250" \
	"a worker of amy is connected to state"
rm "$TEST_WORK/run-socket/state"
is "$(python deliver "$socket_path" amy)" "amy 250" \
	"and goes on when the socket is removed"
is "$(python deliver "$socket_path" bob)" "bob 451" \
	"one that comes new is a temporary failure"
ok "and the log says what helps" \
	grep -q "run-socket/state is not there; doorstep reload makes it anew" \
	"$TEST_WORK/log/socket.log"
"$doorstep" -c "$TEST_WORK/socket.conf" reload
is "$(python deliver "$socket_path" amy bob)" "amy 250
bob 250" "after a reload both are served"
is "$(server_processes state)" "$socket_state" "by the state there was"

rm "$TEST_WORK/run-socket/state"
: >"$TEST_WORK/run-socket/state"
"$doorstep" -c "$TEST_WORK/socket.conf" reload
is "$(python deliver "$socket_path" bob)" "bob 250" \
	"a file in its place is replaced, too"
server_stop
is $? 0 "it ends with status 0"
ok "and takes the socket away" test ! -e "$TEST_WORK/run-socket/state"
