"""Spread people of areas over other areas by the exact share of ground they share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from careshed.demand.ledger import Ledger, groups_in
from careshed.schema import Fault, Grid, Population

if TYPE_CHECKING:
    from geopandas import GeoDataFrame, GeoSeries

Float = NDArray[np.float64]
Int = NDArray[np.int64]

OVERLAP: Final = 1e-6
"""Share of an area that targets may cover twice before they are refused: slivers of digitising count nobody."""

PAIR_OVERLAP: Final = 1e-3
"""Share of the smaller of two targets that the other may cover: an overlap that no area fills shows only here."""


@dataclass(frozen=True)
class Spread:
    """People of areas brought to other areas, and those whom no target holds."""

    table: GeoDataFrame
    """The targets in their order with a column a group."""
    rest: pd.DataFrame
    """People of each source that lie in no target; index of the sources."""
    ledger: Ledger
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class Pieces:
    """What sources and targets have in common."""

    source: Int
    """Position of the source of each piece, ascending."""
    target: Int
    geometry: NDArray[np.object_]
    area_m2: Float


def shared_pieces(sources: NDArray[np.object_], targets: NDArray[np.object_]) -> Pieces:
    """Cut every source by every target that it meets, exactly; ordered by source, then target."""
    target, source = shapely.STRtree(sources).query(targets, predicate="intersects")
    order = np.lexsort((target, source))
    source, target = source[order], target[order]
    shapely.prepare(targets)
    inside = shapely.covers(targets[target], sources[source])
    pieces = np.array(sources[source], dtype=object)
    pieces[~inside] = shapely.intersection(sources[source[~inside]], targets[target[~inside]])
    area = shapely.area(pieces)
    some = area > 0
    return Pieces(source[some].astype(np.int64), target[some].astype(np.int64), pieces[some], area[some])


def spread_areas(areas: GeoDataFrame, onto: GeoDataFrame) -> Spread:
    """Spread people of areas (a statistical grid, census zones) over others (neighbourhoods, squares), evenly by ground.

    Of the people of an area, the share of its ground that a target holds counts there. People whom no target holds are not
    moved: they are told as `Spread.rest`, so that targets and rest add up to everybody.

    Parameters
    ----------
    areas
        Polygons with people; every numeric column is a group.
    onto
        Polygons that do not overlap, in the same projected CRS. Areas are measured in it: use one that distorts little or keeps
        areas.

    Raises
    ------
    ValueError
        If the CRS differ, an area has no ground, or targets overlap, so that people would count twice.

    >>> import geopandas as gpd
    >>> from shapely.geometry import box
    >>> wide = gpd.GeoDataFrame({"total": [90.0]}, geometry=[box(0, 0, 3, 1)], crs="EPSG:3035")
    >>> two = gpd.GeoDataFrame(geometry=[box(0, 0, 1, 1), box(1, 0, 2, 1)], crs="EPSG:3035")
    >>> spread = spread_areas(wide, two)
    >>> spread.table["total"].tolist(), spread.rest["total"].round(6).tolist()
    ([30.0, 30.0], [30.0])
    """
    if areas.crs is None or areas.crs != onto.crs:
        raise ValueError(f"areas are in {areas.crs}, targets in {onto.crs}; convert them with to_crs first")
    spread = _spread(areas, onto)
    _no_pairs(onto)
    return spread


def _spread(areas: GeoDataFrame, onto: GeoDataFrame) -> Spread:
    """Spread people over targets of which no two overlap."""
    sources = np.asarray(areas.geometry.array, dtype=object)
    ground = shapely.area(sources)
    if not (ground > 0).all():
        raise ValueError(f"{int((~(ground > 0)).sum())} area(s) have no ground to spread people over")
    groups = groups_in(areas)
    people = np.asarray(areas[groups].to_numpy(), dtype=np.float64)
    pieces = shared_pieces(sources, np.asarray(onto.geometry.array, dtype=object))
    share = pieces.area_m2 / ground[pieces.source]
    held = np.bincount(pieces.source, weights=share, minlength=len(areas)).astype(np.float64)
    _no_overlap(areas, held)
    share /= np.maximum(1.0, held)[pieces.source]
    moved = people[pieces.source] * share[:, None]
    landed = np.stack([np.bincount(pieces.target, weights=each, minlength=len(onto)) for each in moved.T], axis=1)
    left = people * np.clip(1.0 - held, 0.0, None)[:, None]
    table = onto.drop(columns=[name for name in groups if name in onto.columns])
    table = table.assign(**{group: landed[:, at] for at, group in enumerate(groups)})
    rest = pd.DataFrame(left, columns=groups, index=areas.index)
    both = pd.concat([pd.DataFrame(table[groups]), rest])
    words = ("按面积分摊（含未落入者）", "spread by ground, with those in no target")
    ledger = Ledger().add(words, areas[groups], both, keeps=groups)
    return Spread(table, rest, ledger, tuple(_rest_noted(rest, people, held)))


def _no_pairs(onto: GeoDataFrame) -> None:
    """Refuse two targets that claim the same ground, whether or not an area is filled by it."""
    targets = np.asarray(onto.geometry.array, dtype=object)
    one, other = shapely.STRtree(targets).query(targets, predicate="intersects")
    one, other = one[one < other], other[one < other]
    ground = shapely.area(targets)
    shared = shapely.area(shapely.intersection(targets[one], targets[other]))
    twice = np.flatnonzero(shared > PAIR_OVERLAP * np.minimum(ground[one], ground[other]))
    if len(twice):
        pairs = ", ".join(f"{onto.index[one[at]]} and {onto.index[other[at]]}" for at in twice[:5])
        raise ValueError(f"targets overlap, so that people would count twice: {pairs}")


def _no_overlap(areas: GeoDataFrame, held: Float) -> None:
    twice = np.flatnonzero(held > 1 + OVERLAP)
    if len(twice):
        named = ", ".join(str(areas.index[at]) for at in twice[:5])
        raise ValueError(f"targets overlap: they hold {held[twice].max():.4f} times the ground of area(s) {named}")


def _rest_noted(rest: pd.DataFrame, people: Float, held: Float) -> list[Fault]:
    faults = []
    for at, group in enumerate(rest.columns):
        left, whole = float(rest[group].sum()), float(people[:, at].sum())
        if left > OVERLAP * max(1.0, whole):
            count = int(((held < 1 - OVERLAP) & (people[:, at] > 0)).sum())
            zh = f"{group}：{left:,.1f} 人（{left / whole:.2%}，涉及 {count} 个面）落在目标面之外，单独列出"
            en = f"{group}: {left:,.1f} people ({left / whole:.2%}, of {count} area(s)) lie in no target and are listed apart"
            faults.append(Fault("people_in_no_target", "", zh, en, severity="noted", people=left))
    return faults


def square_grid(areas: GeoDataFrame, size_m: float) -> tuple[GeoDataFrame, Grid]:
    """Lay squares over areas, on whole multiples of their size; only squares that meet an area.

    Returns
    -------
    tuple
        Squares with ``row`` and ``col``, index ``cell_id`` counted row by row from the north-west; and their grid.
    """
    import geopandas as gpd

    west, south, east, north = areas.total_bounds
    left, top = np.floor(west / size_m) * size_m, np.ceil(north / size_m) * size_m
    shape = (max(1, int(np.ceil((top - south) / size_m))), max(1, int(np.ceil((east - left) / size_m))))
    row, column = np.divmod(np.arange(shape[0] * shape[1]), shape[1])
    squares = shapely.box(left + column * size_m, top - (row + 1) * size_m, left + (column + 1) * size_m, top - row * size_m)
    met = np.unique(shapely.STRtree(squares).query(np.asarray(areas.geometry.array, dtype=object), predicate="intersects")[1])
    table = pd.DataFrame({"row": row[met], "col": column[met]}, index=pd.Index(met, name="cell_id", dtype="int64"))
    grid = Grid(areas.crs.to_wkt(), (float(size_m), 0.0, float(left), 0.0, -float(size_m), float(top)), shape)
    return gpd.GeoDataFrame(table, geometry=squares[met], crs=areas.crs), grid


def spread_to_grid(areas: GeoDataFrame, size_m: float) -> tuple[Population, Spread]:
    """Spread people of areas over squares of a size, so that they can be judged like a population grid.

    Returns
    -------
    tuple
        The population: one point in the middle of every square with people; and the spread with its account.
    """
    squares, grid = square_grid(areas, size_m)
    spread = _spread(areas, squares)
    groups = groups_in(areas)
    filled = spread.table[(spread.table[groups] > 0).any(axis=1)]
    cells = filled.set_geometry(filled.geometry.centroid)[[*groups, "row", "col", "geometry"]]
    return Population(cells, grid), spread


def cell_areas(cells: GeoDataFrame, *, grid: Grid | None = None, size_m: float | None = None) -> GeoSeries:
    """Draw the ground that each cell stands for: its pixel of the grid, or a square about its centre.

    Raises
    ------
    ValueError
        Unless exactly one of `grid` and `size_m` is given.
    """
    import geopandas as gpd
    import pyproj

    if (grid is None) == (size_m is None):
        raise ValueError("give exactly one: the grid the cells were read from, or the size of their squares in metres")
    if grid is None:
        x, y, half = cells.geometry.x.to_numpy(), cells.geometry.y.to_numpy(), float(size_m or 0) / 2
        return gpd.GeoSeries(shapely.box(x - half, y - half, x + half, y + half), index=cells.index, crs=cells.crs)
    a, b, c, d, e, f = grid.transform
    column = cells["col"].to_numpy(dtype=float)[:, None] + np.array([0.0, 1.0, 1.0, 0.0])
    row = cells["row"].to_numpy(dtype=float)[:, None] + np.array([0.0, 0.0, 1.0, 1.0])
    convert = pyproj.Transformer.from_crs(grid.crs, cells.crs, always_xy=True)
    x, y = convert.transform(a * column + b * row + c, d * column + e * row + f)
    return gpd.GeoSeries(shapely.polygons(np.stack([x, y], axis=-1)), index=cells.index, crs=cells.crs)


def pixels_of(points: GeoSeries, grid: Grid) -> tuple[Int, Int]:
    """Find the row and column of the grid in which each point lies; beyond the raster they count on.

    >>> import geopandas as gpd
    >>> grid = Grid("EPSG:32651", (100.0, 0.0, 0.0, 0.0, -100.0, 1000.0), (10, 10))
    >>> row, column = pixels_of(gpd.GeoSeries.from_xy([250.0], [990.0], crs="EPSG:32651"), grid)
    >>> row.tolist(), column.tolist()
    ([0], [2])
    """
    import pyproj

    a, b, c, d, e, f = grid.transform
    convert = pyproj.Transformer.from_crs(points.crs, grid.crs, always_xy=True)
    x, y = convert.transform(points.x.to_numpy(), points.y.to_numpy())
    whole = a * e - b * d
    column, row = (e * (x - c) - b * (y - f)) / whole, (a * (y - f) - d * (x - c)) / whole
    return np.floor(row).astype(np.int64), np.floor(column).astype(np.int64)
