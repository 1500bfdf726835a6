# lmtpd.sh - run doorstep-lmtpd from a script that has read tests/lib/tap.sh
#
# Root runs the server as a user id without an account, so that `make check` means
# the same for everybody.  The server listens on $base/lmtp, its one user is amy.
#
# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034 # what a run leaves is for the scripts

lmtpd_uid=$(id -u)
as_user=
if [ "$lmtpd_uid" -eq 0 ]; then
	lmtpd_uid=61030
	chmod 755 "$TEST_WORK"
	as_user="setpriv --reuid=$lmtpd_uid --regid=$lmtpd_uid --clear-groups"
fi
as_user() {
	$as_user "$@"
}
umask 022
mkdir bin home
install -m 755 "${DOORSTEP_LMTPD:-$TEST_BUILD/lmtp/doorstep-lmtpd}" \
	bin/doorstep-lmtpd || bail_out "no doorstep-lmtpd: run make"
program=$TEST_WORK/bin/doorstep-lmtpd
home=$TEST_WORK/home
base=$home/run
log=$home/log
conf=$TEST_WORK/doorstep.conf
cat >"$conf" <<END
hostname = mx.example.test
base_dir = $base
state_dir = $home/state
log_path = $log
mail_location = maildir:~/Maildir
userdb {
  driver = static
  args = allow_all_users=yes uid=$lmtpd_uid gid=$lmtpd_uid home=$home
}
END
[ "$(id -u)" -ne 0 ] || chown $lmtpd_uid:$lmtpd_uid home

# soon COMMAND...: it succeeds within ten seconds.
soon() {
	soon_left=200
	until "$@" >/dev/null 2>&1; do
		soon_left=$((soon_left - 1))
		[ $soon_left -gt 0 ] || return 1
		sleep 0.05
	done
}
has_state() {
	grep -q "^state=$1\$" "$base/status"
}
# start [OPTION...]: the server, in the foreground; $server is its process.
start() {
	# One that was killed has left its own.
	rm -f "$base/status"
	# No function here: $! is to be the server itself.
	$as_user "$program" -F -c "$conf" "$@" >out 2>&1 &
	server=$!
	at_end "kill -9 $server 2>/dev/null"
	soon has_state running
}
# stop: tell it to end; its exit status is this function's.
stop() {
	kill -TERM "$server"
	wait "$server"
}
# process KIND: one child of that kind, the newest.
process() {
	pgrep -n -P "$server" -f -- "--child=$1\$"
}
# is_new KIND PID: there is another one.
is_new() {
	found=$(process "$1") && [ "$found" != "$2" ]
}
# send [TO]: delivers a message; prints the reply to it.
send() {
	python3 - "$base/lmtp" "${1:-amy}" <<'END'
import smtplib, sys
try:
    client = smtplib.LMTP(sys.argv[1])
    client.ehlo("client.example")
    client.mail("ada@client.example")
    code, text = client.rcpt(sys.argv[2])
    if code == 250:
        code, text = client.data(b"Subject: x\r\n\r\nA line.\r\n")
        # What was read counts as confirmed.
        client.quit()
    print(code, text.decode())
except (OSError, smtplib.SMTPException) as error:
    print(error)
END
}
has_saved() {
	case $(send) in
	250*Saved) return 0 ;;
	esac
	return 1
}
has_ended() {
	! kill -0 "$1" 2>/dev/null
}
