require "vnd.dovecot.testsuite";
test_fail "yes";
