#!/bin/sh
# Doorstep and Dovecot add to, take from and count one maildirsize at the same time.
#
#	tests/e2e/quota.sh            ROUNDS=10000 for a long round
#
# Needs the Debian package dovecot-imapd (doveadm) and python3; no root.
#
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lda/lda.sh"

for program_needed in doveadm python3; do
	command -v $program_needed >/dev/null ||
		skip_all "no $program_needed here"
done

rounds=${ROUNDS:-300}
cat >>"$conf" <<END
lda_mailbox_autocreate = yes
quota = maildir:User quota
quota_rule = *:storage=500K
quota_rule2 = Trash:storage=+100%%
quota_rule3 = Spam:ignore
quota_grace = 0
END
cat >dovecot.conf <<END
base_dir = $TEST_WORK/run
log_path = $home/dovecot.log
protocols =
ssl = no
mail_location = maildir:~/Maildir
mail_plugins = quota
first_valid_uid = 1
plugin {
  quota = maildir:User quota
  quota_rule = *:storage=500K
  quota_rule2 = Trash:storage=+100%%
  quota_rule3 = Spam:ignore
}
namespace inbox {
  inbox = yes
  separator = /
}
END
mkdir run
chmod 777 run
chmod 755 .

# shellcheck disable=SC2086 # several words
as_user env -i PATH="$PATH" $environment \
	python3 "$TEST_SOURCE/tests/e2e/quota.py" \
	"$program" "$conf" dovecot.conf "$rounds" >said 2>&1
status=$?
is "$status" 0 "$rounds deliveries, moves and removals leave one true count" \
	"$(cat said)"
like "$(cat said)" "*refused*" "some were refused, as the mailbox was full"
diag "$(tail -n 1 said)"

# dovecot OPTION...
dovecot() {
	# shellcheck disable=SC2086 # several words
	as_user env -i PATH="$PATH" $environment \
		doveadm -c "$TEST_WORK/dovecot.conf" "$@"
}
dovecot quota recalc
is "$(dovecot -f tab quota get | awk -F'\t' 'NR > 1 { print $2, $3 }')" \
	"$(sed 1d "$home/Maildir/maildirsize" |
		awk '{ b += $1; n += $2 }
		END { print "STORAGE", int((b + 1023) / 1024); print "MESSAGE", n }')" \
	"doveadm quota get tells what the file says"
before=$(cat "$home/Maildir/maildirsize")
rm "$home/Maildir/maildirsize"
echo x >tiny
input=tiny lda -m Trash
is "$(sed -n 2p "$home/Maildir/maildirsize")" "$(echo "$before" | sed -n 2p)" \
	"both count the same"
is "$(sed -n 1p "$home/Maildir/maildirsize")" "$(echo "$before" | sed -n 1p)" \
	"and write the same limits"
is "$(grep -hE 'Warning|Error|Fatal|Panic|[Cc]orrupt' "$home/dovecot.log" \
	2>/dev/null)" "" "Dovecot has nothing to complain of"
done_testing
