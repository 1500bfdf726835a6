# Ended from outside at every system call.
# SPDX-License-Identifier: MIT
# Names come from ../fault.sh; no path of a test has a blank.
# shellcheck shell=sh disable=SC2034,SC2046,SC2154

# Killed: nothing or whole copies; delivering again gives every copy.
after_kill() {
	if [ "$status" -ne 137 ]; then
		echo "was not killed (status $status)"
		return
	fi
	verdict
	deliver
	verdict
	[ "$status" -eq 0 ] || echo "then again: status $status"
}
for name in plain fresh large; do
	at_each_call $name signal=KILL after_kill
	harmless "kill -9 at every call leaves whole mail or none: $name"
done

# Asked to end: an orderly result, nothing lying about.
after_term() {
	case $status in
	0 | 75) ;;
	*) echo "status $status" ;;
	esac
	verdict
	leftovers
}
for name in plain fresh large; do
	at_each_call $name signal=TERM after_term
	harmless "SIGTERM at every call delivers or exits 75: $name"
done
at_each_call plain signal=HUP after_term
harmless "SIGHUP at every call delivers or exits 75"
