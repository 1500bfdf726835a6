"""A host that mail is passed on to, which can misbehave.

    backend.py PORT FOLDER

Reads FOLDER/steps anew at each command: lines "STEP ACTION" with STEP one of
greeting, lhlo, starttls, xclient, mail, rcpt, data, dot, rset and quit, and ACTION
    say TEXT       this in place of the usual reply ("\\n" ends a line)
    close          no answer, the connection ends
    half TEXT      these bytes, then the connection ends
    hang           no answer at all
    endless        lines of a reply without an end
    few            at dot: an answer for the first recipient only
    many           at dot: one answer too many
and "offer WORDS", a line of the answer to LHLO; "smtp": one answer to a message.
"close idle" ends the connection half a second after a message.
"tls": it begins with a handshake.  The key and certificate are FOLDER/tls.pem.
SIGUSR1 ends all connections.
Writes what it is told to FOLDER/log, each line with the number of the connection in
front, and messages to FOLDER/mail.NUMBER.

SPDX-License-Identifier: MIT
"""

import itertools
import os
import signal
import socket
import ssl
import sys
import threading


class Gone(Exception):
    """This connection is over."""


class Backend:
    def __init__(self, folder):
        self.folder = folder
        self.lock = threading.Lock()
        self.mails = itertools.count(1)

    def steps(self):
        try:
            with open(os.path.join(self.folder, "steps")) as steps:
                return [line.rstrip("\n") for line in steps]
        except FileNotFoundError:
            return []

    def has(self, word):
        return word in self.steps()

    def action(self, step):
        for line in self.steps():
            if line.startswith(step + " "):
                return line[len(step) + 1 :]
        return ""

    def offers(self):
        return [s[6:] for s in self.steps() if s.startswith("offer ")]

    def note(self, text):
        with self.lock, open(os.path.join(self.folder, "log"), "a") as log:
            log.write(text + "\n")

    def keep(self, content):
        name = os.path.join(self.folder, "mail.%d" % next(self.mails))
        with open(name + ".part", "wb") as mail:
            mail.write(content)
        os.rename(name + ".part", name)


class Talk:
    def __init__(self, backend, number, connection):
        self.backend, self.number = backend, number
        self.connection = connection
        self.buffer = b""
        self.recipients = []

    def read(self):
        data = self.connection.recv(65536)
        if not data:
            raise Gone
        self.buffer += data

    def line(self):
        while b"\n" not in self.buffer:
            self.read()
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.rstrip(b"\r")

    def bytes(self, count):
        while len(self.buffer) < count:
            self.read()
        content, self.buffer = self.buffer[:count], self.buffer[count:]
        return content

    def put(self, text):
        self.connection.sendall(text.encode() + b"\r\n")

    def wait_for_end(self):
        while True:
            self.read()

    def answer(self, step, usual):
        verb, _, rest = self.backend.action(step).partition(" ")
        rest = rest.replace("\\n", "\r\n")
        if verb == "say":
            self.put(rest)
        elif verb == "close":
            raise Gone
        elif verb == "half":
            self.connection.sendall(rest.encode())
            raise Gone
        elif verb == "hang":
            self.wait_for_end()
        elif verb == "endless":
            while True:
                self.put("250-and more")
        else:
            self.put(usual)
            return True
        return rest[:1] in "23"

    def start_tls(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.path.join(self.backend.folder, "tls.pem"))
        self.connection = context.wrap_socket(self.connection, server_side=True)

    def hello(self):
        lines = ["backend.example"] + self.backend.offers()
        marks = ["-"] * (len(lines) - 1) + [" "]
        self.answer(
            "lhlo", "\r\n".join("250%s%s" % pair for pair in zip(marks, lines))
        )

    def results(self):
        action = self.backend.action("dot")
        recipients = self.recipients
        self.recipients = []
        if self.backend.has("smtp"):
            recipients = recipients[:1]
        if action == "few":
            recipients = recipients[:1]
        for recipient in recipients:
            self.answer("dot", "250 2.0.0 %s Taken" % recipient)
        if action == "many":
            self.put("250 2.0.0 and one more")
            self.backend.note("0 MORE")
        if self.backend.has("close idle"):
            self.connection.settimeout(0.5)

    def data(self):
        if not self.answer("data", "354 Go on"):
            return
        lines = []
        while (line := self.line()) != b".":
            lines.append(line[1:] if line[:1] == b"." else line)
        self.backend.keep(b"".join(line + b"\r\n" for line in lines))
        self.results()

    def command(self, line):
        verb = line.split(" ")[0].upper()
        if verb in ("LHLO", "EHLO"):
            self.hello()
        elif verb == "MAIL":
            self.recipients = []
            self.answer("mail", "250 2.1.0 Yes")
        elif verb == "RCPT":
            recipient = line.split(":", 1)[1].split(" ")[0]
            place = recipient.strip("<>").split("@")[0]
            step = "rcpt " + place if self.backend.action("rcpt " + place) else "rcpt"
            if self.answer(step, "250 2.1.5 Yes"):
                self.recipients.append(recipient)
        elif verb == "DATA":
            self.data()
        elif verb == "BDAT":
            self.backend.keep(self.bytes(int(line.split(" ")[1])))
            self.results()
        elif verb == "XCLIENT":
            self.answer("xclient", "220 backend.example again")
        elif verb == "STARTTLS":
            if self.answer("starttls", "220 2.0.0 Go on"):
                self.start_tls()
        elif verb == "RSET":
            self.recipients = []
            self.answer("rset", "250 2.0.0 Yes")
        elif verb == "QUIT":
            self.answer("quit", "221 2.0.0 Bye")
            raise Gone
        else:
            self.put("500 5.5.1 What?")

    def run(self):
        try:
            if self.backend.has("tls"):
                self.start_tls()
            self.answer("greeting", "220 backend.example")
            while True:
                line = self.line().decode()
                self.backend.note("%d %s" % (self.number, line))
                self.command(line)
        except (Gone, OSError):
            self.connection.close()
            self.backend.note("%d closed" % self.number)


def main():
    backend = Backend(sys.argv[2])
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    talks = []

    def end_all(*_):
        while talks:
            try:
                talks.pop().connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    signal.signal(signal.SIGUSR1, end_all)
    with open(os.path.join(sys.argv[2], "ready"), "w"):
        pass
    for number in itertools.count(1):
        connection, _ = listener.accept()
        talk = Talk(backend, number, connection)
        talks.append(talk)
        threading.Thread(target=talk.run, daemon=True).start()


main()
