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
is "$?:$out" "1:scripts/quickstart: build-quickstart belongs to $(id -un): remove it and start again" \
	"a build folder of somebody else is named first"
out=$(sh top/scripts/quickstart --stop 2>&1)
like "$?:$out" "1:*there is no server of an earlier run" \
	"--stop says when there is nothing to stop"
mkdir half-done "half-done/doorstep-quickstart.a b" elsewhere
printf '%s\n' "$PWD/gone/doorstep-quickstart.1" \
	"$PWD/half-done/doorstep-quickstart.a b" >top/build-quickstart/folder
out=$(sh top/scripts/quickstart --stop 2>&1)
is "$?:$out" "0:removed $PWD/half-done/doorstep-quickstart.a b" \
	"--stop removes what a run left that came to no server"
is "$(ls half-done)" "" "and it is gone"
out=$(sh top/scripts/quickstart --stop 2>&1)
like "$?:$out" "1:*there is no server of an earlier run" "once"
echo "$PWD/elsewhere" >top/build-quickstart/folder
out=$(sh top/scripts/quickstart --stop 2>&1)
like "$?:$out" "1:*no folder of ours" "--stop does not remove other folders"
is "$(ls -d elsewhere)" elsewhere "and it stays"
rm -rf top/build-quickstart
chmod a-w top
# shellcheck disable=SC2086 # words
out=$($as_user sh top/scripts/quickstart 2>&1)
like "$?:$out" "1:*may not write into $PWD/top: *" \
	"sources that cannot be written are named first"
chmod u+w top
out=$(sh "$TEST_SOURCE/samples/quickstart/send" nonexistent 2>&1)
like "$?:$out" "66:send: nonexistent is no file*" "send says what it cannot read"

printf '#!/bin/sh\nexit 1\n' >top/scripts/deps
cp "$TEST_SOURCE/scripts/test" "$TEST_SOURCE/scripts/suites" top/scripts/
chmod +x top/scripts/deps
like "$(sh top/scripts/test --list)" "build *perf *" \
	"test --list needs no packages"
out=$(sh top/scripts/test --help)
like "$?:$out" "0:usage: scripts/test *" "nor does test --help"
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
