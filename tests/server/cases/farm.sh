# A group of backends: who goes where, what becomes of them when one of the
# backends is dead, drained, or back, and what the admin says to it.
# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154

farm_backends="127.0.0.11 127.0.0.12 127.0.0.13"
for farm_host in $farm_backends; do
	farm_name=farm${farm_host##*.}
	server_conf "$farm_name" <<END
mail_location = maildir:$TEST_WORK/$farm_name/%n
login_trusted_networks = 127.0.0.1
userdb {
  driver = static
  args = allow_all_users=yes uid=vmail gid=vmail home=$TEST_WORK/$farm_name/%n
}
service lmtp {
  unix_listener lmtp {
    mode = 0666
  }
  inet_listener lmtp {
    address = $farm_host
    port = 2424
  }
}
END
	install -d -o vmail -g vmail "$TEST_WORK/$farm_name"
	server_start "$farm_name"
	eval "${farm_name}_pid=\$server_pid"
done

# farm_conf SHARED
farm_conf() {
	server_conf farm <<END
lmtp_proxy = yes
lmtp_proxy_timeout = 3 secs
login_trusted_networks = 127.0.0.1
userdb {
  driver = static
  args = allow_all_users=yes proxy=y host=farm
}
proxy_group farm {
  shared_storage = $1
  health_interval = 1 secs
  health_timeout = 1 secs
  health_falls = 2
  health_rises = 1
$(for farm_host in $farm_backends; do
	printf '  backend %s:2424 {\n  }\n' "$farm_host"
done)
}
service lmtp {
  unix_listener lmtp {
    mode = 0666
  }
}
END
}
farm_socket=$TEST_WORK/run-farm/lmtp
# farm_send USER...: "USER CODE STATUS" for each, on one connection.
farm_send() {
	python farm send "$farm_socket" "$@"
}
# Where mail for the user is: the folder of a backend.
farm_place() {
	(cd "$TEST_WORK" && find farm1[123]/"$1"/new -type f 2>/dev/null |
		cut -d/ -f1 | sort -u | tr '\n' ' ')
}
farm_admin() {
	"$doorstep" -c "$TEST_WORK/farm.conf" proxy "$@"
}
# farm_is_state BACKEND STATE
# shellcheck disable=SC2317 # called by wait_for
farm_is_state() {
	farm_admin status | grep -q "127.0.0.$1:2424 *$2 "
}
farm_users=$(seq -f user%g 1 30)

farm_conf no
server_start farm
farm_pid=$server_pid
# shellcheck disable=SC2086 # words
is "$(farm_send $farm_users | cut -d' ' -f2 | sort | uniq -c | tr -s ' ')" \
	" 30 250" "all users of a group get their mail"
is "$(for farm_user in $farm_users; do farm_place "$farm_user"; done |
	tr ' ' '\n' | sort | uniq -c | awk '$2 != "" {
		sum += $1; if ($1 > 2) backends++
	} END { print sum, backends }')" "30 3" \
	"each at one backend, and each backend has some"
# shellcheck disable=SC2086 # words
farm_send $farm_users >"$TEST_WORK/farm-replies"
is "$(for farm_user in $farm_users; do
	find "$TEST_WORK"/farm1[123]/"$farm_user"/new -type f 2>/dev/null | wc -l
done | sort -u | tr '\n' ' ')" "2 " "the same backend has the second mail"

farm_of() {
	for farm_user in $farm_users; do
		[ "$(farm_place "$farm_user")" != "$1 " ] || echo "$farm_user"
	done
}
farm_mine=$(farm_of farm11 | head -n 1)
farm_other=$(farm_of farm12 | head -n 1)
like "$(farm_admin status)" "*farm * 127.0.0.11:2424 * up * 100 *" \
	"proxy status shows backends"
is "$(farm_admin drain 127.0.0.99:2424 2>&1)" \
	"doorstep: no proxy_group has a backend 127.0.0.99:2424" \
	"a backend that is none cannot be drained"

