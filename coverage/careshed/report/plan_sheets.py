"""Lay out what a plan says beside its sites: units, years, money, alternatives, curve, scenarios, rules, assumptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from careshed.report.tables import headed, number
from careshed.report.workbook import Column, Sheet, Value
from careshed.schema import TIERS
from careshed.siting.planning import Budget
from careshed.siting.planning.wording import yuan_text
from careshed.siting.studying import gave_way
from careshed.siting.studying.assumptions import BUILDS, SETTINGS
from careshed.siting.studying.rule_words import rule_lines
from careshed.siting.studying.rules import NO_LIMIT
from careshed.words import Lang, group_name, level_name, pick

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping
    from typing import Any

    from careshed.siting.phasing import PhasedPlan
    from careshed.siting.reasons import SiteReasons
    from careshed.siting.reasons.curve import Frontier
    from careshed.siting.scenarios import Robustness
    from careshed.siting.studying import StudyPlan

FINEST: Final = 2
"""Tier of the units listed: streets and townships, and what lies above them."""


def units_sheet(solved: StudyPlan, lang: Lang) -> Sheet:
    """Say by county, street and township who is reached before and after, and how many sites there are."""
    units = solved.problem.study.units
    several = len(solved.problem.objective.demands) > 1
    columns = (
        Column("name", "名称", "Name", "text", 22),
        Column("level", "级别", "Level", "text", 20),
        Column("group", "人群", "Group", "text", 20),
        Column("people", "人数", "People", "people", 11),
        Column("before", "现状可达", "Reached today", "people", 11),
        Column("after", "方案可达", "Reached by the plan", "people", 11),
        Column("share_before", "现状可达率", "Share today", "share", 11),
        Column("share_after", "方案可达率", "Share by the plan", "share", 11),
        Column("sites_before", "现有设施", "Sites today", "count", 9),
        Column("sites_after", "方案设施", "Sites by the plan", "count", 9),
        Column("new", "其中新增", "Of them new", "count", 9),
    )
    rows = []
    for row in solved.by_unit.to_dict("records"):
        unit = str(row["unit"])
        level = str(units["level"].get(unit, ""))
        if unit == "ALL" or TIERS.get(level, FINEST + 1) <= FINEST or (unit not in units.index and row["people"]):
            rows.append(_unit_row(unit, row, level, str(units["name"].get(unit, "")), lang))
    title = headed(solved.section.name(lang), pick(lang, "按单元", "By unit"))
    note = pick(
        lang,
        "可达率的分母为本单元全部该类人口（含接不上路网的人）；设施计入所在单元及其上级。",
        "Shares are of all people of the group in the unit, those off the street network included; a site counts for its unit "
        "and all above.",
    )
    note += pick(lang, "人群按目标分列。", " One block a demand.") if several else ""
    strong = frozenset(at for at, row in enumerate(rows) if row[1] == "")
    return Sheet(pick(lang, "按单元", "Units"), title, (note,), columns, tuple(rows), lang, strong=strong)


def _unit_row(unit: str, row: Mapping[Hashable, Any], level: str, name: str, lang: Lang) -> tuple[Value, ...]:
    people, before, after = (float(row[key]) for key in ("people", "before", "after"))
    shares = (before / people, after / people) if people else (None, None)
    called = pick(lang, "全部", "All") if unit == "ALL" else name or pick(lang, "单元以外", "Outside all units")
    sites = (int(row[key]) for key in ("sites_before", "sites_after", "new"))
    return (
        called,
        level_name(level, lang) if level else "",
        group_name(str(row["group"]), lang),
        people,
        before,
        after,
        *shares,
        *sites,
    )


def years_sheet(phased: PhasedPlan, lang: Lang) -> Sheet:
    """Say what opens in which year, what that costs and leaves, and whom it reaches."""
    columns = (
        Column("year", "年份", "Year", "text", 10),
        Column("new_sites", "新增处数", "New sites", "count", 9),
        Column("sites", "点位", "Sites", "text", 46),
        Column("cost_yuan", "造价（元）", "Cost (yuan)", "count", 13),
        Column("subsidy_yuan", "建设补贴（元）", "Subsidy (yuan)", "count", 13),
        Column("net_yuan", "净投入（元）", "Net (yuan)", "count", 13),
        Column("money_left", "结转（元）", "Money left (yuan)", "count", 13),
        Column("before", "年初可达", "Reached before", "people", 11),
        Column("after", "建成后可达", "Reached after", "people", 11),
        Column("bound", "只为该年选址的上限", "Most for this year alone", "people", 13),
    )
    names = {str(name): str(text) for name, text in phased.sites["name"].items()}
    rows = []
    for year, row in phased.table.iterrows():
        opened = phased.opened[int(str(year))]
        listed = pick(lang, "、", ", ").join(names.get(name) or name for name in opened)
        money = (number(row[key]) for key in ("cost_yuan", "subsidy_yuan", "net_yuan", "money_left"))
        people = (number(row[key]) for key in ("before", "after", "bound"))
        rows.append((str(year), len(opened), listed, *money, *people))
    total = tuple(float(phased.table[key].sum()) for key in ("cost_yuan", "subsidy_yuan", "net_yuan"))
    count = sum(int(row[1] or 0) for row in rows)
    ends = (None, float(phased.table["before"].iloc[0]), float(phased.table["after"].iloc[-1]), None)
    rows.append((pick(lang, "合计", "In all"), count, "", *total, *ends))
    notes = tuple(one.text(lang) for one in phased.nesting_cost if one.people >= 0.5)
    carried = {"carried_over": ("未用完的资金和处数结转下一期", "what a phase leaves over is there for the next"),
               "lapses": ("未用完的资金和处数不结转", "what a phase leaves over lapses")}[phased.unused]  # fmt: skip
    head = pick(lang, f"逐年建成的点位全部保留；{carried[0]}。", f"What is built stays; {carried[1]}.")
    title = pick(lang, "分年度安排", "Year by year")
    return Sheet(
        pick(lang, "分期", "Years"), title, (head, *notes), columns, tuple(rows), lang, strong=frozenset({len(rows) - 1})
    )


def money_sheet(solved: StudyPlan, lang: Lang) -> Sheet:
    """Say what every site costs, which subsidy is paid for it, and what is left to pay."""
    plan, problem = solved.plan, solved.problem
    columns = (
        Column("id", "编号", "Id", "text", 11),
        Column("name", "名称", "Name", "text", 28),
        Column("setting", "城乡", "Setting", "text", 10),
        Column("build", "补贴类别", "Subsidised as", "text", 14),
        Column("places", "床位或托位", "Places", "count", 10),
        Column("cost_yuan", "造价（元）", "Cost (yuan)", "count", 14),
        Column("subsidy_yuan", "建设补贴（元）", "Subsidy (yuan)", "count", 14),
        Column("per_place", "每个位子补贴（元）", "Subsidy a place (yuan)", "count", 14),
        Column("net_yuan", "净投入（元）", "Net (yuan)", "count", 14),
    )
    rows: list[tuple[Value, ...]] = []
    for name, row in plan.sites[plan.sites["cost_yuan"] > 0].iterrows():
        places, paid = number(row["places"]), float(row["subsidy_yuan"])
        build = _build(solved, str(name)) if row["status"] == "new" else "extension"
        told = (pick(lang, *SETTINGS[_setting(solved, str(row["unit"]))]), pick(lang, *BUILDS[build]))
        each = round(paid / places, 2) if places and row["status"] == "new" else None
        rows.append((str(name), str(row["name"]), *told, places, float(row["cost_yuan"]), paid, each, float(row["net_yuan"])))
    if plan.closed:
        rows.append(
            (
                "",
                pick(lang, f"关闭 {len(plan.closed)} 处", f"{len(plan.closed)} closures"),
                "",
                "",
                None,
                plan.closing_yuan,
                0.0,
                None,
                plan.closing_yuan,
            )
        )
    rows.append(
        (
            "",
            pick(lang, "合计", "In all"),
            "",
            "",
            None,
            plan.cost_yuan + plan.closing_yuan,
            plan.subsidy_yuan,
            None,
            plan.net_yuan,
        )
    )
    budget = next((rule.yuan for rule in problem.rules if isinstance(rule, Budget)), None)
    notes = [
        pick(
            lang,
            "造价为候选点位登记表所列；补贴一次性支付，以造价为限。",
            "Costs are those of the list of candidates; subsidies are paid once and never exceed the cost.",
        )
    ]
    phases = [phase.yuan for phase in solved.problem.section.phase]
    if phases and None not in phases and solved.problem.section.unused == "carried_over":
        budget = sum(yuan for yuan in phases if yuan is not None)
    if budget is not None and budget < NO_LIMIT:
        zh, en = yuan_text(budget)
        left_zh, left_en = yuan_text(abs(budget - plan.net_yuan))
        over = plan.net_yuan > budget
        notes.append(
            pick(
                lang,
                f"预算 {zh}，{'超出' if over else '结余'} {left_zh}。",
                f"Budget {en}, {left_en} {'over it' if over else 'left'}.",
            )
        )
    title = headed(solved.section.name(lang), pick(lang, "资金与补贴", "Money and subsidies"))
    return Sheet(
        pick(lang, "资金与补贴", "Money"), title, tuple(notes), columns, tuple(rows), lang, strong=frozenset({len(rows) - 1})
    )


def _build(solved: StudyPlan, name: str) -> str:
    tables = [times.facilities for times in solved.problem.options.values()]
    return next(str(table.loc[name, "build"]) for table in tables if name in table.index)


def _setting(solved: StudyPlan, unit: str) -> str:
    from careshed.access import lineage

    units = solved.problem.study.units
    return next((str(units.loc[code, "setting"]) for code in lineage(unit, units) if str(units.loc[code, "setting"])), "all")


def alternatives_sheet(solved: StudyPlan, reasons: SiteReasons, lang: Lang) -> Sheet:
    """List the candidates near each site and what taking one in its place would change."""
    columns = (
        Column("site", "点位", "Site", "text", 28),
        Column("candidate_id", "备选编号", "Candidate", "text", 11),
        Column("name", "备选名称", "Name", "text", 28),
        Column("metres", "直线距离（米）", "Straight line (m)", "count", 11),
        Column("people_change", "可达人数变化", "Change of people", "count", 11),
        Column("yuan_change", "净投入变化（元）", "Change of money (yuan)", "count", 14),
        Column("keeps_rules", "是否合规", "Keeps the rules", "text", 10),
        Column("breaks", "若替换，不满足", "Would break", "text", 40),
    )
    names = {str(name): str(row["name"]) for name, row in reasons.table.iterrows()}
    rows = tuple(
        (
            names.get(str(row["site_id"]), str(row["site_id"])),
            str(row["candidate_id"]),
            str(row["name"]),
            number(row["metres"]),
            number(row["people_change"]),
            number(row["yuan_change"]),
            pick(lang, "是" if row["keeps_rules"] else "否", "yes" if row["keeps_rules"] else "no"),
            str(row[f"breaks_{lang}"]),
        )
        for row in reasons.alternatives.to_dict("records")
    )
    note = pick(
        lang,
        f"每处点位直线 {reasons.near_m:g} 米内的其他候选点，最好的在前；变化指其余点位不动、只换这一处。",
        f"Other candidates within {reasons.near_m:g} m of each site, the best first; changes are those of this exchange alone.",
    )
    if solved.phased is not None:
        note += pick(lang, "是否合规只核对各项规则，未核对分年投入。", " Rules are checked, the money of each year is not.")
    title = headed(solved.section.name(lang), pick(lang, "附近的备选点位", "Alternatives nearby"))
    return Sheet(pick(lang, "备选", "Alternatives"), title, (note,), columns, rows, lang)


def curve_sheet(curve: Frontier, lang: Lang) -> Sheet:
    """Say what each further site, or sum of money, brings at best."""
    sites = curve.by == "sites"
    columns = (
        Column("limit", "处数" if sites else "投入上限（元）", "Sites" if sites else "Money (yuan)", "count", 13),
        Column("net_yuan", "净投入（元）", "Net (yuan)", "count", 13),
        Column("value", "可达人数", "People reached", "people", 12),
        Column("share", "占全部", "Share of all", "share", 10),
        Column("bound", "上限", "Bound", "people", 12),
        Column("added", "比上一行多", "More than the row above", "people", 12),
        Column("site_ids", "点位", "Sites", "text", 60),
    )
    rows = tuple(
        (
            int(str(limit)),
            number(row["net_yuan"]),
            *(number(row[key]) for key in ("value", "share", "bound", "added")),
            str(row["site_ids"]).replace(";", pick(lang, "、", ", ")),
        )
        for limit, row in curve.table.iterrows()
    )
    title = pick(lang, "投入与可达人数", "People against effort")
    notes = [curve.bend_text(lang)]
    notes.append(
        pick(
            lang,
            "每一行都是该投入下的最优方案，不一定包含上一行的点位。",
            "Every row is the best plan for its effort and need not contain the row above.",
        )
    )
    if curve.skipped:
        limit, zh, en = curve.skipped[-1]
        notes.append(
            pick(lang, f"投入至多 {limit:,} 时规则不能全部满足：{zh}。", f"With at most {limit:,} the rules cannot be met: {en}.")
        )
    return Sheet(pick(lang, "投入与效果", "Curve"), title, tuple(notes), columns, rows, lang)


def sure_sheet(solved: StudyPlan, stressed: Robustness, lang: Lang) -> Sheet:
    """Say how sure each site is: how often it is chosen, what it adds, what keeping it could cost."""
    columns = (
        Column("id", "编号", "Id", "text", 11),
        Column("name", "名称", "Name", "text", 28),
        Column("in_plan", "是否入选", "In the plan", "text", 9),
        Column("share", "入选情景比例", "Share of scenarios", "share", 11),
        Column("gain_min", "增加覆盖：最少", "Adds at least", "people", 11),
        Column("gain_median", "中位", "Median", "people", 10),
        Column("gain_max", "最多", "At most", "people", 10),
        Column("regret_max", "保留它的最大损失", "Largest loss of keeping it", "people", 13),
        Column("verdict", "判断", "Verdict", "text", 18),
    )
    names = _names(solved)
    rows = tuple(
        (
            str(name),
            names.get(str(name), ""),
            pick(lang, "是" if row["in_plan"] else "备选", "yes" if row["in_plan"] else "alternative"),
            *(number(row[key]) for key in ("share", "gain_min", "gain_median", "gain_max", "regret_max")),
            str(row[f"verdict_{lang}"]),
        )
        for name, row in stressed.sites.iterrows()
    )
    strong = frozenset(at for at, inside in enumerate(stressed.sites["in_plan"]) if inside)
    robust = solved.extras.robust
    notes = [
        stressed.summary(lang),
        *([] if robust is None else [f"{robust.text(lang)}{pick(lang, '：', ': ')}{_ids(robust.sites, names, lang)}"]),
    ]
    notes += _influence(stressed, lang)
    title = headed(solved.section.name(lang), pick(lang, "各处有多稳妥", "How sure each site is"))
    return Sheet(pick(lang, "稳健性", "Robustness"), title, tuple(notes), columns, rows, lang, strong=strong)


def _ids(sites: tuple[str, ...], names: Mapping[str, str], lang: Lang) -> str:
    return pick(lang, "、", ", ").join(names.get(name) or name for name in sites)


def _names(solved: StudyPlan) -> dict[str, str]:
    tables = [times.facilities for times in solved.problem.options.values()]
    return {str(name): str(text) for table in tables for name, text in table["name"].items()}


def _influence(stressed: Robustness, lang: Lang) -> list[str]:
    """Say which input matters most."""
    if not len(stressed.influence):
        return []
    parts = [f"{row[f'name_{lang}']} {row['effect']:,.0f}" for _, row in stressed.influence.iterrows()]
    told = pick(lang, "；", "; ").join(parts)
    return [
        pick(
            lang,
            f"各因素单独变动时，方案效果的变化幅度（人）：{told}。",
            f"How much each input alone moves the plan (people): {told}.",
        )
    ]


def scenarios_sheet(stressed: Robustness, lang: Lang) -> Sheet:
    """List the scenarios: what the plan is worth there, and what the best plan would be."""
    columns = (
        Column("scenario", "情景", "Scenario", "text", 16),
        Column("label", "内容", "What changes", "text", 52),
        Column("plan_value", "本方案", "This plan", "people", 11),
        Column("best_value", "该情景最优", "Best there", "people", 11),
        Column("regret", "损失", "Loss", "people", 10),
        Column("sites_kept", "相同点位", "Sites in common", "count", 9),
        Column("best_sites", "该情景最优点位", "Best sites there", "text", 50),
    )
    rows = tuple(
        (
            str(name),
            str(row[f"label_{lang}"]),
            *(number(row[key]) for key in ("plan_value", "best_value", "regret")),
            int(row["sites_kept"]),
            str(row["best_sites"]).replace(";", pick(lang, "、", ", ")),
        )
        for name, row in stressed.scenarios.iterrows()
    )
    note = pick(
        lang,
        "损失为该情景最优方案与本方案之差；本方案在该情景不满足规则时留空。",
        "Loss is the best plan of the scenario less this plan; empty where this plan breaks a rule there.",
    )
    return Sheet(pick(lang, "情景", "Scenarios"), pick(lang, "情景", "Scenarios"), (note,), columns, rows, lang)


def rules_sheet(solved: StudyPlan, lang: Lang) -> Sheet:
    """List the rules, whether each is met, and what had to give way."""
    columns = (
        Column("rule", "规则", "Rule", "text", 70),
        Column("result", "结果", "Result", "text", 70),
    )
    lines = rule_lines(solved, lang)
    rows = tuple((text, result) for text, result, _ in lines) or ((pick(lang, "没有规则", "no rules"), ""),)
    notes = gave_way(solved.plan, lang) or (pick(lang, "全部规则均已满足。", "All rules are met."),)
    strong = frozenset(at for at, (_, _, met) in enumerate(lines) if not met)
    title = headed(solved.section.name(lang), pick(lang, "规则与冲突", "Rules and conflicts"))
    return Sheet(pick(lang, "规则与冲突", "Rules"), title, notes, columns, rows, lang, strong=strong)


def assumptions_sheet(solved: StudyPlan, lang: Lang) -> Sheet:
    """List what the plan rests on."""
    columns = (Column("assumption", "依据与假设", "What the plan rests on", "text", 120),)
    rows = tuple((pick(lang, zh, en),) for zh, en in solved.problem.assumptions)
    title = headed(solved.section.name(lang), pick(lang, "依据与假设", "Assumptions"))
    return Sheet(pick(lang, "依据与假设", "Assumptions"), title, (), columns, rows, lang)
