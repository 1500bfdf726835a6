"""Broken sessions without end: mutated LMTP in the clear, within TLS, and TLS whose
records are broken; and, beside them, a client whose mail has to arrive.

    campaign.py SECONDS SEED UNIX-SOCKET STARTTLS-PORT TLS-PORT PROXY-PORT

Prints what was done.  Ends with 1 where the other client was harmed.  The same seed
gives the same sessions, but not the same timing.

SPDX-License-Identifier: MIT
"""

import collections
import multiprocessing
import os
import random
import socket
import ssl
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import lmtp  # noqa: E402

PATIENCE = 60
HOST = "127.0.0.1"

MESSAGE = (b"From: ada@client.example\r\nSubject: =?utf-8?q?x=C3=A9?=\r\n"
           b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
           b"--b\r\n\r\nText\r\n--b--\r\n..\r\nEnd\r\n")
DIALOGUES = [
    [b"LHLO client.example\r\n", b"MAIL FROM:<ada@client.example>\r\n",
     b"RCPT TO:<amy@example.org>\r\n", b"DATA\r\n", MESSAGE, b".\r\n", b"QUIT\r\n"],
    [b"LHLO c\r\nMAIL FROM:<> SIZE=300 BODY=8BITMIME RET=HDRS ENVID=x+2By\r\n"
     b"RCPT TO:<amy> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;amy+2Bx@example.org\r\n"
     b"RCPT TO:<bob+detail@example.org>\r\nRCPT TO:<amy>\r\nDATA\r\n",
     MESSAGE, b".\r\n", b"RSET\r\nNOOP\r\nQUIT\r\n"],
    [b"LHLO c\r\n", b"MAIL FROM:<a@b> SMTPUTF8\r\n",
     "RCPT TO:<ämy@exämple.org>\r\n".encode(), b"RCPT TO:<amy>\r\n",
     b"BDAT 20\r\nSubject: x\r\n\r\nText\r\n", b"BDAT 4\r\n\r\n.\n", b"BDAT 0 LAST\r\n",
     b"MAIL FROM:<>\r\n", b"BDAT 99999999999999999999 LAST\r\n", b"QUIT\r\n"],
    [b"LHLO c\r\n", b"AUTH PLAIN AGFteQBzZWNyZXQ=\r\n", b"AUTH PLAIN\r\n",
     b"AGFteQB3cm9uZw==\r\n", b"AUTH EXTERNAL =\r\n", b"AUTH LOGIN\r\n", b"*\r\n",
     b"MAIL FROM:<a@b>\r\n", b"RCPT TO:<amy>\r\n", b"DATA\r\n", MESSAGE, b".\r\n"],
    [b"XCLIENT ADDR=192.0.2.1 PORT=5 PROTO=ESMTP HELO=x NAME=y LOGIN=z TTL=5"
     b" TIMEOUT=9\r\n", b"LHLO c\r\n",
     b"XFORWARD ADDR=IPV6:2001:db8::1 NAME=spike IDENT=4X SOURCE=REMOTE\r\n",
     b"MAIL FROM:<a@b>\r\n", b"RCPT TO:<amy> IGNOREQUOTA\r\n", b"DATA\r\n", MESSAGE,
     b".\r\n", b"VRFY amy\r\n", b"HELP\r\n", b"EHLO x\r\n", b"STARTTLS\r\n", b"QUIT\r\n"],
]
TOKENS = [b"\r\n", b"\n", b"\r", b"\0", b".", b"\r\n.\r\n", b"<", b">", b"\"", b"\\",
          b"+", b"=", b" ", b"\t", b":", b"@", b"\xff\xfe", b"\xc3", b"x" * 5000,
          b"RCPT TO:<amy>\r\n", b"DATA\r\n", b"BDAT 1 LAST\r\n", b"RSET\r\n",
          b"STARTTLS\r\n", b"LHLO x\r\n", b"4294967296", b"-1", b"%s%n",
          b"\x16\x03\x01\x02\x00\x01"]
