"""Lay out what a run found for each service: ranked sites, units before and after, coverage of every group and limit, gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from careshed.access import ALL, OUTSIDE
from careshed.maps.text import counted
from careshed.report.committee.page import GAP, PALE_GAP, PALE_GREY, PALE_SITE, PALE_TEAL, TEAL, Chart, Page
from careshed.report.committee.reaching import gains_by_group, with_sites
from careshed.report.premises import told_plan
from careshed.report.sites import plan_words
from careshed.report.tables import dated, headed, limit_words, made_up_line, number
from careshed.report.workbook import Column, Sheet, Value
from careshed.schema import TIERS
from careshed.words import Lang, group_name, level_name, pick, spanned

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    import pandas as pd

    from careshed.run import RunResult, ServiceResult

FINEST: Final = 2
"""Tier of the units compared before and after: streets and townships, and what lies above them."""

GAPS_PRINTED: Final = 15
"""Gaps of each service that are printed; the page has all."""

DRAWN: Final = 30
"""Units or sites that a chart shows; more cannot be read."""

REACH_NOTE: Final = (
    "“可达”指沿路网在限值以内到达任一设施（含恰好等于限值）。无法判断者住在接不上路网的格网，仍计入分母。",
    "Reached means any facility along the streets in at most the limit. People who cannot be judged live on cells that join no "
    "street; they stay in the denominator.",
)


def site_page(result: RunResult, one: ServiceResult, lang: Lang) -> Page:
    """List the ranked sites of a service with the people each newly reaches, group by group."""
    study, service, plan = result.study, one.service, one.plan
    groups = [service.group, *(group for group in study.groups if group != service.group)]
    columns = (
        Column("rank", "次序", "Rank", "count", 7),
        Column("name", "名称", "Name", "text", 24),
        Column("unit_name", "所在单元", "Unit", "text", 16),
        _new_column(groups[0]),
        Column("cumulative", "累计可达（含现有设施）", "Reached so far, existing included", "people", 13),
        Column("share", "累计可达率", "Share so far", "share", 10),
        Column("bound", "上限", "Bound", "people", 11),
        Column("cost_yuan", "造价（元）", "Cost (yuan)", "count", 12),
        Column("places", "床位或托位", "Places", "count", 9),
        Column("reason", "理由", "Reason", "text", 40),
        Column("id", "编号", "Id", "text", 11),
        Column("kind", "类型", "Kind", "text", 14),
        Column("area_m2", "面积（m²）", "Area (m²)", "count", 11),
        *(_new_column(group) for group in groups[1:]),
        Column("lon", "经度", "Longitude", "degrees", 12),
        Column("lat", "纬度", "Latitude", "degrees", 11),
    )
    limit = limit_words(plan.limit_minutes, plan.limit_metres, lang)
    who = group_name(plan.group, lang)
    title = headed(service.name(lang), pick(lang, f"选址清单（{who}，{limit}内）", f"ranked sites ({who} within {limit})"))
    notes = (*plan_words(plan, lang), *_site_notes(result, lang), *dated(study.data_date, lang))
    rows = _site_rows(result, one, groups, lang)
    total = (_total([column.key for column in columns], rows, lang),) if rows else ()
    printed = next(at for at, column in enumerate(columns, start=1) if column.key == "reason")
    sheet = Sheet(
        pick(lang, f"{service.name(lang)}·选址", f"{service.name(lang)[:22]} sites"), headed(study.name, title), notes, columns,
        (*rows, *total), lang, made_up_line(study.made_up, lang), frozenset({len(rows)} if rows else ()), printed,
    )  # fmt: skip
    told = pick(lang, "建到第几处时可达多少人，与上限", "People reached as sites are built, against the bound")
    chart = Chart(
        "reach", told, "rank", ("cumulative", "bound"), (TEAL, GAP),
        pick(lang, f"{who}（人）", who), rows=min(len(rows), DRAWN) or None,
    )  # fmt: skip
    holds = pick(
        lang, f"{len(rows)} 处建议选址及理由、各人群新增可达人数", f"{counted(len(rows), 'proposed site')}: reasons, who gains"
    )
    return Page(sheet, holds, bars=((f"new_{service.group}", PALE_SITE),), charts=(chart,), totals=len(total))


def _total(keys: Sequence[str], rows: Sequence[Sequence[Value]], lang: Lang) -> tuple[Value, ...]:
    """Sum what can be summed; a sum is left empty where the figure of one site is not known."""
    found: list[Value] = []
    for key, values in zip(keys, zip(*rows, strict=True), strict=True):
        numbers = [value for value in values if isinstance(value, int | float)]
        summed = key.startswith("new_") or key in ("cost_yuan", "places", "area_m2")
        found.append(
            pick(lang, "合计", "Total") if key == "name" else sum(numbers) if summed and len(numbers) == len(rows) else None
        )
    return tuple(found)


def _new_column(group: str) -> Column:
    return Column(
        f"new_{group}", f"新增可达：{group_name(group, 'zh')}", f"Newly reached: {group_name(group, 'en')}", "people", 12
    )


def _site_notes(result: RunResult, lang: Lang) -> tuple[str, ...]:
    order = pick(
        lang,
        "按新增可达人数由多到少排序；各人群按同一次序、同一时限分别计数，已有设施或前面点位可达者不重复计。"
        "“上限”为全部点位建成后任何选法的最大值。人数四舍五入显示，合计按未取整的人数。经纬度为 WGS-84。",
        "Ordered by the people each adds. Every group is counted in the same order and limit; nobody counts twice. "
        "The bound is the "
        "most that any choice of that many sites can reach. Counts are shown rounded, totals are of unrounded ones. "
        "Longitude and latitude are WGS-84.",
    )
    further = pick(
        lang,
        "补贴、分期、备选点位和稳健性见各“方案”页。",
        "For subsidies, phases, alternatives and how sure each site is, see the pages of the plans.",
    )
    return (order, further) if result.plans else (order,)


def _site_rows(result: RunResult, one: ServiceResult, groups: Sequence[str], lang: Lang) -> tuple[tuple[Value, ...], ...]:
    plan = told_plan(result.services, one)
    sites = [str(name) for name in plan.sites.index]
    limits = {"minutes": plan.limit_minutes, "metres": plan.limit_metres}
    gains = gains_by_group(sites, one.options, one.times, result.study.cells, groups=groups, **limits)
    points = plan.sites.geometry.to_crs(4326) if sites else plan.sites.geometry
    rows: list[tuple[Value, ...]] = []
    for name, row, point in zip(sites, plan.sites.to_dict("records"), points, strict=True):
        where = (round(point.x, 6), round(point.y, 6)) if point is not None and not point.is_empty else (None, None)
        rows.append(
            (
                int(row["rank"]), str(row["name"]), str(row["unit_name"] or row["unit"]),
                number(gains.at[name, groups[0]]),
                number(row["people_cumulative"]), number(row["share_cumulative"]), float(plan.bound),
                number(row["cost_yuan"]), number(row["places"]), str(row[pick(lang, "reason_zh", "reason_en")]),
                name, str(row["kind"]), number(row["area_m2"]),
                *(number(gains.at[name, group]) for group in groups[1:]), *where,
            )
        )  # fmt: skip
    return tuple(rows)


def unit_page(result: RunResult, one: ServiceResult, table: pd.DataFrame, lang: Lang) -> Page:
    """Compare who is reached before and after in every street and township, the least served first.

    Parameters
    ----------
    table
        Coverage of the service with its sites, from `with_sites`.
    """
    study, service = result.study, one.service
    columns = (
        Column("name", "名称", "Name", "text", 15),
        Column("level", "级别", "Level", "text", 12),
        Column("people", "人数", "People", "people", 9),
        Column("before", "现状可达", "Reached today", "people", 9),
        Column("after", "方案可达", "Reached with the sites", "people", 9),
        Column("gain", "增加", "Gain", "people", 8),
        Column("share_before", "现状可达率", "Share today", "share", 10),
        Column("share_after", "方案可达率", "Share with the sites", "share", 10),
        Column("missed", "现状不可达", "Not reached today", "people", 10),
        Column("unjudged", "无法判断", "Cannot be judged", "people", 9),
        Column("facilities", "现有设施", "Facilities today", "count", 9),
        Column("sites", "新增点位", "New sites", "count", 8),
    )
    judged = table[(table["minutes"] == service.within_minutes) & (table["group"] == service.group)]
    wide = [_is_wide(str(code), str(level)) for code, level in judged["level"].items()]
    kept = judged[wide]
    kept = kept.iloc[_worst_first(kept)]
    has = {str(code): int(count) for code, count in one.has_one["facilities"].items()}
    sites = _sites_by_unit(result, one)
    rows = tuple(
        _unit_row(str(code), row, has, sites, lang) for code, row in zip(kept.index, kept.to_dict("records"), strict=True)
    )
    above = sum(1 for code, level in kept["level"].items() if code == ALL or TIERS.get(str(level), FINEST) != FINEST)
    who, limit = group_name(service.group, lang), limit_words(service.within_minutes, None, lang)
    what = pick(lang, f"各单元前后对比（{who}，{limit}内）", f"units before and after ({who} within {limit})")
    order = pick(
        lang,
        f"先全域和县区，后街道乡镇，现状可达率低者在前；图中最多 {DRAWN} 个。",
        f"The whole and its counties first, then streets and townships, the least reached first; the chart shows up to {DRAWN}.",
    )
    sheet = Sheet(
        pick(lang, f"{service.name(lang)}·单元", f"{service.name(lang)[:22]} units"),
        headed(study.name, headed(service.name(lang), what)), (pick(lang, *REACH_NOTE), order, *dated(study.data_date, lang)),
        columns, rows, lang, made_up_line(study.made_up, lang), frozenset({0} if rows else ()),
    )  # fmt: skip
    first = above if above < len(rows) else 0
    chart = Chart(
        "bars", pick(lang, "可达率：现状与方案", "Share reached: today and with the sites"), "name",
        ("share_before", "share_after"), (PALE_TEAL, TEAL), pick(lang, f"占本单元{who}", f"share of the unit's {who}"),
        first=first, rows=min(len(rows) - first, DRAWN) or None, share=True,
    )  # fmt: skip
    holds = pick(lang, "各街道乡镇现状与方案的可达率", "each street and township, today and with the sites")
    return Page(sheet, holds, bars=(("missed", PALE_GAP),), scales=("share_before", "share_after"), charts=(chart,))


def _is_wide(code: str, level: str) -> bool:
    """Tell whether a row is of the whole, of a street or township, or of what lies above them."""
    return code in (ALL, OUTSIDE) or TIERS.get(level, FINEST + 1) <= FINEST


def _worst_first(kept: pd.DataFrame) -> list[int]:
    """Order units: the whole, then by tier, within it by share, those without people last, people in no unit at the end."""
    keys = []
    for at, (code, row) in enumerate(zip(kept.index, kept.to_dict("records"), strict=True)):
        share = number(row["share"])
        tier = 0 if code == ALL else FINEST + 1 if code == OUTSIDE else TIERS.get(str(row["level"]), FINEST)
        keys.append((tier, share is None, share or 0.0, str(code), at))
    return [key[-1] for key in sorted(keys)]


def _sites_by_unit(result: RunResult, one: ServiceResult) -> dict[str, int]:
    """Count the new sites of every unit; a site counts for the units above its own."""
    from careshed.access import lineage

    found: dict[str, int] = {}
    for unit in one.plan.sites["unit"]:
        for above in lineage(str(unit), result.study.units):
            found[above] = found.get(above, 0) + 1
    return found | {ALL: len(one.plan.sites)}


def _unit_row(
    code: str, row: Mapping[Hashable, object], has: Mapping[str, int], sites: Mapping[str, int], lang: Lang
) -> tuple[Value, ...]:
    people, before, after, unjudged = (number(row[key]) for key in ("people", "covered", "covered_after", "unjudged"))
    called = {ALL: pick(lang, "全部", "All"), OUTSIDE: pick(lang, "单元以外", "Outside all units")}.get(
        code, str(row["name"]) or code
    )
    gain = None if after is None or before is None else after - before
    missed = (people or 0.0) - (before or 0.0) - (unjudged or 0.0)
    return (
        called, level_name(str(row["level"]), lang) if row["level"] else "", people, before, after, gain,
        number(row["share"]), number(row["share_after"]), max(missed, 0.0), unjudged, has.get(code), sites.get(code, 0),
    )  # fmt: skip


def coverage_page(result: RunResult, tables: Sequence[pd.DataFrame], lang: Lang) -> Page:
    """List coverage of every service, group and limit for all units, to be filtered."""
    study = result.study
    columns = (
        Column("service", "服务", "Service", "text", 20),
        Column("group", "人群", "Group", "text", 20),
        Column("minutes", "时限（分钟）", "Limit (min)", "count", 10),
        Column("unit_id", "代码", "Code", "text", 15),
        Column("name", "名称", "Unit", "text", 18),
        Column("level", "级别", "Level", "text", 17),
        Column("people", "人数", "People", "people", 11),
        Column("covered", "现状可达", "Reached today", "people", 11),
        Column("share", "现状可达率", "Share today", "share", 10),
        Column("unjudged", "无法判断", "Cannot be judged", "people", 10),
        Column("share_low", "可达率下限", "Lowest share", "share", 10),
        Column("share_high", "可达率上限", "Highest share", "share", 10),
        Column("could_change", "界外数据可能改变", "Could change with data from beyond the edge", "people", 13),
        Column("covered_after", "方案可达", "Reached with the sites", "people", 11),
        Column("share_after", "方案可达率", "Share with the sites", "share", 10),
    )
    rows: list[tuple[Value, ...]] = []
    for one, table in zip(result.services, tables, strict=True):
        name = one.service.name(lang)
        rows += [
            _coverage_row(name, str(code), row, lang) for code, row in zip(table.index, table.to_dict("records"), strict=True)
        ]
    first = _printed_first(result, tables)
    rows = [rows[at] for at in (*first, *sorted(set(range(len(rows))) - set(first)))]
    strong = frozenset(at for at, row in enumerate(rows) if row[3] == "")
    title = headed(
        study.name, pick(lang, "覆盖情况（全部服务、人群、时限和单元）", "Coverage: every service, group, limit and unit")
    )
    low = pick(
        lang,
        "下限、上限：无法判断者均不可达、均可达。方案：该服务建议选址全部建成。用表头的筛选选取服务、人群、时限和级别。"
        "打印时只印排在最前的一段：各服务评判所用的人群和时限，到街道乡镇。",
        "Lowest and highest: none or all of those who cannot be judged reach one. With the sites: all proposed sites "
        "of the service "
        "stand. Filter by service, group, limit and level in the header. Print holds the group and limit that each service is "
        "judged by, for streets and townships: they come first.",
    )
    sheet = Sheet(
        pick(lang, "覆盖情况", "Coverage"), title, (pick(lang, *REACH_NOTE), low, *dated(study.data_date, lang)),
        columns, tuple(rows), lang, made_up_line(study.made_up, lang), strong,
    )  # fmt: skip
    holds = pick(lang, f"{len(rows)} 行：每个服务、人群、时限和单元", f"{len(rows)} rows: every service, group, limit and unit")
    return Page(sheet, holds, scales=("share", "share_after"), printed=len(first) or None)


def _printed_first(result: RunResult, tables: Sequence[pd.DataFrame]) -> list[int]:
    """Find the rows of all tables, one below the other, that are worth paper: the group and limit judged by, down to streets."""
    found, start = [], 0
    for one, table in zip(result.services, tables, strict=True):
        judged = (table["minutes"] == one.service.within_minutes) & (table["group"] == one.service.group)
        levels = zip(table.index, table["level"], judged, strict=True)
        found += [start + at for at, (code, level, yes) in enumerate(levels) if yes and _is_wide(str(code), str(level))]
        start += len(table)
    return found


def _coverage_row(service: str, code: str, row: Mapping[Hashable, object], lang: Lang) -> tuple[Value, ...]:
    whole = code == ALL
    called = pick(lang, "全部", "All") if whole else str(row["name"]) or pick(lang, "单元以外", "Outside all units")
    keys = ("people", "covered", "share", "unjudged", "share_low", "share_high", "could_change", "covered_after", "share_after")
    return (
        service, group_name(str(row["group"]), lang), number(row["minutes"]), "" if whole else code, called,
        level_name(str(row["level"]), lang) if row["level"] else "", *(number(row.get(key)) for key in keys),
    )  # fmt: skip


def gap_page(result: RunResult, lang: Lang) -> Page:
    """List the gaps of every service, the largest of each first."""
    study = result.study
    columns = (
        Column("service", "服务", "Service", "text", 22),
        Column("rank", "次序", "Rank", "count", 7),
        Column("unit_name", "所在单元", "Unit", "text", 20),
        Column("people", "不可达人数", "People not reached", "people", 13),
        Column("unjudged", "其中无法判断", "Of them cannot be judged", "people", 12),
        Column("cells", "格网数", "Cells", "count", 9),
        Column("minutes_nearest", "到最近设施（分钟）", "Minutes to the nearest", "minutes", 13),
        Column("nearest_name", "最近设施", "Nearest facility", "text", 30),
        Column("lon", "经度", "Longitude", "degrees", 12),
        Column("lat", "纬度", "Latitude", "degrees", 12),
    )
    each = [_gap_rows(one, lang) for one in result.services]
    largest = [row for rows in each for row in rows[:GAPS_PRINTED]]
    rows = (*largest, *(row for rows in each for row in rows[GAPS_PRINTED:]))
    count = pick(lang, f"共 {len(rows)} 处。", f"{len(rows)} in all. ")
    note = count + pick(
        lang,
        "缺口是在限值内到不了任何设施的人聚居之处，按服务分列、人数多者在前；“到最近设施”为按人数加权的平均值，"
        f"空白表示沿路网到不了。打印时只印排在最前的一段：每项服务人数最多的 {GAPS_PRINTED} 处。",
        "A gap is where people live together whom no facility reaches within the limit; by service, the largest "
        "first. Minutes to "
        "the nearest are a mean weighted by people, empty where no street leads there. "
        f"Print holds the {GAPS_PRINTED} largest of each service, which come first.",
    )
    title = headed(study.name, pick(lang, "服务缺口", "Gaps"))
    sheet = Sheet(
        pick(lang, "服务缺口", "Gaps"), title, (note, *dated(study.data_date, lang)), columns, rows, lang,
        made_up_line(study.made_up, lang),
    )  # fmt: skip
    holds = pick(
        lang, f"{len(rows)} 处缺口：人数、最近设施有多远", f"{counted(len(rows), 'gap')}: people, how far the nearest facility is"
    )
    return Page(sheet, holds, bars=(("people", PALE_GAP), ("minutes_nearest", PALE_GREY)), printed=len(largest) or None)


def _gap_rows(one: ServiceResult, lang: Lang) -> list[tuple[Value, ...]]:
    points = one.gaps.geometry.representative_point().to_crs(4326) if len(one.gaps) else one.gaps.geometry
    rows: list[tuple[Value, ...]] = []
    for rank, (row, point) in enumerate(zip(one.gaps.to_dict("records"), points, strict=True), start=1):
        near = number(row["minutes_nearest"])
        rows.append(
            (
                one.service.name(lang), rank, spanned(row, lang),
                number(row["people"]), number(row["unjudged"]), int(row["cells"]), near,
                str(row["nearest_name"]) if near is not None else "",
                round(point.x, 6), round(point.y, 6),
            )
        )  # fmt: skip
    return rows


def tables_with_sites(result: RunResult) -> list[pd.DataFrame]:
    """Give the coverage of every service as it is and with its proposed sites."""
    study = result.study
    return [
        with_sites(one.covered, [str(name) for name in one.plan.sites.index], one.options, one.times, study.cells, study.units)
        for one in result.services
    ]
