"""Many small messages, each in a transaction of its own, never confirmed.

    flood.py TARGET COUNT USER

Each is sent on a connection that is closed after the reply.  Prints how often each
code was the answer.

SPDX-License-Identifier: MIT
"""

import collections
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../..", "lib"))
import lmtp  # noqa: E402


def main():
    target, count, user = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    codes = collections.Counter()
    for number in range(count):
        client = lmtp.Client(target)
        message = lmtp.mail("flood-%d" % number)
        replies = client.send_message("ada@client.example", [user], message)
        codes[replies[0][-1][:3]] += 1
        client.close()
    for code, times in sorted(codes.items()):
        print(code, times)


main()
