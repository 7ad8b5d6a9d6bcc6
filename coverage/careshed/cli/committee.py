"""Offer what goes to the committee, one command each: what-if, workbook, brief, figures, atlas, layers; decide nothing here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from careshed.cli.shared import Group, Language, Minutes, Out, Quiet, ScenarioName, ServiceId, StudyFile, Year, app, only
from careshed.words import Lang

if TYPE_CHECKING:
    from careshed.siting.choice import Evaluation
    from careshed.study import Study


@app.command("figures")
def figures_(
    study: StudyFile,
    out: Annotated[Path, typer.Option("--out", "-o", help="folder to write to  输出文件夹")],
    svg: Annotated[bool, typer.Option("--svg", help="write each as SVG too  同时写出 SVG")] = False,
    lang: Language = None,
    quiet: Quiet = False,
    year: Year = None,
    scenario: ScenarioName = None,
) -> None:
    """Draw the maps and charts of a study for slides, one PNG each.  绘制汇报用图。"""
    from careshed.figures import write_figures
    from careshed.run import analyse_study

    lang = _drawable(study, lang)
    result = analyse_study(study, lang=lang, progress=not quiet, year=year, scenario=scenario)
    for path in write_figures(out, result, lang, svg=svg):
        typer.echo(f"  → {path}")


@app.command("atlas")
def atlas_(
    study: StudyFile,
    out: Out,
    services: Annotated[
        list[str] | None, typer.Option("--service", "-s", help="id of a service, again for more; all if left out  服务代号")
    ] = None,
    units: Annotated[
        list[str] | None, typer.Option("--unit", help="street or township with a sheet of its own; all if left out  单元代码")
    ] = None,
    approval_no: Annotated[str | None, typer.Option("--approval-no", help="审图号; the study file's if left out")] = None,
    lang: Language = None,
    quiet: Quiet = False,
    year: Year = None,
    scenario: ScenarioName = None,
) -> None:
    """Draw the atlas: A3 sheets true to scale, one sheet a street or township, annex tables, one PDF.  绘制图集。"""
    from careshed.figures.atlas import write_atlas
    from careshed.run import analyse_study

    only(out, ".pdf")
    lang = _drawable(study, lang)
    result = analyse_study(study, lang=lang, progress=not quiet, only=services or (), year=year, scenario=scenario)
    path = write_atlas(out, result, lang, services, units=units, approval_no=approval_no)
    typer.echo(f"  → {path}")


def _drawable(study: Path, lang: Lang | None) -> Lang:
    """Settle the language, and refuse at once where its letters cannot be drawn."""
    from careshed.figures import typeface
    from careshed.settings.config import load_config

    config = load_config(study)
    typeface(lang or config.study.lang, [config.study.name])
    return lang or config.study.lang


@app.command("gis-layers")
def gis_layers_(
    study: StudyFile,
    out: Annotated[Path, typer.Option("--out", "-o", help="GeoPackage, or folder for the others  输出文件，其余格式为文件夹")],
    format: Annotated[
        Literal["gpkg", "geojson", "parquet"], typer.Option("--format", help="one GeoPackage, or files in a folder  格式")
    ] = "gpkg",
    crs: Annotated[str, typer.Option("--crs", help="study, or a code; EPSG:4490 (CGCS2000) in China if left out  坐标系")] = "",
    lang: Language = None,
    quiet: Quiet = False,
    year: Year = None,
    scenario: ScenarioName = None,
) -> None:
    """Write all layers of a study for QGIS, ArcGIS and the 一张图, with styles and data dictionary.  输出 GIS 图层。"""
    from careshed.cli.shared import only
    from careshed.report.layers import check_target, write_layers
    from careshed.run import analyse_study

    if format == "gpkg":
        only(out, ".gpkg")
    check_target(crs, format)
    result = analyse_study(study, lang=lang, progress=not quiet, year=year, scenario=scenario)
    files = write_layers(out, result, lang, crs, format=format)
    for path in files if len(files) == 1 else (out,):
        typer.echo(f"→ {path}")


@app.command("what-if")
def what_if_(
    study: StudyFile,
    service: ServiceId,
    out: Out,
    minutes: Annotated[
        float | None, typer.Option("--minutes", help="largest limit the page offers; the service's largest if left out  最大时限")
    ] = None,
    lang: Language = None,
    year: Year = None,
    scenario: ScenarioName = None,
) -> None:
    """Write a page in which everybody can try sites: coverage, money and gaps recount in the page.  输出“假如这样选”页面。"""
    from careshed.cli.shared import only, opened_study, plan_of, times_of
    from careshed.maps.whatif import write_whatif

    only(out, ".html")
    opened = opened_study(study, year, scenario)
    asked = opened.service(service)
    limit = max(*asked.minutes, asked.within_minutes, minutes or 0.0)
    times = times_of(opened, asked, None, limit)
    options = times_of(opened, asked, None, limit, candidates=True)
    plan = plan_of(opened, asked, times, None)
    typer.echo(f"→ {write_whatif(out, opened, service=asked.id, times=times, options=options, plan=plan, lang=lang)}")


@app.command("evaluate-sites")
def evaluate_sites_(
    study: StudyFile,
    sites: Annotated[Path, typer.Argument(help="sites as a what-if page saves them, or one id a line  点位清单", metavar="LIST")],
    service: ServiceId,
    minutes: Minutes = None,
    group: Group = None,
    lang: Language = None,
    year: Year = None,
    scenario: ScenarioName = None,
) -> None:
    """Count what a list of chosen sites brings, from travel times of these very sites.  复算所选点位的覆盖、缺口和资金。"""
    from careshed.cli.shared import opened_study
    from careshed.siting.choice import check_sites, evaluate_choice, read_site_list

    chosen = read_site_list(sites)
    opened = opened_study(study, year, scenario)
    check_sites(opened, service, chosen, sites)
    found = evaluate_choice(opened, service, chosen, minutes=minutes, group=group)
    if not _told(opened, found, lang or opened.lang):
        raise typer.Exit(1)


def _told(study: Study, found: Evaluation, lang: Lang) -> bool:
    """Print an evaluation; False where the list was made with other numbers."""
    from careshed.siting.choice.telling import agrees, evaluation_lines

    for line in evaluation_lines(study, found, lang):
        typer.echo(line)
    return agrees(found)


@app.command("workbook")
def workbook_(
    study: StudyFile,
    out: Out,
    lang: Language = None,
    quiet: Quiet = False,
    year: Year = None,
    scenario: ScenarioName = None,
) -> None:
    """Write everything a study finds as one workbook for the committee.  输出成果工作簿。"""
    from careshed.cli.shared import only
    from careshed.report.committee import write_workbook
    from careshed.run import analyse_study

    only(out, ".xlsx")
    result = analyse_study(study, lang=lang, progress=not quiet, year=year, scenario=scenario)
    typer.echo(f"→ {write_workbook(out, result, lang)}")


@app.command("brief")
def brief_(
    study: StudyFile,
    out: Out,
    pdf: Annotated[bool, typer.Option("--pdf", help="a PDF beside it too, by LibreOffice  同时用 LibreOffice 输出 PDF")] = False,
    lang: Language = None,
    quiet: Quiet = False,
    year: Year = None,
    scenario: ScenarioName = None,
) -> None:
    """Write the brief that a planner signs, three to six pages, as DOCX.  输出供签发的简报。"""
    from careshed.cli.shared import only
    from careshed.report.brief import need_office, write_brief, write_pdf
    from careshed.run import analyse_study

    only(out, ".docx")
    if pdf:
        need_office()
    lang = _drawable(study, lang)
    result = analyse_study(study, lang=lang, progress=not quiet, year=year, scenario=scenario)
    document = write_brief(out, result, lang)
    typer.echo(f"→ {document}")
    if pdf:
        typer.echo(f"→ {write_pdf(document)}")
