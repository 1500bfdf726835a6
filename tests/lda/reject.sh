#!/bin/sh
# A script that refuses: the exit status and standard error (RFC 5429).
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lda/lda.sh"

fresh
script <<'END'
require "ereject";
ereject text:
I am not taking mail from you,
und schöne Grüße.
.
;
END
lda -e -f ada@client.example
is "$status" 77 "with -e a refusal is the status 77"
is "$err" "5.7.1 I am not taking mail from you,
und schöne Grüße." "and its reason is on standard error"
is "$(everything)" 0 "nothing is filed"
like "$(cat "$log")" "*rejected: I am not taking mail from you,*" \
	"the log has the refusal"
lda -e -f ada@client.example --exit-style qmail
is "$status" 100 "for qmail it is 100"
script <<'END'
require ["ereject", "variables"];
set "a" "0123456789012345678901234567890123456789";
set "b" "${a}${a}${a}${a}${a}${a}${a}${a}";
ereject "${b}${b}${b}${b}${b}${b}${b}${b}${b}${b}";
END
lda -e -f ada@client.example
is "$status" 77 "a very long reason"
ok "is cut" test ${#err} -lt 2060
like "$err" "5.7.1 0123*
\[...\]" "and says so"
script <<'END'
require ["reject", "fileinto"];
reject "no";
fileinto "Spam";
END
lda -e -f ada@client.example
is "$status:$(count)" 0:1 "a script that also files is in error and keeps"
like "$(cat "$home/.dovecot.sieve.log")" \
	"*:3:1: error: fileinto conflicts with the reject in line 2: *" \
	"and its owner is told"
done_testing
