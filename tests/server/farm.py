"""A client of a farm.

    farm.py send TARGET USER...     a mail to each, one after the other

Prints "USER CODE STATUS" of the reply that counts.

SPDX-License-Identifier: MIT
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import lmtp  # noqa: E402


def send(client, user):
    for line in ("MAIL FROM:<ada@client.example>", "RCPT TO:<%s>" % user):
        reply = client.say(line)
        if reply[-1][:1] != "2":
            client.say("RSET", "250")
            return reply[-1]
    client.say("DATA", "354")
    client.write(lmtp.stuffed(lmtp.mail("to " + user, 0)))
    client.write(b".\r\n")
    return client.reply()[-1]


def main():
    client = lmtp.Client(sys.argv[2], timeout=120)
    for user in sys.argv[3:]:
        print(user, *send(client, user).split()[:2], flush=True)
    client.quit()


main()
