"""generate - messages, and scripts of many small tests, from a grammar

A script is a require and some items.  Each item says by the folder tN whether its
test was true, and by vN:... what a variable held, so that a difference leads to
one item.  The same seed gives the same scripts and messages.

SPDX-License-Identifier: MIT
"""
import random

# What the values of header fields are made of.
WORDS = ["hello", "World", "a*b", "x?y", "back\\slash", "[list]", "Re:", "42",
         "007", "grüße", "ÄÖÜ", "naïve", "\"quoted\"", "a.b+c",
         "$100", "${a}", "(paren)", "UPPER", "lower", "Σίσυφος", "--", "e=mc2"]
ENCODED = ["=?utf-8?q?gr=C3=BC=C3=9Fe?=", "=?UTF-8?B?SGVsbG8gV29ybGQ=?=",
           "=?iso-8859-1?q?caf=E9?=", "=?utf-8?q?two?= =?utf-8?q?_words?=",
           "=?utf-8?q?a_b?= plain =?utf-8?b?Yw==?=", "=?utf-8?q?open",
           "=?utf-8?x?what?=", "=?us-ascii?Q?x=3Fy?="]
ADDRESSES = ["bob@example.net", "Bob <Bob+Lists@Example.NET>",
             "\"Reed, Ada\" <ada@client.example>", "amy@example.org (Amy)",
             "a@b.example, Carl <carl+x+y@d.example>",
             "friends: dora@a.example, emil@b.example;",
             "undisclosed-recipients:;", "=?utf-8?q?J=C3=B6rg?= <j@x.example>",
             "\"odd local\"@example.org", "<fred@sub.example.com>",
             "grace@[192.0.2.1]", "henry+@example.org", "+ivy@example.org",
             "\"a, b\" <quoted@x.example>, plain@y.example",
             "Mixed (one) <mixed@x.example> (two)", "a.b.c@d.e.f.example",
             "=?utf-8?q?=22x=2C_y=22?= <z@x.example>",
             "one@x.example,two@x.example,,three@x.example",
             "\"esc\\\"aped\" <esc@x.example>", "UPPER@EXAMPLE.COM"]
BROKEN = ["no address", "<<two@x.example>", "half@", "@half.example",
          "a b c@d.example", "<open@x.example", "x@y@z.example", "(only)"]
NUMBERS = ["12", "007", "7", "0", "100", "12abc", "abc", "", "-5", "4294967296",
           "18446744073709551616", "1.5"]
DATES = ["Wed, 30 Feb 2022 10:00:00 +0000", "yesterday", "",
         "1 Jul 1999 00:00:00 EST", "Fri,  5 Mar 2021 1:02:03 -0000",
         "Mon, 6 May 2024 10:00:00 +0000", "6 May 2024 23:30:00 -0500",
         "Sat, 01 Jan 2000 00:00:00 +0100", "Tue, 29 Feb 2000 12:34:56 GMT",
         "Thu, 31 Dec 2026 23:59:59 +1400"]
MAILBOX = ["to", "cc", "from", "sender", "reply-to", "resent-to"]
TEXT = ["subject", "x-one", "x-two", "x-three", "comments", "list-id"]
NUMERIC = ["x-num", "x-other-num", "x-spam-score"]
DATE = ["date", "resent-date"]


