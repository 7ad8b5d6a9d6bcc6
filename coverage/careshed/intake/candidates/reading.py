"""Read lists of candidate sites: where they are, for which services, how large and at what cost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pandas as pd
from geopandas import GeoDataFrame

from careshed.datum import Datum
from careshed.intake.facilities import point_geometry
from careshed.intake.finish import check_columns, hand_over, without_bad_rows
from careshed.intake.places import Bounds, Reference
from careshed.intake.tables import SourceTable, read_table
from careshed.intake.values import codes, ids, names, numbers, texts
from careshed.schema import Checked, Fault

_BETWEEN: Final = re.compile(r"[;；,，、\s]+")


def read_candidates(
    path: str | Path,
    *,
    crs_out: str,
    sheet: str | None = None,
    layer: str | None = None,
    columns: Mapping[str, str] | None = None,
    crs: str | None = None,
    datum: Datum | None = None,
    area: Bounds | None = None,
    swapped: bool = False,
    leave_out: bool = False,
) -> Checked[GeoDataFrame]:
    """Read one list of candidate sites; parameters as in `careshed.intake.read_facilities`.

    Services may be separated by any of ``; , 、`` or spaces and come back joined by ``;``; "" means any service.
    ``unit`` is the code the list declares; the study fills in the unit a site lies in.

    Raises
    ------
    careshed.schema.InputError
        With every fault of the file.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "sites.csv"
    >>> _ = file.write_text("编号,类型,经度,纬度,投资（万元）\\nC1,闲置学校,121.5,31.2,80\\n", encoding="utf-8")
    >>> read_candidates(file, crs_out="EPSG:32651", crs="EPSG:4326", datum="WGS-84").table["cost_yuan"].tolist()
    [800000.0]
    """
    table = read_table(path, kind="candidates", sheet=sheet, layer=layer, columns=columns)
    faults = list(table.faults)
    geometry = point_geometry(table, Reference(crs_out, crs, datum, area, swapped), faults)
    frame = _columns(table, faults)
    faults.extend(check_columns(frame, table))
    sites = GeoDataFrame(frame, geometry=geometry, crs=crs_out)
    if leave_out:
        sites, faults = without_bad_rows(sites, faults)
    return hand_over(sites, faults)


def _columns(table: SourceTable, faults: list[Fault]) -> pd.DataFrame:
    """Make the candidates table without geometry, one row a record of `table`."""
    own = ids(table, faults)
    return pd.DataFrame(
        {
            "name": names(table, own, faults),
            "kind": texts(table, "kind"),
            "services": [";".join(part for part in _BETWEEN.split(text) if part) for text in texts(table, "services")],
            "places": numbers(table, "places", faults, quantity="places"),
            "area_m2": numbers(table, "area_m2", faults, quantity="area_m2"),
            "cost_yuan": numbers(table, "cost_yuan", faults, quantity="cost_yuan"),
            "unit": codes(table, "unit", faults),
            "file": table.file,
            "row": [str(row) for row in table.rows],
        },
        index=pd.Index(own, name="candidate_id", dtype="str"),
    )
