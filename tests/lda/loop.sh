#!/bin/sh
# Mail that has been here before, or everywhere.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lda/lda.sh"

hop='Received: from a.example by b.example; Mon, 1 Jan 2024 00:00:00 +0000'
here='Delivered-To: amy@mx.example.test'

# goes STATUS NAME OPTION...: what becomes of the message "given".
goes() {
	expected=$1 name=$2
	shift 2
	fresh
	input=given
	lda "$@"
	is "$status:$(everything)" "$expected" "$name"
}
{
	echo "$hop"
	echo "$here"
	cat message
} >given
goes 77:0 "mail that was delivered and came back"
like "$err" "5.4.6 *" "its status is 5.4.6"
goes 100:0 "the same for qmail" --exit-style qmail
goes 0:1 "where mail is fetched from such a mailbox, it can be let in" \
	-o message_loop_check=no
sed 's/amy/AMY/' given >capitals
mv capitals given
goes 77:0 "capitals are no disguise"
{
	echo "$here"
	echo "$hop"
	cat message
} >given
goes 0:1 "a Delivered-To that the MTA wrote for this delivery is no loop"
{
	echo "$hop"
	echo "Delivered-To: other@mx.example.test"
	cat message
} >given
goes 0:1 "somebody else's Delivered-To is no loop"

# hops NUMBER
hops() {
	awk -v n="$1" -v hop="$hop" 'BEGIN { while (n-- > 0) print hop }'
	cat message
}
hops 100 >given
goes 0:1 "100 hops are no loop"
hops 101 >given
goes 77:0 "101 are one"
like "$err" "5.4.6 *" "whose status is 5.4.6, too"
goes 0:1 "message_max_hops is the limit" -o message_max_hops=200
done_testing
