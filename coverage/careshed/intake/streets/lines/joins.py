"""Tell where every planned street joins the network, and which of its ends join nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from careshed.intake.sources import SourceTable
from careshed.intake.streets.lines.noding import Noded
from careshed.schema import Fault

Words = tuple[str, str]

NAMED: Final = 3
"""Streets named at one end before the rest is counted."""

_ENDS: Final[tuple[Words, Words]] = (("起点", "its start"), ("终点", "its end"))


def join_faults(
    noded: Noded, called: Sequence[Words], rows: NDArray[np.int64], table: SourceTable, *, loose: Collection[int]
) -> Iterator[Fault]:
    """Tell of every line added what its two ends and the nodes between them join; ends that join nothing ask for a look.

    Parameters
    ----------
    called
        What to call each line of `noded`, Chinese and English: streets first, then the lines added.
    rows
        Row of the file of each line added.
    loose
        Lines added, by position, that join no street at all: they are told elsewhere.
    """
    old = len(called) - len(rows)
    line = np.repeat(np.arange(len(called)), np.diff(noded.ptr))
    ours = np.isin(noded.node, noded.node[noded.ptr[old] :])
    at_node: dict[int, list[int]] = {}
    for node, one in zip(noded.node[ours].tolist(), line[ours].tolist(), strict=True):
        at_node.setdefault(node, []).append(one)
    for added, row in enumerate(rows.tolist()):
        if added in loose:
            continue
        here = old + added
        nodes = noded.node[noded.ptr[here] : noded.ptr[here + 1]].tolist()
        met = [[called[one] for one in dict.fromkeys(at_node[node]) if one != here] for node in nodes]
        yield replace(table.fault("planned_joins", _told(met), severity="noted"), row=str(row))
        shut = nodes[0] == nodes[-1]
        dead = [words for words, streets in zip(_ENDS, (met[0], met[-1]), strict=True) if not streets and not shut]
        if dead:
            yield replace(_dead_end(dead, table), row=str(row))


def _told(met: Sequence[Sequence[Words]]) -> Words:
    """Word what a planned street joins at its ends and between them."""
    parts = [
        (f"{zh}接{_listed(streets, 0)}", f"{en} joins {_listed(streets, 1)}")
        for (zh, en), streets in zip(_ENDS, (met[0], met[-1]), strict=True)
        if streets
    ]
    between = list(dict.fromkeys(street for streets in met[1:-1] for street in streets))
    if between:
        parts.append((f"途中接{_listed(between, 0)}", f"between them it joins {_listed(between, 1)}"))
    return "新增道路" + "，".join(zh for zh, _ in parts), "planned street: " + ", ".join(en for _, en in parts)


def _listed(streets: Sequence[Words], lang: int) -> str:
    names = list(dict.fromkeys(words[lang] for words in streets))
    more = len(names) - NAMED
    rest = (f" 等 {len(names)} 条", f" and {more} more")[lang] if more > 0 else ""
    return ("、", ", ")[lang].join(names[:NAMED]) + rest


def _dead_end(ends: Sequence[Words], table: SourceTable) -> Fault:
    told = (f"{'和'.join(zh for zh, _ in ends)}未接任何道路", f"{' and '.join(en for _, en in ends)} joins no street")
    cure = (
        "尽端路可不理会；否则请核对端点位置，或调大 tolerance_m。",
        "Leave it if the street is to end there; else check where it ends, or raise tolerance_m.",
    )
    return table.fault("end_joins_nothing", told, cure, severity="noted")


def street_words(name: str, way_id: int) -> Words:
    """Call a street by its name, else by its number.

    >>> street_words("中山街", 4), street_words("", 4)
    (('“中山街”', '“中山街”'), ('道路 4', 'way 4'))
    """
    return (f"“{name}”", f"“{name}”") if name else (f"道路 {way_id}", f"way {way_id}")


def planned_words(row: int) -> Words:
    """Call a planned street by its row.

    >>> planned_words(3)
    ('第 3 行新增道路', 'the planned street in row 3')
    """
    return f"第 {row} 行新增道路", f"the planned street in row {row}"
