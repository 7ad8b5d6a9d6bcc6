"""Offer the check of a study's streets as a command; decide nothing here."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from careshed.cli.shared import Group, Language, Minutes, Out, StudyFile, app, only, opened_study
from careshed.words import pick

if TYPE_CHECKING:
    from careshed.modes import Mode
    from careshed.streetcheck import Repair, StreetReport
    from careshed.study import Study
    from careshed.words import Lang


@app.command("check-streets")
def check_streets(
    study: StudyFile,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="report to write: HTML or XLSX  输出文件")] = None,
    service: Annotated[
        str | None, typer.Option("--service", "-s", help="service whose reach counts; the first  服务代号")
    ] = None,
    mode: Annotated[str | None, typer.Option("--mode", help="mode of travel; the service's if left out  出行方式")] = None,
    minutes: Minutes = None,
    group: Group = None,
    gap: Annotated[float, typer.Option("--gap", help="metres within which an end is suspicious  断头间距（米）")] = 10.0,
    exact: Annotated[int, typer.Option("--exact", help="gaps joined one by one to count whom it helps  逐处实算数")] = 20,
    known: Annotated[
        float | None, typer.Option("--known", help="metres beyond the units with all data; the study's  界外已知范围（米）")
    ] = None,
    border: Annotated[Path | None, typer.Option("--border", help="layer of hard borders; the study's  硬边界图层")] = None,
    repairs: Annotated[Path | None, typer.Option("--repairs", help="list of repairs to write, CSV  修补清单")] = None,
    lang: Language = None,
) -> None:
    """Check the streets: gaps, cut-off parts, missing footways, edges of the data, ranked by people.  检查道路。"""
    import geopandas as gpd

    from careshed.report.streets import write_streets
    from careshed.report.streets_page import hero
    from careshed.streetcheck import KINDS, ground_of, kept_first, repairs_of, write_repairs
    from careshed.streetcheck import check_streets as check

    for path, suffixes in ((out, (".html", ".xlsx")), (repairs, (".csv",))):
        if path is not None:
            only(path, *suffixes)
    opened = opened_study(study)
    lang = lang or opened.lang
    used = [] if repairs is None else _in_use(opened, repairs)
    chosen = opened.service(service or opened.services[0].id)
    travel = opened.mode(chosen.id) if mode is None else _mode(opened, mode)
    report = check(
        opened.streets, opened.network(travel), opened.cells, group or chosen.group, facilities=opened.facilities(chosen.id),
        minutes=minutes or chosen.within_minutes, known=ground_of(opened.units),
        known_m=opened.config.boundary.known_m if known is None else known,
        hard=opened.hard if border is None else gpd.read_file(border).geometry, hard_m=opened.config.boundary.hard_m,
        gap_m=gap, exact=exact, faults=opened.faults, elevation=opened.elevation,
    )  # fmt: skip
    colon, comma = pick(lang, "：", ": "), pick(lang, "，", ", ")
    typer.echo(comma.join(f"{pick(lang, *KINDS[kind])}{colon}{number}" for kind, number in report.counts().items()))
    typer.echo(hero(report, lang))
    if out is None:
        typer.echo(_worst(report, lang))
    else:
        name = f"{opened.name} · {chosen.name(lang)}"
        written = write_streets(out, report, study_name=name, lang=lang, made_up=opened.made_up, data_date=opened.data_date)
        typer.echo(f"→ {written}")
    if repairs is not None:
        listed = kept_first(used, repairs_of(report.findings))
        typer.echo(f"→ {write_repairs(repairs, listed)}")
        kept = sum(one.use for one in listed)
        if kept:
            zh, en = f"已在用的 {kept} 处保留在清单最前", f"the {kept} in use stay in the list, first"
            typer.echo(pick(lang, zh, en))
        zh, en = "选定后将 use 改为 yes，并写 [streets] repairs", "set use to yes where right; name it under [streets] repairs"
        typer.echo(pick(lang, zh, en))


def _in_use(opened: Study, target: Path) -> list[Repair]:
    """List the repairs that the study makes, and those that a list about to be written again has chosen."""
    from careshed.streetcheck import read_repairs

    named = opened.config.streets.repairs
    files = ([opened.folder / named] if named else []) + ([target] if target.is_file() else [])
    return [one for file in files for one in read_repairs(file) if one.use]


def _worst(report: StreetReport, lang: Lang) -> str:
    """Lay out the findings that concern the most people, for the terminal."""
    from careshed.streetcheck import STREET_COLUMNS

    table = report.table(lang).head(20).round({"people": 1, "minutes_saved": 1, "lon": 6, "lat": 6})
    named = table.rename(columns={name: pick(lang, *words) for name, words in STREET_COLUMNS.items()})
    return named.to_string(index=False, na_rep="")


@app.command("fetch-streets")
def fetch_streets_(
    place: Annotated[str, typer.Argument(help="name of the place, or with --polygon a layer with its outline  地名或范围图层")],
    out: Out,
    polygon: Annotated[bool, typer.Option("--polygon", help="PLACE is a layer  地名处写的是范围图层")] = False,
    lang: Language = None,
) -> None:
    """Fetch the streets of a place from OpenStreetMap, when online, for use offline.  联网获取街道，供离线使用。"""
    from careshed.intake.streets.keeping import keep_streets, kept_on
    from careshed.intake.streets.saving import save_graphml
    from careshed.settings.sections import StreetSection
    from careshed.study.boundary import read_outline

    only(out, ".osm", ".gz", ".graphml")
    wanted = read_outline(Path(), StreetSection(polygon=place)).table if polygon else place
    if out.suffix.lower() == ".graphml":
        from careshed.intake.streets.online import fetch_streets

        out.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory() as answers:
            save_graphml(fetch_streets(wanted, cache=answers).table, out)
    else:
        day = kept_on(keep_streets(wanted, out))
        typer.echo(pick(lang or "zh", f"数据日期：{day or '未知'}", f"data of {day or 'unknown date'}"))
    typer.echo(f"→ {out}  © OpenStreetMap contributors, ODbL")


def _mode(opened: Study, name: str) -> Mode:
    """Give a mode by its name.

    Raises
    ------
    ValueError
        If there is none of this name.
    """
    from careshed.modes import MODES

    if name not in MODES:
        raise ValueError(f"there is no mode {name!r}; there are: {', '.join(MODES)}  没有该出行方式")
    return opened.travel_mode(name)
