"""Offer the steps about places and fairness, one command each; decide nothing here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from careshed.cli.shared import (
    Group,
    Language,
    Minutes,
    Out,
    ServiceId,
    StudyFile,
    TimesFile,
    about,
    app,
    only,
    opened_study,
    plan_of,
    times_of,
    write_any_layer,
)
from careshed.words import group_name, pick

if TYPE_CHECKING:
    import pandas as pd

    from careshed.reach import TravelTimes
    from careshed.study import Service, Study
    from careshed.supply.service import PlacesFound

Rate = Annotated[
    float | None,
    typer.Option("--demand-rate", help="share of the group that looks for a place; the service's if left out  需求率"),
]
CatchmentFile = Annotated[
    Path | None,
    typer.Option("--catchment", help="CSV with a unit (or cell) and a facility id a row: people go where it says  划片表"),
]
RuleOption = Annotated[
    Literal["least_time", "nearest", "nearest_with_overflow"] | None,
    typer.Option("--rule", help="how people find places; the service's if left out  入位规则"),
]


@app.command("assign-places")
def assign_places_(
    study: StudyFile,
    service: ServiceId,
    out: Out,
    times: TimesFile = None,
    rule: RuleOption = None,
    demand_rate: Rate = None,
    catchment: CatchmentFile = None,
    lang: Language = None,
) -> None:
    """Assign people to places: who is served, who finds none free, who is out of reach; write XLSX or CSV.  按床位、托位分配。"""
    from careshed.report import write_places

    opened = opened_study(study)
    rules = _with(opened.service(service), rule, demand_rate)
    found = _found(opened, rules, times_of(opened, rules, times, None), catchment)
    told = about(opened, lang, rules)
    total = found.split.loc["ALL"]
    typer.echo(
        pick(
            told["lang"],
            "{:,.0f} 人需要位子（{}）：有位 {:,.0f}，无空位 {:,.0f}，不可达 {:,.0f}，无法判断 {:,.0f}",
            "{:,.0f} people look for a place ({}): {:,.0f} have one, {:,.0f} find none, {:,.0f} out of reach, {:,.0f} unjudged",
        ).format(
            total["people"],
            pick(told["lang"], f"假设占 {found.demand_rate:.1%}", f"assumed: {found.demand_rate:.1%}"),
            *(total[name] for name in ("served", "no_place", "out_of_reach", "unjudged")),
        )
        + f" → {write_places(out, found, units=opened.units, **told)}"
    )


@app.command("write-places-map")
def write_places_map_(
    study: StudyFile,
    service: ServiceId,
    out: Out,
    times: TimesFile = None,
    rule: RuleOption = None,
    demand_rate: Rate = None,
    catchment: CatchmentFile = None,
    lang: Language = None,
) -> None:
    """Write the offline map of who has a place and how full each facility is.  写出床位与托位地图。"""
    from careshed.maps import write_places_map

    only(out, ".html")
    opened = opened_study(study)
    rules = _with(opened.service(service), rule, demand_rate)
    matrix = times_of(opened, rules, times, None)
    found = _found(opened, rules, matrix, catchment)
    write_places_map(
        out,
        opened,
        service=service,
        times=matrix,
        assignment=found.assignment,
        access=found.access,
        demand_rate=found.demand_rate,
        lang=lang,
    )
    typer.echo(f"→ {out}")


@app.command("floating-catchment")
def floating_catchment_(
    study: StudyFile,
    service: ServiceId,
    out: Out,
    times: TimesFile = None,
    minutes: Minutes = None,
    group: Group = None,
    method: Annotated[
        Literal["2sfca", "e2sfca", "3sfca", "bfca", "m2sfca", "huff", "congested"],
        typer.Option("--method", help="way of letting people compete for places  方法"),
    ] = "e2sfca",
    demand_rate: Rate = None,
    lang: Language = None,
) -> None:
    """Measure the places per 1,000 seekers that each cell finds; write GeoPackage or GeoJSON.  移动搜索法可达性。"""
    from careshed.supply.catchments import METHOD_NAMES, floating_catchment
    from careshed.supply.decay import GaussianToZero

    only(out, ".geojson", ".json", ".gpkg")
    opened = opened_study(study)
    rules = _with(opened.service(service), None, demand_rate)
    who, limit = group or rules.group, rules.within_minutes if minutes is None else minutes
    found = floating_catchment(
        times_of(opened, rules, times, minutes),
        opened.cells.assign(**{who: opened.cells[who] * rules.demand_rate}),
        group=who,
        method=method,
        minutes=limit,
        decay=None if method == "2sfca" else GaussianToZero(),
        per=1000.0,
    )
    made = {"method": method, "minutes": limit, "group": who, "demand_rate": rules.demand_rate, "per": 1000.0}
    layer = opened.cells.assign(places_per_1000_seekers=found.access, unknown_in_reach=found.unknown_in_reach, **made)
    write_any_layer(layer.assign(made_up=opened.made_up), out)
    lang = lang or opened.lang
    told = f"{pick(lang, *METHOD_NAMES[method])} ≤ {limit:g} min, {group_name(who, lang)} × {rules.demand_rate:.1%}"
    typer.echo(f"{told} → {out}")


@app.command("equity-report")
def equity_report_(
    study: StudyFile,
    service: ServiceId,
    out: Out,
    times: TimesFile = None,
    by: Annotated[
        Literal["measure", "setting", "unit", "group"],
        typer.Option("--by", help="all people, or urban against rural, units or groups against each other  对比方式"),
    ] = "measure",
    lang: Language = None,
) -> None:
    """Measure how fairly the walk to the nearest facility is shared; write XLSX or CSV.  公平性指标。"""
    from careshed.report import write_fairness

    only(out, ".xlsx", ".csv")
    opened = opened_study(study)
    rules = opened.service(service)
    table = _fairness(opened, rules, times_of(opened, rules, times, None), by)
    write_fairness(out, table, names=opened.units["name"].astype(str).to_dict(), **about(opened, lang, rules))
    typer.echo(f"→ {out}")


@app.command("service-score")
def service_score_(study: StudyFile, service: ServiceId, out: Out, times: TimesFile = None, lang: Language = None) -> None:
    """Score the service capacity of streets and townships, every part shown; write XLSX or CSV.  服务能力评价。"""
    from careshed.report import write_score
    from careshed.supply.score import SERVICE_INDICATORS, rank_ranges, service_indicators, service_score

    only(out, ".xlsx", ".csv")
    opened = opened_study(study)
    rules = opened.service(service)
    matrix = times_of(opened, rules, times, None)
    table = service_indicators(matrix, opened.cells, opened.units, minutes=rules.within_minutes, group=rules.group)
    score = service_score(table[table["people"] > 0], SERVICE_INDICATORS)
    ranks = rank_ranges(score, seed=0)[["draw_low", "draw_high", "rank_best", "rank_worst"]]
    told = about(opened, lang, rules)
    whole = table[["name", "level", "people"]].join(score.table).join(ranks)
    write_score(out, whole, score.method(told["lang"]), score.parts, **told)
    typer.echo(f"{score.method(told['lang'])} → {out}")


@app.command("build-hierarchy")
def build_hierarchy_(study: StudyFile, out: Out, lang: Language = None) -> None:
    """Link facilities level by level as the study file's hierarchy section asks; write XLSX or CSV.  构建分级服务网络。"""
    from careshed.report import write_hierarchy
    from careshed.supply.hierarchy import link_study, summary_line

    opened = opened_study(study)
    section = opened.config.hierarchy
    if section is None:
        raise ValueError("the study has no [hierarchy]  研究文件中没有 [hierarchy] 一节")
    mode = opened.travel_mode(section.mode)
    linked = link_study(opened, opened.network(mode))
    lang = lang or opened.lang
    names = section.names(lang)
    write_hierarchy(
        out,
        linked,
        names=names,
        study_name=opened.name,
        lang=lang,
        made_up=opened.made_up,
        data_date=opened.data_date,
        mode=pick(lang, mode.zh, mode.en),
    )
    typer.echo(f"{summary_line(linked, lang, names)} → {out}")


