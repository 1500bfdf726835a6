# A front that has been taken over (evil.c): what it cannot reach.
# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154

evil=$TEST_BUILD/tests/server/evil-lmtpd

evil_has_ended() {
	grep -q 'evil: no more ideas' "$TEST_WORK/log/$1.log"
}

# evil_said NAME TEXT: lines of its log with that text.
evil_said() {
	grep -h "evil: .*$2" "$TEST_WORK/log/$1.log" | sed 's/.*evil: //'
}

lmtpd_before=$lmtpd
lmtpd=$evil
for evil_mode in root user; do
	name=evil-$evil_mode
	evil_user=
	if [ $evil_mode = root ]; then
		server_conf $name <<END
mail_location = maildir:~/Maildir
userdb {
  driver = passwd
}
END
	else
		evil_user=vmail
		server_conf $name <<END
mail_home = $TEST_WORK/home/vmail/evil/%u
mail_location = maildir:~/Maildir
mail_uid = vmail
mail_gid = vmail
userdb {
  driver = static
  args = allow_all_users=yes
}
END
	fi
	echo "mail_temp_dir = $TEST_WORK/spool-$name" >>"$TEST_WORK/$name.conf"
	install -d -m 1777 "$TEST_WORK/spool-$name"
	rm -rf "$TEST_WORK/home/bob/Maildir"
	server_start $name $evil_user
	: >"$TEST_WORK/spool-$name/go"
	ok "as $evil_mode: an evil front goes through all its attacks" \
		wait_for 40 evil_has_ended $name
	# As a user everybody is that user.
	[ $evil_mode = root ] || evil_fair='^a ticket for '
	is "$(evil_said $name 'IT WORKED' | grep -v "${evil_fair:-^$}")" "" \
		"as $evil_mode: none of them has worked"
	is "$(evil_said $name '' | grep -cE \
		'^[a-z].*: (Operation not permitted|Permission denied|No such file or directory|Function not implemented)$')" \
		$(if [ $evil_mode = root ]; then echo 27; else echo 25; fi) \
		"as $evil_mode: every system call and file was refused"
	is "$(evil_said $name 'state has closed' | wc -l)" 2 \
		"as $evil_mode: state lets it neither claim nor mark"
	is "$(grep -c 'front process .* sent a frame of type' \
		"$TEST_WORK/log/$name.log")" 2 \
		"as $evil_mode: master kills who says what is lookup's, or broken"
	like "$(grep -h 'broke the rules' "$TEST_WORK/log/$name.log")" \
		"*a job that was not assigned*" \
		"as $evil_mode: a worker takes only what master assigned"
	if [ $evil_mode = root ]; then
		is "$(evil_said $name 'result 0')" "result 0 is 0 " \
			"the mail that it may hand over is filed"
		like "$(evil_said $name 'result 1')" "result 1 is 2 4.3.0" \
			"another user's in the same job is not"
		is "$(find "$TEST_WORK/home/bob" -path "*/Maildir/*" -type f | wc -l)" 0 \
			"and nothing of it is in that user's home"
	fi
	ok "as $evil_mode: master still answers" \
		"$doorstep" -c "$TEST_WORK/$name.conf" status
	kill -9 $server_pid
	wait $server_pid 2>/dev/null
done
lmtpd=$lmtpd_before
