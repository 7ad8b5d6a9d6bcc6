"""Know age groups as spans of years: groups from classes, and bands that add up to every group."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from careshed.demand.ledger import KEPT
from careshed.demand.refusing import refuse
from careshed.schema import Fault, InputError
from careshed.words import group_name

Float = NDArray[np.float64]
OPEN: Final = float("inf")


class AgesError(ValueError):
    """Say in both languages why age classes cannot give a group; as text it is English."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.told = (zh, en)
        """The same in Chinese and English."""


class AgeSpan(NamedTuple):
    """Ages from `low` to under `high`, completed years; `high` is infinite for an open class."""

    low: float
    high: float

    def share_in(self, other: AgeSpan) -> float:
        """Give the share of this span that lies in another, ages spread evenly; an open span only whole or not at all.

        >>> AgeSpan(1, 5).share_in(AgeSpan(0, 3)), AgeSpan(80, OPEN).share_in(AgeSpan(60, OPEN))
        (0.5, 1.0)

        Raises
        ------
        ValueError
            If an open span is cut.
        """
        low, high = max(self.low, other.low), min(self.high, other.high)
        if high <= low:
            return 0.0
        if self.high == OPEN:
            if low > self.low or high < OPEN:
                zh = f"“{self.text()}”是不封顶的年龄段，其中各岁人数不明，无法在 {other.text()} 处切开"
                en = f"the open class {self.text()} cannot be cut at {other.text()}: nobody knows the ages in it"
                raise AgesError(zh, en)
            return 1.0
        return (high - low) / (self.high - self.low)

    def text(self) -> str:
        """Write the span as a class of completed years.

        >>> AgeSpan(1, 5).text(), AgeSpan(80, OPEN).text()
        ('1-4', '80+')
        """
        if self.high == OPEN:
            return f"{self.low:g}+"
        return f"{self.low:g}" if self.high - self.low == 1 else f"{self.low:g}-{self.high - 1:g}"


_GROUP: Final = re.compile(r"^p(\d+)(?:_(\d+))?$")
_CLASS: Final = re.compile(r"^(\d+)(?:(?:-|~|至|to)(\d+)|(\+|及以上|以上|andover|plus))?$")
_AROUND: Final = re.compile(r"岁|周岁|years?|aged?|[\s_]|(?:常住)?(?:人口|老人|老年人|人)(?:数|数量)?$")
"""What a label of ages may hold beside the ages."""

FORMS: Final = (
    "年龄列可写作：0岁、0-2岁、1-4岁、60-64岁、80岁及以上（或 80岁以上、80+、80岁及以上人口）",
    "columns of ages are written such as 0, 0-2, 1-4, 60-64, 80+ (or 80 and over)",
)
"""How headers state ages, in Chinese and English."""


def span_of(group: str) -> AgeSpan:
    """Give the ages of a group by its name: ``p0_3`` is 0 to under 3, ``p60`` is 60 and over, ``total`` is everybody.

    >>> span_of("p3_6"), span_of("p80").low
    (AgeSpan(low=3.0, high=6.0), 80.0)

    Raises
    ------
    InputError
        If the name says no ages.
    """
    if group == "total":
        return AgeSpan(0.0, OPEN)
    found = _GROUP.match(group)
    if not found or (found.group(2) and int(found.group(2)) <= int(found.group(1))):
        told = (f"“{group}”不是年龄组", f"{group!r} names no ages")
        cure = ("请写 p60（60 岁及以上）、p0_3（不满 3 岁）或 total。", "Write p60 (60 and over), p0_3 (0 to under 3) or total.")
        raise refuse("no_age_group", told, cure)
    return AgeSpan(float(found.group(1)), float(found.group(2) or OPEN))


