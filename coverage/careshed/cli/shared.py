"""Hold what all commands share: the application, its options, and how a study is opened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

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
Year = Annotated[int | None, typer.Option("--year", help="people of this year of a scenario; today's if left out  年份")]
ScenarioName = Annotated[
    str | None, typer.Option("--scenario", help="name of the scenario, where several hold the year  情景名称")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="no progress bar  不显示进度")]


def run_and_tell(path: Path, lang: Lang | None, quiet: bool, year: int | None = None, scenario: str | None = None) -> None:
    """Run a study and say what it found."""
    from careshed.run import run_study, summary_lines

    result = run_study(path, lang=lang, progress=not quiet, year=year, scenario=scenario)
    for line in summary_lines(result, lang or result.study.lang):
        typer.echo(line)


def opened_study(path: Path, year: int | None = None, scenario: str | None = None) -> Study:
    """Read and check a study; with a year, its people are those of that year.

    Raises
    ------
    ValueError
        If a scenario is named without a year.
    """
    from careshed.study import open_study

    if scenario is not None and year is None:
        raise ValueError("--scenario needs --year  指定情景时须同时指定 --year")
    opened = open_study(path)
    if year is None:
        return opened
    later = opened.at(year, scenario)
    typer.echo(later.name)
    return later


def network_of(study: Study, service: Service) -> Network:
    """Build the network of a service."""
    return study.network(study.mode(service.id))


def times_of(
    study: Study, service: Service, file: Path | None, minutes: float | None, *, candidates: bool = False
) -> TravelTimes:
    """Read travel times from a file, or compute them to the largest limit the service uses."""
    from careshed.reach import read_travel_times

    places = study.candidates(service.id) if candidates else study.facilities(service.id)
    if file is not None:
        return read_travel_times(file, places, study.cells)
    limit = max(*service.minutes, service.within_minutes) if minutes is None else minutes
    return study.times(service.id, places, limit_min=limit)


def effect_of(study: Study, service: Service, times: TravelTimes, minutes: float, group: str | None, lang: Lang) -> str:
    """Tell what refining the study's people does to the coverage of a service, "" where they are not refined."""
    from careshed.demand import effect_of_refinement, tell_effect

    if study.demand is None or study.demand.refined is None or study.scenario is not None:
        return ""
    groups = [group or service.group]
    effect = effect_of_refinement(
        study.demand, network_of(study, service), times.facilities, times, minutes=minutes, groups=groups
    )
    limit = pick(lang, f"{minutes:g} 分钟", f"{minutes:g} minutes")
    return "" if effect is None else tell_effect(effect, limit=limit, lang=lang)


def plan_of(study: Study, service: Service, existing: TravelTimes, n: int | None) -> SitePlan:
    """Choose sites as the service asks."""
    from careshed.siting import rank_sites

    return rank_sites(
        times_of(study, service, None, service.within_minutes, candidates=True),
        study.cells,
        existing=existing,
        minutes=service.within_minutes,
        group=service.group,
        n=service.n_sites if n is None else n,
        units=study.units,
        at_least_one_per=service.at_least_one_per,
        budget_yuan=service.budget_yuan,
    )


def about(study: Study, lang: Lang | None, service: Service) -> dict[str, Any]:
    """Say on every list what it is about."""
    lang = lang or study.lang
    name = f"{study.name} · {service.name(lang)}"
    return {"study_name": name, "lang": lang, "made_up": study.made_up, "data_date": study.data_date}


def write_any_layer(table: GeoDataFrame, path: Path) -> None:
    """Write a layer as GeoJSON or GeoPackage, the suffix decides.

    Raises
    ------
    ValueError
        If the suffix is neither.
    """
    only(path, ".geojson", ".json", ".gpkg")
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_file(path, driver="GPKG" if path.suffix.lower() == ".gpkg" else "GeoJSON")


def only(path: Path, *suffixes: str) -> None:
    """Refuse a file whose suffix is not among those that a command writes.

    Raises
    ------
    ValueError
        That names those it writes.
    """
    if path.suffix.lower() not in suffixes:
        written = ", ".join(suffixes)
        raise ValueError(f"{path.name}: this command writes {written}; change the suffix  本命令只写 {written}，请改后缀")
