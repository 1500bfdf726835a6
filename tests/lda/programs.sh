#!/bin/sh
# Programs of the admin's that scripts ask for, as children of the LDA.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lda/lda.sh"

bin=$TEST_WORK/programs
mkdir "$bin"

# offer NAME: a shell script, its body on standard input.
offer() {
	{ echo '#!/bin/sh'; cat; } >"$bin/$1"
	chmod 755 "$bin/$1"
}

# dirs: the options that let scripts run what is in $bin.
dirs="-o sieve_pipe_bin_dir=$bin -o sieve_filter_bin_dir=$bin
	-o sieve_execute_bin_dir=$bin -o sieve_convert_bin_dir=$bin"

# run SCRIPT-LINE...: delivers under that script.
run() {
	fresh
	script
	# shellcheck disable=SC2086
	lda -e -f ada@client.example $dirs "$@"
}

offer take <<END
{ echo "\$*"; cat; } >"$home/took"
END
offer fail <<'END'
echo "this is the reason" >&2
exit 3
END
offer mark <<'END'
printf 'X-Filter: was here\r\n'
cat
END
offer count <<'END'
printf '%s %s:%s' "$#" "$1" "$(wc -l | tr -d ' ')"
END

# ---- pipe ----

run <<'END'
require "vnd.dovecot.pipe";
pipe "take" ["one", "two three"];
END
is "$status:$(everything)" 0:0 "pipe cancels the implicit keep"
is "$(sed -n 1p "$home/took")" "one two three" \
	"the program gets its arguments"
is "$(sed 1d "$home/took" | grep -c '')" \
	"$(sed 1d "$home/took" | grep -c "$(printf '\r')\$")" \
	"and the message with CR LF"
like "$(cat "$log")" "*piped message to program 'take'*" "the log tells of it"

run -o sieve_pipe_input_eol=lf <<'END'
require "vnd.dovecot.pipe";
pipe "take";
END
is "$(grep -c "$(printf '\r')\$" "$home/took")" 0 \
	"or with LF, if that is set"

run <<'END'
require ["vnd.dovecot.pipe", "copy"];
pipe :copy "take";
END
is "$status:$(count)" 0:1 "with :copy the implicit keep stays"
ok "and the program runs" test -s "$home/took"

run <<'END'
require "vnd.dovecot.pipe";
pipe "fail";
END
is "$status:$(count)" 0:1 "a program that fails loses nothing: the mail is kept"
like "$(cat "$log")" \
	"*failed to pipe message to program 'fail': *status 3: this is the reason*" \
	"and the log has the reason in its words"
ok "the keyword tells that something failed" \
	grep -q 'SieveFailed' "$home/Maildir/dovecot-keywords"

run <<'END'
require "vnd.dovecot.pipe";
pipe :try "fail";
END
is "$status:$(count)" 0:1 "with :try a failure keeps the mail, too"
ok "but is no failure of the script" \
	test ! -e "$home/Maildir/dovecot-keywords"

run <<'END'
require ["vnd.dovecot.pipe", "copy", "fileinto"];
pipe :try :copy "fail";
fileinto "INBOX";
END
is "$status:$(count)" 0:1 "with :try and :copy nothing further is kept"

run <<'END'
require ["vnd.dovecot.pipe", "fileinto", "mailbox"];
fileinto :create "Lists";
pipe "fail";
END
is "$status:$(count):$(everything)" 0:1:2 \
	"a failed pipe beside a fileinto is a keep beside it"

run <<'END'
require ["vnd.dovecot.pipe", "editheader"];
addheader "X-New" "yes";
pipe "take";
END
ok "the program gets the message as the script has changed it" \
	grep -q '^X-New: yes' "$home/took"

# ---- which programs ----

run <<'END'
require "vnd.dovecot.pipe";
pipe "missing";
END
is "$status:$(count)" 0:1 "a program that is not there"
like "$(cat "$log")" "*$bin/missing: No such file*" "is told with its place"

offer open_to_all </dev/null
chmod 777 "$bin/open_to_all"
run <<'END'
require "vnd.dovecot.pipe";
pipe "open_to_all";
END
like "$(cat "$log")" "*everybody may write it*" \
	"what everybody may write is not run"

chmod o+w "$bin"
run <<'END'
require "vnd.dovecot.pipe";
pipe "take";
END
chmod o-w "$bin"
is "$status:$(count):$(test -e "$home/took" && echo took)" 0:1: \
	"nor is anything in a folder that everybody may write"
like "$(cat "$log")" "*everybody may write its folder*" "which is told"

