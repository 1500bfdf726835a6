# The runner of svtest cases: a wrong expectation is a failure, whatever it is about.
#
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"

svtest=$TEST_BUILD/tests/svtest/svtest
head='require ["vnd.dovecot.testsuite", "fileinto", "envelope", "variables",
	"imap4flags", "copy"];'

# verdict EXPECTED NAME [OPTION...]: the case on standard input ends so.
verdict() {
	{ echo "$head"; cat; } >case.svtest
	verdict_expected=$1 verdict_name=$2
	shift 2
	"$svtest" -W "$TEST_WORK" "$@" case.svtest >out 2>err
	verdict_status=$?
	is "$(tail -n 1 out)" "$verdict_expected" "$verdict_name"
	case $verdict_expected in
	*" 0 failed") is "$verdict_status" 0 "$verdict_name: status 0" ;;
	*) is "$verdict_status" 1 "$verdict_name: status 1" ;;
	esac
}

# fails NAME [OPTION...]: the body of the block on standard input fails it.
fails() {
	fails_name=$1
	shift
	{ echo 'test "x" {'; cat; echo '}'; } >body
	verdict "0 passed, 1 failed" "$fails_name" "$@" <body
}

mkdir scripts
cat >scripts/file.sieve <<'END'
require "fileinto";
fileinto "Lists";
END
echo 'frop;' >scripts/unknown.sieve
echo 'keep "x' >scripts/open.sieve
echo 'require "fileinto"; fileinto text:' >scripts/broken.sieve
echo 'keep;' >scripts/keep.sieve
echo 'discard;' >scripts/discard.sieve
cat >scripts/runtime.sieve <<'END'
require "variables";
set "a" "x";
redirect "${a}";
END

# ---- blocks and the count ----

verdict "2 passed, 0 failed" "blocks that run to their end pass" <<'END'
test "a" { }
test "b" { if true { } }
END
verdict "1 passed, 1 failed" "test_fail fails its block and goes on behind it" <<'END'
test "a" { if true { test_fail "no"; } test_fail "never"; }
test "b" { }
END
like "$(cat out)" "*1: a: FAILED: no*" "the reason is shown"
like "$(cat out)" "*2: b: SUCCEEDED*" "so is the success"
verdict "1 passed, 1 failed" "test_fail ends the loops of its block" <<'END'
require "foreverypart";
test "a" {
	foreverypart { test_fail "no"; }
}
test "b" {
	foreverypart { set "seen" "yes"; }
	if not string "${seen}" "yes" { test_fail "still in the loop"; }
}
END
verdict "1 passed, 1 failed" "test_fail outside of a block ends the case" <<'END'
test "a" { }
test_fail "out";
test "never" { test_fail "never"; }
END
verdict "1 passed, 0 failed" "stop in a block ends the case without a failure" <<'END'
test "a" { stop; }
test "never" { test_fail "never"; }
END
verdict "0 passed, 1 failed" "a case that does not compile is one failure" <<'END'
test "a" { frop; }
END
like "$(cat err)" "*case.svtest:3:12: error: *frop*" "its errors are told"
verdict "0 passed, 1 failed" "a test in a test does not compile" <<'END'
test "a" { test "b" { } }
END
verdict "0 passed, 1 failed" "a test in an if does not compile" <<'END'
if header "subject" "x" { test "b" { } }
END
verdict "1 passed, 1 failed" "an error while it runs ends the case" <<'END'
test "a" { }
set "to" "nobody";
redirect "${to}";
test "never" { }
END
verdict "1 passed, 0 failed" "no implicit keep is performed at the end" <<'END'
test "a" { }
END
not_ok "nothing of a case stays" ls "$TEST_WORK"/svtest.*
verdict "1 passed, 0 failed" "-F turns it round" -F <<'END'
test "a" { test_fail "yes"; }
END
verdict "0 passed, 1 failed" "-F asks that all tests fail" -F <<'END'
test "a" { test_fail "yes"; }
test "b" { }
END
verdict "1 passed, 0 failed" "-F is content with what does not compile" -F <<'END'
frop;
END
exits 1 "-F does not pass a file that is not there" "$svtest" -F none.svtest

