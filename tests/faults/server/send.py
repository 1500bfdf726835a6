"""Several transactions in one session.

    send.py TARGET SIZE:RECIPIENT[,RECIPIENT...]...

Prints for each recipient its name, and code and status of the last reply to it.

SPDX-License-Identifier: MIT
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../..", "lib"))
import lmtp  # noqa: E402


def transaction(client, size, recipients, subject):
    replies = client.begin("ada@client.example", recipients)
    accepted = [reply[-1][:1] == "2" for reply in replies]
    if any(accepted):
        client.say("DATA", "354")
        client.write(lmtp.stuffed(lmtp.mail(subject, size)) + b".\r\n")
        for place, yes in enumerate(accepted):
            if yes:
                replies[place] = client.reply()
    else:
        client.say("RSET", "250")
    for recipient, reply in zip(recipients, replies):
        print(recipient, *reply[-1].split()[:2])


def main():
    client = lmtp.Client(sys.argv[1])
    for number, argument in enumerate(sys.argv[2:]):
        size, recipients = argument.split(":")
        subject = "send-%d-%d" % (os.getpid(), number)
        transaction(client, int(size), recipients.split(","), subject)
    client.quit()


main()
