"""Read a list of chosen sites: what a what-if page saves, or ids one a line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from careshed.intake.columns import nearest
from careshed.intake.sources import damaged, must_exist, stop
from careshed.schema import Fault, InputError, file_label

if TYPE_CHECKING:
    from careshed.study import Study

ID_HEADS: Final = ("site_id", "candidate_id", "id", "编号", "点位编号")
USE_HEADS: Final = ("use", "用途")
CLOSED: Final = ("closed", "关闭")
"""What a list writes of an existing facility that is switched off; anything else is a new site."""

TOLD_HEADS: Final = {"service": ("service", "服务"), "minutes": ("minutes", "时限"), "group": ("group", "人群")}
FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r")
"""Texts that begin so carry an apostrophe in the lists we write, so that no spreadsheet runs them."""


@dataclass(frozen=True)
class SiteList:
    """Sites that somebody chose, and what they were chosen for."""

    sites: tuple[str, ...]
    """Ids of candidates to be built."""
    closed: tuple[str, ...] = ()
    """Ids of existing facilities that are switched off."""
    service: str = ""
    """Id of the service it is for, "" where the list does not say."""
    minutes: float | None = None
    group: str = ""
    covered: float | None = None
    """People within reach as counted where the list was made; None where it does not say."""


def read_site_list(path: str | Path) -> SiteList:
    """Read the sites that a planner ticked: the JSON or CSV of a what-if page, or a text with one id a line.

    Raises
    ------
    InputError
        If the file is missing, damaged, or holds no ids where it should.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "mine.txt"
    >>> _ = file.write_text("HX001\\nHX007\\n", encoding="utf-8")
    >>> read_site_list(file).sites
    ('HX001', 'HX007')
    """
    file = Path(path)
    must_exist(file)
    text = _text(file)
    return _of_json(file, text) if file.suffix.lower() == ".json" else _of_rows(file, text)


def _text(file: Path) -> str:
    from careshed.intake.encodings import decoded

    try:
        return decoded(file.read_bytes())[0]
    except UnicodeDecodeError as error:
        raise damaged(file, error) from error


def _of_json(file: Path, text: str) -> SiteList:
    try:
        told = json.loads(text)
    except json.JSONDecodeError as error:
        raise damaged(file, error) from error
    if not isinstance(told, dict) or not isinstance(told.get("sites"), list):
        zh, en = "不是点位清单：没有“sites”列表", "is no list of sites: there is no list 'sites'"
        raise stop(file, "no_site_list", (zh, en), ('应形如 {"sites": ["HX001"]}。', 'It should look like {"sites": ["HX001"]}.'))
    minutes, covered = told.get("minutes"), told.get("covered")
    return SiteList(
        _once(map(str, told["sites"])),
        _once(map(str, told.get("closed") or [])),
        str(told.get("service") or ""),
        float(minutes) if isinstance(minutes, int | float) else None,
        str(told.get("group") or ""),
        float(covered) if isinstance(covered, int | float) else None,
    )


def _of_rows(file: Path, text: str) -> SiteList:
    first = text.splitlines()[0] if text.splitlines() else ""
    mark = next((sign for sign in ("\t", ";") if sign in first and "," not in first), ",")
    rows = [[_plain(value) for value in row] for row in csv.reader(io.StringIO(text), delimiter=mark) if any(map(str.strip, row))]
    head = [value.lower() for value in rows[0]] if rows else []
    at = _place(head, ID_HEADS)
    if at is None:
        _one_a_line(file, rows)
        return SiteList(_once(row[0] for row in rows))
    use = _place(head, USE_HEADS)
    told = [row for row in rows[1:] if len(row) > at and row[at]]
    closed = [row[at] for row in told if use is not None and len(row) > use and row[use].lower() in CLOSED]
    new = [row[at] for row in told if not (use is not None and len(row) > use and row[use].lower() in CLOSED)]
    said = {key: _said(told, _place(head, heads)) for key, heads in TOLD_HEADS.items()}
    return SiteList(_once(new), _once(closed), said["service"], _minutes(file, said["minutes"]), said["group"])


def _minutes(file: Path, text: str) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        told = (f"时限“{text}”不是数字", f"the limit {text!r} is no number")
        raise stop(file, "bad_minutes", told, ("请写分钟数，如 15。", "Write minutes, such as 15.")) from None


def _one_a_line(file: Path, rows: Sequence[Sequence[str]]) -> None:
    """Refuse a table whose header names no id: its first column would be guessed at."""
    if rows and max(map(len, rows)) > 1:
        heads = ", ".join(ID_HEADS[:3])
        zh = f"表中没有编号列（{'、'.join(rows[0])}）"
        en = f"the table has no column of ids (it has {', '.join(rows[0])})"
        raise stop(file, "no_id_column", (zh, en), ("请加一列“编号”。", f"Name one column {heads}."))


def _place(head: Sequence[str], names: Collection[str]) -> int | None:
    return next((at for at, value in enumerate(head) if value in names), None)


def _said(rows: Sequence[Sequence[str]], at: int | None) -> str:
    return next((row[at] for row in rows if at is not None and len(row) > at and row[at]), "")


def _plain(value: str) -> str:
    """Take off the apostrophe that keeps a spreadsheet from running a text.

    >>> _plain("'=1+1"), _plain("'s Gravenweg")
    ('=1+1', "'s Gravenweg")
    """
    told = value.strip()
    return told[1:] if told.startswith("'") and told[1:].startswith(FORMULA_SIGNS) else told


def _once(ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ids))


def check_sites(study: Study, service_id: str, chosen: SiteList, file: str | Path = "site list") -> None:
    """Refuse a list that names sites the study does not have, or is for another service.

    Raises
    ------
    InputError
        Listing every unknown id with the one that may have been meant.
    """
    known = (study.candidates(service_id), chosen.sites, "候选点", "candidate")
    standing = (study.facilities(service_id), chosen.closed, "现有设施", "existing facility")
    faults = []
    if chosen.service and chosen.service != service_id:
        zh, en = f"清单是为“{chosen.service}”选的", f"the list was made for {chosen.service!r}"
        cure = (f"请用 -s {chosen.service}，或另存清单。", f"Use -s {chosen.service}, or save another list.")
        faults.append(Fault("other_service", file_label(file), zh, en, *cure, found=service_id))
    for table, ids, zh, en in (known, standing):
        here = list(map(str, table.index))
        faults += [_unknown(one, here, zh, en, service_id, file) for one in ids if one not in set(here)]
    if faults:
        raise InputError(faults)


def _unknown(one: str, here: Sequence[str], zh: str, en: str, service_id: str, file: str | Path) -> Fault:
    near = nearest(one, here)
    cure_zh = f"是否应为“{near}”？" if near else f"请核对编号；共有 {len(here)} 处。"
    cure_en = f"Did you mean {near!r}?" if near else f"Check the id; there are {len(here)}."
    told = (f"服务“{service_id}”没有{zh}“{one}”", f"service {service_id!r} has no {en} {one!r}")
    return Fault("unknown_site", file_label(file), *told, cure_zh, cure_en)
