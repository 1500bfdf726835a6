require "vnd.dovecot.testsuite";
if header :is "subject" "no" { test_fail "no"; }
