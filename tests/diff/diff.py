#!/usr/bin/env python3
"""diff - Doorstep and Pigeonhole judge the same mail by the same scripts

usage: diff.py [--seed N] [--count N] [--first N] [--keep FOLDER] [--all]
               --doorstep PROGRAM WORK

Generated scripts (generate.py) are run by `doorstep sieve test` and by Pigeonhole's
sieve-test.  Where the actions differ the item that does it is found, and looked up
in known.txt: a difference that no entry explains is exit status 1.

--keep FOLDER leaves script and message of each unexplained difference there;
--all prints the explained ones, too.

SPDX-License-Identifier: MIT
"""
import argparse
import collections
import json
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.dont_write_bytecode = True
import generate  # noqa: E402

FROM, TO = "bob+x@example.net", "amy+lists@example.org"
# What generate.py has grammar for.
USED = {"fileinto", "copy", "envelope", "variables", "imap4flags", "relational",
        "subaddress", "comparator-i;ascii-numeric", "regex", "date", "index",
        "body", "editheader", "encoded-character"}


# More would say nothing new.
MOST_SHOWN = 40


class Crash(Exception):
    """The other side died: there is nothing to compare with."""


class Known:
    """One entry of known.txt."""

    def __init__(self, fields):
        self.name = fields["name"]
        self.right = fields["right"]
        self.why = fields["why"]
        self.test = re.compile(fields["test"], re.S)
        self.message = re.compile(fields.get("message", ""), re.S | re.I)
        self.error = fields.get("error", "")
        self.count = 0

    def explains(self, text, message, error):
        """`error`: which side refused the script, "" when none did."""
        return (self.error == error and self.test.search(text) is not None
                and self.message.search(message) is not None)


def read_known(path):
    known = []
    for block in re.split(r"\n\s*\n", path.read_text()):
        lines = [line for line in block.splitlines()
                 if line and not line.startswith("#")]
        fields = {}
        for line in lines:
            if line[0] in " \t":
                fields[last] += " " + line.strip()
            else:
                last, _, value = line.partition(":")
                fields[last] = value.strip()
        if fields:
            known.append(Known(fields))
    return known


# ---- the two sides; each answers a set of actions, or None for an error ----

def unquote(text):
    return re.sub(r"\\(.)", r"\1", text)


def action(kind, value, flags):
    """In one form: sieve-test calls a keep INBOX, and shows controls as "?"."""
    if kind == "fileinto" and value.upper() == "INBOX":
        kind, value = "keep", ""
    value = re.sub(r"[\0-\x1f\x7f]", "?", value)
    if kind == "redirect":
        local, _, domain = value.rpartition("@")
        value = f"{local}@{domain.lower()}"
    return (kind, value, frozenset(flag.lower() for flag in flags))


class Doorstep:
    name = "doorstep"

    def __init__(self, program, work):
        conf = work / "doorstep.conf"
        conf.write_text("hostname = mx.example.test\n"
                        "sieve_max_actions = 0\nsieve_max_redirects = 100\n")
        self.command = [program, "-c", str(conf), "--json", "sieve", "test",
                        "-f", FROM, "-a", TO]
        self.program = program
        self.conf = str(conf)

    def capabilities(self):
        out = subprocess.run([self.program, "-c", self.conf, "sieve",
                              "capabilities"], capture_output=True, check=True)
        return set(out.stdout.decode().split())

    def judge(self, script, message):
        done = subprocess.run([*self.command, script, message],
                              capture_output=True, check=False)
        if done.returncode not in (0, 1):
            raise OSError(done.stderr.decode(errors="replace"))
        if done.returncode == 1:
            return None
        return {self.read(one["action"])
                for one in json.loads(done.stdout)[0]["actions"]}

    @staticmethod
    def read(text):
        found = re.fullmatch(
            r'(\w+)(?: "((?:[^"\\]|\\.)*)")?(?: flags="((?:[^"\\]|\\.)*)")?',
            text, re.S)
        return action(found[1], unquote(found[2] or ""),
                      unquote(found[3] or "").split())


