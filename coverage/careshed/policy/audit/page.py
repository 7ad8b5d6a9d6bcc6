"""Write an audit as one page to read on screen or print."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Final

from careshed.policy.audit.results import MEANINGS, OUTCOMES, Audit, Check, Outcome
from careshed.policy.audit.telling import RULES, headline, kind_name, outcome_name, quoted
from careshed.words import Lang, pick

_STYLE: Final = Path(__file__).with_name("page.css")


def write_audit(path: str | Path, audit: Audit, lang: Lang = "zh") -> Path:
    """Write the audit as a single page that opens without a network and prints.

    Returns
    -------
    pathlib.Path
        The file written; the same audit gives the same bytes.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(_page(audit, lang), encoding="utf-8", newline="\n")
    return target


def _page(audit: Audit, lang: Lang) -> str:
    title = escape(pick(lang, f"{audit.name_zh}：方案自身数字的复核", f"{audit.name_en}: the plan's own arithmetic"))
    found = "".join(_group(audit, outcome, lang) for outcome in OUTCOMES if outcome != "closes")
    return (
        f'<!doctype html>\n<html lang="{pick(lang, "zh-CN", "en")}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{title}</title><style>{_STYLE.read_text(encoding='utf-8')}</style></head>\n<body><main>\n"
        f"<h1>{title}</h1>\n{_head(audit, lang)}{found}{_closing(audit, lang)}{_rules(lang)}</main></body></html>\n"
    )


def _head(audit: Audit, lang: Lang) -> str:
    counts = {outcome: sum(check.outcome == outcome for check in audit.checks) for outcome in OUTCOMES}
    bars = "".join(f'<i class="{outcome}" style="flex:{n}"></i>' for outcome, n in counts.items() if n)
    keys = "".join(
        f'<li><b>{n}</b><span class="name {outcome}">{outcome_name(outcome, lang)}</span>'
        f'<span class="means">{escape(pick(lang, *MEANINGS[outcome]))}</span></li>'
        for outcome, n in counts.items()
        if n
    )
    issued = pick(lang, f"{audit.issued} 印发 · 方案编号 {audit.plan}", f"issued {audit.issued} · plan {audit.plan}")
    return (
        f'<p class="soft">{escape(issued)}</p>\n<p class="hero">{escape(headline(audit, lang))}</p>\n'
        f'<div class="bar" aria-hidden="true">{bars}</div>\n<ul class="key">{keys}</ul>\n'
    )


def _group(audit: Audit, outcome: Outcome, lang: Lang) -> str:
    checks = [check for check in audit.findings if check.outcome == outcome]
    if not checks:
        return ""
    name = f"{outcome_name(outcome, lang)}{pick(lang, f'（{len(checks)} 项）', f' ({len(checks)})')}"
    articles = "".join(_article(check, lang) for check in checks)
    return f'<section><h2 class="{outcome}">{name[0].upper()}{name[1:]}</h2>\n{articles}</section>\n'


def _article(check: Check, lang: Lang) -> str:
    told = check.arithmetic(lang)
    parts = "".join(f"<span>{escape(part)}</span>" for part in told.split("; "))
    readings = "".join(f"<li>{escape(pick(lang, *reading))}</li>" for reading in check.readings)
    figures = "".join(
        f"<dt>{escape(title)}</dt><dd>{escape(quote)}{_inside(' <small>', escape(source), '</small>')}</dd>"
        for title, quote, source in quoted(check.figures, lang)
    )
    return (
        f'<article class="{check.outcome}" id="{escape(check.id, quote=True)}"><header><h3>{escape(check.title(lang))}</h3>'
        f'<span class="kind">{escape(kind_name(check.kind, lang))}</span></header>'
        f'<p class="sum{" long" if len(told) > 70 else ""}">{parts}</p>'
        f"{_inside('<ul class=readings>', readings, '</ul>')}{_inside('<dl>', figures, '</dl>')}</article>\n"
    )


def _inside(start: str, text: str, end: str) -> str:
    return f"{start}{text}{end}" if text else ""


def _closing(audit: Audit, lang: Lang) -> str:
    if not audit.closed:
        return ""
    head = pick(lang, f"闭合（{len(audit.closed)} 项）", f"Closes ({len(audit.closed)})")
    names = (pick(lang, "复核", "check"), pick(lang, "事项", "of"), pick(lang, "算式", "arithmetic"))
    rows = "".join(
        f"<tr><td>{escape(kind_name(check.kind, lang))}</td><td>{escape(check.title(lang))}</td>"
        f"<td>{escape(check.arithmetic(lang))}</td></tr>\n"
        for check in audit.closed
    )
    columns = "".join(f'<th scope="col">{name}</th>' for name in names)
    table = f"<table><thead><tr>{columns}</tr></thead><tbody>\n{rows}</tbody></table>"
    return f'<section><h2 class="closes">{head}</h2>\n{table}</section>\n'


def _rules(lang: Lang) -> str:
    rules = "".join(f"<li>{escape(pick(lang, *rule))}</li>" for rule in RULES)
    head = pick(lang, "数字按什么精度理解", "How precise a printed number is taken to be")
    note = pick(
        lang,
        "本页由 careshed 根据方案自身的数据算出，引文须与正式印发的文本核对。",
        "Worked out by careshed from the plan's own figures; check the quotes against the published text.",
    )
    return f'<section><h2>{head}</h2><ul class="rules">{rules}</ul></section>\n<footer>{note}</footer>\n'
