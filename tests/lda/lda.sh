# lda.sh - run doorstep-lda from a script that has read tests/lib/tap.sh
#
# Root runs the program as the user id $lda_account, by default one without an
# account, so that `make check` means the same for everybody.  $home is the
# user's home, $conf the configuration.
#
# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034 # what a run leaves is for the scripts

lda_uid=$(id -u)
if [ "$lda_uid" -eq 0 ]; then
	lda_uid=${lda_account:-61030}
	chmod 755 "$TEST_WORK"
	as_user() {
		setpriv --reuid=$lda_uid --regid=$lda_uid --clear-groups "$@"
	}
else
	as_user() {
		"$@"
	}
fi
umask 022
mkdir home bin
# A copy can be run wherever the build tree is.
install -m 755 "${DOORSTEP_LDA:-$TEST_BUILD/lda/doorstep-lda}" \
	bin/doorstep-lda || bail_out "no doorstep-lda: run make"
program=$TEST_WORK/bin/doorstep-lda
home=$TEST_WORK/home
conf=$TEST_WORK/doorstep.conf
log=$home/log
cat >"$conf" <<END
hostname = mx.example.test
mail_location = maildir:~/Maildir
log_path = $log
sendmail_path = $TEST_WORK/bin/sendmail
END
cat >bin/sendmail <<END
#!/bin/sh
{ printf 'Arguments: %s\n' "\$*"; cat; } >>"$home/outgoing"
END
chmod 755 bin/sendmail
cat >message <<'END'
From: Ada <ada@client.example>
To: amy@example.test
Subject: Hello
Message-ID: <hello@client.example>

A line of text.
END

# fresh: a home without mail, script or log.
fresh() {
	rm -rf "$home"
	mkdir "$home"
	[ "$(id -u)" -ne 0 ] || chown $lda_uid:$lda_uid "$home"
}
fresh

# What the environment has beside PATH.
environment="USER=amy HOME=$home"

# bare OPTION...: one run, the message on standard input from the file "message"
# or that in $input; sets $status, $out (standard output) and $err (error).
input=message
bare() {
	# shellcheck disable=SC2086 # several words
	as_user env -i PATH="$PATH" TZ=UTC LC_ALL=C $environment \
		"$program" "$@" <"$input" >.out 2>.err
	status=$?
	out=$(cat .out)
	err=$(cat .err)
}

# lda OPTION...: the same with our configuration.
lda() {
	bare -c "$conf" "$@"
}

# script <SCRIPT: the user's own.
script() {
	cat >"$home/.dovecot.sieve"
}

# stored [FOLDER]: paths of the messages of a folder, as a path below Maildir.
stored() {
	find "$home/Maildir${1:+/$1}/new" "$home/Maildir${1:+/$1}/cur" -type f \
		2>/dev/null
}

# count [FOLDER]
count() {
	stored "$@" | wc -l | tr -d ' '
}

# everything: how many messages there are anywhere.
everything() {
	find "$home" -type f \( -path '*/new/*' -o -path '*/cur/*' \) |
		wc -l | tr -d ' '
}
