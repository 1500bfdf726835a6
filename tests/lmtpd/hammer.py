# Eight clients deliver to one user, a ninth thread kills workers and state, a tenth
# removes mail as a reader would; every session ends in time.
#
#	hammer.py LIB SOCKET MAILDIR SERVER ROUNDS
#
# From a kill to the end of a session that began after it and was not put off it
# takes less than a second, in the middle; $BACK_S is how long it may take at most.  A
# quiet machine keeps 1 second, one that tests many things at a time may not.
#
# SPDX-License-Identifier: MIT
import os
import random
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, sys.argv[1])
import lmtp  # noqa: E402

socket, maildir, server, rounds = sys.argv[2:6]
left = int(rounds)
lock = threading.Lock()
ended = threading.Event()
replies = {}
killed = []
sessions = []
most_s = float(os.environ.get("BACK_S", 20))


def take_round():
    global left
    with lock:
        left -= 1
        return left >= 0


def deliver(number):
    client = lmtp.Client(socket)
    size = " SIZE=%d" % (number % 3000) if number % 2 else ""
    client.say("MAIL FROM:<ada@client.example>" + size, "250")
    reply = client.say("RCPT TO:<amy>")[-1]
    if reply.startswith("250"):
        client.say("DATA", "354")
        client.write(b"Subject: %d\r\n\r\n" % number + b"x" * 70 * 5 + b"\r\n" +
                     b"y\r\n" * (number % 1000))
        reply = client.say(".")[-1]
    client.quit()
    return reply[:3]


def client_thread(seed):
    dice = random.Random(seed)
    while take_round():
        began = time.monotonic()
        code = deliver(dice.randrange(1, 1 << 30))
        with lock:
            replies[code] = replies.get(code, 0) + 1
            sessions.append((began, time.monotonic(), code))


def children(kind):
    found = subprocess.run(["pgrep", "-P", server, "-f", "--",
                            "--child=%s$" % kind], capture_output=True)
    return [int(word) for word in found.stdout.split()]


def kill_thread():
    dice = random.Random(99)
    while not ended.wait(dice.uniform(0.01, 0.08)):
        found = children("state" if dice.random() < 0.1 else "worker")
        if found:
            try:
                os.kill(dice.choice(found), signal.SIGKILL)
                killed.append(time.monotonic())
            except ProcessLookupError:
                pass


# Maildir++ has no lock for it: the line and the removal are two steps, as anybody's.
def reader_thread():
    dice = random.Random(7)
    new = os.path.join(maildir, "new")
    while not ended.wait(dice.uniform(0.005, 0.05)):
        try:
            names = os.listdir(new)
        except FileNotFoundError:
            continue
        if len(names) < 20:
            continue
        for name in dice.sample(names, 15):
            try:
                os.unlink(os.path.join(new, name))
            except FileNotFoundError:
                pass
        # It counts for itself, by asking for a new count.
        try:
            os.unlink(os.path.join(maildir, "maildirsize"))
        except FileNotFoundError:
            pass


crowd = [threading.Thread(target=client_thread, args=(n,)) for n in range(8)]
others = [threading.Thread(target=kill_thread)]
if "HAMMER_ONLY_ADDS" not in os.environ:
    others.append(threading.Thread(target=reader_thread))
for thread in crowd + others:
    thread.start()
for thread in crowd:
    thread.join()
ended.set()
for thread in others:
    thread.join()


# 451 says that somebody has died; all else is an answer.
def back_after(moment):
    ends = [end - moment for began, end, code in sessions
            if began >= moment and code != "451"]
    return min(ends, default=0.0)


answered = sum(replies.values())
longest = max(end - began for began, end, code in sessions)
backs = sorted(map(back_after, killed)) or [0.0]
back = backs[-1]
print("%d of %s answered %s, %d processes killed, the longest session took "
      "%.2f s, the next answer %.2f s, %.3f s in the middle" % (
          answered, rounds, replies, len(killed), longest, back,
          backs[len(backs) // 2]))
if answered != int(rounds) or len(killed) == 0 or "250" not in replies:
    sys.exit(1)
if longest > most_s or back > most_s or backs[len(backs) // 2] > 1:
    sys.exit("somebody waited for too long")
