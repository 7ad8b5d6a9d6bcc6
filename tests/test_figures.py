"""What the committee sees on slides: the number in the title, nothing over another, the same bytes again."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.font_manager import fontManager
from matplotlib.text import Text
from PIL import Image
from plan_town import CANDIDATES, write_town
from typer.testing import CliRunner

from careshed import figures
from careshed.cli import app
from careshed.figures.fonts import embedding, typeface
from careshed.figures.frame import Told, about, framed, map_frame
from careshed.figures.furniture import Entry, legend, legend_height, round_length, scale_bar
from careshed.figures.ground import Ground, draw_ground, fitted_view, label, name_units, scaled_view
from careshed.figures.layers import draw_effect, draw_sites, gaps_text, site_effect
from careshed.figures.maps import _named_end, half_in
from careshed.figures.page import look, new_page
from careshed.figures.plans import change_of
from careshed.figures.writing import figures_of
from careshed.schema import InputError
from careshed.settings.sections import TimesSection

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from careshed.run import RunResult

HOSTILE = "$x_1$<img src=x onerror=alert(1)>"
YEARS = (
    'id = "years"\nservice = "day_care"\nname_zh = "两年方案"\nfrontier = "sites"\nfrontier_steps = 2\n'
    "[[plan.phase]]\nyear = 2026\nsites = 1\nyuan = 500000\n[[plan.phase]]\nyear = 2027\nsites = 1\nyuan = 500000\n"
)
PLAIN = 'id = "plain"\nservice = "day_care"\nat_most = 1\n'
NO_FONT = LookupError("none")

needs_chinese = pytest.mark.skipif(
    not any("CJK" in font.name for font in fontManager.ttflist), reason="no Chinese font on this machine"
)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """The one-street town: E reaches 160 of 360 people; one site has a name that would do harm where it is not shown as text."""
    from careshed.run import analyse_study

    candidates = [(*row[:1], HOSTILE if row[0] == "W" else row[1], *row[2:]) for row in CANDIDATES]
    return analyse_study(write_town(tmp_path_factory.mktemp("town"), YEARS, PLAIN, candidates=candidates), progress=False)


def words(figure: Figure) -> list[str]:
    """Everything written on a figure."""
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def size_of(path: Path) -> tuple[int, int]:
    """Width and height of a picture, dots."""
    with Image.open(path) as picture:
        return picture.size


def joined(figure: Figure) -> str:
    return "".join(words(figure))


def test_titles_say_the_finding_with_its_number_and_denominator(town):
    study, one = town.study, town.services[0]
    # E reaches the cells at 100 and 700 m: 100 + 60 of 360 people.
    assert "44.4% 的60岁及以上老人可到日间照料（360 人中 160 人）" in joined(figures.isochrone_figure(study, one))
    assert "44.4% of people aged 60+ can reach day care within 11 min (160 of 360)" in " ".join(
        words(figures.isochrone_figure(study, one, "en"))
    )
    # 80 + 40 + 50 + 30 = 200 people are not reached; the cells at 1300 … 3500 m stand apart.
    assert "200 名60岁及以上老人（55.6%）11 分钟内到不了日间照料" in joined(figures.gaps_figure(study, one))
    # Of A 160 of 160, of B (120 people) and T (80) none.
    assert "最低（0.0%），东街道最高（100.0%）" in joined(figures.coverage_figure(study, one))
    # 100 of 360, 180 of 360 with the second: half live in two cells of six.
    assert "一半住在 33% 的有人格网里" in joined(figures.population_figure(study, one))


def test_a_plan_over_years_says_sites_money_and_people(town):
    solved = town.plans[0]
    # 500,000 yuan a year buy Y (170 people, 400,000) and then W (30 people, 300,000): all 360 people.
    told = joined(figures.phases_figure(town.study, solved))
    assert "分 2 期（2026–2027 年）新增 2 处、净投入 70 万元，可达由 44.4% 升至 100.0%" in told
    assert {"2026", "2027", "1 处，40.0 万元", "1 处，30.0 万元", "91.7%"} <= set(
        words(figures.phases_figure(town.study, solved))
    )
    curve = words(figures.frontier_figure(town.study, solved))
    assert "2 处最多可达 100.0%；到 1 处时已达 91.7%" in curve
    map_words = words(figures.plan_figure(town.study, solved, "en"))
    assert {"opens 2026", "opens 2027", "1", "2"} <= set(map_words)


def test_units_stand_with_both_shares(town):
    told = words(figures.units_figure(town.study, town.plans[0], "en"))
    assert {"东街道", "西街道", "山乡", "100.0%", "today", "with the new sites"} <= set(told)
    assert any(text.endswith("gains most: 0.0% → 100.0% of people aged 60+ within 11 minutes") for text in told)


def test_ranked_sites_add_up_to_the_plan(town):
    one = town.services[0]
    told = words(figures.gain_figure(town.study, one, "en"))
    added = [int(text.removeprefix("+")) for text in told if re.fullmatch(r"\+\d+", text)]
    assert sum(added) == round(one.plan.people_covered_after - one.plan.people_covered_before) == 200
    assert f"bound {one.plan.bound:.0f}" in told
    assert any("no plan under the same rules is better" in text.lower() for text in told)


def test_names_from_data_are_shown_as_text_and_not_as_formulas(town, tmp_path):
    figure = figures.gain_figure(town.study, town.services[0])
    assert any(HOSTILE in text for text in words(figure))
    svg = figures.save_figure(figure, tmp_path / "gain.svg").read_text(encoding="utf-8")
    assert "<img" not in svg
    assert "<text" not in svg  # letters are outlines: the reader needs no font


def test_what_a_plan_does_not_have_is_refused_in_words(town):
    plain = town.plans[1]
    with pytest.raises(ValueError, match="has no years"):
        figures.phases_figure(town.study, plain)
    bare = type(plain)(plain.problem, plain.plan, plain.by_unit, plain.after, None, type(plain.extras)())
    with pytest.raises(ValueError, match="没有投入与覆盖曲线"):
        figures.frontier_figure(town.study, bare)


def test_the_lorenz_figure_says_what_the_farthest_tenth_bears(town):
    one = town.services[0]
    it = about(town.study, one, "en")
    # Minutes of each person, the slow way: everybody listed by name, so to say.
    minutes = np.repeat(one.times.nearest_cost / 60_000, town.study.cells["p60"].to_numpy(dtype=int))
    minutes.sort()
    tail = minutes[-36:].sum() / minutes.sum()
    told = words(figures.lorenz_figure(town.study, one, "en"))
    assert any(text.startswith(f"The farthest 10% of {it.who} bear {tail:.0%}") for text in told)
    assert f"{minutes.mean():.1f} min" in told


def test_the_sites_drawn_reach_whom_the_plan_says(demo):
    for one in demo.services:
        today, then, unjudged = site_effect(one)
        people = demo.study.cells[one.plan.group].to_numpy(dtype=float)
        assert people[today].sum() == pytest.approx(one.plan.people_covered_before)
        assert people[then].sum() == pytest.approx(one.plan.people_covered_after)
        assert not (then & unjudged).any()


def test_the_legend_counts_everybody_once(demo):
    one, study = demo.services[0], demo.study
    with map_frame(study, Told("t", "u"), "en", (200, 120)) as (_, view, _):
        entries = draw_effect(view, one.plan.group, *site_effect(one), "en")
    told = sum(int(entry.detail.removesuffix(" people").replace(",", "")) for entry in entries)
    assert told == pytest.approx(one.plan.people_total, abs=2)


def test_units_of_a_ranking_sum_to_its_totals(demo):
    one = demo.services[0]
    table = change_of(demo.study, one, "zh").units
    assert table["before"].sum() == pytest.approx(one.plan.people_covered_before, rel=1e-6)
    assert table["after"].sum() == pytest.approx(one.plan.people_covered_after, rel=1e-6)


def test_names_on_a_map_do_not_lie_over_each_other_or_over_sites(demo):
    one = demo.services[0]
    with map_frame(demo.study, Told("t", "u"), "zh", (200, 120)) as (_, view, _):
        draw_sites(view, one.plan.sites, list(one.plan.sites["rank"]), "site")
        pins = len(view.taken)
        left_out = name_units(view, demo.study.units, 2)
    names, others = view.taken[pins:], view.taken
    assert len(names) + left_out == 14
    assert left_out < 4
    for at, a in enumerate(names, start=pins):
        for b in others[:at]:
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def test_a_name_without_room_is_told(demo):
    with look(typeface("en")):
        page = new_page((60, 60), "en")
        view = fitted_view(page, (5, 5, 55, 55), Ground(demo.study), (0, 0, 100, 100))
        assert label(view, (50, 50), "first", around=0)
        assert not label(view, (50, 50), "second", around=0)
        assert not label(view, (500, 50), "elsewhere")


def test_maps_are_true_to_scale_and_north_up(demo):
    with look(typeface("en")):
        page = new_page((300, 200), "en")
        view = scaled_view(page, (10, 10, 290, 190), Ground(demo.study), (500_000, 3_928_000), 50_000)
        x, y = view.axes.transData.transform([(500_000, 3_928_000), (501_000, 3_929_000)]).T / page.figure.dpi * 25.4
    # At 1:50,000 a kilometre is 20 mm, to the east and to the north.
    assert np.diff(x)[0] == pytest.approx(20.0, abs=1e-6)
    assert np.diff(y)[0] == pytest.approx(20.0, abs=1e-6)
    assert (x[0], y[0]) == pytest.approx(view.on_paper(500_000, 3_928_000))
    assert view.scale == pytest.approx(50_000)


def test_a_scale_bar_is_as_long_as_it_says(demo):
    with look(typeface("en")):
        page = new_page((300, 200), "en")
        view = scaled_view(page, (10, 10, 290, 190), Ground(demo.study), (500_000, 3_928_000), 50_000)
        # Half of 50 mm is 1250 m of ground: fields of 1000 m, together 2 km, 40 mm.
        assert scale_bar(view, 20, 20, at_most=50) == pytest.approx(40.0)
    assert {"0", "1", "2", "km"} <= set(words(page.figure))


@pytest.mark.parametrize("metres", [0.7, 1.0, 9.99, 730.0, 2400.0, 123_456.0])
def test_round_lengths_are_the_largest_not_above(metres):
    every = [digit * 10.0**power for power in range(-3, 8) for digit in (1, 2, 5)]
    assert round_length(metres) == pytest.approx(max(one for one in every if one <= metres * (1 + 1e-12)))


def test_dense_streets_become_a_picture_within_the_drawing(demo, monkeypatch):
    monkeypatch.setattr("careshed.figures.ground.MOST_POINTS", 10)
    with look(typeface("en")):
        page = new_page((100, 100), "en")
        ground = Ground(demo.study)
        draw_ground(fitted_view(page, (5, 5, 95, 95), ground, ground.bounds()))
        assert any(layer.get_rasterized() for layer in page.figure.axes[-1].collections)


def test_words_are_broken_and_clipped_to_their_room():
    with look(typeface("en")):
        page = new_page((200, 100), "en", ["DejaVu Sans"])
    text = "One site reaches four of five people, more than any other"
    lines = page.wrapped(text, 40)
    assert " ".join(lines) == text
    assert len(lines) > 1
    assert all(page.width_of(line) <= 40 for line in lines)
    assert page.clipped(text, 40).endswith("…")
    assert page.width_of(page.clipped(text, 40)) <= 40
    assert page.clipped("short", 40) == "short"
    assert page.wrapped("", 40) == []


@needs_chinese
def test_chinese_breaks_anywhere_but_before_a_closing_mark():
    with look(typeface("zh")):
        page = new_page((200, 100), "zh")
    text = "新增八处，可达（十五分钟内）由三成升至四成五。"
    for room in range(10, 60, 3):
        lines = page.wrapped(text, room)
        assert "".join(lines) == text
        assert not any(line[0] in "，。）" for line in lines)


def test_a_legend_is_as_high_as_foretold():
    entries = [
        Entry("head", "Gaps"),
        Entry("fill", "an entry of more than one line", detail="12"),
        Entry("line", "b"),
    ]
    with look(typeface("en")):
        page = new_page((200, 100), "en")
        assert 90 - legend(page, 10, 90, entries, 40) == pytest.approx(legend_height(page, entries, 40), abs=1e-9)


def test_without_a_chinese_font_the_message_says_what_to_install(monkeypatch):
    def none() -> str:
        raise NO_FONT

    monkeypatch.setattr("careshed.figures.fonts.chinese_font", none)
    with pytest.raises(InputError) as told:
        typeface("zh")
    assert "没有安装中文字体，图上的汉字会变成方框。请安装其一：思源黑体（Noto Sans CJK SC" in told.value.text("zh")
    assert "no Chinese font is installed: Chinese words would show as boxes" in told.value.text("en")
    assert "apt install fonts-noto-cjk" in told.value.text("en")
    with pytest.raises(InputError):
        typeface("en", ["鼓楼街道"])
    assert typeface("en", ["Heidelberg", "Größe"]) == ["DejaVu Sans"]


def test_a_figure_without_its_font_is_not_begun(town, monkeypatch, tmp_path):
    def none() -> str:
        raise NO_FONT

    monkeypatch.setattr("careshed.figures.fonts.chinese_font", none)
    with pytest.raises(InputError):
        figures.write_figures(tmp_path / "out", town)
    assert not (tmp_path / "out").exists()


@needs_chinese
def test_postscript_outlines_are_embedded_as_drawn_glyphs_and_truetype_as_they_are():
    assert embedding(["DejaVu Sans"]) == 42
    assert embedding(["Noto Sans CJK SC"]) == 3


def test_figures_leave_no_trace_in_matplotlib_and_take_none_from_it(town):
    before = dict(matplotlib.rcParams)
    first = figures.lorenz_figure(town.study, town.services[0])
    assert dict(matplotlib.rcParams) == before
    with matplotlib.rc_context({"font.size": 40, "axes.facecolor": "red", "text.parse_math": True}):
        second = figures.lorenz_figure(town.study, town.services[0])
        assert matplotlib.rcParams["font.size"] == 40
    assert [(one.get_text(), one.get_fontsize()) for one in first.findobj(Text)] == [
        (one.get_text(), one.get_fontsize()) for one in second.findobj(Text)
    ]


def test_no_file_of_the_figures_opens_a_window():
    folder = Path(figures.__file__).parent
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            named += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any("pyplot" in name for name in named), path.name


def test_the_same_figure_gives_the_same_bytes_in_every_format(town, tmp_path):
    for suffix in ("png", "svg", "pdf"):
        files = []
        for run in ("a", "b"):
            figure = figures.plan_figure(town.study, town.services[0], "en", size_mm=(120, 75))
            files.append(figures.save_figure(figure, tmp_path / f"{run}.{suffix}"))
        assert files[0].read_bytes() == files[1].read_bytes()
    assert b"CreationDate" not in (tmp_path / "a.pdf").read_bytes()
    assert b"<dc:date>" not in (tmp_path / "a.svg").read_bytes()
    assert not list(tmp_path.glob(".*.part"))
    assert size_of(tmp_path / "a.png") == (708, 442)  # 120 × 75 mm at 150 dots an inch, whole dots


def test_a_map_for_the_page_is_cropped_to_the_study_and_has_letters_of_seven_points_and_more(town):
    for draw in (figures.coverage_figure, figures.gaps_figure, figures.plan_figure):
        figure = draw(town.study, town.services[0], "zh", size_mm=(156, 105))
        assert min(text.get_fontsize() for text in figure.findobj(Text) if text.get_text()) >= 6.99
        ground = figure.axes[1]
        left, low, right, top = ground.get_position().extents
        west, south, east, north = Ground(town.study).bounds()
        # As wide to as high as the study itself, to which 3 % are added on each side.
        assert (right - left) * 156 / ((top - low) * 105) == pytest.approx((east - west) / (north - south))
        assert ground.get_xlim()[1] - ground.get_xlim()[0] == pytest.approx((east - west) * 1.06)


def test_the_title_says_how_many_units_share_the_lowest_figure():
    rows = pd.DataFrame({"name": ["甲", "乙", "丙"], "share": [0.0, 0.0004, 0.5]})
    assert _named_end(rows, 0, "zh") == ("甲等 2 个", "0.0%")  # 0.04 % is printed as 0.0 % too
    assert _named_end(rows, 0, "en") == ("甲 and 1 more", "0.0%")
    assert _named_end(rows, -1, "zh") == ("丙", "50.0%")


def test_another_suffix_is_refused(tmp_path):
    with look(typeface("en")):
        page = new_page((50, 50), "en")
    with pytest.raises(ValueError, match=r"figures are written as \.png, \.svg or \.pdf"):
        figures.save_figure(page.figure, tmp_path / "a.gif")


def test_the_frame_shrinks_a_long_title_and_says_what_is_made_up(town):
    long = "A finding " * 18
    with framed(town.study, Told(long.strip(), "under", "foot"), "en", (160, 100)) as (page, box):
        assert box[1] < box[3]
    assert "made-up data" in words(page.figure)
    assert "foot. Data as of 2025-06-30" in words(page.figure)


def test_half_of_nobody_lives_nowhere():
    assert half_in(np.zeros(3)) == 0.0
    assert half_in(np.array([1.0, 1.0, 1.0, 1.0])) == 0.5


def test_every_figure_of_a_run_has_its_name(town):
    service = ["isochrones", "coverage", "gaps", "population", "fairness", "sites", "units", "gain"]
    years = [f"plan_years_{name}" for name in ("sites", "units", "frontier", "years")]
    names = [name for name, _ in figures_of(town, "zh")]
    assert names[:8] == [f"day_care_{name}" for name in service]
    assert names[8:12] == years
    assert names[12:14] == ["plan_plain_sites", "plan_plain_units"]


def test_the_command_writes_figures_the_size_of_a_slide(town, tmp_path, monkeypatch):
    short = replace(town, services=(), plans=town.plans[1:])
    monkeypatch.setattr("careshed.run.analyse_study", lambda *_, **__: short)
    told = CliRunner().invoke(app, ["figures", str(town.study.path), "--out", str(tmp_path), "--lang", "en", "-q"])
    assert told.exit_code == 0, told.output
    made = sorted(path.name for path in tmp_path.iterdir())
    assert made == sorted(f"{name}.png" for name, _ in figures_of(short, "en"))
    assert size_of(tmp_path / "plan_plain_sites.png") == (2000, 1125)


def test_who_cannot_be_judged_is_not_called_out_of_reach(demo):
    # Counted anew from the travel times: the gaps hold both, the title keeps them apart.
    one, people = demo.services[0], demo.study.cells["p0_3"].to_numpy(dtype=float)
    near, judged = one.times.reached(minutes=15), np.asarray(one.times.cell_fault) == ""
    missed, unjudged, both = (float(people[mine].sum()) for mine in (judged & ~near, ~judged & ~near, ~near))
    assert unjudged >= 0.5
    told = joined(figures.gaps_figure(demo.study, one))
    assert f"{missed:,.0f} 名3岁以下婴幼儿" in told
    assert f"另有 {unjudged:,.0f} 名无法判断" in told
    assert gaps_text(one.gaps, "en") == f"{len(one.gaps)} gaps, {both:,.0f} people ({unjudged:,.0f} cannot be judged)"


def test_a_group_without_people_is_said_to_have_none(town):
    one = town.services[0]
    nobody = replace(one, covered=one.covered.assign(people=0.0, covered=0.0, unjudged=0.0), gaps=one.gaps.iloc[:0])
    for draw in (figures.isochrone_figure, figures.coverage_figure, figures.gaps_figure, figures.population_figure):
        assert "The data hold no people aged 60+" in " ".join(words(draw(town.study, nobody, "en")))


def test_imported_times_have_no_isochrones_and_are_not_called_computed(town):
    one = town.services[0]
    service = one.service.model_copy(update={"travel_times": TimesSection(file="times.csv")})
    imported = replace(one, service=service, isochrones=one.isochrones.iloc[:0])
    names = [name for name, _ in figures_of(replace(town, services=(imported,), plans=()), "zh")]
    assert "day_care_isochrones" not in names
    assert "day_care_coverage" in names
    told = " ".join(words(figures.coverage_figure(town.study, imported, "en")))
    assert "Travel times are imported, not computed here" in told
    assert "along the street network" not in told
