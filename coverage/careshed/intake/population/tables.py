"""Read people from tables of points or areas, each record at one place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame
from numpy.typing import NDArray

from careshed.datum import Datum
from careshed.intake.facilities import point_geometry
from careshed.intake.finish import check_columns, hand_over
from careshed.intake.places import Bounds, Reference
from careshed.intake.population.persons import person_faults
from careshed.intake.tables import SourceTable, read_table
from careshed.intake.values import ids, numbers
from careshed.schema import Checked, Fault, InputError, Population

_PLACE: Final = ("id", "lon", "lat")


def read_population_table(
    path: str | Path,
    *,
    crs_out: str,
    sheet: str | None = None,
    layer: str | None = None,
    columns: Mapping[str, str] | None = None,
    crs: str | None = None,
    datum: Datum | None = None,
    area: Bounds | None = None,
) -> Checked[Population]:
    """Read a table of people at points or in areas; an area's people count at its centre.

    Count columns are those the study maps to a group (any name) and those under usual names. ``cell_id`` is the record's
    position in the file, from 0; records without people are left out and counted.

    Raises
    ------
    careshed.schema.InputError
        With every fault of the file; also if it lists persons instead of counts.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "people.csv"
    >>> _ = file.write_text("经度,纬度,总人口,60岁及以上\\n121.5,31.2,300,60\\n121.6,31.2,0,0\\n", encoding="utf-8")
    >>> people = read_population_table(file, crs_out="EPSG:32651", crs="EPSG:4326", datum="WGS-84").table
    >>> people.cells[["total", "p60"]].to_dict("index")
    {0: {'total': 300.0, 'p60': 60.0}}
    """
    table = counts_only(read_table(path, kind="population", sheet=sheet, layer=layer, columns=columns))
    faults = list(table.faults)
    if "id" in table.headers:
        ids(table, faults)
    geometry = point_geometry(table, Reference(crs_out, crs, datum, area), faults)
    people = people_columns(table, _PLACE, faults)
    cells = GeoDataFrame(people, geometry=geometry, crs=crs_out)
    kept = cells[(people > 0).any(axis=1)]
    if not any(fault.severity == "error" for fault in faults):
        faults.extend(table_totals(table, people, len(kept)))
    return hand_over(Population(kept, None), faults)


def counts_only(table: SourceTable) -> SourceTable:
    """Give the table back if it holds counts; refuse one of persons before anything else of it is read."""
    faults = person_faults(table)
    if faults:
        raise InputError(faults)
    return table


def people_columns(table: SourceTable, others: tuple[str, ...], faults: list[Fault]) -> pd.DataFrame:
    """Read every column that counts people, index ``cell_id``: all under our names but `others`."""
    groups = [name for name in table.headers if name not in others]
    if not groups:
        faults.append(table.missing_column("total"))
    people = pd.DataFrame({name: counts(table, name, faults) for name in groups}, index=positions(np.arange(len(table.rows))))
    faults.extend(check_columns(people, table, counts=tuple(groups)))
    return people


def counts(table: SourceTable, name: str, faults: list[Fault]) -> NDArray[np.float64]:
    """Read a column of people; blank is an error, since nobody knows whether it means nobody or unknown."""
    spoilt: list[Fault] = []
    read = numbers(table, name, spoilt, quantity="people")
    faults.extend(spoilt)
    told = {fault.row for fault in spoilt if fault.severity == "error"}
    for at in np.flatnonzero(np.isnan(read)):
        if str(table.rows[at]) not in told:
            cure = ("无人居住请填 0。", "Write 0 where nobody lives.")
            faults.append(
                table.fault("blank_count", ("人口数为空", "the number of people is blank"), cure, at=int(at), column=name)
            )
    return read


def table_totals(table: SourceTable, people: pd.DataFrame, kept: int) -> list[Fault]:
    """Note the people read of each group and the records left out, or refuse a table without anybody."""
    if not kept:
        cure = ("请检查人口列。", "Check the columns of people.")
        return [table.fault("nobody", ("没有任何人口", "there are no people in it"), cure)]
    empty = len(people) - kept
    noted = [total_noted(table.file, str(group), float(people[group].sum()), kept) for group in people.columns]
    if empty:
        told = (f"{empty} 个无人口的单元格未采用", f"{empty} record(s) without people are left out")
        noted.append(table.fault("empty_cells", told, severity="noted"))
    return noted


def total_noted(file: str, group: str, people: float, cells: int) -> Fault:
    """Note how many people of a group were read, and that all of them were kept."""
    zh = f"{group}：读入 {people:,.1f} 人，全部保留在 {cells:,} 个单元格中"
    en = f"{group}: {people:,.1f} people read, all kept in {cells:,} cells"
    return Fault("people_total", file, zh, en, severity="noted")


def positions(number: NDArray[np.int64]) -> pd.Index[int]:
    """Make the index of a cells table."""
    return pd.Index(number, name="cell_id", dtype="int64")
