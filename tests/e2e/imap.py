"""Say IMAP commands to 127.0.0.1:143 and print the answers.

    imap.py USER COMMAND...

Every line of the answers is printed as it comes, tagged ones included; a command
that is not answered with OK ends the run with exit status 1.
SPDX-License-Identifier: MIT
"""

import re
import socket
import sys


def answers(stream):
    """Lines of one answer, literals put in their place."""
    while True:
        line = stream.readline()
        while True:
            literal = re.search(rb"\{(\d+)\}\r\n$", line)
            if not literal:
                break
            line = line[: literal.start()] + stream.read(int(literal[1]))
            line += stream.readline()
        if not line:
            sys.exit("connection lost")
        yield line


def say(stream, tag, command):
    stream.write(b"%s %s\r\n" % (tag, command.encode()))
    stream.flush()
    for line in answers(stream):
        sys.stdout.buffer.write(line.replace(b"\r\n", b"\n"))
        if line.startswith(tag + b" "):
            return line.startswith(tag + b" OK")


def main():
    with socket.create_connection(("127.0.0.1", 143), 30) as connection:
        stream = connection.makefile("rwb")
        stream.readline()
        commands = ['LOGIN "%s" x' % sys.argv[1], *sys.argv[2:], "LOGOUT"]
        for number, command in enumerate(commands):
            if not say(stream, b"t%d" % number, command):
                sys.exit(1)


main()
