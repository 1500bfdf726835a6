# Mixed deliveries by Doorstep, moves and removals by Dovecot, some at the same
# time; after each lot the file and what is there must agree.
#
#	quota.py LDA CONF DOVECOT_CONF ROUNDS
#
# SPDX-License-Identifier: MIT
import os
import random
import subprocess
import sys

lda, conf, dovecot_conf, rounds = sys.argv[1:5]
root = os.path.join(os.environ["HOME"], "Maildir")
dice = random.Random(1)
counts = {"stored": 0, "refused": 0, "taken away": 0}


def start_delivery():
    folder = dice.choice(["INBOX", "INBOX", "Lists", "Trash", "Spam"])
    text = b"Subject: x\n\n" + b"x" * dice.randrange(1, 20000) + b"\n"
    run = subprocess.Popen([lda, "-c", conf, "-e", "-m", folder],
                           stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    run.stdin.write(text)
    run.stdin.close()
    run.stdin = None
    return run


def start_dovecot(*words):
    return subprocess.Popen(["doveadm", "-c", dovecot_conf, *words],
                            stderr=subprocess.PIPE)


def start_removal():
    folder = dice.choice(["INBOX", "Lists", "Trash", "Spam"])
    if dice.random() < 0.3:
        return start_dovecot("move", "Trash", "mailbox", folder, "1:2")
    return start_dovecot("expunge", "mailbox", folder, "1:%d" %
                         dice.randrange(1, 6))


def finish(runs):
    for run, is_delivery in runs:
        said = run.communicate()[1].decode()
        if not is_delivery:
            counts["taken away"] += 1
            if run.returncode not in (0, 68, 75):
                sys.exit("doveadm: %d %s" % (run.returncode, said))
        elif run.returncode == 0:
            counts["stored"] += 1
        elif "Quota exceeded" in said:
            counts["refused"] += 1
        else:
            sys.exit("delivery: %d %s" % (run.returncode, said))


def really():
    size = number = 0
    for name in ["", ".Lists", ".Trash"]:
        for part in ["new", "cur"]:
            path = os.path.join(root, name, part)
            for file in os.listdir(path) if os.path.isdir(path) else []:
                size += os.stat(os.path.join(path, file)).st_size
                number += 1
    return size, number


def told():
    try:
        with open(os.path.join(root, "maildirsize")) as file:
            lines = file.read().splitlines()[1:]
    except FileNotFoundError:
        return None
    pairs = [tuple(map(int, line.split())) for line in lines]
    return sum(p[0] for p in pairs), sum(p[1] for p in pairs)


def check(when):
    # Without a file the next one counts: that is no wrong count.
    file, disk = told(), really()
    if file is not None and file != disk:
        sys.exit("%s: maildirsize has %s, there are %s" % (when, file, disk))


done = 0
while done < int(rounds):
    # Deliveries at the same time, then one of Dovecot's at a time: it has no
    # lock that would keep a count of its own from what others do meanwhile.
    crowd = [(start_delivery(), True) for _ in range(dice.randrange(1, 5))]
    finish(crowd)
    done += len(crowd)
    check("after deliveries")
    if dice.random() < 0.5:
        finish([(start_removal(), False)])
        done += 1
        check("after a removal")
    if dice.random() < 0.05:
        finish([(start_dovecot("quota", "recalc"), False)])
        check("after a recount by Dovecot")
    if dice.random() < 0.02:
        os.unlink(os.path.join(root, "maildirsize"))
print(", ".join("%d %s" % (number, what) for what, number in counts.items()))