@app.command("compare-runs")
def compare_runs_(
    study: StudyFile,
    service: ServiceId,
    out: Out,
    against: Annotated[Path | None, typer.Option("--against", help="another study of the same cells  另一研究文件")] = None,
    close: Annotated[list[str] | None, typer.Option("--close", help="id of a facility that closes  拟关闭设施编号")] = None,
    with_plan: Annotated[bool, typer.Option("--with-plan", help="add the sites that the plan chooses  加入规划选址")] = False,
    streets: Annotated[
        list[str] | None,
        typer.Option("--streets", help="id of a change in streets.edits: what if this bridge opens  道路变更代号"),
    ] = None,
    lang: Language = None,
) -> None:
    """Compare before and after: who gains and who loses reach; write a map (HTML) or units (XLSX, CSV).  前后对比。"""
    from careshed.maps import write_change_map
    from careshed.report import write_comparison
    from careshed.supply.compare import compare_runs

    only(out, ".html", ".xlsx", ".csv")
    if against is None and not close and not with_plan and not streets:
        raise ValueError(
            "say what changes: --close ID, --with-plan, --streets ID or --against STUDY  "
            "请写明变化：--close、--with-plan、--streets 或 --against"
        )
    opened = opened_study(study)
    rules = opened.service(service)
    before = times_of(opened, rules, None, None)
    later = (opened_study(against) if against is not None else opened).with_streets(*(streets or ()))
    after = _after(opened, later, rules, before, list(close or []), with_plan)
    change = compare_runs(
        before,
        after,
        opened.cells,
        opened.units,
        minutes=rules.within_minutes,
        group=rules.group,
        cells_after=later.cells if against is not None else None,
    )
    told = about(opened, lang, rules)
    if out.suffix.lower() == ".html":
        write_change_map(out, opened, service=service, before=before, after=after, change=change, later=later, lang=lang)
    else:
        write_comparison(out, change, **told)
    typer.echo(f"{change.summary(told['lang'])} → {out}")
    if against is None:
        for fault in later.faults[len(opened.faults) :]:
            typer.echo(f"  {fault.file}: {fault.text(told['lang'])}")


