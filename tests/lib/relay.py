"""A server that takes mail, for tests of what leaves.

    relay.py FOLDER [--lmtp] [--certificate PEM KEY] [--implicit] [--user NAME:PASSWORD]
        [--login] [--size N] [--utf8] [--together N]

Listens on a free port of 127.0.0.1, whose number comes into FOLDER/port.  Each
message is a file FOLDER/1, FOLDER/2 ...: the commands, an empty line, the data as it
came.  What it does with a recipient is in the local part:

    full     452 after the dot (LMTP)       denied  554 after the dot (LMTP)
    refused  550        later  451        hang  no answer for a minute; FOLDER/hangs tells
    slow     250 after two seconds
    busy     421, and the end of the connection
    together 250 when N have come to this, else 451 after twenty seconds

A file FOLDER/hang has a word: sessions that come to this place hang there, until the
file is gone; then they close.  FOLDER/hanging tells how many do.

    close    they do not hang, but close at once
    banner   before the first reply      rcpt   before the reply to RCPT
    dot      when the message is there, which is not taken then
    taken    the same, but it is taken when the file is gone

SPDX-License-Identifier: MIT
"""

import argparse
import base64
import os
import socketserver
import ssl
import threading
import time

LOCK = threading.Lock()
COUNT = [0]
HANGING = [0]


def save(folder, commands, data):
    with LOCK:
        COUNT[0] += 1
        path = os.path.join(folder, str(COUNT[0]))
    with open(path + ".new", "wb") as out:
        out.write(b"\n".join(commands) + b"\n\n" + data)
    os.rename(path + ".new", path)


def word(folder):
    try:
        with open(os.path.join(folder, "hang")) as file:
            return file.read().strip()
    except OSError:
        return ""


def count_hanging(folder, change):
    with LOCK:
        HANGING[0] += change
        path = os.path.join(folder, "hanging")
        with open(path + ".new", "w") as out:
            out.write("%d\n" % HANGING[0])
        os.rename(path + ".new", path)


class Session(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")
        self.wfile.flush()

    def secure(self):
        self.connection = self.server.tls.wrap_socket(
            self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb")
        self.is_secure = True

    def hangs(self, place):
        """Whether this session has hung, and is to be closed."""
        folder = self.server.options.folder
        if word(folder) != place:
            return False
        count_hanging(folder, 1)
        while word(folder) == place:
            time.sleep(0.02)
        count_hanging(folder, -1)
        return True

    def handle(self):
        self.is_secure = self.knows_user = False
        self.commands = []
        try:
            if word(self.server.options.folder) == "close":
                return
            if self.hangs("banner"):
                return
            if self.server.options.implicit:
                self.secure()
            self.say("220 relay.example ready")
            while self.command(self.rfile.readline()):
                pass
        except OSError:
            pass

    def command(self, line):
        if not line:
            return False
        line = line.rstrip(b"\r\n")
        self.commands.append(line)
        verb = line.split(b" ")[0].upper().decode()
        method = getattr(self, "on_" + verb.lower(), None)
        if method is None:
            self.say("502 what?")
            return True
        return method(line) is not False

    def on_ehlo(self, line):
        offers = ["relay.example", "PIPELINING", "8BITMIME", "DSN", "DELIVERBY",
                  "SIZE %d" % self.server.options.size]
        if self.server.options.utf8:
            offers.append("SMTPUTF8")
        if self.server.tls and not self.is_secure:
            offers.append("STARTTLS")
        if self.server.options.user:
            offers.append("AUTH LOGIN" if self.server.options.login
                          else "AUTH PLAIN")
        for offer in offers[:-1]:
            self.say("250-" + offer)
        self.say("250 " + offers[-1])

    on_lhlo = on_ehlo

    def on_starttls(self, line):
        self.say("220 go")
        self.secure()

    def ask(self, prompt):
        self.say("334 " + base64.b64encode(prompt).decode())
        return base64.b64decode(self.rfile.readline())

    def on_auth(self, line):
        if self.server.options.login:
            given = [self.ask(b"Username:"), self.ask(b"Password:")]
        else:
            given = base64.b64decode(line.split(b" ")[2]).split(b"\0")[1:]
        user = ("%s:%s" % (given[0].decode(), given[1].decode()))
        self.knows_user = user == self.server.options.user
        self.say("235 welcome" if self.knows_user else "535 5.7.8 wrong")

    def on_mail(self, line):
        self.accepted = []
        if self.server.options.user and not self.knows_user:
            self.say("530 5.7.0 who are you?")
        else:
            self.say("250 2.1.0 ok")

    def on_rcpt(self, line):
        if self.hangs("rcpt"):
            return False
        local = line.split(b"<")[1].split(b"@")[0].decode()
        if local == "hang":
            open(os.path.join(self.server.options.folder, "hangs"), "w").close()
            time.sleep(60)
            return False
        if local == "slow":
            time.sleep(2)
        if local == "together":
            try:
                self.server.together.wait(20)
            except threading.BrokenBarrierError:
                local = "later"
        if local == "busy":
            self.say("421 4.7.0 too many of these")
            return False
        if local == "refused":
            self.say("550 5.1.1 nobody here")
        elif local == "later":
            self.say("451 4.7.1 later")
        else:
            self.accepted.append(local)
            self.say("250 2.1.5 ok")
        return True

    def on_rset(self, line):
        self.say("250 2.0.0 ok")

    def on_data(self, line):
        self.say("354 go")
        data = b""
        while True:
            line = self.rfile.readline()
            if not line:
                return False
            if line == b".\r\n":
                break
            data += line[1:] if line.startswith(b".") else line
        if self.hangs("dot"):
            return False
        self.hangs("taken")
        save(self.server.options.folder, self.commands, data)
        self.commands = []
        for local in self.accepted if self.server.options.lmtp else ["all"]:
            self.say({"full": "452 4.2.2 no room",
                      "denied": "554 5.7.1 not here"}.get(local, "250 2.0.0 taken"))
        return True

    def on_quit(self, line):
        self.say("221 2.0.0 bye")
        return False


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--lmtp", action="store_true")
    parser.add_argument("--certificate", nargs=2)
    parser.add_argument("--implicit", action="store_true")
    parser.add_argument("--user")
    parser.add_argument("--login", action="store_true")
    parser.add_argument("--size", type=int, default=10000000)
    parser.add_argument("--utf8", action="store_true")
    parser.add_argument("--together", type=int, default=1)
    options = parser.parse_args()
    with Server(("127.0.0.1", 0), Session) as server:
        server.options = options
        server.tls = None
        server.together = threading.Barrier(options.together)
        if options.certificate:
            server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            server.tls.load_cert_chain(*options.certificate)
        with open(os.path.join(options.folder, "port.new"), "w") as out:
            out.write(str(server.server_address[1]))
        os.rename(os.path.join(options.folder, "port.new"),
                  os.path.join(options.folder, "port"))
        server.serve_forever()


main()
