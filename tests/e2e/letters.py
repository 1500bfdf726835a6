"""What Python's email package finds in mail that Doorstep has written itself.

    letters.py ANSWER NOTIFICATION COPY

The first two are behind a line "Envelope: ...", and have what was put in front on
their way.  Ends with 1 and says why when an RFC is not kept.

SPDX-License-Identifier: MIT
"""
import email
import email.policy
import sys

ORIGINAL = "<Answer@client.example>"
# RFC 5322 3.6
ONCE = ["Date", "From", "To", "Subject", "Message-ID", "In-Reply-To", "References",
        "Auto-Submitted", "MIME-Version", "Content-Type"]


def expect(found, expected, what):
    if found != expected:
        sys.exit("%s: found %r, expected %r" % (what, found, expected))


def read(path, has_envelope):
    with open(path, "rb") as file:
        raw = file.read()
    if has_envelope:
        raw = raw.split(b"\n", 1)[1]
    message = email.message_from_bytes(raw, policy=email.policy.default)
    for part in message.walk():
        expect(part.defects, [], "defects")
    for name, value in message.items():
        expect(list(value.defects), [], "defects of " + name)
    for name in ONCE:
        expect(len(message.get_all(name, [])), 1, name)
    expect(raw.split(b"\n\n")[0].isascii(), True, "an ASCII header")
    expect(max(map(len, raw.splitlines())) <= 998, True, "lines of 998 at most")
    expect(str(message["In-Reply-To"]), ORIGINAL, "In-Reply-To")
    expect(message["References"].split()[-1], ORIGINAL, "References")
    expect(message["Message-ID"] == ORIGINAL, False, "an id of its own")
    expect(message["Date"].datetime is not None, True, "Date")
    expect([h for h in message.keys() if h.startswith("DKIM")], [], "signatures")
    return message


def check_answer(message):
    """RFC 5230 5, RFC 3834 3.1"""
    expect(str(message["Auto-Submitted"]), "auto-replied (vacation)",
           "Auto-Submitted")
    expect(str(message["Subject"]), "Weg – bis Montag", "Subject")
    expect([(a.display_name, a.addr_spec) for a in message["From"].addresses],
           [("Zoë", "amy@virtual.example.test")], "From")
    expect([a.addr_spec for a in message["To"].addresses],
           ["ada@client.example"], "To")
    expect(message.get_content().strip(), "Ich bin für eine Woche weg.", "text")


def check_notification(message):
    """RFC 5436 2.7"""
    value = str(message["Auto-Submitted"])
    expect(value, 'auto-notified; owner-email="amy@virtual.example.test"',
           "Auto-Submitted")
    expect(str(message["Subject"]), "Post für dich", "Subject")
    expect([a.addr_spec for a in message["To"].addresses],
           ["phone@elsewhere.example"], "To")


def main():
    answer, notification, copy = sys.argv[1:]
    answer = read(answer, True)
    check_answer(answer)
    check_notification(read(notification, True))
    copy = read(copy, False)
    check_answer(copy)
    expect(str(copy["Message-ID"]), str(answer["Message-ID"]), "the copy's id")


main()
