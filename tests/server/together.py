"""Messages of many clients that end at the same moment.

    together.py TARGET GO LAST RECIPIENT...

Each recipient has a connection of its own; the final dots are sent one right after
the other.  Prints "RECIPIENT CODE" in the order of the command line, for all but
LAST, which is one of them; then makes the file GO and prints that of LAST.

SPDX-License-Identifier: MIT
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import lmtp  # noqa: E402


def main():
    target, go, last, recipients = (
        sys.argv[1],
        sys.argv[2],
        sys.argv[3],
        sys.argv[4:],
    )
    clients = {}
    for recipient in recipients:
        client = clients[recipient] = lmtp.Client(target)
        replies = client.begin("ada@client.example", [recipient], "")
        if replies[0][-1][:1] != "2":
            sys.exit("%s: %s" % (recipient, replies[0][-1]))
        client.say("DATA", "354")
        client.write(lmtp.stuffed(lmtp.mail("to " + recipient, 0)))
    for client in clients.values():
        client.write(b".\r\n")
    for recipient in recipients:
        if recipient != last:
            print(recipient, clients[recipient].reply()[-1][:3])
    open(go, "w").close()
    print(last, clients[last].reply()[-1][:3])
    for client in clients.values():
        client.quit()


main()
