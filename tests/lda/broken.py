"""Every kind of mail that we write, about every kind of broken message.

    broken.py HOME PROGRAM OPTION...    PROGRAM is doorstep-lda, whose sendmail
                                        appends to HOME/outgoing

Each must come once, and be read back by Python's email package without a defect, as
its RFC wants it.  Prints what is wrong, and ends with 1.

SPDX-License-Identifier: MIT
"""
import email
import email.policy
import os
import re
import subprocess
import sys

LONG = b"x" * 5000

# Without To: every script is for whoever comes.
ORIGINALS = {
    "a good one": b"From: Ada <ada@client.example>\nSubject: Hello\n"
                  b"Message-ID: <1@c>\nDate: Sat, 21 Nov 2026 20:00:00 +0000\n\nx\n",
    "nothing": b"",
    "an empty line": b"\n",
    "text alone": b"just text\nand more of it\n",
    "a field without an end": b"Subject: x",
    "a header without an empty line": b"Subject: x\nX-A: y\n",
    "text behind the fields": b"Subject: x\nno field here\nX-A: y\n\nbody\n",
    "text in front of the fields": b"no field\nSubject: x\n\nbody\n",
    "a fold at the beginning": b" folded\nSubject: x\n\nbody\n",
    "a blank in front of a colon": b"Subject : x\nFrom : ada@c.example\n\nbody\n",
    "an empty name": b": x\nSubject: y\n\nbody\n",
    "a line of an mbox": b"From ada Sat Nov 21 20:00:00 2026\nSubject: x\n\nbody\n",
    "a quoted line of an mbox": b">From ada Sat Nov 21\nSubject: x\n\nbody\n",
    "latin-1 in the header": b"From: Zo\xeb <zoe@c.example>\nSubject: Gr\xfc\xdfe\n"
                             b"Message-ID: <\xfc@c>\n\nx\n",
    "UTF-8 in the header": "From: Zoë <zoë@c.example>\nSubject: Grüße\n"
                           "Message-ID: <ü@c>\nReferences: <ö@c>\n\nx\n".encode(),
    "half a character": b"Subject: Gr\xc3\n\nx\xc3\n",
    "NUL in the header": b"Subject: a\0b\nFrom: a\0b <ada@c.example>\n"
                         b"Message-ID: <a\0b@c>\n\nx\n",
    "NUL in the body": b"Subject: x\n\na\0b\n\0\n",
    "control characters": b"Subject: a\x07\x1b[31m\x7fb\n\n\x1b\n",
    "a CR alone": b"Subject: a\rBcc: eve@evil.example\r\rb\n\nx\ry\r",
    "CRLF": b"Subject: x\r\nMessage-ID: <1@c>\r\n\r\nbody\r\n",
    "both line ends": b"Subject: x\r\nMessage-ID: <1@c>\n\r\nbody\r\n\n",
    "a long line in the header": b"Subject: " + LONG + b"\nX-Long: " + LONG +
                                 b"\n\nx\n",
    "a long line in the body": b"Subject: x\n\n" + LONG + b"\n",
    "a long id": b"Message-ID: <" + LONG + b"@c>\nReferences: <" + LONG +
                 b"@c>\nSubject: x\n\nx\n",
    "many references": b"Message-ID: <1@c>\nReferences: " +
                       b" ".join(b"<%d@c>" % i for i in range(5000)) +
                       b"\nSubject: x\n\nx\n",
    "an id that is none": b"Message-ID: no id\nIn-Reply-To: your mail of Monday\n"
                          b"References: <\nSubject: x\n\nx\n",
    "an id of several": b"Message-ID: <1@c> <2@c>, eve\nSubject: x\n\nx\n",
    "line ends in an encoded word": b"Subject: =?utf-8?q?a=0D=0ABcc:_eve=00b?=\n"
                                    b"\nx\n",
    "an encoded word without an end": b"Subject: =?utf-8?q?a=C3?= =?utf-8?b?w?=\n"
                                      b"\nx\n",
    "an unknown charset": b"Subject: =?x-none?q?a=FF?=\n\nx\n",
    "a long subject": b"Subject: " + b"\n ".join([b"=?utf-8?q?" + b"=C3=BC" * 10 +
                                                  b"?="] * 200) + b"\n\nx\n",
    "an empty subject": b"Subject:\nFrom:\nMessage-ID:\n\nx\n",
    "fields twice": b"Subject: a\nSubject: b\nFrom: a@c.example\nFrom: b@c.example\n"
                    b"Message-ID: <1@c>\nMessage-ID: <2@c>\n\nx\n",
    "a name with signs": b"Subject: a\", <eve@evil.example> ;(\\\nFrom: \"\n\nx\n",
    "a name that is long": b"Subject: x\nFrom: " + LONG + b" <ada@c.example>\n\nx\n",
    "an open multipart": b"Subject: x\nMIME-Version: 1.0\n"
                         b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n",
    "a multipart without a boundary": b"Subject: x\nContent-Type: multipart/mixed\n"
                                      b"\nx\n",
    "an unknown encoding": b"Subject: x\nContent-Transfer-Encoding: x-none\n"
                           b"Content-Type: ;;=\n\nx\n",
    "base64 that is none": b"Subject: x\nContent-Transfer-Encoding: base64\n\n***\n",
    "a recipient's field that lies": b"Original-Recipient: rfc822;a\0b \xfc\n\tc\n"
                                     b"Subject: x\n\nx\n",
    "a long header": b"Subject: x\n" + b"X-A: 0123456789012345678901234\n" * 8000 +
                     b"\nx\n",
    "eight bits behind much text": b"Subject: x\n\n" + b"a line of text\n" * 20000 +
                                   b"\xfc\n",
}

