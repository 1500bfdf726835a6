#!/bin/sh
# What stops scripts/quickstart and scripts/deps is said, and nothing else.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/lib/tap.sh
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"

# root may write everything: somebody else has to try.
as_user=
[ "$(id -u)" -ne 0 ] ||
	as_user='setpriv --reuid=nobody --regid=nogroup --clear-groups'
mkdir -p top/scripts top/build-quickstart
cp "$TEST_SOURCE/scripts/quickstart" top/scripts/
echo "echo packages" >top/scripts/deps
echo "an old failure" >top/build-quickstart/quickstart.log
chmod a-w top/build-quickstart/quickstart.log
chmod -R a+rX .
# shellcheck disable=SC2086 # words
out=$($as_user sh top/scripts/quickstart 2>&1)
is "$?:$out" "1:build-quickstart belongs to $(id -un): remove it and start again" \
	"a build folder of somebody else is named first"
out=$(sh top/scripts/quickstart --stop 2>&1)
like "$?:$out" "1:*there is no server of an earlier run" \
	"--stop says when there is nothing to stop"
out=$(sh top/scripts/quickstart --nonsense 2>&1)
like "$?:$out" "1:*usage: scripts/quickstart*" "other options are refused"

# Stand-ins: nothing is installed until apt-get has done its part.
mkdir bin
cat >bin/dpkg-query <<END
#!/bin/sh
[ -e $TEST_WORK/installed ] && echo installed
END
cat >bin/apt-get <<END
#!/bin/sh
echo "line of apt"
case "\$*" in
*install*) [ ! -e $TEST_WORK/broken ] && : >$TEST_WORK/installed ;;
esac
END
printf '#!/bin/sh\necho 0\n' >bin/id
chmod +x bin/*
deps() {
	TMPDIR=$TEST_WORK PATH="$TEST_WORK/bin:$PATH" \
		sh "$TEST_SOURCE/scripts/deps" --build 2>&1
}
out=$(deps)
like "$?:$out" "0:scripts/deps: installing: *gcc*" "deps says what it installs"
is "$(echo "$out" | wc -l)" 1 "in one line"
rm installed
: >broken
out=$(deps)
like "$?:$out" "1:*installing: *line of apt*apt-get install*failed" \
	"and shows apt's own words when that fails"
is "$(find . -name 'tmp.*')" "" "no file is left behind"
done_testing
