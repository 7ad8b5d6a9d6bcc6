"""Tell an audit as a table and as plain text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

import pandas as pd

from careshed.policy.audit.results import OUTCOMES, Audit, Check, Figure, Outcome
from careshed.words import Lang, pick

KINDS: Final[dict[str, tuple[str, str]]] = {
    "sum": ("合计", "sum"),
    "product": ("乘积", "product"),
    "table_row": ("行合计", "row of a schedule"),
    "table_column": ("列合计", "column of a schedule"),
    "table_target": ("现有＋新增", "stock + added"),
    "ratio": ("比例×人口", "ratio × population"),
    "share": ("占比", "share"),
    "gap": ("缺口", "gap"),
    "rise": ("占比与增量", "share and additions"),
    "part": ("部分与全部", "part and whole"),
    "each": ("平均数", "average"),
    "cover": ("覆盖与设施数", "coverage and facilities"),
    "possible": ("可能的比例", "possible percentages"),
    "common": ("共同分母", "common denominator"),
    "standards": ("标准与总量", "standards and total"),
    "columns": ("两列比较", "two columns"),
    "series": ("逐年目标", "targets by year"),
    "code": ("名称与内容", "name and contents"),
    "twice": ("两处陈述", "stated more than once"),
    "two_years": ("两个期限", "two due years"),
    "deadline": ("期限", "due date"),
    "count": ("项数", "number of projects"),
    "m2_per_place": ("每托位面积", "floor per place"),
    "m2_per_bed": ("每床面积", "floor per bed"),
    "floor_per_land": ("容积率", "floor over land"),
    "over": ("建设期限", "project years"),
    "doublets": ("重复项目", "doublets"),
    "cost": ("单位造价", "cost per m²"),
    "delivery": ("项目与目标", "projects and target"),
}
"""Kind of check -> (Chinese, English)."""

RULES: Final[tuple[tuple[str, str], ...]] = (
    (
        "整数的数量、目标和标准按字面取值，没有误差。",
        "Whole counts, targets and standards are taken to the letter.",
    ),
    (
        "统计得出的比例精确到所列末位的一半：18.2% 即 18.15–18.25%。",
        "Measured rates are good to half of their last digit: 18.2 % is 18.15 to 18.25 %.",
    ),
    (
        "以千、万、亿为单位的数同样精确到末位的一半：1.8万 即 17,500–18,500；写“约”“左右”的加倍；“1.1万余”即 11,000–12,000。",
        "So are numbers in 千, 万 or 亿: 1.8万 is 17,500 to 18,500; 约 and 左右 double that; 1.1万余 is 11,000 to 12,000.",
    ),
    (
        "误差随运算传递；复算数与所列数的范围相交，即为闭合。取整范围内、但按字面达不到的目标，记为“取整差异”。",
        "Precision is carried through the arithmetic; where the ranges of both numbers meet, the check closes. A target that is "
        "missed to the letter but within its rounding is called “rounding”.",
    ),
)
"""How precise a printed number is taken to be."""

AUDIT_COLUMNS: Final = ("outcome", "kind", "title", "arithmetic", "readings", "figures", "source", "id")


def kind_name(kind: str, lang: Lang) -> str:
    """Name a kind of check for the reader."""
    return pick(lang, *KINDS[kind])


def outcome_name(outcome: Outcome, lang: Lang) -> str:
    """Name an outcome for the reader."""
    return pick(lang, *OUTCOMES[outcome])


def quoted(figures: Iterable[Figure], lang: Lang) -> Iterator[tuple[str, str, str]]:
    """Figures as (title and value, quote or outside source, ids), those of one quote together."""
    groups: dict[tuple[str, tuple[str, ...]], list[Figure]] = {}
    for figure in figures:
        where = figure.quote or pick(lang, figure.outside_zh, figure.outside_en)
        groups.setdefault((re.sub(r"\s+", " ", where), () if figure.quote else (figure.id,)), []).append(figure)
    for (where, _), group in groups.items():
        told = pick(lang, "；", "; ").join(f"{figure.title(lang)}{pick(lang, '：', ': ')}{figure.told(lang)}" for figure in group)
        sources = dict.fromkeys(source for figure in group for source in figure.source)
        yield (
            told,
            f"「{where}」" if group[0].quote else pick(lang, f"方案之外：{where}", f"not from the plan: {where}"),
            ", ".join(sources),
        )


def audit_table(audit: Audit, lang: Lang = "zh") -> pd.DataFrame:
    """Lay every check out as a table, the gravest first.

    Returns
    -------
    pandas.DataFrame
        Columns `AUDIT_COLUMNS`, a row a check; ``figures`` holds the plan's words.

    >>> from careshed.policy.audit.auditing import audit_profile
    >>> list(audit_table(audit_profile("shanxi-2022"), "en")["outcome"])
    ['closes', 'closes']
    """
    rows = [_row(check, lang) for check in audit.checks]
    return pd.DataFrame(rows, columns=list(AUDIT_COLUMNS))


def _row(check: Check, lang: Lang) -> tuple[str, ...]:
    told = list(quoted(check.figures, lang))
    return (
        outcome_name(check.outcome, lang),
        kind_name(check.kind, lang),
        check.title(lang),
        check.arithmetic(lang),
        "\n".join(pick(lang, *reading) for reading in check.readings),
        "\n".join(f"{title} {quote}" for title, quote, _ in told),
        ", ".join(dict.fromkeys(source for figure in check.figures for source in figure.source)),
        check.id,
    )


def headline(audit: Audit, lang: Lang) -> str:
    """Say in one sentence how the plan's arithmetic stands.

    >>> from careshed.policy.audit.auditing import audit_profile
    >>> headline(audit_profile("shanxi-2022"), "en")
    'Recomputed 2 relations among 5 figures: all close.'
    """
    checks, findings = len(audit.checks), len(audit.findings)
    zh = f"{findings} 项有问题" if findings else "全部闭合"
    en = "all close" if not findings else f"{checks - findings} close, {findings} to look at"
    if findings:
        zh = f"{checks - findings} 项闭合，{zh}"
    return pick(
        lang,
        f"用 {audit.figures} 个数据复算 {checks} 项关系：{zh}。",
        f"Recomputed {checks} relations among {audit.figures} figures: {en}.",
    )


def audit_text(audit: Audit, lang: Lang = "zh") -> str:
    """Tell an audit in plain text: every finding with its arithmetic and quotes, then what closes.

    >>> from careshed.policy.audit.auditing import audit_profile
    >>> print(audit_text(audit_profile("botou-2022"), "en").splitlines()[4])
    [does not close] Places per 1,000 in 2020: 370 ÷ 570 = 0.65 ≠ 0.2
    """
    lines = [audit.name(lang), pick(lang, f"印发：{audit.issued}", f"issued {audit.issued}"), headline(audit, lang), ""]
    for check in audit.findings:
        lines.append(f"[{outcome_name(check.outcome, lang)}] {check.title(lang)}{pick(lang, '：', ': ')}{check.arithmetic(lang)}")
        lines.extend(f"    - {pick(lang, *reading)}" for reading in check.readings)
        lines.extend(f"      {title} {quote}" for title, quote, _ in quoted(check.figures, lang))
    lines.extend(["", pick(lang, f"闭合（{len(audit.closed)} 项）", f"Closes ({len(audit.closed)})")])
    lines.extend(f"  {check.title(lang)}{pick(lang, '：', ': ')}{check.arithmetic(lang)}" for check in audit.closed)
    lines.extend(["", *(pick(lang, *rule) for rule in RULES)])
    return "\n".join(lines) + "\n"
