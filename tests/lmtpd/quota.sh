#!/bin/sh
# Quota at RCPT and after DATA, by LMTP.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

cat >>"$conf" <<END
recipient_delimiter = +
lmtp_save_to_detail_mailbox = yes
lmtp_rcpt_check_quota = yes
lda_mailbox_autocreate = yes
quota = maildir:User quota
quota_rule = *:storage=10K
quota_rule2 = Trash:storage=+100%%
quota_rule3 = Spam:ignore
quota_grace = 1K
END
# session MAIL RCPT [BYTES]: the replies to RCPT and, with BYTES, to the message.
session() {
	python3 - "$TEST_SOURCE/tests/lib" "$base/lmtp" "$@" <<'END'
import sys
sys.path.insert(0, sys.argv[1])
import lmtp
client = lmtp.Client(sys.argv[2])
client.say("MAIL FROM:<ada@client.example>" + sys.argv[3], "250")
print(client.say("RCPT TO:<%s>" % sys.argv[4]))
if len(sys.argv) > 5 and client.last.startswith("250"):
    client.say("DATA", "354")
    client.write(b"Subject: x\r\n\r\n" + b"x\r\n" * (int(sys.argv[5]) // 3))
    print(client.say("."))
client.say("QUIT")
END
}
make_folders() {
	for folder in Trash Spam; do
		as_user mkdir -p "$home/Maildir/.$folder/cur" \
			"$home/Maildir/.$folder/new" \
			"$home/Maildir/.$folder/tmp"
	done
}