# A file that may not grow kills who writes to it.
printf '%s\n%s\n' "$head" 'test "a" { }
test "b" { keep; if not test_result_execute { test_fail "b"; } }' >case.svtest
for option in "" -F; do
	# Nor may a build that counts lines write its counts.
	crashed=$(ulimit -f 0
		GCOV_PREFIX=/dev/null "$svtest" $option -W "$TEST_WORK" \
			case.svtest 2>/dev/null)
	is "$?" 1 "a crash fails its case: svtest $option"
	like "$crashed" "*case.svtest: FAILED: signal * ended it*" \
		"the signal is told"
	like "$crashed" "*1: a: SUCCEEDED*" "so are the tests before"
	like "$crashed" "*0 passed, 1 failed" "nothing of it passes"
done
not_ok "nothing of a crashed case stays" ls "$TEST_WORK"/svtest.*
exits 2 "no file is wrong usage" "$svtest"
exits 1 "a file that is not there is a failure" "$svtest" none.svtest
printf 'keep;\n' >plain.svtest
exits 0 "an ordinary script is a case without a test" "$svtest" plain.svtest
printf 'test "a" { }\n' >plain.svtest
exits 1 "the language has to be required" "$svtest" plain.svtest
exits 1 "nothing else may require it" "$TEST_BUILD/ctl/doorstep" -o \
	hostname=x sieve check case.svtest
unlike "$("$TEST_BUILD/ctl/doorstep" -o hostname=x sieve capabilities)" \
	"*testsuite*" "it is not announced"

# ---- every command and test, with a wrong expectation ----

fails "test_set message: another subject" <<'END'
	test_set "message" text:
Subject: One

x
.
	;
	if not header :is "subject" "Two" { test_fail "no"; }
END
fails "test_set envelope.from" <<'END'
	test_set "envelope.from" "amy@example.org";
	if envelope :is "from" "amy@example.org" { test_fail "set"; }
END
fails "test_set envelope.auth" <<'END'
	test_set "envelope.auth" "tim";
	if not envelope :is "auth" "tom" { test_fail "no"; }
END
fails "test_set envelope.to sets both recipients" <<'END'
	test_set "envelope.orig_to" "one@example.org";
	test_set "envelope.to" "two@example.org";
	if envelope :is "to" "two@example.org" { test_fail "set"; }
END
verdict "0 passed, 1 failed" "test_set of an unknown object does not compile" <<'END'
test_set "frop" "x";
END
verdict "0 passed, 1 failed" "test_set of an unknown member does not compile" <<'END'
test_set "envelope.frop" "x";
END
verdict "0 passed, 1 failed" "test_set of a computed object does not compile" <<'END'
set "a" "message";
test_set "${a}" "x";
END
fails "test_message :folder without the message" <<'END'
	test_message :folder "INBOX" 0;
END
like "$(cat out)" "*no message 0 in mailbox 'INBOX'*" "the reason says which"
fails "test_message :smtp without the message" <<'END'
	test_message :smtp 0;
END
fails "test_message as a test that is not true" <<'END'
	if not test_message :folder "INBOX" 0 { test_fail "none"; }
END
verdict "0 passed, 1 failed" "test_message without a tag does not compile" <<'END'
test_message 0;
END
fails "test_mailbox_delete" <<'END'
	test_mailbox_delete "Lists";
END
head='require ["vnd.dovecot.testsuite", "mboxmetadata"];'
fails "test_imap_metadata_set: another value" <<'END'
	test_mailbox_create "Box";
	test_imap_metadata_set :mailbox "Box" "/private/comment" "one";
	if not metadata "Box" "/private/comment" "two" { test_fail "no"; }
END
for name in '/frop/comment' '/private/' '/private//x' '/private/x/' \
	'/private/*' 'comment'; do
	verdict "0 passed, 1 failed" "$name names no annotation" <<END
