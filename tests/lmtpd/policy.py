# Asks quota-status.  SPDX-License-Identifier: MIT
#
#   policy.py SOCKET ask [NAME=VALUE... [-- NAME=VALUE...]]   one action a line
#   policy.py SOCKET many CONNECTIONS REQUESTS                pipelined
#   policy.py SOCKET flood BYTES                              what comes of it
import socket
import sys
import threading
import time


def connect():
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(30)
    client.connect(sys.argv[1])
    return client


def answers(client, count):
    got = b""
    while got.count(b"\n\n") < count:
        data = client.recv(65536)
        if not data:
            break
        got += data
    return [part.decode() for part in got.split(b"\n\n") if part]


def ask(words):
    requests = [[]]
    for word in words:
        if word == "--":
            requests.append([])
        else:
            requests[-1].append(word)
    client = connect()
    client.sendall("".join("".join(line + "\n" for line in request) + "\n"
                           for request in requests).encode())
    print("\n".join(answers(client, len(requests))))


def one(count, totals):
    client = connect()
    full = "request=smtpd_access_policy\nrecipient=amy\nsize=%d\n\n"
    texts = [full % (99999999 if n % 3 == 0 else 10) for n in range(count)]
    threading.Thread(
        target=lambda: client.sendall("".join(texts).encode())).start()
    got = answers(client, count)
    wanted = ["554" if n % 3 == 0 else "DUN" for n in range(count)]
    totals.append([answer[7:10] for answer in got] == wanted)


def many(connections, count):
    totals = []
    began = time.monotonic()
    crowd = [threading.Thread(target=one, args=(count, totals))
             for _ in range(connections)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    print("%d of %d" % (sum(totals), connections))
    print("%d a second" % (connections * count / (time.monotonic() - began)),
          file=sys.stderr)


def flood(count):
    client = connect()
    try:
        client.sendall(b"x" * count)
        print(len(client.recv(100)))
    except (BrokenPipeError, ConnectionResetError):
        print(0)


if sys.argv[2] == "ask":
    ask(sys.argv[3:])
elif sys.argv[2] == "many":
    many(int(sys.argv[3]), int(sys.argv[4]))
else:
    flood(int(sys.argv[3]))
