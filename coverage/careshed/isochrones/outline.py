"""Outline where facilities are reached: isochrones facility by facility and merged, and the travel-cost surface."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from careshed.isochrones.field import Field
from careshed.isochrones.lattice import Surface, lattice_of, step_for
from careshed.network import Network
from careshed.reach import Direction, Metric, cost_limit

if TYPE_CHECKING:
    import contourpy
    import pandas as pd
    from geopandas import GeoDataFrame
    from shapely import MultiPolygon


NEAREST: Final = 0.001
"""How near an outline passes to a lattice point exactly at the limit, as a share of a step."""


def level_set(surface: Surface, limit: int) -> MultiPolygon:
    """Outline where the travel cost is within `limit` (≤), holes included.

    Between lattice points the outline runs where the cost, interpolated, meets the limit. Where the cost jumps (the next
    point belongs to another street or to none) it runs half-way: differences beyond one step's leg are cut off before
    interpolating. It never runs through a lattice point, where it could touch itself: it passes at a thousandth of a step.
    """
    import shapely

    most = surface.step_m * surface.per_metre * np.sqrt(2.0)
    rows, columns = _cropped(surface.cost <= limit)
    level = np.clip(surface.cost[rows, columns] - np.float32(limit), np.float32(-most), np.float32(most)).astype(np.float64)
    level = np.where(level <= 0, np.minimum(level, -NEAREST * most), np.maximum(level, NEAREST * most))
    x = surface.x0 + (np.arange(columns.start, columns.stop) + 0.5) * surface.step_m
    y = surface.y1 - (np.arange(rows.start, rows.stop) + 0.5) * surface.step_m
    filled: tuple[Any, ...] = _contours(x, y, level).filled(-2 * most, 0.0)
    outlines, offsets = filled
    polygons = [
        shapely.Polygon(points[cuts[0] : cuts[1]], [points[a:b] for a, b in zip(cuts[1:-1], cuts[2:], strict=True)])
        for points, cuts in zip(outlines, offsets, strict=True)
    ]
    return shapely.multipolygons(np.array(polygons, dtype=object))


def _contours(x: NDArray[np.float64], y: NDArray[np.float64], level: NDArray[np.float64]) -> contourpy.SerialContourGenerator:
    """Make what ``contourpy.contour_generator`` makes, without its search for NaN: an eighth of an isochrone's time."""
    import contourpy

    rows, columns = level.shape
    return contourpy.SerialContourGenerator(
        *np.meshgrid(x, y), level, None,  # type: ignore[arg-type]  # its stub forgets that no mask is None
        x_chunk_size=columns - 1, y_chunk_size=rows - 1, corner_mask=True, quad_as_tri=False,
        line_type=contourpy.LineType.Separate, fill_type=contourpy.FillType.OuterOffset, z_interp=contourpy.ZInterp.Linear,
    )  # fmt: skip


