#!/bin/sh
# doorstep quota, as the admin sees it.
#
# SPDX-License-Identifier: MIT
TEST_SOURCE=${TEST_SOURCE:-$(dirname "$0")/../../..}
. "$TEST_SOURCE/tests/lib/tap.sh"

me=$(id -u)
[ "$me" -ne 0 ] || me=61030
chmod 755 .
umask 022
for user in amy bob; do
	for part in new cur tmp; do
		mkdir -p "$user/Maildir/$part"
	done
done
mkdir -p amy/Maildir/.Spam/cur
: >"amy/Maildir/cur/1.x,S=5000:2,S"
: >"amy/Maildir/cur/2.x,S=5000:2,"
: >"amy/Maildir/.Spam/cur/3.x,S=70000:2,S"
[ "$(id -u)" -ne 0 ] || chown -R $me:$me amy bob
cat >users <<END
amy:x:$me:$me::$PWD/amy::
bob:x:$me:$me::$PWD/bob::quota_rule=*:storage=1M:messages=10
END
cat >conf <<END
mail_location = maildir:~/Maildir
quota = maildir:User quota
quota_rule = *:storage=20K
quota_rule2 = Spam:ignore
quota_grace = 0
userdb {
  driver = passwd-file
  args = $PWD/users
}
END
# quota WORD...: standard output in "out", standard error in "err".
quota() {
	"$TEST_BUILD/ctl/doorstep" -c conf quota "$@" >out 2>err
	status=$?
}
rows() {
	sed 1d out | tr -s ' '
}

quota get -u amy
is "$status:$(cat err)" 0: "a good user"
is "$(rows)" "amy User quota STORAGE 10 20 50
amy User quota MESSAGE 2 - 0" "use and limits, in KiB"
is "$(sed -n 2p amy/Maildir/maildirsize)" "10000 2" "the count is kept"
is "$(stat -c %u amy/Maildir/maildirsize)" "$me" "as the user's own"
quota get --all
is "$(rows)" "amy User quota STORAGE 10 20 50
amy User quota MESSAGE 2 - 0
bob User quota STORAGE 0 1024 0
bob User quota MESSAGE 0 10 0" "all users of the database, each with its own limits"

sed -i.before '/^bob/s|quota_rule.*|quota_storage_size=2M quota_message_count=5|' \
	users
quota get -u bob
is "$(rows)" "bob User quota STORAGE 0 2048 0
bob User quota MESSAGE 0 5 0" "limits of a record by the names of 2.4"
mv users.before users

printf '20480S\n77 7\n' >amy/Maildir/maildirsize
quota get -u amy
like "$(rows)" "*MESSAGE 7 *" "get believes the file"
quota recalc -u amy
is "$status:$(rows | sed -n 2p)" "0:amy User quota MESSAGE 2 - 0" \
	"recalc counts anew"

quota check -u amy 10K
is "$status:$(tail -n 1 out)" "0:amy: fits" "what fits"
quota check -u amy 10481
like "$status:$(tail -n 1 out)" \
	"1:amy: does not fit: 5.2.2 Quota exceeded*" "what does not fit"
quota check -u amy 1M
like "$status:$(tail -n 1 out)" "1:amy: does not fit: 5.2.3 *" \
	"what never will"
quota check -u amy -m Spam 1M
is "$status" 0 "a folder that does not count takes it"
quota --json check -u amy 1M
is "$(python3 -c 'import json; d = json.load(open("out"))[0]
print(d["user"], d["fits"], d["status"], d["roots"][0]["bytes"])')" \
	"amy False 5.2.3 10000" "the same for programs"

quota get -u nobody
is "$status:$(cat out)" 67: "nobody of that name"
like "$(cat err)" "doorstep: nobody: *" "is told"
quota get
is "$status" 64 "a user has to be named"
quota check --all
is "$status" 64 "check is about one user"
quota check -u amy lots
is "$status" 64 "a size has to be one"
# terminal error|both TERM: what a terminal is sent.
terminal() {
	TERM=$2 python3 "$TEST_SOURCE/tests/unit/ctl/terminal.py" "$1" \
		"$TEST_BUILD/ctl/doorstep" -c conf quota get --all
}
like "$(terminal error xterm)" \
	"'?r?x1b?Kget ?..............................? 0/2   0%*?r?x1b?K'" \
	"on a terminal a bar shows how far it is, and goes away"
like "$(terminal both xterm)" "*0/2   0%?r?x1b?KUsername *" \
	"the table stands in its place"
is "$(terminal error dumb)" "''" "a terminal without codes has no bar"
quota get --all
is "$(cat err)" "" "neither has a file"

cp conf before
sed -i '/^userdb/,$d' conf
cat >>conf <<END
userdb {
  driver = static
  args = allow_all_users=yes uid=$me gid=$me home=$PWD/amy
}
END
quota get --all
is "$status:$(cat out)" 1: "where no user can be listed, --all fails"
like "$(cat err)" "*static cannot list its users*" "and says why"
quota --json get --all
is "$status:$(cat out)" 1:"[]" "so it does for programs"
mv before conf

sed -i '/^quota = /d' conf
quota get -u amy
is "$status:$(rows)" 0: "without a root there is nothing to tell"
like "$(cat err)" "*names no quota root*" "which is said"
done_testing
