"""Lay a scorecard out as one page: the counts, the two named targets, then every rule by theme, details on demand."""

from __future__ import annotations

from html import escape
from importlib import resources
from typing import Final

from careshed.policy.judging import RuleResult, Scorecard
from careshed.policy.judging.card import THEMES, State, Theme
from careshed.policy.model import STATUSES
from careshed.policy.types import catalogue
from careshed.report.scorecard import dated_line, met_text, notes_of, row_level
from careshed.report.scorecard_words import (
    amount,
    base_text,
    due_text,
    gap_text,
    headline,
    number,
    presence_text,
    reach_text,
    state_text,
    target_words,
    types_text,
    unit_of,
    value_text,
)
from careshed.words import Lang, pick

MARKS: Final[dict[State, str]] = {"met": "✓", "short": "▼", "contradicted": "⇄", "unjudged": "?", "procedure": "§"}
"""Sign of each state, so that colour is not needed to tell them apart."""

ORDER: Final[tuple[State, ...]] = ("short", "contradicted", "met", "unjudged")
LISTED: Final = 6
"""Waiting units shown at once; the rest unfold."""


def scorecard_page(card: Scorecard, lang: Lang) -> str:
    """Give the page as HTML that asks no other machine for anything; all text from data is escaped."""
    title = pick(lang, "规划评分卡", "Plan scorecard")
    style = resources.files("careshed.report").joinpath("scorecard.css").read_text(encoding="utf-8")
    body = "".join([_head(card, lang, title), _tiles(card, lang), _named(card, lang), _themes(card, lang), _foot(card, lang)])
    name = escape(f"{card.study} · {card.name(lang)}")
    return (
        f'<!doctype html>\n<html lang="{pick(lang, "zh-CN", "en")}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title} · {name}</title>\n'
        f"<style>\n{style}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )


def _head(card: Scorecard, lang: Lang, title: str) -> str:
    made_up = pick(lang, "虚构数据，不描述任何真实地点", "Made-up data: no real place is described")
    ribbon = f'<p class="made-up">{made_up}</p>\n' if card.made_up else ""
    about = [escape(card.name(lang)), escape(card.doc_no), escape(dated_line(card, lang))]
    told = [text for text in (base_text(card, lang), card.check(lang)) if text]
    check = "".join(f'<p class="check">{escape(text)}</p>\n' for text in told)
    return (
        f"{ribbon}<header>\n<h1>{title}<span>{escape(card.study)}</span></h1>\n"
        f'<p class="about">{" · ".join(text for text in about if text)}</p>\n{check}</header>\n<main>\n'
    )


def _tiles(card: Scorecard, lang: Lang) -> str:
    counts = card.counts()
    tiles = "".join(
        f'<li class="{state}"><b>{counts[state]}</b><span>{_mark(state)} {state_text(state, lang)}</span></li>\n'
        for state in ("met", "short", "contradicted", "unjudged")
    )
    return f'<ul class="tiles">\n{tiles}</ul>\n<p class="headline">{escape(headline(card, lang))}</p>\n'


def _mark(state: State) -> str:
    return f'<i aria-hidden="true">{MARKS[state]}</i>'


def named_targets(card: Scorecard) -> tuple[list[RuleResult], list[RuleResult]]:
    """Find the rules on the two targets that committees ask for first: childcare in every street, centres in every township."""
    per_unit = [one for one in card.results if one.rule.measure in ("facilities_per_unit", "units_percent")]
    around = [one for one in per_unit if set(one.rule.levels) & {"street", "township"}]
    childcare = [one for one in around if one.theme == "childcare" and _is_care(one)]
    centres = [one for one in around if "区域养老服务中心" in one.rule.types]
    return childcare, centres


def _is_care(result: RuleResult) -> bool:
    """Whether a rule asks for places to look after children, not for offices that guide those who do."""
    return any(catalogue()[name].counts for name in result.rule.types)


def _named(card: Scorecard, lang: Lang) -> str:
    childcare, centres = named_targets(card)
    headings = (
        pick(lang, "每个街道一处托育点", "One childcare point in every street"),
        pick(lang, "乡镇（街道）养老服务中心", "Elder-care centres of townships and streets"),
    )
    blocks = "".join(
        _named_block(card, heading, found, lang) for heading, found in zip(headings, (childcare, centres), strict=True)
    )
    return f'<section class="named">\n{blocks}</section>\n'


def _named_block(card: Scorecard, heading: str, found: list[RuleResult], lang: Lang) -> str:
    none = pick(lang, "该规划没有这项指标。", "The plan has no such target.")
    inner = "".join(_named_rule(card, one, lang, at) for at, one in enumerate(found)) or f'<p class="none">{none}</p>\n'
    return f"<article>\n<h2>{heading}</h2>\n{inner}</article>\n"


def _named_rule(card: Scorecard, result: RuleResult, lang: Lang, at: int) -> str:
    """Tell one rule; the units that wait are listed at once for the first, folded for the others."""
    head = f"<h3>{_chip(result.state, lang)} {escape(result.rule.title(lang))}{_types(card, result, lang)}</h3>\n"
    if result.value is None:
        return f'{head}<p class="why">{escape(pick(lang, *result.why))}</p>\n'
    bars = ""
    if result.presence is not None:
        bars += _bar(pick(lang, "有没有", "Has one"), result.presence.share, presence_text(result, lang))
    if result.reach is not None:
        bars += _bar(pick(lang, "够得着", "Reaches one"), result.reach.share, reach_text(result, lang))
    gap = pick(lang, "差距：", "Gap: ") + gap_text(result, lang)
    waiting = _waiting(card, result, lang, LISTED if at == 0 else 0)
    return f'{head}<div class="bars">{bars}</div>\n<p>{escape(gap)}</p>\n{waiting}'


def _types(card: Scorecard, result: RuleResult, lang: Lang) -> str:
    told = types_text(card, result, lang)
    return f"<small>{escape(told)}</small>" if told else ""


def _bar(label: str, share: float, told: str) -> str:
    return (
        f'<div class="bar"><span>{label}</span>'
        f'<span class="track"><span style="width:{100 * min(share, 1.0):.1f}%"></span></span>'
        f"<b>{escape(told)}</b></div>\n"
    )


def _waiting(card: Scorecard, result: RuleResult, lang: Lang, most: int) -> str:
    table = card.waiting(result.id)
    if table.empty:
        return ""
    heads = (pick(lang, "还没有的单元", "Without one"), pick(lang, "人数", "People"), pick(lang, "其中够不着", "Beyond reach"))
    rows = [
        f"<tr><td>{escape(str(row['name']))}</td><td>{_whole(row['people'])}</td><td>{_whole(row['unreached'])}</td></tr>\n"
        for _, row in table.iterrows()
    ]
    top = "<thead><tr>" + "".join(f"<th>{head}</th>" for head in heads) + "</tr></thead>"
    first = f'<table class="waiting">{top}<tbody>\n{"".join(rows[:most])}</tbody></table>\n' if most else ""
    if len(rows) <= most:
        return first
    more = len(rows) - most
    told = (
        pick(lang, f"其余 {more} 个", f"{more} more")
        if most
        else pick(lang, f"还没有的 {more} 个单元", f"{more} units without one")
    )
    rest = f'<table class="waiting">{"" if most else top}<tbody>\n{"".join(rows[most:])}</tbody></table>'
    return f"{first}<details><summary>{told}</summary>{rest}</details>\n"


def _whole(value: object) -> str:
    return number(round(value)) if isinstance(value, float) and value == value else "—"


def _chip(state: State, lang: Lang) -> str:
    return f'<span class="chip {state}">{_mark(state)}{state_text(state, lang)}</span>'


def _themes(card: Scorecard, lang: Lang) -> str:
    parts = []
    for theme, words in THEMES.items():
        own = [one for one in card.results if one.theme == theme and one.state != "procedure"]
        if own:
            parts.append(_theme(card, theme, pick(lang, *words), own, lang))
    procedures = [one for one in card.results if one.state == "procedure"]
    if procedures:
        heading = pick(
            lang, f"程序要求与参数（{len(procedures)} 项，不评分）", f"Procedures and parameters ({len(procedures)}, not scored)"
        )
        items = "".join(f"<li>{escape(one.rule.title(lang))}{_quote(one)}</li>\n" for one in procedures)
        parts.append(f'<section class="procedures"><details><summary>{heading}</summary><ul>\n{items}</ul></details></section>\n')
    return "".join(parts)


_FIRST: Final = (("判断", "Verdict"), ("指标", "Target"))
_TOLD: Final = (
    ("现值", "Value now"), ("目标", "Target value"), ("差距", "Gap"),
    ("有没有（单元）", "Has one (units)"), ("够得着（人口）", "Reaches one (people)"),
)  # fmt: skip
"""Columns of the rules; on a phone each cell is told under its own header."""


def _theme(card: Scorecard, theme: Theme, heading: str, own: list[RuleResult], lang: Lang) -> str:
    top = "".join(f'<th scope="col">{pick(lang, *head)}</th>' for head in (*_FIRST, *_TOLD))
    rows = "".join(_rule_row(card, one, lang) for state in ORDER for one in own if one.state == state)
    return (
        f'<section class="theme" id="{theme}"><h2>{heading}</h2>\n'
        f'<div class="scroll"><table class="rules"><thead><tr>{top}</tr></thead>'
        f"<tbody>\n{rows}</tbody></table></div></section>\n"
    )


def _rule_row(card: Scorecard, result: RuleResult, lang: Lang) -> str:
    due = due_text(result, lang)
    tags = " · ".join(text for text in (pick(lang, *STATUSES[result.rule.status]), due) if text)
    cells = (value_text, target_words, gap_text, presence_text, reach_text)
    texts = [escape(words(result, lang)) for words in cells]
    marks = ["" if text == "—" else f' data-label="{pick(lang, *head)}"' for text, head in zip(texts, _TOLD, strict=True)]
    told = "".join(f"<td{mark}>{text}</td>" for mark, text in zip(marks, texts, strict=True))
    if result.state == "unjudged" and result.value is None:
        told = f'<td colspan="5" class="why">{escape(pick(lang, *result.why))}</td>'
    elif result.state == "unjudged":
        told = told.replace("<td>—</td>", f'<td class="why">{escape(pick(lang, *result.why))}</td>', 1)
    title = f'<th scope="row">{escape(result.rule.title(lang))}<small>{tags}</small>{_types(card, result, lang)}</th>'
    details = _details(result, lang)
    more = f'<tr class="more"><td></td><td colspan="6">{details}</td></tr>\n' if details else ""
    return f'<tr class="{result.state}"><td>{_chip(result.state, lang)}</td>{title}{told}</tr>\n{more}'


def _details(result: RuleResult, lang: Lang) -> str:
    """Fold away the source, the notes, the years and the units of a rule."""
    notes = "".join(f"<li>{escape(note)}</li>" for note in notes_of(result, lang))
    inner = _quote(result) + (f"<ul>{notes}</ul>" if notes else "") + _years(result, lang) + _units(result, lang)
    return f"<details><summary>{pick(lang, '条款与细节', 'Source and details')}</summary>{inner}</details>" if inner else ""


def _quote(result: RuleResult) -> str:
    rule = result.rule
    clause = f"<cite>{escape(rule.clause)}</cite>" if rule.clause else ""
    quotes = [rule.quote, *(other.quote for other in rule.also)]
    return clause + "".join(f"<q>{escape(quote)}</q>" for quote in quotes if quote)


def _years(result: RuleResult, lang: Lang) -> str:
    if not result.years:
        return ""
    heads = "".join(f"<th>{year.year}</th>" for year in result.years)
    unit = unit_of(result.rule, lang)
    lines = (
        (pick(lang, "现值", "Value"), [_told(year.value, unit) for year in result.years]),
        (pick(lang, "目标", "Target"), [_told(year.target, unit) for year in result.years]),
        (pick(lang, "判断", "Verdict"), [met_text(year.met, lang) for year in result.years]),
    )
    rows = "".join(f"<tr><th>{head}</th>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>" for head, cells in lines)
    return f'<table class="years"><tr><th></th>{heads}</tr>{rows}</table>'


def _told(value: float | None, unit: str) -> str:
    return "" if value is None else amount(value, "%" if unit == "%" else "")


def _units(result: RuleResult, lang: Lang) -> str:
    """List the units that were judged one by one, those short of the target first."""
    judged = sorted((unit for unit in result.units if unit.value is not None), key=lambda unit: unit.met is not False)
    if not judged:
        return ""
    unit = unit_of(result.rule, lang) if result.rule.measure in ("people_percent", "places_per_1000") else ""
    rows = "".join(
        f"<tr><td>{'' if one.met is None else MARKS['met' if one.met else 'short']}</td><td>{escape(one.name)}</td>"
        f"<td>{escape(row_level(one.level, lang))}</td><td>{escape(amount(one.value or 0.0, unit))}</td>"
        f"<td>{_whole(one.people)}</td></tr>"
        for one in judged
    )
    heads = (
        "",
        pick(lang, "名称", "Name"),
        pick(lang, "级别", "Level"),
        pick(lang, "现值", "Value"),
        pick(lang, "人数", "People"),
    )
    top = "".join(f"<th>{head}</th>" for head in heads)
    told = pick(lang, f"逐个列出（{len(judged)}）", f"One by one ({len(judged)})")
    return f'<details class="units"><summary>{told}</summary><table><tr>{top}</tr>{rows}</table></details>'


def _foot(card: Scorecard, lang: Lang) -> str:
    notes = [pick(lang, *note) for note in card.notes]
    notes += [f"{fault.file} {fault.text(lang)}" for fault in card.faults]
    senses = pick(
        lang,
        "“有没有”数的是单元：单元内有一处即算；“够得着”数的是人：沿路网步行在时限内到达任一处即算，不论设施在哪个单元。",
        "“Has one” counts units: one facility inside is enough. “Reaches one” counts people: along the streets, within the "
        "limit, wherever the facility stands.",
    )
    items = "".join(f"<li>{escape(note)}</li>\n" for note in [senses, *notes])
    return f"</main>\n<footer><h2>{pick(lang, '说明', 'Notes')}</h2>\n<ul>\n{items}</ul></footer>\n"
