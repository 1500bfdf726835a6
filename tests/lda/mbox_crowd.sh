#!/bin/sh
# Many deliveries into one mbox at once, beside other programs that write it.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lda/lda.sh"

echo "mail_location = mbox:~/mail" >>"$conf"
mkdir "$home/mail"
[ "$(id -u)" -ne 0 ] || chown $lda_uid:$lda_uid "$home/mail"

# Python's mailbox: a dotlock, made by link, and an fcntl lock.
cat >foreign.py <<'END'
import mailbox, os, sys, time
path = sys.argv[1]
for number in range(20):
    while True:
        box = mailbox.mbox(path)
        try:
            box.lock()
        except mailbox.ExternalClashError:
            box.close()
            time.sleep(0.003)
            continue
        # It has looked at the file before it had the lock.
        if box._file.seek(0, 2) == 0 or os.stat(path).st_ino == os.fstat(
                box._file.fileno()).st_ino:
            break
        box.unlock()
        box.close()
    box._file_length = box._file.seek(0, 2)
    box.add(b"Subject: foreign-%d\n\nfrom Python\n" % number)
    box.flush()
    box.unlock()
    box.close()
END

# crowd LOCKS...: 20 processes, each with the next of the orders.
crowd() {
	rm -rf status.*
	: >"$home/mail/inbox"
	[ "$(id -u)" -ne 0 ] || chown $lda_uid:$lda_uid "$home/mail/inbox"
	process=0
	while [ $process -lt 20 ]; do
		for locks; do
			process=$((process + 1))
			deliver_twenty $process "$locks" &
		done
	done
	python3 foreign.py "$home/mail/inbox" >foreign.log 2>&1
	foreign=$?
	wait
}

deliver_twenty() {
	number=0
	while [ $number -lt 20 ]; do
		number=$((number + 1))
		sed "s/^Subject: .*/Subject: crowd-$1-$number/; s/^A line/From $1, $number/" \
			message | as_user env -i TZ=UTC USER=amy HOME="$home" \
			"$program" -c "$conf" -o "mbox_write_locks=$2" \
			-o mail_fsync=never || echo "$?" >>"status.$1"
	done
}

# What Python reads: how many, how many different ones, and that all are whole.
census() {
	python3 - "$home/mail/inbox" <<'END'
import mailbox, sys
box = mailbox.mbox(sys.argv[1])
subjects = [message["subject"] for message in box]
whole = sum(m.get_payload().endswith((" of text.\n", "from Python\n"))
            for m in box)
print(len(subjects), len(set(subjects)), whole)
END
}

crowd "dotlock fcntl"
is "$foreign:$(cat foreign.log status.* 2>/dev/null)" "0:" \
	"dotlock, then fcntl: every delivery succeeds"
is "$(census)" "420 420 420" "and every message is there once and whole"
is "$(ls "$home/mail")" inbox "no lock is left"
crowd "dotlock fcntl" "fcntl dotlock_try"
is "$foreign:$(cat foreign.log status.* 2>/dev/null)" "0:" \
	"in two orders at once: every delivery succeeds"
is "$(census)" "420 420 420" "and every message is there once and whole"
done_testing