test_imap_metadata_set "$name" "x";
END
done
verdict "0 passed, 1 failed" "a mailbox that is not there has no annotations" <<'END'
test_imap_metadata_set :mailbox "None" "/private/comment" "x";
END
head='require ["vnd.dovecot.testsuite", "fileinto", "envelope", "variables",
	"imap4flags", "copy"];'
fails "test_result_execute of what cannot be done" <<'END'
	fileinto "Nowhere";
	if not test_result_execute { test_fail "failed"; }
END
fails "test_result_action of another action" <<'END'
	keep;
	if not test_result_action "store" { test_fail "no"; }
END
fails "test_result_action at another index" <<'END'
	fileinto "A"; keep;
	if not test_result_action :index 1 "keep" { test_fail "no"; }
END
fails "test_script_compile of what does not compile" <<'END'
	if not test_script_compile "scripts/unknown.sieve" { test_fail "no"; }
END
fails "test_script_compile of a file that is not there" <<'END'
	if not test_script_compile "scripts/none.sieve" { test_fail "no"; }
END
fails "test_script_run without a script" <<'END'
	if not test_script_run { test_fail "no"; }
END
fails "test_script_run of what breaks off" <<'END'
	if not test_script_compile "scripts/runtime.sieve" { stop; }
	if not test_script_run { test_fail "no"; }
END
sed '1i # no vnd.dovecot.testsuite here' scripts/runtime.sieve >scripts/named.sieve
fails "test_script_run of what only mentions the language" <<'END'
	if not test_script_compile "scripts/named.sieve" { stop; }
	if not test_script_run { test_fail "no"; }
END
for word in dovecot stalwart; do
	echo "require \"vnd.$word.testsuite\"; test_fail \"inside\";" \
		>scripts/$word.sieve
	fails "test_script_run of a test that fails: $word" <<END
	if not test_script_compile "scripts/$word.sieve" { stop; }
	if not test_script_run { test_fail "no"; }
END
done
fails "test_multiscript of what does not compile" <<'END'
	if not test_multiscript ["scripts/keep.sieve", "scripts/unknown.sieve"] {
		test_fail "no";
	}
END
fails "test_error without an error" <<'END'
	if not test_error :contains "" { test_fail "no"; }
END
fails "test_error with another text" <<'END'
	if test_script_compile "scripts/unknown.sieve" { stop; }
	if not test_error :contains "frip" { test_fail "no"; }
END
fails "test_error at an index beyond the last" <<'END'
	if test_script_compile "scripts/unknown.sieve" { stop; }
	if not test_error :index 3 :contains "" { test_fail "no"; }
END
verdict "0 passed, 1 failed" "an unknown setting breaks off" <<'END'
test_config_set "sieve_frop" "x";
END
like "$(cat err)" "*there is no setting sieve_frop*" "and is named"
verdict "0 passed, 1 failed" "a setting without a meaning here breaks off" <<'END'
test_config_set "sieve_max_cpu_time" "2s";
END
like "$(cat err)" "*sieve_max_cpu_time cannot be honoured*" "and is named"
verdict "0 passed, 1 failed" "a wrong value breaks off when it is loaded" <<'END'
test_config_set "sieve_max_actions" "many";
test_config_reload;
END
like "$(cat err)" "*sieve_max_actions*many*" "and is named"
verdict "0 passed, 1 failed" "an unknown extension breaks off" <<'END'
test_config_reload :extension "frop";
END
for name in variables vacation enotify include editheader subaddress spamtest \
	spamtestplus virustest extlists vnd.dovecot.environment \
	vnd.dovecot.report vnd.dovecot.pipe vnd.dovecot.filter \
	vnd.dovecot.execute; do
	verdict "1 passed, 0 failed" "$name is read again" <<END
