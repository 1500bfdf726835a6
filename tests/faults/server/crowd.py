"""More clients than the server has room for.

    crowd.py TARGET COUNT

Opens COUNT connections, prints how each kind of first line came how often, and
"tried", and waits for the end of standard input.

SPDX-License-Identifier: MIT
"""

import collections
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../..", "lib"))
import lmtp  # noqa: E402


def first_line(client):
    try:
        return client.reply()[-1][:3]
    except TimeoutError:
        return "silence"
    except OSError:
        return "closed"


def main():
    target, count = sys.argv[1], int(sys.argv[2])
    clients = [lmtp.Client(target, 0.2, greet=False) for _ in range(count)]
    lines = collections.Counter()
    for client in clients:
        lines[first_line(client)] += 1
        if lines["silence"] > 3:
            break
    print("greeted %d, 421 %d" % (lines["220"], lines["421"]))
    print("tried", dict(lines), flush=True)
    sys.stdin.read()


main()
