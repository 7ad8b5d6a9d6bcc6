"""The atlas on paper: A3, true to scale, every unit and table on a sheet, text that can be searched, the same bytes again."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from plan_town import write_town
from typer.testing import CliRunner

from careshed.cli import app
from careshed.figures.atlas import write_atlas, writing
from careshed.figures.atlas.cover import LISTED, atlas_name, cover_pages, cover_sheet, drawn_names
from careshed.figures.atlas.sheet import A3_MM, FRAME, MAP_BOX, ROUND, Title, fitting_scale, map_sheet, round_scale
from careshed.figures.atlas.tables import ROWS, Annex, annex_sheet, coverage_annex, site_annex
from careshed.figures.atlas.units import facility_numbers, sited_services, source_text, unit_sheet, units_below
from careshed.figures.furniture import scale_bar
from careshed.figures.plans import change_of
from careshed.schema import InputError
from careshed.study import UnknownService

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from careshed.run import RunResult

YEARS = (
    'id = "years"\nservice = "day_care"\nname_zh = "两年方案"\n'
    "[[plan.phase]]\nyear = 2026\nsites = 1\nyuan = 500000\n[[plan.phase]]\nyear = 2027\nsites = 1\nyuan = 500000\n"
)

needs_poppler = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs pdftotext of poppler")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """The one-street town with a plan over two years."""
    from careshed.run import analyse_study

    return analyse_study(write_town(tmp_path_factory.mktemp("town"), YEARS), progress=False)


@pytest.fixture(scope="module")
def made(town: RunResult, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Its atlas in Chinese with an approval number, and the titles of its sheets as they were drawn."""
    told: list[str] = []
    path = tmp_path_factory.mktemp("atlas") / "atlas.pdf"
    write_atlas(path, town, approval_no="青S(2025)001号", told=told.append)
    return SimpleNamespace(path=path, told=told, raw=path.read_bytes())


def words(figure: Figure) -> list[str]:
    """Everything written on a sheet."""
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def text_of(path: Path, page: int = 0) -> str:
    """Text of a PDF, or of one of its pages, without spaces."""
    which = ["-f", str(page), "-l", str(page)] if page else []
    found = subprocess.run(["pdftotext", *which, str(path), "-"], capture_output=True, check=True)
    return re.sub(r"\s+", "", found.stdout.decode("utf-8"))


def test_every_kind_of_sheet_is_there_in_its_order(made):
    # Four maps of the service, one plan, three streets and townships, three annex tables of one page each.
    assert made.told == [
        "目录",
        "日间照料现状图",
        "日间照料服务范围图",
        "日间照料服务缺口图",
        "日间照料建议选址图",
        "规划布局图：两年方案",
        "东街道分图则",
        "西街道分图则",
        "山乡分图则",
        "附表 1　现状设施一览表",
        "附表 2　规划点位一览表",
        "附表 3　各单元覆盖情况",
    ]
    assert len(re.findall(rb"/Type /Page\b", made.raw)) == 12


def test_every_page_is_a3_lying(made):
    boxes = re.findall(rb"/MediaBox \[ ([\d.]+) ([\d.]+) ([\d.]+) ([\d.]+) \]", made.raw)
    assert len(boxes) == 12
    for box in boxes:
        assert [float(edge) for edge in box] == pytest.approx([0, 0, 420 / 25.4 * 72, 297 / 25.4 * 72], abs=0.01)


def test_fonts_are_in_the_file_and_clocks_are_not(made):
    assert b"/CreationDate" not in made.raw
    assert b"/ModDate" not in made.raw
    kinds = re.findall(rb"/Subtype /(Type1|TrueType|Type3|CIDFontType2|CIDFontType0)\b", made.raw)
    assert kinds
    # Drawn glyphs lie in the file by themselves; the others need their font file beside them.
    assert all(kind == b"Type3" for kind in kinds) or b"/FontFile" in made.raw


def test_the_same_run_gives_the_same_bytes(town, tmp_path, monkeypatch):
    listed = writing.atlas_sheets
    monkeypatch.setattr(writing, "atlas_sheets", lambda *given: [listed(*given)[at] for at in (3, -4, -1)])
    files = [write_atlas(tmp_path / f"{run}.pdf", town, "en", units=["A"]) for run in "ab"]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert not list(tmp_path.glob(".*.part"))


