"""Rank new sites: choose those that reach the most people, in building order, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from careshed.siting.findings import plan_findings, source_file
from careshed.siting.plan import SitePlan
from careshed.siting.problem import (
    PARTS_PER_PERSON,
    Ints,
    Problem,
    build_problem,
    cells_reached,
    check_match,
    cost_limit,
    pairs_within,
    people_parts,
)
from careshed.siting.rules import UnitRules, read_rules
from careshed.siting.search import Search, add, start
from careshed.siting.solve import NODES, Solution, solve
from careshed.words import Lang, group_name, pick

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.reach import TravelTimes

KEPT = ("name", "kind", "unit", "cost_yuan", "places", "area_m2")
"""Columns of the candidates that the plan repeats."""


def rank_sites(
    options: TravelTimes,
    cells: GeoDataFrame,
    *,
    existing: TravelTimes | None = None,
    minutes: float | None = None,
    metres: float | None = None,
    group: str,
    n: int,
    units: GeoDataFrame | None = None,
    at_least_one_per: Sequence[str] = (),
    budget_yuan: float | None = None,
    seed: int = 0,
    work_limit: int = NODES,
) -> SitePlan:
    """Choose at most `n` new sites so that the most people have a facility within reach, and say how good that choice is.

    Existing facilities stay. First come the unit rules: of the units of `at_least_one_per` without a facility, as many as `n`
    sites can serve get one. Then, among all such choices, the one that reaches the most people of `group` (maximal covering;
    Church and ReVelle, 1974). People within exactly the limit count; direction and mode are those of the travel costs. Sites
    that would reach nobody new and serve no unit are left out, so fewer than `n` may come back.

    Parameters
    ----------
    options
        Travel costs of the candidates, whose ``unit`` is the code of the finest unit they lie in. Candidates that cannot be
        attached (``facility_fault``) are never chosen.
    cells
        People, on the very cells of the travel costs.
    existing
        Travel costs of the facilities that stand, of the same mode, direction and metric.
    minutes, metres
        The limit; exactly one, matching the metric of the costs and not beyond what they searched.
    units
        Names, levels and parents; a facility lies in its unit and in all above it.
    budget_yuan
        Most that the sites may cost together, by the candidates' column ``cost_yuan``; None for no limit.
    seed
        Of the local search and of HiGHS; the same seed gives the same plan.
    work_limit
        Branch-and-bound nodes the exact search may spend; 0 leaves it out, and the bound is then the Lagrangian one.

    Returns
    -------
    SitePlan
        Rules that cannot be met, and everything else worth knowing, are its `findings`, not errors.

    Raises
    ------
    ValueError
        If the tables do not fit together or the limit is not usable.

    Examples
    --------
    Two candidates on a street of three cells; A reaches 30 + 20 people, B 20 + 15.

    >>> import geopandas as gpd, numpy as np, pandas as pd
    >>> from careshed.modes import WALK_OLDER
    >>> from careshed.reach import TravelTimes
    >>> crs = "EPSG:32651"
    >>> cells = gpd.GeoDataFrame({"p60": [30.0, 20.0, 15.0]}, geometry=gpd.points_from_xy([0, 500, 900], [0, 0, 0]), crs=crs)
    >>> spots = gpd.GeoDataFrame({"name": ["旧小学", "诊所"], "unit": ["", ""]}, index=["A", "B"],
    ...                          geometry=gpd.points_from_xy([200, 700], [0, 0]), crs=crs)
    >>> options = TravelTimes(spots, cells.index, np.array([0, 2, 4]), np.array([0, 1, 1, 2], np.int32),
    ...                       np.array([200_000, 300_000, 200_000, 200_000], np.uint32), np.zeros(3, np.int64),
    ...                       np.zeros(3, np.int32), np.array(["", "", ""]), np.array(["", ""]), "time", 900_000,
    ...                       "to_facility", WALK_OLDER, 150.0)
    >>> plan = rank_sites(options, cells, minutes=15, group="p60", n=1)
    >>> plan.sites.loc["A", "reason_en"], plan.people_covered_after, plan.bound, plan.status
    ('Newly reaches 50 people aged 60+', 50.0, 50.0, 'optimal')
    """
    check_match(options, existing, cells)
    limit = cost_limit(options, minutes, metres)
    if existing is not None:
        cost_limit(existing, minutes, metres)
    if n < 0:
        raise ValueError(f"n={n} sites is less than none; give 0 or more")
    people = people_parts(cells, group)
    covered = cells_reached(existing, limit, len(cells))
    rules = read_rules(options, existing, units, at_least_one_per, source_file(options))
    demand = np.where(covered, 0, people)
    costs, budget = _money(options, budget_yuan)
    problem = build_problem(options, demand, limit, chains=rules.chains, units=rules.needed, n=n, costs=costs, budget=budget)
    solution = solve(problem, seed=seed, work_limit=work_limit)
    ranked = _ranked(problem, solution)
    tally = _Tally(int(people.sum()), int(people[covered].sum()), group)
    served = {unit for site in ranked for unit in rules.chains.get(problem.ids[site.position], ())}
    return SitePlan(
        sites=_site_table(problem, ranked, options, rules, units, tally),
        people_total=tally.total / PARTS_PER_PERSON,
        people_covered_before=tally.before / PARTS_PER_PERSON,
        people_covered_after=(tally.before + solution.value) / PARTS_PER_PERSON,
        bound=(tally.before + solution.bound) / PARTS_PER_PERSON,
        gap=_gap(solution),
        status=solution.status,
        bound_by=solution.bound_by,
        method=solution.method,
        reproducible=solution.reproducible,
        group=group,
        limit_minutes=minutes,
        limit_metres=metres,
        n_asked=n,
        findings=plan_findings(
            options,
            problem,
            rules,
            demand,
            pairs_within(options, limit),
            built=len(ranked),
            people=people,
            group=group,
            limit=(f"{minutes:g} 分钟", f"{minutes:g} minutes") if minutes is not None else (f"{metres:g} 米", f"{metres:g} m"),
        ),
        units_without_before=rules.without,
        units_without_after=tuple(code for code in rules.without if code not in served),
    )


def _money(options: TravelTimes, budget_yuan: float | None) -> tuple[Ints | None, int | None]:
    """Read costs and budget in whole yuan, costs rounded up so that the budget holds.

    Raises
    ------
    ValueError
        If the budget is below zero, or a candidate's cost is not known or below zero.
    """
    if budget_yuan is None:
        return None, None
    if not 0 <= budget_yuan < np.inf:
        raise ValueError(f"budget_yuan={budget_yuan:g} is no amount of money  预算应为不小于 0 的数")
    table = options.facilities
    known = table["cost_yuan"].to_numpy(dtype=float) if "cost_yuan" in table.columns else np.full(len(table), np.nan)
    lost = [str(name) for name, cost in zip(table.index, known, strict=True) if not 0 <= cost < np.inf]
    if lost:
        few = ", ".join(lost[:8]) + (" …" if len(lost) > 8 else "")
        told = f"有预算，但 {len(lost)} 个候选点造价未知或为负：{few}。"
        raise ValueError(f"{told} {len(lost)} candidate(s) without a usable cost_yuan: {few}")
    return np.ceil(known).astype(np.int64), int(budget_yuan)


@dataclass(frozen=True)
class _Tally:
    """People of a group in millionths: all, and those reached already."""

    total: int
    before: int
    group: str


@dataclass(frozen=True)
class _Ranked:
    """One site in its place."""

    position: int
    """In `Problem.ids`."""
    gain: int
    """Millionths of a person reached by none before it."""
    first_in: tuple[str, ...]
    """Units that get their first facility with it."""


def _gap(solution: Solution) -> float:
    missing = solution.bound - solution.value
    return missing / (solution.value or missing) if missing else 0.0


def _ranked(problem: Problem, solution: Solution) -> list[_Ranked]:
    """Order the sites by what each adds, ties by units served and then by id; leave out what adds nothing."""
    search, left, order = start(problem), list(solution.sites), []
    while left:
        new = search.new_units()
        best = max(left, key=lambda site: (search.gain[site], new[site], -site))
        if not search.gain[best] and not new[best]:
            break
        order.append(_Ranked(best, int(search.gain[best]), _first_in(search, best)))
        add(search, best)
        left.remove(best)
    return order


def _first_in(search: Search, site: int) -> tuple[str, ...]:
    units = search.problem.serves.of(site)
    return tuple(search.problem.units[unit] for unit in units if search.held[unit] == 0)


def _site_table(
    problem: Problem,
    ranked: Sequence[_Ranked],
    options: TravelTimes,
    rules: UnitRules,
    units: GeoDataFrame | None,
    tally: _Tally,
) -> GeoDataFrame:
    rows = problem.rows[[site.position for site in ranked]] if ranked else np.zeros(0, dtype=np.int64)
    spots = options.facilities.iloc[rows]
    table = spots[["geometry"]].set_axis([problem.ids[site.position] for site in ranked]).rename_axis("candidate_id")
    gains = np.array([site.gain for site in ranked], dtype=np.int64)
    reached = tally.before + np.cumsum(gains)
    names = {} if units is None else {str(code): str(name) for code, name in units["name"].items()}
    told = [_first_by_rank(site, rules.chains.get(problem.ids[site.position], ())) for site in ranked]
    kept = {column: _column(spots, column) for column in KEPT}
    columns = {
        "rank": np.arange(1, len(ranked) + 1),
        "name": kept["name"],
        "kind": kept["kind"],
        "unit": kept["unit"],
        "unit_name": [names.get(str(unit), "") for unit in kept["unit"]],
        "people_new": gains / PARTS_PER_PERSON,
        "people_cumulative": reached / PARTS_PER_PERSON,
        "share_cumulative": reached / tally.total if tally.total else np.full(len(ranked), np.nan),
        "for_unit": [first[0] if first else "" for first in told],
        "reason_zh": [_reason(site, first, names, tally.group, "zh") for site, first in zip(ranked, told, strict=True)],
        "reason_en": [_reason(site, first, names, tally.group, "en") for site, first in zip(ranked, told, strict=True)],
        "cost_yuan": kept["cost_yuan"],
        "places": kept["places"],
        "area_m2": kept["area_m2"],
    }
    table = table.assign(**columns)
    return table[[*columns, "geometry"]]


def _first_by_rank(site: _Ranked, chain: Sequence[str]) -> tuple[str, ...]:
    """The units that get their first facility with this site, the finest first."""
    return tuple(unit for unit in chain if unit in site.first_in)


def _column(spots: GeoDataFrame, column: str) -> list[object]:
    """A candidate column as the plan holds it; what the candidates do not have stays unknown."""
    numbers = column in ("cost_yuan", "places", "area_m2")
    if column not in spots.columns:
        return [np.nan if numbers else ""] * len(spots)
    return list(spots[column].astype(float) if numbers else spots[column].astype(str))


def _reason(site: _Ranked, first_in: Sequence[str], names: Mapping[str, str], group: str, lang: Lang) -> str:
    """Say in one line what the site is good for."""
    parts = [_reach_words(site.gain / PARTS_PER_PERSON, group, lang)]
    if first_in:
        told = pick(lang, "、", ", ").join(names.get(unit, unit) for unit in first_in)
        parts.append(pick(lang, f"{told}此前没有此类设施", f"{told} had no such facility before"))
    return pick(lang, "；", "; ").join(parts)


def _reach_words(people: float, group: str, lang: Lang) -> str:
    if people <= 0:
        return pick(lang, "不增加覆盖人数", "Reaches nobody new")
    who = pick(lang, "居民", "residents") if group == "total" else group_name(group, lang)
    if people < 1:
        return pick(lang, f"新增覆盖不足 1 名{who}", f"Newly reaches less than one of the {who}")
    return pick(lang, f"新增覆盖 {people:,.0f} 名{who}", f"Newly reaches {people:,.0f} {who}")
