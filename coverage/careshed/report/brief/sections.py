"""Put the sections of a brief on paper; a section that has nothing to say is left out, and the numbers close up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from careshed.maps.facts import scope_of
from careshed.maps.notes import assumptions
from careshed.report.brief.pictures import MAP_MM, picture
from careshed.report.brief.planning import start_note
from careshed.report.brief.sources import source_rows
from careshed.report.brief.telling import (
    gap_rows,
    leading,
    of_gaps,
    places_sentence,
    rule_rows,
    service_rows,
    three_numbers,
    uncertain,
)
from careshed.report.committee.summary import service_sentences
from careshed.report.scorecard_words import base_text, headline
from careshed.report.tables import limit_words
from careshed.siting.studying import gave_way
from careshed.siting.studying import key_sentence as plan_sentence
from careshed.words import Lang, group_name, pick

if TYPE_CHECKING:
    from careshed.report.brief.paper import Paper
    from careshed.run import RunResult, ServiceResult


def pick_widths(lang: Lang, zh: tuple[float, ...], en: tuple[float, ...]) -> tuple[float, ...]:
    """Choose the widths of columns, since words of both languages are not equally long."""
    return zh if lang == "zh" else en


def title_block(paper: Paper, result: RunResult) -> None:
    """Name the paper, the study and of when its data are, and say so where they are made up."""
    study, lang = result.study, paper.lang
    paper.text(
        pick(lang, f"{study.name}服务设施可达性评估与选址简报", f"{study.name}: who reaches care, and where to build next"),
        style="Title line",
    )
    told = [pick(lang, f"数据截至 {study.data_date}", f"data as of {study.data_date}")] if study.data_date else []
    if result.card is not None:
        told.append(pick(lang, f"对照《{result.card.name(lang)}》", f"judged by {result.card.name(lang)}"))
    if told:
        paper.text(pick(lang, "　　", "  |  ").join(told), style="Under title")
    if study.made_up:
        from docx.shared import RGBColor

        from careshed.report.brief.marks import shade

        line = paper.text(style="Under title")
        run = line.add_run(pick(lang, " 虚构数据，仅供演示 ", " Made-up data, for demonstration only "))
        run.bold, run.font.color.rgb = True, RGBColor.from_string("6B4300")
        shade(run, "FFE9BD")


def summary(paper: Paper, result: RunResult) -> None:
    """Say the one message, its three numbers, and the main figures of every service."""
    lang, lead = paper.lang, leading(result)
    paper.heading("摘要", "Summary")
    sentences = service_sentences(result, lead, lang)
    paper.text(pick(lang, "", " ").join(sentences[:2]), style="Lead")
    paper.numbers(three_numbers(lead, lang))
    more, card = [], result.card
    if card is not None:
        more.append(
            pick(
                lang, f"对照《{card.name(lang)}》，{headline(card, lang)}", f"Judged by {card.name(lang)}: {headline(card, lang)}"
            )
        )
    for one in result.plans[:1]:
        said = (plan_sentence(one, lang), start_note(result, one, lang), *gave_way(one.plan, lang))
        told = pick(lang, "", " ").join(filter(None, said))
        more.append(f"{one.section.name(lang)}{pick(lang, '：', ': ')}{told}")
    table = paper.coming("table")
    see = (
        ("各服务的主要数字见", table, "。")
        if lang == "zh"
        else (" " if more else "", table, " gives the main figures of every service.")
    )
    paper.text(pick(lang, "", " ").join(more), *see)
    head = pick(
        lang, "服务|对象与时限|人数|可达率|不可达|新增（处）|建成后|上限",
        "Service|For whom, within|People|Reached|Not reached|New sites|With them|Bound",
    ).split("|")  # fmt: skip
    paper.table(
        pick(lang, "各服务现状与选址效果（人数单位：人）", "Every service today and with its proposed sites"), head,
        service_rows(result, lang),
        widths=pick_widths(lang, (3.5, 5.4, 1.7, 1.8, 1.7, 1.6, 1.8, 1.6), (4.2, 5.2, 1.7, 1.9, 1.8, 1.5, 1.6, 1.6)),
        sides=("left", "left", "right", "right", "right", "right", "right", "right"),
    )  # fmt: skip


def method(paper: Paper, result: RunResult) -> None:
    """Say in plain words how it was worked out."""
    study, lang = result.study, paper.lang
    paper.heading("方法", "Method")
    paper.text(
        pick(
            lang,
            "本简报回答三个问题：谁走得到，谁走不到，下一处建在哪里。对每个有人居住的格网，"
            "沿街道网络计算从住处到最近设施的出行时间，"
            "不超过时限（含）即为可达；各项占比的分母始终是该人群的全部人口，接不上路网、无法判断的人也在内。"
            "缺口指时限内到不了任何设施的人连片聚居之处。",
            "This paper answers three questions: who can reach care, who cannot, and where to build next. From every "
            "cell where people "
            "live, the time to the nearest facility is computed along the streets; at most the limit counts as "
            "reached. Every share is "
            "of all people of the group, those who cannot be judged included. "
            "A gap is where people live together whom no facility reaches.",
        )
    )
    paper.text(pick(lang, "出行方式：", "Travel: "), _modes(result, lang))
    sites = len(study.candidate_table)
    if any(one.plan.n_asked and len(one.options.facilities) for one in result.services) or result.plans:
        paper.text(
            pick(
                lang,
                f"选址从 {sites:,} 个候选点位中挑选，使时限内新增可达的人最多，并满足研究文件规定的规则。"
                "“上限”是经证明的数：在同样的候选点位、处数和规则下，"
                "任何选法都不会超过它，由此可知方案距最优还差多少；与上限相等的方案即为最优。",
                f"Sites are chosen among {sites:,} candidates so that most people are newly reached, under the rules "
                "of the study file. "
                "The bound is proven: with the same candidates, number of sites and rules no choice can exceed it; a "
                "plan that equals "
                "its bound is optimal.",
            )
        )


def _modes(result: RunResult, lang: Lang) -> str:
    """Say how people travel to each service, services that share a mode together."""
    told: dict[str, list[str]] = {}
    for one in result.services:
        scope = scope_of(result.study, service=one.service.id, group=None, lang=lang, times=one.times, covered=one.covered)
        labels = {pick(lang, "出行方式", "Mode"), pick(lang, "速度依据", "Source of speed")}
        texts = [text for label, text in assumptions(result.study, scope, one.times) if label in labels]
        how = pick(lang, "按", ": ") + pick(lang, "、", ", ").join(texts[:-1]) if texts[1:] else pick(lang, "：", ": ")
        source = (pick(lang, "；速度依据：", "; source: ") if texts[1:] else "") + texts[-1]
        told.setdefault(how + source, []).append(one.service.name(lang))
    comma = pick(lang, "、", ", ")
    return "".join(
        pick(lang, f"{comma.join(names)}{text}。", f"{comma.join(names)}{text}. ") for text, names in told.items()
    ).strip()


def today(paper: Paper, result: RunResult) -> None:
    """Say service by service who is reached today, with maps, and list the gaps."""
    from careshed.figures.maps import coverage_figure

    study, lang, lead = result.study, paper.lang, leading(result)
    paper.heading("现状与缺口", "Today, and the gaps")
    _service_today(paper, result, lead, see=True)
    service, who = lead.service, group_name(lead.service.group, lang)
    limit, name = limit_words(service.within_minutes, None, lang), service.name(lang)
    caption = pick(lang, f"{name}现状：各单元 {limit}内可达的{who}", f"{name} today: {who} within {limit}, by unit")
    paper.figure(
        picture(coverage_figure, study, lead, lang=lang, size_mm=MAP_MM),
        MAP_MM,
        caption,
        service_sentences(result, lead, lang)[0],
    )
    for one in result.services:
        if one is not lead:
            _service_today(paper, result, one, see=False)
    _gaps(paper, result, lead)


def _gaps(paper: Paper, result: RunResult, lead: ServiceResult) -> None:
    """List the largest gaps of every service, and map those of the service that the brief leads with."""
    from careshed.figures.maps import gaps_figure

    lang, name = paper.lang, lead.service.name(paper.lang)
    rows, bands = gap_rows(result, lang)
    if not rows:
        return
    table = paper.coming("table")
    paper.text(
        *(
            (table, "列出人数最多的缺口，全部缺口见成果表。")
            if lang == "zh"
            else (table, " lists the largest gaps; the workbook has all.")
        )
    )
    head = pick(
        lang, "次序|所在单元|人数|到最近设施（分钟）|最近设施", "Rank|Unit|People|Minutes to the nearest|Nearest facility"
    ).split("|")
    paper.table(
        pick(lang, "人数最多的服务缺口", "The largest gaps"), head, rows, bands=bands,
        widths=(1.2, 4, 2, 3.2, 5), sides=("center", "left", "right", "right", "left"),
    )  # fmt: skip
    if len(lead.gaps):
        caption = f"{name}{pick(lang, '的服务缺口：', ': ')}{of_gaps(lead, lang)}"
        paper.figure(picture(gaps_figure, result.study, lead, lang=lang, size_mm=MAP_MM), MAP_MM, caption, caption)


def _service_today(paper: Paper, result: RunResult, one: ServiceResult, *, see: bool) -> None:
    """Say of one service who is reached, which units have none, who finds a place."""
    lang = paper.lang
    key = () if one is leading(result) else (service_sentences(result, one, lang)[0],)  # the summary has said it
    told = (*key, _unit_words(one, lang), places_sentence(one, lang))
    first, second = paper.coming("figure"), paper.coming("figure", 1)
    gaps = (pick(lang, "、", " and "), second) if len(one.gaps) else ()
    shown = (pick(lang, "见", " See "), first, *gaps, pick(lang, "。", ".")) if see else ()
    paper.text(f"{one.service.name(lang)}{pick(lang, '：', ': ')}{pick(lang, '', ' ').join(filter(None, told))}", *shown)


def _unit_words(one: ServiceResult, lang: Lang) -> str:
    """Say how many streets and townships have no facility of their own."""
    has = one.has_one
    if not len(has):
        return ""
    without = [str(name) for name in has.loc[~has["has_one"].astype(bool), "name"]]
    if not without:
        return pick(
            lang,
            f"{len(has)} 个街道和乡镇均有自己的设施。",
            f"All {len(has)} streets and townships have a facility of their own.",
        )
    few = pick(lang, "、", ", ").join(without[:6]) + (pick(lang, " 等", " and others") if len(without) > 6 else "")
    zh = f"{len(has)} 个街道和乡镇中 {len(without)} 个没有自己的设施（{few}）。"
    return pick(lang, zh, f"{len(without)} of {len(has)} streets and townships have no facility of their own ({few}).")


def judged(paper: Paper, result: RunResult) -> None:
    """Say how far the plan in force is met, and list the targets that are short."""
    card, lang = result.card, paper.lang
    if card is None:
        return
    paper.heading("对照规划的评分", "Scorecard")
    rows, check = rule_rows(card, lang), card.check(lang)
    told = [text for text in (base_text(card, lang), check) if text]
    if not rows:
        paper.text(pick(lang, "", " ").join([f"{card.name(lang)}{pick(lang, '：', ': ')}{headline(card, lang)}", *told]))
        return
    counts = card.counts()
    due = counts["short"] + counts["contradicted"]
    table = paper.coming("table")
    some = pick(
        lang, f"列出未达标和有矛盾的 {due} 项中涉及人数最多的 {len(rows)} 项，全部见评分卡。",
        f" lists the {len(rows)} that touch most people, of {due} that are short or contradicted; the scorecard has all.",
    )  # fmt: skip
    every = pick(lang, "列出未达标和有矛盾的各项。", " lists those that are short or contradicted.")
    paper.text(
        pick(lang, "", " ").join(told), *((" ",) if told and lang == "en" else ()), table, some if due > len(rows) else every
    )
    head = pick(lang, "指标|现值|目标|差距|涉及人数|判断", "Target|Value now|Target value|Gap|People|Verdict").split("|")
    paper.table(
        pick(lang, f"未达标的指标（{card.name(lang)}）", f"Targets that are short ({card.name(lang)})"), head, rows,
        widths=pick_widths(lang, (4.6, 4.5, 2.9, 4.2, 2.1, 1.9), (4.3, 4.3, 3.2, 3.6, 2.0, 3.0)),
        sides=("left", "left", "left", "left", "right", "center"),
    )  # fmt: skip


def risks(paper: Paper, result: RunResult) -> None:
    """Say what is not certain."""
    paper.heading("风险与不确定性", "What is not certain")
    paper.points([(line,) for line in uncertain(result, paper.lang)])


def sources(paper: Paper, result: RunResult) -> None:
    """List the files and the plan that everything rests on."""
    from importlib.metadata import version

    study, lang, card = result.study, paper.lang, result.card
    paper.heading("资料来源", "Sources")
    dated = study.data_date or pick(lang, "研究文件未注明", "not stated in the study file")
    told = [pick(lang, f"数据日期：{dated}。", f"Data as of: {dated}.")]
    if card is not None:
        no = f"{pick(lang, '，', ', ')}{card.doc_no}" if card.doc_no else ""
        told.append(pick(lang, f"所评规划：《{card.name(lang)}》{no}。", f"Plan judged: {card.name(lang)}{no}."))
    told.append(
        pick(
            lang,
            f"计算软件：careshed {version('careshed')}，坐标系 {study.crs}。",
            f"Computed by careshed {version('careshed')} in {study.crs}.",
        )
    )
    credit = study.config.map.attribution
    told += [pick(lang, f"数据署名：{credit}。", f"Credits: {credit}.")] if credit else []
    end = (
        ("文件及其校验码见", paper.coming("table"), "。")
        if lang == "zh"
        else (" ", paper.coming("table"), " lists the files and their hashes.")
    )
    paper.text(pick(lang, "", " ").join(told), *end)
    head = pick(lang, "用途|文件与校验码（SHA-256 前 8 位）", "For|Files, with the first 8 signs of their SHA-256").split("|")
    paper.table(pick(lang, "资料文件", "Files"), head, source_rows(study, lang), widths=(2.0, 14.0), sides=("left", "left"))


def sign_off(paper: Paper, result: RunResult) -> None:
    """Leave room for those who made, checked and approve the paper."""
    lang = paper.lang
    del result  # every section is called alike
    who = (("编制", "Prepared by"), ("审核", "Checked by"), ("批准", "Approved by"))
    rows = [[pick(lang, f"{zh}：", f"{en}:") for zh, en in who], [pick(lang, "日期：", "Date:")] * len(who)]
    paper.plain_rows(rows, (1.0, 1.0, 1.0), height_mm=9)
