# Connections that are cut after the final dot: everything once, nothing twice.
# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154

if [ "${ROUNDS:-}" = full ]; then retry_each=250; else retry_each=50; fi

retry_addresses() {
	for retry_user in u1 u2 u3 u4; do
		printf ' %s%s@example.test' "$1" "$retry_user"
	done
}

server_conf retry <<END
mail_home = $TEST_WORK/home/vmail/%n
mail_location = maildir:~/Maildir
mail_uid = vmail
mail_gid = vmail
userdb {
  driver = static
  args = allow_all_users=yes
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = 2401
  }
  unix_listener lmtp {
    mode = 0666
  }
}
END
rm -rf "$TEST_WORK"/home/vmail/*
server_start retry
for retry_seed in 1 2 3 4; do
	if [ $((retry_seed % 2)) = 0 ]; then
		retry_target=127.0.0.1:2401
	else
		retry_target=$TEST_WORK/run-retry/lmtp
	fi
	# shellcheck disable=SC2046 # several words
	python retry "$retry_target" "$retry_each" "$retry_seed" \
		$(retry_addresses "r$retry_seed") \
		>"$TEST_WORK/answered-$retry_seed" \
		2>"$TEST_WORK/retry-errors-$retry_seed" &
	retry_pids="${retry_pids:-} $!"
done
# shellcheck disable=SC2086
wait $retry_pids
is "$(cat "$TEST_WORK"/retry-errors-*)" "" \
	"$((4 * retry_each)) clients that cut their connection find an end"
is "$(python stored "$TEST_WORK/home/vmail" "$TEST_WORK"/answered-* | head)" \
	"" "each of their messages is there exactly once"

# The other side of the coin: what was confirmed may come again.
SUBJECT=twice python deliver "$TEST_WORK/run-retry/lmtp" again >/dev/null
SUBJECT=twice python deliver "$TEST_WORK/run-retry/lmtp" again >/dev/null
is "$(find "$TEST_WORK/home/vmail/again/Maildir/new" -type f | wc -l)" 2 \
	"two identical messages whose replies were read are both filed"
server_stop
is "$(server_errors retry)" "" "and the log knows no error"
