# Messages that a worker takes together.
# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154

# together_begin NUMBER
together_begin() {
	rm -rf "$TEST_WORK"/home/vmail/* "$TEST_WORK/go"
	cat >"$TEST_WORK/bin/sendmail" <<END
#!/bin/sh
while [ ! -e $TEST_WORK/go ]; do sleep 0.05; done
cat >/dev/null
END
	chmod 755 "$TEST_WORK/bin/sendmail"
	server_conf together <<END
mail_home = $TEST_WORK/home/vmail/%n
mail_location = maildir:~/Maildir
mail_uid = vmail
mail_gid = vmail
sendmail_path = $TEST_WORK/bin/sendmail
lmtp_jobs_together = $1
userdb {
  driver = static
  args = allow_all_users=yes
}
service lmtp {
  unix_listener lmtp {
    mode = 0666
  }
}
END
	# Another one each time: a message is redirected only once.
	together_slow=slow$1
	install -d -o vmail "$TEST_WORK/home/vmail/$together_slow" \
		"$TEST_WORK/home/vmail/bad"
	echo 'redirect "elsewhere@client.example";' \
		>"$TEST_WORK/home/vmail/$together_slow/.dovecot.sieve"
	echo "in the way" >"$TEST_WORK/home/vmail/bad/Maildir"
	server_start together
}
together_users=
while [ ${#together_users} -lt 160 ]; do
	together_users="$together_users u${#together_users}"
done
together_more=$(echo "$together_users" | tr u w)

for together_jobs in 16 1; do
	together_begin $together_jobs
	# shellcheck disable=SC2086 # words
	together_said=$(python together "$TEST_WORK/run-together/lmtp" \
		"$TEST_WORK/go" $together_slow $together_users $together_slow bad \
		$together_more)
	is "$(echo "$together_said" | grep -v ' 250$')" "bad 451" \
		"of messages that come together ($together_jobs) only that to the broken mailbox fails"
	is "$(echo "$together_said" | tail -n 1)" "$together_slow 250" \
		"nobody waits for the one whose redirect takes long"
	is "$(find "$TEST_WORK/home/vmail" -path '*/new/*' -type f | wc -l)" \
		"$(echo "$together_users $together_more" | wc -w)" "each of the others is filed once"
	server_stop
	is $? 0 "the server ends as it should"
	is "$(server_deaths together)" "" "nothing broke"
done
