"""Many connections at a time.

    crowd.py SOCKET COUNT PID

Opens 1,000 connections and prints the proportional memory of the process tree of
PID, then goes on to COUNT, tries one more, and delivers a message by one of them.

SPDX-License-Identifier: MIT
"""

import os
import resource
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import lmtp  # noqa: E402


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


def open_clients(target, clients, count):
    while len(clients) < count:
        clients.append(lmtp.Client(target, timeout=60, greet=False))
        if len(clients) % 100 == 0:
            for client in clients[-100:]:
                client.expect("220")
    print("%d greeted" % count)


def main():
    target, count, pid = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 30000),) * 2)
    clients = []
    open_clients(target, clients, 1000)
    print("PSS %d kB" % pss_kb(pid))
    open_clients(target, clients, count)
    more = lmtp.Client(target, greet=False)
    print("one more:", more.reply()[-1])
    print("PSS of all %d kB" % pss_kb(pid))
    client = clients[count // 2]
    client.say("LHLO client.example", "250")
    replies = client.send_message("ada@client.example", ["x"], lmtp.mail("x"))
    print("delivered", replies[0][-1])


main()
