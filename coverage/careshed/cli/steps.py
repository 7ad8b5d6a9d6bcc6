"""Offer the steps from streets to sites, one command each; decide nothing here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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
    opened_study,
    plan_of,
    run_and_tell,
    times_of,
    write_any_layer,
)
from careshed.words import pick


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
    if opened.ledger is not None:
        typer.echo(opened.ledger.text(lang))
    for fault in opened.faults:
        typer.echo(f"  {fault.file}: {fault.text(lang)}" if fault.file else f"  {fault.text(lang)}")


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
    typer.echo(f"{times.pairs:,} pairs ≤ {times.limit / 60_000:g} min → {write_travel_times(out, times)}")


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
    typer.echo(f"{float(table['share'].iloc[0]):.1%} → {write_coverage(out, table, **about(opened, lang, rules))}")


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
    write_sites(out, plan, **told)
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
