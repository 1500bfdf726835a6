"""What Python's email package finds in the letters of letters.c.

    letters.py NAME FILE    exit 0 when it is what was written

SPDX-License-Identifier: MIT
"""
import email
import email.policy
import sys

NAMES = ["Date", "From", "To", "Message-ID", "Subject", "In-Reply-To",
         "References"]
ANSWERED = "<lunch@partner.example>"


def expect(found, expected, what):
    if found != expected:
        sys.exit(f"{what}: found {found!r}, expected {expected!r}")


def check_lines(data):
    for line in data.split(b"\r\n"):
        if b"\r" in line or b"\n" in line:
            sys.exit(f"a bare line end in {line!r}")
        if len(line) > 998:
            sys.exit(f"a line of {len(line)} bytes")
    head = data.split(b"\r\n\r\n")[0]
    for line in head.split(b"\r\n"):
        if len(line) > 78:
            sys.exit(f"a long line in the head: {line!r}")
        if any(byte > 126 for byte in line):
            sys.exit(f"a line in the head that is not ASCII: {line!r}")


def check_defects(message):
    for part in message.walk():
        expect(part.defects, [], "defects of a part")
        for name, value in part.items():
            expect(list(value.defects), [], f"defects of {name}")


def check_head(message, more):
    names = message.keys()
    end = names.index("MIME-Version")
    expect(names[:end], NAMES + more, "fields in front of MIME-Version")
    for name in names[end + 1:]:
        if not name.lower().startswith("content-"):
            sys.exit(f"{name} behind MIME-Version")
    expect(message["Date"], "Sat, 21 Nov 2026 20:00:00 +0000", "Date")
    expect(message["Message-ID"], "<1@mx.example.org>", "Message-ID")
    expect(message["To"], "ada@partner.example", "To")
    expect(message["In-Reply-To"], ANSWERED, "In-Reply-To")
    expect(message["References"].split(), ["<1@partner.example>",
           "<2@partner.example>", ANSWERED], "References")


def text_of(part):
    return part.get_content().replace("\r\n", "\n")


def addresses(field):
    return [(one.display_name, one.addr_spec) for one in field.addresses]


def plain(message):
    check_head(message, [])
    expect(message["Subject"], "Hello", "Subject")
    expect(addresses(message["From"]), [("", "amy@example.org")], "From")
    expect(message.get_content_type(), "text/plain", "type")
    expect(text_of(message), "I am away.\n", "text")


def foreign(message):
    expect(message["Sender"], "amy@example.org", "Sender")
    del message["Sender"]
    check_head(message, ["Auto-Submitted"])
    expect(message["Subject"], "休暇中です 🏖 und eine sehr lange Zeile über "
           "den Urlaub, in der nichts steht, was eilig wäre", "Subject")
    expect(addresses(message["From"]), [("Zoë Müller", "amy@example.org"),
           ("Bo, Jr.", "bo@example.org")], "From")
    expect(message["Auto-Submitted"], "auto-replied (vacation)",
           "Auto-Submitted")
    expect(text_of(message),
           "Ich bin in Österreich.\n.\nFrom hier grüße ich =20 \n", "text")


def attack(message):
    check_head(message, ["Auto-Submitted", "X-One"])
    expect(message["Bcc"], None, "Bcc")
    expect(message["Subject"], "Hello  Bcc: b@evil.example  body",
           "Subject")
    expect([one[1] for one in addresses(message["From"])],
           ["amy@example.org"], "From")
    expect(text_of(message), "I am away.\n", "text")


def ready(message):
    check_head(message, [])
    expect(message["Bcc"], None, "Bcc")
    expect(message.get_content_type(), "multipart/alternative", "type")
    expect([part.get_content_type() for part in message.iter_parts()],
           ["text/plain", "text/html"], "types of the parts")
    expect(text_of(list(message.iter_parts())[1]), "<b>Brändung</b>",
           "the second part")


def report(message):
    check_head(message, [])
    expect(message.get_content_type(), "multipart/report", "type")
    expect(message.get_param("report-type"), "disposition-notification",
           "report-type")
    parts = list(message.iter_parts())
    expect([part.get_content_type() for part in parts],
           ["text/plain", "message/disposition-notification",
            "message/rfc822"], "types of the parts")
    expect(text_of(parts[0]), "Your message was refused.\n", "text")
    expect(parts[1].get_payload()[0]["Final-Recipient"],
           "rfc822;amy@example.org", "Final-Recipient")
    inner = parts[2].get_payload()[0]
    expect(inner["Message-ID"], ANSWERED, "the original's id")
    expect(inner.get_payload(decode=True).decode(),
           "Äpfel -- ohne Zeilenende", "the original's text")


def main():
    name, path = sys.argv[1:]
    with open(path, "rb") as file:
        data = file.read()
    message = email.message_from_bytes(data, policy=email.policy.default)
    check_lines(data)
    # The original in the report has a header that is not ASCII.
    if name != "report":
        check_defects(message)
    globals()[name](message)


main()