fresh
script <<'END'
require "vnd.dovecot.pipe";
pipe "take";
END
lda -e
is "$status:$(count)" 0:1 "without a folder nothing is run"
like "$(cat "$log")" "*sieve_pipe_bin_dir*" "and the log names the setting"

# ---- what a program finds ----

offer look <<END
{ env | sort; pwd; ls /proc/self/fd | wc -l; } >"$home/took"
END
SECRET=1
export SECRET
run <<'END'
require "vnd.dovecot.execute";
execute "look";
END
like "$(cat "$home/took")" "HOME=$home
HOST=*
ORIG_RECIPIENT=*
PATH=*
*RECIPIENT=*
SENDER=ada@client.example
USER=*" "its environment says whose mail it is, and nothing else"
unlike "$(cat "$home/took")" "*SECRET*" "nothing of ours is in it"

# ---- filter ----

run <<'END'
require "vnd.dovecot.filter";
filter "mark";
END
is "$status:$(count)" 0:1 "filter keeps the implicit keep"
ok "and the message is what the program made of it" \
	grep -q '^X-Filter: was here' "$home"/Maildir/new/*
ok "its own fields are still there" grep -q '^Subject:' "$home"/Maildir/new/*

run <<'END'
require ["vnd.dovecot.filter", "fileinto", "mailbox"];
if not filter "fail" { fileinto :create "Bad"; }
END
is "$status:$(ls "$home"/Maildir/.Bad/new | wc -l)" 0:1 \
	"a filter that fails is false"

offer nothing </dev/null
run <<'END'
require ["vnd.dovecot.filter", "fileinto", "mailbox"];
if not filter "nothing" { fileinto :create "Bad"; }
END
ok "one that says nothing is false and leaves the message" \
	grep -q '^Subject:' "$home"/Maildir/.Bad/new/*

# ---- execute ----

run <<'END'
require ["vnd.dovecot.execute", "variables", "editheader"];
if execute :input "one
two
" :output "v" "count" "a b" { addheader "X-Said" "${v}"; }
END
ok "execute takes a text and gives one" \
	grep -qx 'X-Said: 1 a b:2' "$home"/Maildir/new/*

run <<'END'
require ["vnd.dovecot.execute", "variables", "editheader"];
set "v" "old";
if not execute :output "v" "fail" { addheader "X-Said" "${v}"; }
END
ok "a program that fails sets no variable" \
	grep -q '^X-Said: old' "$home"/Maildir/new/*

# ---- convert ----

offer upper <<'END'
echo "$*"
tr a-z A-Z
END
run -o "sieve_convert=text/plain text/x-loud upper" <<'END'
require "convert";
convert "text/plain" "text/x-loud" ["charset=utf-8"];
END
ok "convert makes a part another type's" \
	grep -q '^Content-Type: text/x-loud; charset=utf-8' \
	"$home"/Maildir/new/*
like "$(sed '1,/^$/d' "$home"/Maildir/new/* | base64 -d)" \
	"text/plain text/x-loud charset=utf-8
*" "the converter is told both types and the parameters"

run <<'END'
require ["convert", "fileinto", "mailbox"];
if not convert "text/plain" "image/png" "pix-x=1" { fileinto :create "No"; }
END
is "$status:$(ls "$home"/Maildir/.No/new | wc -l)" 0:1 \
	"without a converter the test is false"

# ---- limits ----

offer hang <<END
echo \$\$ >"$home/took.pid"
exec sleep 1000
END
run -o sieve_execute_exec_timeout=1s <<'END'
require "vnd.dovecot.execute";
execute "hang";
END
is "$status:$(count)" 0:1 "a program that hangs holds mail up no longer than set"
like "$(cat "$log")" "*hang did not end in time*" "and is told"
ok "it is gone" sh -c '! kill -0 "$(cat "$1")" 2>/dev/null' - \
	"$home/took.pid"

offer flood <<'END'
exec yes
END
run -o sieve_program_max_output=4k <<'END'
require "vnd.dovecot.filter";
filter "flood";
END
is "$status:$(count)" 0:1 "one that writes without end"
like "$(cat "$log")" "*flood wrote more than 4096 bytes*" "is ended"

run -o sieve_max_programs=2 <<'END'
require "vnd.dovecot.execute";
execute "count"; execute "count"; execute "count";
END
is "$status:$(count)" 0:1 "a script may run so many"
like "$(cat "$home/.dovecot.sieve.log")" \
	"*:2:35: error: the script runs more than 2 programs*" "and no more"
done_testing