@needs_poppler
def test_its_text_can_be_searched_in_chinese(made):
    whole = text_of(made.path)
    for said in ("小镇", "日间照料服务范围图", "虚构数据", "青S(2025)001号", "2025-06-30", "东街道分图则", "坐标系"):
        assert said in whole
    assert whole.count("第2页，共12页") == 1
    first = text_of(made.path, 1)
    assert "目录" in first
    assert "附表3各单元覆盖情况" in first
    assert "活动室" in text_of(made.path, 11)  # site Y in annex 2
    assert "2026" in text_of(made.path, 11)


def marks_beside(
    unit: tuple[str, float, float, float], listed: list[tuple[str, float, float, float]]
) -> list[tuple[float, float]]:
    """Numbers on the line of a scale bar's unit with their middles; glyphs of two fonts may come as two words that touch."""
    line = sorted((left, right, text) for text, left, y, right in listed if abs(y - unit[2]) < 5 and 0 < unit[1] - left < 160)
    joined: list[tuple[float, float, str]] = []
    for left, right, text in line:
        if joined and left - joined[-1][1] < 0.3:
            joined[-1] = (joined[-1][0], right, joined[-1][2] + text)
        else:
            joined.append((left, right, text))
    return [((left + right) / 2, float(text)) for left, right, text in joined]


@needs_poppler
def test_the_scale_bar_in_the_file_is_as_long_on_paper_as_the_scale_says(made):
    found = subprocess.run(["pdftotext", "-bbox", "-f", "2", "-l", "2", str(made.path), "-"], capture_output=True, check=True)
    words = re.findall(r'xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="[\d.]+">([^<]*)<', found.stdout.decode("utf-8"))
    listed = [(text, float(left), float(y), float(right)) for left, y, right, text in words]
    scale = next(int(text[2:].replace(",", "")) for text, *_ in listed if re.fullmatch(r"1:[\d,]+", text))
    unit = next(one for one in listed if one[0] in ("米", "千米"))
    (start, first), *_, (end, last) = marks_beside(unit, listed)
    metres = last * (1000 if unit[0] == "千米" else 1)
    assert first == 0
    assert (end - start) / 72 * 25.4 == pytest.approx(metres * 1000 / scale, abs=0.15)


def test_round_scales_are_the_next_above():
    every = sorted({round(digit * 10**power) for power in range(2, 7) for digit in ROUND})
    for least in np.random.default_rng(7).uniform(500, 900_000, 200):
        assert round_scale(least) == min(one for one in every if one >= least)
    assert round_scale(50_000) == 50_000


def test_a_map_shows_its_whole_area_at_exactly_its_scale(town):
    atlas = writing._atlas(town.study, "en", None)
    bounds = atlas.ground.bounds()
    with map_sheet(atlas, Title("t", "M-01", 2), bounds) as (view, _):
        scale = fitting_scale(bounds, MAP_BOX)
        assert view.scale == pytest.approx(scale)
        ends = [(bounds[0], bounds[1]), (bounds[2], bounds[3])]
        x, y = view.axes.transData.transform(ends).T / view.page.figure.dpi * 25.4
        assert x[1] - x[0] == pytest.approx((bounds[2] - bounds[0]) * 1000 / scale, abs=1e-6)
        assert y[1] - y[0] == pytest.approx((bounds[3] - bounds[1]) * 1000 / scale, abs=1e-6)
        assert MAP_BOX[0] < x[0] < x[1] < MAP_BOX[2]
        assert MAP_BOX[1] < y[0] < y[1] < MAP_BOX[3]
        assert scale_bar(view, 20, 20, at_most=50) * view.metres_a_mm % 100 == pytest.approx(0, abs=1e-6)


def test_a_smaller_round_scale_would_not_fit(town):
    bounds = writing._atlas(town.study, "en", None).ground.bounds()
    scale = fitting_scale(bounds, MAP_BOX)
    smaller = max(round(digit * 10**power) for power in range(1, 7) for digit in ROUND if digit * 10**power < scale * 0.999)
    assert (bounds[2] - bounds[0]) * 1000 / smaller > (MAP_BOX[2] - MAP_BOX[0]) * 0.975


