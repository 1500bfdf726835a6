"""Many clients that stop in the middle of a message, and one that does not.

    slow.py TARGET COUNT

SPDX-License-Identifier: MIT
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import lmtp  # noqa: E402


def main():
    target, count = sys.argv[1], int(sys.argv[2])
    slow = []
    for number in range(count):
        client = lmtp.Client(target)
        client.begin("ada@client.example", ["slow%d" % number])
        client.say("DATA", "354")
        client.write(b"Subject: never ending\r\n\r\nhalf a li")
        slow.append(client)
    fast = lmtp.Client(target)
    replies = fast.send_message("ada@client.example", ["fast"], lmtp.mail("f"))
    print("fast", replies[0][-1][:3])
    ends = {client.reply()[-1][:9] for client in slow}
    print("slow", *ends)


main()
