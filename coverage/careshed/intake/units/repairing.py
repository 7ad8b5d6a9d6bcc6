"""Mend overlaps and gaps between units on request, so that no land is lost or counted twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import shapely

from careshed.intake.units.outlines import TILING, empty_parts, frames, polygons_in
from careshed.schema import TIERS, Fault, InputError

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

LARGEST_GAP_M2: Final = 100_000.0
"""Ten hectares: a larger gap is a lake, a missing unit or another county's land, and nobody's to give away."""


@dataclass(frozen=True)
class OutlineChange:
    """A piece of land that was given to one unit."""

    kind: str
    """``overlap`` or ``gap``."""
    to: str
    """Code of the unit that has the land now."""
    from_: str
    """Code of the unit that had it too, "" for a gap."""
    area_m2: float


@dataclass(frozen=True)
class RepairedUnits:
    """Units with mended outlines, and every piece of land that changed hands."""

    units: GeoDataFrame
    changes: tuple[OutlineChange, ...]


def repair_units(
    units: GeoDataFrame, *, order: Sequence[str] | None = None, largest_gap_m2: float = LARGEST_GAP_M2
) -> RepairedUnits:
    """Give overlaps to one unit and gaps to the neighbour with the longest shared border; no land is lost.

    Tier by tier. After it the areas of a tier's units add up to the land of their union and the gaps filled. Land outside the
    parent is not cut off, and compounds are left as they are.

    Parameters
    ----------
    order
        Codes of units, those that keep contested land first; the ascending codes if None. Codes not named come last.
    largest_gap_m2
        Larger gaps are left open, square metres.

    Raises
    ------
    careshed.schema.InputError
        If a unit would be left without any land because others before it hold all of it.

    >>> from geopandas import GeoDataFrame
    >>> table = {"level": ["street", "street"], "parent": ["", ""]}
    >>> outlines = [shapely.box(0, 0, 60, 100), shapely.box(50, 0, 110, 100)]
    >>> town = GeoDataFrame(table, index=["a", "b"], geometry=outlines, crs="EPSG:32650")
    >>> repair_units(town).units.area.tolist()
    [6000.0, 5000.0]
    """
    shape = {
        str(code): own
        for code, own in zip(units.index, units.geometry.array, strict=True)
        if own is not None and not own.is_empty
    }
    tier = {str(code): TIERS[str(level)] for code, level in zip(units.index, units["level"], strict=True)}
    parent = {str(code): str(above) for code, above in zip(units.index, units["parent"], strict=True)}
    named = {code: at for at, code in enumerate(order or ())}
    rank = {code: at for at, code in enumerate(sorted(shape, key=lambda code: (named.get(code, len(named)), code)))}
    changes: list[OutlineChange] = []
    faults: list[Fault] = []
    for step in TILING:
        own = sorted((code for code in shape if tier[code] == step), key=rank.__getitem__)
        _separate(shape, own, changes, faults)
        if not faults:
            for frame, children in list(frames(shape, parent, tier, step)):
                _fill(shape, frame, children, largest_gap_m2, changes)
    if faults:
        raise InputError(faults)
    new = [shape.get(str(code)) for code in units.index]
    return RepairedUnits(units.set_geometry(type(units.geometry)(new, index=units.index, crs=units.crs)), tuple(changes))


def _separate(shape: dict[str, shapely.Geometry], codes: list[str], changes: list[OutlineChange], faults: list[Fault]) -> None:
    """Take from each unit what units before it hold."""
    done: list[str] = []
    tree = shapely.STRtree([shape[code] for code in codes])
    place = {code: at for at, code in enumerate(codes)}
    for code in codes:
        near = set(tree.query(shape[code], predicate="intersects").tolist())
        for other in (other for other in done if place[other] in near):
            common = sum(part.area for part in polygons_in(shapely.intersection(shape[code], shape[other])))
            if common <= 0:
                continue
            left = polygons_in(shapely.difference(shape[code], shape[other]))
            if not left:
                zh, en = f"单元 {code} 的土地全部属于 {other}", f"all land of unit {code} belongs to {other}"
                cure = ("请删去其中一个，或改正边界。", "Delete one of the two, or correct the outline.")
                faults.append(Fault("unit_without_land", "units", zh, en, *cure, found=code))
                break
            shape[code] = _areal(left)
            changes.append(OutlineChange("overlap", other, code, float(common)))
        done.append(code)


def _fill(
    shape: dict[str, shapely.Geometry], frame: shapely.Geometry, children: dict[str, shapely.Geometry], largest_m2: float,
    changes: list[OutlineChange],
) -> None:  # fmt: skip
    """Give each gap to the neighbour with the longest shared border."""
    given: dict[str, list[shapely.Polygon]] = {}
    for part, near in empty_parts(frame, children):
        if near and part.area <= largest_m2:
            given.setdefault(near[0], []).append(part)
            changes.append(OutlineChange("gap", near[0], "", float(part.area)))
    for code, parts in given.items():
        shape[code] = _areal(polygons_in(shapely.union_all([shape[code], *parts])))


def _areal(parts: list[shapely.Polygon]) -> shapely.Geometry:
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
