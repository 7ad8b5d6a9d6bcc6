"""Offer the steps from streets to sites, one command each; decide nothing here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from careshed.cli.shared import (
    Group,
    Language,
    Minutes,
    Out,
    Quiet,
    ScenarioName,
    ServiceId,
    StudyFile,
    TimesFile,
    Year,
    about,
    app,
    effect_of,
    network_of,
    only,
    opened_study,
    plan_of,
    run_and_tell,
    times_of,
    write_any_layer,
)
from careshed.schema import STATUSES, merge_rows
from careshed.words import LEVELS, group_name, led_parts, pick

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

    from careshed.study import Study
    from careshed.words import Lang


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="project folder  项目文件夹")] = Path(),
    lang: Language = None,
    quiet: Quiet = False,
) -> None:
    """Make the made-up demo town in data/raw/demo and run everything on it.  生成虚构示例并完整运行。"""
    from careshed.demo import make_demo

    typer.echo(pick(lang or "zh", "生成虚构示例城镇 …", "making the made-up town …"))
    run_and_tell(make_demo(folder / "data" / "raw" / "demo"), lang, quiet)


@app.command()
def init(folder: Annotated[Path, typer.Argument(help="folder of the new study  新研究的文件夹")], lang: Language = None) -> None:
    """Write a commented study.toml to fill in.  写出带说明的研究文件模板。"""
    from careshed.study import init_study

    path = init_study(folder, lang=lang or "zh")
    typer.echo(
        pick(
            lang or "zh",
            f"已写出 {path}，填好后运行：careshed run {path}",
            f"wrote {path}; fill it in, then: careshed run {path}",
        )
    )


@app.command()
def run(study: StudyFile, year: Year = None, scenario: ScenarioName = None, lang: Language = None, quiet: Quiet = False) -> None:
    """Run a study: reach, coverage, gaps, ranked sites, maps and lists for every service.  完整运行一项研究。"""
    run_and_tell(study, lang, quiet, year, scenario)


@app.command("warm-up")
def warm_up_() -> None:
    """Compile the search loops now, so that the first run starts at once.  预先编译计算内核。"""
    from careshed.run import warm_up

    warm_up()


@app.command("open-study")
def open_study_(study: StudyFile, lang: Language = None) -> None:
    """Read and check every input and say what was found, without computing anything.  只读取和检查。"""
    opened = opened_study(study)
    lang = lang or opened.lang
    typer.echo(f"{opened.name}  {opened.crs}")
    for line in study_words(opened, lang):
        typer.echo(line)
    if opened.ledger is not None:
        typer.echo(opened.ledger.text(lang))
    told = merge_rows(opened.faults)
    typer.echo(
        pick(lang, f"读取时的提示（{len(told)} 条，同类合并）：", f"told on reading ({len(told)}, the same put together):")
    )
    for fault in told:
        typer.echo(f"  {fault.file}: {fault.text(lang)}" if fault.file else f"  {fault.text(lang)}")


@app.command("write-people")
def write_people_(
    study: StudyFile,
    out: Out,
    by_unit: Annotated[bool, typer.Option("--by-unit", help="add people up by unit  按单元合计")] = False,
    year: Year = None,
    scenario: ScenarioName = None,
    lang: Language = None,
) -> None:
    """Write people by cell (CSV, GeoPackage, GeoTIFF) or by unit, with all groups.  写出单元格或单元的人口。"""
    from careshed.report.people import people_by_cell, people_by_unit, write_people_raster, write_people_table

    only(out, *((".csv", ".gpkg") if by_unit else (".csv", ".gpkg", ".tif")))
    opened = opened_study(study, year, scenario)
    lang = lang or opened.lang
    if out.suffix.lower() == ".tif":
        write_people_raster(out, opened)
    else:
        table = (people_by_unit if by_unit else people_by_cell)(opened, lang=lang)
        (write_people_table if out.suffix.lower() == ".csv" else _layer)(out, table)
    group = opened.groups[0]
    people, name = f"{opened.cells[group].sum():,.0f}", group_name(group, lang)
    said = (f"{len(opened.cells):,} 个单元格，{name} {people} 人", f"{len(opened.cells):,} cells, {people} {name}")
    made_up = pick(lang, "（虚构数据）", " (made-up data)") if opened.made_up else ""
    typer.echo(f"{pick(lang, *said)}{made_up} → {out}")


def _layer(path: Path, table: GeoDataFrame) -> Path:
    write_any_layer(table, path)
    return path


def study_words(study: Study, lang: Lang) -> list[str]:
    """Say what a study holds: facilities by service and status, candidate sites, units by level; one sentence a line."""
    facilities, units = study.facility_table, study.units
    lines = [pick(lang, f"设施 {len(facilities)} 个", f"{len(facilities)} facilities")]
    for service in study.services:
        kinds = facilities[facilities["type"].isin(service.types)]["status"].value_counts()
        counts = pick(lang, "、", ", ").join(
            f"{pick(lang, *words)} {kinds[key]}" for key, words in STATUSES.items() if key in kinds
        )
        own, sites = len(study.facilities(service.id)), len(study.candidates(service.id))
        zh = f"  {service.name(lang)}：计入 {own} 个（登记：{counts or '无'}），候选点 {sites} 个"
        en = f"  {service.name(lang)}: {own} count (registered: {counts or 'none'}), {sites} candidate sites"
        lines.append(pick(lang, zh, en))
    levels = units["level"].value_counts(sort=False)
    listed = pick(lang, "、", ", ").join(f"{pick(lang, *LEVELS[str(key)])} {count}" for key, count in levels.items())
    lines.append(pick(lang, f"候选点共 {len(study.candidate_table)} 个", f"{len(study.candidate_table)} candidate sites in all"))
    lines.append(pick(lang, f"单元 {len(units)} 个（{listed}）", f"{len(units)} units ({listed})"))
    return lines


@app.command("build-network")
def build_network_(study: StudyFile, service: ServiceId, out: Out, lang: Language = None) -> None:
    """Build the walking network of a service and write its edges as GeoPackage or GeoJSON.  构建路网。"""
    opened = opened_study(study)
    network = network_of(opened, opened.service(service))
    edges = network.edge_lines().to_frame("geometry").assign(length_m=network.edge_m, minutes=network.time.edge_f / 60_000)
    edges["name"] = opened.streets.ways["name"].to_numpy()[network.edge_way]
    write_any_layer(edges, out)
    lang = lang or opened.lang
    for fault in network.faults:
        typer.echo(f"  {fault.text(lang)}")
    km = network.edge_m.sum() / 1000
    said = f"{len(network.x):,} 个路口，{len(network.edge_u):,} 段道路，{km:,.1f} 公里"
    typer.echo(pick(lang, said, f"{len(network.x):,} junctions, {len(network.edge_u):,} edges, {km:,.1f} km") + f" → {out}")


@app.command("travel-times")
def travel_times_(
    study: StudyFile,
    service: ServiceId,
    out: Out,
    minutes: Minutes = None,
    candidates: Annotated[
        bool, typer.Option("--candidates", help="from candidate sites instead of facilities  计算候选点")
    ] = False,
    year: Year = None,
    scenario: ScenarioName = None,
) -> None:
    """Compute travel times between facilities (or candidates) and cells; write them as Parquet.  计算出行时间。"""
    from careshed.reach import write_travel_times

    opened = opened_study(study, year, scenario)
    times = times_of(opened, opened.service(service), None, minutes, candidates=candidates)
    limit = f"{times.limit / 60_000:g}"
    said = pick(opened.lang, f"{limit} 分钟内 {times.pairs:,} 对", f"{times.pairs:,} pairs ≤ {limit} min")
    typer.echo(f"{said} → {write_travel_times(out, times)}")


@app.command("draw-isochrones")
def draw_isochrones_(
    study: StudyFile,
    service: ServiceId,
    out: Out,
    merged: Annotated[
        bool, typer.Option("--merged/--each", help="one polygon for all facilities, or one each  合并或逐设施")
    ] = True,
) -> None:
    """Draw isochrones as GeoPackage or GeoJSON, with their certificate.  绘制等时圈。"""
    from careshed.isochrones import certify, draw_isochrones, merged_isochrones

    opened = opened_study(study)
    rules = opened.service(service)
    network, facilities = network_of(opened, rules), opened.facilities(service)
    drawn = (merged_isochrones if merged else draw_isochrones)(network, facilities, minutes=rules.minutes)
    write_any_layer(drawn, out)
    for certificate in certify(network, facilities, drawn) if merged else ():
        typer.echo(
            f"{certificate.limit:g} min: inside but beyond {certificate.inside_beyond:.2%}, "
            f"outside but reachable {certificate.outside_reachable:.2%}"
        )
    typer.echo(f"→ {out}")


@app.command("coverage")
def coverage_(
    study: StudyFile,
    service: ServiceId,
    out: Out,
    times: TimesFile = None,
    minutes: Minutes = None,
    group: Group = None,
    year: Year = None,
    scenario: ScenarioName = None,
    lang: Language = None,
) -> None:
    """Count who is covered, unit by unit; write XLSX or CSV.  统计覆盖率。"""
    from careshed.access import coverage
    from careshed.report import write_coverage

    opened = opened_study(study, year, scenario)
    rules = opened.service(service)
    matrix, limit = times_of(opened, rules, times, minutes), rules.within_minutes if minutes is None else minutes
    table = coverage(matrix, opened.cells, opened.units, minutes=limit, group=group or rules.group)
    told = effect_of(opened, rules, matrix, limit, group, lang or opened.lang)
    typer.echo(told, nl=bool(told))
    written = write_coverage(out, table, **about(opened, lang, rules))
    typer.echo(f"{_covered_line(table.iloc[0], group or rules.group, limit, lang or opened.lang)} → {written}")


def _covered_line(whole: pd.Series, group: str, limit: float, lang: Lang) -> str:
    """Say the share with what it is of, and how many cannot be judged."""
    people, covered, unjudged = (float(whole[name]) for name in ("people", "covered", "unjudged"))
    share = f"{covered / people:.1%}" if people > 0 else "—"
    reached, _, unknown = led_parts(people, (covered, people - covered - unjudged, unjudged))
    who = group_name(group, lang)
    return pick(
        lang,
        f"{share}：{people:,.0f} 名{who}中 {reached:,} 人 {limit:g} 分钟内可达，{unknown:,} 人无法判断",
        f"{share}: {reached:,} of {people:,.0f} {who} within {limit:g} minutes, {unknown:,} cannot be judged",
    )


@app.command("find-gaps")
def find_gaps_(
    study: StudyFile,
    service: ServiceId,
    out: Out,
    times: TimesFile = None,
    minutes: Minutes = None,
    group: Group = None,
    year: Year = None,
    scenario: ScenarioName = None,
    lang: Language = None,
) -> None:
    """Find where people live without the service in reach; write GeoJSON, CSV or XLSX.  查找服务缺口。"""
    from careshed.access import find_gaps
    from careshed.report import write_gaps

    opened = opened_study(study, year, scenario)
    rules = opened.service(service)
    asked = group or rules.group
    found = find_gaps(
        times_of(opened, rules, times, minutes),
        opened.cells,
        minutes=rules.within_minutes if minutes is None else minutes,
        group=asked,
        units=opened.units,
    )
    typer.echo(f"{len(found)} → {write_gaps(out, found, group=asked, **about(opened, lang, rules))}")


@app.command("rank-sites")
def rank_sites_(
    study: StudyFile,
    service: ServiceId,
    out: Out,
    times: TimesFile = None,
    n: Annotated[int | None, typer.Option("--n", help="sites to choose; the service's if left out  选址数量")] = None,
    year: Year = None,
    scenario: ScenarioName = None,
    lang: Language = None,
) -> None:
    """Choose and rank sites, with the proven bound; write XLSX, CSV or GeoJSON.  选址排序。"""
    from careshed.report import plan_words, write_sites

    opened = opened_study(study, year, scenario)
    rules = opened.service(service)
    plan = plan_of(opened, rules, times_of(opened, rules, times, None), n)
    told = about(opened, lang, rules)
    write_sites(out, plan, excluded=opened.faults, **told)
    for line in plan_words(plan, told["lang"]):
        typer.echo(line)
    typer.echo(f"→ {out}")


@app.command("write-sites")
def write_sites_(
    study: StudyFile,
    service: ServiceId,
    out: Out,
    times: TimesFile = None,
    year: Year = None,
    scenario: ScenarioName = None,
    lang: Language = None,
) -> None:
    """Write the site list of a service, as rank-sites does.  写出选址清单。"""
    rank_sites_(study, service, out, times=times, n=None, year=year, scenario=scenario, lang=lang)


@app.command("write-map")
def write_map_(
    study: StudyFile,
    service: ServiceId,
    out: Out,
    times: TimesFile = None,
    year: Year = None,
    scenario: ScenarioName = None,
    lang: Language = None,
) -> None:
    """Write the offline map of a service.  写出离线地图。"""
    from careshed.access import coverage_table, find_gaps
    from careshed.isochrones import merged_isochrones
    from careshed.maps import write_map

    opened = opened_study(study, year, scenario)
    rules = opened.service(service)
    matrix = times_of(opened, rules, times, None)
    groups = list(dict.fromkeys((rules.group, *rules.groups_shown)))
    write_map(
        out,
        opened,
        service=service,
        times=matrix,
        gaps=find_gaps(matrix, opened.cells, minutes=rules.within_minutes, group=rules.group, units=opened.units),
        plan=plan_of(opened, rules, matrix, None),
        covered=coverage_table(
            matrix, opened.cells, opened.units, minutes=sorted({*rules.minutes, rules.within_minutes}), groups=groups
        ),
        isochrones=merged_isochrones(network_of(opened, rules), opened.facilities(service), minutes=rules.minutes),
        lang=lang,
    )
    typer.echo(f"→ {out}")
