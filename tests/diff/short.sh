#!/bin/sh
# Doorstep and Pigeonhole judge generated mail alike.
#
#	DIFF_SEED, DIFF_COUNT: which scripts and how many
#
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"

doorstep=$TEST_BUILD/ctl/doorstep
[ -x "$doorstep" ] || bail_out "no $doorstep: run make"
command -v python3 >/dev/null || skip_all "there is no python3"
command -v sieve-test >/dev/null ||
	skip_all "there is no sieve-test (Debian package dovecot-sieve)"
chmod 755 "$TEST_WORK"
seed=${DIFF_SEED:-1}
TZ=UTC python3 "$TEST_SOURCE/tests/diff/diff.py" --doorstep "$doorstep" \
	--seed "$seed" --count "${DIFF_COUNT:-300}" "$TEST_WORK" >found 2>&1
status=$?
diag "$(cat found)"
is $status 0 "every difference is explained in known.txt (seed $seed)"

# A difference that is there is found: a Doorstep that names other folders.
cat >liar <<END
#!/bin/sh
"$doorstep" "\$@" >answer
status=\$?
sed 's/fileinto ..t/&x/g' answer
exit \$status
END
chmod 755 liar
mkdir again
chmod 755 again
TZ=UTC python3 "$TEST_SOURCE/tests/diff/diff.py" --doorstep "$PWD/liar" \
	--count 8 again >found 2>&1
is $? 1 "a difference without an entry is a failure"
like "$(cat found)" "*unexplained: seed 1*" "and its case is named"
done_testing