VARIABLES = """
if header :matches "subject" "*" { set "s" "${1}"; }
if header :matches "from" "*" { set "f" "${1}"; }
"""

# The script, and what is wanted beside the common.
KINDS = {
    "vacation": ("vacation", 'vacation "Away.";'),
    "vacation with variables": ("vacation", VARIABLES +
                                'vacation :subject "Re: ${s}" '
                                ':from "${f} <amy@example.test>" "${s} ${f}";'),
    "vacation :mime": ("vacation",
                       'vacation :mime text:\nContent-Type: text/html\n\n<b>x</b>\n'
                       '.\n;'),
    "notify": ("notify", 'notify "mailto:tim@example.org?cc=tom@example.org";'),
    "notify with variables": ("notify", VARIABLES +
                              'notify :message "${s} ${f}" :from '
                              '"${f} <amy@example.test>" '
                              '"mailto:tim@example.org?x-one=1&body=b%0D%0A.";'),
    "reject": ("mdn", 'reject "No.";'),
    "reject with variables": ("mdn", VARIABLES + 'reject "${s} ${f}.";'),
    "ereject": ("dsn", VARIABLES + 'ereject "${s}.";'),
    "report": ("abuse", VARIABLES + 'report "abuse" "${s} ${f}" "a@example.org";'),
    "report :headers_only": ("abuse",
                             'report :headers_only "spam" "x" "a@example.org";'),
}
REQUIRE = ('require ["vacation", "enotify", "reject", "ereject", "variables", '
           '"vnd.dovecot.report"];\n')
REPORTS = {"mdn": "disposition-notification", "dsn": "delivery-status",
           "delivered": "delivery-status", "abuse": "feedback-report"}
AUTO = {"vacation": "auto-replied (vacation)", "mdn": "auto-replied (rejected)",
        "dsn": "auto-replied (rejected)",
        "delivered": "auto-generated (delivered)", "abuse": "auto-generated (report)",
        "notify": 'auto-notified; owner-email="amy@example.test"'}
ORIGINAL = b"Content-Type: message/rfc822\n"
# RFC 5322 3.6
ONCE = ["Date", "From", "To", "Message-ID", "Auto-Submitted", "MIME-Version",
        "Content-Type"]
AT_MOST_ONCE = ["Sender", "Subject", "In-Reply-To", "References", "Cc",
                "Content-Transfer-Encoding", "Precedence"]
# What has to stand in the part for programs, and its form.
ADDRESS = r"(rfc822|utf-8); \S+"
MACHINE = {
    "mdn": {"Reporting-UA": r"\S+; .+", "Final-Recipient": ADDRESS,
            "Disposition": r"automatic-action/MDN-sent-automatically; deleted"},
    "dsn": {"Reporting-MTA": r"dns; \S+", "Final-Recipient": ADDRESS,
            "Action": "failed", "Status": r"5\.\d+\.\d+"},
    "delivered": {"Reporting-MTA": r"dns; \S+", "Final-Recipient": ADDRESS,
                  "Action": "delivered", "Status": r"2\.0\.0"},
    "abuse": {"Feedback-Type": "abuse|spam", "User-Agent": r"\S+/\S+",
              "Version": "1", "Original-Mail-From": r"<\S+>",
              "Original-Rcpt-To": r"<\S+>", "Arrival-Date": ".+",
              "Reporting-MTA": r"dns; \S+"},
}


def once(fields, name):
    values = fields.get_all(name, [])
    assert len(values) == 1, "%s: %d times" % (name, len(values))
    return str(values[0])


def check_bytes(raw, kind):
    # RFC 2046 5.2.1: what it is about stays as it came.
    if kind in REPORTS and ORIGINAL in raw:
        raw = raw[:raw.rindex(ORIGINAL)]
    head = raw.split(b"\n\n")[0]
    assert all(31 < byte < 127 or byte in b"\t\n" for byte in head), "odd head"
    assert max(map(len, head.split(b"\n"))) <= 998, "a long line in the head"
    assert b"\0" not in raw, "NUL"
    assert raw.endswith(b"\n"), "no line end at the end"
    assert max(map(len, raw.split(b"\n"))) <= 998, "a long line"


