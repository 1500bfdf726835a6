"""Mail for a farm, and what became of it.

    farm.py send TARGET USERS               a mail to each user, "home-N"
    farm.py load TARGET USERS MESSAGES FOLDER
        Sends MESSAGES mails with one to five recipients each on 16 connections;
        who is refused for now gets the same mail again until it is taken.  The
        file FOLDER/sick names the backends that are disturbed just now.
        Prints what went wrong, and the longest time of a transaction with
        recipients of other backends only.
    farm.py check USERS MESSAGES FOLDER [LENIENT]
        Is every message at its recipients' home, once?  Of the backend LENIENT
        more than once is no fault.

Backends are FOLDER/NAME/USER/Maildir/new; a user's home is where home-N is.

SPDX-License-Identifier: MIT
"""

import collections
import os
import queue
import random
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import lmtp  # noqa: E402

CONNECTIONS = 16
PATIENCE_S = 300


def recipients_of(number, users):
    chance = random.Random(number)
    return chance.sample(range(users), chance.randint(1, 5))


def walk(folder):
    """(backend, user, subject) of all mail."""
    for backend in sorted(os.listdir(folder)):
        if not backend.startswith("back"):
            continue
        for user in os.listdir(os.path.join(folder, backend)):
            new = os.path.join(folder, backend, user, "Maildir", "new")
            for name in os.listdir(new) if os.path.isdir(new) else ():
                with open(os.path.join(new, name), errors="replace") as file:
                    for line in file:
                        if line.startswith("Subject: "):
                            yield backend, user, line[9:].strip()
                            break


def homes_of(folder):
    return {
        user: backend
        for backend, user, subject in walk(folder)
        if subject.startswith("home-")
    }


class Sender(threading.Thread):
    def __init__(self, load):
        super().__init__(daemon=True)
        self.load = load
        self.client = None

    def attempt(self, number, users):
        """Those that were not taken."""
        if self.client is None:
            self.client = lmtp.Client(self.load.target, timeout=60)
        replies = self.client.begin(
            "ada@client.example", ["user%d" % user for user in users]
        )
        accepted = [u for u, r in zip(users, replies) if r[-1][:1] == "2"]
        for reply in replies:
            self.load.note(reply[-1])
        if not accepted:
            self.client.say("RSET", "250")
            return users
        self.client.say("DATA", "354")
        self.client.write(lmtp.stuffed(lmtp.mail("m%d" % number, 2000)))
        self.client.write(b".\r\n")
        taken = []
        for user in accepted:
            reply = self.client.reply()[-1]
            self.load.note(reply)
            if reply[:1] == "2":
                taken.append(user)
        return [user for user in users if user not in taken]

    def timed(self, number, users):
        sick = self.load.sick()
        begin = time.monotonic()
        try:
            left = self.attempt(number, users)
        except (OSError, lmtp.Refused) as error:
            self.load.note("connection: %r" % (error,))
            self.client = None
            return users
        homes = {self.load.homes["user%d" % user] for user in users}
        if not homes & (sick | self.load.sick()):
            self.load.time(time.monotonic() - begin)
        return left

    def run(self):
        while True:
            try:
                number, users, due = self.load.queue.get_nowait()
            except queue.Empty:
                return
            time.sleep(max(0, due - time.monotonic()))
            left = self.timed(number, users)
            if left:
                self.load.again(number, left)


class Load:
    def __init__(self, target, users, messages, folder):
        self.target = target
        self.folder = folder
        self.homes = homes_of(folder)
        self.queue = queue.Queue()
        self.lock = threading.Lock()
        self.replies = collections.Counter()
        self.longest = 0
        self.end = time.monotonic() + PATIENCE_S
        for number in range(messages):
            self.queue.put((number, recipients_of(number, users), 0))

    def sick(self):
        try:
            with open(os.path.join(self.folder, "sick")) as file:
                return set(file.read().split())
        except OSError:
            return set()

    def again(self, number, users):
        if time.monotonic() < self.end:
            self.queue.put((number, users, time.monotonic() + 0.2))
        else:
            self.note("given up")

    def note(self, reply):
        with self.lock:
            self.replies[reply[:9] if reply[:3].isdigit() else reply] += 1

    def time(self, seconds):
        with self.lock:
            self.longest = max(self.longest, seconds)


def load(target, users, messages, folder):
    work = Load(target, users, messages, folder)
    while not work.queue.empty():
        senders = [Sender(work) for _ in range(CONNECTIONS)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
    for reply, count in sorted(work.replies.items()):
        if reply[:1] not in "24":
            print("unexpected: %s, %d times" % (reply, count))
    print("longest %.3f" % work.longest)
    for reply, count in sorted(work.replies.items()):
        print("# %7d %s" % (count, reply))


def send(target, users):
    client = lmtp.Client(target, timeout=60)
    for user in range(users):
        for reply in client.send_message(
            "ada@client.example", ["user%d" % user], lmtp.mail("home-%d" % user)
        ):
            if reply[-1][:1] != "2":
                print(user, reply[-1])
    client.quit()


def check(users, messages, folder, lenient):
    found = collections.Counter(walk(folder))
    homes = homes_of(folder)
    faults = 0
    expected = set()
    for number in range(messages):
        for user in recipients_of(number, users):
            name = "user%d" % user
            place = (homes[name], name, "m%d" % number)
            expected.add(place)
            if found[place] == 0 or (found[place] > 1 and homes[name] != lenient):
                faults += 1
                if faults < 10:
                    print("%d copies of %s" % (found[place], place))
    for place in found:
        if place not in expected and not place[2].startswith("home-"):
            faults += 1
            if faults < 10:
                print("nobody sent", place)
    print(len(expected), faults)


def main():
    if sys.argv[1] == "send":
        send(sys.argv[2], int(sys.argv[3]))
    elif sys.argv[1] == "load":
        load(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
    else:
        lenient = sys.argv[5] if len(sys.argv) > 5 else ""
        check(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], lenient)


main()
