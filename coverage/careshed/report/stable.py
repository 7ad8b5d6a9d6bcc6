"""Write workbooks and GeoPackages without clocks, so that the same content gives the same bytes."""

from __future__ import annotations

import os
import re
import sqlite3
import zipfile
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from openpyxl import Workbook

FIXED_DATE: Final = "2025-06-30T00:00:00Z"
"""Stands for the clock in every file: a date must be there, and the data's own date is told inside."""

_ZIP_DATE: Final = (1980, 1, 1, 0, 0, 0)
_STAMP: Final = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(<)")


def write_xlsx(workbook: Workbook, path: str | Path) -> Path:
    """Save a workbook whole or not at all, the same bytes for the same cells.

    openpyxl stamps the time of saving into the document's properties and into every entry of the zip file; both are
    replaced. A target that Excel holds open is left as it was.

    Raises
    ------
    PermissionError
        Where the target is open in another program.
    """
    path = Path(path)
    raw = BytesIO()
    workbook.save(raw)
    fixed = BytesIO()
    with zipfile.ZipFile(raw) as source, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            entry = zipfile.ZipInfo(name, _ZIP_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 0
            target.writestr(entry, _STAMP.sub(rb"\g<1>" + FIXED_DATE.encode() + rb"\g<2>", source.read(name)))
    aside = path.with_name(f".{path.name}.part")
    aside.write_bytes(fixed.getvalue())
    try:
        # one step on Windows too, where Path.rename refuses
        os.replace(aside, path)
    except PermissionError as error:
        aside.unlink()
        zh = f"无法写入 {path.name}：请先关闭正在使用它的程序（如 Excel）"
        raise PermissionError(f"{zh}. {path.name} is open in another program: close it, then run again") from error
    return path


def stabilise_gpkg(path: str | Path) -> Path:
    """Take the clock out of a GeoPackage: every layer was last changed on a fixed date, and the file written once."""
    with closing(sqlite3.connect(path)) as base:
        base.execute("UPDATE gpkg_contents SET last_change = ?", (FIXED_DATE.replace("Z", ".000Z"),))
        base.commit()
        base.execute("VACUUM")
    _reset_counter(Path(path))
    return Path(path)


def _reset_counter(path: Path) -> None:
    """Take out of the file how often it was written while it was made, which depends on the clock.

    SQLite's header counts changes at byte 24, and at byte 92 says for which count the rest holds; both must agree.
    """
    with path.open("r+b") as file:
        for place in (24, 92):
            file.seek(place)
            file.write((1).to_bytes(4, "big"))
