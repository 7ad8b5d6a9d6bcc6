"""Find candidate sites where no list names any: existing facilities, OSM features, street junctions, a lattice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray

from careshed.intake.facilities import centres
from careshed.intake.osm import Tags, read_osm_features
from careshed.schema import Checked, file_label

if TYPE_CHECKING:
    from careshed.network import Network

Floats = NDArray[np.float64]

OSM_SITES: Final[Tags] = {
    "amenity": ("kindergarten", "childcare", "school", "clinic", "doctors", "community_centre", "social_facility"),
}
"""OSM features that could house care: kindergartens, schools, clinics, community centres."""

OSM_KINDS: Final[dict[str, str]] = {
    "kindergarten": "幼儿园", "childcare": "托育机构", "school": "学校", "clinic": "诊所", "doctors": "诊所",
    "community_centre": "社区用房", "social_facility": "社会福利设施",
}  # fmt: skip
"""Value of the OSM tag -> kind of candidate."""


def candidates_from_facilities(
    facilities: GeoDataFrame, *, types: Sequence[str], services: Sequence[str] = (), statuses: Sequence[str] = ("operating",)
) -> GeoDataFrame:
    """Offer existing facilities for an upgrade, such as 敬老院 to 区域养老服务中心.

    Parameters
    ----------
    facilities
        The facilities table.
    types
        Types that may be upgraded, as the register writes them.
    services
        Ids of the services they could then give; none means any.

    Returns
    -------
    GeoDataFrame
        A candidates table; ``facility`` is the id of what is upgraded, ``places`` and ``area_m2`` are what is there now.

    """
    chosen = facilities[facilities["type"].isin(types) & facilities["status"].isin(statuses)]
    frame = pd.DataFrame(
        {
            "name": chosen["name"],
            "kind": chosen["type"],
            "services": ";".join(services),
            "places": chosen["places"].astype(float),
            "area_m2": chosen["area_m2"].astype(float),
            "cost_yuan": np.nan,
            "unit": chosen["unit"],
            "file": chosen["file"],
            "row": chosen["row"],
            "facility": chosen.index.astype(str),
        }
    )
    frame.index = pd.Index([f"UP-{code}" for code in chosen.index], name="candidate_id", dtype="str")
    return GeoDataFrame(frame, geometry=np.asarray(chosen.geometry.array, dtype=object), crs=facilities.crs)


def candidates_from_osm(
    path: str | Path, *, crs_out: str, tags: Tags = OSM_SITES, services: Sequence[str] = ()
) -> Checked[GeoDataFrame]:
    """Offer kindergartens, schools, clinics and community centres that OSM knows of.

    An area stands for itself by its centre; ``footprint_m2`` is the ground it covers (a school's is its whole yard), which is not
    floor area: ``area_m2`` stays unknown.

    Raises
    ------
    careshed.schema.InputError
        If the file cannot be read or nothing in it has the tags.
    """
    found = read_osm_features(path, tags)
    table = found.table.to_crs(crs_out)
    shapes = np.asarray(table.geometry.array, dtype=object)
    areal = shapely.area(shapes) > 0
    kinds = [OSM_KINDS.get(str(value), str(value)) for value in table["type"]]
    names = [str(name) or f"{kind} {code}" for name, kind, code in zip(table["name"], kinds, table.index, strict=True)]
    frame = _frame(table.index.astype(str).tolist(), names, kinds, services, file_label(path))
    frame["row"] = table.index.astype(str)
    frame["footprint_m2"] = np.where(areal, shapely.area(shapes), np.nan)
    return Checked(GeoDataFrame(frame, geometry=np.where(areal, centres(shapes), shapes), crs=crs_out), found.faults)


def candidates_on_streets(
    network: Network,
    units: GeoDataFrame,
    *,
    every_m: float = 500.0,
    services: Sequence[str] = (),
    existing: GeoDataFrame | None = None,
    away_m: float = 0.0,
) -> GeoDataFrame:
    """Offer a street junction in every square of a lattice, where no list of sites exists: places to look, not buildings.

    Parameters
    ----------
    network
        Streets; junctions cut off from the main network are not offered.
    units
        Only junctions within one of these are offered; all where no unit has a polygon.
    every_m
        Side of the squares, metres; the junction nearest the middle of each is taken (ties: the westernmost, then southernmost).
    existing, away_m
        Places from which a junction must be more than `away_m` metres.

    Returns
    -------
    GeoDataFrame
        A candidates table of kind ``路口``; size and cost are unknown.

    Raises
    ------
    ValueError
        If `every_m` is not positive.
    """
    _positive(every_m)
    main = np.asarray(network.main)[np.asarray(network.component)]
    order = np.lexsort((network.y[main], network.x[main]))
    # to the millimetre: the last digits of a projection must not decide in which square a junction lies
    xy = np.round(np.column_stack([network.x[main], network.y[main]])[order], 3)
    xy = _free(xy, units, existing, away_m)
    square = np.floor(xy / every_m).astype(np.int64)
    off = np.hypot(*((square + 0.5) * every_m - xy).T)
    by_square = np.lexsort((off, square[:, 1], square[:, 0]))
    _, first = np.unique(square[by_square], axis=0, return_index=True)
    return _points(xy[by_square[first]], "ST", "路口", services, str(network.crs), "streets")


def candidates_on_lattice(
    units: GeoDataFrame,
    *,
    every_m: float = 500.0,
    services: Sequence[str] = (),
    existing: GeoDataFrame | None = None,
    away_m: float = 0.0,
) -> GeoDataFrame:
    """Offer the points of a square lattice within the units, where not even streets are known well enough.

    Parameters as in `candidates_on_streets`; the points are the middles of squares whose corners are multiples of `every_m`.

    >>> field = GeoDataFrame({"level": ["village"]}, index=["v"], geometry=[shapely.box(0, 0, 1000, 500)], crs="EPSG:32650")
    >>> [(point.x, point.y) for point in candidates_on_lattice(field, every_m=500).geometry]
    [(250.0, 250.0), (750.0, 250.0)]
    """
    _positive(every_m)
    if units.geometry.isna().all():
        raise ValueError("a lattice needs units with polygons")
    west, south, east, north = units.total_bounds
    x = (np.arange(np.floor(west / every_m), np.ceil(east / every_m)) + 0.5) * every_m
    y = (np.arange(np.floor(south / every_m), np.ceil(north / every_m)) + 0.5) * every_m
    grid = np.column_stack([np.repeat(x, len(y)), np.tile(y, len(x))])
    return _points(_free(grid, units, existing, away_m), "LA", "格点", services, str(units.crs), "lattice")


def _positive(every_m: float) -> None:
    if not 0 < every_m < np.inf:
        raise ValueError(f"every_m must be a positive number of metres, not {every_m}")


def _free(xy: Floats, units: GeoDataFrame, existing: GeoDataFrame | None, away_m: float) -> Floats:
    """Keep the points that lie in a unit, away from what exists."""
    areas = [shape for shape in units.geometry if shape is not None]
    points = shapely.points(xy)
    keep = np.ones(len(xy), dtype=np.bool_)
    if areas:
        inside, _ = shapely.STRtree(areas).query(points, predicate="intersects")
        keep = np.isin(np.arange(len(xy)), inside)
    if existing is not None and len(existing):
        near, _ = shapely.STRtree(np.asarray(existing.geometry.array, dtype=object)).query(
            points, predicate="dwithin", distance=away_m
        )
        keep &= ~np.isin(np.arange(len(xy)), near)
    return xy[keep]


def _points(xy: Floats, stem: str, kind: str, services: Sequence[str], crs: str, file: str) -> GeoDataFrame:
    codes = [f"{stem}-{x:.0f}-{y:.0f}" for x, y in xy]
    frame = _frame(codes, codes, [kind] * len(codes), services, file)
    return GeoDataFrame(frame, geometry=list(shapely.points(xy)), crs=crs)


def _frame(codes: list[str], names: list[str], kinds: list[str], services: Sequence[str], file: str) -> pd.DataFrame:
    """Make a candidates table without geometry, size and cost unknown."""
    unknown = np.full(len(codes), np.nan)
    return pd.DataFrame(
        {
            "name": names,
            "kind": kinds,
            "services": ";".join(services),
            "places": unknown,
            "area_m2": unknown.copy(),
            "cost_yuan": unknown.copy(),
            "unit": "",
            "file": file,
            "row": [str(row) for row in range(1, len(codes) + 1)],
        },
        index=pd.Index(codes, name="candidate_id", dtype="str"),
    )
