# Runs a command with standard error, and with "both" standard output, on a terminal;
# prints what the terminal was sent.
#
#	terminal.py error|both COMMAND...
#
# SPDX-License-Identifier: MIT
import os
import pty
import subprocess
import sys

ours, theirs = pty.openpty()
run = subprocess.Popen(
    sys.argv[2:], stderr=theirs,
    stdout=theirs if sys.argv[1] == "both" else subprocess.DEVNULL)
os.close(theirs)
said = b""
while True:
    try:
        piece = os.read(ours, 4096)
    except OSError:  # the other end is closed
        break
    if not piece:
        break
    said += piece
print(ascii(said.decode()))
sys.exit(run.wait())
