"""Read administrative units: code, name, level, parent, urban or rural, and polygons where there are any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray

from careshed.datum import Datum
from careshed.intake.finish import hand_over
from careshed.intake.places import Reference, locate
from careshed.intake.tables import SourceTable, read_table
from careshed.intake.units.deriving import levels_of, namesakes, parents_of, settings_of, without_larger
from careshed.intake.units.joining import listed_once
from careshed.intake.units.listing import listing
from careshed.schema import Checked, Fault, InputError


@dataclass(frozen=True)
class UnitFile:
    """One file of units and how to read it."""

    path: str | Path
    sheet: str | None = None
    layer: str | None = None
    columns: Mapping[str, str] | None = None
    """Our name -> header in the file, where the usual names are not used."""
    crs: str | None = None
    datum: Datum | None = None
    swapped: bool = False
    """Whether the two coordinates are exchanged on request."""
    level: str | None = None
    """Level of the rows whose level the file does not state."""


def read_units(
    path: str | Path | UnitFile | Sequence[str | Path | UnitFile],
    *,
    crs_out: str,
    sheet: str | None = None,
    layer: str | None = None,
    columns: Mapping[str, str] | None = None,
    crs: str | None = None,
    datum: Datum | None = None,
    swapped: bool = False,
    level: str | None = None,
) -> Checked[GeoDataFrame]:
    """Read the units that presence and coverage are told by; a plain list of codes without polygons works too.

    Level and parent are the list's own. Where it states none, they are derived from codes of 6, 9 or 12 digits (length, and the
    ranges of digits 7–9 and 10–12), and that is noted; a level is never read off the end of a name. Where it states neither urban
    nor rural (in words or as 城乡分类代码), streets stand for urban and townships for rural: a proxy, labelled as one. Parents of
    the topmost units may be missing; units above the county are left out and named.

    Parameters
    ----------
    path
        One file, or several that hold the units together, such as lists of counties, streets and committees, or outlines and a
        list of codes. Of a unit that several files list under one name, each field is the first that any of them states.
    sheet, layer, columns, crs, datum, swapped, level
        As in `UnitFile`; the same for all files that are given by their path alone.

    Returns
    -------
    Checked[GeoDataFrame]
        The units table of docs/architecture.md, and ``setting_from``: ``given``, ``above`` (as a parent states), ``proxy`` or "".

    Raises
    ------
    careshed.schema.InputError
        With every fault of the files.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "units.csv"
    >>> _ = file.write_text("代码,名称\\n130981,泊头市\\n130981001,解放街道\\n130981001022,学院社区\\n", encoding="utf-8")
    >>> read_units(file, crs_out="EPSG:32650").table[["level", "parent"]].to_numpy().tolist()
    [['county', ''], ['street', '130981'], ['community', '130981001']]
    """
    named = [path] if isinstance(path, str | Path | UnitFile) else list(path)
    files = [
        one if isinstance(one, UnitFile) else UnitFile(one, sheet, layer, columns, crs, datum, swapped, level) for one in named
    ]
    tables, faults = _tables(files)
    drawn = [_polygons(table, Reference(crs_out, one.crs, one.datum, None, one.swapped), faults)
             for table, one in zip(tables, files, strict=True)]  # fmt: skip
    units = listed_once(listing(tables, faults, [one.level for one in files]), drawn, faults)
    units = without_larger(units, faults)
    levels = levels_of(units, faults)
    parent = parents_of(units, levels, faults)
    setting, source = settings_of(units, levels, parent, faults)
    faults.extend(namesakes(units, levels, parent))
    frame = pd.DataFrame(
        {"name": units.name, "level": levels, "parent": parent, "setting": setting, "setting_from": source},
        index=pd.Index(units.code, name="unit_id", dtype="str"),
    )
    geometry = np.array([drawn[table][at] for table, at in units.outline], dtype=object)
    return hand_over(GeoDataFrame(frame, geometry=geometry, crs=crs_out), faults)


def _tables(files: Sequence[UnitFile]) -> tuple[list[SourceTable], list[Fault]]:
    """Read every file, and tell the faults of all that cannot be read at once."""
    tables: list[SourceTable] = []
    faults: list[Fault] = []
    for one in files:
        try:
            table = read_table(one.path, kind="units", sheet=one.sheet, layer=one.layer, columns=one.columns)
        except InputError as error:
            faults.extend(error.faults)
            continue
        tables.append(table)
        faults.extend(table.faults)
    if len(tables) < len(files):
        raise InputError(faults)
    return tables, faults


def _polygons(table: SourceTable, reference: Reference, faults: list[Fault]) -> NDArray[np.object_]:
    """Keep areas only: other geometry is an error, crossing outlines are repaired without losing land."""
    if table.geometry is None or bool(shapely.is_missing(table.geometry).all()):
        return np.full(len(table.rows), None, dtype=object)
    geometry = locate(table, reference, faults)
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
