"""Audit a plan: run every check over its figures, the gravest outcome first."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from careshed.policy.audit import ratios, shares, sums, units
from careshed.policy.audit.dates import check_deadlines, check_two_deadlines
from careshed.policy.audit.figures import Book
from careshed.policy.audit.lists import check_delivery, check_projects
from careshed.policy.audit.loading import figures_path, lay_out, read_book
from careshed.policy.audit.results import OUTCOMES, Audit, Check, Figures

_SIMPLE: Final[Mapping[str, Callable[[Any, Figures], Check]]] = {
    "sum": sums.check_sum,
    "product": sums.check_product,
    "ratio": ratios.check_ratio,
    "share": shares.check_share,
    "gap": shares.check_gap,
    "rise": shares.check_rise,
    "part": sums.check_part,
    "each": sums.check_each,
    "cover": units.check_cover,
    "possible": units.check_possible,
    "common": units.check_common,
    "standards": ratios.check_standards,
    "columns": sums.check_columns,
    "code": sums.check_code,
}
"""Kind of relation -> its check; `series` also needs the date of issue, `delivery` the project list."""


def audit_profile(profile: str | Path) -> Audit:
    """Recompute a plan's own numbers and say which do not close.

    Parameters
    ----------
    profile
        Id of a shipped plan (`audited_profiles`), or the path of a figures file.

    Raises
    ------
    careshed.schema.InputError
        The plan is unknown, or its figures file has faults; all of them are told.

    Examples
    --------
    >>> audit = audit_profile("shanxi-2022")
    >>> [(check.arithmetic_en, check.outcome) for check in audit.checks if check.kind == "code"]
    [('10, 200, 50, 100 → 1251 = 1251', 'closes')]
    """
    return audit_book(read_book(figures_path(profile)))


def audit_book(book: Book) -> Audit:
    """Recompute the numbers of figures that are already read."""
    by_id = lay_out(book, ratios.derive)
    recomputed = {name: span for table in book.table for name, span in sums.recomputed_cells(table, by_id).items()}
    figures = Figures(by_id, recomputed)
    order = {outcome: i for i, outcome in enumerate(OUTCOMES)}
    checks = sorted(_checks(book, figures), key=lambda check: order[check.outcome])
    plan = book.plan
    return Audit(plan.id, plan.name_zh, plan.name_en, plan.issued, tuple(checks), len(by_id))


def _checks(book: Book, figures: Figures) -> Iterator[Check]:
    issued = datetime.date.fromisoformat(book.plan.issued)
    lists = {listed.id: listed for listed in book.projects}
    for table in book.table:
        yield from sums.check_table(table, figures)
    for kind, relation in book.relations():
        if kind in _SIMPLE:
            yield _SIMPLE[kind](relation, figures)
    for series in book.series:
        yield ratios.check_series(series, figures, issued)
    yield from sums.check_stated_twice(figures)
    yield from check_two_deadlines(book, figures)
    yield from check_deadlines(book, figures)
    for listed in book.projects:
        yield from check_projects(listed, figures, issued)
    for delivery in book.delivery:
        yield check_delivery(delivery, lists[delivery.projects], figures)
