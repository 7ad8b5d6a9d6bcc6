"""People who are no whole numbers are shown as whole people who add up, the same number in every sentence, bar and table."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from test_maps_browser import CHROMIUM, DESKTOP, Visit, browser, wait_until  # noqa: F401  the fixture

from careshed.maps.facts import effect_parts, reached_parts
from careshed.maps.panel import bar_of
from careshed.maps.text import count
from careshed.words import led_parts, whole_parts

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from careshed.run import RunResult


def some_people(number: int) -> list[list[float]]:
    """Draw five parts each, halves among them: the hardest to round."""
    draw = random.Random(3)
    kinds = (lambda: draw.randrange(8) / 2, lambda: draw.uniform(0, 9), lambda: 0.0, lambda: round(draw.uniform(0, 3000), 3))
    mixed = [[draw.choice(kinds)() for _ in range(5)] for _ in range(number - number // 4)]
    return mixed + [[kinds[0]() for _ in range(5)] for _ in range(number // 4)]


def test_the_people_reached_are_rounded_as_where_they_stand_alone() -> None:
    # a county of the attack: by largest remainders 58 are reached, while tables, lists and sheets say 57 (57.492)
    assert reached_parts(459.342, 57.492, 34.399) == (57, 368, 34)
    assert round(57.492) == 57


def test_led_parts_add_up_and_keep_the_first_wherever_the_whole_allows_it() -> None:
    moved = 0
    for parts in some_people(3000):
        whole = sum(parts)
        shown = led_parts(whole, parts)
        assert sum(shown) == round(whole)
        assert all(abs(one - part) <= 1 for one, part in zip(shown, parts, strict=True))
        if shown[0] != round(parts[0]):
            moved += 1
            halves = (2 * whole, 2 * parts[0])
            # only a whole and a first part that both end in a half can be at odds: 1.5 + 1.0 = 2.5 shows as 2, its first as 2
            assert halves == tuple(map(round, halves))
    assert moved


def test_what_sites_do_adds_up_to_all_and_to_those_in_reach() -> None:
    # 2.5044 + 4.6028 = 7.1072 in reach: 3 + 4 = 7, though the gain by itself is nearer to 5; 28.4359 people in all
    assert effect_parts(2.5044, 4.6028, 0.0, 19.0214, 2.3073) == (3, 4, 0, 19, 2)
    for parts in some_people(2000):
        had, gained, lost, left, unjudged = effect_parts(*parts)
        assert had + gained + lost + left + unjudged == round(sum(parts))
        assert min(had, gained, lost, left, unjudged) >= 0
        assert (had + gained, lost + left, unjudged) == reached_parts(sum(parts), parts[0] + parts[1], parts[4])


def test_a_bar_of_a_places_map_states_the_share_of_its_sentence(demo: RunResult, monkeypatch: pytest.MonkeyPatch) -> None:
    """16.424 of 142.396 are 11.5 %; 16 of 142.396, the whole people of the bar, were shown as 11.2 %."""
    from dataclasses import replace

    from careshed.maps import places

    drawn: dict[str, Any] = {}
    monkeypatch.setattr(places, "write_page", lambda path, *_, **told: drawn.update(told) or Path(path))
    one = next(one for one in demo.services if one.service.id == "childcare")
    assert one.places is not None
    cells = one.places.assignment.cells * 0.0137  # a few people, none of them whole
    share = f"{cells['served'].sum() / cells['people'].sum():.1%}"
    assert bar_of([("served", "", float(round(cells["served"].sum())))], cells["people"].sum())["share"] != share
    places.write_places_map(
        "p.html", demo.study, service="childcare", times=one.times, assignment=replace(one.places.assignment, cells=cells)
    )
    assert drawn["head"]["bar"]["share"] == share
    assert f"（{share}）" in drawn["head"]["sentence"]


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"Chromium is not installed: {CHROMIUM} is missing")
def test_the_page_rounds_as_python_does(browser: Browser, demo: RunResult) -> None:  # noqa: F811
    page = next(path for path in demo.files if path.name == "day_care_whatif.html")
    opened = Visit(browser, page, DESKTOP)
    wait_until(opened.page, "careshed.whatif.shown.took > 0")
    drawn = some_people(400)
    asked = [[sum(parts), parts] for parts in drawn]
    rule = "(all) => all.map(([whole, parts]) => [careshed.whatif.parts(whole, parts), careshed.whatif.ledParts(whole, parts)])"
    told = opened.page.evaluate(rule, asked)
    assert told == [[list(whole_parts(whole, parts)), list(led_parts(whole, parts))] for whole, parts in asked]
    # a third of every cell's people: what the bar says adds up to everybody
    thirds = """() => { const w = careshed.whatif; w.model.people.forEach((all) => all.forEach((n, i) => { all[i] = n / 3; }));
      w.recount(); w.set({sites: w.deck.plan.sites, off: [], limit: w.state.limit, group: w.state.group});
      return [w.shown.yours.people, w.shown.yours.covered, w.shown.today.covered]; }"""
    people, covered, before = opened.page.evaluate(thirds)
    bar = [int(text.replace(",", "")) for text in opened.page.locator("#head .splitkey b").all_inner_texts()]
    assert sum(bar) == round(people)
    assert bar[0] + bar[1] == round(covered)
    assert bar[0] == round(before)
    assert count(people) in opened.page.locator("#head .sentence").inner_text()
    # the first facility closed: who loses it is among those whom the sentence calls out of reach
    closed = """() => { const w = careshed.whatif; w.set({sites: [], off: [0], limit: w.state.limit, group: w.state.group});
      const y = w.shown.yours; return [y.people, y.covered, y.unjudged]; }"""
    shown = reached_parts(*opened.page.evaluate(closed))
    texts = opened.page.locator("#head .splitkey b").all_inner_texts()
    had, lost, left, unjudged = (int(text.replace(",", "")) for text in texts)
    assert (had, lost + left, unjudged) == shown
    assert f"{shown[1]:,} 名到不了，{shown[2]:,} 名无法判断" in opened.page.locator("#head .sentence").inner_text()
    opened.context.close()


ISLET = """<node id="101" lon="{0}" lat="{1}"/><node id="102" lon="{2}" lat="{3}"/>
<way id="2"><nd ref="101"/><nd ref="102"/><tag k="highway" v="residential"/></way></osm>"""


def test_a_plan_that_builds_nothing_on_an_islet_leaves_its_people_unjudged(tmp_path: Path) -> None:
    """By the candidate I they could be judged; the plan builds Y alone (+170), and the coverage map calls them unjudged."""
    from plan_town import CANDIDATES, degrees, write_town

    from careshed.maps.plan_layers import cell_states
    from careshed.siting.studying import plan_study
    from careshed.study import open_study

    sites = [*CANDIDATES, ("I", "岛上", "社区用房", 3050, 8, 300, 300_000)]
    plans = [f'id = "{name}"\nservice = "day_care"\nat_most = 1\n{rule}' for name, rule in (("y", ""), ("i", 'forced = ["I"]'))]
    path = write_town(tmp_path, *plans, candidates=sites)
    # the islet lies 300 m beside the street from 2900 to 3000 m, with 7 people at its start; I stands at its end
    streets = tmp_path / "streets.osm"
    islet = ISLET.format(*degrees(2900, 300), *degrees(3000, 300))
    streets.write_text(streets.read_text(encoding="utf-8").replace("</osm>", islet), encoding="utf-8")
    people, listed = (tmp_path / name for name in ("people.csv", "candidates.csv"))
    lon, lat = degrees(2900, 300)
    people.write_text(f"{people.read_text(encoding='utf-8')}{lon},{lat},7,7\n", encoding="utf-8")
    at = [f"{number}" for number in degrees(3050)]
    beside = [f"{number}" for number in degrees(3000, 300)]
    listed.write_text(listed.read_text(encoding="utf-8").replace(",".join(at), ",".join(beside)), encoding="utf-8")

    for solved in plan_study(open_study(path)):
        states = cell_states(solved, solved.plan.objective.demands[0])
        on_islet = solved.problem.study.cells["p60"].to_numpy() == 7.0
        assert states["unjudged"][on_islet].tolist() == [solved.section.id == "y"], solved.section.id
        assert states["then"][on_islet].tolist() == [solved.section.id == "i"], solved.section.id
        assert not states["unjudged"][~on_islet].any()
