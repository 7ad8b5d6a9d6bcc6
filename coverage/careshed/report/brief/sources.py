"""List the files that a study rests on, with the hash that tells whether one has changed."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, NamedTuple

from careshed.words import Lang, pick

if TYPE_CHECKING:
    from pathlib import Path

    from careshed.study import Study

HASH_SIGNS: Final = 8
"""Signs of the SHA-256 shown: enough to see a change; the run's manifest holds all of them."""

_CHUNK: Final = 1 << 20


class Source(NamedTuple):
    """One file and what it is for."""

    role: tuple[str, str]
    """Chinese, English."""
    file: str
    """As the study names it."""
    sha256: str
    """First signs; "" where the file is not there any more."""


def study_sources(study: Study) -> list[Source]:
    """List every file of a study by what it is for, the study file first; a file named twice is listed once."""
    config = study.config
    demand = config.demand.files if config.demand is not None else ()
    named: list[tuple[tuple[str, str], tuple[str, ...]]] = [
        (("研究文件", "study file"), (study.path.name,)),
        (("道路", "streets"), config.streets.files),
        (("人口", "population"), (*config.population.files, *demand)),
        (("行政单元", "units"), tuple(one.file for one in config.units.files)),
        (("设施登记", "facilities"), tuple(section.file for section in config.facilities)),
        (("候选点位", "candidate sites"), tuple(file for section in config.candidates for file in section.files)),
        (("小区登记", "compounds"), (config.compounds.file,) if config.compounds is not None else ()),
        (("高程", "elevation"), (config.elevation.file,) if config.elevation is not None else ()),
    ]
    files: dict[str, tuple[str, str]] = {}
    for role, listed in named:
        for file in listed:
            if file:
                files.setdefault(str(file), role)
    return [Source(role, file, _short_hash(study.folder / file)) for file, role in files.items()]


def source_rows(study: Study, lang: Lang) -> list[tuple[str, str]]:
    """Word the sources for a table, files of the same role in one row, each with its hash."""
    rows: dict[str, list[str]] = {}
    missing = pick(lang, "（已不在）", "(gone)")
    for source in study_sources(study):
        rows.setdefault(pick(lang, *source.role), []).append(f"{source.file}\u00a0{source.sha256 or missing}")
    return [(role, "; ".join(found)) for role, found in rows.items()]


def _short_hash(path: Path) -> str:
    if not path.is_file():
        return ""
    told = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(_CHUNK):
            told.update(part)
    return told.hexdigest()[:HASH_SIGNS]
