"""A pipelined session that ends after its first byte, its second one, and so on.

    cut.py TARGET WAY RECIPIENT

WAY is how the client goes: close; reset (RST on TCP); finish: it says that it has
nothing more to send, and reads what still comes.  The subject of a message whose
final dot was sent is "whole", else "half".

SPDX-License-Identifier: MIT
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../..", "lib"))
import lmtp  # noqa: E402


def session(recipient, number, subject):
    return (
        "LHLO client.example\r\nMAIL FROM:<ada@client.example>\r\n"
        "RCPT TO:<%s>\r\nRCPT TO:<%s-too>\r\nDATA\r\n"
        "From: Ada <ada@client.example>\r\nSubject: %s\r\n"
        "Message-ID: <%d.%s@client.example>\r\n\r\n"
        "One line.\r\n..\r\nAnother.\r\n.\r\nQUIT\r\n"
        % (recipient, recipient, subject, number, recipient)
    ).encode()


def finish(client):
    client.socket.shutdown(1)
    while client.socket.recv(65536):
        pass
    client.close()


WAYS = {"close": lmtp.Client.close, "reset": lmtp.Client.reset, "finish": finish}


def main():
    target, way, recipient = sys.argv[1:]
    # Both subjects are of the same length.
    dot = session(recipient, 100, "half.").index(b"\r\n.\r\n") + 5
    count = len(session(recipient, 100, "half."))
    for length in range(1, count + 1):
        subject = "half." if length < dot else "whole"
        client = lmtp.Client(target, greet=False)
        text = session(recipient, 100 + length, subject)
        client.write(text[:length])
        try:
            WAYS[way](client)
        except ConnectionError:
            pass
    print("%d cuts, final dot after %d" % (count, dot))


main()
