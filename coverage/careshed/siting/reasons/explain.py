"""Explain a plan site by site: order, people newly reached, what is lost without it, the next best nearby."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from careshed.schema import InputError
from careshed.siting.planning.case import Matrices
from careshed.siting.planning.plan import Plan
from careshed.siting.planning.rule_checks import bad
from careshed.siting.problem import PARTS_PER_PERSON, Ints, people_parts
from careshed.siting.reasons.by_unit import Count, named_units, placed_rows, unit_rows
from careshed.siting.reasons.ground import AnyPlan, Ground, read_ground
from careshed.siting.reasons.weighing import Step, Swap, building_order, loss, swaps
from careshed.siting.reasons.wording import Told, reason, rules_text
from careshed.words import Lang, pick

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

TIE_SHARE: Final = 0.01
"""Two sites are practically equal where an exchange changes less than this share of the site's own gain, or than one person."""

LANGS: Final[tuple[Lang, Lang]] = ("zh", "en")

COUNTED: Final = ("demand", "service", "group")

COLUMNS: Final = (
    "order", "name", "unit", "unit_name", "people_new", "value_new", "people_lost", "value_lost", "breaks_zh", "breaks_en",
    "alternative", "alternative_name", "alternative_m", "alternative_near", "people_change", "value_change", "yuan_change",
    "near_tie", "reason_zh", "reason_en",
)  # fmt: skip

OTHERS: Final = [
    "site_id", "candidate_id", "name", "metres", "people_change", "value_change", "yuan_change", "keeps_rules", "breaks_zh",
    "breaks_en", "dominated_by",
]  # fmt: skip


@dataclass(frozen=True)
class SiteReasons:
    """Why each new site of a plan is there, in building order."""

    table: pd.DataFrame
    """Index ``site_id`` in building order; columns ``order``, ``name``, ``unit``, ``unit_name``, ``people_new`` (newly reached,
    or given a place where places are limited, when built after those before it; who looks for two services counts twice),
    ``value_new`` (the same as the objective weighs it), ``people_lost`` and ``value_lost`` (what the complete plan loses
    without it), ``breaks_zh``, ``breaks_en`` (rules that break without it, "" for none), ``alternative`` (id of the next best
    candidate that keeps the rules, "" for none), ``alternative_name``, ``alternative_m`` (straight line), ``alternative_near``
    (within `near_m`), ``people_change``, ``value_change`` and ``yuan_change`` (what the exchange adds to the complete plan; NaN
    where not known), ``near_tie``, ``reason_zh``, ``reason_en``."""
    by_group: pd.DataFrame
    """People newly reached within the limit: ``site_id``, ``demand`` (its number in the objective), ``service``, ``group``,
    ``people``; in building order. People whom a site only gives a place were reached before."""
    by_unit: pd.DataFrame
    """The same by unit: ``site_id``, ``demand``, ``service``, ``group``, ``unit``, ``unit_name``, ``level``, ``people``; a
    person counts in the finest unit and in all above it. Units that gain nobody are left out; outside all units it is "".
    """
    placed: pd.DataFrame
    """Where places are limited, who is given a place at the site in the complete plan: ``site_id``, ``demand``,
    ``service``, ``group``, ``unit`` (the finest), ``people``; else empty."""
    alternatives: pd.DataFrame
    """Every candidate within `near_m` of a site, the best first, also those left out as dominated: ``site_id``,
    ``candidate_id``, ``name``, ``metres``, ``people_change``, ``value_change``, ``yuan_change``, ``keeps_rules``, ``breaks_zh``,
    ``breaks_en``, ``dominated_by``."""
    near_m: float
    tie_share: float

    def text(self, lang: Lang = "zh") -> str:
        """Tell all sites, one sentence a line."""
        if not len(self.table):
            return pick(lang, "方案不新增设施。", "The plan builds nothing new.")
        return "\n".join(self.table[pick(lang, "reason_zh", "reason_en")])


