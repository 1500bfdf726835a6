"""Deliver one message to all recipients in one transaction.

    deliver.py TARGET RECIPIENT...

Prints "RECIPIENT CODE" for each: of the final reply, or of the one to RCPT when
that was no 2xx.  SIZE, SUBJECT and SENDER come from the environment.

SPDX-License-Identifier: MIT
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import lmtp  # noqa: E402


def main():
    target, recipients = sys.argv[1], sys.argv[2:]
    subject = os.environ.get("SUBJECT", "subject-%d" % os.getpid())
    message = lmtp.mail(subject, int(os.environ.get("SIZE", "0")))
    client = lmtp.Client(target)
    replies = client.begin(
        os.environ.get("SENDER", "ada@client.example"),
        recipients,
        os.environ.get("PARAMETERS", ""),
    )
    accepted = [reply[-1][:1] == "2" for reply in replies]
    if any(accepted):
        client.say("DATA", "354")
        client.write(lmtp.stuffed(message) + b".\r\n")
        for place, yes in enumerate(accepted):
            if yes:
                replies[place] = client.reply()
    for recipient, reply in zip(recipients, replies):
        print(recipient, reply[-1][:3])
        if "-v" in os.environ.get("OPTIONS", ""):
            print("\n".join(reply))
    client.quit()


main()
