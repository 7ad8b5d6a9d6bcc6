"""Show a scorecard as a card in a notebook: every target with its value and verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from careshed.display import WARM, Markup, Table, card, display_language, text
from careshed.policy.judging.card import STATES, State
from careshed.words import Lang, pick

if TYPE_CHECKING:
    from careshed.policy.judging.card import RuleResult, Scorecard

_ORDER: Final[tuple[State, ...]] = ("short", "contradicted", "met", "unjudged")
"""What a reader looks for first; procedures are not scored and only counted."""


def scorecard_card(judged: Scorecard) -> str:
    """Lay out the card of a scorecard in the language of the cards."""
    lang = display_language()
    counts = judged.counts()
    lead = pick(lang, "，", ", ").join(f"{pick(lang, *STATES[state])} {counts[state]}" for state in STATES)
    headers = (
        pick(lang, "指标", "target"),
        pick(lang, "现值", "value"),
        pick(lang, "目标", "wanted"),
        pick(lang, "结论", "verdict"),
    )
    rows = [_row(one, lang) for state in _ORDER for one in judged.results if one.state == state]
    return card(
        f"{judged.name(lang)} · {judged.study}",
        lead=lead,
        table=Table(headers, rows, frozenset({1, 2}), len(rows)),
        note=judged.check(lang),
        made_up=judged.made_up,
        lang=lang,
    )


def _row(one: RuleResult, lang: Lang) -> tuple[str, ...]:
    unit = one.rule.unit(lang)
    verdict = pick(lang, *STATES[one.state])
    why = pick(lang, *one.why)
    if one.state == "short":
        return (*_figures(one, unit, lang), Markup(f'<span style="color:{WARM};font-weight:600">{text(verdict)}</span>'))
    return (*_figures(one, unit, lang), f"{verdict}{pick(lang, '：', ': ')}{why}" if why else verdict)


def _figures(one: RuleResult, unit: str, lang: Lang) -> tuple[str, str, str]:
    def told(value: float | None) -> str:
        return "—" if value is None else f"{value:,.4g} {unit}".strip() if abs(value) < 1000 else f"{value:,.0f} {unit}".strip()

    return pick(lang, one.rule.title_zh, one.rule.title_en), told(one.value), told(one.target)