def explain_sites(
    plan: AnyPlan,
    options: Matrices,
    cells: GeoDataFrame,
    *,
    existing: Matrices | None = None,
    units: GeoDataFrame | None = None,
    near_m: float = 1000,
    groups: Sequence[str] = (),
    tie_share: float = TIE_SHARE,
    facility: tuple[str, str] = ("此类设施", "such facility"),
) -> SiteReasons:
    """Say of every new site whom it brings, what is lost without it, and which candidate could stand in its place.

    The order is by marginal gain: next comes the site that adds most to what the plan maximises, given those before it
    (Nemhauser, Wolsey and Fisher, 1978); for plans with the least sites or money, the site that newly reaches most people. Losses
    and exchanges are counted anew on the complete plan, all else kept. An exchange keeps the services of the site and may break
    no rule that the plan keeps; where no candidate within `near_m` can, the best of the others is told with its distance.

    Parameters
    ----------
    plan
        Of `rank_sites`, or of `plan_sites` with `MaxCover`, `MaxServed` or `SetCover`.
    options, cells, existing, units
        The tables that the plan was made from.
    near_m
        What counts as nearby, metres in a straight line (≤).
    groups
        Further groups of the cells to count by, on the cells newly reached under the plan's first demand.
    tie_share
        See `TIE_SHARE`.
    facility
        What the plan sites, Chinese and English, as in ``("托育点", "childcare point")``.

    Raises
    ------
    careshed.schema.InputError
        If the plan is not of these tables, its objective does not count people, or a parameter makes no sense.

    Examples
    --------
    A reaches 30 + 20 people, B only the 20 and C 15 of its own.

    >>> import geopandas as gpd, numpy as np
    >>> from careshed.modes import WALK_OLDER
    >>> from careshed.reach import TravelTimes
    >>> from careshed.siting import rank_sites
    >>> crs = "EPSG:32651"
    >>> cells = gpd.GeoDataFrame({"p60": [30.0, 20.0, 15.0]}, geometry=gpd.points_from_xy([0, 500, 900], [0, 0, 0]), crs=crs)
    >>> spots = gpd.GeoDataFrame({"name": ["旧小学", "诊所", "仓库"], "unit": "", "cost_yuan": [8e5, 5e5, 5e5]},
    ...                          index=["A", "B", "C"], geometry=gpd.points_from_xy([200, 500, 900], [0, 0, 0]), crs=crs)
    >>> options = TravelTimes(spots, cells.index, np.array([0, 2, 3, 4]), np.array([0, 1, 1, 2], np.int32),
    ...                       np.array([200_000] * 4, np.uint32), np.zeros(3, np.int64), np.zeros(3, np.int32),
    ...                       np.array(["", "", ""]), np.array(["", "", ""]), "time", 900_000, "to_facility", WALK_OLDER, 150.0)
    >>> plan = rank_sites(options, cells, minutes=15, group="p60", n=2)
    >>> print(explain_sites(plan, options, cells, near_m=400).text("en"))
    Site 1, 旧小学: newly reaches 50 people aged 60+; without it none of them would reach any such facility; the next best
        nearby is 诊所, 300 m away (30 people fewer, 300,000 yuan cheaper).
    Site 2, 仓库: newly reaches 15 people aged 60+; without it none of them would reach any such facility; the next best
        nearby is 诊所, 400 m away (15 people fewer, at the same cost).
    """
    _check(cells, near_m, groups, tie_share)
    if not len(plan.sites) or (isinstance(plan, Plan) and not plan.new):
        return _reasons([], [], [], [], [], near_m, tie_share)
    ground = read_ground(plan, options, cells, existing, units)
    further = {group: people_parts(cells, group) for group in dict.fromkeys(groups)}
    rows: list[tuple[object, ...]] = []
    by_group: list[tuple[object, ...]] = []
    by_unit: list[tuple[object, ...]] = []
    others: list[tuple[object, ...]] = []
    stays = dict(plan.dominated) if isinstance(plan, Plan) else {}
    for order, step in enumerate(building_order(ground), start=1):
        lost = loss(ground, step.place)
        near, swap = swaps(ground, step.place, lost, near_m)
        counts = _counts(ground, step, further)
        name = ground.case.places[step.place].id
        by_group += [(name, *count.labels, int(count.people.sum()) / PARTS_PER_PERSON) for count in counts]
        by_unit += [(name, *row) for count in counts for row in unit_rows(ground.case, count)]
        tie = swap is not None and _is_tie(step, swap, tie_share)
        gain_most = named_units(ground.case, counts[: len(ground.layers)])
        told = Told(step, order, gain_most, lost, swap, tie, near_m, facility)
        rows.append(_row(ground, told))
        others += [_other(ground, name, one, facility, stays) for one in near]
    return _reasons(rows, by_group, by_unit, placed_rows(ground), others, near_m, tie_share)


