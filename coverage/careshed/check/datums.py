"""Tell registers whose coordinates seem to be in another datum than the study states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from careshed.check.case import Case, Words
from careshed.check.model import Finding
from careshed.intake.units.placing import named_units
from careshed.schema import file_label

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.intake.detection import DatumVerdict, NearStreets
    from careshed.settings.sections import FileSection


FEWEST: Final = 15
"""Registers of fewer facilities are not judged; the lead asked for is the same for all, so that few points seldom lead."""


def datums(case: Case) -> list[Finding]:
    """Hold the points of each register and list of sites against streets and units; few points are not judged."""
    from careshed.intake.detection import NearStreets

    study = case.study
    sections: list[tuple[FileSection, GeoDataFrame]] = [(section, study.facility_table) for section in study.config.facilities]
    sections += [(section, study.candidate_table) for section in study.config.candidates if section.is_list]
    found, near = [], None
    for section, table in sections:
        label = file_label(section.file)
        rows = table[table["file"].astype(str) == label]
        if label not in case.sources or len(rows) < FEWEST:
            continue
        near = near or NearStreets.of(study.streets)
        found += _datum(case, section, rows, near)
    return found


def _declared(rows: GeoDataFrame, units: GeoDataFrame) -> list[str]:
    """Give the unit that each row declares; one that was filled in by place would speak for the datum it was read in."""
    return named_units(rows.assign(unit=rows["unit_told"]), units)[0]


def _datum(case: Case, section: FileSection, rows: GeoDataFrame, near: NearStreets) -> list[Finding]:
    from careshed.intake.detection import detect_datum, raw_degrees

    verdict = detect_datum(
        raw_degrees(rows, section.datum),
        streets=near,
        units=case.study.units,
        declared_units=_declared(rows, case.study.units),
        declared=section.datum,
        fewest=FEWEST,
    )
    if not verdict.contradicts and not verdict.hints:
        return []
    label = file_label(section.file)
    source = case.sources[label]
    at = case.facilities.index.get_indexer(rows.index)
    people = float(case.people[at[at >= 0]].sum())
    place = (label, source.sheet, "", source.headers.get("lon", ""), verdict.declared or "WGS-84")
    told, proposal = _contradicted(verdict) if verdict.contradicts else (_hinted(verdict), _LOOK)
    return [Finding("datum", "doubt", *place, *told, *proposal, people, "nearest" if np.any(at >= 0) else "")]


_LOOK: Final[Words] = (
    "核对坐标的来历；两种来源的行请分成两个文件，各写自己的 datum",
    "Check where the coordinates come from; put rows of two sources into two files, each with its own datum",
)


def _contradicted(verdict: DatumVerdict) -> tuple[Words, Words]:
    """Say which datum fits better than the one stated, with the distances under both, and what to do."""
    fits = verdict.scores[0].hypothesis
    stated = "WGS-84" if verdict.declared in ("", "CGCS2000") else verdict.declared
    own = next(score for score in verdict.scores if score.hypothesis.id == stated)
    best, now = f"{verdict.scores[0].median_m:.0f}", f"{own.median_m:.0f}"
    zh = f"按{fits.zh}更吻合：到最近街道的中位距离 {best} 米，而现按 {stated} 为 {now} 米"
    zh += f"（{verdict.points} 个点，{verdict.sure:.0%} 的重抽样支持）"
    en = f"its {verdict.points} points fit best as: {fits.en} ({verdict.sure:.0%} of resamples agree): median distance to the "
    en += f"nearest street {best} m, but {now} m as {stated}, as they are read"
    proposal = ("请改用转换之前的原始文件", "Go back to the file from before it was converted")
    if fits.datum is not None:
        proposal = (
            f'核实后在研究文件中写 datum = "{fits.datum}"',
            f'If that is right, write datum = "{fits.datum}" in the study',
        )
    zh += "".join(f"；{hint}" for hint, _ in verdict.hints)
    en += "".join(f"; {hint}" for _, hint in verdict.hints)
    return (zh, en), proposal


def _hinted(verdict: DatumVerdict) -> Words:
    zh, en = zip(*verdict.hints, strict=True)
    return "；".join(zh), "; ".join(en)