def test_nothing_is_written_outside_the_frame(town):
    atlas = writing._atlas(town.study, "zh", None)
    sheets = writing.atlas_sheets(atlas, town, town.services)
    for sheet in (sheets[0], sheets[4], sheets[6], sheets[-2]):
        figure = sheet.draw(atlas, sheet.title)
        renderer = figure.canvas.get_renderer()
        for text in figure.axes[0].texts:
            box = text.get_window_extent(renderer).transformed(figure.transFigure.inverted())
            assert box.x0 * A3_MM[0] >= FRAME[0], text.get_text()
            assert box.x1 * A3_MM[0] <= FRAME[2], text.get_text()
            assert box.y0 * A3_MM[1] >= FRAME[1] - 0.3, text.get_text()
            assert box.y1 * A3_MM[1] <= FRAME[3], text.get_text()


def test_a_unit_sheet_tells_the_units_own_numbers(town):
    atlas = writing._atlas(town.study, "en", None)
    numbers, sited = facility_numbers(town.services, atlas), sited_services(atlas, town, town.services)
    figure = unit_sheet(atlas, Title("t", "U-02", 3), "B", sited, numbers)
    told = words(figure)
    # In B live 80 + 40 people, none in reach today; Y, first of the plan, stands at 1900 m and reaches all of them.
    assert {"西街道", "0.0%", "100.0%", "A1  活动室"} <= set(told)
    assert any("people aged 60+ 120" in text for text in told)
    assert "Day care: Childcare" not in " ".join(told)


def test_units_below_are_found_at_any_depth(town):
    assert sorted(units_below(town.study.units, "C")) == ["A", "B", "C", "T"]
    assert units_below(town.study.units, "A") == ["A"]


def test_the_coverage_annex_holds_the_runs_own_numbers(town):
    atlas = writing._atlas(town.study, "en", None)
    rows = {row[2]: row for row in coverage_annex(atlas, town.services).rows}
    # 160 of 360 in all, 160 of 160 in A, none of 120 in B, none of 80 in T.
    assert {name: (row[6], row[7], row[8]) for name, row in rows.items()} == {
        "all": ("360", "160", "44.4%"),
        "青县": ("360", "160", "44.4%"),
        "东街道": ("160", "160", "100.0%"),
        "西街道": ("120", "0", "0.0%"),
        "山乡": ("80", "0", "0.0%"),
    }


def test_the_cover_lists_the_services_drawn_and_no_others(town):
    atlas = writing._atlas(town.study, "zh", None)
    assert (drawn_names(atlas), atlas_name(atlas)) == (("日间照料",), "养老托育服务设施可达与布局图集")
    more = town.study.services[0].model_copy(update={"id": "other", "name_zh": "托育服务"})
    two = replace(atlas, study=replace(atlas.study, services=(*town.study.services, more)), services=("托育服务",))
    assert (drawn_names(two), atlas_name(two)) == (("托育服务",), "托育服务设施可达与布局图集")


def test_the_site_annex_sums_up_each_plan_and_has_years_only_where_a_plan_has(town):
    atlas = writing._atlas(town.study, "zh", None)
    change = change_of(town.study, town.services[0], "zh")
    known = pd.DataFrame({"people_new": 100.0, "places": 10.0, "cost_yuan": 20_000.0}, index=change.sites.index)
    annex = site_annex(atlas, [("建议选址", change, known)])
    n = len(change.sites)
    assert "年份" not in annex.heads
    assert {len(annex.heads), len(annex.widths), len(annex.right)} == {9}
    assert all(len(row) == 9 for row in annex.rows)
    assert annex.rows[-1][4:] == (f"合计 {n} 处", "", str(100 * n), str(10 * n), f"{2.0 * n:.1f}")
    assert annex.strong == {n}  # the total stands out
    assert " *" not in " ".join(row[4] for row in annex.rows)
    unknown = site_annex(atlas, [("建议选址", change, known.assign(cost_yuan=np.nan))])
    assert unknown.rows[-1][-1] == "–"


def test_the_site_annex_marks_premises_of_two_services_and_counts_them_once(town):
    atlas = writing._atlas(town.study, "zh", None)
    change = change_of(town.study, town.services[0], "zh")
    n = len(change.sites)
    known = pd.DataFrame({"people_new": 1.0, "places": 10.0, "cost_yuan": 20_000.0}, index=change.sites.index)
    annex = site_annex(atlas, [("建议选址", change, known), ("建议选址", replace(change, target="托育服务"), known)])
    assert [row[4].endswith(" *") for row in annex.rows] == [True] * n + [False] + [True] * n + [False]
    assert f"建议选址共 {2 * n} 处、{n} 处用房，合用只计一次，造价 {2.0 * n:.1f} 万元" in annex.note
    again = site_annex(atlas, [("建议选址", change, known), ("另一方案", replace(change, target="托育服务"), known)])
    assert "合用" not in again.note  # two proposals may name the same premises: only one of them will be built


