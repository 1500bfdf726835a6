#!/bin/sh
# What the program finds when it is started: descriptors, signals, rights, names.
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2046 # no path of a test has a blank
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lda/lda.sh"

# started COMMAND...: as the user, with the user's environment.
started() {
	# shellcheck disable=SC2086 # several words
	as_user env -i PATH="$PATH" TZ=UTC LC_ALL=C $environment "$@"
}

# Closed standard descriptors: no file of ours may get their numbers, or the log
# would be written into the mail.
noisy() {
	fresh
	script <<'END'
require "fileinto";
keep;
fileinto "Nowhere";
END
}
for closed in '2>&-' '1>&-' '1>&- 2>&-'; do
	noisy
	eval "started '$program' -c '$conf' -o log_path=/dev/stderr -p message $closed" \
		>/dev/null
	is "$?:$(count)" 0:1 "with $closed it is delivered"
	size=$(stat -c %s $(stored))
	like "$(stored)" "*,S=$size,*" "with $closed the size in the name is right"
	is "$(tail -n 1 $(stored))" "A line of text." \
		"with $closed nothing is written behind the mail"
done
fresh
started "$program" -c "$conf" <&- >/dev/null 2>.err
is "$?:$(everything)" 75:0 "with a closed standard input it is tried again"
like "$(cat .err)" "4.3.0 *" "with a status"
fresh
started "$program" -c "$conf" -p message <&- >/dev/null 2>&1
is "$?:$(count)" 0:1 "which -p does not need"

# Signals while the message is read: never a death, which Exim bounces.
for signal in TERM INT HUP QUIT ALRM VTALRM PROF XCPU USR1 USR2; do
	fresh
	mkfifo pipe
	# shellcheck disable=SC2016 # for the inner shell
	started sh -c 'echo $$ >"$HOME/pid"; exec "$@"' sh \
		"$program" -c "$conf" <pipe &
	exec 9>pipe
	echo "Subject: x" >&9
	until pid=$(cat "$home/pid" 2>/dev/null) && [ -n "$pid" ] &&
		grep -q doorstep-lda "/proc/$pid/comm" &&
		grep -q '^State:.S' "/proc/$pid/status"; do
		sleep 0.02
	done
	kill -"$signal" "$pid"
	wait $!
	is "$?:$(everything)" 75:0 "SIG$signal while reading: exit 75, no mail"
	exec 9>&-
	rm -f pipe
done

# The status comes first where the log is standard error, too.
printf 'Received: a\nDelivered-To: amy@mx.example.test\nReceived: b\n\n' >given
fresh
input=given
lda -o log_path=/dev/stderr -r amy@mx.example.test
is "$status" 77 "a loop is refused"
like "$err" "5.4.6 *" "and the status is the first word of the output"
input=message

# A FIFO that nobody writes to.
fresh
mkfifo fifo
chmod 666 fifo
lda -p fifo
is "$status" 75 "-p of a FIFO is tried again, at once"
rm fifo

# Names that are no addresses.
fresh
environment="HOME=$home"
started env USER="ad vamy" "$program" -c "$conf" <message
is "$?:$(count)" 0:1 "a user whose name has a blank gets mail"
is "$(sed -n 's/^Delivered-To: //p' $(stored))" \
	'"ad vamy"@mx.example.test' "under a quoted name"
environment="USER=amy HOME=$home"
cat >>"$conf" <<END
userdb {
  driver = static
  args = uid=$lda_uid gid=$lda_uid home=$home allow_all_users=yes
}
END
for name in 'amy smith' 'DOM\amy' 'amy@x.example.'; do
	fresh
	lda -d "$name"
	is "$status:$(count)" 0:1 "-d '$name' is a user like another"
done
fresh
lda --exit-style qmail -Q
is "$status" 100 "a wrong option before qmail's style is known is hard for it"
lda -Q --exit-style=qmail
is "$status" 100 "or behind it"

# A setuid bit would let anybody deliver as anybody.
if [ "$(id -u)" -eq 0 ]; then
	install -o root -m 4755 "$program" bin/lent
	fresh
	started "$TEST_WORK/bin/lent" -c "$conf" -d amy <message >/dev/null 2>.err
	is "$?:$(everything)" 75:0 "setuid it refuses to run"
	like "$(cat .err)" "*setuid*" "and says why"
else
	skip "setuid it refuses to run" "needs root"
	skip "and says why" "needs root"
fi
done_testing
