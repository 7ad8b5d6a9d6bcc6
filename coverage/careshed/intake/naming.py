"""Put the columns of a file under our names, drop those that concern persons, and say which column was taken for what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from careshed.intake.columns import NAMES, SECTIONS, Kind, Match, match, nearest
from careshed.intake.personal import is_contact, screen, without_numbers
from careshed.intake.sources import SourceTable, header_faults, stop
from careshed.schema import Fault, InputError, file_label

_SCREENED: Final = ("facilities", "candidates", "compounds", "units")
"""Tables whose contact columns are dropped; a population table that has any lists persons and is refused by its own reader."""

_TOLD: Final = ("facilities", "candidates", "compounds")
"""Tables whose columns are told, one note a file."""

_TEXTS: Final = ("name", "type", "status", "operator", "functions", "kind", "services")
"""Columns of words, which outputs show; codes and figures of eleven digits are no telephone numbers."""


def named(
    file: Path,
    kind: Kind,
    values: Sequence[Sequence[object]],
    headers: Sequence[str],
    numbers: NDArray[np.int64],
    columns: Mapping[str, str] | None,
    *,
    sheet: str = "",
    faults: tuple[Fault, ...] = (),
    geometry: NDArray[np.object_] | None = None,
    crs: str = "",
) -> SourceTable:
    """Put raw values under our column names; refuse the table where the study maps a header that is not there.

    Columns that concern persons are dropped before anything else sees them.
    """
    label = file_label(file)
    if kind in _SCREENED:
        _refuse_mapped(label, kind, columns)
        known = match(headers, kind, columns).position.values()
        screened = screen(label, sheet, headers, values, known=known)
        kept = [place for place in range(len(headers)) if place not in screened.dropped]
        headers, values = [headers[place] for place in kept], [[row[place] for place in kept] for row in values]
        faults = (*faults, *screened.faults)
    found = match(headers, kind, columns)
    ours = {place: name for name, place in reversed(found.position.items())}
    labels = [ours.get(place, header or f"#{place + 1}") for place, header in enumerate(headers)]
    labels = [label if label not in labels[:place] else f"{label}#{place + 1}" for place, label in enumerate(labels)]
    frame = pd.DataFrame(list(values), columns=pd.Index(labels, dtype=object), dtype=object)
    own = {name: headers[place] for name, place in found.position.items() if labels[place] == name}
    if kind in _SCREENED:
        faults = (*faults, *_numbers_removed(frame, numbers, label, sheet, own))
    table = SourceTable(frame, numbers, label, sheet, kind, own, faults, geometry, crs)
    told = header_faults(table, found, headers)
    if found.absent:
        raise InputError([*faults, *told])
    if kind in _TOLD:
        told = [*told, mapping_noted(table, found, headers)]
    return SourceTable(frame, numbers, label, sheet, kind, own, (*faults, *told), geometry, crs)


def _numbers_removed(
    frame: pd.DataFrame, numbers: NDArray[np.int64], file: str, sheet: str, own: Mapping[str, str]
) -> list[Fault]:
    """Take telephone numbers out of the texts of columns that are kept, in place; each cell is told, no number repeated."""
    told = ("文字中的电话号码已删去，不会写入任何输出", "a telephone number in the text is taken out and never written out")
    faults = []
    for name in (name for name in _TEXTS if name in own):
        for at, value in enumerate(frame[name].tolist()):
            bare = without_numbers(value) if isinstance(value, str) else value
            if bare != value:
                frame.loc[at, name] = bare
                row = str(numbers[at])
                faults.append(Fault("number_removed", file, *told, row=row, sheet=sheet, column=own[name], severity="repaired"))
    return faults


def mapping_noted(table: SourceTable, found: Match, headers: Sequence[str]) -> Fault:
    """Say which column was taken for what, and which are not used, in one note a file."""
    taken = ", ".join(f"{name} = {header}" for name, header in table.headers.items()) or "—"
    known = set(found.position.values())
    rest = [header for place, header in enumerate(headers) if header and place not in known]
    unused = ", ".join(rest) or "—"
    section = SECTIONS[table.kind]
    told = (f"列的对应：{taken}；未用的列：{unused}", f"columns: {taken}; not used: {unused}")
    cure = (f"如有误，请在 [{section}] 中指定。", f"Map them in [{section}] where this is wrong.")
    return table.fault("columns_matched", told, cure, severity="noted")


def names_known(file: Path, kind: Kind, columns: Mapping[str, str] | None) -> None:
    """Refuse a mapping of a column that this table does not have; a population table may have any group."""
    faults = []
    for name in columns or {}:
        if kind != "population" and name not in NAMES[kind]:
            near, known = nearest(name, list(NAMES[kind])), ", ".join(NAMES[kind])
            hint = (f"是否应为 {near}？", f"Did you mean {near}? ") if near else ("", "")
            zh, en = f"[{SECTIONS[kind]}] 中的 {name} 不是已知列", f"{name} in [{SECTIONS[kind]}] is not a column of this table"
            faults.append(
                Fault("unknown_column_name", file_label(file), zh, en, f"{hint[0]}可用：{known}。", f"{hint[1]}Known: {known}.")
            )
    if faults:
        raise InputError(faults)


def _refuse_mapped(file: str, kind: Kind, columns: Mapping[str, str] | None) -> None:
    """Refuse a mapping onto a column of persons, which is dropped."""
    for name, header in (columns or {}).items():
        if is_contact(header):
            told = (
                f"研究文件将 {name} 对应到涉及个人的列，该列不读取",
                f"the study maps {name!r} to a column that concerns persons; it is not read",
            )
            cure = (f"请在 [{SECTIONS[kind]}] 中改用其他列。", f"Map another column in [{SECTIONS[kind]}].")
            raise stop(file, "contact_mapped", told, cure, column=header)
