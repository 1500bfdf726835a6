"""The reply of 127.0.0.1:25 to one RCPT, code and text.

    rcpt.py SOURCE_ADDRESS RECIPIENT

SPDX-License-Identifier: MIT
"""

import smtplib
import sys

with smtplib.SMTP("127.0.0.1", 25, "client.example", 20,
                  (sys.argv[1], 0)) as client:
    client.ehlo()
    client.mail("ada@client.example")
    code, text = client.rcpt(sys.argv[2])
    print(code, text.decode("utf-8", "replace"))
