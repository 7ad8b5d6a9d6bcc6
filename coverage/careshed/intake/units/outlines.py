"""Find where the outlines of units overlap, leave gaps or reach beyond their parent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from careshed.schema import TIERS, Fault

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

OutlineKind = Literal["overlap", "gap", "hole", "outside_parent"]
"""Land of two units; land of none between several; land of none within one; land of a unit beyond its parent."""

LEAST_M2: Final = 1.0
"""Smaller differences come from rounded coordinates."""

SLIVER_M: Final = 10.0
"""Land of a mean width below this (twice area by perimeter) is a sliver: two drawings of one border, not a place."""

TILING: Final = (1, 2, 3)
"""Tiers whose units share all land out among them; compounds do not."""

_TOLD: Final[Mapping[OutlineKind, tuple[str, str]]] = {
    "overlap": ("与 {other} 重叠 {area} 平方米", "overlaps {other} by {area} m²"),
    "gap": ("与 {other} 之间有 {area} 平方米不属于任何单元", "leaves {area} m² to no unit, between it and {other}"),
    "hole": ("内部有 {area} 平方米不属于任何单元", "has {area} m² that belong to no unit inside it"),
    "outside_parent": ("有 {area} 平方米在上级单元 {other} 之外", "has {area} m² outside its parent {other}"),
}


@dataclass(frozen=True)
class OutlineFault:
    """A piece of land that two units claim, none does, or one claims beyond its parent."""

    kind: OutlineKind
    tier: int
    units: tuple[str, ...]
    """Codes of the units it touches; for ``outside_parent`` the unit and its parent."""
    area_m2: float
    sliver: bool
    """Whether its mean width is below `SLIVER_M`."""
    people: float
    """People on it, by the centres of the cells; 0 where no cells are given."""
    geometry: shapely.Geometry

    def fault(self, file: str) -> Fault:
        """Tell it as a fault of the units' file; ``people`` counts those who live on the land in question."""
        other = "、".join(self.units[1:4]) or "—"
        sliver = ("（窄条）", " (a sliver)") if self.sliver else ("", "")
        zh, en = (text.format(other=other, area=f"{self.area_m2:,.0f}") for text in _TOLD[self.kind])
        cure = (
            "请在 GIS 中改正边界；窄条可在 [units] 中写 repair = true 修正。",
            "Correct the outline in a GIS; repair = true in [units] mends slivers.",
        )
        found = self.units[0] if self.units else ""
        return Fault(
            f"outline_{self.kind}", file, zh + sliver[0], en + sliver[1], *cure, found=found, severity="noted", people=self.people
        )


def outline_faults(
    units: GeoDataFrame, cells: GeoDataFrame | None = None, *, group: str = "total", least_m2: float = LEAST_M2
) -> list[OutlineFault]:
    """Find overlaps, gaps, holes and land outside the parent, the most people first, then the most land.

    Parameters
    ----------
    units
        The units table; units without a polygon are passed over. Nothing is changed.
    cells
        People on cells (Points) in the same CRS, to count who lives on the land in question.
    least_m2
        Smaller pieces are not told, square metres.

    >>> from geopandas import GeoDataFrame
    >>> table = {"level": ["street", "street"], "parent": ["", ""]}
    >>> outlines = [shapely.box(0, 0, 60, 100), shapely.box(50, 0, 110, 100)]
    >>> town = GeoDataFrame(table, index=["a", "b"], geometry=outlines, crs="EPSG:32650")
    >>> [(found.kind, found.units, found.area_m2) for found in outline_faults(town)]
    [('overlap', ('a', 'b'), 1000.0)]
    """
    shape = {
        str(code): own
        for code, own in zip(units.index, units.geometry.array, strict=True)
        if own is not None and not own.is_empty
    }
    tier = {str(code): TIERS[str(level)] for code, level in zip(units.index, units["level"], strict=True)}
    parent = {str(code): str(above) for code, above in zip(units.index, units["parent"], strict=True)}
    found = [*_overlaps(shape, tier), *_outside(shape, parent, tier)]
    for step in TILING:
        for frame, children in frames(shape, parent, tier, step):
            found += [("hole" if len(near) < 2 else "gap", step, near, part) for part, near in empty_parts(frame, children)]
    told = [(kind, step, near, part) for kind, step, near, part in found if part.area >= least_m2]
    people = _people([part for *_, part in told], cells, group)
    faults = [
        OutlineFault(kind, step, near, float(part.area), is_sliver(part), count, part)
        for (kind, step, near, part), count in zip(told, people, strict=True)
    ]
    return sorted(faults, key=lambda one: (-one.people, -one.area_m2, one.kind, one.units))


