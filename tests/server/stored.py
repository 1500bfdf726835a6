"""Compare what is stored with what was answered 2xx.

    stored.py FOLDER ANSWERED...

FOLDER has a folder for each user, with a Maildir in it.  ANSWERED are files with
lines "SUBJECT RECIPIENT".  Prints what is missing and what is there twice; nothing
when all is right.

SPDX-License-Identifier: MIT
"""

import collections
import os
import sys


def stored(folder):
    found = collections.Counter()
    for user in os.listdir(folder):
        for part in "new", "cur":
            path = os.path.join(folder, user, "Maildir", part)
            if not os.path.isdir(path):
                continue
            for name in os.listdir(path):
                with open(os.path.join(path, name), "rb") as file:
                    for line in file:
                        if line.startswith(b"Subject: "):
                            found[line[9:].decode().strip(), user] += 1
                            break
    return found


def main():
    found = stored(sys.argv[1])
    answered = collections.Counter()
    for name in sys.argv[2:]:
        with open(name) as file:
            for line in file:
                subject, recipient = line.split()
                answered[subject, recipient.split("@")[0]] += 1
    for pair in answered:
        if found[pair] == 0:
            print("missing:", *pair)
    for pair, count in found.items():
        if count > 1:
            print("there %d times:" % count, *pair)
    if not answered:
        print("nothing was answered")


main()
