"""Cards in notebooks: the numbers of the run, in the reader's language, with every text from data as text."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from careshed.display import ROWS_SHOWN, Markup, Table, bar, card, display_language, set_display_language, show
from careshed.run import RunResult
from careshed.siting.studying import plan_study
from careshed.study import open_study

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(autouse=True)
def _speak_chinese_again():
    before = display_language()
    yield
    set_display_language(before)


def test_a_card_escapes_every_text_but_markup():
    html = card(HOSTILE, [(HOSTILE, HOSTILE)], lead=HOSTILE, table=Table((HOSTILE,), [(HOSTILE,)]), note=HOSTILE, lang="en")
    assert html.count("&lt;img src=x onerror=alert(1)&gt;") == 7
    assert "<img" not in html
    assert "<b>bold</b>" in card("x", [("label", Markup("<b>bold</b>"))])


def test_a_long_table_says_how_many_rows_it_leaves_out():
    rows = [(str(number),) for number in range(ROWS_SHOWN + 12)]
    assert "12 more rows" in card("x", table=Table(("n",), rows), lang="en")
    assert "另有 12 行" in card("x", table=Table(("n",), rows), lang="zh")
    assert "more rows" not in card("x", table=Table(("n",), rows[:ROWS_SHOWN]), lang="en")


def test_a_bar_stays_within_its_frame_and_a_share_of_nobody_is_a_dash():
    assert "width:100.0%" in bar(1.2)
    assert "120.0%" in bar(1.2)
    assert str(bar(float("nan"))) == "—"


def test_the_cards_of_the_demo_say_its_own_numbers(demo: RunResult):
    one = demo.services[0]
    study_html, plan_html, times_html = demo.study._repr_html_(), one.plan._repr_html_(), one.times._repr_html_()
    assert "虚构数据" in study_html
    assert f"{len(demo.study.cells):,} 个单元格" in study_html
    assert f"{one.plan.people_total:,.0f}" in plan_html
    assert str(one.plan.sites["name"].iloc[0]) in plan_html
    assert f"{one.times.pairs:,}" in times_html
    assert f"{len(one.times.facilities):,} × {len(demo.study.cells):,}" in times_html
    html = demo._repr_html_()
    assert f"{one.plan.people_covered_before / one.plan.people_total:.1%}" in html
    assert "childcare.html" in html


def test_a_network_and_travel_times_speak_the_language_chosen(demo: RunResult):
    network = demo.study.network(demo.study.mode("childcare"))
    set_display_language("en")
    assert "junctions" in network._repr_html_()
    assert f"{len(network.edge_u):,}" in network._repr_html_()
    assert "Travel times" in demo.services[0].times._repr_html_()
    assert "optimal" in demo.services[0].plan._repr_html_()
    set_display_language("zh")
    assert "路口" in network._repr_html_()


def test_a_plan_that_is_not_proven_shows_its_bound(demo: RunResult):
    plan = replace(demo.services[0].plan, status="feasible", bound=4321.0, gap=0.0123)
    set_display_language("en")
    assert "no choice under the same rules reaches more than 4,321 people (gap 1.23%)" in plan._repr_html_()


def test_a_scorecard_lists_what_falls_short_first(demo: RunResult):
    assert demo.card is not None
    html = demo.card._repr_html_()
    short = [one for one in demo.card.results if one.state == "short"]
    met = [one for one in demo.card.results if one.state == "met"]
    assert html.index(short[0].rule.title_zh) < html.rindex(met[0].rule.title_zh)
    assert f"未达标 {len(short)}" in html


def test_a_solved_plan_shows_every_unit_that_has_people(demo: RunResult):
    study = open_study(demo.study.path.parent / "plans.toml")
    (solved,) = plan_study(study, study.config.plan[0].id)
    html = solved._repr_html_()
    people = solved.by_unit[(solved.by_unit["people"] > 0) & (solved.by_unit["unit"] != "ALL")]
    names = study.units["name"].reindex(people["unit"].unique()[: ROWS_SHOWN - 1])
    assert all(name in html for name in names)


def test_coverage_is_shown_with_its_limit_and_group(demo: RunResult):
    table = demo.services[0].covered
    table = table[(table["group"] == "p0_3") & (table["minutes"] == 15)]
    html = show(table, lang="en")._repr_html_()
    assert "children under 3" in html
    assert "15 min" in html
    by_metres = table.rename(columns={"minutes": "metres"})
    assert "15 m<" in show(by_metres, lang="en")._repr_html_()


def test_what_is_no_coverage_is_refused_with_what_it_lacks():
    with pytest.raises(ValueError, match=r"columns covered, group, .* are missing"):
        show(pd.DataFrame({"name": [""], "level": [""], "people": np.ones(1)}))


def test_opening_a_study_chooses_the_language_of_the_cards(demo: RunResult):
    set_display_language("en")
    open_study(demo.study.path)
    assert display_language() == "zh"
