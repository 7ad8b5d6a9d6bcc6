"""Lay the audit of a study out as one calm page: the counts, then every finding, the most people first."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from careshed.check import BASES, WEIGHTS
from careshed.words import Lang, pick

if TYPE_CHECKING:
    from careshed.check import CheckReport, Finding
    from careshed.check.model import Weight

MARKS: Final[dict[Weight, str]] = {"error": "✕", "doubt": "?", "note": "i"}
"""Sign of each weight, so that colour is not needed to tell them apart."""

PLURAL: Final[dict[Weight, str]] = {"error": "errors", "doubt": "doubtful", "note": "noted"}

FIRST: Final = 100
"""Findings told at once; the rest unfold."""


def check_page(report: CheckReport, lang: Lang) -> str:
    """Give the page as HTML that asks no other machine for anything; all text from data is escaped."""
    title = pick(lang, "数据检查", "Data check")
    body = "".join([_head(report, lang, title), _tiles(report, lang), _findings(report, lang), _foot(report, lang)])
    return (
        f'<!doctype html>\n<html lang="{pick(lang, "zh-CN", "en")}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title} · {escape(report.study)}</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )


def _head(report: CheckReport, lang: Lang, title: str) -> str:
    made_up = pick(lang, "虚构数据，不描述任何真实地点", "Made-up data: no real place is described")
    ribbon = f'<p class="ribbon">{made_up}</p>\n' if report.made_up else ""
    dated = pick(lang, f"数据截至 {report.data_date}", f"Data of {report.data_date}") if report.data_date else ""
    about = " · ".join(text for text in (escape(report.study), escape(dated)) if text)
    return f'<main>\n{ribbon}<header><h1>{title}</h1><p class="soft">{about}</p></header>\n'


def _tiles(report: CheckReport, lang: Lang) -> str:
    counts = report.counts()
    tiles = "".join(
        f'<li class="{weight}"><b>{counts[weight]}</b><span>{_mark(weight)} {pick(lang, words[0], PLURAL[weight])}</span></li>\n'
        for weight, words in WEIGHTS.items()
    )
    fixable = sum(one.fix is not None for one in report.findings)
    worst = next((one for one in report.findings if one.weight != "note"), None)
    repairs = pick(
        lang,
        f"{fixable} 处可用 --fix 安全修正，原文件不动。",
        f"{fixable} can be repaired safely with --fix; the originals are not touched.",
    )
    if worst is None:
        told = pick(lang, "没有发现错误或存疑之处。", "No errors and nothing doubtful found.")
    elif round(worst.people) == 0:
        told = pick(lang, "以下各处均未能计出涉及的人数。", "For none of these can the people concerned be counted. ") + repairs
    else:
        named = worst.heading(lang) if worst.kind != "reading" else worst.text(lang)
        told = pick(
            lang,
            f"涉及人数最多的是“{named}”（{worst.people:,.0f} 人）。",
            f"The finding that concerns most people: {named[:1].lower()}{named[1:]} ({worst.people:,.0f}). ",
        )
        told += repairs
    return f'<ul class="tiles">\n{tiles}</ul>\n<p class="hero">{escape(told)}</p>\n'


def _mark(weight: Weight) -> str:
    return f'<i class="mark" aria-hidden="true">{MARKS[weight]}</i>'


def _findings(report: CheckReport, lang: Lang) -> str:
    """Tell what is wrong or doubtful in one table, the most people first; what is only noted is folded."""
    grave = [one for one in report.findings if one.weight != "note"]
    notes = [one for one in report.findings if one.weight == "note"]
    parts = []
    if grave:
        heading = pick(lang, "错误与存疑", "Errors and doubts")
        order = pick(lang, "涉及人数多的在前", "the most people first")
        parts.append(
            f'<section>\n<h2>{heading} <span class="soft">{order}</span></h2>\n{_table(grave[:FIRST], lang)}</section>\n'
        )
    if len(grave) > FIRST:
        label = pick(lang, f"其余 {len(grave) - FIRST} 处", f"{len(grave) - FIRST} more")
        parts.append(f"<details><summary>{label}</summary>\n{_table(grave[FIRST:], lang)}</details>\n")
    if notes:
        label = pick(lang, f"提示 {len(notes)} 条", f"{len(notes)} noted")
        parts.append(f"<details><summary>{label}</summary>\n{_table(notes, lang)}</details>\n")
    return "".join(parts)


def _table(found: list[Finding], lang: Lang) -> str:
    heads = (
        ("", "n"), (pick(lang, "人数", "People"), "n"), (pick(lang, "位置", "Where"), ""), (pick(lang, "现值", "Value"), ""),
        (pick(lang, "问题", "What was found"), ""), (pick(lang, "建议", "What to do"), ""),
    )  # fmt: skip
    top = "".join(f'<th class="{kind}">{head}</th>' for head, kind in heads)
    rows = "".join(_row(one, lang) for one in found)
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>\n{rows}</tbody></table></div>\n'


def _row(one: Finding, lang: Lang) -> str:
    label = pick(lang, *WEIGHTS[one.weight])
    mark = f'<span class="{one.weight}" title="{label}">{_mark(one.weight)}<span class="said">{label}</span></span>'
    people = f"{one.people:,.0f}<small>{escape(pick(lang, *BASES[one.basis]))}</small>" if one.people else "—"
    row = pick(lang, f"第 {one.row} 行", f"row {one.row}") if one.row[:1].isdigit() else one.row
    where = " · ".join(escape(text) for text in (one.sheet, row, one.column) if text)
    fixed = f"<small>{pick(lang, '可安全修正', 'safe to repair')}</small>" if one.fix else ""
    head = "" if one.kind == "reading" else f"<b>{escape(one.heading(lang))}</b><br>"
    cells = (
        f'<td class="m">{mark}</td>', f'<td class="n">{people}</td>', f"<td>{escape(one.file)}<small>{where}</small></td>",
        f'<td class="v">{escape(one.value)}</td>', f"<td>{head}{escape(one.text(lang))}</td>",
        f"<td>{escape(one.proposal(lang))}{fixed}</td>",
    )  # fmt: skip
    return f"<tr>{''.join(cells)}</tr>\n"


def _foot(report: CheckReport, lang: Lang) -> str:
    files = "、".join(report.files) if lang == "zh" else ", ".join(report.files)
    zh = "检查过的文件：{files}。人数：有服务的设施，按以其为最近设施的服务对象计；其余按所在单元或该处居民计。行号与原表一致。"
    en = (
        "Files looked at: {files}. People: of a facility that gives a service, those of the service's group whose nearest it is; "
        "else the residents of its unit or of the place. Rows are numbered as in the files."
    )
    told = pick(lang, zh, en)
    return f"<footer><p>{escape(told.format(files=files))}</p></footer>\n</main>\n"


STYLE: Final = """
:root{--ink:#1d2730;--soft:#55616c;--line:#dfe3e6;--error:#a3261c;--doubt:#8a5a00;--note:#1f6aa5}
*{box-sizing:border-box}
body{margin:0;background:#fff;color:var(--ink);font:15px/1.65 "Noto Sans SC","Noto Sans CJK SC","PingFang SC","Microsoft YaHei","Segoe UI",system-ui,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:72rem;margin:0 auto;padding:40px 24px 64px}
h1{margin:0;font-size:26px;line-height:1.3}
h2{margin:32px 0 4px;font-size:18px;line-height:1.4}
h2 .soft{font-weight:400}
p{margin:6px 0}
.soft{color:var(--soft);font-size:13.5px}
.ribbon{display:inline-block;margin:0 0 12px;padding:2px 12px;border:1px solid var(--error);border-radius:3px;color:var(--error);font-size:13px;font-weight:600}
.tiles{display:grid;grid-template-columns:repeat(3,minmax(0,12rem));gap:12px;margin:20px 0 0;padding:0;list-style:none}
.tiles li{padding:10px 14px 12px;border:1px solid var(--line);border-top:3px solid currentColor;border-radius:4px}
.tiles b{display:block;font-size:26px;line-height:1.25}
.tiles span{font-size:13px}
.error{color:var(--error)}.doubt{color:var(--doubt)}.note{color:var(--note)}
.hero{margin:18px 0 0;font-size:17px}
.mark{display:inline-block;width:20px;height:20px;border:1px solid currentColor;border-radius:50%;font-style:normal;font-size:12px;line-height:18px;text-align:center}
.said{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.wide{overflow-x:auto}
table{width:100%;margin-top:6px;border-collapse:collapse;table-layout:fixed;font-size:13.5px;line-height:1.5}
th{padding:6px 14px 6px 0;border-bottom:1px solid var(--ink);text-align:left;font-weight:600}
td{padding:7px 14px 7px 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
th:nth-child(1){width:36px}th:nth-child(2){width:128px}th:nth-child(3){width:19%}th:nth-child(4){width:17%}
td.n,th.n{text-align:right}
td.m{position:relative}
td small{display:block;color:var(--soft);font-size:12px;line-height:1.45}
details{margin-top:20px}
summary{cursor:pointer;color:var(--soft);font-size:13.5px}
footer{margin-top:40px;padding-top:14px;border-top:1px solid var(--line);color:var(--soft);font-size:13px}
@media (max-width:760px){main{padding:24px 16px 48px}.wide table{min-width:46rem}}
@media print{@page{size:A4 landscape;margin:12mm}body{font-size:9.5pt}main{max-width:none;padding:0}h2{break-after:avoid}thead{display:table-header-group}tr{break-inside:avoid}.tiles li,.mark{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
"""  # noqa: E501
