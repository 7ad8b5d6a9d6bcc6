"""Lay out the plans of a study: sites with every figure, units, years, alternatives, how sure each site is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from careshed.report.committee.page import PALE_GAP, PALE_SITE, PALE_TEAL, TEAL, Chart, Page
from careshed.report.committee.reaching import gains_by_group
from careshed.report.plan import STATUS
from careshed.report.plan_sheets import (
    alternatives_sheet,
    money_sheet,
    rules_sheet,
    scenarios_sheet,
    sure_sheet,
    units_sheet,
    years_sheet,
)
from careshed.report.tables import dated, headed, made_up_line, number
from careshed.report.workbook import Column, Sheet, Value
from careshed.siting.planning import MaxCover
from careshed.siting.studying import plan_sentences
from careshed.siting.studying.listing import Listed, listed, reason_text, sure_text
from careshed.words import Lang, group_name, pick

if TYPE_CHECKING:
    import pandas as pd

    from careshed.run import RunResult
    from careshed.siting.planning import Plan
    from careshed.siting.studying import StudyPlan

DRAWN: Final = 30
"""Sites that a chart shows; more cannot be read."""

LANGS: Final[tuple[Lang, Lang]] = ("zh", "en")


def plan_pages(result: RunResult, lang: Lang) -> Iterator[Page]:
    """Give the pages of all plans: the sites of each, then tables of all plans together."""
    if not result.plans:
        return
    for at, solved in enumerate(result.plans, start=1):
        yield _site_page(result, solved, at, lang)
    for make, zh, en, bar in JOINED:
        found = [(solved, sheet) for solved in result.plans if (sheet := make(solved, lang)) is not None]
        if found:
            yield _joined(result, found, pick(lang, zh, en), bar, lang)


def _site_page(result: RunResult, solved: StudyPlan, at: int, lang: Lang) -> Page:
    """List every site of a plan: whom it newly reaches by group, money, year, how sure it is, what could stand in its place."""
    study, gains = result.study, plan_gains(solved)
    gained = [_gain_column(key, solved) for key in gains.columns]
    columns = (
        Column("rank", "次序", "Rank", "count", 7),
        Column("name", "名称", "Name", "text", 24),
        Column("status", "安排", "Status", "text", 9),
        *([Column("year", "年份", "Year", "text", 8)] if solved.phased is not None else []),
        Column("unit_name", "所在单元", "Unit", "text", 16),
        *gained[:1],
        Column("cumulative", "累计可达", "Reached so far", "people", 10),
        Column("people_lost", "若不建，失去可达", "Lost without it", "people", 10),
        Column("places", "床位或托位", "Places", "count", 8),
        Column("cost_yuan", "造价（元）", "Cost (yuan)", "count", 12),
        Column("subsidy_yuan", "补贴（元）", "Subsidy (yuan)", "count", 11),
        Column("net_yuan", "净投入（元）", "Net (yuan)", "count", 12),
        *([Column("sure", "有多稳妥", "How sure", "text", 22)] if solved.extras.stressed is not None else []),
        Column("alternative", "次优备选", "Next best", "text", 20),
        Column("change", "换用后可达变化", "Change if exchanged", "people", 10),
        Column("reason", "理由", "Reason", "text", 60),
        Column("id", "编号", "Id", "text", 11),
        *gained[1:],
        Column("lon", "经度", "Longitude", "degrees", 12),
        Column("lat", "纬度", "Latitude", "degrees", 11),
    )  # fmt: skip
    places = listed(solved)
    before = solved.plan.reached[0].before if solved.plan.reached else 0.0
    rows: list[tuple[Value, ...]] = []
    reached = before
    for one in places:
        new = number(gains.at[one.id, gains.columns[0]]) if one.id in gains.index and len(gains.columns) else None
        reached += new or 0.0
        rows.append(_site_row(solved, one, gains, reached if new is not None else None, lang))
    order = pick(
        lang,
        "新增点位按建设次序排列，其后为扩建、关闭和保留的设施。备选为替换后仍满足规则的最好候选点；"
        "变化指其余点位不动。经纬度为 WGS-84。",
        "New sites in building order, then sites extended, closed and kept. The next best keeps the rules; the "
        "change is that of this "
        "exchange alone. Longitude and latitude are WGS-84.",
    )
    total = (_total([column.key for column in columns], rows, solved.plan, lang),) if rows else ()
    printed = next(at for at, column in enumerate(columns, start=1) if column.key == "reason")
    sheet = Sheet(
        f"{pick(lang, '方案', 'Plan')} {at}", headed(study.name, solved.section.name(lang)),
        (*plan_sentences(solved, lang), order, *dated(study.data_date, lang)), columns, (*rows, *total), lang,
        made_up_line(study.made_up, lang), frozenset({len(rows)} if total else ()), printed,
    )  # fmt: skip
    new_rows = sum(one.fate == "new" for one in places)
    charts = (_chart(solved, new_rows, lang),) if new_rows and len(gains.columns) else ()
    return Page(sheet, solved.section.name(lang), bars=((gains.columns[0], PALE_SITE),) if charts else (), charts=charts,
                totals=len(total))  # fmt: skip


def _chart(solved: StudyPlan, rows: int, lang: Lang) -> Chart:
    told = pick(lang, "按建设次序累计可达人数", "People reached as sites are built")
    who = group_name(solved.plan.objective.demands[0].group, lang)
    return Chart("columns", told, "rank", ("cumulative",), (TEAL,), pick(lang, f"{who}（人）", who), rows=min(rows, DRAWN))


def plan_gains(solved: StudyPlan) -> pd.DataFrame:
    """Count whom each new site of a plan newly reaches, in building order: by every group of the study where sites cover by
    distance alone, else by the groups that the plan counts.

    Returns
    -------
    pandas.DataFrame
        Index site id, columns ``service|group``; the plan's own first.
    """
    import pandas as pd

    plan, study = solved.plan, solved.problem.study
    order = [one.id for one in listed(solved) if one.fate == "new"]
    demands = plan.objective.demands
    simple = isinstance(plan.objective, MaxCover) or plan.unit in ("sites", "yuan", "people")
    if simple and len(demands) == 1 and not plan.closed and demands[0].sites_needed == 1 and demands[0].rate == 1:
        one = demands[0]
        groups = [one.group, *(group for group in study.groups if group != one.group)]
        options, existing = solved.problem.options[one.service], solved.problem.existing[one.service]
        if one.minutes is not None or one.metres is not None:
            limits = {"minutes": one.minutes, "metres": one.metres}
            table = gains_by_group(order, options, existing, study.cells, groups=groups, **limits)
            return table.rename(columns={group: f"{one.service}|{group}" for group in groups})
    reasons = solved.extras.reasons
    if reasons is None or not len(reasons.by_group):
        return pd.DataFrame(index=pd.Index(order, dtype=object))
    told = reasons.by_group.assign(key=reasons.by_group["service"] + "|" + reasons.by_group["group"])
    keys = list(dict.fromkeys(told["key"]))
    return told.pivot_table(index="site_id", columns="key", values="people", aggfunc="sum")[keys].reindex(order)


def _gain_column(key: str, solved: StudyPlan) -> Column:
    service, group = key.split("|", 1)
    several = len({demand.service for demand in solved.plan.objective.demands}) > 1
    asked = solved.problem.study.service(service)
    zh, en = (f"{asked.name(lang)}·" if several else "" for lang in LANGS)
    return Column(key, f"新增可达：{zh}{group_name(group, 'zh')}", f"Newly reached: {en}{group_name(group, 'en')}", "people", 12)


def _site_row(solved: StudyPlan, one: Listed, gains: pd.DataFrame, reached: float | None, lang: Lang) -> tuple[Value, ...]:
    sites, reasons = solved.plan.sites, solved.extras.reasons
    row = sites.loc[one.id] if one.id in sites.index else None
    units = solved.problem.study.units["name"]
    unit = str(row["unit"]) if row is not None else ""
    told = reasons.table.loc[one.id] if reasons is not None and one.id in reasons.table.index else None
    paid = row is not None and one.fate in ("new", "extended")
    money = tuple(number(row[key]) if row is not None and paid else None for key in ("cost_yuan", "subsidy_yuan", "net_yuan"))
    other = "" if told is None or not told["alternative"] else str(told["alternative_name"] or told["alternative"])
    people = tuple(number(gains.at[one.id, key]) if one.id in gains.index else None for key in gains.columns)
    year = () if solved.phased is None else (str(one.year or ""),)
    sure = () if solved.extras.stressed is None else (sure_text(solved, one.id, lang),)
    point = sites.geometry.loc[[one.id]].to_crs(4326).iloc[0] if row is not None else None
    where = (None, None) if point is None else (round(point.x, 6), round(point.y, 6))
    return (
        one.rank, str(row["name"]) if row is not None else one.id, pick(lang, *STATUS[one.fate]), *year,
        str(units.get(unit, unit)), *people[:1], reached, None if told is None else number(told["people_lost"]),
        None if row is None else number(row["places"]), *money, *sure, other,
        None if told is None or not other else number(told["people_change"]), reason_text(solved, one.id, lang), one.id,
        *people[1:], *where,
    )  # fmt: skip


SUMMED: Final = ("cost_yuan", "subsidy_yuan", "net_yuan")
"""Columns of a plan's sites that are summed, besides people newly reached."""


