#!/bin/sh
# doorstep config check and dump, as the admin sees them.
#
# SPDX-License-Identifier: MIT
TEST_SOURCE=${TEST_SOURCE:-$(dirname "$0")/../../..}
. "$TEST_SOURCE/tests/lib/tap.sh"

doorstep=$TEST_BUILD/ctl/doorstep

# run COMMAND...: its standard output in "out", its status in $status.
run() {
	"$@" >out 2>err
	status=$?
}

for sample in "$TEST_SOURCE"/samples/*.conf; do
	run "$doorstep" -c "$sample" config check
	# The users that it names need not be here.
	is "$status $(sed '/: warning: .*: this system has no /d
		s/, [0-9]* warnings*$//' out)" "0 $sample: 0 errors" \
		"$(basename "$sample") has no problem"
	"$doorstep" -c "$sample" config dump -n >first
	"$doorstep" -c first config dump -n >second
	is "$(diff first second)" "" \
		"$(basename "$sample") means the same when dumped and read"
done

sed '/^mail_location/d; s/^#mail_/mail_/' "$TEST_SOURCE/samples/doorstep.conf" >mbox.conf
is "$(grep -c '^mail_location = mbox:' mbox.conf)" 1 "doorstep.conf has lines for mbox"
run "$doorstep" -c mbox.conf config check
is "$status $(cat out)" "0 mbox.conf: 0 errors, 0 warnings" \
	"and they have no problem"

cat >wrong.conf <<'END'
mail_debug = maybe
mail_plugins = sieve
protocol lmtp {
  mail_location = mdbox:~/mail
}
END
run "$doorstep" config check -c wrong.conf
is "$status" 1 "an error ends config check with 1"
is "$(cat out)" 'wrong.conf:1: error: mail_debug: found "maybe", expected yes or no
wrong.conf:2: warning: mail_plugins: does not concern Doorstep and is ignored
wrong.conf:4: error: mail_location: found "mdbox:~/mail", expected maildir:PATH or mbox:PATH
wrong.conf: 2 errors, 1 warning' "each problem is named once, in any protocol"

run "$doorstep" config dump -c wrong.conf
is "$status" 78 "a wrong configuration is not dumped"
is "$(cat err)" 'wrong.conf:1: error: mail_debug: found "maybe", expected yes or no' \
	"config dump says why"

cat >names.conf <<'END'
default_login_user = nosuchlogin
mail_uid = nosuchuser
mail_gid = 12345
END
run "$doorstep" config check -c names.conf
is "$status" 0 "an unknown user does not fail config check"
is "$(cat out)" 'names.conf:1: warning: default_login_user: this system has no user nosuchlogin
names.conf:2: warning: mail_uid: this system has no user nosuchuser
names.conf: 0 errors, 2 warnings' "but is named by it"

echo 'mail_location = bogus:' >location.conf
run "$doorstep" config dump -c location.conf
is "$status $(cat out)" "78 " "a value that no delivery takes is not dumped"
like "$(cat err)" 'location.conf:1: error: mail_location: found "bogus:", *' \
	"config dump says which value no delivery takes"
cat >driver.conf <<'END'
mail_plugins = sieve
userdb {
  driver = sql
}
END
run "$doorstep" config dump -n -c driver.conf
is "$status $(cat out err)" '78 driver.conf:2: error: userdb: found driver "sql", expected passwd-file, static or passwd' \
	"config dump refuses what config check calls an error"
run "$doorstep" config check -c driver.conf
is "$status" 1 "config check ends with 1, too"

run "$doorstep" --json config check -c wrong.conf
python3 -c '
import json, sys
found = json.load(open("out"))
print(found["errors"], found["warnings"], found["problems"][0]["line"],
      found["problems"][0]["severity"], found["problems"][0]["file"])
' >parsed
is "$(cat parsed)" "2 1 1 error wrong.conf" "config check --json is JSON"

cat >good.conf <<'END'
ssl_key = </etc/key.pem
userdb {
  driver = passwd
}
protocol lda {
  hostname = lda.example.org
}
END
run "$doorstep" -c good.conf -o login_greeting=hi config dump -n
is "$status $(cat out)" "0 login_greeting = hi
ssl_key = </etc/key.pem
userdb {
  driver = passwd
}
protocol lda {
  hostname = lda.example.org
}" "config dump -n shows what differs from the defaults"

run "$doorstep" -c good.conf --json config dump -n
python3 -c '
import json
found = json.load(open("out"))
print(found["settings"]["ssl_key"],
      *[(b["type"], b["settings"]) for b in found["blocks"]])
' >parsed
is "$(cat parsed)" "</etc/key.pem ('userdb', {'driver': 'passwd'}) ('protocol', {'hostname': 'lda.example.org'})" \
	"config dump --json is JSON"

run "$doorstep" -c none.conf config check
is "$status $(head -1 out)" "1 none.conf: error: there is no such file" \
	"a file that is not there is an error"

default=$("$doorstep" config check | sed -n '$s/: 0 errors.*//p')
if [ -e "$default" ]; then
	skip "no default file gives the defaults" "there is one"
else
	run "$doorstep" config dump -n
	is "$status $(cat out err)" "0 " "no default file gives the defaults"
fi

# What only the user databases know.
printf '\nuserdb {\n  driver = static\n  args = uid=mail\n}\n' >everybody.conf
run "$doorstep" -c everybody.conf config check
is "$status" 1 "a static database that takes everybody is an error"
like "$(head -n 1 out)" "everybody.conf:2: error: userdb: driver static gives *" \
	"with its place, once"
if [ ! -e "$("$doorstep" config check | sed -n '1s/: .*//p')" ]; then
	like "$("$doorstep" config check)" "*: there is no such file; the defaults hold
*: 0 errors, 0 warnings" "where there is no file, that is said"
else
	skip "where there is no file, that is said" "there is one"
fi

# Certificates: what would keep the server from starting, or soon will.
# certificate NAME DAYS [OPTION...]
certificate() {
	certificate=$1 days=$2
	shift 2
	openssl req -x509 -nodes -days "$days" -subj "/CN=$certificate" \
		-out "$certificate.pem" "$@" 2>/dev/null
}
# tls CHAIN KEY: what the check says.
tls() {
	printf 'ssl_cert = <%s/%s.pem\nssl_key = <%s/%s.key\n' \
		"$TEST_WORK" "$1" "$TEST_WORK" "$2" >tls.conf
	"$doorstep" -c tls.conf config check
}
for key in good other; do
	certificate $key 30 -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
		-keyout $key.key
done
certificate soon 2 -key good.key
openssl x509 -in good.pem -signkey good.key -days -1 -out old.pem 2>/dev/null
is "$(tls good good)" "tls.conf: 0 errors, 0 warnings" \
	"a certificate with its key is good"
like "$(tls good other)" "tls.conf:1: error: ssl_key *is not the key of ssl_cert*" \
	"with another one it is an error"
like "$(tls missing good)" "tls.conf:1: error: ssl_cert: *missing.pem*" \
	"so is one that is missing"
like "$(tls good missing)" "tls.conf:1: error: ssl_key: *missing.key*" \
	"and a missing key"
like "$(tls soon good)" "tls.conf:1: warning: *expires within 2 days*" \
	"one that expires soon is a warning"
like "$(tls old good)" "tls.conf:1: warning: *has expired*" \
	"so is one that has"
printf '%s\n' nonsense >good.pem
like "$(tls good good)" "tls.conf:1: error: ssl_cert *no certificate*" \
	"what is no certificate is an error"

run "$doorstep" config import
is "$status" 64 "another word after config is wrong usage"

done_testing