# ---- drained ----
exits 0 "a backend is drained" farm_admin drain 127.0.0.11:2424
is "$(farm_send "$farm_mine" "$farm_other")" "$farm_mine 451 4.3.2
$farm_other 250 2.0.0" "its users wait, and nobody else"
server_pid=$farm_pid
exits 0 "the proxy stops" server_stop
server_start farm
farm_pid=$server_pid
is "$(farm_send "$farm_mine")" "$farm_mine 451 4.3.2" \
	"it stays drained over a restart"
exits 0 "it is taken back" farm_admin undrain 127.0.0.11:2424
is "$(farm_send "$farm_mine")" "$farm_mine 250 2.0.0" \
	"and its users have their mail"

# ---- moved ----
exits 0 "a user is moved" farm_admin move "$farm_mine" 127.0.0.13:2424
rm -rf "$TEST_WORK"/farm1[123]/"$farm_mine"/new
is "$(farm_send "$farm_mine"):$(farm_place "$farm_mine")" \
	"$farm_mine 250 2.0.0:farm13 " "and gets mail there"
kill -HUP "$farm_pid"
ok "a reload brings another proxy" wait_for 10 grep -q '^generation=2' \
	"$TEST_WORK/run-farm/status"
rm -rf "$TEST_WORK"/farm1[123]/"$farm_mine"/new
is "$(farm_send "$farm_mine"):$(farm_place "$farm_mine")" \
	"$farm_mine 250 2.0.0:farm13 " "which knows of it, too"
exits 0 "the user is moved home" farm_admin home "$farm_mine"
rm -rf "$TEST_WORK"/farm1[123]/"$farm_mine"/new
is "$(farm_send "$farm_mine"):$(farm_place "$farm_mine")" \
	"$farm_mine 250 2.0.0:farm11 " "and gets mail there"

# ---- dead ----
kill "$farm11_pid"
wait "$farm11_pid"
is "$(farm_send "$farm_mine" "$farm_other" | cut -d' ' -f1,2)" \
	"$farm_mine 451
$farm_other 250" "users of a backend that is stopped wait, and nobody else"
farm_send "$farm_mine" >/dev/null
ok "it is down after some failures" wait_for 10 farm_is_state 11 down
server_start farm11
farm11_pid=$server_pid
ok "and up again when it is back" wait_for 20 farm_is_state 11 up
is "$(farm_send "$farm_mine")" "$farm_mine 250 2.0.0" \
	"its users have their mail then"

# ---- silent ----
server_processes front >"$TEST_WORK/front11"
# Its front does not answer, and the kernel takes connections for it.
xargs kill -STOP <"$TEST_WORK/front11"
farm_begin=$(date +%s)
is "$(farm_send "$farm_other" "$farm_mine" | cut -d' ' -f1-3)" \
	"$farm_other 250 2.0.0
$farm_mine 451 4.4.0" "users of a backend that is silent wait, and nobody else"
ok "no longer than the time-out" [ $(($(date +%s) - farm_begin)) -le 20 ]
xargs kill -CONT <"$TEST_WORK/front11" 2>/dev/null
ok "it is up again" wait_for 20 farm_is_state 11 up

# ---- shared storage ----
server_pid=$farm_pid
exits 0 "the proxy stops" server_stop
farm_conf yes
server_start farm
farm_pid=$server_pid
kill "$farm11_pid"
wait "$farm11_pid"
farm_send "$farm_mine" >/dev/null
farm_send "$farm_mine" >/dev/null
ok "a backend is down" wait_for 10 farm_is_state 11 down
is "$(farm_send "$farm_mine")" "$farm_mine 250 2.0.0" \
	"with shared storage its users go to another one"
server_pid=$farm_pid
exits 0 "the proxy stops" server_stop
is "$(server_deaths farm)" "" "no process has died"
for farm_host in 12 13; do
	eval "server_pid=\$farm${farm_host}_pid"
	exits 0 "backend $farm_host stops" server_stop
done
