"""Write the ranked sites and the gaps as a committee reads them, and as maps read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from careshed.maps.text import counted
from careshed.report.tables import (
    choose_format,
    dated,
    faults_sheet,
    headed,
    limit_words,
    made_up_line,
    number,
    write_csv,
    write_geojson,
)
from careshed.report.workbook import Column, Sheet, Value, write_workbook
from careshed.words import Lang, group_name, pick, spanned

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.schema import Fault
    from careshed.siting import SitePlan


def write_sites(
    path: str | Path,
    plan: SitePlan,
    *,
    excluded: Sequence[Fault] = (),
    study_name: str = "",
    lang: Lang = "zh",
    made_up: bool = False,
    data_date: str = "",
) -> Path:
    """Write the ranked sites for the committee; the suffix decides: ``.xlsx``, ``.csv`` or ``.geojson``.

    The workbook says above the list what was asked, who is reached of how many, and how good the choice is proven to be; its
    second sheet holds the findings, a further one the sites that the study leaves out. The same plan gives the same bytes.

    Parameters
    ----------
    excluded
        What the study told on reading: of it, the sites left out (``candidate_excluded``) are listed with their reasons.

    Raises
    ------
    ValueError
        If the suffix is another.
    PermissionError
        If the file is open in another program.
    """
    sheet = _site_sheet(plan, study_name, lang, made_up, data_date)
    about = {**_about(study_name, made_up, data_date), **_plan_about(plan)}
    properties = [column for column in plan.sites.columns if column != "geometry"]
    pages = [sheet, faults_sheet(plan.findings, lang, made_up_line(made_up, lang))] if plan.findings else [sheet]
    left_out = [fault for fault in excluded if fault.code == "candidate_excluded"]
    pages += [excluded_sheet(left_out, lang, made_up)] if left_out else []
    return choose_format(
        path,
        {
            ".xlsx": lambda to: write_workbook(to, pages),
            ".csv": lambda to: write_csv(to, sheet),
            ".geojson": lambda to: write_geojson(to, plan.sites, properties, about),
        },
    )


def write_gaps(
    path: str | Path,
    gaps: GeoDataFrame,
    *,
    group: str = "",
    study_name: str = "",
    lang: Lang = "zh",
    made_up: bool = False,
    data_date: str = "",
) -> Path:
    """Write where people live whom no facility reaches, largest gap first; ``.xlsx``, ``.csv`` or ``.geojson``.

    Parameters
    ----------
    gaps
        From `find_gaps`: index ``gap_id`` in rank order; ``people``, ``cells``, ``unit``, ``unit_name``, ``units_count``,
        ``units_levels``, ``minutes_nearest`` (weighted by people; NaN where no facility can be reached), ``nearest_name``,
        ``unjudged``, ``geometry``.

    Raises
    ------
    ValueError
        If the suffix is another.
    """
    sheet = _gap_sheet(gaps, group, study_name, lang, made_up, data_date)
    properties = [column for column in gaps.columns if column != "geometry"]
    return choose_format(
        path,
        {
            ".xlsx": lambda to: write_workbook(to, [sheet]),
            ".csv": lambda to: write_csv(to, sheet),
            ".geojson": lambda to: write_geojson(to, gaps, properties, _about(study_name, made_up, data_date)),
        },
    )


def plan_words(plan: SitePlan, lang: Lang) -> tuple[str, ...]:
    """Say in plain words what a plan achieves and how good it is proven to be, one sentence a line."""
    return (_achieved(plan, lang), _proven(plan, lang), *_units(plan, lang))


def _achieved(plan: SitePlan, lang: Lang) -> str:
    before, after = (
        _with_share(people, plan.people_total, lang) for people in (plan.people_covered_before, plan.people_covered_after)
    )
    who, total = group_name(plan.group, lang), f"{plan.people_total:,.0f}"
    limit = limit_words(plan.limit_minutes, plan.limit_metres, lang)
    count = len(plan.sites)
    built = f"with {'all' if count != 1 else 'the'} {counted(count, 'site')}"
    return pick(
        lang,
        f"{who}共 {total} 人。现有设施 {limit}内覆盖 {before}；{count} 处选址全部建成后覆盖 {after}。",
        f"{total} {who} in all. Within {limit}, existing facilities reach {before}; {built} built, {after}.",
    )


def _with_share(people: float, total: float, lang: Lang) -> str:
    share = pick(lang, f"（{people / total:.1%}）", f" ({people / total:.1%})") if total else ""
    return f"{people:,.0f}{pick(lang, ' 人', '')}{share}"


def _proven(plan: SitePlan, lang: Lang) -> str:
    """Say the bound and the gap in words."""
    rests = {
        "lagrangian": ("本软件以整数运算复核的拉格朗日上限", "our own Lagrangian bound in whole numbers"),
        "highs": ("HiGHS 求解器的分支定界", "the branch and bound of the HiGHS solver"),
    }[plan.bound_by]
    basis = pick(lang, *rests)
    more = plan.bound - plan.people_covered_after
    slower_zh, slower_en = "计算因安全时限中止，换一台机器可能得到更好的方案。", " Stopped by the safety time limit; "
    stopped = "" if plan.reproducible else pick(lang, slower_zh, slower_en + "another machine may find a better plan.")
    if plan.status == "optimal":
        zh = f"已证明最优：在同样的候选点、选址数和规则下，没有别的选法能覆盖更多人（依据：{basis}）。"
        en = f"Proven optimal: with these candidates, this many sites and these rules, no choice reaches more (by {basis})."
    else:
        zh = f"上限 {plan.bound:,.0f} 人：任何选法至多再多覆盖 {more:,.0f} 人，即新增覆盖的 {plan.gap:.2%}（依据：{basis}）。"
        en = f"No choice can reach more than {plan.bound:,.0f}: at most {more:,.0f} more people, "
        en += f"{plan.gap:.2%} of those newly reached (by {basis})."
    return pick(lang, zh, en) + stopped


def _units(plan: SitePlan, lang: Lang) -> tuple[str, ...]:
    before, after = len(plan.units_without_before), len(plan.units_without_after)
    if not before:
        return ()
    zh = f"“每单元至少一处”：原有 {before} 个单元没有设施，建成后剩 {after} 个。"
    en = f"At least one per unit: {before} units had no facility, {after} will have none."
    return (pick(lang, zh, en),)


def _site_sheet(plan: SitePlan, study_name: str, lang: Lang, made_up: bool, data_date: str) -> Sheet:
    who = group_name(plan.group, lang)
    total = f"{plan.people_total:,.0f}"
    columns = (
        Column("rank", "次序", "Rank", "count", 7),
        Column("id", "编号", "Id", "text", 12),
        Column("name", "名称", "Name", "text", 24),
        Column("kind", "类型", "Kind", "text", 14),
        Column("unit_name", "所在单元", "Unit", "text", 18),
        Column("people_new", "新增覆盖人数", "People newly reached", "people", 11),
        Column("people_cumulative", "累计覆盖人数（含现有设施）", "People reached so far, existing included", "people", 15),
        Column("share_cumulative", f"累计覆盖率（占全部{who} {total} 人）", f"Share so far of all {total} {who}", "share", 17),
        Column("cost_yuan", "造价（元）", "Cost (yuan)", "count", 13),
        Column("places", "可设床位或托位", "Places", "count", 10),
        Column("area_m2", "面积（平方米）", "Area (m²)", "count", 11),
        Column("reason", "理由", "Reason", "text", 46),
        Column("lon", "经度", "Longitude", "degrees", 13),
        Column("lat", "纬度", "Latitude", "degrees", 12),
    )
    limit = limit_words(plan.limit_minutes, plan.limit_metres, lang)
    title = pick(lang, f"选址清单：{who}，{limit}内", f"Ranked sites: {who} within {limit}")
    asked, found = plan.n_asked, len(plan.sites)
    order = pick(
        lang,
        f"要求至多 {asked} 处，选出 {found} 处；按新增覆盖人数由多到少排序。经纬度为 WGS-84。",
        f"At most {counted(asked, 'site')} asked, {found} chosen, ordered by the people each adds. "
        "Longitude and latitude are WGS-84.",
    )
    notes = (*plan_words(plan, lang), order, *dated(data_date, lang))
    name = pick(lang, "选址清单", "Sites")
    return Sheet(name, headed(study_name, title), notes, columns, _site_rows(plan, lang), lang, made_up_line(made_up, lang))


def _site_rows(plan: SitePlan, lang: Lang) -> tuple[tuple[Value, ...], ...]:
    rows = []
    for name, site, (lon, lat) in zip(plan.sites.index, plan.sites.to_dict("records"), _degrees(plan.sites), strict=True):
        told = (str(name), str(site["name"]), str(site["kind"]), str(site["unit_name"] or site["unit"]))
        people = (number(site[key]) for key in ("people_new", "people_cumulative", "share_cumulative"))
        facts = (number(site[key]) for key in ("cost_yuan", "places", "area_m2"))
        rows.append((int(site["rank"]), *told, *people, *facts, str(site[f"reason_{lang}"]), lon, lat))
    return tuple(rows)


def excluded_sheet(left_out: Sequence[Fault], lang: Lang, made_up: bool) -> Sheet:
    """List the candidate sites that the study leaves out, one row a reason."""
    columns = (
        Column("file", "文件", "File", "text", 24),
        Column("row", "行", "Row", "text", 10),
        Column("name", "名称", "Name", "text", 28),
        Column("reason", "未采用的原因", "Why it is left out", "text", 56),
    )
    rows = tuple((fault.file, fault.row, fault.found, pick(lang, fault.zh, fault.en)) for fault in left_out)
    sites = len({(fault.file, fault.row, fault.found) for fault in left_out})
    told = pick(
        lang,
        f"研究文件的过滤条件排除了 {sites} 个候选点；一个候选点有几个原因则占几行。",
        f"The study's filters leave out {sites} candidate site(s); one with several reasons has several rows.",
    )
    title = pick(lang, "未采用的候选点", "Candidate sites left out")
    return Sheet(pick(lang, "未采用", "Left out"), title, (told,), columns, rows, lang, made_up_line(made_up, lang))


def _gap_sheet(gaps: GeoDataFrame, group: str, study_name: str, lang: Lang, made_up: bool, data_date: str) -> Sheet:
    columns = (
        Column("rank", "次序", "Rank", "count", 7),
        Column("id", "编号", "Id", "text", 12),
        Column("unit_name", "所在单元", "Unit", "text", 22),
        Column("people", "未覆盖人数", "People not reached", "people", 13),
        Column("cells", "格网数", "Cells", "count", 9),
        Column("minutes_nearest", "到最近设施（分钟）", "Minutes to the nearest", "minutes", 13),
        Column("nearest_name", "最近设施", "Nearest facility", "text", 28),
        Column("unjudged", "其中无法判断的人数", "Of them cannot be judged", "people", 14),
        Column("lon", "经度", "Longitude", "degrees", 13),
        Column("lat", "纬度", "Latitude", "degrees", 12),
    )
    rows = _gap_rows(gaps, lang)
    who = group_name(group, lang) if group else ""
    people = f"{float(gaps['people'].sum()):,.0f}"
    title = pick(lang, "服务缺口", "Gaps") + (pick(lang, f"：{who}", f": {who}") if who else "")
    notes = (
        pick(
            lang,
            f"{len(rows)} 处缺口，共 {people} 人在限值内到不了任何设施；按人数由多到少排序。“到最近设施”为按人数加权的平均值。",
            f"{counted(len(rows), 'gap')} with {people} people who reach no facility within the limit, largest first. "
            "Minutes to the nearest are a mean weighted by people.",
        ),
        *dated(data_date, lang),
    )
    name = pick(lang, "服务缺口", "Gaps")
    return Sheet(name, headed(study_name, title), notes, columns, rows, lang, made_up_line(made_up, lang))


def _gap_rows(gaps: GeoDataFrame, lang: Lang) -> tuple[tuple[Value, ...], ...]:
    rows = []
    unreachable = pick(lang, "不可达", "none")
    for rank, (name, gap, (lon, lat)) in enumerate(
        zip(gaps.index, gaps.to_dict("records"), _degrees(gaps), strict=True), start=1
    ):
        minutes = number(gap["minutes_nearest"])
        told = (str(name), spanned(gap, lang), number(gap["people"]), int(gap["cells"]))
        near = (unreachable if minutes is None else minutes, str(gap["nearest_name"]))
        rows.append((rank, *told, *near, number(gap["unjudged"]), lon, lat))
    return tuple(rows)


def _degrees(table: GeoDataFrame) -> Sequence[tuple[float | None, float | None]]:
    """A point of each place in WGS-84, inside polygons; nothing where there is no geometry."""
    points = table.geometry.representative_point().to_crs(4326)
    return [(None, None) if point is None or point.is_empty else (round(point.x, 6), round(point.y, 6)) for point in points]


def _about(study_name: str, made_up: bool, data_date: str) -> dict[str, Value | bool]:
    return {"study": study_name, "made_up": made_up, "data_date": data_date}


def _plan_about(plan: SitePlan) -> Mapping[str, Value | bool]:
    """What a GeoJSON of sites says beside the sites."""
    return {
        "group": plan.group,
        "limit_minutes": plan.limit_minutes,
        "limit_metres": plan.limit_metres,
        "people_total": round(plan.people_total, 6),
        "people_covered_before": round(plan.people_covered_before, 6),
        "people_covered_after": round(plan.people_covered_after, 6),
        "bound": round(plan.bound, 6),
        "gap": round(plan.gap, 6),
        "status": plan.status,
        "bound_by": plan.bound_by,
        "reproducible": plan.reproducible,
    }
