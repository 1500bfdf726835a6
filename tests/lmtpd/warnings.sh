#!/bin/sh
# quota_warning in the server: run by a runner, once for each crossing.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

programs=$TEST_WORK/programs
mkdir "$programs"
cat >"$programs/warn" <<END
#!/bin/sh
echo "\$*|\$(id -u)|\$(tr '\0' ' ' </proc/\$PPID/cmdline)" >>"$home/warned"
END
chmod 755 "$programs/warn"
cat >>"$conf" <<END
lmtp_rcpt_check_quota = yes
lmtp_user_concurrency_limit = 0
quota = maildir:User quota
quota_rule = *:storage=100K
quota_warning_bin_dir = $programs
quota_warning = storage=80%% warn 80 %u
quota_warning2 = storage=40%% warn 40 %u
quota2 = count:Second
quota2_rule = *:storage=200K
quota2_warning = storage=30%% message
END
# crowd COUNT: so many messages of a KiB at once; how many were taken.
crowd() {
	python3 - "$TEST_SOURCE/tests/lib" "$base/lmtp" "$1" <<'END'
import sys, threading
sys.path.insert(0, sys.argv[1])
import lmtp
def one(number):
    client = lmtp.Client(sys.argv[2])
    client.say("MAIL FROM:<ada@client.example>", "250")
    reply = client.say("RCPT TO:<amy>")[-1]
    if reply.startswith("250"):
        client.say("DATA", "354")
        client.write(b"Subject: %d\r\n\r\n" % number + b"x\r\n" * 330)
        reply = client.say(".")[-1]
    replies.append(reply)
    client.quit()
replies = []
crowd = [threading.Thread(target=one, args=(n,)) for n in range(int(sys.argv[3]))]
for thread in crowd:
    thread.start()
for thread in crowd:
    thread.join()
print(sum(reply.startswith("250") for reply in replies))
END
}
warned() {
	cut -d'|' -f1 "$home/warned" 2>/dev/null
}
has_warned() {
	[ "$(warned | tail -1)" = "$1" ]
}
letters() {
	grep -l 'Auto-Submitted: auto-generated' "$home"/Maildir/new/* |
		wc -l
}
has_letter() {
	[ "$(letters)" -eq 1 ]
}

ok "the server starts" start -o lmtp_jobs_together=1
is "$(crowd 10)" 10 "ten messages"
is "$(crowd 50)" 50 "fifty at once"
ok "are told of" soon has_warned "40 amy"
is "$(warned)" "40 amy" "once"
like "$(cat "$home/warned")" "40 amy|$lmtpd_uid|*--child=runner*" \
	"by a runner, as the user"
is "$(crowd 35)" 35 "thirty-five more"
ok "pass the next threshold" soon has_warned "80 amy"
is "$(warned)" "40 amy
80 amy" "once"
ok "a message was filed" soon has_letter
stop
is "$(warned):$(letters)" "40 amy
80 amy:1" "nothing was told twice by the end"
is "$(awk 'NR > 1 { b += $1; n += $2 } END { print b, n }' \
	"$home/Maildir/maildirsize")" \
	"$(cat "$home"/Maildir/new/* | wc -c) 96" "and all is counted"
is "$(grep -c ' Error: ' "$log")" 0 "without an error"

# Several jobs of one worker.
as_user rm -rf "$home/Maildir" "$home/warned"
ok "the server starts with jobs together" start
is "$(crowd 50)" 50 "fifty at once"
ok "are told of" soon has_warned "40 amy"
stop
is "$(warned)" "40 amy" "once"
is "$(grep -c ' Error: ' "$log")" 0 "without an error"
done_testing
