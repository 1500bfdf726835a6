"""tls.py - a client of LMTP over TLS and behind a proxy, for tls.sh and trust.sh

    tls.py ADDRESS PORT COMMAND [ARGUMENT...]
    tls.py SOCKET - COMMAND [ARGUMENT...]

Each command prints what it saw, in one line; what went wrong is "error: ...".

SPDX-License-Identifier: MIT
"""

import os
import socket
import ssl
import sys
import time

PATIENCE = 10


class Client:
    def __init__(self, address, port):
        if address.startswith("/"):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(address)
        else:
            self.socket = socket.create_connection((address, port), PATIENCE)
        self.input = b""

    def line(self):
        while b"\n" not in self.input:
            got = self.socket.recv(65536)
            if not got:
                raise EOFError("connection closed")
            self.input += got
        line, self.input = self.input.split(b"\n", 1)
        return line.decode().rstrip("\r")

    def reply(self):
        lines = [self.line()]
        while lines[-1][3:4] == "-":
            lines.append(self.line())
        return lines

    def say(self, text):
        self.socket.sendall(text.encode() + b"\r\n")

    def ask(self, text):
        self.say(text)
        return self.reply()

    def wrap(self, context=None, name=None, session=None):
        self.socket = (context or lax()).wrap_socket(
            self.socket, server_hostname=name, session=session
        )

    def start_tls(self, **options):
        replies = self.ask("STARTTLS")
        if not replies[0].startswith("220"):
            raise EOFError(replies[0])
        self.wrap(**options)


def lax():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def greeted(at):
    client = Client(*at)
    client.reply()
    return client


def deliver(client, recipient="amy", text="A line."):
    client.ask("LHLO client.example")
    reply = client.ask("MAIL FROM:<ada@client.example>")[0]
    if not reply.startswith("250"):
        return reply
    client.ask(f"RCPT TO:<{recipient}>")
    client.ask("DATA")
    client.say(f"Subject: x\r\n\r\n{text}")
    reply = client.ask(".")[0]
    client.ask("QUIT")
    return reply


def implicit(at, name=None):
    client = Client(*at)
    client.wrap(name=name)
    client.reply()
    return client


def run_deliver(at, mode, *arguments):
    client = implicit(at) if mode == "implicit" else greeted(at)
    if mode == "starttls":
        client.ask("LHLO client.example")
        client.start_tls()
    return deliver(client, *arguments)


def run_lhlo(at, mode):
    """What is offered: in the clear, or within TLS."""
    client = greeted(at)
    if mode == "starttls":
        client.ask("LHLO client.example")
        client.start_tls()
    return " ".join(line[4:] for line in client.ask("LHLO client.example"))


def run_inject(at):
    """Commands in the clear behind STARTTLS, in one packet with it."""
    client = greeted(at)
    client.ask("LHLO client.example")
    client.socket.sendall(b"STARTTLS\r\nMAIL FROM:<evil@client.example>\r\n")
    first = client.line()
    assert not client.input, client.input
    client.wrap()
    # The first reply within TLS is to what was sent within TLS.
    return first + " | " + client.ask("RCPT TO:<amy>")[0]


def run_forgets(at):
    """What was said before STARTTLS counts no more."""
    client = greeted(at)
    client.ask("LHLO client.example")
    client.ask("MAIL FROM:<ada@client.example>")
    client.start_tls()
    return client.ask("RCPT TO:<amy>")[0]


def run_again(at):
    client = greeted(at)
    client.start_tls()
    return client.ask("STARTTLS")[0]


def certificate_name(connection):
    """The subject's common name; no library is needed for that much."""
    der = connection.getpeercert(True)
    place = der.rfind(b"\x06\x03\x55\x04\x03")
    length = der[place + 6]
    return der[place + 7 : place + 7 + length].decode()


def run_name(at, mode, name=""):
    client = (
        implicit(at, name or None) if mode == "implicit" else greeted(at)
    )
    if mode == "starttls":
        client.start_tls(name=name or None)
    return certificate_name(client.socket)


def run_resume(at, version):
    """Two connections with one session."""
    context = lax()
    context.maximum_version = ssl.TLSVersion[version]
    first = greeted(at)
    first.start_tls(context=context)
    # The ticket of TLS 1.3 comes with the first data.
    first.ask("NOOP")
    session = first.socket.session
    second = greeted(at)
    second.start_tls(context=context, session=session)
    second.ask("NOOP")
    return f"{first.socket.session_reused} {second.socket.session_reused}"


def run_certificate(at, chain, key):
    context = lax()
    if chain != "-":
        context.load_cert_chain(chain, key)
    client = Client(*at)
    client.wrap(context=context)
    client.reply()
    return deliver(client)


def run_external(at, chain, key):
    context = lax()
    context.load_cert_chain(chain, key)
    client = Client(*at)
    client.wrap(context=context)
    client.reply()
    reply = client.ask("AUTH EXTERNAL =")[0]
    return deliver(client) if reply.startswith("235") else reply


def run_slow(at, count):
    """Handshakes that never go on do not keep others from theirs."""
    slow = []
    for number in range(int(count)):
        client = socket.create_connection(at, PATIENCE)
        # The beginning of a ClientHello, more and more of it.
        hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 100
        client.sendall(hello[: number % len(hello)])
        slow.append(client)
    return deliver(implicit(at))


