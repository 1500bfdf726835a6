#!/bin/sh
# The manual page has every setting as conf/keys.def describes it.
#
# SPDX-License-Identifier: MIT
TEST_SOURCE=${TEST_SOURCE:-$(dirname "$0")/../../..}
. "$TEST_SOURCE/tests/lib/tap.sh"

page=$TEST_SOURCE/docs/man/doorstep.conf.5.scd

sed -n '/^; begin of settings$/,/^; end of settings$/{/^;/d;p;}' "$page" |
	sed '1d' >found
"$TEST_BUILD/conf/settings_table" >expected
diff found expected >difference
is "$(cat difference)" "" \
	"doorstep.conf(5) has every setting (repair: make update-settings)"

# A line of its own for each key, whatever the table says.
keys=$(sed -n 's/^[A-Z]*_KEY([A-Z_]*, \([a-z0-9_]*\),.*/\1/p' \
	"$TEST_SOURCE/conf/keys.def")
missing=
for key in ${keys:-keys_of_keys.def}; do
	grep -q "^\*$key\*" "$page" || missing="$missing $key"
done
is "$missing" "" "no key of conf/keys.def is missing in doorstep.conf(5)"

done_testing
