"""Put the sites, plans and years of a brief on paper: where to build next, whom it reaches, what it costs, how good it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from careshed.maps.text import counted
from careshed.report.brief.pictures import MAP_MM, picture
from careshed.report.brief.planning import plan_rows, plan_site_rows, start_note, year_rows
from careshed.report.brief.telling import SHARED, leading, rounding_note, site_rows, total_row
from careshed.report.committee.summary import service_sentences
from careshed.report.premises import premises_words, together_line
from careshed.siting.studying import gave_way, proof_sentence
from careshed.siting.studying import key_sentence as plan_sentence
from careshed.words import Lang, pick

if TYPE_CHECKING:
    from collections.abc import Sequence

    from careshed.report.brief.paper import Paper, Told
    from careshed.run import RunResult, ServiceResult
    from careshed.siting.studying import StudyPlan

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
    drawn = _drawn(result, built)
    for one in built:
        told = [*service_sentences(result, one, lang)[1:]]
        told += (
            [pick(lang, "点位见成果表。", "The workbook lists the sites.")] if all(one is not other for other in shown) else []
        )
        see: tuple[Told, ...] = ()
        if one is drawn:
            see = (pick(lang, "点位分布见", " "), paper.coming("figure"), pick(lang, "。", " maps them."))
        if shown and one is shown[-1]:
            see = (*see, pick(lang, "各处见", " The sites are in "), paper.coming("table"), pick(lang, "。", "."))
        paper.text(f"{one.service.name(lang)}{pick(lang, '：', ': ')}{pick(lang, '', ' ').join(told)}", *see)
    if shown:
        _sites_table(paper, shown, result.services)
    if result.plans:
        _plans(paper, result)
    if built:
        _site_figure(paper, result, built)


def _sites_table(paper: Paper, built: list[ServiceResult], services: Sequence[ServiceResult]) -> None:
    lang = paper.lang
    rows: list[tuple[str, ...]] = []
    bands: list[int] = []
    totals: list[int] = []
    for one in built:
        if len(built) > 1:
            bands.append(len(rows))
            rows.append((one.service.name(lang), "", "", "", "", ""))
        mine = site_rows(one, lang, services)
        rows += mine[:SITES_SHOWN]
        left = len(mine) - SITES_SHOWN
        if left > 0:
            rows.append(("…", pick(lang, f"其余 {left} 处见成果表", f"{left} more in the workbook"), "", "", "", ""))
        totals.append(len(rows))
        rows.append(total_row(one, lang))
    head = pick(
        lang, "次序|点位|所在单元|新增可达（人）|累计可达率|造价（万元）", "Rank|Site|Unit|Newly reached|Share so far|Cost (yuan)"
    ).split("|")
    paper.table(
        pick(lang, "建议选址，按新增可达人数排序", "Proposed sites, by the people each adds"), head, rows, bands=bands,
        widths=(1.2, 5.4, 3.2, 2.6, 2.4, 2.6), sides=("center", "left", "left", "right", "right", "right"), strong=totals,
    )  # fmt: skip
    if note := _sites_note(built, services, lang):
        paper.text(note, style="Small")


def _sites_note(built: Sequence[ServiceResult], services: Sequence[ServiceResult], lang: Lang) -> str:
    """Say under the table what its mark means, what all sites cost together, and why counts may not add up."""
    told = [together_line(built, lang) if len(built) == len([one for one in services if len(one.plan.sites)]) else ""]
    if any(premises_words(services, one, lang) for one in built):
        zh, en = (
            "与另一项服务合用同一用房，两处造价为同一笔。",
            "same premises as for another service, the cost is one and the same.",
        )
        told.append(f"{SHARED.strip()} {pick(lang, zh, en)}")
    told.append(rounding_note(built, lang))
    return pick(lang, "", " ").join(filter(None, told))


def _drawn(result: RunResult, built: list[ServiceResult]) -> ServiceResult | None:
    """Choose whose proposed sites are mapped: those of the service that the brief leads with, or of the first that has any."""
    lead = leading(result)
    return lead if any(one is lead for one in built) else next(iter(built), None)


def _site_figure(paper: Paper, result: RunResult, built: list[ServiceResult]) -> None:
    """Map the proposed sites of one service."""
    from careshed.figures.plans import plan_figure

    lang, one = paper.lang, _drawn(result, built)
    if one is None:
        return
    name, n = one.service.name(lang), len(one.plan.sites)
    caption = pick(
        lang, f"{name}的 {n} 处建议选址与新增可达范围", f"{name}: {counted(n, 'proposed site')} and the people newly reached"
    )
    alt = pick(lang, "", " ").join(service_sentences(result, one, lang)[1:])
    paper.figure(picture(plan_figure, result.study, one, lang=lang, size_mm=MAP_MM), MAP_MM, caption, alt)


def _plans(paper: Paper, result: RunResult) -> None:
    """Tell the plans that the study asks for by its own rules: the first with its sites, then all side by side."""
    lang = paper.lang
    first, told = result.plans[0], result.plans[:PLANS_TOLD]
    paper.minor(first.section.name(lang))
    said = (plan_sentence(first, lang), start_note(result, first, lang), *gave_way(first.plan, lang), proof_sentence(first, lang))
    paper.text(pick(lang, "", " ").join(filter(None, said)))
    rows = plan_site_rows(first, lang)
    if rows:
        head = pick(
            lang,
            "次序|点位|所在单元|新增可达（人）|累计可达率|净投入（万元）",
            "Rank|Site|Unit|Newly reached|Share so far|Net (yuan)",
        ).split("|")
        name = first.section.name(lang)
        paper.table(
            pick(lang, f"“{name}”的点位，按建设次序", f"Sites of “{name}” in building order"), head, rows,
            widths=(1.2, 5.4, 3.2, 2.6, 2.4, 2.6), sides=("center", "left", "left", "right", "right", "right"),
            strong=(len(rows) - 1,),
        )  # fmt: skip
    if len(told) > 1:
        _plans_table(paper, result, told)


def _plans_table(paper: Paper, result: RunResult, told: Sequence[StudyPlan]) -> None:
    """Compare plans in one table, and say below it what gave way and what is counted otherwise."""
    lang = paper.lang
    paper.minor(pick(lang, "各方案比较", "The plans side by side"))
    head = pick(
        lang,
        "方案|对象与时限|新增（处）|净投入（万元）|现状|建成后|可达（人）|结论",
        "Plan|For whom, within|New sites|Net (yuan)|Today|With it|People|Proof",
    ).split("|")
    paper.table(
        pick(lang, "各方案的投入与可达率", "What each plan costs and whom it reaches"), head, plan_rows(told, lang),
        widths=(4.5, 3.9, 1.6, 2.0, 1.5, 1.5, 1.6, 1.6),
        sides=("left", "left", "right", "right", "right", "right", "right", "left"),
    )  # fmt: skip
    end = pick(
        lang, "“最优”均已证明：同样的候选点和规则下没有更好的选法。", "“best” is proven: no choice is better under these rules."
    )
    for solved in told[1:]:
        noted = (*gave_way(solved.plan, lang), start_note(result, solved, lang))
        text = pick(lang, "", " ").join(filter(None, noted))
        end += f"{pick(lang, '', ' ')}{solved.section.name(lang)}{pick(lang, '：', ': ')}{text}" if text else ""
    left = result.plans[PLANS_TOLD:]
    if left:
        names = pick(lang, "、", ", ").join(one.section.name(lang) for one in left)
        told_more = pick(
            lang, f"另有 {len(left)} 个方案（{names}）见成果表。", f" The workbook tells {len(left)} more ({names})."
        )
        end += told_more
    paper.text(end)


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
            (found := year_rows(solved, lang)),
            widths=(1.4, 1.6, 7.6, 2.8, 2.8), sides=("center", "right", "left", "right", "right"), strong=(len(found) - 1,),
        )  # fmt: skip
