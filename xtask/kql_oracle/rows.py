"""Makes the rows that `cargo xtask kql-oracle` runs the hunts over: rows.py QUERIES OUT_FOLDER ROWS SEED NOW KIND...

QUERIES has one JSON object per line: {"id", "query"}. For each table that a query reads, OUT_FOLDER/TABLE.ndjson gets
ROWS rows as Sentinel exports them ({"Type": TABLE, ...}). Every row is made for one of the queries: each column that
the query tests gets one of its needles, plain or decorated so that a wrong idea of a term, of case or of a missing
value shows; KIND names the `decorations` to use. Deterministic for a seed; nothing here decides what matches.
"""

import collections
import datetime
import json
import pathlib
import random
import re
import sys
import unicodedata

TABLES = ("DeviceNetworkEvents", "DeviceProcessEvents", "DeviceFileCertificateInfo")

TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*)
      | (?P<verbatim>@'(?:[^']|'')*'|@"(?:[^"]|"")*")
      | (?P<text>'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")
      | (?P<word>!?[A-Za-z_][A-Za-z_0-9]*~?)
      | (?P<number>[0-9]+)
      | (?P<symbol>=~|!~|==|!=|[^\s])""",
    re.VERBOSE,
)

TESTS = {"has", "has_any", "has_all", "contains", "startswith", "endswith", "in", "in~", "==", "=~", "has_cs"}

MISSING = object()


def lines(path):
    """The lines of a file, cut at line feeds only: JSON may hold other separators as they are."""
    return pathlib.Path(path).read_text(encoding="utf-8").strip("\n").split("\n")


def tokens(query):
    for match in TOKEN.finditer(query):
        kind, text = match.lastgroup, match.group()
        if kind == "comment":
            continue
        if kind == "verbatim":
            kind, text = "text", text[2:-1]
        elif kind == "text":
            text = text[1:-1].replace("\\\\", "\\")
        yield kind, text


def literals(stream, start, lets):
    """The literals from `start` to the closing bracket (or the one literal at `start`)."""
    found, depth = [], 0
    for kind, text in stream[start:]:
        if kind == "text":
            found.append(text)
        elif kind == "number":
            found.append(int(text))
        elif kind == "word" and text in lets:
            found.extend(lets[text])
        elif text in "([":
            depth += 1
        elif text in ")]":
            depth -= 1
        if depth <= 0 and text != "dynamic":
            break
    return found


def conditions(query):
    """(table, {column: needles}) that a hunt tests; the needles of every `or` branch are in it."""
    stream = list(tokens(query))
    lets, tested, table = {}, collections.defaultdict(list), None
    for index, (kind, text) in enumerate(stream):
        if text == "let" and stream[index + 3][1] == "dynamic":
            lets[stream[index + 1][1]] = literals(stream, index + 4, lets)
        elif kind == "word" and text in TABLES:
            table = text  # the last one named: the one whose rows a hunt returns
        elif text in TESTS and stream[index - 1][0] == "word":
            tested[stream[index - 1][1]].extend(literals(stream, index + 1, lets))
        elif text == "isempty":
            tested[stream[index + 2][1]].append("")
    return table, dict(tested)


def unaccented(text):
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def plain(rng, needle):
    """A value in which most of Kusto's text operators find the needle."""
    return rng.choice((
        needle, needle, needle.upper(), needle.lower(), needle.swapcase(), needle.title(),
        f"{needle} ", f" {needle}", f"{needle}/x?y=1", f"{needle}:443", f"{needle}, Inc.", f"({needle})", f"{needle}_",
        f"{needle}.", f"{needle} {needle}", f"{needle}-{needle}", f'"{needle}"', f"{needle}\t", f"{needle}\\x",
    ))


def decorations(needle):
    """Values at the edge of what the operators mean, by what they try."""
    return {
        # Other characters of a term directly before or behind.
        "terms": (
            f"x{needle}", f"{needle}x", f"not{needle}", f"{needle}v", f"1{needle}", f"{needle}9", f"é{needle}",
            f"{needle}É", f"ß{needle}", f"{needle}ß", f"{needle}中", f"я{needle}", f"{needle}٣", f"٣{needle}",
            f"{needle}ª", f"{needle}𝒜",
        ),
        # Delimiters directly before or behind.
        "delimiters": (
            f"_{needle}", f"{needle}_", f"_{needle}_", f"www.{needle}", f"https://{needle}/", f".{needle}", f"-{needle}",
            f"{needle}\u0301", f"{needle}\u200d", f"\u00a0{needle}\u00a0", f"{needle}™", f"€{needle}", f"{needle}🦊",
        ),
        # Numbers that are neither letters nor decimal digits (Unicode's No and Nl).
        "other-numbers": (f"{needle}²", f"½{needle}", f"{needle}Ⅷ", f"①{needle}"),
        # The first occurrence does not count, the second does; overlapping ones.
        "occurrences": (
            f"x{needle} {needle}", f"{needle}x_{needle}", f"{needle}{needle}", f"{needle}.{needle}x",
            f"{needle}-x{needle}",
        ),
        # Case, and letters that look or fold alike.
        "case": (
            needle.upper(), needle.lower(), needle.swapcase(), needle.replace("k", "\u212a").replace("K", "\u212a"),
            needle.replace("ss", "ß"), needle.replace("a", "а"),
            needle.replace("i", "ı"), unaccented(needle), unaccented(needle).upper(),
            unicodedata.normalize("NFD", needle),
        ),
        # The long s, which simple case folding takes for an s and lowering leaves alone.
        "long-s": (needle.replace("s", "ſ").replace("S", "ſ"),),
        # The capital I with a dot, which lowers to i (with a combining dot or without) and folds to nothing else.
        "dotted-i": (needle.replace("i", "İ").replace("I", "İ"),),
        # Almost the needle.
        "almost": (
            needle[1:], needle[:-1], needle[:-1] + "_", needle.replace(".", "_"), needle.replace(" ", "  "),
            needle.replace("-", ""), needle[::-1], needle.replace(".", ""), f"{needle[:2]} {needle[2:]}",
        ),
    }


def value(rng, needles, kinds):
    needle = rng.choice(needles)
    if isinstance(needle, int):
        return rng.choice((needle, needle, needle, needle, needle + 1, 0, None, MISSING))
    chance = rng.random()
    if chance < 0.60:
        return plain(rng, needle)
    if chance < 0.92:
        return rng.choice(decorations(needle)[rng.choice(kinds)])
    return rng.choice(("", None, MISSING, " ", "benign"))


def times(now):
    """Both edges of the two windows that the hunts use, to the microsecond, and the times between."""
    tick = datetime.timedelta(microseconds=1)
    edges = [now - datetime.timedelta(days=5), now - datetime.timedelta(hours=24), now]
    near = [edge + step for edge in edges for step in (-tick, 0 * tick, tick)]

    def choose(rng):
        chance = rng.random()
        if chance < 0.15:
            return rng.choice(near)
        if chance < 0.17:
            return None
        if chance < 0.45:
            return now - datetime.timedelta(seconds=rng.randrange(24 * 3600))
        return now - datetime.timedelta(seconds=rng.randrange(6 * 24 * 3600), microseconds=rng.randrange(1_000_000))

    return choose


def row(rng, table, tested, when, kinds):
    moment = when(rng)
    made = {
        "Type": table,
        "Timestamp": moment and moment.isoformat() + "Z",
        "DeviceId": rng.choice(("d1", "d2", "D1", "", None)),
        "DeviceName": rng.choice(("alpha", "Alpha", "béta", MISSING)),
        "ReportId": rng.choice((1, 2, 3, 2**40, -7, rng.randrange(1000), None, MISSING)),
        "AccountUpn": rng.choice(("a@example.org", "A@example.org", "", MISSING)),
    }
    if table == "DeviceNetworkEvents":
        made.pop("AccountUpn")  # the table has no such column; the hunts name it all the same
        made |= {
            "RemoteUrl": rng.choice(("", "example.org", "benign.example.net/", MISSING)),
            "RemoteIP": rng.choice(("10.0.0.1", "203.0.113.7", "::1", MISSING)),
            "RemotePort": rng.choice((443, 80, 53, None)),
            "LocalIP": rng.choice(("10.0.0.9", "192.168.1.2", "172.217.0.1", "110.1.1.1", "", MISSING)),
            "InitiatingProcessFileName": rng.choice(("svchost.exe", "chrome.exe", "", MISSING)),
            "InitiatingProcessCommandLine": rng.choice(("a.exe -k", 'say "ü"\\n', "", MISSING)),
        }
    made |= {column: value(rng, needles, kinds) for column, needles in tested.items() if needles}
    return {column: cell for column, cell in made.items() if cell is not MISSING}


def main():
    queries, folder, rows, seed, now, *kinds = sys.argv[1:]
    now = datetime.datetime.fromisoformat(now.removesuffix("Z"))
    hunts = collections.defaultdict(list)
    for line in lines(queries):
        table, tested = conditions(json.loads(line)["query"])
        if table and tested:
            hunts[table].append(tested)
    when = times(now)
    for table in TABLES:
        rng = random.Random(f"{seed} {table}")
        with open(pathlib.Path(folder) / f"{table}.ndjson", "w", encoding="utf-8") as out:
            for number in range(int(rows) if hunts[table] else 0):
                # The hunts take turns, so that each gets its share of rows however many there are.
                made = row(rng, table, hunts[table][number % len(hunts[table])], when, kinds)
                out.write(json.dumps(made, ensure_ascii=False) + "\n")


main()
