"""Read layers that rule sites in or out: land use with its codes, flood zones, red lines."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame

from careshed.datum import Datum
from careshed.intake.candidates.choosing import USE_HEADERS
from careshed.intake.columns import nearest, plain
from careshed.intake.finish import hand_over
from careshed.intake.places import Bounds, Reference, bounds_lonlat, locate
from careshed.intake.sources import SourceTable, as_text
from careshed.intake.tables import read_table
from careshed.schema import Checked, Fault

_NOT_OURS: Final = frozenset({"several_columns"})
"""Notes on columns that only a list of units would have."""


def read_land(
    path: str | Path,
    *,
    crs_out: str,
    layer: str | None = None,
    crs: str | None = None,
    datum: Datum | None = None,
    swapped: bool = False,
    area: Bounds | None = None,
    codes: bool = False,
    column: str | None = None,
) -> Checked[GeoDataFrame]:
    """Read a layer of land by which sites are chosen.

    Parameters
    ----------
    area
        Bounds of the study area, degrees WGS-84; a layer that does not touch it is noted, since it can rule nothing out.
    codes
        Whether the layer must have a land-use code; it is then in the column ``code``, as text.
    column
        Header of the code, where it is none of the usual ones.

    Raises
    ------
    careshed.schema.InputError
        If the layer cannot be read, has no shapes, or lacks the column.
    """
    table = read_table(path, kind="units", layer=layer)
    faults = [fault for fault in table.faults if fault.code not in _NOT_OURS]
    frame = pd.DataFrame(index=range(len(table.rows)))
    if codes:
        frame["code"] = _codes(table, column, faults)
    if table.geometry is None:
        told = ("没有几何图形，应为图层", "has no shapes: it is a table, not a layer")
        cure = ("请使用 GeoPackage、Shapefile 或 GeoJSON。", "Use a GeoPackage, Shapefile or GeoJSON.")
        faults.append(table.fault("no_shapes", told, cure))
        return hand_over(GeoDataFrame(frame, geometry=[None] * len(frame), crs=crs_out), faults)
    shapes = locate(table, Reference(crs_out, crs, datum, None, swapped), faults)
    shapes = np.where(shapely.is_valid(shapes) | shapely.is_missing(shapes), shapes, shapely.make_valid(shapes))
    land = GeoDataFrame(frame, geometry=shapes, crs=crs_out)
    faults.extend(_elsewhere(table, land, area))
    return hand_over(land[~land.geometry.isna()], faults)


def _codes(table: SourceTable, column: str | None, faults: list[Fault]) -> list[str]:
    """Read the land-use codes of the column stated, else of the first of the usual headers."""
    headers = {table.headers.get(str(name), str(name)): str(name) for name in table.frame.columns}
    wanted = [column] if column else list(USE_HEADERS)
    found = next((own for word in wanted for header, own in headers.items() if plain(header) == plain(word)), None)
    if found is not None:
        return [as_text(value) for value in table.frame[found]]
    near = nearest(column or "", list(headers))
    hint = (f"是否应为“{near}”？", f"Did you mean {near!r}? ") if near else ("", "")
    listed = ", ".join(headers)
    told = (f"没有用地代码列“{column or '/'.join(wanted[:3])}”", f"there is no column of land-use codes, {column or wanted[0]!r}")
    cure = (f"{hint[0]}请写 column = 其中之一：{listed}。", f"{hint[1]}State column = one of: {listed}.")
    faults.append(table.fault("no_land_use_column", told, cure))
    return [""] * len(table.rows)


def _elsewhere(table: SourceTable, land: GeoDataFrame, area: Bounds | None) -> list[Fault]:
    """Note a layer that lies outside the study area altogether."""
    own = bounds_lonlat(np.asarray(land.geometry.array, dtype=object), str(land.crs))
    if area is None or own is None or shapely.intersects(shapely.box(*own), shapely.box(*area)):
        return []
    told = ("图层与研究范围不相交，不起作用", "the layer does not touch the study area and has no effect")
    cure = ("请检查坐标系（crs）和基准（datum）。", "Check crs and datum.")
    return [table.fault("layer_elsewhere", told, cure, severity="noted")]
