"""Check due dates: targets due before or soon after the plan was issued, and one target with two due years."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from fractions import Fraction

from careshed.policy.audit.figures import Book, Relation
from careshed.policy.audit.results import Check, Figure, Figures
from careshed.policy.audit.verdict import check
from careshed.words import Lang, pick

SHORT_DAYS = 183
"""A target due this many days after issue or fewer is doubted: half a year."""


def check_deadlines(book: Book, figures: Figures) -> Iterator[Check]:
    """Is there time between issue and due date?"""
    issued = datetime.date.fromisoformat(book.plan.issued)
    dated = sorted(_dated(book, figures), key=lambda figure: figure.year)
    past = [figure for figure in dated if figure.year < issued.year]
    if past:
        yield _past(past, issued)
    for year in dict.fromkeys(figure.year for figure in dated if figure.year >= issued.year):
        yield _deadline(year, [figure for figure in dated if figure.year == year], issued)


def _dated(book: Book, figures: Figures) -> Iterator[Figure]:
    """Targets with their years; of schedules, the rows that stand for themselves."""
    yield from (figures[entry.id] for entry in book.figure if entry.role == "target")
    for table in book.table:
        for row in table.row:
            if not row.of:
                yield from (figures[f"{table.id}.{row.id}.{year}"] for year in table.years)


def _past(figures: list[Figure], issued: datetime.date) -> Check:
    years = "、".join(map(str, dict.fromkeys(figure.year for figure in figures)))
    relation = Relation(id="due.past", title_zh="印发前已到期的目标", title_en="Targets due before the plan was issued")
    arithmetic = (f"{years} 年底 < {issued}（印发）", f"end of {years.replace('、', ', ')} < {issued} (issued)")
    told = [
        (
            f"{_names(figures, 'zh')}：方案未说明是否已完成",
            f"{_names(figures, 'en')}: the plan does not say whether they were met",
        )
    ]
    return check(relation, "deadline", "doubtful", figures[0], arithmetic, figures, told, [("targets", Fraction(len(figures)))])


def _names(figures: list[Figure], lang: Lang) -> str:
    return pick(lang, "、", "; ").join(figure.title(lang) for figure in figures)


def _deadline(year: int, figures: list[Figure], issued: datetime.date) -> Check:
    days = (datetime.date(year, 12, 31) - issued).days
    short = days <= SHORT_DAYS
    told = [(f"印发后只有 {days} 天：{_names(figures, 'zh')}", f"{days} days are left after issue: {_names(figures, 'en')}")]
    relation = Relation(id=f"due.{year}", title_zh=f"{year}年底到期的目标", title_en=f"Targets due at the end of {year}")
    arithmetic = (f"{year}-12-31 − {issued} = {days} 天", f"{year}-12-31 − {issued} = {days} days")
    numbers = [("days", Fraction(days)), ("targets", Fraction(len(figures)))]
    return check(
        relation, "deadline", "doubtful" if short else "closes", figures[0], arithmetic, figures, told if short else [], numbers
    )


def check_two_deadlines(book: Book, figures: Figures) -> Iterator[Check]:
    """Is one and the same target due in one year only?"""
    groups: dict[tuple[str, str, str, str, str], list[Figure]] = {}
    for figure in (figures[entry.id] for entry in book.figure if entry.role == "target" and entry.what):
        key = (figure.what, figure.kind, figure.where, figure.unit, str(figure.span.value))
        groups.setdefault(key, []).append(figure)
    for group in groups.values():
        years = sorted({figure.year for figure in group})
        if len(years) > 1:
            listed = "、".join(map(str, years))
            told = [
                (
                    f"同一目标有 {listed} 年两个期限，评估须按两个期限各算一遍",
                    f"one target is due in {listed.replace('、', ' and in ')}; it has to be judged by both",
                )
            ]
            relation = Relation(id=f"years.{group[0].id}")
            yield check(
                relation,
                "two_years",
                "doubtful",
                group[0],
                " ≠ ".join(map(str, years)),
                group,
                told,
                [(str(year), Fraction(year)) for year in years],
            )
