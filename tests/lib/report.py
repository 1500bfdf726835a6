"""Read a multipart/report back and say what is in it.

    report.py mdn|dsn|delivered|abuse <MESSAGE

Prints what a program for reports finds: the header fields that matter, the text,
the machine's part field by field, and the original's header.  Ends with 1 and says
why when the form of RFC 6522, 8098, 3464 or 5965 is not kept.

SPDX-License-Identifier: MIT
"""

import email
import email.policy
import re
import sys

KINDS = {
    "mdn": ("disposition-notification", "message/disposition-notification"),
    "dsn": ("delivery-status", "message/delivery-status"),
    "delivered": ("delivery-status", "message/delivery-status"),
    "abuse": ("feedback-report", "message/feedback-report"),
}
TYPED = re.compile(r"^[A-Za-z0-9-]+; .")


def need(condition, what):
    if not condition:
        print("bad: " + what)
        sys.exit(1)


def once(fields, name):
    values = fields.get_all(name, [])
    need(len(values) == 1, "%s %d times" % (name, len(values)))
    return str(values[0])


def check_mdn(groups):
    need(len(groups) == 1, "one group of fields")
    fields = groups[0]
    need(TYPED.match(once(fields, "Final-Recipient")), "Final-Recipient")
    need(
        once(fields, "Disposition")
        == "automatic-action/MDN-sent-automatically; deleted",
        "Disposition",
    )


def check_dsn(groups, action="failed", status="5"):
    need(len(groups) >= 2, "a group for each recipient")
    need(TYPED.match(once(groups[0], "Reporting-MTA")), "Reporting-MTA")
    for fields in groups[1:]:
        need(TYPED.match(once(fields, "Final-Recipient")), "Final-Recipient")
        need(once(fields, "Action") == action, "Action")
        need(
            re.match(r"^%s\.\d+\.\d+$" % status, once(fields, "Status")), "Status"
        )


def check_delivered(groups):
    check_dsn(groups, "delivered", "2")


def check_abuse(groups):
    need(len(groups) == 1, "one group of fields")
    need(once(groups[0], "Version") == "1", "Version")
    need(once(groups[0], "Feedback-Type"), "Feedback-Type")
    need(once(groups[0], "User-Agent"), "User-Agent")


def read_groups(part):
    """The fields of a message/... part, which the parser may have parsed."""
    payload = part.get_payload()
    if isinstance(payload, list):
        groups = payload
    else:
        texts = re.split(r"\n\n", payload.replace("\r\n", "\n").strip())
        groups = [email.message_from_string(text) for text in texts]
    return [group for group in groups if group.keys()]


def main():
    kind = sys.argv[1]
    raw = sys.stdin.buffer.read()
    need(raw.isascii() or b"8bit" in raw, "8-bit bytes that nobody announced")
    need(max(map(len, raw.splitlines())) <= 998, "a line longer than 998")
    message = email.message_from_bytes(raw, policy=email.policy.default)
    report_type, machine_type = KINDS[kind]
    need(message.get_content_type() == "multipart/report", "multipart/report")
    need(
        message["Content-Type"].params.get("report-type") == report_type,
        "report-type",
    )
    for name in ("Date", "From", "To", "Message-ID", "Subject", "MIME-Version"):
        once(message, name)
    need(message["Date"].datetime is not None, "Date")
    for part in message.walk():
        need(not part.defects, "defects %r" % part.defects)
    parts = message.get_payload()
    need(len(parts) == 3, "three parts")
    need(parts[0].get_content_type() == "text/plain", "a part for people")
    need(parts[1].get_content_type() == machine_type, "a part for programs")
    groups = read_groups(parts[1])
    {
        "mdn": check_mdn,
        "dsn": check_dsn,
        "delivered": check_delivered,
        "abuse": check_abuse,
    }[kind](groups)
    for name in ("From", "To", "Subject", "Auto-Submitted", "In-Reply-To"):
        print("%s: %s" % (name, message.get(name, "")))
    print("text: " + " / ".join(parts[0].get_content().splitlines()))
    for fields in groups:
        for name, value in fields.items():
            print("> %s: %s" % (name, value))
    print("original: " + parts[2].get_content_type())
    if parts[2].get_content_type() == "text/rfc822-headers":
        text = parts[2].get_payload(decode=True).decode("utf-8", "replace")
        original = email.message_from_string(text)
        need(not original.get_payload().strip(), "only the header")
    else:
        original = parts[2].get_payload(0)
    print("original subject: %s" % original["Subject"])


main()
