"""Explain rules that cannot all be met: which conflict, and the least that must give way.

What must give way is found by elastic rows, in this order: rules other than those below are broken only where nothing else
helps (fewest first); then the fewest units go without; then the least money; then the fewest extra sites; then as little as
possible is missing where something is. For each thing that gives way, an irreducible set of claims shows why: together they
cannot hold, and without any one of them they can (QuickXplain; Junker, 2004).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from careshed.siting.planning.aims import new_sites
from careshed.siting.planning.claims import line, money
from careshed.siting.planning.model import Aim, Claim, Draft, Line, add_column, add_line
from careshed.siting.planning.solving import Found, limits, ran, search, solver
from careshed.siting.problem import PARTS_PER_PERSON, Ints

if TYPE_CHECKING:
    import highspy

Stage = Literal["rules", "units", "money", "sites", "missing"]

STAGES: tuple[Stage, ...] = ("rules", "units", "money", "sites", "missing")
"""What gives way last comes first."""


@dataclass(frozen=True)
class Relaxed:
    """The least relaxation: which claims give way and how the others read then."""

    claims: tuple[Claim, ...]
    """All claims, those that gave way with the limits that can be kept."""
    broken: tuple[int, ...]
    """Positions of the claims that gave way."""
    rules_broken: int
    units: tuple[str, ...]
    """Units that go without, sorted."""
    yuan: int
    """Money above the budget."""
    sites: int
    """Sites above the most, or below the least."""


@dataclass(frozen=True)
class Elastic:
    """A model whose claims may give way, and what that costs at each stage."""

    draft: Draft
    lines: tuple[Line, ...]
    price: dict[Stage, list[int]]
    """Stage -> columns that count."""


def relax(draft: Draft, claims: Sequence[Claim], *, nodes: int, seed: int) -> Relaxed:
    """Find the least that must give way."""
    elastic = _elastic(draft, claims)
    kept: list[Line] = []
    found: Found | None = None
    spent: dict[Stage, int] = {}
    for stage in STAGES:
        columns = elastic.price[stage]
        if not columns:
            continue
        aim = _least(columns, fine=stage == "missing")
        found = search(elastic.draft, [*elastic.lines, *kept], aim, nodes=nodes, seed=seed)
        spent[stage] = found.value
        kept.append(_no_more(aim, found))
    if found is None or not found.possible:
        raise ArithmeticError("no relaxation of the rules makes a plan possible; please report this with its input")
    return _read(claims, found.amount, spent)


def _least(columns: Sequence[int], *, fine: bool) -> Aim:
    factor = PARTS_PER_PERSON if fine else 1
    return Aim(-1, np.array(columns, dtype=np.int64), (factor,) * len(columns), 0, factor, flows=fine)


def _no_more(aim: Aim, found: Found) -> Line:
    """Hold what a stage has reached; shares of what is missing with the rounding of each."""
    spare, factors = (len(aim.columns) if aim.flows else 0), np.array(aim.factors, dtype=np.int64)
    return Line(aim.columns, factors, None, found.value + spare, aim.per)


def _elastic(draft: Draft, claims: Sequence[Claim]) -> Elastic:
    loose = replace(draft, lower=list(draft.lower), upper=list(draft.upper), whole=list(draft.whole), lines=list(draft.lines))
    price: dict[Stage, list[int]] = {stage: [] for stage in STAGES}
    by_unit: dict[str, int] = {}
    lines: list[Line] = []
    for claim in claims:
        if claim.kind in ("money", "sites"):
            most = max(*(_excess(loose, row) for row in claim.lines), 0)
            column = add_column(loose, upper=float(most))
            price["money" if claim.kind == "money" else "sites"].append(column)
            lines += [_loosened(row, column, 1) for row in claim.lines]
            continue
        column = by_unit[claim.unit] if claim.unit in by_unit else add_column(loose)
        if claim.unit not in by_unit:
            price["units" if claim.unit else "rules"].append(column)
        if claim.unit:
            by_unit[claim.unit] = column
        lines += [_partly(loose, row, column, price["missing"]) for row in claim.lines]
    return Elastic(loose, tuple(lines), price)


def _partly(draft: Draft, row: Line, gives: int, missing: list[int]) -> Line:
    """Let a row miss its limit by a share of the most that it can, once its claim gives way."""
    most = _excess(draft, row)
    if most <= 0:
        return row
    part = add_column(draft, whole=False)
    add_line(draft, [part, gives], [1, -1], most=0)
    missing.append(part)
    return _loosened(row, part, most)


def _loosened(row: Line, column: int, by: int) -> Line:
    factor = by if row.least is not None else -by
    return replace(row, columns=np.append(row.columns, column), factors=np.append(row.factors, factor))


def _excess(draft: Draft, row: Line) -> int:
    """By how much a row can miss its limit at most; a row of a claim has one limit."""
    low, high = np.array(draft.lower)[row.columns], np.array(draft.upper)[row.columns]
    if row.least is not None:
        return row.least - int(np.floor(np.where(row.factors > 0, row.factors * low, row.factors * high).sum()))
    return int(np.ceil(np.where(row.factors > 0, row.factors * high, row.factors * low).sum())) - (row.most or 0)


def _read(claims: Sequence[Claim], amount: Ints, spent: dict[Stage, int]) -> Relaxed:
    """Read from an answer what gave way; a claim under a unit that goes without may hold all the same."""
    now = tuple(replace(claim, lines=tuple(_attained(row, amount) for row in claim.lines)) for claim in claims)
    pairs = list(enumerate(zip(claims, now, strict=True)))
    broken = tuple(at for at, (old, new) in pairs if any(_differ(a, b) for a, b in zip(old.lines, new.lines, strict=True)))
    units = sorted({claims[at].unit for at in broken if claims[at].kind == "unit"})
    rules = sum(claims[at].kind == "other" for at in broken)
    return Relaxed(now, broken, rules, tuple(units), spent.get("money", 0), spent.get("sites", 0))


def _attained(row: Line, amount: Ints) -> Line:
    """The row with the limit that the answer keeps."""
    total = sum(int(factor) * int(amount[column]) for column, factor in zip(row.columns, row.factors, strict=True))
    if row.least is not None:
        return replace(row, least=min(row.least, total // PARTS_PER_PERSON))
    return replace(row, most=max(row.most or 0, -(-total // PARTS_PER_PERSON)))


def _differ(old: Line, new: Line) -> bool:
    """Whether a limit moved by more than the rounding of people in parts."""
    moved = abs((old.least or 0) - (new.least or 0)) + abs((old.most or 0) - (new.most or 0))
    return moved > (len(old.columns) if old.scale == PARTS_PER_PERSON else 0)


def irreducible(
    draft: Draft, claims: Sequence[Claim], broken: Sequence[int], one: int, *, nodes: int, seed: int
) -> tuple[int, ...]:
    """Find claims that cannot hold together with one that gave way, and of which none can be left out.

    Where what is missing was split between several that gave way, those are among the claims too.
    """
    others = [at for at in range(len(claims)) if at not in broken]
    rows = [row for claim in claims for row in claim.lines]
    ends = np.cumsum([0, *(len(claim.lines) for claim in claims)])
    test = Switches(
        solver(draft, rows, None, nodes=nodes, seed=seed),
        len(draft.lines),
        tuple(limits(row) for row in rows),
        tuple(range(int(start), int(end)) for start, end in zip(ends, ends[1:], strict=False)),
    )
    if test.possible([one, *others]):
        return tuple(sorted(_shrink(test, [], [], [one, *(at for at in range(len(claims)) if at != one)])))
    return tuple(sorted([one, *_shrink(test, [one], [one], others)]))


@dataclass(frozen=True)
class Switches:
    """One solver whose claims are switched on and off."""

    highs: highspy.Highs
    first: int
    """Row of the first claim."""
    spans: tuple[tuple[float, float], ...]
    rows: tuple[range, ...]
    """Rows of every claim."""

    def possible(self, active: Sequence[int]) -> bool:
        """Tell whether some claims can hold together."""
        on = {row for claim in active for row in self.rows[claim]}
        for row, span in enumerate(self.spans):
            self.highs.changeRowBounds(self.first + row, *(span if row in on else (-np.inf, np.inf)))
        return ran(self.highs)[0]


def _shrink(test: Switches, base: list[int], added: Sequence[int], rest: list[int]) -> list[int]:
    """Junker's QuickXplain: the claims of `rest` that are needed, with those of `base`, to make a conflict."""
    if added and not test.possible(base):
        return []
    if len(rest) <= 1:
        return rest
    half = len(rest) // 2
    left, right = rest[:half], rest[half:]
    second = _shrink(test, base + left, left, right)
    first = _shrink(test, base + second, second, left)
    return first + second


def least_needed(draft: Draft, claims: Sequence[Claim], kind: Literal["money", "sites"], *, nodes: int, seed: int) -> int | None:
    """Least money, or fewest new sites, with which some claims hold together; None where they cannot."""
    counted, constant = money(draft) if kind == "money" else (new_sites(draft.case), 0)
    row = line(counted, None, None)
    aim = Aim(-1, row.columns, tuple(row.factors.tolist()), constant, 1)
    found = search(draft, [row for claim in claims for row in claim.lines], aim, nodes=nodes, seed=seed)
    return found.value if found.possible else None
