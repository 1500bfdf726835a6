#!/bin/sh
# quota_warning: which thresholds a delivery passes, and what is done then.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lda/lda.sh"

# mail BYTES: a message of about that size.
mail() {
	printf 'Subject: x\nMessage-ID: <1@x>\n\n'
	head -c "$1" /dev/zero | tr '\0' x
	echo
}
mail 1000 >small
mail 3000 >third
mail 400 >tiny
cat >bin/warn <<'END'
#!/bin/sh
printf '%s|' "$@" >>"$HOME/warned"
echo "$USER:$(id -u)" >>"$HOME/warned"
END
chmod 755 bin/warn
cat >>"$conf" <<END
quota = count:User quota
quota_rule = *:storage=10K:messages=100
quota_warning_bin_dir = $TEST_WORK/bin
quota_warning = storage=90%% warn 90 %u \$(id)
quota_warning2 = storage=50%% $TEST_WORK/bin/warn 50 %{user | upper}
quota_warning3 = -storage=50%% warn below
quota_warning4 = messages=8 warn many
END

# deliver FILE [OPTION...]
deliver() {
	input=$1
	shift
	lda -e "$@"
}
warned() {
	cat "$home/warned" 2>/dev/null
}

fresh
deliver third
is "$status:$(warned)" 0: "below every threshold nothing is told"
deliver third
is "$status:$(warned)" "0:50|AMY|amy:$lda_uid" \
	"half is passed: the program runs, as the user"
deliver tiny
is "$(warned)" "50|AMY|amy:$lda_uid" "and does not run again above it"
rm "$home/warned"
deliver third
is "$status:$(warned)" "0:90|amy|\$(id)|amy:$lda_uid" \
	"a second threshold, and no shell sees the words"
rm "$home/warned" "$home"/Maildir/new/*
deliver tiny
is "$(warned)" "below|amy:$lda_uid" "downwards, when others have removed mail"
rm "$home/warned"
deliver tiny
is "$(warned)" "" "once"
for _ in 1 2 3 4 5; do
	deliver tiny
done
is "$(warned)" "" "seven messages are not yet eight"
deliver tiny
is "$(warned)" "many|amy:$lda_uid" "a threshold of messages"

fresh
deliver third
deliver third -o quota_warning2=
is "$(warned)" "" "an empty setting takes a warning back"
fresh
deliver third
deliver third
deliver third
deliver third
is "$status:$(cut -d'|' -f1 <"$home/warned" | tr '\n' ' ')" "77:50 " \
	"what is refused passes nothing"

fresh
deliver third -o "quota_warning2=storage=20%% nothing-there"
is "$status:$(count)" 0:1 "a program that is missing harms no mail"
like "$(cat "$log")" "*quota_warning: nothing-there: *cannot run *" \
	"and is named in the log"
fresh
cat >bin/slow <<'END'
#!/bin/sh
echo "$$" >"$HOME/slow"
exec sleep 600
END
chmod 755 bin/slow
deliver third -o "quota_warning2=storage=20%% slow" \
	-o quota_warning_exec_timeout=1s
is "$status:$(count)" 0:1 "one that hangs is ended"
nok() {
	! "$@"
}
ok "and killed" nok kill -0 "$(cat "$home/slow")"
like "$(cat "$log")" "*quota_warning: slow: *" "and named"

# A message in place of a program.
fresh
deliver third -f ada@client.example \
	-o "quota_warning2=storage=20%% message"
is "$status:$(count)" 0:2 "a message is filed beside the mail"
warning=$(grep -l "Auto-Submitted: auto-generated" "$home"/Maildir/new/*)
like "$(cat "$warning")" "*From: postmaster@mx.example.test*To: amy@*Subject: \
Your mailbox is 30% full*Your mailbox holds 3*B of 10 KiB.*" \
	"it says how much is there"
like "$(cat "$log")" "*quota_warning: stored a message into mailbox INBOX*" \
	"so does the log"
is "$(find "$home/Maildir/new" -type f -exec cat {} + | wc -c)" \
	"$(awk '$4 == "known" { print $2 }' "$home/Maildir/doorstep-quota")" \
	"and it counts"
fresh
printf 'Of %%{quota}: %%{percent}%%%%, %%{user}\n' >text
deliver third -o "quota_warning2=storage=20%% message" \
	-o "quota_warning_message=<$TEST_WORK/text" \
	-o "quota_warning_subject=Nearly %{percent}"
warning=$(grep -l "Auto-Submitted: auto-generated" "$home"/Maildir/new/*)
like "$(cat "$warning")" "*Subject: Nearly 29*Of User quota: 29%, amy*" \
	"subject and text are settings"
fresh
deliver third
deliver third
deliver third
deliver small -o "quota_warning=storage=90%% message"
is "$status:$(count)" 0:5 "there is always room for it"

# all: how many messages are in the INBOX.
all() {
	case $location in
	mbox:*) grep -c '^From ' "$home/spool" ;;
	*) count ;;
	esac
}

# Each crossing once, however many deliver at a time.
for backend in maildir count mbox; do
	fresh
	location='maildir:~/Maildir'
	if [ $backend = mbox ]; then
		location='mbox:~/spool'
		backend=count
		as_user touch "$home/spool"
	fi
	for _ in $(seq 50); do
		as_user env -i PATH="$PATH" USER=amy HOME="$home" "$program" \
			-c "$conf" -o "quota=$backend:User quota" \
			-o "mail_location=$location" \
			-o "quota_rule=*:storage=100K" -o quota_warning4= \
			-o quota_warning="storage=80%% warn 80" <small &
	done
	wait
	is "$(all):$(cut -d'|' -f1 <"$home/warned" | sort | uniq -c |
		tr -s ' \n' ' ')" "50: 1 50 " \
		"$backend, $location: fifty at a time pass one half once"
	rm "$home/warned"
	for _ in $(seq 40); do
		as_user env -i PATH="$PATH" USER=amy HOME="$home" "$program" \
			-c "$conf" -o "quota=$backend:User quota" \
			-o "mail_location=$location" \
			-o "quota_rule=*:storage=100K" -o quota_warning4= \
			-o quota_warning="storage=80%% warn 80" <small &
	done
	wait
	is "$(cut -d'|' -f1 <"$home/warned" | sort | uniq -c |
		tr -s ' \n' ' ')" " 1 80 " \
		"$backend, $location: and forty more four fifths once"
done
done_testing
