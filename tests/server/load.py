"""Deliver as an MTA does while processes of the server are killed.

    load.py TARGET SECONDS SEED RECIPIENT...

Sends messages one after the other until the time is over, each until it has its
2xx: a lost connection and a 4xx are tried again.  A 5xx ends the run with an
error.  Prints a line for each pair of message and recipient that was answered 2xx:

    SUBJECT RECIPIENT

and at last on standard error how many tries there were.

SPDX-License-Identifier: MIT
"""

import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import lmtp  # noqa: E402


class Sender:
    def __init__(self, target):
        self.target = target
        self.client = None
        self.tries = 0
        self.longest_outage = 0

    def send_once(self, recipients, message):
        """The recipients that still lack a 2xx."""
        if self.client is None:
            self.client = lmtp.Client(self.target, timeout=20)
        replies = self.client.begin("ada@client.example", recipients)
        for recipient, reply in zip(recipients, replies):
            if reply[-1][:1] == "5":
                raise lmtp.Refused("RCPT " + recipient, reply)
        accepted = [
            r for r, reply in zip(recipients, replies) if reply[-1][:1] == "2"
        ]
        missing = [r for r in recipients if r not in accepted]
        if not accepted:
            self.client.say("RSET", "250")
            return missing
        self.client.say("DATA", "354")
        self.client.write(lmtp.stuffed(message) + b".\r\n")
        for recipient in accepted:
            reply = self.client.reply()
            if reply[-1][:1] == "5":
                raise lmtp.Refused("DATA", reply)
            if reply[-1][:1] != "2":
                missing.append(recipient)
        return missing

    def send(self, recipients, message):
        missing = recipients
        began = None
        while missing:
            self.tries += 1
            before = len(missing)
            try:
                missing = self.send_once(missing, message)
            except lmtp.Refused as refused:
                if refused.args[1][-1][:1] != "4":
                    raise
                self.drop()
            except OSError:
                self.drop()
            if len(missing) == before:
                began = began or time.monotonic()
                time.sleep(0.01)
        if began:
            self.longest_outage = max(
                self.longest_outage, time.monotonic() - began
            )

    def drop(self):
        if self.client is not None:
            self.client.close()
        self.client = None


def main():
    target, seconds, seed = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    everybody = sys.argv[4:]
    rng = random.Random(seed)
    sender = Sender(target)
    end = time.monotonic() + seconds
    number = 0
    while time.monotonic() < end:
        subject = "load-%d-%d" % (seed, number)
        number += 1
        message = lmtp.mail(subject, rng.choice([0, 4096, 100000]))
        recipients = rng.sample(everybody, rng.choice([1, 1, len(everybody)]))
        sender.send(recipients, message)
        for recipient in recipients:
            print(subject, recipient, flush=True)
    if sender.client is not None:
        sender.client.quit()
    print(
        "%d messages, %d tries, longest wait %.1f s"
        % (number, sender.tries, sender.longest_outage),
        file=sys.stderr,
    )


main()
