"""Assign people to places: who is served, who is in reach but finds no place, and who is out of reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

import numpy as np

from careshed.access import unit_sums
from careshed.schema import Fault
from careshed.supply.rules import PARTS_PER_PERSON, Found, Problem, Unknown, check_whole, count_out, in_order, optimum
from careshed.supply.transport import product, sums
from careshed.supply.weighing import PER, Floats, pairs_within, people_of, places_of
from careshed.supply.zones import Zones, zones_of
from careshed.words import Lang, pick

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

    from careshed.reach import Metric, TravelTimes

Rule = Literal["nearest", "nearest_with_overflow", "least_time", "catchment"]
"""How people find places."""

STATES: Final = ("served", "no_place", "out_of_reach", "unjudged")
"""What may be true of a person: exactly one of these."""

RULE_NAMES: Final[dict[Rule, tuple[str, str]]] = {
    "nearest": (
        "每人只去最近的设施，近者先得，满员即止",
        "everybody goes to the nearest facility only; the nearest people come first, until it is full",
    ),
    "nearest_with_overflow": (
        "每人去最近且有空位的设施，近者先得",
        "everybody goes to the nearest facility with a free place; the nearest people come first",
    ),
    "least_time": (
        "先让尽可能多的人有位，再使总出行最少（运输问题最优解，经对偶价格验证）",
        "as many as possible are served, then with the least travel in all (transport problem, optimal, proved by its prices)",
    ),
    "catchment": (
        "按划片入位，片区内近者先得",
        "people go to the facility of their catchment; the nearest people come first",
    ),
}
"""Rule -> (Chinese, English), as a report states it."""


@dataclass(frozen=True)
class Assignment:
    """Who goes where, and who is left without a place, for the people of a group within a limit."""

    links: pd.DataFrame
    """One row a cell and a facility that takes people from it, by cell and facility: ``cell_id``, ``facility_id``, ``people``
    (> 0), ``cost`` (milliseconds or millimetres), ``minutes`` or ``metres``."""
    cells: pd.DataFrame
    """Index ``cell_id``: ``people`` (to the millionth) and, adding up to it, ``served``, ``no_place`` (in reach of a facility
    but without a place), ``out_of_reach`` (no facility within the limit), ``unjudged`` (the cell joins no street)."""
    facilities: pd.DataFrame
    """Index ``facility_id``: ``name`` if there is one, ``places`` (NaN unknown), ``served`` (people), ``spare`` (places left, NaN
    unknown), ``load`` (served of places, NaN where there are none or unknown), ``minutes_mean`` and ``minutes_longest`` (or
    ``metres_…``) of the people served, NaN where there are none."""
    group: str
    limit: int
    """Largest cost that is in reach (≤), milliseconds or millimetres."""
    metric: Metric
    rule: Rule
    objective: float
    """Travel of all people served, person-minutes or person-metres."""
    bound: float
    """Least travel with which as many people can be served, as the prices of the optimum prove it; NaN where a rule minimises
    nothing."""
    proven: bool
    """Whether the objective equals its bound, in whole numbers; never for rules that minimise nothing."""
    findings: tuple[Fault, ...]
    """Facilities of unknown places; people whose catchment has no facility, or one beyond the limit."""

    def method(self, lang: Lang = "zh") -> str:
        """Say in one sentence by which rule people were assigned."""
        return pick(lang, *RULE_NAMES[self.rule])


def assign_places(
    times: TravelTimes,
    cells: GeoDataFrame,
    *,
    group: str,
    minutes: float | None = None,
    metres: float | None = None,
    rule: Rule = "least_time",
    places: str | pd.Series[float] = "places",
    catchment: pd.Series[str] | None = None,
    units: GeoDataFrame | None = None,
    unknown: Unknown = "none",
    whole: bool = False,
) -> Assignment:
    """Give the people of a group places within a limit, and tell who is served, who finds no place and who is out of reach.

    Cells at exactly the limit are in reach (≤). A person is out of reach if no facility of any kind is within the limit, whatever
    the rule, so that rules can be compared; in reach without a place is everyone else who is not served.

    Parameters
    ----------
    rule
        ``least_time``: as many people as possible are served, then with the least travel in all (the transport problem; optimal).
        ``nearest``: everybody goes to the nearest facility and nowhere else; places go to people in the order of their travel,
        ties by cell and then facility id. ``nearest_with_overflow``: who is turned away goes to the next nearest with room; again
        the shorter way wins a place, whoever it was nearest to, so that nobody is turned away for somebody who lives farther.
        ``catchment``: the same within catchments given by the user (划片).
    places
        Column of places in the facilities, or places by facility id.
    catchment
        Facility id by cell id or by unit code; a cell or unit may be listed several times (多校划片).
    units
        For catchments by units larger than the cells' own.
    unknown
        What facilities of unknown places offer: no place (``"none"``), or one for all who come (``"unlimited"``); each is named
        in the findings.
    whole
        Refuse people and places that are not whole numbers; links then are whole too, and the optimum is that in whole persons.

    Raises
    ------
    ValueError
        If the cells are not those of the travel times, the limit does not fit, people or places are no counts (or not whole where
        asked), or the rule and its catchments do not fit.

    Examples
    --------
    A facility with 4 places, 1 minute from three people and 2 minutes from three others:

    >>> import geopandas as gpd, numpy as np, pandas as pd
    >>> from careshed.modes import WALK_ADULT
    >>> from careshed.reach import TravelTimes
    >>> people = gpd.GeoDataFrame({"p60": [3.0, 3.0, 5.0]}, index=pd.RangeIndex(3, name="cell_id"))
    >>> station = gpd.GeoDataFrame({"places": [4.0]}, index=pd.Index(["a"], name="facility_id"))
    >>> cost = np.array([60_000, 120_000], dtype=np.uint32)
    >>> times = TravelTimes(station, people.index, np.array([0, 2]), np.array([0, 1], dtype=np.int32), cost,
    ...     np.array([60_000, 120_000, -1]), np.array([0, 0, -1], dtype=np.int32), np.full(3, ""), np.array([""]), "time",
    ...     900_000, "to_facility", WALK_ADULT, 150.0)
    >>> found = assign_places(times, people, group="p60", minutes=15)
    >>> found.cells[["served", "no_place", "out_of_reach"]].to_numpy().tolist()
    [[3.0, 0.0, 0.0], [1.0, 2.0, 0.0], [0.0, 0.0, 5.0]]
    >>> found.objective, found.proven
    (5.0, True)
    """
    if rule not in get_args(Rule):
        raise ValueError(f"no rule {rule!r}; there are: {', '.join(get_args(Rule))}")
    if (rule == "catchment") != (catchment is not None):
        raise ValueError("rule='catchment' needs catchment=, and no other rule takes it")
    people, offered = people_of(times, cells, group), places_of(times, places)
    problem = count_out(times, people, offered, pairs_within(times, minutes=minutes, metres=metres), unknown)
    if whole:
        check_whole(times, cells, group, problem)
    zones = zones_of(times, cells, catchment, units) if catchment is not None else None
    found = optimum(problem) if rule == "least_time" else in_order(problem, zones, only_nearest=rule == "nearest")
    counted = _cell_table(times, people, problem, found)
    findings = (*_unknown_places(times, offered, unknown), *_outside_zones(problem, zones, group))
    travel = product(found.parts, found.cost)
    per = PARTS_PER_PERSON * PER[times.metric]
    return Assignment(
        links=_link_table(times, found),
        cells=counted,
        facilities=_facility_table(times, offered, found),
        group=group,
        limit=problem.pairs.limit,
        metric=times.metric,
        rule=rule,
        objective=travel / per,
        bound=np.nan if found.bound is None else found.bound / per,
        proven=found.bound == travel,
        findings=findings,
    )


def _cell_table(times: TravelTimes, people: Floats, problem: Problem, found: Found) -> pd.DataFrame:
    """Put every person into one state."""
    import pandas as pd

    everyone = np.rint(people * PARTS_PER_PERSON).astype(np.int64)
    served = sums(found.parts, found.column, len(people))
    reached = np.zeros(len(people), dtype=np.bool_)
    reached[problem.pairs.indices] = True
    judged = times.cell_fault == ""
    rest = everyone - served
    parts = (everyone, served, rest * (judged & reached), rest * (judged & ~reached), rest * ~judged)
    assert np.all(served <= everyone)
    columns = {name: count / PARTS_PER_PERSON for name, count in zip(("people", *STATES), parts, strict=True)}
    return pd.DataFrame(columns, index=times.cell_ids)


def _link_table(times: TravelTimes, found: Found) -> pd.DataFrame:
    import pandas as pd

    unit = "minutes" if times.metric == "time" else "metres"
    return pd.DataFrame(
        {
            "cell_id": times.cell_ids.to_numpy()[found.column],
            "facility_id": times.facilities.index.to_numpy()[found.row],
            "people": found.parts / PARTS_PER_PERSON,
            "cost": found.cost,
            unit: found.cost / PER[times.metric],
        }
    )


def _facility_table(times: TravelTimes, offered: Floats, found: Found) -> pd.DataFrame:
    """Tell how full every facility is, and how far its people come."""
    import pandas as pd

    count = len(times.facilities)
    parts = sums(found.parts, found.row, count)
    served = parts / PARTS_PER_PERSON
    way = np.bincount(found.row, weights=found.parts / PARTS_PER_PERSON * (found.cost / PER[times.metric]), minlength=count)
    longest = np.full(count, -1, dtype=np.int64)
    np.maximum.at(longest, found.row, found.cost)
    unit = "minutes" if times.metric == "time" else "metres"
    table = {
        "places": offered,
        "served": served,
        "spare": offered - served,
        "load": np.divide(served, offered, out=np.full(count, np.nan), where=offered > 0),
        f"{unit}_mean": np.divide(way, served, out=np.full(count, np.nan), where=parts > 0),
        f"{unit}_longest": np.where(longest >= 0, longest / PER[times.metric], np.nan),
    }
    named = {"name": times.facilities["name"].to_numpy()} if "name" in times.facilities else {}
    return pd.DataFrame(named | table, index=times.facilities.index)


def _unknown_places(times: TravelTimes, offered: Floats, unknown: Unknown) -> list[Fault]:
    """Name the facilities whose places nobody knows, and say what was made of them."""
    found = []
    made = {"none": ("按没有空位计", "counted as offering none"), "unlimited": ("按不限名额计", "counted as having room for all")}
    zh, en = made[unknown]
    for row in np.flatnonzero(np.isnan(offered)):
        facility = times.facilities.iloc[row]
        name = str(facility.get("name", times.facilities.index[row]))
        text = (f"“{name}”的床位或托位数未知，{zh}", f"the places of {name!r} are unknown; it is {en}")
        cure = ("请在登记表中补充", "add them to the register")
        file, line = str(facility.get("file", "")), str(facility.get("row", ""))
        found.append(Fault("places_unknown", file, *text, *cure, row=line, severity="noted"))
    return found


def _outside_zones(problem: Problem, zones: Zones | None, group: str) -> list[Fault]:
    """Tell how many people have no catchment, or one whose facilities are all beyond the limit."""
    if zones is None:
        return []
    pairs = problem.pairs
    row = np.repeat(np.arange(len(pairs.indptr) - 1), np.diff(pairs.indptr))
    near = np.zeros(pairs.cells, dtype=np.bool_)
    near[pairs.indices[zones.allow(pairs.indices, row)]] = True
    inside = zones.of_cell >= 0
    told = []
    for code, at in (("catchment_none", ~inside), ("catchment_far", inside & ~near)):
        at = at & (problem.supply > 0)
        zh, en = OUTSIDE_ZONES[code]
        if at.any():
            people, count = float(problem.supply[at].sum() / PARTS_PER_PERSON), int(at.sum())
            told.append(Fault(code, "", zh.format(count), en.format(count), severity="noted", people=people, found=group))
    return told


OUTSIDE_ZONES: Final = {
    "catchment_none": (
        "{} 个人口格网不属于任何片区，其居民没有位子可去",
        "{} population cells lie in no catchment; nobody there gets a place",
    ),
    "catchment_far": (
        "{} 个人口格网在限值内到不了本片区的设施",
        "{} population cells do not reach the facility of their catchment within the limit",
    ),
}
"""Why a catchment gives people no place -> (Chinese, English)."""


def by_unit(assignment: Assignment, cells: GeoDataFrame, units: GeoDataFrame) -> pd.DataFrame:
    """Count who is served, who finds no place and who is out of reach, for every unit and in all.

    Returns
    -------
    pandas.DataFrame
        Index ``unit_id``, first ``ALL``, then every unit in the order given, last ``OUTSIDE`` if people live in no unit. Columns
        ``name``, ``level``, ``minutes`` or ``metres``, ``group``, ``people``, ``served``, ``no_place``, ``out_of_reach``,
        ``unjudged`` (people), and each of these four as a share of people, ``share_served`` and so on, NaN where nobody lives.

    Raises
    ------
    ValueError
        If the cells are not those assigned.
    """
    import pandas as pd

    _check_cells(assignment, cells)
    names = ["people", *STATES]
    rows, counted = unit_sums(assignment.cells[names].to_numpy(dtype=float), cells["unit"].to_numpy(), units)
    table = pd.DataFrame(counted, index=pd.Index(rows, name="unit_id"), columns=names)
    labels = units[["name", "level"]].reindex(table.index).fillna("")
    unit = "minutes" if assignment.metric == "time" else "metres"
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = {f"share_{state}": table[state] / table["people"] for state in STATES}
    limit = {unit: assignment.limit / PER[assignment.metric]}
    return pd.DataFrame(labels).assign(**limit, group=assignment.group, **table, **shares)


def links_lines(assignment: Assignment, cells: GeoDataFrame, facilities: GeoDataFrame) -> GeoDataFrame:
    """Draw a straight line from every cell to every facility that takes people from it, for a spider map.

    Returns
    -------
    GeoDataFrame
        The links of the assignment, one row each, with the line as geometry; a facility with several entrances is drawn at their
        middle.

    Raises
    ------
    ValueError
        If the cells are not those assigned, a facility is missing, or the two are in different coordinate systems.
    """
    import geopandas as gpd
    import shapely

    _check_cells(assignment, cells)
    if facilities.crs != cells.crs:
        raise ValueError("facilities and cells are in different coordinate systems; convert one of them with to_crs")
    links = assignment.links
    row = facilities.index.get_indexer(links["facility_id"].to_numpy())
    if (row < 0).any():
        raise ValueError(f"there is no facility {links['facility_id'][row < 0].iloc[0]!r} among those given")
    column = cells.index.get_indexer(links["cell_id"].to_numpy())
    ends = (cells.geometry.iloc[column], facilities.geometry.iloc[row].centroid)
    xy = np.stack([np.column_stack([end.x, end.y]) for end in ends], axis=1)
    return gpd.GeoDataFrame(links.copy(), geometry=shapely.linestrings(xy), crs=cells.crs)


def _check_cells(assignment: Assignment, cells: GeoDataFrame) -> None:
    if not assignment.cells.index.equals(cells.index):
        raise ValueError(f"{len(assignment.cells)} other cells were assigned than the {len(cells)} given; use one cell table")