def check_head(message, kind):
    for name in ONCE:
        once(message, name)
    for name, value in message.items():
        assert not value.defects, "%s: %r" % (name, value.defects)
        assert name != "Bcc" and "\n" not in value, name
    for name in AT_MOST_ONCE:
        assert len(message.get_all(name, [])) <= 1, name + " twice"
    assert message["Date"].datetime is not None, "Date"
    assert re.fullmatch(r"<[^<>@\s]+@mx\.example\.test>", message["Message-ID"])
    assert len(message["From"].addresses) == 1, "several authors"
    assert message["From"].addresses[0].domain in (
        "example.test", "mx.example.test"), "From"
    assert all(one.domain for one in message["To"].addresses), "To"
    assert str(message["Auto-Submitted"]) == AUTO[kind], "Auto-Submitted"
    for reference in str(message.get("References", "")).split():
        assert re.fullmatch(r"<[^<>\s]+>", reference), "References"


def check_eight_bit(part, raw):
    """RFC 2045 6.2, 6.4: 8-bit bytes are announced, by all around them."""
    if part.get_content_type() in ("message/rfc822", "multipart/report"):
        announced = str(part["Content-Transfer-Encoding"]) == "8bit"
        assert announced or raw.isascii(), "8-bit bytes that nobody announced"
    elif not part.is_multipart():
        assert part.as_bytes().isascii(), "8-bit bytes outside of the original"


def own_parts(message):
    """Not those of the message it is about, which may be anything."""
    yield message
    if message.get_content_maintype() == "multipart":
        yield from message.get_payload()


def check_machine_part(part, kind):
    groups = part.get_payload()
    assert len(groups) == (2 if REPORTS[kind] == "delivery-status"
                           else 1), "groups of fields"
    fields = {}
    for group in groups:
        assert not group.defects, group.defects
        for name, value in group.items():
            assert name not in fields, name + " twice"
            assert str(value).isascii() and "\n" not in str(value), name
            fields[name] = str(value)
    for name, form in MACHINE[kind].items():
        assert re.fullmatch(form, fields.get(name, "")), "%s: %r" % (
            name, fields.get(name))


def check_report(message, kind):
    """RFC 6522"""
    assert message.get_content_type() == "multipart/report", "no report"
    assert message.get_param("report-type") == REPORTS[kind], "report-type"
    parts = message.get_payload()
    assert len(parts) == 3, "%d parts" % len(parts)
    assert parts[0].get_content_type() == "text/plain", "a part for people"
    parts[0].get_content().encode()
    assert parts[1].get_content_type() == "message/" + REPORTS[kind]
    if kind == "abuse":    # which Python does not read
        text = parts[1].get_payload(0).as_string() if parts[
            1].is_multipart() else parts[1].get_payload()
        parts[1].set_payload([email.message_from_string(text.strip() + "\n\n")])
    check_machine_part(parts[1], kind)
    third = parts[2].get_content_type()
    assert third in ("message/rfc822", "text/rfc822-headers"), third
    if third == "text/rfc822-headers":
        assert parts[2].get_content_disposition() == "attachment"
        parts[2].get_payload(decode=True)


def check(raw, kind):
    check_bytes(raw, kind)
    message = email.message_from_bytes(raw, policy=email.policy.default)
    check_head(message, kind)
    for part in own_parts(message):
        assert not part.defects, "%s: %r" % (part.get_content_type(), part.defects)
        check_eight_bit(part, raw)
    if kind in REPORTS:
        check_report(message, kind)
    else:
        assert message.get_content_maintype() == "text", "no text"
        message.get_content().encode()


def deliver(home, command, original, number):
    outgoing = os.path.join(home, "outgoing")
    if os.path.exists(outgoing):
        os.remove(outgoing)
    done = subprocess.run(command + ["-f", "ada%d@client.example" % number],
                          input=original, capture_output=True, check=False)
    assert done.returncode == 0, "status %d: %r" % (done.returncode, done.stderr)
    assert os.path.exists(outgoing), "nothing was sent"
    with open(outgoing, "rb") as file:
        arguments, raw = file.read().split(b"\n", 1)
    assert raw.count(b"\nArguments: ") == 0, "more than one"
    assert arguments.startswith(b"Arguments: -i -f ")
    return raw


def main():
    home, *command = sys.argv[1:]
    number = wrong = 0
    for kind, (what, script) in KINDS.items():
        with open(os.path.join(home, ".dovecot.sieve"), "w") as file:
            file.write(REQUIRE + script + "\n")
        for name, original in ORIGINALS.items():
            number += 1
            raw = b""
            try:
                raw = deliver(home, command, original, number)
                check(raw, what)
            except Exception as error:
                wrong += 1
                print("%s about %s: %s: %s" % (kind, name, type(error).__name__,
                                               error))
                if os.environ.get("SHOW"):
                    print(raw[:3000].decode(errors="replace"))
    print("%d letters, %d wrong" % (number, wrong))
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
