"""Offer every step as a command; decide nothing here."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from careshed.schema import InputError
from careshed.words import Lang, pick

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.network import Network
    from careshed.reach import TravelTimes
    from careshed.siting import SitePlan
    from careshed.study import Service, Study

app = typer.Typer(
    name="careshed",
    help="Who can reach care on foot, who cannot, and where to build next.  谁走得到，谁走不到，下一处建在哪里。",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

StudyFile = Annotated[Path, typer.Argument(help="the study file, study.toml  研究文件", metavar="STUDY")]
ServiceId = Annotated[str, typer.Option("--service", "-s", help="id of the service, as in the study  服务代号")]
TimesFile = Annotated[Path | None, typer.Option("--times", help="travel times written by travel-times  出行时间文件")]
Out = Annotated[Path, typer.Option("--out", "-o", help="file to write  输出文件")]
Language = Annotated[
    Literal["zh", "en"] | None, typer.Option("--lang", help="language of the outputs; the study's if left out  语言")
]
Minutes = Annotated[float | None, typer.Option("--minutes", help="limit in minutes; the service's if left out  时限")]
Group = Annotated[str | None, typer.Option("--group", help="population group; the service's if left out  人群")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="no progress bar  不显示进度")]


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="project folder  项目文件夹")] = Path(),
    lang: Language = None,
    quiet: Quiet = False,
) -> None:
    """Make the made-up demo town in data/raw/demo and run everything on it.  生成虚构示例并完整运行。"""
    from careshed.demo import make_demo

    typer.echo(pick(lang or "zh", "生成虚构示例城镇 …", "making the made-up town …"))
    _run(make_demo(folder / "data" / "raw" / "demo"), lang, quiet)


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
def run(study: StudyFile, lang: Language = None, quiet: Quiet = False) -> None:
    """Run a study: reach, coverage, gaps, ranked sites, maps and lists for every service.  完整运行一项研究。"""
    _run(study, lang, quiet)


@app.command("warm-up")
def warm_up_() -> None:
    """Compile the search loops now, so that the first run starts at once.  预先编译计算内核。"""
    from careshed.run import warm_up

    warm_up()


@app.command("open-study")
def open_study_(study: StudyFile, lang: Language = None) -> None:
    """Read and check every input and say what was found, without computing anything.  只读取和检查。"""
    opened = _open(study)
    lang = lang or opened.lang
    typer.echo(f"{opened.name}  {opened.crs}")
    for fault in opened.faults:
        typer.echo(f"  {fault.file}: {fault.text(lang)}" if fault.file else f"  {fault.text(lang)}")


@app.command("build-network")
def build_network_(study: StudyFile, service: ServiceId, out: Out, lang: Language = None) -> None:
    """Build the walking network of a service and write its edges as GeoPackage or GeoJSON.  构建路网。"""
    opened = _open(study)
    network = _network(opened, opened.service(service))
    edges = network.edge_lines().to_frame("geometry").assign(length_m=network.edge_m, minutes=network.time.edge_f / 60_000)
    edges["name"] = opened.streets.ways["name"].to_numpy()[network.edge_way]
    _layer(edges, out)
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
) -> None:
    """Compute travel times between facilities (or candidates) and cells; write them as Parquet.  计算出行时间。"""
    from careshed.reach import write_travel_times

    opened = _open(study)
    times = _times(opened, opened.service(service), None, minutes, candidates=candidates)
    typer.echo(f"{times.pairs:,} × {times.metric} ≤ {times.limit} → {write_travel_times(out, times)}")


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

    opened = _open(study)
    rules = opened.service(service)
    network, facilities = _network(opened, rules), opened.facilities(service)
    drawn = (merged_isochrones if merged else draw_isochrones)(network, facilities, minutes=rules.minutes)
    _layer(drawn, out)
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
    lang: Language = None,
) -> None:
    """Count who is covered, unit by unit; write XLSX or CSV.  统计覆盖率。"""
    from careshed.access import coverage
    from careshed.report import write_coverage

    opened = _open(study)
    rules = opened.service(service)
    table = coverage(
        _times(opened, rules, times, minutes),
        opened.cells,
        opened.units,
        minutes=minutes or rules.within_minutes,
        group=group or rules.group,
    )
    typer.echo(f"{float(table['share'].iloc[0]):.1%} → {write_coverage(out, table, **_about(opened, lang, rules))}")


@app.command("find-gaps")
def find_gaps_(
    study: StudyFile,
    service: ServiceId,
    out: Out,
    times: TimesFile = None,
    minutes: Minutes = None,
    group: Group = None,
    lang: Language = None,
) -> None:
    """Find where people live without the service in reach; write GeoJSON, CSV or XLSX.  查找服务缺口。"""
    from careshed.access import find_gaps
    from careshed.report import write_gaps

    opened = _open(study)
    rules = opened.service(service)
    asked = group or rules.group
    found = find_gaps(
        _times(opened, rules, times, minutes),
        opened.cells,
        minutes=minutes or rules.within_minutes,
        group=asked,
        units=opened.units,
    )
    typer.echo(f"{len(found)} → {write_gaps(out, found, group=asked, **_about(opened, lang, rules))}")


@app.command("rank-sites")
def rank_sites_(
    study: StudyFile,
    service: ServiceId,
    out: Out,
    times: TimesFile = None,
    n: Annotated[int | None, typer.Option("--n", help="sites to choose; the service's if left out  选址数量")] = None,
    lang: Language = None,
) -> None:
    """Choose and rank sites, with the proven bound; write XLSX, CSV or GeoJSON.  选址排序。"""
    from careshed.report import plan_words, write_sites

    opened = _open(study)
    rules = opened.service(service)
    plan = _plan(opened, rules, _times(opened, rules, times, None), n)
    about = _about(opened, lang, rules)
    write_sites(out, plan, **about)
    for line in plan_words(plan, about["lang"]):
        typer.echo(line)
    typer.echo(f"→ {out}")


@app.command("write-sites")
def write_sites_(study: StudyFile, service: ServiceId, out: Out, times: TimesFile = None, lang: Language = None) -> None:
    """Write the site list of a service, as rank-sites does.  写出选址清单。"""
    rank_sites_(study, service, out, times=times, n=None, lang=lang)


@app.command("write-map")
def write_map_(study: StudyFile, service: ServiceId, out: Out, times: TimesFile = None, lang: Language = None) -> None:
    """Write the offline map of a service.  写出离线地图。"""
    from careshed.access import coverage_table, find_gaps
    from careshed.isochrones import merged_isochrones
    from careshed.maps import write_map

    opened = _open(study)
    rules = opened.service(service)
    matrix = _times(opened, rules, times, None)
    groups = list(dict.fromkeys((rules.group, *rules.groups_shown)))
    write_map(
        out,
        opened,
        service=service,
        times=matrix,
        gaps=find_gaps(matrix, opened.cells, minutes=rules.within_minutes, group=rules.group, units=opened.units),
        plan=_plan(opened, rules, matrix, None),
        covered=coverage_table(
            matrix, opened.cells, opened.units, minutes=sorted({*rules.minutes, rules.within_minutes}), groups=groups
        ),
        isochrones=merged_isochrones(_network(opened, rules), opened.facilities(service), minutes=rules.minutes),
        lang=lang,
    )
    typer.echo(f"→ {out}")


def _run(path: Path, lang: Lang | None, quiet: bool) -> None:
    from careshed.run import run_study, summary_lines

    result = run_study(path, lang=lang, progress=not quiet)
    for line in summary_lines(result, lang or result.study.lang):
        typer.echo(line)


def _open(path: Path) -> Study:
    from careshed.study import open_study

    return open_study(path)


def _network(study: Study, service: Service) -> Network:
    from careshed.network import build_network

    return build_network(study.streets, mode=study.mode(service.id), crs=study.crs, snap_m=study.snap_m)


def _times(study: Study, service: Service, file: Path | None, minutes: float | None, *, candidates: bool = False) -> TravelTimes:
    """Read travel times from a file, or compute them to the largest limit the service uses."""
    from careshed.reach import read_travel_times, travel_times

    places = study.candidates(service.id) if candidates else study.facilities(service.id)
    if file is not None:
        return read_travel_times(file, places, study.cells)
    limit = minutes or max(*service.minutes, service.within_minutes)
    return travel_times(_network(study, service), places, study.cells, limit_min=limit)


def _plan(study: Study, service: Service, existing: TravelTimes, n: int | None) -> SitePlan:
    from careshed.siting import rank_sites

    return rank_sites(
        _times(study, service, None, service.within_minutes, candidates=True),
        study.cells,
        existing=existing,
        minutes=service.within_minutes,
        group=service.group,
        n=service.n_sites if n is None else n,
        units=study.units,
        at_least_one_per=service.at_least_one_per,
    )


def _about(study: Study, lang: Lang | None, service: Service) -> dict[str, Any]:
    """Say on every list what it is about."""
    lang = lang or study.lang
    name = f"{study.name} · {service.name(lang)}"
    return {"study_name": name, "lang": lang, "made_up": study.made_up, "data_date": study.data_date}


def _layer(table: GeoDataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_file(path, driver="GeoJSON" if path.suffix.lower() in (".geojson", ".json") else "GPKG")


def main() -> None:
    """Run the command line; input that cannot be used ends in one message and exit code 1, not in a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")  # a Windows console may default to GBK
    try:
        app()
    except InputError as error:
        typer.echo(error.text("en" if "en" in sys.argv else "zh"), err=True)
        sys.exit(1)
    except (KeyError, ValueError) as error:
        typer.echo(str(error), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
