"""Write the atlas: its list of sheets, then one sheet at a time into one PDF."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from careshed.figures.atlas.cover import cover_pages, cover_sheet
from careshed.figures.atlas.services import existing_sheet, gaps_sheet, plan_sheet, reach_sheet
from careshed.figures.atlas.sheet import Atlas, Title
from careshed.figures.atlas.tables import annex_sheet, coverage_annex, facility_annex, pages_text, site_annex
from careshed.figures.atlas.units import facility_numbers, sited_services, source_text, unit_ids, unit_sheet
from careshed.figures.fonts import typeface
from careshed.figures.ground import PICTURE_DPI, Ground
from careshed.figures.page import look
from careshed.figures.plans import Change, change_of
from careshed.siting.studying import StudyPlan
from careshed.words import Lang, pick

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from careshed.run import RunResult, ServiceResult
    from careshed.study import Study


@dataclass(frozen=True)
class Sheet:
    """One sheet to be drawn."""

    title: Title
    draw: Callable[[Atlas, Title], Figure]


def write_atlas(
    path: str | Path,
    result: RunResult,
    lang: Lang | None = None,
    services: Sequence[str] | None = None,
    *,
    units: Sequence[str] | None = None,
    approval_no: str | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> Path:
    """Write the atlas of a run as one PDF of A3 sheets, drawn to round scales, with annex tables.

    Parameters
    ----------
    services
        Ids of the services to draw, all if left out.
    units
        Codes of the streets and townships that have a sheet of their own, all if left out.
    approval_no
        审图号; that of the study file if left out.
    told
        Called with the title of each sheet as it is drawn.

    Returns
    -------
    pathlib.Path
        The file: whole or not at all, the same bytes for the same run. Its fonts are embedded, its text can be searched.

    Raises
    ------
    careshed.schema.InputError
        If Chinese is to be drawn and no Chinese font is installed.
    careshed.study.UnknownService
        If a service is not in the study.
    ValueError
        If a unit is no street or township with an outline.
    """
    from matplotlib.backends.backend_pdf import PdfPages

    path, lang = Path(path), lang or result.study.lang
    atlas = _atlas(result.study, lang, approval_no)
    chosen = _chosen(result, services)
    atlas = replace(atlas, services=tuple(one.service.name(lang) for one in chosen))
    sheets = atlas_sheets(atlas, result, chosen, units)
    covers = cover_pages(len(sheets))
    atlas = replace(atlas, sheets=covers + len(sheets))
    sheets = [replace(one, title=replace(one.title, place=covers + place)) for place, one in enumerate(sheets, start=1)]
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.part")
    facts = {"Title": f"{result.study.name}", "Creator": "careshed", "Producer": "careshed", "CreationDate": None}
    try:
        with look(atlas.families), PdfPages(aside, metadata=facts) as pdf:
            for page in range(covers):
                told(pick(lang, "目录", "contents"))
                pdf.savefig(cover_sheet(atlas, [one.title for one in sheets], page))
            for one in sheets:
                told(one.title.name)
                pdf.savefig(one.draw(atlas, one.title), dpi=PICTURE_DPI)
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)
    return path


def _atlas(study: Study, lang: Lang, approval_no: str | None) -> Atlas:
    from pyproj import CRS

    crs = CRS.from_user_input(study.crs)
    code = crs.to_authority()
    coded = f" ({code[0]}:{code[1]})" if code else ""
    number = study.config.map.approval_no if approval_no is None else approval_no
    names = (study.name, *map(str, study.units["name"]), *map(str, study.facility_table["name"]))
    return Atlas(study, Ground(study), lang, tuple(typeface(lang, names)), number, f"{crs.name}{coded}")


def _chosen(result: RunResult, services: Sequence[str] | None) -> tuple[ServiceResult, ...]:
    if services is None:
        return result.services
    wanted = [result.study.service(name).id for name in services]
    return tuple(one for one in result.services if one.service.id in wanted)


def _chosen_units(atlas: Atlas, units: Sequence[str] | None) -> list[str]:
    known = unit_ids(atlas)
    if units is None:
        return known
    if unknown := [code for code in units if code not in known]:
        listed, has = ", ".join(unknown), ", ".join(known)
        raise ValueError(f"no street or township with an outline: {listed}; there are: {has}  没有这些街道乡镇：{listed}")
    return [code for code in known if code in units]


def atlas_sheets(
    atlas: Atlas, result: RunResult, services: tuple[ServiceResult, ...], units: Sequence[str] | None = None
) -> list[Sheet]:
    """List the sheets in their order: by service and kind, plans, streets and townships, annex tables."""
    lang = atlas.lang
    sheets: list[Sheet] = []

    def add(prefix: tuple[str, str], name: str, draw: Callable[..., Figure], *what: object, note: str = "") -> None:
        at = sum(one.title.number.startswith(pick(lang, *prefix)) for one in sheets) + 1
        title = Title(name, f"{pick(lang, *prefix)}-{at:02d}", 0, note)
        sheets.append(Sheet(title, partial(_draw, draw, what)))

    sheet, detail, annex = ("图", "M"), ("则", "U"), ("表", "T")
    for one in services:
        name = one.service.name(lang)
        note = _note(one, lang)
        add(sheet, pick(lang, f"{name}现状图", f"{name}: existing state"), existing_sheet, one, note=note)
        if len(one.isochrones):  # of imported times there are none
            add(sheet, pick(lang, f"{_bare(name)}服务范围图", f"{name}: service areas"), reach_sheet, one, note=note)
        add(sheet, pick(lang, f"{_bare(name)}服务缺口图", f"{name}: gaps"), gaps_sheet, one, note=note)
        if len(one.plan.sites):
            add(sheet, pick(lang, f"{name}建议选址图", f"{name}: proposed sites"), plan_sheet, one, note=_proof(atlas, one))
    chosen = {one.service.id for one in services}
    plans = [plan for plan in result.plans if plan.plan.objective.demands[0].service in chosen]
    for plan in plans:
        name = plan.section.name(lang)
        add(sheet, pick(lang, f"规划布局图：{name}", f"Layout: {name}"), plan_sheet, plan, note=_proof(atlas, plan))
    numbers, sited = facility_numbers(services, atlas), sited_services(atlas, result, services)
    for unit in _chosen_units(atlas, units):
        name = str(atlas.study.units["name"][unit])
        add(
            detail,
            pick(lang, f"{name}分图则", f"Unit sheet: {name}"),
            unit_sheet,
            unit,
            sited,
            numbers,
            note=source_text(lang, sited),
        )
    tables = [facility_annex(atlas, services, numbers), site_annex(atlas, _site_rows(atlas, services, plans)),
              coverage_annex(atlas, services)]  # fmt: skip
    for table in tables:
        for page in range(table.pages):
            add(annex, f"{table.name}{pages_text(lang, page, table.pages)}", annex_sheet, table, page)
    return sheets


def _bare(name: str) -> str:
    """Take 服务 off the end of a service's name where 服务 follows.

    >>> _bare("托育服务"), _bare("社区养老设施")
    ('托育', '社区养老设施')
    """
    return name.removesuffix("服务")


def _draw(draw: Callable[..., Figure], what: tuple[object, ...], atlas: Atlas, title: Title) -> Figure:
    return draw(atlas, title, *what)


def _site_rows(
    atlas: Atlas, services: Sequence[ServiceResult], plans: Sequence[StudyPlan]
) -> list[tuple[str, Change, pd.DataFrame]]:
    """Sites of every ranking and plan with what is known of them."""
    found = []
    for one in services:
        change = change_of(atlas.study, one, atlas.lang)
        found.append((change.name, change, pd.DataFrame(one.plan.sites[["people_new", "places", "cost_yuan"]])))
    for plan in plans:
        change = change_of(atlas.study, plan, atlas.lang)
        table = pd.DataFrame(plan.plan.sites[["places", "cost_yuan"]])
        if plan.extras.reasons is not None:
            table = table.assign(people_new=plan.extras.reasons.table["people_new"])
        found.append((change.name, change, table))
    return found


def _note(one: ServiceResult, lang: Lang) -> str:
    mode = one.times.mode
    along = (
        pick(lang, "时间为导入", "times imported") if one.service.tables else pick(lang, "沿街道网络", "along the street network")
    )
    return pick(
        lang,
        f"出行：{mode.zh}，{along}；时限 {one.service.within_minutes:g} 分钟（含）；人口按格网中心判断。坐标北朝上，单位米。",
        f"Travel: {mode.en}, {along}; limit {one.service.within_minutes:g} minutes (incl.); people counted at "
        "cell centres. Grid north up, metres.",
    )


def _proof(atlas: Atlas, what: ServiceResult | StudyPlan) -> str:
    return change_of(atlas.study, what, atlas.lang).proof