RECORDS = [b"\x15\x03\x03\x00\x02\x02\x28",          # an alert
           b"\x14\x03\x03\x00\x01\x01",              # change cipher spec
           b"\x16\x03\x03\x00\x04\x01\xff\xff\xff",  # a hello of 16 MB is to come
           b"\x17\x03\x03\xff\xff",                  # data of 64 KB are
           b"\x17\x03\x03\x00\x00",                  # none
           b"\x18\x03\x03\x00\x03\x01\x40\x00",      # a heartbeat
           b"\x80\x2e\x01\x00\x02",                  # SSL 2
           b"GET / HTTP/1.1\r\n\r\n"]
HEADERS = [b"PROXY TCP4 192.0.2.7 192.0.2.8 4711 24\r\n", b"PROXY UNKNOWN\r\n",
           b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x07\xc0\x00\x02\x08"
           b"\x12\x67\x00\x18"]


def mutate(dice, data, times):
    data = bytearray(data)
    for _ in range(times):
        at = dice.randrange(len(data) + 1)
        to = min(len(data), at + dice.choice([1, 1, 2, 8, 64]))
        way = dice.randrange(6)
        if way == 0 and at < len(data):
            data[at] ^= 1 << dice.randrange(8)
        elif way == 1:
            del data[at:to]
        elif way == 2:
            data[at:at] = dice.choice(TOKENS)
        elif way == 3:
            data[at:at] = data[at:to] * dice.choice([1, 2, 50])
        elif way == 4:
            data[at:to] = bytes(dice.randrange(256) for _ in range(to - at))
        else:
            del data[at + dice.randrange(100):]
    return bytes(data)


def dialogue(dice):
    parts = list(dice.choice(DIALOGUES))
    for _ in range(dice.choice([0, 0, 1, 3])):
        one, other = dice.randrange(len(parts)), dice.randrange(len(parts))
        parts[one] = parts[other]
    text = b"".join(parts)
    return mutate(dice, text, dice.choice([0, 1, 1, 2, 5, 20]))


def pieces(dice, data):
    most = dice.choice([1 << 20, 1 << 20, 700, 60, 5])
    if len(data) > 4000:
        most = max(most, 700)
    at = 0
    while at < len(data):
        size = dice.randint(1, most)
        yield data[at:at + size]
        at += size


class Raw:
    """A socket; its peer may go at any time."""

    def __init__(self, port):
        if isinstance(port, str):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(port)
        else:
            self.socket = socket.create_connection((HOST, port), PATIENCE)
        self.socket.settimeout(PATIENCE)

    def send(self, dice, data):
        for piece in pieces(dice, data):
            self.socket.sendall(piece)

    def drain(self):
        """What the server says by now."""
        self.socket.setblocking(False)
        try:
            while self.socket.recv(65536):
                pass
        except (BlockingIOError, ssl.SSLWantReadError):
            pass
        finally:
            self.socket.settimeout(PATIENCE)

    def end(self, dice):
        way = dice.randrange(4)
        if way == 0:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                   struct.pack("ii", 1, 0))
        elif way == 1:
            self.socket.shutdown(socket.SHUT_WR)
            while self.socket.recv(65536):
                pass
        elif way == 2:
            self.drain()
        self.socket.close()


class Bent(Raw):
    """TLS whose records pass through our hands."""

    def __init__(self, port):
        super().__init__(port)
        self.input, self.output = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = lmtp.lax().wrap_bio(self.input, self.output)

    def bend(self, dice):
        data = self.output.read()
        way = dice.randrange(12)
        if way == 0:
            data = mutate(dice, data, dice.choice([1, 3]))
        elif way == 1:
            data = dice.choice(RECORDS) + data
        elif way == 2:
            data += dice.choice(RECORDS)
        elif way == 3:
            data += data
        elif way == 4 and len(data) > 5:
            data = data[:3] + struct.pack(">H", dice.randrange(65536)) + data[5:]
        self.send(dice, data)

    def step(self, dice, call):
        while True:
            try:
                result = call()
                self.bend(dice)
                return result
            except ssl.SSLWantReadError:
                self.bend(dice)
                self.socket.settimeout(1)
                got = self.socket.recv(65536)
                if not got:
                    raise ConnectionError("closed") from None
                self.input.write(got)

    def talk(self, dice):
        self.step(dice, self.tls.do_handshake)
        for piece in pieces(dice, dialogue(dice)):
            self.step(dice, lambda piece=piece: self.tls.write(piece))


