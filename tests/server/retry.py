"""Cut the connection after the final dot, and try again until it is answered.

    retry.py TARGET COUNT SEED RECIPIENT...

Sends COUNT messages, each to one recipient or to several, by turns.  After the dot
the client goes away at a moment that differs each time: at once, after some
fraction of a millisecond, after the first byte of the reply, or after the whole
reply without a further command.  It then sends the very same message again, until
a 2xx has been read whole.  Prints a line for each pair of message and recipient
that must now be there exactly once:

    SUBJECT RECIPIENT

SPDX-License-Identifier: MIT
"""

import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import lmtp  # noqa: E402

DEADLINE_S = 120


def go_away(client, rng):
    if rng.random() < 0.5:
        client.close()
    else:
        client.reset()


def cut(client, rng):
    """One way to vanish after the final dot."""
    way = rng.randrange(4)
    if way == 1:
        time.sleep(rng.random() * 0.004)
    elif way == 2:
        try:
            client.socket.recv(1)
        except OSError:
            pass
    elif way == 3:
        try:
            client.reply()
        except OSError:
            pass
    go_away(client, rng)


def attempt(target, recipients, message, rng, may_cut):
    """The recipients that still lack a 2xx."""
    client = lmtp.Client(target)
    replies = client.begin("ada@client.example", recipients)
    accepted = [
        r for r, reply in zip(recipients, replies) if reply[-1][:1] == "2"
    ]
    open_ones = [r for r in recipients if r not in accepted]
    if not accepted:
        client.quit()
        return open_ones
    client.say("DATA", "354")
    client.write(lmtp.stuffed(message) + b".\r\n")
    if may_cut:
        cut(client, rng)
        return recipients
    for recipient in accepted:
        reply = client.reply()
        if reply[-1][:1] == "5":
            raise lmtp.Refused("DATA", reply)
        if reply[-1][:1] != "2":
            open_ones.append(recipient)
    client.quit()
    return open_ones


def main():
    target, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    everybody = sys.argv[4:]
    rng = random.Random(seed)
    end = time.monotonic() + DEADLINE_S
    for number in range(count):
        subject = "retry-%d-%d" % (seed, number)
        message = lmtp.mail(subject, rng.choice([0, 4096, 4096, 100000]))
        recipients = everybody if number % 4 == 0 else [rng.choice(everybody)]
        cuts = rng.randrange(1, 4)
        missing = recipients
        while missing:
            if time.monotonic() > end:
                sys.exit("no end to the retries of %s" % subject)
            try:
                missing = attempt(target, missing, message, rng, cuts > 0)
            except (OSError, EOFError):
                pass
            cuts -= 1
            if cuts < 0:
                time.sleep(0.02)
        for recipient in recipients:
            print(subject, recipient)


main()
