"""Much of something, in one session.

    large.py TARGET command|line|recipients|message [PID]

Prints code and status of the replies; with PID also the largest proportional memory
of its process tree, in kB, while the message was sent and filed.

SPDX-License-Identifier: MIT
"""

import collections
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../..", "lib"))
import lmtp  # noqa: E402

MEGABYTE = 1 << 20


def show(reply):
    print(*reply[-1].split()[:2])


def command(client):
    client.write(b"VRFY " + b"x" * MEGABYTE + b"\r\n")
    show(client.reply())
    show(client.say("NOOP"))


def line(client):
    message = b"Subject: line\r\n\r\n" + b"x" * MEGABYTE + b"\r\n"
    show(client.send_message("ada@client.example", ["line"], message)[0])


def recipients(client):
    names = ["many%d" % number for number in range(10000)]
    replies = []
    client.say("MAIL FROM:<ada@client.example>", "250")
    for first in range(0, len(names), 500):
        part = names[first : first + 500]
        client.write(b"".join(b"RCPT TO:<%s>\r\n" % n.encode() for n in part))
        replies += [client.reply() for _ in part]
    accepted = [reply for reply in replies if reply[-1][:1] == "2"]
    client.say("DATA", "354")
    client.write(lmtp.mail("many") + b".\r\n")
    for of_all in replies, [client.reply() for _ in accepted]:
        counter = collections.Counter(
            " ".join(reply[-1].split()[:2]) for reply in of_all
        )
        for status, count in sorted(counter.items()):
            print(count, "of", status)


def tree(pid):
    yield pid
    with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
        for child in file.read().split():
            yield from tree(int(child))


def pss_kb(pid):
    total = 0
    for process in tree(pid):
        try:
            with open("/proc/%d/smaps_rollup" % process) as file:
                lines = file.readlines()
        except OSError:
            continue
        total += sum(int(l.split()[1]) for l in lines if l.startswith("Pss:"))
    return total


def message(client):
    done = threading.Event()
    seen = [0]

    def watch():
        while not done.wait(0.05):
            seen[0] = max(seen[0], pss_kb(int(sys.argv[3])))

    watcher = threading.Thread(target=watch)
    watcher.start()
    client.begin("ada@client.example", ["message"])
    client.say("DATA", "354")
    client.write(b"Subject: message\r\n\r\n")
    part = (b"y" * 70 + b"\r\n") * 14564
    for _ in range(100):
        client.write(part)
    client.write(b".\r\n")
    show(client.reply())
    done.set()
    watcher.join()
    print("PSS", seen[0], "kB")


def main():
    client = lmtp.Client(sys.argv[1])
    {
        "command": command,
        "line": line,
        "recipients": recipients,
        "message": message,
    }[sys.argv[2]](client)
    client.quit()


main()
