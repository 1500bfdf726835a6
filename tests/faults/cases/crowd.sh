# Many deliveries to one user at once.
# SPDX-License-Identifier: MIT
# Names come from ../fault.sh; no path of a test has a blank.
# shellcheck shell=sh disable=SC2034,SC2046,SC2154

scene fresh
n=0
while [ $n -lt 50 ]; do
	n=$((n + 1))
	{
		as_victim "$lda" -c "$conf" -f ada@client.example <"$sent" \
			>"$TEST_WORK/crowd.$n" 2>&1
		echo $? >"$TEST_WORK/crowd.$n.status"
	} &
done
wait
is "$(cat "$TEST_WORK"/crowd.*.status | sort | uniq -c | tr -s ' ')" " 50 0" \
	"50 deliveries at once all succeed"
is "$(visible | wc -l)" 100 "each files both of its copies"
status=0
is "$(verdict)" "" "all are whole"
is "$(leftovers)" "" "nothing is left in tmp"
is "$(find "$home" -name subscriptions -exec grep -c Lists {} +)" 1 \
	"the new folder is subscribed once"
rm -f "$TEST_WORK"/crowd.*
