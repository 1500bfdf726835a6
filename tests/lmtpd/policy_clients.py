# Clients of quota-status that are many, slow or silent.
#
#	policy_clients.py SOCKET|ADDRESS:PORT WHAT [ARGUMENT...]
#
# Root becomes the user id in $CLIENT_UID first.
#
# SPDX-License-Identifier: MIT
import encodings.idna  # noqa: F401 - read before root is given up
import fcntl
import os
import resource
import socket
import struct
import sys
import time

target, what = sys.argv[1:3]
arguments = sys.argv[3:]


def connect():
    if target.startswith("/"):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(60)
        client.connect(target)
        return client
    address, port = target.rsplit(":", 1)
    return socket.create_connection((address, int(port)), 60)


def request(recipient):
    return ("request=smtpd_access_policy\nprotocol_state=RCPT\n"
            "recipient=%s\nsize=10\n\n" % recipient).encode()


def answer(client):
    got = b""
    while not got.endswith(b"\n\n"):
        data = client.recv(4096)
        if not data:
            return "closed"
        got += data
    return got.decode().strip()


def ask(client, recipient):
    client.sendall(request(recipient))
    return answer(client)


# One question over TCP, or by another user: "closed" where nobody listens to us.
def one(recipient):
    try:
        print(ask(connect(), recipient))
    except (BrokenPipeError, ConnectionResetError):
        print("closed")


# All are there at a time, and each is answered.
def many(recipient, count):
    count = int(count)
    resource.setrlimit(resource.RLIMIT_NOFILE, (count + 100, max(
        count + 100, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    crowd = [connect() for _ in range(count)]
    answers = [ask(client, recipient) for client in crowd]
    again = [ask(client, recipient) for client in reversed(crowd)]
    print(len(crowd), set(answers + again))


# A request that comes byte by byte, and one of which only half comes.
def pieces(recipient):
    half = connect()
    half.sendall(request(recipient)[:40])
    client = connect()
    for byte in request(recipient):
        client.sendall(bytes([byte]))
    print(answer(client))
    half.sendall(request(recipient)[40:])
    print(answer(half))
    half.sendall(request(recipient)[:40])
    half.shutdown(socket.SHUT_WR)
    print(repr(half.recv(100)))


# The server ends a connection on which nothing comes, also in a request.
def silent(recipient):
    quiet, half = connect(), connect()
    half.sendall(request(recipient)[:40])
    print(repr(quiet.recv(100)), repr(half.recv(100)))


# Somebody holds the lock that a look at the first user's mailbox needs: the answer
# about him is late, and all others have theirs meanwhile.
def slow(table, stuck, other, count):
    lock = os.open(table, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.fcntl(lock, 37, struct.pack(  # F_OFD_SETLK
        "hhqqi4x", fcntl.F_WRLCK, 0, 1 << 40, 1, 0))
    waiting = [connect() for _ in range(3)]
    for client in waiting:
        client.sendall(request(stuck))
    answers = set()
    client = connect()
    for _ in range(int(count)):
        answers.add(ask(client, other))
    # Nobody who waits was told anything yet.
    for late in waiting:
        late.setblocking(False)
        try:
            answers.add("early: %r" % late.recv(100))
        except BlockingIOError:
            pass
        late.setblocking(True)
        late.settimeout(60)
    print(answers)
    print({answer(late) for late in waiting})
    os.close(lock)
    print(ask(waiting[0], stuck))


uid = int(os.environ.get("CLIENT_UID", 0))
if os.getuid() == 0 and uid != 0:
    os.setgroups([])
    os.setuid(uid)
globals()[what](*arguments)
