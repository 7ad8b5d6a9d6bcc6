"""Read administrative units: code, name, level, parent, urban or rural, and polygons where there are any."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray

from careshed.datum import Datum
from careshed.intake.finish import check_columns, hand_over
from careshed.intake.places import Reference, locate
from careshed.intake.tables import SourceTable, read_table
from careshed.intake.values import codes, ids, names, words
from careshed.schema import TIERS, Checked, Fault

LEVEL_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "county": ("县区", "县", "区", "区县", "县级市", "市辖区", "旗", "county", "district"),
    "street": ("街道", "街道办事处", "街道办", "street", "jiedao", "subdistrict"),
    "township": ("乡镇", "乡", "镇", "苏木", "民族乡", "township", "town"),
    "community": ("社区", "居委会", "居民委员会", "社区居委会", "community"),
    "village": ("村", "行政村", "村委会", "村民委员会", "嘎查", "village"),
    "compound": ("小区", "住宅小区", "居住小区", "compound"),
}
"""Our level -> words of the lists."""

SETTING_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "urban": ("城镇", "城市", "城区", "城", "urban"),
    "rural": ("乡村", "农村", "村", "乡", "rural"),
}


def read_units(
    path: str | Path,
    *,
    crs_out: str,
    sheet: str | None = None,
    layer: str | None = None,
    columns: Mapping[str, str] | None = None,
    crs: str | None = None,
    datum: Datum | None = None,
) -> Checked[GeoDataFrame]:
    """Read the units that presence and coverage are told by; a plain list of codes without polygons works too.

    Every unit needs a code of its own and a known level; its parent must be in the table and of a higher tier. Parents of the
    topmost units may be missing (a county's list names its city): they are left out and noted.

    Raises
    ------
    careshed.schema.InputError
        With every fault of the file.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "units.csv"
    >>> _ = file.write_text("代码,名称,级别,上级\\n130981,泊头市,县级市,\\n130981001,解放街道,街道,130981\\n", encoding="utf-8")
    >>> read_units(file, crs_out="EPSG:32650").table["level"].tolist()
    ['county', 'street']
    """
    table = read_table(path, kind="units", sheet=sheet, layer=layer, columns=columns)
    faults = list(table.faults)
    faults.extend(table.missing_column(name) for name in ("id", "level") if name not in table.headers)
    placed = table.geometry is not None and not shapely.is_missing(table.geometry).all()
    geometry = locate(table, Reference(crs_out, crs, datum), faults) if placed else np.full(len(table.rows), None, dtype=object)
    frame = _columns(table, faults)
    faults.extend(check_columns(frame, table))
    units = GeoDataFrame(frame, geometry=_polygons(table, geometry, faults), crs=crs_out)
    return hand_over(units, faults)


def _columns(table: SourceTable, faults: list[Fault]) -> pd.DataFrame:
    """Make the units table without geometry, one row a record of `table`."""
    code = ids(table, faults) if "id" in table.headers else [""] * len(table.rows)
    level = words(table, "level", LEVEL_WORDS, faults) if "level" in table.headers else [""] * len(code)
    parent = _parents(table, code, level, codes(table, "parent", faults), faults)
    return pd.DataFrame(
        {
            "name": names(table, code, faults),
            "level": level,
            "parent": parent,
            "setting": words(table, "setting", SETTING_WORDS, faults, blank=""),
        },
        index=pd.Index(code, name="unit_id", dtype="str"),
    )


def _parents(table: SourceTable, code: list[str], level: list[str], parent: list[str], faults: list[Fault]) -> list[str]:
    """Check that each parent exists above its unit; blank the parents of the topmost tier that the table does not hold."""
    tier = {own: TIERS[name] for own, name in zip(code, level, strict=True) if name}
    top = min(tier.values(), default=0)
    outside = [own for own, above in zip(code, parent, strict=True) if above and above not in tier and tier.get(own) == top]
    for at, (own, above) in enumerate(zip(code, parent, strict=True)):
        if not above or own in outside:
            continue
        if above not in tier:
            cure = ("请补充上级单元，或改正代码。", "Add the parent to the table, or correct the code.")
            faults.append(
                table.fault(
                    "parent_missing",
                    ("上级单元不在表中", "its parent is not in the table"),
                    cure,
                    at=at,
                    column="parent",
                    found=above,
                )
            )
        elif tier[above] >= tier.get(own, 9):
            told = ("上级单元的级别不高于本单元", "its parent is not of a higher level")
            faults.append(
                table.fault(
                    "parent_not_higher",
                    told,
                    ("请改正级别或上级代码。", "Correct the level or the parent."),
                    at=at,
                    column="parent",
                    found=above,
                )
            )
    if outside:
        told = (
            f"{len(outside)} 个最高级单元的上级不在表中，视为无上级",
            f"the parents of {len(outside)} topmost unit(s) are not in the table; taken as none",
        )
        faults.append(table.fault("parent_outside", told, column="parent", severity="noted"))
    return ["" if own in outside else above for own, above in zip(code, parent, strict=True)]


def _polygons(table: SourceTable, geometry: NDArray[np.object_], faults: list[Fault]) -> NDArray[np.object_]:
    """Keep areas only: other geometry is an error, crossing outlines are repaired without losing land."""
    areal = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON, shapely.GeometryType.MISSING)
    for at in np.flatnonzero(~np.isin(shapely.get_type_id(geometry), areal)):
        cure = ("请使用面图层。", "Use a layer of polygons.")
        told = ("单元的几何应为面", "the geometry of a unit must be a polygon")
        faults.append(table.fault("wrong_geometry", told, cure, at=int(at), found=geometry[at].geom_type))
    sound = shapely.is_missing(geometry) | shapely.is_valid(geometry)
    for at in np.flatnonzero(~sound):
        why = shapely.is_valid_reason(geometry[at])
        told = ("边界自相交，已修正", "the outline crosses itself and was repaired")
        faults.append(table.fault("outline_repaired", told, at=int(at), found=why, severity="repaired"))
    return np.where(sound, geometry, _valid(geometry))


def _valid(geometry: NDArray[np.object_]) -> NDArray[np.object_]:
    """Make areas valid by their structure, which keeps all land; loose lines are left out."""
    return np.asarray(shapely.make_valid(geometry, method="structure", keep_collapsed=False), dtype=object)