def test_a_long_table_runs_over_pages_and_loses_no_row(town):
    atlas = writing._atlas(town.study, "en", None)
    rows = [(f"row {number}", "=HYPERLINK(1)") for number in range(2 * ROWS + 1)]
    annex = Annex("t", ("a", "b"), (0.5, 0.5), (False, True), rows)
    assert annex.pages == 3
    told = [text for page in range(3) for text in words(annex_sheet(atlas, Title("t", "T-01", 1), annex, page))]
    assert [text for text in told if text.startswith("row ")] == [row[0] for row in rows]
    assert told.count("=HYPERLINK(1)") == len(rows)
    empty = Annex("t", ("a",), (1.0,), (False,), [])
    assert empty.pages == 1
    assert "(none)" in words(annex_sheet(atlas, Title("t", "T-01", 1), empty, 0))


def test_the_list_of_sheets_runs_over_pages_too(town):
    atlas = writing._atlas(town.study, "en", None)
    titles = [Title(f"sheet {number}", f"M-{number:02d}", number) for number in range(LISTED + 1)]
    assert cover_pages(len(titles)) == 2
    told = [text for page in range(2) for text in words(cover_sheet(atlas, titles, page))]
    assert [text for text in told if text.startswith("sheet ")] == [title.name for title in titles]


def test_what_is_not_in_the_study_is_refused(town, tmp_path):
    with pytest.raises(UnknownService, match="there is no service 'nurseries'"):
        write_atlas(tmp_path / "a.pdf", town, services=["nurseries"])
    with pytest.raises(ValueError, match=r"no street or township with an outline: Z; there are: A, B, T  没有这些街道乡镇：Z"):
        write_atlas(tmp_path / "a.pdf", town, units=["Z"])
    assert not list(tmp_path.iterdir())


def test_without_a_chinese_font_nothing_is_written(town, tmp_path, monkeypatch):
    def none() -> str:
        raise LookupError

    monkeypatch.setattr("careshed.figures.fonts.chinese_font", none)
    with pytest.raises(InputError, match="no Chinese font is installed"):
        write_atlas(tmp_path / "a.pdf", town)
    assert not list(tmp_path.iterdir())


def test_the_command_writes_the_atlas_and_only_a_pdf(town, tmp_path, monkeypatch):
    asked: list[dict[str, object]] = []

    def analysed(*_: object, **more: object) -> RunResult:
        asked.append(more)
        return town

    def written(path: Path, *_: object, **more: object) -> Path:
        asked.append(more)
        return path

    monkeypatch.setattr("careshed.run.analyse_study", analysed)
    monkeypatch.setattr("careshed.figures.atlas.write_atlas", written)
    arguments = ["atlas", str(town.study.path), "-o", str(tmp_path / "a.pdf"), "-s", "day_care", "--unit", "A", "-q"]
    told = CliRunner().invoke(app, [*arguments, "--approval-no", "S1"])
    assert told.exit_code == 0, told.output
    assert asked[0]["only"] == ["day_care"]
    assert asked[1] == {"units": ["A"], "approval_no": "S1"}
    refused = CliRunner().invoke(app, ["atlas", str(town.study.path), "-o", str(tmp_path / "a.docx")])
    assert refused.exit_code == 1
    assert "this command writes .pdf" in str(refused.exception)


def test_unit_sheets_say_by_which_travel_and_limit_their_shares_are_counted(town):
    # A plan may count by car and another limit than the service: its shares must not pass for the service's.
    (solved,) = town.plans
    section = solved.section.model_copy(update={"mode": "car"})
    by_car = replace(town, plans=(replace(solved, problem=replace(solved.problem, section=section)),))
    atlases = {lang: SimpleNamespace(study=town.study, lang=lang) for lang in ("zh", "en")}
    told = {lang: source_text(lang, sited_services(atlas, by_car, by_car.services)) for lang, atlas in atlases.items()}
    assert "日间照料—两年方案（小汽车 11 分钟）。现状和建成后的比例按来源方案的出行方式、时限和计入的设施计算" in told["zh"]
    assert "(car, 11 minutes). Shares now and then go by the travel, limit and facilities" in told["en"]
