"""Many clients whose mail is forwarded, and a mailer that is killed meanwhile.

    leaving.py LIB SOCKET RELAY CLIENTS MESSAGES MARKER ROUND

Each client comes again with what is answered 4xx, as an MTA does.  A mailer is
killed by whoever waits for the file MARKER, which is there when a third of the mail
has left.  Prints how many messages were promised and how many of them never left.

SPDX-License-Identifier: MIT
"""
import os
import re
import sys
import threading
import time

sys.path.insert(0, sys.argv[1])
import lmtp  # noqa: E402

SOCKET, RELAY = sys.argv[2:4]
CLIENTS, MESSAGES = map(int, sys.argv[4:6])
MARKER, ROUND = sys.argv[6:8]
LOCK = threading.Lock()
promised, deferred = set(), []


def deliver(client, name):
    message = b"Message-ID: <%s@client.example>\r\nSubject: x\r\n\r\nx\r\n"
    for _ in range(100):
        reply = client.send_message("ada@client.example", ["amy@example.test"],
                                    message % name.encode())[0][-1]
        if reply.startswith("250"):
            with LOCK:
                promised.add(name)
                if len(promised) == CLIENTS * MESSAGES // 3:
                    open(MARKER, "w").close()
            return
        with LOCK:
            deferred.append(reply)
        time.sleep(0.05)


def work(own):
    client = lmtp.Client(SOCKET, timeout=60)
    for number in range(MESSAGES):
        deliver(client, "m%s.%d.%d" % (ROUND, own, number))
    client.quit()


def arrived():
    found = []
    for name in os.listdir(RELAY):
        if name.isdigit():
            with open(os.path.join(RELAY, name), "rb") as file:
                found += re.findall(rb"<(m[0-9.]+)@client", file.read())
    return [name.decode() for name in found]


threads = [threading.Thread(target=work, args=[own]) for own in range(CLIENTS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
there = arrived()
print("promised %d, lost %d" % (len(promised), len(promised - set(there))))
print("deferred %d, twice %d" % (len(deferred), len(there) - len(set(there))),
      file=sys.stderr)