def clear(dice, places):
    raw = Raw(dice.choice([places["unix"], places["starttls"]]))
    raw.send(dice, dialogue(dice))
    raw.end(dice)


def starttls(dice, places):
    raw = Raw(places["starttls"])
    raw.socket.sendall(b"LHLO x\r\nSTARTTLS\r\n" +
                       dice.choice([b"", b"", b"MAIL FROM:<>\r\n", b"\x16\x03\x01"]))
    if dice.randrange(3) == 0:
        raw.send(dice, dice.choice(RECORDS) + dialogue(dice))
    else:
        seen = b""
        while b"220 2.0.0" not in seen:
            got = raw.socket.recv(65536)
            if not got:
                raise ConnectionError("closed")
            seen += got
        raw.socket = lmtp.lax().wrap_socket(raw.socket)
        raw.send(dice, dialogue(dice))
    raw.end(dice)


def implicit(dice, places):
    raw = Raw(places["tls"])
    raw.socket = lmtp.lax().wrap_socket(raw.socket)
    raw.send(dice, dialogue(dice))
    raw.end(dice)


def bent(dice, places):
    raw = Bent(places["tls"])
    raw.talk(dice)
    raw.end(dice)


def proxied(dice, places):
    raw = Raw(places["proxy"])
    header = dice.choice(HEADERS)
    if dice.randrange(2) == 0:
        header = mutate(dice, header, 1)
    raw.send(dice, header + dialogue(dice))
    raw.end(dice)


KINDS = [clear, clear, starttls, implicit, bent, bent, proxied]


def attack(seed, until, places, results):
    counts, number = collections.Counter(), 0
    while time.monotonic() < until:
        dice = random.Random("%s-%d" % (seed, number))
        kind = dice.choice(KINDS)
        number += 1
        try:
            kind(dice, places)
            counts[kind.__name__] += 1
        except (OSError, ConnectionError):
            counts[kind.__name__ + " cut"] += 1
    results.put(counts)


def witness(until, places, results):
    """Somebody else, by each way; each message has to be answered 250, once."""
    targets = {"clear": places["unix"], "tls": "tls:%s:%d" % (HOST, places["tls"])}
    sent, worst, harm = 0, 0.0, []
    while not harm and time.monotonic() < until:
        for name, target in targets.items():
            began = time.monotonic()
            try:
                client = lmtp.Client(target, PATIENCE)
                reply = client.send_message(
                    "ada@client.example", ["victim"], lmtp.mail("w-%d" % sent))[0][-1]
                client.quit()
            except (OSError, ConnectionError, lmtp.Refused) as error:
                reply = repr(error)
            worst = max(worst, time.monotonic() - began)
            if reply.startswith("250"):
                sent += 1
            else:
                harm.append("%s: %s" % (name, reply))
        time.sleep(0.02)
    results.put((sent, worst, harm))


def main():
    places = {"unix": sys.argv[3], "starttls": int(sys.argv[4]),
              "tls": int(sys.argv[5]), "proxy": int(sys.argv[6])}
    until = time.monotonic() + float(sys.argv[1])
    queue, heard = multiprocessing.Queue(), multiprocessing.Queue()
    attackers = [multiprocessing.Process(
        target=attack, args=("%s-%d" % (sys.argv[2], n), until, places, queue))
        for n in range(2)]
    other = multiprocessing.Process(target=witness, args=(until, places, heard))
    for process in [*attackers, other]:
        process.start()
    counts = sum((queue.get() for _ in attackers), collections.Counter())
    sent, worst, harm = heard.get()
    print(*["%s %d" % item for item in sorted(counts.items())], sep=", ")
    print("sessions %d" % sum(counts.values()))
    print("witness %d" % sent)
    print("worst %.2f s" % worst)
    for line in harm:
        print("harm:", line)
    sys.exit(1 if harm or sent == 0 else 0)


main()
