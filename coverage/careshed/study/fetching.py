"""Fetch the streets of a place once, when online, and use the kept copy ever after."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from careshed.schema import Checked, Fault, InputError
from careshed.study.boundary import read_outline

if TYPE_CHECKING:
    from careshed.settings.sections import StreetSection

CACHE: Final = "street-cache"
"""Folder beside the study file in which fetched streets are kept."""

_OFFLINE: Final = frozenset({"offline", "server_error"})
"""Faults that a copy from another computer cures."""


def with_kept_streets(folder: Path, section: StreetSection) -> Checked[StreetSection]:
    """Name the kept copy of the streets of a place or polygon as the street file, fetched first where there is none.

    The copy is an OSM file in `CACHE`; it is used without the network, and each use is told with the day of its data. Its name
    holds a hash of the place, or of the outline's file, so that a changed outline is fetched anew.

    Raises
    ------
    careshed.schema.InputError
        If there is no copy and the place cannot be fetched; the cure names the copy that would do.
    """
    if section.file or len(section.sources) != 1:
        return Checked(section)
    outline = read_outline(folder, section) if section.polygon else None
    name = copy_name(section.place or Path(str(section.polygon)).stem, _content(folder, section))
    copy = folder / CACHE / name
    if not copy.is_file():
        from careshed.intake.streets.keeping import keep_streets

        try:
            keep_streets(str(section.place) if outline is None else outline.table, copy)
        except InputError as error:
            raise InputError([_with_cure(fault, section, name) for fault in error.faults]) from error
    told = outline.faults if outline is not None else ()
    return Checked(section.model_copy(update={"file": f"{CACHE}/{name}"}), (*told, _kept(section, copy)))


def _content(folder: Path, section: StreetSection) -> bytes:
    return section.place.encode() if section.place else (folder / str(section.polygon)).read_bytes()


def copy_name(place: str, content: bytes) -> str:
    """Name the copy of a place, readable and different for every place.

    >>> copy_name("洪山区, 武汉", "洪山区, 武汉".encode())
    '洪山区_武汉-dd517318.osm.gz'
    """
    readable = re.sub(r"\W+", "_", place).strip("_")[:40] or "place"
    return f"{readable}-{hashlib.sha256(content).hexdigest()[:8]}.osm.gz"


def _with_cure(fault: Fault, section: StreetSection, name: str) -> Fault:
    """Say that a copy fetched elsewhere does as well."""
    fault = replace(fault, file=section.place or str(section.polygon))
    if fault.code not in _OFFLINE:
        return fault
    zh = f"{fault.cure_zh.rstrip('。')}；或在能上网的电脑上打开本研究，再把 {CACHE}/{name} 复制到研究文件旁的同一位置。"
    en = (
        f"{fault.cure_en.rstrip('.')}; or open the study on a computer that is online and copy {CACHE}/{name} from there to the "
        "same place beside the study file."
    )
    return replace(fault, cure_zh=zh, cure_en=en)


def _kept(section: StreetSection, copy: Path) -> Fault:
    """Say of which day the streets are, and how to have newer ones."""
    from careshed.intake.streets.keeping import kept_on

    day, place = kept_on(copy), section.place or str(section.polygon)
    when = (f"数据日期 {day}", f"data of {day}") if day else ("数据日期未知", "of unknown date")
    zh = f"道路取自 OpenStreetMap（{place}），{when[0]}，使用已保存的副本"
    en = f"streets of {place} from OpenStreetMap, {when[1]}, from the kept copy"
    cure = (
        f"需要更新时删去 {CACHE}/{copy.name} 后联网重开。© OpenStreetMap 贡献者，ODbL。",
        f"Delete {CACHE}/{copy.name} and open the study online for newer ones. © OpenStreetMap contributors, ODbL.",
    )
    return Fault("streets_kept", f"{CACHE}/{copy.name}", zh, en, *cure, severity="noted")
