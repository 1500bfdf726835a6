#!/bin/sh
# make install puts everything where the documentation says.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/lib/tap.sh
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"

unset MAKEFLAGS MFLAGS
root=$TEST_WORK/root
ok "make install works with DESTDIR and prefix" \
	make -C "$TEST_BUILD" install DESTDIR="$root" prefix=/opt/doorstep

installed() {
	(cd "$root" && find . -type f | sort)
}
for file in bin/doorstep libexec/doorstep/doorstep-lda \
	share/man/man1/doorstep.1 share/man/man8/doorstep-lda.8; do
	ok "$file is installed" test -f "$root/opt/doorstep/$file"
done
for file in bin/doorstep libexec/doorstep/doorstep-lda; do
	is "$(stat -c %a "$root/opt/doorstep/$file")" 755 \
		"$file may be run by everybody and has no more rights"
done
is "$(installed | grep -v '^./opt/doorstep/')" "" \
	"nothing is put outside of the prefix"

ok "make uninstall works" \
	make -C "$TEST_BUILD" uninstall DESTDIR="$root" prefix=/opt/doorstep
is "$(installed)" "" "make uninstall leaves no file"
done_testing
