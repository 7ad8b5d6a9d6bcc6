"""Try every input, keep what each tells, and put tables of several files together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final, TypeVar

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame

from careshed.intake.places import OUTSIDE_M, Bounds
from careshed.schema import Checked, Fault, InputError

T = TypeVar("T")


def attempt(faults: list[Fault], read: Callable[[], Checked[T]]) -> T | None:
    """Read one input; keep what it tells, and go on where it cannot be read."""
    try:
        checked = read()
    except InputError as error:
        faults.extend(error.faults)
        return None
    faults.extend(checked.faults)
    return checked.table


_OPTION: Final = (
    '如只想略去有错的行，可在该文件所在的节写 bad_rows = "leave_out"。',
    'To leave out the rows in error instead, write bad_rows = "leave_out" in the section of this file.',
)


def or_left_out(read: Callable[[], Checked[T]]) -> Checked[T]:
    """Read a register or list of sites; where rows are in error, say once that the study may leave them out.

    Raises
    ------
    InputError
        As `read` raises it, the cure of the first such row completed.
    """
    try:
        return read()
    except InputError as error:
        faults = list(error.faults)
        at = next((at for at, fault in enumerate(faults) if fault.severity == "error" and fault.row), None)
        if at is None:
            raise
        cure = (f"{faults[at].cure_zh}{_OPTION[0]}", f"{faults[at].cure_en} {_OPTION[1]}".strip())
        faults[at] = replace(faults[at], cure_zh=cure[0], cure_en=cure[1])
        raise InputError(faults) from error


def one_table(
    tables: Iterable[GeoDataFrame | None], index: str, columns: Sequence[str], crs: str, faults: list[Fault]
) -> GeoDataFrame:
    """Put the tables of several files into one; an id may occur in one file only."""
    filled = [table for table in tables if table is not None and len(table)]
    if not filled:
        empty = pd.DataFrame({name: pd.Series(dtype="str") for name in columns}, index=pd.Index([], name=index, dtype="str"))
        return GeoDataFrame(empty, geometry=[], crs=crs)
    joint = pd.concat(filled)
    first: dict[str, tuple[str, str]] = {}
    for code, file, row in zip(joint.index.astype(str), joint["file"], joint["row"], strict=True):
        if code in first:
            other, there = first[code]
            zh, en = f"编号“{code}”已在 {other} 第 {there} 行用过", f"id {code!r} is used already in {other}, row {there}"
            cure = ("请使各文件的编号互不相同。", "Give every facility or site an id of its own across the files.")
            faults.append(Fault("duplicate_id", str(file), zh, en, *cure, row=str(row)))
        else:
            first[code] = (str(file), str(row))
    return joint


def in_area(found: Checked[GeoDataFrame], area: Bounds | None) -> Checked[GeoDataFrame]:
    """Leave out features that lie more than 10 km beyond the study area, each named: an OSM file covers more than the study.

    Parameters
    ----------
    area
        West, south, east, north, degrees WGS-84; None where it is not known, so that nothing is left out.
    """
    if area is None or not len(found.table):
        return found
    frame = shapely.box(*area)
    metres = GeoDataFrame(geometry=[shapely.segmentize(frame, 0.05)], crs="EPSG:4326").to_crs(found.table.crs).geometry.iloc[0]
    near = shapely.dwithin(np.asarray(found.table.geometry.array, dtype=object), metres, OUTSIDE_M)
    told = ("位于研究范围 10 公里以外，未采用", "lies more than 10 km outside the study area and is left out")
    left = [
        Fault("outside_area", str(file), *told, row=str(row), found=str(name), severity="dropped")
        for file, row, name in found.table.loc[~near, ["file", "row", "name"]].itertuples(index=False, name=None)
    ]
    return Checked(found.table[near], (*found.faults, *left))
