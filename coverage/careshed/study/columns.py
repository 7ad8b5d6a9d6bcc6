"""Tell which columns of unit and population tables were taken for what, as the registers' readers do of theirs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from careshed.intake.tables import read_table
from careshed.schema import Fault, InputError

if TYPE_CHECKING:
    from careshed.intake.columns import Kind
    from careshed.settings.config import Config
    from careshed.settings.sections import FileSection


def columns_told(folder: Path, config: Config) -> list[Fault]:
    """Say in a note a file which column of units and people was taken for what, and which are not used.

    The tables are read once more for it, which costs little beside the reading of streets; what cannot be read is told by the
    reader of the table, not here.
    """
    people = config.population
    named: list[tuple[FileSection | None, Kind, str]] = [(one, "units", "units") for one in config.units.files]
    named += [
        (getattr(people, key), "population", f"population.{key}") for key in ("table", "polygons", "h3") if getattr(people, key)
    ]
    told = [_told(folder, section, kind, name) for section, kind, name in named if section is not None]
    return [fault for fault in told if fault is not None]


def _told(folder: Path, section: FileSection, kind: Kind, name: str) -> Fault | None:
    try:
        table = read_table(folder / section.file, kind=kind, sheet=section.sheet, layer=section.layer, columns=section.columns)
    except InputError:
        return None
    taken = ", ".join(f"{ours} = {header}" for ours, header in table.headers.items()) or "—"
    unused = ", ".join(str(label) for label in table.frame.columns if label not in table.headers) or "—"
    words = (f"列的对应：{taken}；未用的列：{unused}", f"columns: {taken}; not used: {unused}")
    cure = (f"如有误，请在 [{name}.columns] 中指定。", f"Map them in [{name}.columns] where this is wrong.")
    return table.fault("columns_matched", words, cure, severity="noted")
