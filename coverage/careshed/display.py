"""Show studies, networks, travel times, plans and scorecards as small cards in notebooks, in the reader's language."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

from careshed.words import Lang, group_name, level_name, pick

if TYPE_CHECKING:
    import pandas as pd

_SPOKEN: ContextVar[Lang] = ContextVar("careshed_display_language", default="zh")

INK, ACCENT, WARM, RULE = "#1f4e5f", "#3f9a9b", "#b5482a", "rgba(128,128,128,.28)"
"""Colours of the cards: readable on a white and on a dark notebook."""

ROWS_SHOWN: Final = 30
"""Rows that a card lists unless its table says otherwise; what is left out is counted below them."""

_BOX: Final = (
    "font-family:system-ui,'Microsoft YaHei','Noto Sans CJK SC',sans-serif;font-size:13px;line-height:1.5;max-width:860px;"
    f"border:1px solid {RULE};border-left:4px solid {ACCENT};border-radius:4px;padding:10px 14px;margin:4px 0"
)
_CELL: Final = f"padding:3px 12px 3px 0;border:0;border-bottom:1px solid {RULE};vertical-align:top;background:none;"


class Markup(str):
    """Text that is HTML already; every other text is escaped."""

    __slots__ = ()


@dataclass(frozen=True)
class Table:
    """Rows under headers; numbers (`right`) stand to the right."""

    headers: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    right: frozenset[int] = frozenset()
    """Columns that hold numbers."""
    shown: int = ROWS_SHOWN
    """Rows listed at most."""


def display_language() -> Lang:
    """Tell the language that notebook cards speak: the one set, else that of the study opened last, else Chinese."""
    return _SPOKEN.get()


def set_display_language(lang: Lang) -> None:
    """Choose the language of notebook cards; opening a study chooses the study's.

    >>> before = display_language()
    >>> set_display_language("en"); display_language()
    'en'
    >>> set_display_language(before)
    """
    _SPOKEN.set(lang)


def text(value: object) -> str:
    """Escape a text for HTML; markup stays.

    >>> text("<b>"), text(Markup("<b>"))
    ('&lt;b&gt;', '<b>')
    """
    return str(value) if isinstance(value, Markup) else escape(str(value))


def bar(share: float, *, warm: bool = False) -> Markup:
    """Draw a share of 0 to 1 as a bar with its percentage; NaN, where nobody lives, as a dash.

    >>> "12.5%" in bar(0.125), str(bar(float("nan")))
    (True, '—')
    """
    if math.isnan(share):
        return Markup("—")
    filled, frame = min(max(share, 0.0), 1.0) * 100, "height:9px;border-radius:2px"
    inner = f'<span style="display:block;width:{filled:.1f}%;{frame};background:{WARM if warm else ACCENT}"></span>'
    outer = f'<span style="display:inline-block;width:110px;margin-right:8px;{frame};background:{RULE}">{inner}</span>'
    told = f'<span style="font-variant-numeric:tabular-nums">{share:.1%}</span>'
    return Markup(f'<span style="white-space:nowrap">{outer}{told}</span>')


def card(
    title: str,
    facts: Sequence[tuple[str, str]] = (),
    *,
    lead: str = "",
    table: Table | None = None,
    note: str = "",
    made_up: bool = False,
    lang: Lang | None = None,
) -> str:
    """Lay out one card: title, the sentence that matters, facts, a table, a note.

    Parameters
    ----------
    facts
        Label and value; both are escaped unless they are `Markup`.
    made_up
        Whether the data is invented, which the card then says.

    Examples
    --------
    >>> "&lt;img" in card("<img src=x>", lang="en")
    True
    """
    spoken = lang or display_language()
    ribbon = ""
    if made_up:
        said = pick(spoken, "虚构数据", "made-up data")
        ribbon = (
            f' <span style="color:{WARM};border:1px solid {WARM};border-radius:3px;padding:0 6px;font-size:11px">{said}</span>'
        )
    parts = [f'<div style="font-size:15px;font-weight:600">{text(title)}{ribbon}</div>']
    if lead:
        parts.append(f'<div style="margin:4px 0 6px;font-size:14px">{text(lead)}</div>')
    if facts:
        rows = "".join(
            f'<tr style="background:none"><td style="{_CELL}text-align:left;opacity:.75;white-space:nowrap">{text(label)}</td>'
            f'<td style="{_CELL}text-align:left">{text(value)}</td></tr>'
            for label, value in facts
        )
        parts.append(f'<table style="border-collapse:collapse;font-size:13px;margin:4px 0">{rows}</table>')
    if table is not None and len(table.rows):
        parts.append(_table(table, spoken))
    if note:
        parts.append(f'<div style="opacity:.75;font-size:12px;margin-top:6px">{text(note)}</div>')
    return f'<div style="{_BOX}">{"".join(parts)}</div>'


def _table(table: Table, lang: Lang) -> str:
    def cell(kind: str, place: int, value: str) -> str:
        side = "right;white-space:nowrap" if place in table.right else "left"
        return f'<{kind} style="{_CELL}text-align:{side}">{text(value)}</{kind}>'

    head = "".join(cell("th", place, header) for place, header in enumerate(table.headers))
    body = "".join(
        '<tr style="background:none">' + "".join(cell("td", place, value) for place, value in enumerate(row)) + "</tr>"
        for row in table.rows[: table.shown]
    )
    left = len(table.rows) - table.shown
    more = pick(lang, f"另有 {left} 行", f"{left} more rows") if left > 0 else ""
    tail = f'<div style="opacity:.75;font-size:12px">{more}</div>' if more else ""
    rows = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    return f'<table style="border-collapse:collapse;font-size:13px;margin:6px 0">{rows}</table>{tail}'


class Shown:
    """A card that a notebook displays, made by `show`."""

    def __init__(self, html: str) -> None:
        self._html = html

    def _repr_html_(self) -> str:
        return self._html


def show(covered: pd.DataFrame, *, lang: Lang | None = None) -> Shown:
    """Show coverage by unit with bars, the way `careshed.coverage` or ``coverage_table`` gives it.

    Raises
    ------
    ValueError
        If the table is not coverage by unit.

    Examples
    --------
    >>> import pandas as pd
    >>> row = {"name": "", "level": "", "minutes": 15.0, "group": "p60", "people": 200.0, "covered": 50.0, "unjudged": 0.0}
    >>> shown = show(pd.DataFrame([row | {"share": 0.25}], index=pd.Index(["ALL"], name="unit_id")), lang="en")
    >>> "25.0%" in shown._repr_html_()
    True
    """
    spoken = lang or display_language()
    missing = {"name", "level", "group", "people", "covered", "unjudged", "share"} - set(covered.columns)
    if missing:
        raise ValueError(f"no coverage by unit: columns {', '.join(sorted(missing))} are missing; make it with careshed.coverage")
    by_time = "minutes" in covered.columns
    labels = ("单元", "级别", "人群", "时限" if by_time else "距离", "人数", "可达", "覆盖率", "无法判断")
    english = ("unit", "level", "group", "limit", "people", "reached", "share", "cannot be judged")
    listed = zip(covered.index, covered.to_dict("records"), strict=True)
    rows = [_coverage_row(str(code), row, by_time, spoken) for code, row in listed]
    table = Table(tuple(pick(spoken, zh, en) for zh, en in zip(labels, english, strict=True)), rows, frozenset({3, 4, 5, 7}))
    return Shown(card(pick(spoken, "分单元覆盖", "Coverage by unit"), table=table, lang=spoken))


def _coverage_row(code: str, row: Mapping[Hashable, object], by_time: bool, lang: Lang) -> tuple[str, ...]:
    values = {str(key): value for key, value in row.items()}
    names = {"ALL": ("全部", "all"), "OUTSIDE": ("不在任何单元内", "in no unit")}
    name = pick(lang, *names[code]) if code in names else str(values["name"]) or code
    limit = float(str(values["minutes" if by_time else "metres"]))
    unit = pick(lang, "分钟", "min") if by_time else pick(lang, "米", "m")
    return (
        name,
        level_name(str(values["level"]), lang),
        group_name(str(values["group"]), lang),
        f"{limit:g} {unit}",
        *(f"{float(str(values[key])):,.0f}" for key in ("people", "covered")),
        bar(float(str(values["share"]))),
        f"{float(str(values['unjudged'])):,.0f}",
    )
