# One user's quota cannot be told for now: how others fare meanwhile.
#
#	quota_slow.py LIB SOCKET USER OTHER COUNT [TABLE]
#
# With TABLE its lock is held, as by somebody who counts a huge mailbox.
#
# SPDX-License-Identifier: MIT
import fcntl
import os
import select
import struct
import sys

sys.path.insert(0, sys.argv[1])
import lmtp  # noqa: E402

target, user, other, count = sys.argv[2:6]


def deliver(to):
    client = lmtp.Client(target, timeout=60)
    reply = client.send_message("ada@client.example", [to],
                                b"Subject: x\r\n\r\nx\r\n")[0]
    client.quit()
    return " ".join(reply)[:3] if isinstance(reply, list) else reply[:3]


lock = -1
if len(sys.argv) > 6:
    lock = os.open(sys.argv[6], os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.fcntl(lock, 37, struct.pack(  # F_OFD_SETLK
        "hhqqi4x", fcntl.F_WRLCK, 0, 1 << 40, 1, 0))
waiting = [lmtp.Client(target, timeout=60) for _ in range(4)]
for client in waiting:
    client.say("MAIL FROM:<ada@client.example>", "250")
    client.write(b"RCPT TO:<%s>\r\n" % user.encode())
print("others:", {deliver(other) for _ in range(int(count))})
ready = select.select([client.socket for client in waiting], [], [], 0)[0]
print("told meanwhile:", len(ready))
if lock >= 0:
    os.close(lock)
print("then:", {client.line()[:3] for client in waiting})
