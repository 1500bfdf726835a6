"""Connect, greet and leave, again and again.

    connect.py TARGET SECONDS

Prints how many connections there were and how many failed in any way.

SPDX-License-Identifier: MIT
"""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import lmtp  # noqa: E402


def main():
    end = time.monotonic() + float(sys.argv[2])
    count = failed = 0
    while time.monotonic() < end:
        count += 1
        try:
            lmtp.Client(sys.argv[1]).quit()
        except (OSError, lmtp.Refused) as error:
            failed += 1
            print(repr(error))
    print("%d connections, %d failed" % (count, failed))


main()
