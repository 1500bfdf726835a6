"""Send standard input by SMTP to 127.0.0.1:25 as it is.

    smtp.py SENDER RECIPIENT... <MESSAGE

Lines end in LF; they are sent with CR LF, and nothing else is changed.
SPDX-License-Identifier: MIT
"""

import socket
import sys


def say(stream, line, expected):
    if line is not None:
        stream.write(line.encode() + b"\r\n")
        stream.flush()
    while True:
        reply = stream.readline().decode("utf-8", "replace")
        sys.stdout.write(reply)
        if reply[3:4] != "-":
            break
    if not reply.startswith(expected):
        sys.exit("%s: unexpected reply" % line)


def main():
    sender, recipients = sys.argv[1], sys.argv[2:]
    message = sys.stdin.buffer.read().replace(b"\n", b"\r\n")
    message = b"\r\n" + message
    message = message.replace(b"\r\n.", b"\r\n..")[2:]
    if not message.endswith(b"\r\n"):
        message += b"\r\n"

    with socket.create_connection(("127.0.0.1", 25), 30) as connection:
        stream = connection.makefile("rwb")
        say(stream, None, "220")
        say(stream, "EHLO client.example", "250")
        say(stream, "MAIL FROM:<%s> BODY=8BITMIME" % sender, "250")
        for recipient in recipients:
            say(stream, "RCPT TO:<%s>" % recipient, "250")
        say(stream, "DATA", "354")
        stream.write(message + b".\r\n")
        stream.flush()
        say(stream, None, "250")
        say(stream, "QUIT", "221")


main()
