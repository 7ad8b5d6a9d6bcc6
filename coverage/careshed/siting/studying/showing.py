"""Show a solved plan of a study as a card in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from careshed.display import Table, bar, card
from careshed.siting.studying.words import plan_sentences
from careshed.words import pick

if TYPE_CHECKING:
    from careshed.siting.studying.result import StudyPlan


def plan_card(solved: StudyPlan) -> str:
    """Lay out the card of a plan: its sentences, and who is reached before and after, unit by unit."""
    lang = solved.problem.study.lang
    lead, *rest = plan_sentences(solved, lang)
    group = solved.plan.reached[0].group
    headers = (
        pick(lang, "单元", "unit"),
        pick(lang, "人数", "people"),
        pick(lang, "现状可达", "reached now"),
        pick(lang, "方案后可达", "reached after"),
    )
    names = {"ALL": pick(lang, "全部", "all")} | {
        str(code): str(name) for code, name in solved.problem.study.units["name"].items()
    }
    rows = [
        (
            names.get(str(row["unit"]), str(row["unit"])),
            f"{row['people']:,.0f}",
            bar(row["before"] / row["people"]),
            bar(row["after"] / row["people"]),
        )
        for row in solved.by_unit.to_dict("records")
        if row["people"] > 0 and row["group"] == group
    ]
    return card(
        solved.section.name(lang),
        lead=lead,
        table=Table(headers, rows, frozenset({1})),
        note=pick(lang, "", " ").join(rest),
        made_up=solved.problem.study.made_up,
        lang=lang,
    )