def _after(study: Study, later: Study, rules: Service, before: TravelTimes, close: list[str], with_plan: bool) -> TravelTimes:
    """Search again after the change asked for: another study, closures, new sites, in this order."""
    import pandas as pd

    if later is not study:
        _same_rules(rules, later.service(rules.id))
    facilities = later.facilities(rules.id)
    unknown = [one for one in close if one not in facilities.index]
    if unknown:
        hint = "; repeat --close for each  多个设施请重复写 --close" if any("," in one for one in unknown) else ""
        raise ValueError(f"no such facilities of {rules.id}: {', '.join(unknown)}{hint}")
    facilities = facilities[~facilities.index.isin(close)]
    limit = before.limit / 60_000
    if with_plan:
        existing = later.times(rules.id, facilities, limit_min=limit)
        chosen = later.candidates(rules.id).loc[plan_of(later, rules, existing, None).sites.index]
        facilities = pd.concat([facilities, chosen.reindex(columns=facilities.columns).set_geometry(chosen.geometry)])
    return later.times(rules.id, facilities, limit_min=limit)


def _same_rules(first: Service, second: Service) -> None:
    """Refuse two studies that judge a service differently: their difference would be of rules, not of reach."""
    wrong = [
        f"{key}: {getattr(first, key)} / {getattr(second, key)}"
        for key in ("group", "within_minutes", "mode", "mode_by")
        if getattr(first, key) != getattr(second, key)
    ]
    if wrong:
        raise ValueError(f"the two studies judge {first.id!r} differently ({'; '.join(wrong)})  两份研究的判断标准不同，请统一")


def _with(service: Service, rule: str | None, demand_rate: float | None) -> Service:
    """Replace the service's own figures by those of the command line."""
    given = {"places_rule": rule, "demand_rate": demand_rate}
    return service.model_copy(update={key: value for key, value in given.items() if value is not None})


def _found(study: Study, rules: Service, matrix: TravelTimes, catchment: Path | None) -> PlacesFound:
    from careshed.supply.service import find_places

    found = find_places(
        matrix,
        study.cells,
        study.units,
        group=rules.group,
        minutes=rules.within_minutes,
        demand_rate=rules.demand_rate,
        rule=rules.places_rule if catchment is None else "catchment",
        catchment=None if catchment is None else _catchments(catchment, study),
    )
    if found is None:
        raise ValueError(f"{rules.id}: no facility's places are known; add 床位数 or 托位数 to the register  登记表中缺少位数")
    return found


def _catchments(file: Path, study: Study) -> pd.Series[str]:
    """Read which facility a unit's (or a cell's) people go to: first column the unit or cell, second the facility's id."""
    import pandas as pd

    table = pd.read_csv(file, dtype=str, encoding="utf-8-sig").dropna()
    if table.shape[1] < 2:
        raise ValueError(f"{file.name}: needs two columns, unit (or cell) and facility  需要两列：单元（或格网）与设施编号")
    keys, facilities = table.iloc[:, 0].str.strip(), table.iloc[:, 1].str.strip()
    by_unit = keys.isin(study.units.index.astype(str)).all()
    return pd.Series(facilities.to_numpy(), index=pd.Index(keys if by_unit else keys.astype(int)))


def _fairness(study: Study, rules: Service, matrix: TravelTimes, by: str) -> pd.DataFrame:
    """Lay fairness out for everybody, or set classes of places or groups against each other."""
    from careshed.supply.equity import compare_classes, compare_groups, equity_report, nearest_minutes, units_at

    minutes, cells, line = nearest_minutes(matrix), study.cells, rules.within_minutes
    people, unit = cells[rules.group].to_numpy(dtype=float), units_at(cells, study.units)
    if by == "measure":
        return equity_report(minutes, people, units=unit, line=line)
    if by == "group":
        return compare_groups(minutes, cells, rules.groups_shown or (rules.group,), line=line)
    classes = unit if by == "unit" else unit.map(study.units["setting"]).fillna("")
    return compare_classes(minutes, people, classes, line=line)