def _check(cells: GeoDataFrame, near_m: float, groups: Sequence[str], tie_share: float) -> None:
    faults = []
    if not 0 <= near_m < np.inf:
        cure = ("请填写不小于 0 的米数。", "Give metres of 0 or more.")
        faults.append(bad("bad_near", "near_m 不是距离", "near_m is no distance", *cure, found=str(near_m)))
    if not 0 <= tie_share <= 1:
        cure = ("请填写 0 至 1。", "Give 0 to 1.")
        faults.append(bad("bad_share", "tie_share 不是比例", "tie_share is no share", *cure, found=str(tie_share)))
    for group in dict.fromkeys(groups):
        try:
            people_parts(cells, group)
        except ValueError as error:
            faults.append(bad("bad_people", f"人口数据不可用：{error}", str(error)))
    if faults:
        raise InputError(faults)


def _counts(ground: Ground, step: Step, further: dict[str, Ints]) -> list[Count]:
    """People of every demand, and of the further groups, on the cells that a site newly reaches."""
    found = []
    for at, (layer, fresh) in enumerate(zip(ground.layers, step.fresh, strict=True)):
        demand = layer.reach.demand
        found.append(Count(at, demand.service, demand.group, np.where(fresh, layer.reach.parts, 0)))
    first = ground.layers[0].reach.demand.service
    return found + [Count(0, first, group, np.where(step.fresh[0], parts, 0)) for group, parts in further.items()]


def _is_tie(step: Step, swap: Swap, share: float) -> bool:
    """Whether an exchange changes next to nothing of what the plan is for."""
    return abs(swap.value) < PARTS_PER_PERSON or abs(swap.value) < share * step.value


def _row(ground: Ground, told: Told) -> tuple[object, ...]:
    step, swap, place = told.step, told.swap, ground.case.places[told.step.place]
    unit = place.chain[0] if place.chain else ""
    other = None if swap is None else ground.case.places[swap.place]
    return (
        place.id,
        told.order,
        place.name,
        unit,
        ground.case.units.names.get(unit, ""),
        step.people / PARTS_PER_PERSON,
        step.value / PARTS_PER_PERSON,
        told.lost.people / PARTS_PER_PERSON,
        told.lost.value / PARTS_PER_PERSON,
        *(rules_text(ground, told.lost.breaks, told.facility, lang) for lang in LANGS),
        "" if other is None else other.id,
        "" if other is None else other.name,
        np.nan if swap is None else swap.metres,
        swap is not None and swap.metres <= told.near_m,
        np.nan if swap is None else swap.people / PARTS_PER_PERSON,
        np.nan if swap is None else swap.value / PARTS_PER_PERSON,
        np.nan if swap is None else swap.yuan,
        told.near_tie,
        *(reason(ground, told, lang) for lang in LANGS),
    )


def _other(ground: Ground, site: str, swap: Swap, facility: tuple[str, str], stays: dict[str, str]) -> tuple[object, ...]:
    place = ground.case.places[swap.place]
    breaks = [rules_text(ground, swap.breaks, facility, lang) for lang in LANGS]
    changes = swap.people / PARTS_PER_PERSON, swap.value / PARTS_PER_PERSON, swap.yuan
    return (site, place.id, place.name, swap.metres, *changes, swap.keeps, *breaks, stays.get(place.id, ""))


def _reasons(
    rows: list[tuple[object, ...]],
    by_group: list[tuple[object, ...]],
    by_unit: list[tuple[object, ...]],
    placed: list[tuple[object, ...]],
    others: list[tuple[object, ...]],
    near_m: float,
    tie_share: float,
) -> SiteReasons:
    import pandas as pd

    return SiteReasons(
        table=pd.DataFrame(rows, columns=["site_id", *COLUMNS]).set_index("site_id"),
        by_group=pd.DataFrame(by_group, columns=["site_id", *COUNTED, "people"]),
        by_unit=pd.DataFrame(by_unit, columns=["site_id", *COUNTED, "unit", "unit_name", "level", "people"]),
        placed=pd.DataFrame(placed, columns=["site_id", *COUNTED, "unit", "people"]),
        alternatives=pd.DataFrame(others, columns=OTHERS),
        near_m=near_m,
        tie_share=tie_share,
    )