def quote(text):
    """A Sieve string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def quote_list(items):
    if len(items) == 1:
        return quote(items[0])
    return "[" + ", ".join(quote(item) for item in items) + "]"


class Message:
    """Header fields, most of them once or twice, and a short body."""

    def __init__(self, r):
        self.fields = []
        for name in MAILBOX:
            self.some(r, name, lambda: self.address(r), 2)
        for name in TEXT:
            self.some(r, name, lambda: self.text(r), 3)
        for name in NUMERIC:
            self.some(r, name, lambda: r.choice(NUMBERS), 3)
        for name in DATE:
            self.some(r, name, lambda: r.choice(DATES), 1)
        r.shuffle(self.fields)
        self.body = "\n".join(" ".join(r.choice(WORDS) for _ in range(5))
                              for _ in range(r.randrange(6))) + "\n"
        self.end = r.choice(["\n", "\r\n"])
        self.size = len(self.bytes().replace(b"\r\n", b"\n")
                        .replace(b"\n", b"\r\n"))

    def some(self, r, name, make, most):
        for _ in range(r.randrange(most + 1)):
            self.fields.append((name, make()))

    @staticmethod
    def address(r):
        if r.randrange(12) == 0:
            return r.choice(BROKEN)
        return r.choice(ADDRESSES)

    @staticmethod
    def text(r):
        kind = r.randrange(11)
        if kind == 10:
            return r.choice(ENCODED) + " " + r.choice(WORDS)
        if kind == 0:
            return ""
        if kind == 1:
            return r.choice(ENCODED)
        words = [r.choice(WORDS) for _ in range(r.randrange(1, 5))]
        if kind == 2:
            return "\n ".join(words)     # folded
        return "  ".join(words) if kind == 3 else " ".join(words)

    def values(self, name):
        return [" ".join(value.split("\n ")) for found, value in self.fields
                if found == name]

    def bytes(self):
        lines = [f"{name.title()}: {value}\n" for name, value in self.fields]
        text = "".join(lines) + "\n" + self.body
        return text.replace("\n", self.end).encode()


class Item:
    """A part of a script: text, and the capabilities it needs."""

    def __init__(self, text, needs):
        self.text = text
        self.needs = needs


class Grammar:
    """Makes items about one message; uses only what `offered` has."""

    def __init__(self, r, message, offered):
        self.r = r
        self.message = message
        self.offered = offered
        self.needs = set()

    # ---- parts of tests ----

    def may(self, capability, chance):
        """Uses the capability by that chance, where both sides have it."""
        if capability not in self.offered or self.r.random() >= chance:
            return False
        self.needs.add(capability)
        return True

    def comparator(self):
        kind = self.r.randrange(6)
        if kind == 0:
            return ':comparator "i;octet" '
        if kind == 1:
            return ':comparator "i;ascii-casemap" '
        return ""

    def wild(self, text):
        """A pattern that often matches `text`."""
        out = ""
        for char in text:
            kind = self.r.randrange(12)
            if kind == 0:
                out += "*"
            elif kind == 1 and char.isascii():
                out += "?"
            elif kind == 2:
                continue
            elif char in "*?\\":
                out += "\\" + char
            else:
                out += char
        return self.r.choice(["", "*"]) + out + self.r.choice(["", "*"])

    def expression(self, text):
        """A POSIX extended expression that often matches `text`."""
        out = ""
        for char in text[:12]:
            kind = self.r.randrange(10)
            if kind == 0:
                out += ".*"
            elif kind == 1 and char.isascii():
                out += "."
            elif kind == 2 and char.isascii() and char.isalnum():
                out += f"[{char}z]"
            elif kind == 3 and char.isascii() and char.isalnum():
                out += f"({char}|q)+"
            elif char in "*?\\+.()[]{}|^$":
                out += "\\" + char
            else:
                out += char
        return self.r.choice(["", "^"]) + (out or "x")

    def near(self, text):
        """A key that is the text, or something like it."""
        kind = self.r.randrange(8)
        if kind == 0:
            return text.swapcase()
        if kind == 1 and text:
            start = self.r.randrange(len(text))
            return text[start:start + self.r.randrange(1, 9)]
        if kind == 2:
            return self.r.choice(WORDS)
        if kind == 3:
            return ""
        return text

    def match(self, texts):
        """Comparator, match type and keys, for values like these."""
        text = self.r.choice(texts) if texts else self.r.choice(WORDS)
        kind = self.r.randrange(10)
        if kind < 3:
            tags, keys = self.comparator() + ":is", [self.near(text)]
        elif kind < 5:
            tags, keys = self.comparator() + ":contains", [self.near(text)]
        elif kind < 7 or not self.may("regex", 1):
            tags, keys = self.comparator() + ":matches", [self.wild(text)]
        else:
            tags = self.comparator() + ":regex"
            keys = [self.expression(text)]
        if self.r.randrange(5) == 0:
            keys.append(self.near(self.r.choice(WORDS)))
            if ":regex" in tags:
                keys.pop()
        return tags, keys

    def relation(self):
        """Tags of :value or :count with numbers, and keys."""
        operator = self.r.choice(["gt", "ge", "lt", "le", "eq", "ne"])
        self.needs.add("comparator-i;ascii-numeric")
        if self.r.randrange(2):
            keys = [self.r.choice(["0", "1", "2", "3"])]
            return (f':count "{operator}" :comparator "i;ascii-numeric"', keys)
        return (f':value "{operator}" :comparator "i;ascii-numeric"',
                [self.r.choice(NUMBERS)])

    def names(self, pool):
        return [self.name(self.r.choice(pool))
                for _ in range(self.r.choice([1, 1, 1, 2, 3]))]

    def name(self, name):
        return self.r.choice([name, name.title(), name.upper()])

    def index(self):
        if not self.may("index", 0.15):
            return ""
        return (f":index {self.r.randrange(1, 4)} "
                + self.r.choice(["", ":last "]))

    # ---- tests ----

    def header(self):
        if self.may("relational", 0.25):
            names = self.names(NUMERIC + TEXT[:1])
            tags, keys = self.relation()
        else:
            names = self.names(TEXT + NUMERIC)
            values = [value for name in names
                      for value in self.message.values(name.lower())]
            tags, keys = self.match(values)
        return (f"header {self.index()}{tags} {quote_list(names)} "
                f"{quote_list(keys)}")

    def part(self):
        parts = [":all", ":localpart", ":domain", ""]
        if self.may("subaddress", 0.4):
            parts = [":user", ":detail"]
        part = self.r.choice(parts)
        return part + " " if part else ""

    def address(self):
        names = self.names(MAILBOX)
        pieces = ["bob", "Bob@example.net", "example.net", "ada@client.example",
                  "lists", "x+y", "", "carl+x+y", "carl", "emil@b.example",
                  "odd local", "[192.0.2.1]", "ivy", "henry", "j@x.example"]
        if self.may("relational", 0.15):
            tags, keys = self.relation()
            if tags.startswith(":value"):
                tags = ':count "ge" :comparator "i;ascii-numeric"'
        else:
            tags, keys = self.match([self.r.choice(pieces)])
        return (f"address {self.index()}{self.part()}{tags} "
                f"{quote_list(names)} {quote_list(keys)}")

    def envelope(self):
        self.needs.add("envelope")
        tags, keys = self.match(["bob+x@example.net", "amy+lists@example.org",
                                 "amy", "lists", "example.org"])
        parts = self.r.choice([["from"], ["to"], ["from", "to"]])
        return (f"envelope {self.part()}{tags} {quote_list(parts)} "
                f"{quote_list(keys)}")

    def exists(self):
        return f"exists {quote_list(self.names(TEXT + MAILBOX + ['nope']))}"

    def size(self):
        size = self.message.size + self.r.choice([-1, 0, 1, 100, -100])
        return (f"size {self.r.choice([':over', ':under'])} "
                f"{self.r.choice([size, size, '1K', '0', '1M'])}")

    def date(self):
        self.needs.add("date")
        part, keys = self.r.choice([
            ("year", ["2024", "2000", "2026"]), ("month", ["05", "12", "01"]),
            ("day", ["06", "29", "31"]), ("hour", ["10", "23", "00"]),
            ("minute", ["00", "30", "34"]), ("second", ["00", "56"]),
            ("weekday", ["0", "1", "4", "6"]), ("zone", ["+0000", "-0500"]),
            ("date", ["2024-05-06", "2000-02-29"]), ("julian", ["60436"]),
            ("time", ["10:00:00", "12:34:56"]),
            ("iso8601", ["2024-05-06T10:00:00Z", "2000-02-29T12:34:56Z"]),
            ("std11", ["Mon, 06 May 2024 10:00:00 +0000"])])
        zone = self.r.choice([":originalzone ", ':zone "+0200" ',
                              ':zone "-0330" ', ':zone "+0000" '])
        if part == "zone":
            zone = ":originalzone "
        match = self.r.choice([":is", ":contains", ":matches"])
        return (f"date {self.index()}{zone}{match} "
                f"{quote(self.r.choice(DATE))} "
                f"{quote(part)} {quote(self.r.choice(keys))}")

    def body(self):
        self.needs.add("body")
        transform = self.r.choice([":raw", ":text"])
        tags, keys = self.match([self.message.body[:20].split("\n")[0]])
        return f"body {transform} {tags} {quote_list(keys)}"

    def test(self, depth=0):
        kind = self.r.randrange(20)
        if kind < 3 and depth < 3:
            inner = ", ".join(self.test(depth + 1)
                              for _ in range(self.r.randrange(1, 4)))
            return f"{self.r.choice(['allof', 'anyof'])} ({inner})"
        if kind == 3:
            return f"not {self.test(depth + 1)}"
        if kind == 4:
            return self.r.choice(["true", "false"])
        choices = [self.header] * 6 + [self.address] * 3 + [
            self.exists, self.size]
        for capability, make in (("envelope", self.envelope),
                                 ("date", self.date), ("body", self.body)):
            if capability in self.offered:
                choices.append(make)
        return self.r.choice(choices)()

    # ---- items ----

    def simple(self, number):
        return f'if {self.test()} {{ fileinto "t{number}"; }}'

    def captured(self, number):
        self.needs.add("variables")
        name = self.r.choice(TEXT)
        values = self.message.values(name) or ["x"]
        pattern = self.wild(self.r.choice(values))
        return (f"if header :matches {quote(name)} {quote(pattern)} "
                f'{{ fileinto "v{number}:${{{self.r.randrange(4)}}}."; }}')

    def regex_captured(self, number):
        self.needs.update(("variables", "regex"))
        name = self.r.choice(TEXT)
        expression = self.r.choice([
            "([a-z]+) ([a-z]+)", "^([^ ]*) ", "(.*)(.)$", "(a|b|hello)+",
            "([[:digit:]]+)", "[[:upper:]]{2,}", "(x)?(.)", "^(.*) (.*)$",
            "(l+)o", "e=(m)(c)?", "^$", "((a)|(b))", "[^[:alnum:]]+",
            "[]a]+", "[^]a-c]+", "(h.*o)|(W.*d)", "\\(([a-z]+)\\)"])
        return (f"if header :regex {self.comparator()}{quote(name)} "
                f"{quote(expression)} "
                f'{{ fileinto "v{number}:${{{self.r.randrange(4)}}}."; }}')

    def encoded(self, number):
        self.needs.update(("variables", "encoded-character"))
        text = self.r.choice([
            "${hex:41}", "${hex:41 42 43}", "${unicode:e9}", "${HEX:61}",
            "${unicode:40 41}", "${hex:4}", "${hex: 41  42 }", "${hex:zz}",
            "$${hex:41}", "${unicode:20AC}", "${hex:24}{x}", "${hex:41",
            "${unicode:0000000041}", "${hex:c3 a9}", "${unicode:}"])
        return f'fileinto "v{number}:{text}.";'

    def spelled(self, number):
        """The many ways to write the same: comments, text:, capitals."""
        word = self.r.choice(["hello", "UPPER", "42", "a.b+c"])
        name = quote(self.r.choice(TEXT))
        return self.r.choice([
            f'IF HEADER :Contains {name} "{word}" {{ FileInto "t{number}"; }}',
            f'if /* a */ header # b "\n :contains {name} # c\n "{word}" '
            f'{{ fileinto /* "x" */ "t{number}"; }}',
            f'if header :contains {name} text: # c\n{word}\n.\n '
            f'{{ fileinto "t{number}"; }}',
            f'if not string :is text:\n..{word}\n.\n ".{word}\r\n" '
            f'{{ fileinto "t{number}"; }}'
            if self.may("variables", 1) else "stop;",
            f'if header :contains [{name} , "nope"]["{word}"]'
            f'{{fileinto"t{number}";}}',
            f'if true {{ if {self.test()} {{ if not {self.test()} '
            f'{{ fileinto "t{number}"; }} else {{ fileinto "t{number}.b"; }} '
            f'}} }}'])

    def names_of_variables(self, number):
        self.needs.add("variables")
        text = self.r.choice([
            "${X}", "${x}", "${}", "${ x}", "${x }", "${x-y}", "${_x}", "$x",
            "${${x}}", "${0}", "${00}", "${9}", "${x", "$${x}", "${x}${x}",
            "${x.y}x", "\\${x}", "${x1_y}", "${1x}"])
        return (f'set "x" "{self.r.choice(["in", "a${b", "$", "${x}y", ""])}";\n'
                f'set "_x" "under"; set "x1_y" "long";\n'
                f'fileinto "v{number}:{text}.";')

    def date_relation(self, number):
        self.needs.update(("date", "relational", "comparator-i;ascii-numeric"))
        operator = self.r.choice(["gt", "ge", "lt", "le", "eq", "ne"])
        what = self.r.choice([
            f':value "{operator}" "date" "date" "2024-05-06"',
            f':value "{operator}" :comparator "i;ascii-numeric" "date" "year" '
            '"2000"',
            f':count "{operator}" :comparator "i;ascii-numeric" "date" "year" '
            '"1"',
            f':value "{operator}" "resent-date" "iso8601" "2001"'])
        return f'if date :zone "+0000" {what} {{ fileinto "t{number}"; }}'

    def twice(self, number):
        """The same action twice, and actions that end the implicit keep."""
        return self.r.choice([
            f'fileinto "d{number}"; fileinto "d{number}";',
            f'redirect "d{number}@a.example"; redirect "d{number}@A.example";',
            f'if {self.test()} {{ keep; keep; discard; }}',
            f'if {self.test()} {{ fileinto "d{number}"; stop; }}',
            'fileinto "INBOX"; fileinto "inbox";', "keep;"])

    def modified(self, number):
        self.needs.add("variables")
        tags = self.r.sample([":lower", ":upperfirst", ":quotewildcard",
                              ":length"], self.r.randrange(3))
        if ":lower" in tags and self.r.randrange(2):
            tags[tags.index(":lower")] = ":upper"
        if ":upperfirst" in tags and self.r.randrange(2):
            tags[tags.index(":upperfirst")] = ":lowerfirst"
        value = " ".join(self.r.choice(WORDS)
                         for _ in range(self.r.randrange(3)))
        value = value.replace("\t", " ")
        return (f'set {" ".join(tags)} "x{number}" {quote(value)};\n'
                f'fileinto "v{number}:${{x{number}}}.";')

    def string(self, number):
        self.needs.add("variables")
        value = self.r.choice(WORDS)
        tags, keys = self.match([value])
        return (f'set "s{number}" {quote(value)};\n'
                f'if string {tags} "${{s{number}}}" {quote_list(keys)} '
                f'{{ fileinto "t{number}"; }}')

    def flags(self, number):
        self.needs.update(("imap4flags", "variables"))
        pool = ["\\Seen", "\\Flagged", "$Junk", "work", "Work", "a b", "\\seen"]
        lines = []
        for _ in range(self.r.randrange(1, 4)):
            verb = self.r.choice(["setflag", "addflag", "removeflag"])
            flags = [self.r.choice(pool)
                     for _ in range(self.r.randrange(1, 3))]
            lines.append(f'{verb} "f{number}" {quote_list(flags)};')
        test = self.r.choice([
            f'hasflag :is "f{number}" {quote(self.r.choice(pool))}',
            f'hasflag :contains "f{number}" {quote(self.r.choice(["e", "k"]))}',
            f'hasflag :matches "f{number}" "*o*"'])
        lines.append(f'if {test} {{ fileinto "t{number}"; }}')
        lines.append(f'fileinto :flags "${{f{number}}}" "f{number}";')
        return "\n".join(lines)

    def edited(self, number):
        self.needs.add("editheader")
        name = f"X-New-{number}"
        last = self.r.choice(["", ":last "])
        return (f'addheader {last}{quote(name)} "one";\n'
                f'addheader {quote(name)} "two";\n'
                + self.r.choice([
                    "", f"deleteheader {quote(name)};\n",
                    f'deleteheader :index 1 {quote(name)};\n',
                    f'deleteheader :index 1 :last {quote(name)};\n',
                    f'deleteheader :is {quote(name)} "two";\n'])
                + f'if header :is {quote(name)} "{self.r.choice(["one", "two"])}"'
                f' {{ fileinto "t{number}"; }}')

    def action(self, number):
        kind = self.r.randrange(4)
        if kind == 0 and self.may("copy", 1):
            return f'redirect :copy "r{number}@example.org";'
        if kind == 1:
            return f'if {self.test()} {{ redirect "r{number}@example.org"; }}'
        if kind == 2:
            return f"if {self.test()} {{ keep; }}"
        return f"if {self.test()} {{ discard; }}"

    def branches(self, number):
        return (f'if {self.test()} {{ fileinto "t{number}"; }}\n'
                f'elsif {self.test()} {{ fileinto "t{number}.b"; }}\n'
                f'else {{ fileinto "t{number}.c"; }}')

    def item(self, number):
        self.needs = {"fileinto"}
        choices = [self.simple] * 8 + [self.branches, self.action]
        for capability, make in (("variables", self.captured),
                                 ("variables", self.modified),
                                 ("variables", self.names_of_variables),
                                 ("regex", self.regex_captured),
                                 ("encoded-character", self.encoded),
                                 ("date", self.date_relation),
                                 ("fileinto", self.spelled),
                                 ("fileinto", self.twice),
                                 ("variables", self.string),
                                 ("imap4flags", self.flags),
                                 ("editheader", self.edited)):
            if capability in self.offered:
                choices.append(make)
        return Item(self.r.choice(choices)(number), self.needs)


# ---- scripts that may be wrong ----

def damage(r, text):
    """The script with one token changed, lost or doubled."""
    kind = r.randrange(6)
    at = r.randrange(len(text))
    if kind == 0:
        return text[:at] + text[at + 1:]
    if kind == 1:
        return text[:at] + r.choice(';{}()[],":\\#/*0aG') + text[at:]
    words = text.split(" ")
    at = r.randrange(len(words))
    if kind == 2:
        del words[at]
    elif kind == 3:
        words.insert(at, r.choice(words))
    elif kind == 4:
        words[at] = r.choice(['"x"', "5", ":is", "[", "not", "keep;", "1Z"])
    else:
        other = r.randrange(len(words))
        words[at], words[other] = words[other], words[at]
    return " ".join(words)


def script_of(items):
    needs = sorted(set().union(*(item.needs for item in items)))
    return f"require {quote_list(needs)};\n" + "".join(
        item.text + "\n" for item in items)


class Case:
    """Script and message number `number` of this seed."""

    def __init__(self, seed, number, offered, items=10):
        r = random.Random(f"{seed}/{number}")
        self.number = number
        self.message = Message(r)
        grammar = Grammar(r, self.message, offered)
        self.items = [grammar.item(n) for n in range(items)]
        self.is_damaged = number % 5 == 4
        self.script = script_of(self.items)
        if self.is_damaged:
            self.script = damage(r, script_of(self.items[:2]))
