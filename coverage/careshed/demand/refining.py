"""Refine coarse cells: put their people on the homes or the residential streets inside, so that 300 m can be judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from careshed.demand.ledger import Ledger, groups_in
from careshed.demand.overlay import shared_pieces
from careshed.network import Network
from careshed.schema import Fault
from careshed.settings.demand import STEP_M

if TYPE_CHECKING:
    from geopandas import GeoDataFrame, GeoSeries

Float = NDArray[np.float64]
Int = NDArray[np.int64]

STREET_WEIGHTS: Final[dict[str, float]] = {
    "residential": 1.0,
    "living_street": 1.0,
    "pedestrian": 1.0,
    "unclassified": 0.5,
    "road": 0.5,
    "tertiary": 0.5,
    "secondary": 0.25,
    "primary": 0.25,
    "service": 0.25,
}
"""People along a metre of street, against a residential street: an assumption, printed with the result. Other classes (paths,
steps, links, trunk roads) hold nobody."""


@dataclass(frozen=True)
class Refined:
    """People at the places they were refined to, and what could not be."""

    cells: GeoDataFrame
    """Index ``cell_id`` from 0; groups, ``unit`` where the coarse cells had one; points."""
    source: pd.Series[int]
    """Coarse cell (its ``cell_id``) of each new cell."""
    at_centre: pd.Index[int]
    """Coarse cells that stay at their centre, since nothing to live in or along lies in them."""
    ledger: Ledger
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class _Spots:
    """Places inside coarse cells, and how much of the people each draws."""

    source: Int
    weight: Float
    points: NDArray[np.object_]


def refine_to_buildings(cells: GeoDataFrame, buildings: GeoDataFrame, areas: GeoSeries) -> Refined:
    """Put the people of coarse cells on the homes in them, by floor area; every cell keeps its people.

    A building on the border of cells counts in each with the part of its footprint that lies there.

    Parameters
    ----------
    cells
        People on points or polygons; every numeric column is a group.
    buildings
        Footprints with ``floor_m2`` and ``home`` (`careshed.intake.population.read_buildings`), in the CRS of the cells.
    areas
        The ground of each cell (`cell_areas`, or the polygons themselves), same index.

    Raises
    ------
    ValueError
        If CRS or index differ.
    """
    _check(cells, areas, buildings.crs)
    homes = buildings[buildings["home"].to_numpy(dtype=bool) & (buildings["floor_m2"].to_numpy() > 0)]
    shapes = np.asarray(homes.geometry.array, dtype=object)
    pieces = shared_pieces(np.asarray(areas.array, dtype=object), shapes)
    storeys = homes["floor_m2"].to_numpy() / shapely.area(shapes)
    spots = _Spots(pieces.source, pieces.area_m2 * storeys[pieces.target], shapely.point_on_surface(pieces.geometry))
    words = ("按建筑面积细分到住宅", "refined to homes by floor area")
    return _refined(cells, areas, spots, words, ("住宅建筑", "homes"), ())


def refine_to_streets(
    cells: GeoDataFrame,
    streets: Network | GeoDataFrame,
    areas: GeoSeries,
    *,
    ways: pd.DataFrame | None = None,
    step_m: float = STEP_M,
    weights: Mapping[str, float] = STREET_WEIGHTS,
) -> Refined:
    """Put the people of coarse cells along the residential streets in them; every cell keeps its people.

    Each point stands for at most `step_m` metres of street within one cell and draws people by that length times the weight of
    the street's class.

    Parameters
    ----------
    streets
        A network, or lines with ``highway`` (``Streets.lines``); without classes every street weighs the same.
    areas
        The ground of each cell, same index.
    ways
        ``Streets.ways``, so that the edges of a network know their class.
    weights
        Class of street -> weight of a metre; a class that is not listed holds nobody.

    Raises
    ------
    ValueError
        If CRS or index differ, or `step_m` is not above 0.

    >>> import geopandas as gpd
    >>> from shapely.geometry import LineString, box
    >>> cells = gpd.GeoDataFrame({"total": [9.0]}, geometry=gpd.points_from_xy([500], [500]), crs="EPSG:32651")
    >>> lines = gpd.GeoDataFrame({"highway": ["residential"]}, geometry=[LineString([(0, 10), (90, 10)])], crs="EPSG:32651")
    >>> fine = refine_to_streets(cells, lines, gpd.GeoSeries([box(0, 0, 1000, 1000)], crs="EPSG:32651"), step_m=30)
    >>> fine.cells["total"].tolist(), fine.cells.geometry.x.tolist()
    ([3.0, 3.0, 3.0], [15.0, 45.0, 75.0])
    """
    if not step_m > 0:
        raise ValueError(f"step_m must be above 0 metres, not {step_m}")
    lines, weight, classes = _weighted_lines(streets, ways, weights)
    _check(cells, areas, lines.crs)
    spots = _street_spots(np.asarray(areas.array, dtype=object), np.asarray(lines.array, dtype=object), weight, step_m)
    words = ("按街道长度细分到居住街道", "refined along residential streets")
    return _refined(cells, areas, spots, words, ("居住街道", "residential streets"), _assumed(classes, step_m))


def _check(cells: GeoDataFrame, areas: GeoSeries, crs: object) -> None:
    if cells.crs is None or cells.crs != areas.crs or cells.crs != crs:
        raise ValueError(
            f"cells are in {cells.crs}, their areas in {areas.crs}, the rest in {crs}; convert them with to_crs first"
        )
    if not cells.index.equals(areas.index):
        raise ValueError("areas must be those of the cells, in their order")


def _weighted_lines(
    streets: Network | GeoDataFrame, ways: pd.DataFrame | None, weights: Mapping[str, float]
) -> tuple[GeoSeries, Float, Mapping[str, float] | None]:
    """Give lines, the weight of a metre of each, and the weights by class if classes are known. Nobody lives in a tunnel."""
    if isinstance(streets, Network):
        lines = streets.edge_lines()
        table = None if ways is None else ways.iloc[streets.edge_way]
    else:
        lines = streets.geometry
        table = streets if "highway" in streets.columns else None
    if table is None:
        return lines, np.ones(len(lines)), None
    weight = np.array([weights.get(str(kind), 0.0) for kind in table["highway"]], dtype=np.float64)
    for name in ("bridge", "tunnel"):
        if name in table.columns:
            weight[table[name].to_numpy(dtype=bool)] = 0.0
    return lines, weight, weights


def _street_spots(areas: NDArray[np.object_], lines: NDArray[np.object_], weight: Float, step_m: float) -> _Spots:
    """Cut streets at the cells' borders and set points along them, each in the middle of its length of street."""
    held = np.flatnonzero((weight > 0) & ~shapely.is_empty(lines))
    line, source = shapely.STRtree(areas).query(lines[held], predicate="intersects")
    order = np.lexsort((line, source))
    source, line = source[order].astype(np.int64), held[line[order]]
    parts, of = shapely.get_parts(shapely.intersection(lines[line], areas[source]), return_index=True)
    length = shapely.length(parts)
    some = length > 0
    parts, of, length = parts[some], of[some], length[some]
    count = np.maximum(1, np.ceil(length / step_m - 1e-9)).astype(np.int64)
    piece = np.repeat(np.arange(len(parts)), count)
    place = np.arange(len(piece)) - np.repeat(np.cumsum(count) - count, count)
    share = (place + 0.5) / count[piece]
    points = shapely.line_interpolate_point(parts[piece], share, normalized=True)
    each = length / count * weight[line[of]]
    return _Spots(source[of][piece], each[piece], np.asarray(points, dtype=object))


