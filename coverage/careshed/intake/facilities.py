"""Read registers of facilities: where they are, what they are, whether they run, how many places they have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray

from careshed.datum import Datum
from careshed.intake.columns import plain
from careshed.intake.finish import CLOSED, check_columns, hand_over, without_bad_rows
from careshed.intake.osm import Tags, osm_table
from careshed.intake.places import Bounds, Reference, locate, no_coordinates
from careshed.intake.sources import SourceTable, as_text
from careshed.intake.tables import read_table
from careshed.intake.values import codes, ids, names, numbers, texts, words, years
from careshed.schema import Checked, Fault

STATUS_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "operating": (
        "运营", "运营中", "在营", "正在运营", "正常运营", "已运营", "营业", "开业", "投用", "已投用", "试运营", "试运行", "正常",
        "在用", "已开业", "正常营业", "营业中", "开放", "存续", "已建成投用", "operating", "active", "open",
    ),
    "building": (
        "开工", "在建", "建设中", "施工中", "已开工", "改造中", "装修中", "改扩建中", "筹建中", "under construction",
        "construction", "building",
    ),
    "reserve": (
        "储备", "规划", "拟建", "待建", "储备项目", "谋划", "规划中", "未开工", "待开工", "前期", "筹备", "in reserve", "planned",
        "proposed", "reserve",
    ),
}  # fmt: skip
"""Our status -> words of the registers."""

_CLOSED_WORDS: Final = (
    "停业", "关闭", "已关闭", "撤销", "已撤销", "停办", "注销", "已停业", "已注销", "停用", "歇业", "关停", "暂停", "暂停营业",
    "暂停运营", "拆除", "已拆除", "closed",
)  # fmt: skip


def read_facilities(
    path: str | Path,
    *,
    crs_out: str,
    sheet: str | None = None,
    layer: str | None = None,
    columns: Mapping[str, str] | None = None,
    crs: str | None = None,
    datum: Datum | None = None,
    type: str | None = None,
    area: Bounds | None = None,
    swapped: bool = False,
    tags: Tags | None = None,
    leave_out: bool = False,
) -> Checked[GeoDataFrame]:
    """Read one register of facilities; every row comes back, is reported as left out, or is an error.

    Parameters
    ----------
    crs_out
        The study's projected CRS, metres.
    columns
        Our name -> header in the file, where the usual names are not used.
    crs, datum
        What the coordinates mean; `crs` is needed for plain tables, layers state their own.
    type
        Facility type of all rows, where the table has no type column.
    area
        Bounds of the study area, degrees WGS-84; a facility more than 10 km outside is an error.
    swapped
        True where the file has latitude (or northing) first, so that the two are exchanged on request.
    tags
        For an ``.osm.pbf`` or ``.osm`` file: key -> values of the features that are facilities; its keys are the headers.
    leave_out
        True to leave out rows in error, each told, instead of refusing the file.

    Returns
    -------
    Checked[GeoDataFrame]
        The facilities table of docs/architecture.md.

    Raises
    ------
    careshed.schema.InputError
        With every fault of the file.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "elders.csv"
    >>> _ = file.write_text("编号,名称,类型,经度,纬度,床位数\\nA1,青松站,养老服务站,121.5,31.2,30\\n", encoding="utf-8")
    >>> read_facilities(file, crs_out="EPSG:32651", crs="EPSG:4326", datum="WGS-84").table["places"].tolist()
    [30.0]
    """
    if tags is None:
        table = read_table(path, kind="facilities", sheet=sheet, layer=layer, columns=columns)
    else:
        table = osm_table(path, tags, kind="facilities", columns=columns)
    faults = list(table.faults)
    geometry = point_geometry(table, Reference(crs_out, crs, datum, area, swapped), faults)
    frame = _columns(table, type, faults)
    faults.extend(check_columns(frame, table))
    facilities = _without_closed(GeoDataFrame(frame, geometry=geometry, crs=crs_out), table, faults)
    if leave_out:
        facilities, faults = without_bad_rows(facilities, faults)
    return hand_over(facilities, faults)


def point_geometry(table: SourceTable, reference: Reference, faults: list[Fault]) -> NDArray[np.object_]:
    """Locate records that must be points: entrances stay together, an area counts by a point within it."""
    geometry = locate(table, reference, faults)
    if table.geometry is not None:
        absent = np.flatnonzero(shapely.is_missing(table.geometry) | shapely.is_empty(table.geometry))
        faults.extend(no_coordinates(table, int(at)) for at in absent)
    kinds = shapely.get_type_id(geometry)
    areas = np.isin(kinds, (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON))
    lines = ~areas & ~np.isin(kinds, (shapely.GeometryType.POINT, shapely.GeometryType.MULTIPOINT, shapely.GeometryType.MISSING))
    for at in np.flatnonzero(lines):
        told = ("几何类型应为点或面", "the geometry must be a point or an area")
        cure = ("请改用点图层。", "Use a layer of points.")
        faults.append(table.fault("wrong_geometry", told, cure, at=int(at), found=geometry[at].geom_type))
    if areas.any():
        told = (f"{int(areas.sum())} 个面以其中心点代表", f"{int(areas.sum())} area(s) stand for themselves by their centre")
        faults.append(table.fault("area_as_point", told, severity="repaired"))
    return np.where(areas, centres(geometry), geometry)


def centres(geometry: NDArray[np.object_]) -> NDArray[np.object_]:
    """Give the centroid of each geometry where it lies inside, else a point that does."""
    middle = shapely.centroid(geometry)
    inside = shapely.covers(geometry, middle)
    return np.asarray(np.where(inside, middle, shapely.point_on_surface(geometry)), dtype=object)


def _columns(table: SourceTable, kind: str | None, faults: list[Fault]) -> pd.DataFrame:
    """Make the facilities table without geometry, one row a record of `table`."""
    own = ids(table, faults)
    return pd.DataFrame(
        {
            "name": names(table, own, faults),
            "type": _types(table, kind, faults),
            "status": _statuses(table, faults),
            "operator": texts(table, "operator"),
            "places": numbers(table, "places", faults, quantity="places"),
            "area_m2": numbers(table, "area_m2", faults, quantity="area_m2"),
            "opened": years(table, "opened", faults),
            "closed": years(table, "closed", faults),
            "functions": [_joined(text) for text in texts(table, "functions")],
            "nursing_places": numbers(table, "nursing_places", faults, quantity="places"),
            "land_m2": numbers(table, "land_m2", faults, quantity="area_m2"),
            "unit": codes(table, "unit", faults),
            "file": table.file,
            "row": [str(row) for row in table.rows],
        },
        index=pd.Index(own, name="facility_id", dtype="str"),
    )


def _joined(text: str) -> str:
    """Write a list of words with semicolons between, whatever stood between them.

    >>> _joined("日托、助餐 , 上门服务")
    '日托;助餐;上门服务'
    """
    return ";".join(part.strip() for part in re.split(r"[;；,，、/|\n]+", text) if part.strip())


def _types(table: SourceTable, kind: str | None, faults: list[Fault]) -> list[str]:
    if "type" not in table.headers and not kind:
        fault = table.missing_column("type")
        faults.append(fault)
    read = [word or kind or "" for word in texts(table, "type")]
    for at, word in enumerate(read):
        if not word and "type" in table.headers:
            cure = ("请填写设施类型，或在研究文件中写 type。", "Fill it in, or state type in the study.")
            faults.append(table.fault("blank_type", ("设施类型为空", "the type is blank"), cure, at=at, column="type"))
    return read


def _statuses(table: SourceTable, faults: list[Fault]) -> list[str]:
    """Read the status of each facility; blank counts as operating and is noted."""
    blank = sum(not as_text(value) for value in table.column("status"))
    if blank:
        told = (f"{blank} 个设施未写状态，按“运营”计", f"{blank} facilities have no status and count as operating")
        faults.append(table.fault("status_assumed", told, severity="noted"))
    return words(table, "status", {**STATUS_WORDS, CLOSED: _CLOSED_WORDS}, faults, blank="operating")


def _without_closed(facilities: GeoDataFrame, table: SourceTable, faults: list[Fault]) -> GeoDataFrame:
    """Leave out what has closed, but for facilities whose closing year is known: past years still count them."""
    closed = ((facilities["status"] == CLOSED) & facilities["closed"].isna()).to_numpy()
    for at in np.flatnonzero(closed):
        found = as_text(table.column("status")[at])
        faults.append(
            table.fault("closed", ("已停业，未采用", "is closed"), at=int(at), column="status", found=found, severity="dropped")
        )
    return facilities[~closed]


def status_keys(statuses: tuple[str, ...]) -> tuple[str, ...] | None:
    """Turn words for statuses into our keys, None if one is unknown.

    >>> status_keys(("运营", "building"))
    ('operating', 'building')
    """
    keys = {plain(word): key for key, known in STATUS_WORDS.items() for word in (key, *known)}
    found = [keys.get(plain(word)) for word in statuses]
    return None if None in found else tuple(key for key in found if key)