def run_long(at, size):
    """A message of many records, written at once."""
    client = implicit(at)
    client.ask("LHLO client.example")
    client.ask("MAIL FROM:<ada@client.example>")
    client.ask("RCPT TO:<amy>")
    client.ask("DATA")
    line = b"0123456789" * 7 + b"\r\n"
    text = line * (int(size) // len(line))
    client.socket.sendall(b"Subject: long\r\n\r\n" + text + b".\r\nNOOP\r\nQUIT\r\n")
    return " | ".join(client.reply()[0] for _ in range(3))


def run_refused(at, hello):
    """Bytes that are no TLS: the end of the connection."""
    client = socket.create_connection(at, PATIENCE)
    client.sendall(bytes.fromhex(hello))
    try:
        while client.recv(65536):
            pass
    except ConnectionResetError:
        pass
    return "ended"


V2 = b"\r\n\r\n\0\r\nQUIT\n"
HEADERS = {
    "v1": b"PROXY TCP4 192.0.2.7 192.0.2.8 1234 24\r\n",
    "v6": b"PROXY TCP6 2001:db8::7 2001:db8::8 1234 24\r\n",
    "stranger": b"PROXY TCP4 198.51.100.1 192.0.2.8 1234 24\r\n",
    "unknown": b"PROXY UNKNOWN\r\n",
    "v2": V2 + b"\x21\x11\0\x0c\xc0\0\2\7\xc0\0\2\x08\x04\xd2\0\x18",
    "local": V2 + b"\x20\0\0\0",
    "none": b"LHLO client.example\r\n",
}


def run_proxied(at, header, mode, cut="no"):
    """A message behind a proxy's header."""
    client = Client(*at)
    client.socket.settimeout(PATIENCE)
    client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    data = HEADERS[header]
    if cut == "cut":
        for byte in data:
            client.socket.sendall(bytes([byte]))
            time.sleep(0.001)
    else:
        client.socket.sendall(data)
    if mode == "tls":
        client.wrap()
    greeting = client.reply()[0]
    if not greeting.startswith("220"):
        return greeting
    return deliver(client)


def run_silent(at):
    """A proxy that says nothing is left."""
    client = socket.create_connection(at, PATIENCE)
    begin = time.monotonic()
    got = client.recv(100)
    return f"{got!r} {int(time.monotonic() - begin)}"


def run_lines(at, *lines):
    """Each line's reply; a message ends what is said."""
    client = greeted(at)
    for line in lines:
        reply = client.ask(line)[0]
        if not reply.startswith("2"):
            return reply
    return deliver(client)


def run_greeting(at):
    return Client(*at).reply()[0]


def memory_of(pid):
    with open(f"/proc/{pid}/smaps_rollup") as rollup:
        for line in rollup:
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def run_memory(at, pid, count, mode):
    """Bytes of the front for each idle connection."""

    def idle():
        client = implicit(at) if mode == "implicit" else greeted(at)
        client.ask("LHLO client.example")
        return client

    few = [idle() for _ in range(20)]
    before = memory_of(pid)
    many = [idle() for _ in range(int(count))]
    bytes_each = (memory_of(pid) - before) * 1024 // len(many)
    for client in few + many:
        client.socket.close()
    return str(bytes_each)


def run_garbage(at, rounds, seed):
    """Random bytes in the place of each part of a handshake."""
    import random

    chance = random.Random(int(seed))
    for _ in range(int(rounds)):
        context = lax()
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing)
        client = socket.create_connection(at, PATIENCE)
        steps = chance.randrange(4)
        try:
            for _ in range(steps):
                try:
                    tls.do_handshake()
                except ssl.SSLWantReadError:
                    pass
                client.sendall(outgoing.read())
                client.settimeout(0.05)
                try:
                    incoming.write(client.recv(65536))
                except socket.timeout:
                    pass
            kind = chance.choice([0x14, 0x15, 0x16, 0x17, 0x80, 0x00])
            length = chance.randrange(0, 400)
            body = chance.randbytes(length)
            head = bytes([kind, 3, chance.choice([0, 1, 3])])
            client.sendall(head + length.to_bytes(2, "big") + body)
            client.sendall(chance.randbytes(chance.randrange(0, 2000)))
        except (OSError, ssl.SSLError):
            pass
        client.close()
    return deliver(implicit(at))


def run_timeout(at):
    """A handshake that does not begin; whether we are left after its second."""
    client = socket.create_connection(at, PATIENCE)
    begin = time.monotonic()
    client.recv(1)
    waited = time.monotonic() - begin
    return "late" if waited > 0.9 else f"after {waited} s"


def main():
    address, port, command, *arguments = sys.argv[1:]
    try:
        function = globals()[f"run_{command}"]
        print(function((address, int(port.strip("-") or 0)), *arguments))
    except (OSError, EOFError, AssertionError) as error:
        print(f"error: {error}")


if os.environ.get("FREE_PORT"):
    free = socket.socket()
    free.bind(("127.0.0.1", 0))
    print(free.getsockname()[1])
else:
    main()
