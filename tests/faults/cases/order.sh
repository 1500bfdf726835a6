# A copy is on disk before it has a name, and its name before success is told.
# SPDX-License-Identifier: MIT
# Names come from ../fault.sh; no path of a test has a blank.
# shellcheck shell=sh disable=SC2034,SC2046,SC2154

# line PATTERN: where it is in the trace of one delivery.
line() {
	grep -nE "$1" "$TEST_WORK/trace" | tail -n 1 | cut -d: -f1
}
scene plain
deliver strace -y -o "$TEST_WORK/trace"
is "$status" 0 "a delivery without a fault succeeds"
written=$(line '^p?write(v|64|v2)?\([0-9]+<[^>]*/Maildir/tmp/')
synced=$(line '^f(data)?sync\([0-9]+<[^>]*/Maildir/tmp/[^>]+>\) *= 0')
named=$(line '^(rename|link)(at|at2)?\(.*/new/|^(rename|link)(at|at2)?\(.*Maildir/new>')
folder=$(line '^f(data)?sync\([0-9]+<[^>]*/Maildir/new>\) *= 0')
ok "the file is flushed after it is written" \
	test "${written:-9999}" -lt "${synced:-0}"
ok "it gets its name after that" test "${synced:-9999}" -lt "${named:-0}"
ok "and the folder is flushed last" test "${named:-9999}" -lt "${folder:-0}"
scene plain
override=mail_fsync=never
deliver strace -y -o "$TEST_WORK/trace"
is "$status" 0 "a delivery without flushes succeeds"
unlike "$(cat "$TEST_WORK/trace")" "*sync(*" \
	"mail_fsync = never flushes nothing"