def aged(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Part columns of people into groups that name ages, ``total`` first, and others.

    >>> aged(["p60", "workers", "total"])
    (['total', 'p60'], ['workers'])
    """
    listed = list(names)
    groups = [name for name in listed if name == "total" or _GROUP.match(name)]
    return sorted(groups, key=lambda name: name != "total"), [name for name in listed if name not in groups]


def class_span(label: str) -> AgeSpan | None:
    """Read a label of completed years as a span, None where it is none.

    >>> class_span("1-4岁"), class_span("85岁及以上人口"), class_span("0"), class_span("town")
    (AgeSpan(low=1.0, high=5.0), AgeSpan(low=85.0, high=inf), AgeSpan(low=0.0, high=1.0), None)
    """
    bare = _AROUND.sub("", unicodedata.normalize("NFKC", label).casefold())
    found = _CLASS.match(re.sub(r"[—–－]+", "-", bare))
    if not found:
        return None
    low = float(found.group(1))
    return AgeSpan(low, OPEN if found.group(3) else float(found.group(2) or low) + 1)


def closing_groups(classes: Iterable[AgeSpan], groups: Iterable[str]) -> dict[str, AgeSpan]:
    """Find the groups that are also age classes: those that begin where a class ends, or end where one begins.

    A census that goes 0-2, …, 75-79 and 80+ has its last class under the usual name of a group. A group that covers what
    classes cover already (60+ beside 60-64, 65-69, …) is a sum and no class.

    >>> closing_groups([AgeSpan(0, 60), AgeSpan(60, 80)], ["total", "p60", "p80"])
    {'p80': AgeSpan(low=80.0, high=inf)}
    """
    known = list(classes)
    found: dict[str, AgeSpan] = {}
    for group, span in sorted(((name, span_of(name)) for name in aged(groups)[0] if name != "total"), key=lambda one: one[1]):
        apart = all(span.high <= other.low or other.high <= span.low for other in known)
        if apart and any(span.low == other.high or span.high == other.low for other in known):
            found[group] = span
            known.append(span)
    return found


@dataclass(frozen=True)
class Bands:
    """Groups of people as sums of bands that do not overlap: p60 is 60–64, 65–79 and 80+."""

    groups: tuple[str, ...]
    holds: Float
    """1 where a group holds a band, shape (groups, bands)."""
    chosen: tuple[int, ...]
    """Groups that determine the bands."""
    undo: Float
    """Bands from the chosen groups, shape (bands, chosen)."""
    ages: tuple[str, ...]
    """Completed years of each band, for messages: 3-59."""

    def split(self, people: Float) -> Float:
        """Turn people by group into people by band, shape (rows, bands); rounding below zero becomes zero."""
        found = people[:, self.chosen] @ self.undo.T
        small = KEPT * np.maximum(1.0, people.max(axis=1, initial=0.0))[:, None]
        return np.where((found < 0) & (found >= -small), 0.0, found)

    def join(self, bands: Float) -> Float:
        """Turn people by band into people by group, shape (rows, groups)."""
        return np.asarray(bands @ self.holds.T)


def bands_of(groups: Sequence[str]) -> Bands:
    """Cut nested groups into bands: what no two ages of a band tell apart stays together.

    >>> bands_of(["total", "p60", "p65"]).holds
    array([[1., 1., 1.],
           [0., 1., 1.],
           [0., 0., 1.]])

    Raises
    ------
    InputError
        If a group names no ages, or groups overlap without one holding the other, so that their bands are not determined.
    """
    spans = [span_of(group) for group in groups]
    edges = sorted({edge for span in spans for edge in span})
    pieces = [AgeSpan(low, high) for low, high in zip(edges, edges[1:], strict=False)]
    signs = [tuple(float(span.low <= piece.low < span.high) for span in spans) for piece in pieces]
    columns = [sign for sign in dict.fromkeys(signs) if any(sign)]
    holds = np.array(columns, dtype=np.float64).T.reshape(len(groups), len(columns))
    chosen: list[int] = []
    for at in range(len(groups)):
        if np.linalg.matrix_rank(holds[[*chosen, at]]) > len(chosen):
            chosen.append(at)
    if len(chosen) < len(columns):
        listed = ", ".join(groups)
        wrong = (f"年龄组 {listed} 相交而不相含", f"the groups {listed} overlap without one holding the other")
        raise refuse("groups_overlap", wrong, ("请使用互相包含或互不相交的年龄组。", "Use groups that nest or lie apart."))
    told = tuple(_ages_text([span for span, own in zip(pieces, signs, strict=True) if own == sign]) for sign in columns)
    return Bands(tuple(groups), holds, tuple(chosen), np.rint(np.linalg.inv(holds[chosen])), told)


def _ages_text(pieces: Sequence[AgeSpan]) -> str:
    """Write ages that come in pieces, pieces that meet as one."""
    joined: list[AgeSpan] = []
    for span in pieces:
        meets = bool(joined) and joined[-1].high == span.low
        joined[-1:] = [AgeSpan(joined[-1].low, span.high)] if meets else [*joined[-1:], span]
    return ", ".join(span.text() for span in joined)


def banded(table: pd.DataFrame, bands: Bands, *, file: str = "", what: tuple[str, str] = ("单元", "unit")) -> Float:
    """Split a table of groups into bands, and refuse one whose groups contradict each other, with both numbers.

    Raises
    ------
    InputError
        With the first rows in which a group holds fewer people than the groups in it.
    """
    people = table[list(bands.groups)].to_numpy(dtype=np.float64)
    found = bands.split(people)
    faults = []
    back = bands.join(found)
    small = 1e-6 * np.maximum(1.0, people)
    wrong = (found < 0).any(axis=1) | (np.abs(back - people) > small).any(axis=1)
    for at in np.flatnonzero(wrong).tolist():
        numbers = ", ".join(f"{group} {value:,.10g}" for group, value in zip(bands.groups, people[at], strict=True))
        zh = f"{what[0]} {table.index[at]}：年龄组互相矛盾（{numbers}）"
        en = f"{what[1]} {table.index[at]}: the age groups contradict each other ({numbers})"
        cure = ("大组人数不得少于其中小组之和，请改正。", "A group must not hold fewer people than those in it; correct it.")
        faults.append(Fault("ages_contradict", file, zh, en, *cure))
    if faults:
        raise InputError(faults[:_MOST_FAULTS] + _more(faults))
    return found


_MOST_FAULTS: Final = 20


def _more(faults: Sequence[Fault]) -> list[Fault]:
    rest = len(faults) - _MOST_FAULTS
    zh, en = f"另有 {rest} 处同样的错误", f"{rest} more of the same kind"
    return [Fault("more", faults[0].file, zh, en)] if rest > 0 else []


def check_classes(spans: Iterable[AgeSpan], groups: Sequence[str]) -> None:
    """Refuse age classes that overlap, leave ages out, or cannot give the groups asked for.

    Raises
    ------
    AgesError
        With what is wrong.
    """
    ordered = sorted(spans)
    for one, two in zip(ordered, ordered[1:], strict=False):
        if two.low < one.high:
            zh = f"年龄段 {one.text()} 与 {two.text()} 重叠，人口会重复计算"
            raise AgesError(zh, f"the age classes {one.text()} and {two.text()} overlap: people would count twice")
    for group in groups:
        wanted = span_of(group)
        at = wanted.low
        for span in ordered:
            span.share_in(wanted)
            at = span.high if span.low <= at < span.high else at
        if at < wanted.high:
            zh = f"{group_name(group, 'zh')}不全：没有从 {at:g} 岁开始的年龄段"
            raise AgesError(zh, f"the age classes leave out people of {group}: none begins at {at:g}")
