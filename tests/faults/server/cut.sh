# A client that vanishes at any byte of its session.
# SPDX-License-Identifier: MIT
# Names come from ../server.sh; no path of a test has a blank.
# shellcheck shell=sh disable=SC2154

conf cut <<END
$static_users
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = 2404
  }
  unix_listener lmtp {
    mode = 0666
  }
}
END
server_start cut
python send "$target" 10:first >/dev/null
cut_processes() {
	for cut_kind in front lookup state; do
		server_processes $cut_kind
	done
}
cut_before=$(cut_processes)
for cut_way in close finish reset; do
	cut_target=$target
	[ $cut_way != reset ] || cut_target=127.0.0.1:2404
	cut_said=$(python cut "$cut_target" $cut_way "$cut_way" 2>&1)
	like "$cut_said" "* cuts, final dot after [1-9]*" \
		"a session is cut at each of its bytes: $cut_way ($cut_said)"
done
is "$(python send "$target" 10:last)" "last 250 2.0.0" "the server goes on"
is "$(cut_processes)" "$cut_before" "with the processes that it had"
is "$(grep -rl '^Subject: half' "$mails")" "" \
	"nothing is filed without the final dot"
ok "but something is with it" grep -rq '^Subject: whole' "$mails"
is "$(cd "$mails" && find . -path '*/tmp/*' -type f)" "" "nothing is left in tmp"
server_stop
is $? 0 "the server ends as it should"
is "$(server_deaths cut)" "" "nothing broke"
