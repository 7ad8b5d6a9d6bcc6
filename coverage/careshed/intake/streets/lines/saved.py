"""Read what streets saved as a layer hold beside their lines: nodes, what stands at them, barriers, gates and water."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from careshed.intake.sources import SourceTable, as_text
from careshed.intake.streets.barriers import KINDS, Barriers, no_barriers
from careshed.intake.streets.model import Streets
from careshed.schema import Fault

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

NODE_IDS: Final = "node_ids"
"""Column of the nodes of a line's vertices, ids parted by spaces; it marks a layer that `save_lines` wrote."""

NODE_BITS: Final = "node_bits"
"""Column of what each vertex does to traffic, see `careshed.intake.streets.driving.node_bits`; blank where none does anything."""

TAG_COLUMNS: Final = (
    "foot:forward", "foot:backward", "oneway:foot", "bicycle", "oneway:bicycle", "motorcar", "incline", "wheelchair", "kerb",
    "footway", "crossing",
)  # fmt: skip
"""Columns that are read as the tags of their name, as layers exported from OSM have them."""


class Known(NamedTuple):
    """The nodes that a layer names itself."""

    fresh: NDArray[np.bool_]
    """Lines whose nodes are not named: they were drawn or bent since, shape (lines,)."""
    node: NDArray[np.int64]
    """Position in `ids` of each vertex, −1 on fresh lines, shape (vertices,)."""
    ids: NDArray[np.int64]
    bits: NDArray[np.uint8]
    """What each of the nodes does to traffic."""


def known_nodes(table: SourceTable, shapes: NDArray[np.object_], row: NDArray[np.int64], faults: list[Fault]) -> Known | None:
    """Read which node every vertex is, None where the layer has no such column; what does not fit its line counts as new."""
    if NODE_IDS not in table.frame.columns:
        return None
    named = [as_text(value).split() for value in table.frame[NODE_IDS]]
    marks = (
        [as_text(value).split() for value in table.frame[NODE_BITS]] if NODE_BITS in table.frame.columns else [[]] * len(named)
    )
    counts = shapely.get_num_coordinates(shapes)
    fresh = np.ones(len(shapes), dtype=bool)
    ids = np.zeros(int(counts.sum()), dtype=np.int64)
    bits = np.zeros(len(ids), dtype=np.uint8)
    for line, (at, start, count) in enumerate(
        zip(row.tolist(), (np.cumsum(counts) - counts).tolist(), counts.tolist(), strict=True)
    ):
        try:
            here = [int(text) for text in named[at]]
            there = [int(text) for text in marks[at]] or [0] * count
        except ValueError:
            continue
        if len(here) == len(there) == count and max(there) < 256:
            fresh[line], ids[start : start + count], bits[start : start + count] = False, here, there
    _tell_new(table, row[fresh], faults)
    kept = ~np.repeat(fresh, counts)
    unique, first, which = np.unique(ids[kept], return_index=True, return_inverse=True)
    node = np.full(len(ids), -1, dtype=np.int64)
    node[kept] = which.reshape(-1)
    return Known(fresh, node, unique, bits[kept][first])


def _tell_new(table: SourceTable, rows: NDArray[np.int64], faults: list[Fault]) -> None:
    if len(rows):
        listed = ", ".join(str(table.rows[at]) for at in rows[:12]) + (" …" if len(rows) > 12 else "")
        told = (
            f"{len(rows)} 条线没有与折点数相符的 {NODE_IDS}，按新画的线连接",
            f"{NODE_IDS} of {len(rows)} lines is missing or does not fit their vertices: they are joined as lines drawn anew",
        )
        faults.append(table.fault("lines_redrawn", told, found=listed, severity="noted"))


def with_saved_ground(streets: Streets, path: Path) -> Streets:
    """Add the barriers, gates and water that the file holds in layers of its own."""
    import geopandas as gpd
    import pyogrio

    if path.suffix.lower() != ".gpkg":
        return streets
    there = {str(name) for name in pyogrio.list_layers(path)[:, 0]}
    held = {name: gpd.read_file(path, layer=name).to_crs("EPSG:4326") for name in ("barriers", "gates", "water") if name in there}
    if "barriers" in held or "gates" in held:
        streets = replace(streets, barriers=_barriers(held.get("barriers"), held.get("gates")))
    return _with_water(streets, held["water"]) if "water" in held else streets


def _barriers(lines: GeoDataFrame | None, gates: GeoDataFrame | None) -> Barriers:
    found = no_barriers()
    if lines is not None:
        parts, row = shapely.get_parts(np.asarray(lines.geometry.array, dtype=object), return_index=True)
        xy, line = shapely.get_coordinates(parts, return_index=True)
        kinds = np.array([KINDS.index(kind) for kind in lines["type"]], dtype=np.uint8)
        ptr = np.searchsorted(line, np.arange(len(parts) + 1)).astype(np.int64)
        found = replace(found, lon=xy[:, 0], lat=xy[:, 1], ptr=ptr, kind=kinds[row])
    if gates is not None:
        at = np.asarray(gates.geometry.array, dtype=object)
        within, own = gates["within_m"].to_numpy(dtype=np.float64), gates["own"].to_numpy(dtype=bool)
        found = replace(found, gate_lon=shapely.get_x(at), gate_lat=shapely.get_y(at), gate_m=within, gate_own=own)
    return found


def _with_water(streets: Streets, water: GeoDataFrame) -> Streets:
    areas = [one for one in shapely.get_parts(np.asarray(water.geometry.array, dtype=object)) if one.geom_type == "Polygon"]
    outlines = tuple(_corners(area.exterior) for area in areas)
    islands = tuple((at, _corners(ring)) for at, area in enumerate(areas) for ring in area.interiors)
    return replace(streets, water=outlines, islands=islands)


def _corners(ring: shapely.LinearRing) -> tuple[tuple[float, float], ...]:
    return tuple((float(lon), float(lat)) for lon, lat in shapely.get_coordinates(ring).tolist())
