"""What Python's email package finds in an answer of vacation.

    vacation.py FIELD=VALUE...    the answer on standard input, behind a line
                                  "Arguments: ..." of the program it was given to

SPDX-License-Identifier: MIT
"""
import email
import email.policy
import sys

# RFC 5322 3.6: once at most.
ONCE = ["Date", "From", "To", "Subject", "Message-ID", "In-Reply-To",
        "References", "Auto-Submitted", "MIME-Version", "Content-Type",
        "Content-Transfer-Encoding"]


def text(message):
    return message.get_content().strip()


FOUND = {
    "type": lambda m, a: m.get_content_type(),
    "text": lambda m, a: text(m),
    "parts": lambda m, a: " ".join(p.get_content_type()
                                   for p in m.iter_parts()),
    "arguments": lambda m, a: a,
    "id": lambda m, a: m["Message-ID"].strip().rstrip(">").split("@")[1],
    "References": lambda m, a: " ".join(m["References"].split()),
}


def find(message, arguments, name):
    if name in FOUND:
        return FOUND[name](message, arguments)
    return "" if message[name] is None else str(message[name])


def main():
    data = sys.stdin.buffer.read()
    first, data = data.split(b"\n", 1)
    arguments = first.decode().removeprefix("Arguments: ")
    message = email.message_from_bytes(data, policy=email.policy.default)
    wrong = [f"{part.get_content_type()}: {part.defects}"
             for part in message.walk() if part.defects]
    wrong += [f"{name}: {value.defects}" for name, value in message.items()
              if value.defects]
    wrong += [f"{name} stands there {len(message.get_all(name))} times"
              for name in ONCE if len(message.get_all(name, [])) > 1]
    if any(byte > 126 for byte in data.split(b"\n\n")[0]):
        wrong.append("the header is not ASCII")
    for name in ["Date", "From", "Message-ID", "MIME-Version"]:
        if name not in message:
            wrong.append(f"no {name}")
    for argument in sys.argv[1:]:
        name, expected = argument.split("=", 1)
        found = find(message, arguments, name)
        if found != expected:
            wrong.append(f"{name}: found {found!r}, expected {expected!r}")
    print("\n".join(wrong))
    sys.exit(bool(wrong))


main()