def _cropped(inside: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Rows and columns that hold all points inside, with a rim of one point."""

    def span(axis: int) -> slice:
        at = np.flatnonzero(inside.any(axis=axis))
        return slice(max(0, int(at[0]) - 1), int(at[-1]) + 2) if len(at) else slice(0, 2)

    return span(1), span(0)


def limits_of(minutes: Sequence[float] | None, metres: Sequence[float] | None) -> tuple[Metric, str, list[float], list[int]]:
    """Give the metric, the name and values of the limits ascending, and as integer costs."""
    if (minutes is None) == (metres is None):
        raise ValueError("give the limits either as minutes or as metres")
    if not minutes and not metres:
        raise ValueError("give at least one limit")
    if minutes is not None:
        values = sorted(set(map(float, minutes)))
        return "time", "minutes", values, [cost_limit(minutes=value) for value in values]
    values = sorted(set(map(float, metres or ())))
    return "length", "metres", values, [cost_limit(metres=value) for value in values]


def draw_isochrones(
    network: Network,
    facilities: GeoDataFrame,
    *,
    minutes: Sequence[float] | None = None,
    metres: Sequence[float] | None = None,
    direction: Direction = "to_facility",
    options: int = 1,
    step_m: float | None = None,
) -> GeoDataFrame:
    """Draw the area from which each facility is reached within each limit, facility by facility.

    The polygons are level sets of the travel-cost function by which cells are judged: leg to the nearest street plus the
    cheapest way along the streets, parts of edges included, holes kept. They differ from it by at most a lattice step;
    `certify` measures by how much.

    Parameters
    ----------
    minutes, metres
        Limits (≤), of travel or of street; one of the two.
    step_m
        Lattice step in metres; 5 m up to 1 km of reach and coarser beyond if None.

    Returns
    -------
    GeoDataFrame
        One row a facility and limit, the limits cumulative (15 minutes contain 10); columns ``facility_id``, ``minutes`` or
        ``metres``, ``area_m2``, geometry MultiPolygon. A facility that joins no street has empty polygons.
    """
    metric, name, values, limits = limits_of(minutes, metres)
    field = Field(network, facilities, metric, direction, options)
    lattice = lattice_of(network, step_m or step_for(metres_of(network, metric, limits[-1]), network.snap_m))
    shapes: dict[int, list[MultiPolygon]] = {}
    for row, reach in field.alone(limits[-1]):
        surface = field.paint(lattice, reach)
        shapes[row] = [level_set(surface, limit) for limit in limits]
    return _as_table(facilities.index, range(len(facilities)), shapes, name, values, network.crs)


def merged_isochrones(
    network: Network,
    facilities: GeoDataFrame,
    *,
    minutes: Sequence[float] | None = None,
    metres: Sequence[float] | None = None,
    direction: Direction = "to_facility",
    options: int = 1,
    step_m: float | None = None,
) -> GeoDataFrame:
    """Draw the area from which any facility is reached within each limit: one row a limit; see `draw_isochrones`."""
    import geopandas as gpd
    import shapely

    metric, name, values, limits = limits_of(minutes, metres)
    found = surface(
        network, facilities, minutes=values[-1] if metric == "time" else None, metres=values[-1] if metric == "length" else None,
        direction=direction, options=options, step_m=step_m,
    )  # fmt: skip
    shapes = [shapely.MultiPolygon() if found is None else level_set(found, limit) for limit in limits]
    return gpd.GeoDataFrame({name: values, "area_m2": shapely.area(shapes)}, geometry=shapes, crs=network.crs)


def _as_table(
    index: pd.Index[str], rows: range, shapes: dict[int, list[MultiPolygon]], name: str, values: list[float], crs: str
) -> GeoDataFrame:
    import geopandas as gpd
    import shapely

    empty = [shapely.MultiPolygon()] * len(values)
    flat = [shape for row in rows for shape in shapes.get(row, empty)]
    columns = {"facility_id": np.repeat(index.to_numpy(), len(values)), name: values * len(rows), "area_m2": shapely.area(flat)}
    return gpd.GeoDataFrame(columns, geometry=flat, crs=crs)


def metres_of(network: Network, metric: Metric, limit: int) -> float:
    """How far a limit reaches along the streets, metres."""
    return limit / 1000.0 if metric == "length" else limit / 3600.0 * network.top_speed_kmh


MOST_POINTS: Final = 16_000_000
"""Lattice points of a surface over the whole network; its step grows to keep within them."""


def surface(
    network: Network,
    facilities: GeoDataFrame,
    *,
    minutes: float | None = None,
    metres: float | None = None,
    direction: Direction = "to_facility",
    options: int = 1,
    step_m: float | None = None,
) -> Surface | None:
    """Give the travel cost to the nearest facility on a lattice, up to a limit; None where no facility joins a street."""
    metric: Metric = "time" if metres is None else "length"
    limit = cost_limit(minutes=minutes, metres=metres)
    field = Field(network, facilities, metric, direction, options)
    reach = field.together(limit)
    if reach is None:
        return None
    area = float(np.ptp(network.vertex_x) + 2 * network.snap_m) * float(np.ptp(network.vertex_y) + 2 * network.snap_m)
    step = max(step_for(metres_of(network, metric, limit), network.snap_m), float(np.ceil(np.sqrt(area / MOST_POINTS))))
    return field.paint(lattice_of(network, step_m or step), reach)
