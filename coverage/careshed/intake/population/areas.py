"""Read areas with people: census polygons, grid squares, H3 cells, kept as areas so that they can be spread."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Final

import numpy as np
import pyproj
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray

from careshed.datum import Datum
from careshed.intake.finish import hand_over
from careshed.intake.places import Bounds, Reference, locate, no_coordinates, to_metres
from careshed.intake.population.grids import SQUARE_METRES, Per
from careshed.intake.population.tables import counts_only, people_columns, table_totals
from careshed.intake.tables import SourceTable, read_table, stop
from careshed.intake.values import ids, texts
from careshed.schema import Checked, Fault

_PLACE: Final = ("id", "lon", "lat", "h3")
_H3_NAMES: Final = ("h3", "h3_index", "h3_id", "h3编号", "h3_address", "hex_id", "hex")
_DEGREES: Final = "EPSG:4326"


def read_population_areas(
    path: str | Path,
    *,
    crs_out: str,
    sheet: str | None = None,
    layer: str | None = None,
    columns: Mapping[str, str] | None = None,
    crs: str | None = None,
    datum: Datum | None = None,
    area: Bounds | None = None,
    per: Per = "cell",
) -> Checked[GeoDataFrame]:
    """Read polygons with counts of people, and keep the polygons: townships of a census, squares of a statistical grid.

    Parameters
    ----------
    per
        Whether numbers count the people of the polygon (``"cell"``) or those per square kilometre or hectare of it.

    Returns
    -------
    Checked[GeoDataFrame]
        Index ``cell_id``, the record's position in the file; ``code`` (the record's own id); a float column a group;
        polygons. Areas without people are kept, since they say that nobody lives there.

    Raises
    ------
    careshed.schema.InputError
        With every fault of the file; a geometry that is no area is one.
    """
    table = counts_only(read_table(path, kind="population", sheet=sheet, layer=layer, columns=columns))
    faults = list(table.faults)
    codes = ids(table, faults) if "id" in table.headers else [str(row) for row in table.rows]
    geometry = _areas(table, locate(table, Reference(crs_out, crs, datum, area), faults), faults)
    people = people_columns(table, _PLACE, faults)
    if not any(fault.severity == "error" for fault in faults):
        if per != "cell":
            people = people.mul(ground_m2(geometry, crs_out) / SQUARE_METRES[per], axis=0)
            told = (f"由密度（每 {per}）乘以实地面积得人数", f"people are density (per {per}) times ground")
            faults.append(table.fault("density_converted", told, severity="repaired"))
        faults.extend(table_totals(table, people, int((people > 0).any(axis=1).sum())))
        faults = [fault for fault in faults if fault.code != "empty_cells"]
    frame = GeoDataFrame(people, geometry=geometry, crs=crs_out)
    frame.insert(0, "code", codes)
    return hand_over(frame, faults)


def ground_m2(geometry: NDArray[np.object_], crs: str) -> NDArray[np.float64]:
    """Measure areas on the ellipsoid, square metres, whatever the projection they are drawn in."""
    import geopandas as gpd

    geod = pyproj.CRS(_DEGREES).get_geod()
    lonlat = gpd.GeoSeries(geometry, crs=crs).to_crs(_DEGREES)
    # the sign of a ring's area is its direction: drawn alike, a hole would be added and parts drawn apart would cancel out
    turned = shapely.orient_polygons(np.asarray(lonlat.array, dtype=object))
    return np.array([abs(geod.geometry_area_perimeter(shape)[0]) if geod else np.nan for shape in turned])


def _areas(table: SourceTable, geometry: NDArray[np.object_], faults: list[Fault]) -> NDArray[np.object_]:
    """Check that every record is a sound area."""
    missing = shapely.is_missing(geometry)
    if table.geometry is not None:
        absent = np.flatnonzero(shapely.is_missing(table.geometry) | shapely.is_empty(table.geometry))
        faults.extend(no_coordinates(table, int(at)) for at in absent)
    area = np.isin(shapely.get_type_id(geometry), (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON))
    for at in np.flatnonzero(~missing & ~area):
        cure = ("请使用面图层，或按点表读取。", "Use a layer of polygons, or read it as a table of points.")
        told = ("几何类型应为面", "the geometry must be an area")
        faults.append(table.fault("wrong_geometry", told, cure, at=int(at), found=geometry[at].geom_type))
    for at in np.flatnonzero(area & ~shapely.is_valid(geometry)):
        reason = shapely.is_valid_reason(geometry[at])
        cure = ("请用 GIS 软件修复几何。", "Repair the geometry in a GIS (make valid).")
        faults.append(table.fault("invalid_geometry", ("面自相交", "the area crosses itself"), cure, at=int(at), found=reason))
    return geometry


def read_h3_table(
    path: str | Path,
    *,
    crs_out: str,
    sheet: str | None = None,
    columns: Mapping[str, str] | None = None,
) -> Checked[GeoDataFrame]:
    """Read a table of people by H3 cell, and draw the cells; needs the small package h3.

    The column of cell indexes is the one the study maps to ``h3``, one of the usual names, or the id.

    Returns
    -------
    Checked[GeoDataFrame]
        As `read_population_areas`: index ``cell_id``, ``code`` (the H3 index), a column a group, hexagons.

    Raises
    ------
    careshed.schema.InputError
        If h3 is not installed, an index is none, or a cell stands twice or lies in another that the table has too.
    """
    file = Path(path)
    h3 = _h3(file)
    table = counts_only(read_table(file, kind="population", sheet=sheet, columns=columns))
    faults = list(table.faults)
    name = next((header for header in table.frame.columns if str(header) == "h3" or str(header).lower() in _H3_NAMES), "id")
    if name not in table.frame.columns:
        raise stop(file, "missing_column", ("缺少 H3 编号列", "there is no column of H3 indexes"), _H3_CURE)
    codes = [
        text.lower().removeprefix("0x")
        for text in ([str(value or "").strip() for value in table.frame[name]] if name != "id" else texts(table, "id"))
    ]
    _check_h3(table, str(name), codes, h3, faults)
    people = people_columns(table, _PLACE, faults)
    if not any(fault.severity == "error" for fault in faults):
        faults.extend(fault for fault in table_totals(table, people, len(people)) if fault.code != "empty_cells")
    cells = hand_over(people, faults)
    outlines = [shapely.Polygon([(lon, lat) for lat, lon in h3.cell_to_boundary(code)]) for code in codes]
    degrees = np.array(outlines, dtype=object)
    frame = GeoDataFrame(people, geometry=to_metres(degrees, pyproj.CRS(_DEGREES), Reference(crs_out)), crs=crs_out)
    frame.insert(0, "code", codes)
    return Checked(frame, cells.faults)


_INDEX: Final = re.compile(r"[0-9a-f]{15,16}")
"""How an H3 index is written; a number of 18 digits is one in decimal and too large for the package."""

_H3_CURE: Final = (
    '请在 [population.h3.columns] 下写 h3 = "文件中的列名"。',
    'Map it with h3 = "your header" in [population.h3.columns].',
)


def _h3(file: Path) -> ModuleType:
    try:
        import h3  # type: ignore[import-untyped, unused-ignore]
    except ImportError as error:
        told = ("读取 H3 格网需要 h3 软件包", "H3 cells need the package h3")
        cure = (
            "请运行 pip install h3（约 1 MB；或安装 careshed[h3]），或改用六边形面图层或含经纬度的表。",
            "Install it (pip install h3, or careshed[h3]; 1 MB), or give the hexagons as polygons, or a table with lon and lat.",
        )
        raise stop(file, "h3_not_installed", told, cure) from error
    return h3  # type: ignore[no-any-return]


def _check_h3(table: SourceTable, name: str, codes: list[str], h3: ModuleType, faults: list[Fault]) -> None:
    """Refuse what is no H3 index, and cells that would count people twice."""
    valid = [bool(_INDEX.fullmatch(code)) and bool(h3.is_valid_cell(code)) for code in codes]
    seen: set[str] = set()
    sizes = sorted({h3.get_resolution(code) for code, good in zip(codes, valid, strict=True) if good})
    known = {code for code, good in zip(codes, valid, strict=True) if good}
    for at, (code, good) in enumerate(zip(codes, valid, strict=True)):
        told, cure = ("", ""), ("请删去重复的部分。", "Delete what is counted twice.")
        if not good:
            told, cure = ("不是 H3 编号", "is no H3 index"), ("请填写 15 位十六进制编号。", "Write the 15 hexadecimal digits.")
        elif code in seen:
            told = ("该 H3 格出现多次", "this H3 cell stands more than once")
        elif any(h3.cell_to_parent(code, size) in known for size in sizes if size < h3.get_resolution(code)):
            told = ("该 H3 格位于表中另一格之内，人口会重复计算", "lies in another cell of the table: its people count twice")
        if told[0]:
            faults.append(table.fault("bad_h3", told, cure, at=at, column=name, found=code))
        seen.add(code)