_Found = tuple[OutlineKind, int, tuple[str, ...], shapely.Geometry]


def is_sliver(part: shapely.Geometry) -> bool:
    """Tell whether land is narrower than `SLIVER_M` on average.

    >>> is_sliver(shapely.box(0, 0, 5, 1000)), is_sliver(shapely.box(0, 0, 50, 50))
    (True, False)
    """
    return bool(2.0 * part.area < SLIVER_M * part.length)


def polygons_in(geometry: shapely.Geometry) -> list[shapely.Polygon]:
    """List the polygons of any geometry; lines and points are left out.

    >>> len(polygons_in(shapely.GeometryCollection([shapely.box(0, 0, 1, 1), shapely.Point(3, 3)])))
    1
    """
    return [part for part in shapely.get_parts(shapely.get_parts(geometry)) if part.geom_type == "Polygon" and part.area > 0]


def _overlaps(shape: Mapping[str, shapely.Geometry], tier: Mapping[str, int]) -> Iterator[_Found]:
    codes = sorted(shape)
    areas = np.array([shape[code] for code in codes], dtype=object)
    if not codes:
        return
    first, second = shapely.STRtree(areas).query(areas, predicate="intersects")
    for a, b in sorted(zip(first.tolist(), second.tolist(), strict=True)):
        if a < b and tier[codes[a]] == tier[codes[b]]:
            common = polygons_in(shapely.intersection(areas[a], areas[b]))
            if common:
                yield "overlap", tier[codes[a]], (codes[a], codes[b]), shapely.MultiPolygon(common)


def _outside(shape: Mapping[str, shapely.Geometry], parent: Mapping[str, str], tier: Mapping[str, int]) -> Iterator[_Found]:
    for code in sorted(shape):
        above = shape.get(parent[code])
        beyond = polygons_in(shapely.difference(shape[code], above)) if above is not None else []
        if beyond:
            yield "outside_parent", tier[code], (code, parent[code]), shapely.MultiPolygon(beyond)


def frames(
    shape: Mapping[str, shapely.Geometry], parent: Mapping[str, str], tier: Mapping[str, int], step: int
) -> Iterator[tuple[shapely.Geometry, dict[str, shapely.Geometry]]]:
    """Give the land that units of a tier should share out, with these units: their parent's, else all within their rim."""
    groups: dict[str, dict[str, shapely.Geometry]] = {}
    for code in sorted(shape):
        if tier[code] == step:
            held = parent[code] if parent[code] in shape else ""
            groups.setdefault(held, {})[code] = shape[code]
    for above, children in sorted(groups.items()):
        joint = shapely.union_all(list(children.values()))
        rim = shapely.union_all([shapely.Polygon(part.exterior) for part in polygons_in(joint)])
        yield shape.get(above, rim), children


def empty_parts(
    frame: shapely.Geometry, children: Mapping[str, shapely.Geometry]
) -> Iterator[tuple[shapely.Polygon, tuple[str, ...]]]:
    """Give each piece of a frame that no child holds, with the children it touches, the longest shared border first."""
    codes = list(children)
    areas = np.array([children[code] for code in codes], dtype=object)
    tree = shapely.STRtree(areas)
    for part in polygons_in(shapely.difference(frame, shapely.union_all(areas))):
        near = sorted(tree.query(part, predicate="dwithin", distance=_TOUCH_M).tolist())
        border = {codes[at]: _border(part, areas[at]) for at in near}
        yield part, tuple(sorted((code for code in border if border[code] > 0), key=lambda code: (-border[code], code)))


_TOUCH_M: Final = 0.01
"""Borders a centimetre apart are the same border."""


def _border(part: shapely.Polygon, area: shapely.Geometry) -> float:
    """Length of border a piece shares with a unit, metres."""
    return float(shapely.intersection(part.buffer(_TOUCH_M), shapely.boundary(area)).length)


def _people(parts: list[shapely.Geometry], cells: GeoDataFrame | None, group: str) -> list[float]:
    """Count the people whose cell's centre lies on each piece."""
    if cells is None or not parts:
        return [0.0] * len(parts)
    count: NDArray[np.float64] = cells[group].to_numpy(dtype=np.float64)
    part, cell = shapely.STRtree(np.asarray(cells.geometry.array, dtype=object)).query(parts, predicate="intersects")
    return [float(people) for people in np.bincount(part, weights=count[cell], minlength=len(parts))]
