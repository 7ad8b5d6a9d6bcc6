"""Word the plans of a study for the tables of a brief: what each brings and costs, its sites, its years."""

from __future__ import annotations

from typing import TYPE_CHECKING

from careshed.report.brief.telling import DASH, counts_of, money, percent
from careshed.report.tables import number
from careshed.siting.studying.listing import listed
from careshed.siting.studying.words import limit_of_demand
from careshed.words import Lang, group_name, pick

if TYPE_CHECKING:
    from collections.abc import Sequence

    from careshed.run import RunResult
    from careshed.siting.studying import StudyPlan


def plan_site_rows(solved: StudyPlan, lang: Lang) -> list[tuple[str, ...]]:
    """Word the new sites of a plan in building order for a table, with the year where it has years; the last row sums up."""
    plan, reasons, units = solved.plan, solved.extras.reasons, solved.problem.study.units["name"]
    total = plan.reached[0].total if plan.reached else 0.0
    reached = plan.reached[0].before if plan.reached else 0.0
    rows: list[tuple[str, ...]] = []
    sums: tuple[float | None, float | None] = (0.0, 0.0)
    for one in listed(solved):
        if one.fate != "new":
            continue
        row = plan.sites.loc[one.id]
        told = reasons is not None and one.id in reasons.table.index
        new = number(reasons.table.at[one.id, "people_new"]) if reasons is not None and told else None
        reached += new or 0.0
        net = number(row["net_yuan"])
        sums = _plus(sums[0], new), _plus(sums[1], net)
        unit = str(row["unit"])
        year = f"（{one.year}）" if one.year is not None and lang == "zh" else f" ({one.year})" if one.year is not None else ""
        rows.append(
            (
                str(one.rank), f"{row['name'] or one.id}{year}", str(units.get(unit, unit)) or DASH,
                DASH if new is None else f"{new:,.0f}",
                DASH if new is None or len(plan.reached) != 1 else percent(reached, total), money(net, lang),
            )
        )  # fmt: skip
    if rows:
        people = DASH if sums[0] is None else f"{sums[0]:,.0f}"
        called = pick(lang, f"合计 {len(rows)} 处", f"Total of {len(rows)}")
        rows.append(("", called, "", people, rows[-1][4], money(sums[1], lang)))
    return rows


def _plus(whole: float | None, part: float | None) -> float | None:
    """Add up, as long as every part is known."""
    return None if whole is None or part is None else whole + part


def plan_rows(plans: Sequence[StudyPlan], lang: Lang) -> list[tuple[str, ...]]:
    """Word plans for a table that compares them: for whom, new sites, money, reach before and after, how good."""
    rows: list[tuple[str, ...]] = []
    for solved in plans:
        plan, demand, reached = solved.plan, solved.plan.objective.demands[0], solved.plan.reached[0]
        who, limit = group_name(reached.group, lang), limit_of_demand(demand, lang)
        if solved.section.mode:
            mode = solved.problem.study.travel_mode(solved.section.mode)
            limit = pick(lang, f"{mode.zh} {limit}", f"{limit} ({mode.en})")
        best = plan.status == "optimal" if solved.phased is None else solved.phased.status == "optimal"
        gap = plan.gap if solved.phased is None else solved.phased.gap
        proof = pick(lang, "最优", "best") if best else pick(lang, f"差距≤{gap:.1%}", f"{gap:.1%} off at most")
        if plan.relaxation is not None:
            proof = pick(lang, "规则让步后", "after giving way: ") + proof
        rows.append(
            (
                solved.section.name(lang), f"{who}{pick(lang, '，', ', ')}{limit}", str(len(plan.new)),
                money(plan.net_yuan, lang), percent(reached.before, reached.total), percent(reached.after, reached.total),
                f"{reached.after:,.0f}", proof,
            )
        )  # fmt: skip
    return rows


def start_note(result: RunResult, solved: StudyPlan, lang: Lang) -> str:
    """Say why a plan starts from another share than its service's, "" where it does not."""
    section, reached = solved.section, solved.plan.reached[0]
    own = next((one for one in result.services if one.service.id == reached.service), None)
    if own is None or section.mode or not (section.classes or section.functions):
        return ""
    counts, demand = counts_of(own), solved.plan.objective.demands[0]
    if demand.minutes != own.service.within_minutes or abs(counts.covered - reached.before) < 0.5:
        return ""
    name, plan_share, share = section.name(lang), percent(reached.before, reached.total), percent(counts.covered, counts.people)
    zh = f"“{name}”只计符合其要求的现有设施，现状因此为 {plan_share}，计全部现有设施为 {share}。"
    en = f"“{name}” counts only existing facilities that meet its terms: {plan_share} today, {share} with all of them."
    return pick(lang, zh, en)


def year_rows(solved: StudyPlan, lang: Lang) -> list[tuple[str, ...]]:
    """Word what opens in which year for a table; the last row sums up."""
    phased = solved.phased
    if phased is None:
        return []
    names = {str(name): str(text) for name, text in phased.sites["name"].items()}
    rows: list[tuple[str, ...]] = []
    for year, row in phased.table.iterrows():
        opened = phased.opened[int(str(year))]
        sites = pick(lang, "、", ", ").join(names.get(name) or name for name in opened) or DASH
        rows.append((str(year), str(len(opened)), sites, money(number(row["net_yuan"]), lang), f"{float(row['after']):,.0f}"))
    count, net = sum(len(one) for one in phased.opened.values()), number(phased.table["net_yuan"].sum())
    return [*rows, (pick(lang, "合计", "Total"), str(count), "", money(net, lang), rows[-1][-1])]