class Pigeonhole:
    name = "pigeonhole"

    def __init__(self, work):
        home = work / "home"
        home.mkdir()
        uid = os.getuid()
        if uid == 0:
            uid = 65534
            os.chown(home, uid, uid)
        conf = work / "dovecot.conf"
        conf.write_text(f"""mail_location = maildir:{home}/Maildir
mail_home = {home}
log_path = /dev/stderr
ssl = no
mail_uid = {uid}
mail_gid = {os.getgid() or uid}
first_valid_uid = 1
recipient_delimiter = +
plugin {{
  sieve_max_actions = 0
  sieve_max_redirects = 100
  sieve_extensions = +editheader
}}
""")
        self.command = ["sieve-test", "-c", str(conf), "-f", FROM, "-a", TO,
                        "-r", TO]

    def judge(self, script, message):
        done = subprocess.run([*self.command, script, message],
                              capture_output=True, check=False)
        said = done.stderr.decode(errors="replace")
        if done.returncode != 0 or "final result: success" not in said:
            if done.returncode < 0:
                raise Crash
            if "Couldn't" in said:
                raise OSError(said)
            return None
        return set(self.read(done.stdout.decode(errors="replace")))

    @staticmethod
    def read(text):
        pattern = re.compile(
            r"^ \* (store message in folder|redirect message to|discard)"
            r"(?:: (.*?))?$((?:\n        \+ .*)*)", re.M)
        for found in pattern.finditer(text):
            flags = re.search(r"add IMAP flags: (.*)", found[3])
            flags = flags[1].split() if flags else []
            if found[1].startswith("redirect"):
                yield action("redirect", found[2].strip("<>"), [])
            elif found[1] == "discard":
                yield action("discard", "", [])
            else:
                yield action("fileinto", found[2], flags)


# ---- one case ----

class Run:
    def __init__(self, options):
        self.work = options.work
        self.options = options
        self.ours = Doorstep(options.doorstep, self.work)
        self.theirs = Pigeonhole(self.work)
        self.known = read_known(pathlib.Path(__file__).with_name("known.txt"))
        self.offered = self.ours.capabilities() & USED
        self.counts = collections.Counter()
        self.unexplained = []

    def judge(self, script, message):
        """What both say."""
        path = self.work / "case.sieve"
        path.write_text(script)
        mail = self.work / "case.eml"
        mail.write_bytes(message)
        return (self.ours.judge(str(path), str(mail)),
                self.theirs.judge(str(path), str(mail)))

    def case(self, number):
        case = generate.Case(self.options.seed, number, self.offered)
        message = case.message.bytes()
        self.counts["scripts"] += 1
        ours, theirs = self.judge(case.script, message)
        if case.is_damaged:
            self.counts["damaged"] += 1
            self.counts["refused by both"] += ours is None and theirs is None
            if ours != theirs:
                self.differ(case, case.script, ours, theirs)
            return
        self.counts["items"] += len(case.items)
        self.counts["actions"] += len(ours or ())
        if ours != theirs:
            self.search(case, message)

    def search(self, case, message):
        """Which items, each alone, differ?"""
        found = False
        for item in case.items:
            script = generate.script_of([item])
            ours, theirs = self.judge(script, message)
            if ours != theirs:
                found = True
                self.differ(case, script, ours, theirs)
        if not found:
            ours, theirs = self.judge(case.script, message)
            self.differ(case, case.script, ours, theirs)

    def differ(self, case, script, ours, theirs):
        self.counts["differences"] += 1
        message = case.message.bytes().decode()
        error = "doorstep" if ours is None else (
            "pigeonhole" if theirs is None else "")
        for known in self.known:
            if known.explains(script, message, error):
                known.count += 1
                if self.options.all:
                    self.show(known.name, case, script, ours, theirs)
                return
        self.unexplained.append(case.number)
        if len(self.unexplained) > MOST_SHOWN:
            return
        self.show("unexplained", case, script, ours, theirs)
        if self.options.keep:
            folder = self.options.keep
            folder.mkdir(parents=True, exist_ok=True)
            name = f"{self.options.seed}-{case.number}"
            (folder / f"{name}.sieve").write_text(script)
            (folder / f"{name}.eml").write_bytes(case.message.bytes())

    @staticmethod
    def show(title, case, script, ours, theirs):
        print(f"{title}: case {case.number}")
        for line in script.splitlines():
            print(f"  {line}")
        for side, actions in (("doorstep", ours), ("pigeonhole", theirs)):
            text = "error" if actions is None else "; ".join(sorted(
                f"{kind} {value!r} {' '.join(sorted(flags))}".strip()
                for kind, value, flags in actions))
            print(f"  {side}: {text}")
        names = set(re.findall(r'"([A-Za-z-]+)"', script.lower()))
        for name, value in case.message.fields:
            if name in names:
                print(f"  {name.title()}: {value!r}")

    def finish(self):
        print(", ".join(f"{count} {name}"
                        for name, count in self.counts.items()))
        for known in self.known:
            if known.count:
                print(f"{known.count} x {known.name}: right is {known.right}")
        if self.unexplained:
            print(f"unexplained: seed {self.options.seed}, cases "
                  f"{sorted(set(self.unexplained))}")
        if self.counts["actions"] == 0:
            print("nothing was compared")
            return 1
        return 1 if self.unexplained else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--keep", type=pathlib.Path)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--doorstep", required=True)
    parser.add_argument("work", type=pathlib.Path)
    options = parser.parse_args()
    os.umask(0o022)     # the other side reads as another user
    run = Run(options)
    for number in range(options.first, options.first + options.count):
        try:
            run.case(number)
        except Crash:
            run.counts["crashes of sieve-test"] += 1
    return run.finish()


if __name__ == "__main__":
    sys.exit(main())
