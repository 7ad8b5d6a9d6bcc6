"""Find the line on which each key of a TOML file stands, so that a fault can be found again."""

from __future__ import annotations

import re
from typing import Final

Loc = tuple[int | str, ...]

_HEADER: Final = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY: Final = re.compile(r"^\s*([A-Za-z0-9_\-.]+|\"[^\"]*\"|'[^']*')\s*=")


def key_lines(text: str) -> dict[Loc, int]:
    """Map every table and key of a TOML text to its line, counted from 1.

    >>> key_lines('[profile]\\nid = "a"\\n[[rule]]\\nid = "b"\\n')[("rule", 0, "id")]
    4
    """
    found: dict[Loc, int] = {}
    counts: dict[Loc, int] = {}
    table: Loc = ()
    quoted = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if quoted or (header := _HEADER.match(line)) is None:
            if not quoted and (key := _KEY.match(line)):
                found.setdefault((*table, *_parts(key.group(1))), number)
            quoted = _left_open(line, quoted)
            continue
        table = _table(header.group(2), header.group(1) == "[[", counts)
        found.setdefault(table, number)
    return found


def _table(name: str, listed: bool, counts: dict[Loc, int]) -> Loc:
    """Give the place of a table, the entries of its lists numbered."""
    at: Loc = ()
    parts = _parts(name)
    for last, part in enumerate(parts, start=1):
        at = (*at, part)
        if last == len(parts) and listed:
            counts[at] = counts.get(at, -1) + 1
        if at in counts:
            at = (*at, counts[at])
    return at


def _parts(name: str) -> list[str]:
    return [part.strip().strip("\"'") for part in name.split(".")]


def _left_open(line: str, quoted: str) -> str:
    """Tell which triple quotes a line leaves open, "" for none."""
    for mark in ('"""', "'''"):
        if (quoted in ("", mark)) and line.count(mark) % 2:
            return "" if quoted else mark
    return quoted


def line_of(loc: Loc, lines: dict[Loc, int]) -> int | None:
    """Find the line of a key, or of the nearest table around it."""
    while loc:
        if loc in lines:
            return lines[loc]
        loc = loc[:-1]
    return None