def _total(keys: Sequence[str], rows: Sequence[Sequence[Value]], plan: Plan, lang: Lang) -> tuple[Value, ...]:
    """Sum people and money of the sites of a plan; what closing facilities costs is no site's and is said to be left out."""
    called = pick(lang, "合计", "Total")
    if plan.closing_yuan:
        called = pick(lang, "合计（不含关闭费用）", "Total without closures")
    found: list[Value] = []
    for key, values in zip(keys, zip(*rows, strict=True), strict=True):
        numbers = [value for value in values if isinstance(value, int | float)]
        summed = numbers and ("|" in key or key in SUMMED)
        found.append(called if key == "name" else sum(numbers) if summed else None)
    return tuple(found)


def _joined(result: RunResult, found: Sequence[tuple[StudyPlan, Sheet]], name: str, bar: str, lang: Lang) -> Page:
    """Put the same table of several plans into one, with the plan's name in the first column."""
    keys = list({column.key: column for _, sheet in found for column in sheet.columns}.values())
    rows: list[tuple[Value, ...]] = []
    strong: list[int] = []
    for solved, sheet in found:
        own = [column.key for column in sheet.columns]
        for at, row in enumerate(sheet.rows):
            values = dict(zip(own, row, strict=True))
            strong += [len(rows)] if at in sheet.strong else []
            rows.append((solved.section.name(lang), *(values.get(column.key) for column in keys)))
    columns = (Column("plan", "方案", "Plan", "text", 26), *keys)
    notes = tuple(dict.fromkeys(_told(solved, note, len(found), lang) for solved, sheet in found for note in sheet.notes))
    sheet = Sheet(
        name, headed(result.study.name, name), notes[:12], columns, tuple(rows), lang,
        made_up_line(result.study.made_up, lang), frozenset(strong),
    )  # fmt: skip
    holds = pick(lang, f"{len(found)} 个方案，{len(rows)} 行", f"{len(found)} plan(s), {len(rows)} rows")
    return Page(sheet, holds, bars=((bar, PALE_GAP if bar == "regret" else PALE_TEAL),) if bar else ())


