"""A small LMTP client for tests, which can misbehave.

    client = lmtp.Client("/run/doorstep/lmtp")       or "127.0.0.1:24", or
        "tls:127.0.0.1:24", whatever its certificate; or
        "| COMMAND", which speaks on its standard input and output
    client.send_message("ada@x", ["amy@x"], b"Subject: x\\r\\n\\r\\ntext\\r\\n")

SPDX-License-Identifier: MIT
"""

import shlex
import socket
import ssl
import struct
import subprocess


class Refused(Exception):
    """A reply that was not expected; args: command, reply."""


def lax():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Client:
    def __init__(self, target, timeout=30, greet=True):
        if target.startswith("/"):
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.socket.settimeout(timeout)
            self.socket.connect(target)
        elif target.startswith("|"):
            self.socket, other = socket.socketpair()
            self.socket.settimeout(timeout)
            subprocess.Popen(shlex.split(target[1:]), stdin=other, stdout=other)
            other.close()
        else:
            host, port = target.removeprefix("tls:").rsplit(":", 1)
            self.socket = socket.create_connection((host, int(port)), timeout)
        if target.startswith("tls:"):
            self.socket = lax().wrap_socket(self.socket)
        self.buffer = b""
        self.is_greeted = greet
        if greet:
            self.expect("220")
            self.say("LHLO client.example", "250")

    def write(self, data):
        self.socket.sendall(data)

    def line(self):
        while b"\n" not in self.buffer:
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError("closed by the server")
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode("utf-8", "replace").rstrip("\r")

    def reply(self):
        """All lines of one reply as a list."""
        lines = [self.line()]
        while lines[-1][3:4] == "-":
            lines.append(self.line())
        return lines

    def expect(self, code, command=""):
        reply = self.reply()
        if not reply[-1].startswith(code):
            raise Refused(command, reply)
        return reply

    def say(self, command, code=None):
        self.write(command.encode() + b"\r\n")
        return self.expect(code, command) if code else self.reply()

    def begin(self, sender, recipients, parameters=""):
        """MAIL and all RCPTs; the replies to RCPT, each as a list of lines."""
        self.write(
            b"".join(
                [b"MAIL FROM:<%s>%s\r\n" % (sender.encode(), parameters.encode())]
                + [b"RCPT TO:<%s>\r\n" % r.encode() for r in recipients]
            )
        )
        self.expect("250", "MAIL")
        return [self.reply() for _ in recipients]

    def send_message(self, sender, recipients, message):
        """The replies for each accepted recipient."""
        replies = self.begin(sender, recipients)
        accepted = [r for r in replies if r[-1].startswith("2")]
        if not accepted:
            raise Refused("RCPT", replies[0])
        self.say("DATA", "354")
        self.write(stuffed(message) + b".\r\n")
        return [self.reply() for _ in accepted]

    def quit(self):
        self.say("QUIT", "221")
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Closes at once, with RST on TCP."""
        self.socket.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self.socket.close()


def stuffed(message):
    message = (b"\r\n" + message).replace(b"\r\n.", b"\r\n..")[2:]
    return message if message.endswith(b"\r\n") else message + b"\r\n"


def mail(subject, size=0):
    """A message that no other one is equal to, if its subject is not."""
    text = (
        "From: Ada <ada@client.example>\r\n"
        "To: somebody@example.test\r\n"
        "Subject: %s\r\n"
        "Message-ID: <%s@client.example>\r\n\r\n" % (subject, subject)
    ).encode()
    line = b"a line of a message of some length, to be written to the disk\r\n"
    return text + line * max(1, (size - len(text)) // len(line))