test "a" { test_config_reload :extension "$name"; }
END
done
verdict "0 passed, 1 failed" "unsetting an unknown setting breaks off" <<'END'
test_config_unset "sieve_frop";
END
like "$(cat err)" "*there is no setting sieve_frop*" "and is named"
verdict "2 passed, 0 failed" "an address in brackets is a value" <<'END'
test "address" {
	test_config_set "sieve_redirect_envelope_from" " <ann@example.org> ";
	test_config_reload;
	redirect "tim@example.org";
	if not test_result_execute { test_fail "not executed"; }
	test_message :smtp 0;
	if not envelope "from" "ann@example.org" { test_fail "sender"; }
}
test_result_reset;
test_set "message" "From: ada@example.org";
test "nobody" {
	test_config_set "sieve_redirect_envelope_from" "<>";
	test_config_reload;
	redirect "tim@example.org";
	if not test_result_execute { test_fail "not executed"; }
	test_message :smtp 0;
	if not envelope "from" "" { test_fail "sender"; }
}
END
verdict "0 passed, 1 failed" "a binary that was not saved breaks off" <<'END'
test_binary_load "frop";
END
verdict "0 passed, 1 failed" "a variable of tst cannot be set" <<'END'
set "tst.path" "x";
END
verdict "0 passed, 1 failed" "tst has no namespaces inside" <<'END'
set "a" "${tst.path.x}";
END
verdict "0 passed, 1 failed" "tst has no numbers" <<'END'
set "a" "${tst.1}";
END

mkdir included
echo 'require "vnd.dovecot.testsuite"; test_fail "inside"; stop;' \
	>included/fails.sieve
head='require ["vnd.dovecot.testsuite", "include"];'
verdict "1 passed, 1 failed" "test_fail of an included script fails the block" \
	<<'END'
test "a" { include "fails"; test_fail "never"; }
test "b" { }
END
like "$(cat out)" "*1: a: FAILED: inside*" "with its reason"
verdict "0 passed, 1 failed" "and outside of a block it ends the case" <<'END'
include "fails";
test "never" { }
END

head='require ["vnd.dovecot.testsuite", "foreverypart"];'
{
	for n in 1 2 3 4 5 6 7 8 9; do
		echo "test \"$n\" { foreverypart { test_fail \"inside\"; } }"
	done
	echo 'test "last" { foreverypart { } }'
} >body
verdict "1 passed, 9 failed" "test_fail leaves the loop over parts it stands in" \
	<body

# ---- the options ----

verdict "1 passed, 0 failed" "-E shows the log of errors" -E <<'END'
test "a" { if test_script_compile "scripts/unknown.sieve" { stop; } }
END
like "$(cat out)" "*error: *frop*" "with its lines"
verdict "1 passed, 0 failed" "-D traces scripts" -D <<'END'
test "a" { if header "subject" "x" { stop; } }
END
like "$(cat err)" "*header*" "with their tests"

cat >lenient <<'END'
test "counts" {
	if test_script_compile "scripts/unknown.sieve" { stop; }
	if not test_error :count "eq" "7" { test_fail "7"; }
}
test "wordings" {
	if not test_error :contains "frip" { test_fail "word"; }
	if not test_error :index 5 :is "frop" { test_fail "index"; }
}
END
head='require ["vnd.dovecot.testsuite", "relational"];'
verdict "0 passed, 2 failed" "counts and wordings are strict" <lenient
verdict "2 passed, 0 failed" "--lenient-errors forgives them" \
	--lenient-errors <lenient
verdict "4 passed, 4 failed" "but it forgives no more than that" \
	--lenient-errors <<'END'
test "another word is not said" {
	if test_script_compile "scripts/unknown.sieve" { stop; }
	if test_error :contains "frip" { test_fail "said"; }
}
test "one is one" {
	if not test_error :count "eq" "1" { test_fail "two"; }
}
test "more than two are more than two" {
	if not test_error :count "gt" "2" { test_fail "two"; }
}
test "an error is an error" {
	if not test_error :count "eq" "0" { test_fail "two"; }
}
test "two are two" {
	if not test_error :count "eq" "2" { test_fail "two"; }
}
test "none are none" {
	if not test_script_compile "scripts/keep.sieve" { stop; }
	if not test_error :count "eq" "2" { test_fail "none"; }
}
test "no words without an error" {
	if test_error :contains "" { test_fail "words"; }
}
test "none is none" {
	if not test_error :count "eq" "0" { test_fail "none"; }
}
END

