"""Tell registers whose coordinates seem to be in another datum than the study states."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from careshed.check.case import Case
from careshed.check.model import Finding
from careshed.schema import file_label

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.intake.detection import NearStreets
    from careshed.settings.sections import FileSection


def datums(case: Case) -> list[Finding]:
    """Hold the points of each register and list of sites against streets and units; few points are not judged."""
    from careshed.intake.detection import FEWEST_POINTS, NearStreets

    study = case.study
    sections: list[tuple[FileSection, GeoDataFrame]] = [(section, study.facility_table) for section in study.config.facilities]
    sections += [(section, study.candidate_table) for section in study.config.candidates if section.is_list]
    found, near = [], None
    for section, table in sections:
        label = file_label(section.file)
        rows = table[table["file"].astype(str) == label]
        if label not in case.sources or len(rows) < FEWEST_POINTS:
            continue
        near = near or NearStreets.of(study.streets)
        found += _datum(case, section, rows, near)
    return found


def _datum(case: Case, section: FileSection, rows: GeoDataFrame, near: NearStreets) -> list[Finding]:
    from careshed.intake.detection import detect_datum, raw_degrees

    verdict = detect_datum(
        raw_degrees(rows, section.datum),
        streets=near,
        units=case.study.units,
        declared_units=rows["unit"].astype(str).tolist(),
        declared=section.datum,
    )
    if not verdict.contradicts or verdict.fits is None:
        return []
    label = file_label(section.file)
    source = case.sources[label]
    at = case.facilities.index.get_indexer(rows.index)
    people = float(case.people[at[at >= 0]].sum())
    fits, stated = verdict.fits, verdict.declared or "WGS-84"
    told = (
        f"{len(rows)} 个点最符合：{fits.zh}（{verdict.sure:.0%} 的重抽样支持），而研究文件按 {stated} 读取",
        f"its {len(rows)} points fit best as: {fits.en} ({verdict.sure:.0%} of resamples agree); but are read as {stated}",
    )
    proposal = ("请改用转换之前的原始文件", "Go back to the file from before it was converted")
    if fits.datum is not None:
        proposal = (
            f'核实后在研究文件中写 datum = "{fits.datum}"',
            f'If that is right, write datum = "{fits.datum}" in the study',
        )
    place = (label, source.sheet, "", source.headers.get("lon", ""), stated)
    return [Finding("datum", "doubt", *place, *told, *proposal, people, "nearest" if np.any(at >= 0) else "")]
