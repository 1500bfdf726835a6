#!/bin/sh
# configure names the Debian package of whatever is missing.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/lib/tap.sh
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"

command -v pkg-config >/dev/null || bail_out "there is no pkg-config"
unset MAKEFLAGS MFLAGS PKG_CONFIG_PATH PKG_CONFIG_LIBDIR

# What configure finds out before it comes to libraries need not be found out
# four times.
cache=$TEST_WORK/cache
sed -n "s/^\(ac_cv_prog_[a-zA-Z0-9_]*\)=/\1=/p" "$TEST_BUILD/config.log" \
	>"$cache" || bail_out "$TEST_BUILD has no config.log"

# without NAME [VARIABLE=VALUE...]: configure as if NAME were missing; its
# output in NAME.out.
without() {
	name=$1
	shift
	mkdir "$name"
	(
		cd "$name" && cp "$cache" config.cache &&
			env "$@" "$TEST_SOURCE/configure" -C \
				>../"$name.out" 2>&1
		echo "status $?" >>../"$name.out"
	) &
}

# pc NAME...: a folder in which pkg-config knows just these.
pc() {
	folder=$TEST_WORK/pc.$#
	mkdir -p "$folder"
	for module; do
		cp "$(pkg-config --variable=pcfiledir "$module")/$module.pc" \
			"$folder" || bail_out "$module is not installed"
	done
	echo "$folder"
}

mkdir fake
echo '#error "no such header"' >fake/db.h
without libssl-dev PKG_CONFIG_LIBDIR="$(pc)"
without libpcre2-dev PKG_CONFIG_LIBDIR="$(pc libssl libcrypto)"
without libutf8proc-dev PKG_CONFIG_LIBDIR="$(pc libssl libcrypto libpcre2-8)"
without libdb5.3-dev CPPFLAGS="-I$TEST_WORK/fake"
without scdoc ac_cv_path_SCDOC=no
wait

for package in libssl-dev libpcre2-dev libutf8proc-dev libdb5.3-dev scdoc; do
	out=$(cat "$package.out")
	like "$out" "*is missing: install the Debian package $package*" \
		"a missing $package is named"
	unlike "$out" "*status 0" "configure fails without $package"
	like "$("$TEST_SOURCE"/scripts/deps --build --list)" "*$package*" \
		"scripts/deps installs $package"
done
done_testing
