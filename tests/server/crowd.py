"""A crowd of idle clients: what each costs, and what it costs the others.

    crowd.py TARGET COUNT PID DELIVERING       TARGET may be tls:HOST:PORT

DELIVERING clients deliver some messages each, all at the same time; then COUNT idle
ones connect, and those do it again.  Prints what it saw; PID is the server.

SPDX-License-Identifier: MIT
"""

import os
import resource
import statistics
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import lmtp  # noqa: E402

MESSAGES = 5


def tree(pid):
    yield pid
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/children" % (pid, task)) as file:
            for child in file.read().split():
                yield from tree(int(child))


def pss_kb(pid):
    total = 0
    for process in tree(pid):
        with open("/proc/%d/smaps_rollup" % process) as file:
            total += sum(
                int(line.split()[1]) for line in file if line.startswith("Pss:")
            )
    return total


def open_clients(target, count):
    clients = []
    while len(clients) < count:
        clients.append(lmtp.Client(target, timeout=60, greet=False))
        if len(clients) % 100 == 0 or len(clients) == count:
            for client in clients[-100:]:
                if not client.is_greeted:
                    client.expect("220")
                    client.is_greeted = True
    return clients


def deliver(clients, name):
    """All at once; milliseconds that a message took, and replies that are no 250."""
    took, wrong = [], []
    together = threading.Barrier(len(clients))

    def run(number, client):
        together.wait()
        for message in range(MESSAGES):
            begin = time.monotonic()
            reply = client.send_message(
                "ada@client.example",
                ["user%d" % number],
                lmtp.mail("%s.%d.%d" % (name, number, message)),
            )[0][-1]
            took.append((time.monotonic() - begin) * 1000)
            if not reply.startswith("250"):
                wrong.append(reply)

    threads = [
        threading.Thread(target=run, args=item) for item in enumerate(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(
        "%s: %d delivered, %d not; median %.1f ms, of 95%% below %.1f ms"
        % (
            name,
            len(took) - len(wrong),
            len(wrong) + len(clients) * MESSAGES - len(took),
            statistics.median(took),
            statistics.quantiles(took, n=20)[-1],
        )
    )
    return statistics.median(took)


def main():
    target, count, pid, delivering = sys.argv[1], *map(int, sys.argv[2:5])
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 30000),) * 2)
    busy = open_clients(target, delivering)
    deliver(busy, "warm")
    alone = deliver(busy, "alone")
    few = open_clients(target, min(count // 10, count - delivering))
    before = pss_kb(pid)
    many = open_clients(target, count - delivering - len(few))
    print("%d greeted" % (len(busy) + len(few) + len(many)))
    each = (pss_kb(pid) - before) * 1024 // len(many)
    print("bytes of an idle one: %d" % each)
    within = deliver(busy, "within")
    # The same machine, minutes apart at most; other programs make some noise.
    harm = "little" if within < 3 * alone + 100 else "much"
    print("harm: %s" % harm)
    if not target.startswith("tls:"):
        more = lmtp.Client(target, greet=False)
        print("one more:", more.reply()[-1])


main()
