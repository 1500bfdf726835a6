#!/bin/sh
# scripts/deps brings every program that the tests and scripts call.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/lib/tap.sh
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"

command -v dpkg >/dev/null || skip_all "this is no Debian"
listed=$("$TEST_SOURCE/scripts/deps" --list)

# The package that a program is of; its path may be from before /usr was merged.
# Nothing when it is not here or of no package.
package_of() {
	file=$(command -v "$1") || return
	dpkg -S "$file" "/usr$file" "${file#/usr}" 2>/dev/null |
		sed 's/[:,].*//; q'
}

# Named here are those that an essential package does not bring.
for program in autoconf automake clang clang-format clang-tidy cppcheck \
	doveadm dovecot gcc ip jq maildrop make mandoc mount pgrep postfix \
	prlimit python3 readelf scdoc setpriv shellcheck strace umount \
	unshare xz; do
	package=$(package_of "$program")
	case $package in
	"")
		skip "$program is brought" "no package has brought it here"
		continue
		;;
	binutils*) package=gcc ;; # needs them
	dovecot-core) package=dovecot-imapd ;;
	python3-minimal) package=python3 ;;
	esac
	like "
$listed
" "*
$package
*" "$program: package $package is listed"
done
done_testing