cat >case.svtest.in <<'END'
require ["vnd.dovecot.testsuite", "envelope"];
#UTF8#test "an address in UTF-8" {
#UTF8#	test_set "envelope.from" "ö@ä.example";
#UTF8#	if envelope :is "from" "ö@ä.example" { test_fail "set"; }
#UTF8#}
END
exits 1 "markers of a template are taken out" "$svtest" case.svtest.in
like "$(cat .tap)" "*0 passed, 1 failed*" "what stands behind them counts"

# ---- the other dialect ----

head='require ["vnd.stalwart.testsuite", "fileinto"];'
fails "test_assert_message of another text" <<'END'
	test_set "message" "Subject: x";
	test_assert_message "Subject: y";
END
like "$(cat out)" "*the message is another one*" "the reason says so"
fails "test_result_action_count of another number" <<'END'
	keep;
	if not test_result_action_count 2 { test_fail "one"; }
END
fails "test_result_action of a redirect to another address" <<'END'
	redirect "a@example.org";
	if not test_result_action "redirect" "b@example.org" { test_fail "a"; }
END
fails "test_message where nothing was filed" <<'END'
	if not test_message :folder "INBOX" 0 { test_fail "none"; }
END
verdict "0 passed, 1 failed" "test_set message :smtp where nothing was sent" <<'END'
test_set "message" :smtp 0;
END
verdict "0 passed, 1 failed" "a part of the envelope that cannot be set breaks off" <<'END'
test_set "envelope.frop" "x";
END
like "$(cat err)" "*envelope.frop cannot be set*" "and is named"
verdict "0 passed, 1 failed" "a date that cannot be read breaks off" <<'END'
test_set "currentdate" "soon";
END
head='require "vnd.dovecot.testsuite";'
for word in 'test_assert_message "x"' 'test_set "message" :smtp 0' \
	'if test_result_action_count 1 { }' 'test_set "currentdate" "1"'; do
	verdict "0 passed, 1 failed" "$word is unknown in the other" <<END
$word;
END
done

# ---- scripts in the case itself, exact texts ----

verdict "3 passed, 0 failed" "a script may stand in its case" <<'END'
test "compiled" {
	if test_script_compile :script text:
keep;
fileinto "Lists";
.
	{ test_fail "it compiles"; }
	if not test_error :located :index 1 :matches "2:1: *require*" {
		test_fail "the place of the error";
	}
	if test_error :index 1 :matches "2:1: *" { test_fail "its text"; }
}
test "run" {
	if not test_script_compile :script
		"require \"fileinto\"; fileinto \"Lists\"; keep;" {
		test_fail "it does not compile";
	}
	if not test_script_run { test_fail "it does not run"; }
	if not test_result_action :text :index 1 "fileinto \"Lists\"" {
		test_fail "the action";
	}
	if not test_result_action :text "keep" { test_fail "the other action"; }
	if test_result_action :text "fileinto" { test_fail "no name"; }
}
test "a sequence" {
	test_mailbox_create "Lists";
	if not test_multiscript :script ["keep;",
		"require \"fileinto\"; fileinto \"Lists\";"] {
		test_fail "it does not run";
	}
	test_message :folder "Lists" 0;
	if test_message :folder "INBOX" 0 { test_fail "kept"; }
}
END
fails "a script in the case that is wrong" <<'END'
if not test_script_compile :script "frop;" { test_fail "it does not compile"; }
END
fails "another place of an error" <<'END'
if test_script_compile :script "frop;" { stop; }
if not test_error :located :matches "1:2: *" { test_fail "the place"; }
END
fails "another argument of an action" <<'END'
discard;
if not test_result_action :text "discard x" { test_fail "the action"; }
END
fails "a sequence of which one does not compile" <<'END'
if not test_multiscript :script ["keep;", "frop;"] { test_fail "as it should"; }
END

done_testing