def _told(solved: StudyPlan, note: str, plans: int, lang: Lang) -> str:
    """Say of which plan a note is, where it holds figures and there are several."""
    if plans == 1 or not any(sign.isdigit() for sign in note):
        return note
    return f"{solved.section.name(lang)}{pick(lang, '：', ': ')}{note}"


def _units(solved: StudyPlan, lang: Lang) -> Sheet | None:
    return units_sheet(solved, lang)


def _years(solved: StudyPlan, lang: Lang) -> Sheet | None:
    return None if solved.phased is None else years_sheet(solved.phased, lang)


def _money(solved: StudyPlan, lang: Lang) -> Sheet | None:
    return money_sheet(solved, lang) if solved.plan.cost_yuan or solved.plan.closing_yuan else None


def _alternatives(solved: StudyPlan, lang: Lang) -> Sheet | None:
    reasons = solved.extras.reasons
    return None if reasons is None or not len(reasons.alternatives) else alternatives_sheet(solved, reasons, lang)


def _sure(solved: StudyPlan, lang: Lang) -> Sheet | None:
    return None if solved.extras.stressed is None else sure_sheet(solved, solved.extras.stressed, lang)


def _scenarios(solved: StudyPlan, lang: Lang) -> Sheet | None:
    return None if solved.extras.stressed is None else scenarios_sheet(solved.extras.stressed, lang)


def _rules(solved: StudyPlan, lang: Lang) -> Sheet | None:
    return rules_sheet(solved, lang)


JOINED: Final[tuple[tuple[Callable[[StudyPlan, Lang], Sheet | None], str, str, str], ...]] = (
    (_units, "各方案·单元", "Plans by unit", "new"),
    (_years, "各方案·分期", "Plans by year", "net_yuan"),
    (_money, "各方案·资金", "Plans: money", "net_yuan"),
    (_alternatives, "各方案·备选", "Plans: alternatives", ""),
    (_sure, "各方案·稳健性", "Plans: how sure", "share"),
    (_scenarios, "各方案·情景", "Plans: scenarios", "regret"),
    (_rules, "各方案·规则", "Plans: rules", ""),
)
"""Tables of plans: what makes one, its name, the column with bars."""
