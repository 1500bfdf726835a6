"""A client that takes more than its share.

    attack.py NAME TARGET [ARGUMENT...]

Prints what the server says to it: one line for each reply that matters.

SPDX-License-Identifier: MIT
"""

import os
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import lmtp  # noqa: E402

PATIENCE = 30


def connect(target, source=None):
    host, port = target.rsplit(":", 1)
    return socket.create_connection(
        (host, int(port)), PATIENCE, (source, 0) if source else None
    )


def first_line(plain):
    return plain.makefile("rb").readline().decode().strip()


def peers(target, count):
    """COUNT connections of one address, one more, and one of another."""
    held = [connect(target) for _ in range(int(count))]
    for plain in held:
        assert first_line(plain).startswith("220"), "not let in"
    print(first_line(connect(target)))
    print(first_line(connect(target, "127.0.0.2"))[:3])
    held.pop().close()
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        line = first_line(connect(target))
        if line.startswith("220"):
            break
    print(line[:3])


def commands(target, count):
    client = lmtp.Client(target)
    for _ in range(int(count)):
        client.say("NOOP", "250")
    print(client.say("NOOP")[-1])


def bad(target, count):
    client = lmtp.Client(target)
    for _ in range(int(count)):
        client.say("WHATEVER", "500")
    print(client.say("WHATEVER")[-1])


def busy(target):
    """Never idle, and never at an end."""
    client = lmtp.Client(target)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            reply = client.say("NOOP")[-1]
        except BrokenPipeError:
            reply = client.reply()[-1]
        if not reply.startswith("250"):
            print(reply)
            return
        time.sleep(0.05)


def user(target, limit, name, other):
    """LIMIT transactions with NAME, and one more; then one of them ends."""
    clients = []
    for _ in range(int(limit) + 1):
        client = lmtp.Client(target)
        reply = client.begin("ada@client.example", [name])[0][-1]
        clients.append(client)
    print(reply)
    print(client.say("RCPT TO:<%s>" % other)[-1][:3])
    clients[0].say("RSET", "250")
    # It is released when master has heard of it.
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        reply = client.say("RCPT TO:<%s>" % name)[-1]
        if reply.startswith("250"):
            break
    print(reply[:3])


def flood(target, count):
    """Commands without an end, lines without an end, and nothing is read."""
    clients = [lmtp.Client(target, greet=False) for _ in range(int(count))]
    texts = [b"NOOP\r\n" * 20000, b"x" * 100000, b"RSET\n" * 20000]
    for number, client in enumerate(clients):
        client.socket.setblocking(False)
        text = texts[number % len(texts)]
        try:
            for _ in range(50):
                client.socket.send(b"LHLO x\r\n" + text)
        except (BlockingIOError, ConnectionError):
            pass
    print("sent")


def recipients(target, count):
    """More recipients than one message may have."""
    client = lmtp.Client(target)
    names = ["r%d" % number for number in range(int(count))]
    replies = client.begin("ada@client.example", names)
    codes = [reply[-1][:9] for reply in replies]
    for code in sorted(set(codes)):
        print(codes.count(code), code)


def size(target, name, count):
    """A message that is too long, without SIZE=."""
    client = lmtp.Client(target)
    client.begin("ada@client.example", [name])
    client.say("DATA", "354")
    line = b"x" * 998 + b"\r\n"
    for _ in range(int(count)):
        client.write(line * 1000)
    client.write(b".\r\n")
    print(client.reply()[-1][:9])


def closes(plain):
    """Is it closed by the other side?"""
    plain.settimeout(PATIENCE)
    try:
        return not plain.recv(100)
    except ConnectionError:
        return True


def mails(client, word):
    reply = client.send_message("ada@client.example", ["dora"], lmtp.mail(word))
    print("%s: %s" % (word.split("-")[0], reply[0][-1][:3]))


def tls(target, starttls, count):
    """COUNT clients each announce a hello of 130 KB in nine bytes, and wait."""
    other = lmtp.Client("tls:" + target)
    mails(other, "before-1")
    hello = b"\x16\x03\x01\x00\x04\x01\x01\xff\x00"
    crowd = []
    for _ in range(int(count)):
        crowd.append(connect(target))
        crowd[-1].sendall(hello)
    # The last ones are turned away, so that all have been looked at.
    newest = connect(target)
    newest.sendall(hello)
    print("a new one:", "closed" if closes(newest) else "let in")
    clear = lmtp.Client(starttls)
    print("STARTTLS:", clear.say("STARTTLS")[-1][:9])
    mails(clear, "in the clear")
    mails(other, "before-2")
    for one in crowd:
        one.close()
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            mails(lmtp.Client("tls:" + target), "afterwards")
            break
        except OSError:
            time.sleep(0.05)


globals()[sys.argv[1]](*sys.argv[2:])
