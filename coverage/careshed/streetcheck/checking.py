"""Check streets: pieces, gaps, missing footways, edges and tags, each with the people it concerns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from careshed.intake.streets.repairing import Repair, apply_repairs
from careshed.network import Network, attach
from careshed.network.model import Float
from careshed.reach import cost_limit, travel_times
from careshed.schema import Checked, Fault
from careshed.streetcheck.footways import missing_footways
from careshed.streetcheck.gains import Case, Weighed, nearest_costs, weigh_gaps
from careshed.streetcheck.gaps import DETOUR_M, GAP_M, Found, Gap, find_street_gaps, to_degrees
from careshed.streetcheck.margin import HARD_M, margin_report
from careshed.streetcheck.model import Counted, StreetFinding, StreetReport, ranked
from careshed.streetcheck.parts import class_lengths, street_parts

if TYPE_CHECKING:
    import pandas as pd
    import shapely
    from geopandas import GeoDataFrame, GeoSeries

    from careshed.intake.elevation import Elevation
    from careshed.intake.streets import Streets

EXACT: Final = 20
"""Gaps that are joined one by one to count whom it helps; each takes as long as building the network."""

MOST_LINES: Final = 6000
"""Streets drawn in the figure; of a larger network the most prominent classes."""

Words = tuple[str, str]


class _Told(NamedTuple):
    """A finding in words, before it has a place."""

    zh: str
    en: str
    proposal: Words


def check_streets(
    streets: Streets,
    network: Network,
    cells: GeoDataFrame,
    group: str,
    *,
    facilities: GeoDataFrame | None = None,
    minutes: float | None = None,
    metres: float | None = None,
    known: shapely.Geometry | None = None,
    known_m: float = 0.0,
    hard: GeoSeries | None = None,
    hard_m: float = HARD_M,
    barriers: GeoSeries | None = None,
    elevation: Elevation | None = None,
    gap_m: float = GAP_M,
    detour_m: float = DETOUR_M,
    exact: int = EXACT,
    faults: Sequence[Fault] = (),
) -> StreetReport:
    """Find what is likely wrong with the streets, ranked by the people it concerns.

    Streets that are cut off from the rest, with the people who live on them; ends just short of another street, with the people
    whom a link would bring within reach of a facility; roads closed to the mode with people on them and no other street near;
    streets cut at the edge of the data, with the people whose answer could change; tags that could not be read.

    Parameters
    ----------
    network
        Built from `streets` for one mode.
    facilities
        What people want to reach, with the limit in `minutes` or `metres` (≤). Without them gaps are ranked by the people who
        live on the cut-off side, and edges are not judged.
    known, known_m, hard, hard_m
        Ground on which streets and facilities are all known, and its hard borders, see `margin_report`.
    barriers
        Lines or areas that no link may cross, besides water and the barriers of the network.
    elevation
        Heights that `network` was built with.
    gap_m, detour_m
        An end within `gap_m` (≤) of a street that is more than `detour_m` away along the streets is a gap.
    exact
        Gaps, those with the largest bound first, that are joined one at a time and searched anew; the others keep their bound.
    faults
        What was told when the streets were read.

    Raises
    ------
    ValueError
        If the cells have no such group, facilities come without a limit, or the network is not of these streets.
    """
    if group not in cells:
        raise ValueError(f"no people of group {group!r} in the cells")
    people = cells[group].to_numpy(dtype=float)
    joined = attach(network, cells)
    parts = street_parts(streets, network, joined, people)
    found = find_street_gaps(streets, network, within_m=gap_m, detour_m=detour_m, barriers=barriers)
    findings = [*_parts(network, parts), *_footways(streets, network, cells, people), *_tags(faults)]
    covered, weighed = float("nan"), None
    if facilities is not None:
        limit = cost_limit(minutes=minutes, metres=metres)
        metric = "time" if metres is None else "length"
        case = Case(streets, network, facilities, cells, people, metric, limit, elevation)  # type: ignore[arg-type]
        before = nearest_costs(case, network)
        covered = float(people[(before >= 0) & (before <= limit)].sum())
        weighed = weigh_gaps(case, found.gaps, exact=exact)
        findings += _edges(network, case, group, minutes, metres, known, known_m, hard, hard_m)
    findings += _gaps(network, found, weighed, parts)
    return StreetReport(
        findings=ranked(findings),
        classes=class_lengths(streets, network),
        parts=parts,
        group=group,
        people=float(people.sum()),
        within=(0.0, "minutes") if facilities is None else (float(minutes or metres or 0), "metres" if metres else "minutes"),
        covered=covered,
        mode=(network.mode.zh, network.mode.en),
        source=streets.source,
        lines=_drawn(streets, network),
        tried=sum(one.exact for one in weighed or ()),
        over_water=found.crossing,
    )


def repair_streets(streets: Streets, findings: Iterable[StreetFinding]) -> Checked[Streets]:
    """Join the gaps of the findings given, and nothing else; the streets given stay as they are.

    Only findings that come with a link are joined: choose them from a report, or write the list with
    `careshed.intake.streets.repairing.write_repairs`, set ``use`` to yes where it is right, and name it under
    ``[streets] repairs``.
    """
    return apply_repairs(streets, repairs_of(findings, use=True))


def repairs_of(findings: Iterable[StreetFinding], *, use: bool = False) -> tuple[Repair, ...]:
    """List the links that findings propose, with the people they concern; none is in use unless asked."""
    return tuple(
        replace(one.repair, use=use, people=one.people, counted=one.counted) for one in findings if one.repair is not None
    )


def _finding(
    network: Network, kind: str, xy: tuple[float, float], people: float, counted: Counted, told: _Told, **more: object
) -> StreetFinding:
    lon, lat = to_degrees(network.crs, *xy)
    return StreetFinding(
        kind, *xy, float(lon), float(lat), people, counted, told.zh, told.en, *told.proposal, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def _gaps(network: Network, found: Found, weighed: Sequence[Weighed] | None, parts: pd.DataFrame) -> Iterator[StreetFinding]:
    for at, gap in enumerate(found.gaps):
        told = _gap_told(gap, parts)
        middle = ((gap.start.x + gap.end.x) / 2, (gap.start.y + gap.end.y) / 2)
        if weighed is None:
            people = float(parts["people"].iloc[gap.joins[1]]) if gap.joins[0] != gap.joins[1] else 0.0
            yield _finding(network, "gap", middle, people, "living" if people else "", told, repair=gap.repair)
            continue
        one = weighed[at]
        counted: Counted = "gain" if one.exact else "at_most" if one.people else ""
        yield _finding(network, "gap", middle, one.people, counted, told, repair=gap.repair, person_minutes=one.person_minutes)


def _gap_told(gap: Gap, parts: pd.DataFrame) -> _Told:
    street = gap.repair.street
    named = (f"（{street}）", f" ({street})") if street else ("", "")
    if gap.joins[0] != gap.joins[1]:
        people = float(parts["people"].iloc[gap.joins[1]])
        zh = f"两片路网相距 {gap.gap_m:.1f} 米而不相接{named[0]}；较小一片有 {people:,.0f} 人居住"
        en = f"two parts of the network end {gap.gap_m:.1f} m apart{named[1]}; {people:,.0f} people live on the smaller one"
    else:
        zh = f"道路端点距相邻道路 {gap.gap_m:.1f} 米而不相接{named[0]}，沿路绕行超过 {gap.detour_m:.0f} 米"
        en = f"a street ends {gap.gap_m:.1f} m short of the next{named[1]}; the way round is over {gap.detour_m:.0f} m"
    proposal = (
        "对照影像核实；确属画图断开的，在修补清单中将 use 改为 yes",
        "Compare with imagery; if the map is at fault, set use to yes in the list of repairs",
    )
    return _Told(zh, en, proposal)


def _parts(network: Network, parts: pd.DataFrame) -> Iterator[StreetFinding]:
    """Say who lives on streets that do not join the longest part."""
    columns = (parts[name].tolist() for name in ("x", "y", "people", "km", "gated"))
    for x, y, people, km, gated in list(zip(*columns, strict=True))[1:]:
        if people <= 0:
            continue
        gate = ("，入口处有关闭的门或墙", ", closed off by a shut gate or wall") if gated else ("", "")
        zh, en = f"{km:,.2f} 公里道路与其余路网不相接{gate[0]}", f"{km:,.2f} km of street join no other{gate[1]}"
        cure = ("补画连接道路，或在修补清单中连接", "Draw the street that joins it, or join it by the list of repairs")
        if gated:
            cure = ("核实该门对居民是否开放（foot=yes）", "Find out whether residents may pass the gate (foot=yes)")
        yield _finding(network, "piece", (x, y), people, "living", _Told(zh, en, cure))


def _footways(streets: Streets, network: Network, cells: GeoDataFrame, people: Float) -> Iterator[StreetFinding]:
    for one in missing_footways(streets, network, cells, people):
        way = streets.ways.iloc[one.way]
        name = str(way["name"]) or str(way["highway"])
        zh = f"“{name}”（{way['highway']}）不供该方式通行，沿线 {one.cells} 个人口格网附近没有其他道路"
        en = f"{name} ({way['highway']}) is closed to this mode; {one.cells} cells of people beside it have no other street near"
        cure = ("补画人行道，或核对该路的 foot、access 标签", "Draw its footway, or check the tags foot and access of the road")
        yield _finding(network, "footway", (one.x, one.y), one.people, "living", _Told(zh, en, cure))


def _tags(faults: Sequence[Fault]) -> list[StreetFinding]:
    """Hand on what reading told about tags; they concern everybody and nobody in particular."""
    nowhere = float("nan")
    return [
        StreetFinding(
            "tag", nowhere, nowhere, nowhere, nowhere, 0.0, "", f"{one.zh}：{one.found}", f"{one.en}: {one.found}",
            one.cure_zh, one.cure_en,
        )
        for one in faults
        if one.code in ("tag_unread", "unknown_class")
    ]  # fmt: skip


def _edges(
    network: Network,
    case: Case,
    group: str,
    minutes: float | None,
    metres: float | None,
    known: shapely.Geometry | None,
    known_m: float,
    hard: GeoSeries | None,
    hard_m: float,
) -> Iterator[StreetFinding]:
    """Tell at which exits people's answers could change with data from beyond."""
    tiny = {"limit_min": 1 / 60_000} if metres is None else {"limit_m": 0.001}
    times = travel_times(network, case.facilities, case.cells, **tiny)  # type: ignore[arg-type]
    margin = margin_report(
        network, times, case.cells, group=group, minutes=minutes, metres=metres, known=known, known_m=known_m, hard=hard,
        hard_m=hard_m,
    )  # fmt: skip
    counts = np.bincount(
        margin.nearest_exit[margin.could_change], weights=case.people[margin.could_change], minlength=len(margin.exits)
    )
    zh, en = "道路通往数据以外；界外设施可能更近", "a street leads out of the data; a facility beyond could be nearer"
    cure = (
        f"将街道和设施数据外扩 {margin.needed_m / 1000:,.1f} 公里，或以图层给出硬边界",
        f"Read streets and facilities {margin.needed_m / 1000:,.1f} km beyond the edge, or give hard borders as a layer",
    )
    for at in np.flatnonzero(counts > 0).tolist():
        xy = (float(margin.exits.x[at]), float(margin.exits.y[at]))
        yield _finding(network, "edge", xy, float(counts[at]), "could_change", _Told(zh, en, cure))


def _drawn(streets: Streets, network: Network) -> GeoSeries:
    """Pick the streets of the figure: all, or of a large network the most prominent classes that fit."""
    lines = network.edge_lines()
    if len(lines) <= MOST_LINES:
        return lines
    rank = streets.ways["rank"].to_numpy()[network.edge_way]
    order = np.lexsort((-network.edge_m, rank))[:MOST_LINES]
    return lines.iloc[np.sort(order)]