def _refined(
    cells: GeoDataFrame,
    areas: GeoSeries,
    spots: _Spots,
    words: tuple[str, str],
    onto: tuple[str, str],
    noted: tuple[Fault, ...],
) -> Refined:
    """Share the people of every cell out over its spots; a cell without any stays at its centre."""
    import geopandas as gpd

    groups = groups_in(cells)
    people = cells[groups].to_numpy(dtype=np.float64)
    drawn = np.bincount(spots.source, weights=spots.weight, minlength=len(cells))
    empty = drawn <= 0
    used = ~empty[spots.source] & (people[spots.source] > 0).any(axis=1) & (spots.weight > 0)
    alone = np.flatnonzero(empty | ~(people > 0).any(axis=1))
    source = np.concatenate([spots.source[used], alone])
    share = np.concatenate([spots.weight[used] / drawn[spots.source[used]], np.ones(len(alone))])
    points = np.concatenate([spots.points[used], _centres(cells, areas)[alone]])
    order = np.argsort(source, kind="stable")
    source, share, points = source[order], share[order], points[order]
    index = pd.RangeIndex(len(source), name="cell_id")
    table = pd.DataFrame(people[source] * share[:, None], columns=groups, index=index)
    if "unit" in cells:
        table["unit"] = cells["unit"].to_numpy()[source]
    left = cells.index[empty & (people > 0).any(axis=1)]
    made = gpd.GeoDataFrame(table, geometry=points, crs=cells.crs)
    ledger = Ledger().add(words, cells, made, keeps=groups)
    told = (*noted, *_at_centre(cells.loc[left], groups, onto))
    return Refined(made, pd.Series(cells.index.to_numpy()[source], index=index, name="source"), left, ledger, told)


def _centres(cells: GeoDataFrame, areas: GeoSeries) -> NDArray[np.object_]:
    """Give each cell its own point, or a point within its polygon."""
    own = np.asarray(cells.geometry.array, dtype=object)
    points = shapely.get_type_id(own) == shapely.GeometryType.POINT
    return np.asarray(np.where(points, own, shapely.point_on_surface(np.asarray(areas.array, dtype=object))), dtype=object)


def _at_centre(left: pd.DataFrame, groups: list[str], onto: tuple[str, str]) -> list[Fault]:
    if left.empty:
        return []
    group = "total" if "total" in groups else groups[0]
    people = float(left[group].sum())
    zh = f"{len(left)} 个单元格内没有{onto[0]}，其 {people:,.1f} 人（{group}）仍计在中心点"
    en = f"{len(left)} cell(s) hold no {onto[1]}; their {people:,.1f} people ({group}) stay at the centre"
    return [Fault("left_at_centre", "", zh, en, severity="noted", people=people)]


def _assumed(weights: Mapping[str, float] | None, step_m: float) -> tuple[Fault, ...]:
    """Say by what assumption people were put along streets."""
    if weights is None:
        told = (
            f"各街道权重相同，每点至多代表 {step_m:g} 米",
            f"all streets weigh the same; a point stands for at most {step_m:g} m",
        )
    else:
        listed = ", ".join(f"{name} {value:g}" for name, value in weights.items() if value > 0)
        told = (
            f"假设：每米街道的人数权重为 {listed}；每点至多代表 {step_m:g} 米",
            f"assumption: people a metre of street weigh {listed}; a point stands for at most {step_m:g} m",
        )
    return (Fault("street_weights", "", *told, severity="noted"),)
