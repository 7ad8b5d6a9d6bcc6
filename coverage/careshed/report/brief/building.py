"""Put the sites, plans and years of a brief on paper: where to build next, whom it reaches, what it costs, how good it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from careshed.report.brief.pictures import MAP_MM, picture
from careshed.report.brief.telling import leading, plan_site_rows, site_rows, year_rows
from careshed.report.committee.summary import service_sentences
from careshed.siting.studying import gave_way, proof_sentence
from careshed.siting.studying import key_sentence as plan_sentence
from careshed.words import pick

if TYPE_CHECKING:
    from collections.abc import Sequence

    from careshed.report.brief.paper import Paper
    from careshed.run import RunResult, ServiceResult

PLANS_TOLD: Final = 6
"""Plans told in the text; the workbook has all."""

SITES_SHOWN: Final = 8
"""Sites of a service listed; the workbook has all."""


def sites(paper: Paper, result: RunResult) -> None:
    """Say where to build next, whom that reaches, what no choice can exceed, what it costs."""
    lang = paper.lang
    built = [one for one in result.services if len(one.plan.sites)]
    if not built and not result.plans:
        return
    paper.heading("选址方案", "Where to build next")
    planned = {service for solved in result.plans for service in solved.section.service_ids}
    shown = [one for one in built if one.service.id not in planned]
    for one in built:
        told = [*service_sentences(result, one, lang)[1:]]
        told += (
            [pick(lang, "点位见成果表。", "The workbook lists the sites.")] if all(one is not other for other in shown) else []
        )
        see = (
            (pick(lang, "各处见", " The sites are in "), paper.coming("table"), pick(lang, "。", "."))
            if shown and one is shown[-1]
            else ()
        )
        paper.text(f"{one.service.name(lang)}{pick(lang, '：', ': ')}{pick(lang, '', ' ').join(told)}", *see)
    if shown:
        _sites_table(paper, shown, result.services)
    if built:
        _site_figure(paper, result, built)
    if result.plans:
        _plans(paper, result)


def _sites_table(paper: Paper, built: list[ServiceResult], services: Sequence[ServiceResult]) -> None:
    lang = paper.lang
    rows: list[tuple[str, ...]] = []
    bands: list[int] = []
    for one in built:
        if len(built) > 1:
            bands.append(len(rows))
            rows.append((one.service.name(lang), "", "", "", "", ""))
        mine = site_rows(one, lang, services)
        rows += mine[:SITES_SHOWN]
        left = len(mine) - SITES_SHOWN
        if left > 0:
            rows.append(("…", pick(lang, f"其余 {left} 处见成果表", f"{left} more in the workbook"), "", "", "", ""))
    head = pick(
        lang, "次序|点位|所在单元|新增可达（人）|累计可达率|造价（万元）", "Rank|Site|Unit|Newly reached|Share so far|Cost (yuan)"
    ).split("|")
    paper.table(
        pick(lang, "建议选址，按新增可达人数排序", "Proposed sites, by the people each adds"), head, rows, bands=bands,
        widths=(1.2, 5.4, 3.2, 2.6, 2.4, 2.6), sides=("center", "left", "left", "right", "right", "right"),
    )  # fmt: skip


def _site_figure(paper: Paper, result: RunResult, built: list[ServiceResult]) -> None:
    """Map the proposed sites of the service that the brief leads with, or of the first that has any."""
    from careshed.figures.plans import plan_figure

    lang, lead = paper.lang, leading(result)
    one = lead if any(one is lead for one in built) else built[0]
    name, n = one.service.name(lang), len(one.plan.sites)
    caption = pick(lang, f"{name}的 {n} 处建议选址与新增可达范围", f"{name}: {n} proposed sites and whom they newly reach")
    alt = pick(lang, "", " ").join(service_sentences(result, one, lang)[1:])
    paper.figure(picture(plan_figure, result.study, one, lang=lang, size_mm=MAP_MM), MAP_MM, caption, alt)


def _plans(paper: Paper, result: RunResult) -> None:
    """Tell the plans that the study asks for by its own rules, the first with its sites."""
    lang = paper.lang
    for solved in result.plans[:PLANS_TOLD]:
        paper.minor(solved.section.name(lang))
        told = (plan_sentence(solved, lang), *gave_way(solved.plan, lang), proof_sentence(solved, lang))
        paper.text(pick(lang, "", " ").join(told))
        rows = plan_site_rows(solved, lang)
        if solved is result.plans[0] and rows:
            head = pick(
                lang,
                "次序|点位|所在单元|新增可达（人）|累计可达率|净投入（万元）",
                "Rank|Site|Unit|Newly reached|Share so far|Net (yuan)",
            ).split("|")
            name = solved.section.name(lang)
            paper.table(
                pick(lang, f"“{name}”的点位，按建设次序", f"Sites of “{name}” in building order"), head, rows,
                widths=(1.2, 5.4, 3.2, 2.6, 2.4, 2.6), sides=("center", "left", "left", "right", "right", "right"),
            )  # fmt: skip
    left = len(result.plans) - PLANS_TOLD
    if left > 0:
        names = pick(lang, "、", ", ").join(one.section.name(lang) for one in result.plans[PLANS_TOLD:])
        paper.text(pick(lang, f"另有 {left} 个方案（{names}）见成果表。", f"The workbook tells {left} more ({names})."))


def years(paper: Paper, result: RunResult) -> None:
    """Say what opens in which year, where a plan has years."""
    lang = paper.lang
    phased = [solved for solved in result.plans if solved.phased is not None]
    if not phased:
        return
    paper.heading("分期实施", "Year by year")
    for solved in phased:
        see = pick(lang, "见", " See "), paper.coming("table"), pick(lang, "。", ".")
        head = pick(
            lang, "年份|新增（处）|点位|净投入（万元）|建成后可达（人）", "Year|New|Sites|Net (yuan)|Reached after"
        ).split("|")
        paper.text(
            pick(
                lang,
                f"“{solved.section.name(lang)}”逐年建成的点位全部保留，",
                f"“{solved.section.name(lang)}”: what is built stays.",
            ),
            *see,
        )
        paper.table(
            pick(lang, f"{solved.section.name(lang)}：分年度安排", f"{solved.section.name(lang)}: year by year"), head,
            year_rows(solved, lang),
            widths=(1.4, 1.6, 8.2, 2.4, 2.6), sides=("center", "right", "left", "right", "right"),
        )  # fmt: skip
