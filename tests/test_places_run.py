"""Places wired through a run: who finds one on the demo town, the workbooks, the network of facilities, the commands."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner

from careshed import cli
from careshed.maps.facts import reached_of
from careshed.report import write_hierarchy, write_places
from careshed.report.brief.telling import counts_of, places_sentence
from careshed.run import RunResult, summary_lines
from careshed.schema import InputError
from careshed.settings.sections import HierarchyLevel, HierarchySection
from careshed.study import open_study
from careshed.supply.hierarchy import link_study
from careshed.supply.service import find_places
from careshed.words import led_parts

STATES = ["served", "no_place", "out_of_reach", "unjudged"]


def test_every_service_of_the_demo_says_who_finds_a_place(demo: RunResult):
    for result in demo.services:
        found, service = result.places, result.service
        assert found is not None
        cells = demo.study.cells[service.group]
        assert found.assignment.cells["people"].sum() == pytest.approx(cells.sum() * service.demand_rate, abs=1e-2)
        assert found.split.loc["ALL", STATES].sum() == pytest.approx(found.split.loc["ALL", "people"], abs=1e-6)
        taken = found.assignment.facilities
        assert (taken["served"] <= taken["places"] + 1e-9).all()
        assert found.assignment.proven
        assert result.faults[-len(found.findings) :] == found.findings or not found.findings


def test_reach_and_places_agree_on_who_is_out_of_reach(demo: RunResult):
    # Coverage counts the same cells by the same limit; only the share that looks for a place scales them.
    for result in demo.services:
        service = result.service
        all_rows = result.covered.loc[["ALL"]]
        row = all_rows[(all_rows["minutes"] == service.within_minutes) & (all_rows["group"] == service.group)].iloc[0]
        total = result.places.split.loc["ALL"]
        reached = (total["served"] + total["no_place"]) / service.demand_rate
        assert reached == pytest.approx(row["covered"], rel=1e-6)
        assert total["unjudged"] / service.demand_rate == pytest.approx(row["unjudged"], abs=1e-2)


def test_crowding_falls_when_fewer_people_look_for_a_place(demo: RunResult):
    result = demo.services[0]
    told = {"group": "p0_3", "minutes": 15}
    some = find_places(result.times, demo.study.cells, demo.study.units, demand_rate=0.1, **told)
    half = find_places(result.times, demo.study.cells, demo.study.units, demand_rate=0.05, **told)
    ratio = (half.access.access / some.access.access).dropna()
    assert np.allclose(ratio, 2.0)


def test_a_service_without_known_places_says_nothing_about_them(demo: RunResult):
    from dataclasses import replace

    result = demo.services[0]
    unknown = replace(result.times, facilities=result.times.facilities.assign(places=np.nan))
    assert find_places(unknown, demo.study.cells, demo.study.units, group="p0_3", minutes=15) is None
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        find_places(result.times, demo.study.cells, demo.study.units, group="p0_3", minutes=15, demand_rate=0.0)


def test_units_without_streets_or_townships_have_no_score(demo: RunResult):
    result = demo.services[0]
    counties = demo.study.units[demo.study.units["level"] == "county"]
    found = find_places(result.times, demo.study.cells, counties, group="p0_3", minutes=15)
    assert found.score is None
    assert found.ranks is None


def test_the_run_says_in_a_line_who_finds_a_place(demo: RunResult):
    total = demo.services[0].places.split.loc["ALL"]
    zh, en = "\n".join(summary_lines(demo, "zh")), "\n".join(summary_lines(demo, "en"))
    assert f"30.0% 需要位子（假设）：{total['people']:,.0f} 人中 {total['served']:,.0f} 人有位" in zh
    assert f"30.0% look for a place (assumed): of {total['people']:,.0f}, {total['served']:,.0f} have a place" in en
    # the parts add up to the whole: those who join no street are named too
    assert total[["served", "no_place", "out_of_reach", "unjudged"]].sum() == pytest.approx(total["people"])
    assert total["unjudged"] > 0
    served, none, out_of_reach, unjudged = led_parts(total["people"], total[STATES].tolist())
    assert served + none + out_of_reach + unjudged == round(total["people"])
    assert f"{out_of_reach:,} 人不可达，{unjudged:,} 人" in zh
    # and every output shows the same: the brief says it with the same numbers
    assert f"{served:,} 人有位，{none:,} 人可达而无空位，{out_of_reach:,} 人不可达，{unjudged:,} 人无法判断" in places_sentence(
        demo.services[0], "zh"
    )
    # so does the line of gaps, for the whole group
    for one in demo.services:
        told = reached_of(one)
        reached, missed, unknown = told.whole
        assert reached + missed + unknown == round(told.people)
        assert f"缺口 {len(one.gaps)} 处，{missed + unknown:,} 人：{missed:,} 人到不了，{unknown:,} 人" in zh
        assert counts_of(one).whole == told.whole
    assert f"are out of reach, {unjudged:,} " in en


def test_the_run_writes_a_map_and_a_workbook_of_places_and_the_network(demo: RunResult):
    names = {file.name for file in demo.files}
    for result in demo.services:
        assert {f"{result.service.id}_places.html", f"{result.service.id}_places.xlsx"} <= names
    assert "hierarchy.xlsx" in names


def test_the_workbook_holds_the_split_loads_fairness_and_scores(demo: RunResult, tmp_path: Path):
    found = demo.services[0].places
    path = write_places(tmp_path / "p.xlsx", found, units=demo.study.units, study_name="青湾", lang="en", made_up=True)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["By unit", "By facility", "Fairness", "Score"]
    split = [row for row in book["By unit"].iter_rows(values_only=True) if row[1] == "All"]
    assert split[0][5] == pytest.approx(found.split.loc["ALL", "served"])
    texts = {str(cell) for row in book["By unit"].iter_rows(values_only=True) for cell in row if cell}
    assert "Made-up data, for demonstration only" in texts
    assert any("30.0% of children under 3 look for a place" in text for text in texts)
    loads = [row[5] for row in book["By facility"].iter_rows(values_only=True) if isinstance(row[5], float | int)]
    assert loads == sorted(loads, reverse=True)
    scores = [row[2] for row in book["Score"].iter_rows(values_only=True) if isinstance(row[2], float | int)]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == found.score.table["score"].notna().sum()


def test_the_csv_of_places_holds_people_by_unit(demo: RunResult, tmp_path: Path):
    found = demo.services[1].places
    table = pd.read_csv(write_places(tmp_path / "p.csv", found, lang="zh"), encoding="utf-8-sig", dtype=str)
    assert table["名称"].iloc[0] == "全部"
    assert len(table) == len(found.split)


def test_every_station_of_the_demo_has_a_centre_or_a_reason(demo: RunResult, tmp_path: Path):
    linked = demo.hierarchy
    assert linked.levels == ("centre", "station")
    stations = linked.facilities[linked.facilities["level"] == "station"]
    assert (stations["parent"] != "").sum() + len(linked.links["station"].orphans) == len(stations)
    path = write_hierarchy(
        tmp_path / "h.xlsx", linked, names={"station": "Stations"}, lang="en", study_name="Q", data_date="2025"
    )
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["Levels", "Links", "Parents"]
    rows = [row for row in book["Levels"].iter_rows(values_only=True) if row[0] == "Stations"]
    assert rows[0][1] == len(stations)
    links = list(book["Links"].iter_rows(values_only=True))
    orphans = [row for row in links if row[8] == "no parent within the limit"]
    assert len(orphans) == len(linked.links["station"].orphans)
    assert all(row[6] and row[7] > 60 for row in orphans)  # the nearest centre is told, though beyond the hour
    assert {row[3] for row in book["Parents"].iter_rows(values_only=True)} >= {
        int(n) for n in linked.links["station"].parents["children"]
    }


def test_centres_that_can_take_few_leave_the_others_without_a_parent(demo: RunResult):
    study = demo.study
    network = _network(study)
    section = study.config.hierarchy
    few = section.model_copy(update={"level": (section.level[0].model_copy(update={"each_takes": 3}), section.level[1])})
    bounded = _with_hierarchy(study, few)
    linked = link_study(bounded, network)
    parents = linked.links["station"].parents
    assert parents["children"].max() <= 3
    assert linked.links["station"].orphans["reason"].isin(["full", "beyond"]).all()


def test_a_study_without_levels_has_no_network_of_facilities(demo: RunResult):
    with pytest.raises(ValueError, match=r"the study has no \[hierarchy\]"):
        link_study(_with_hierarchy(demo.study, None), _network(demo.study))


def _network(study):
    from careshed.network import build_network

    return build_network(study.streets, mode=study.travel_mode("adult"), crs=study.crs, snap_m=study.snap_m)


def _with_hierarchy(study, section: HierarchySection | None):
    from dataclasses import replace

    return replace(study, config=study.config.model_copy(update={"hierarchy": section}))


def test_a_level_without_a_name_is_called_by_its_id():
    assert HierarchyLevel(id="city", types=("中心",)).name("zh") == "city"


def test_faults_of_the_hierarchy_are_told_together(demo: RunResult):
    text = demo.study.path.read_text(encoding="utf-8")
    text = text.replace('mode = "adult"  ', 'mode = "adlut"  ').replace('id = "station"', 'id = "centre"')
    text = text.replace('"日间照料中心", "农村幸福院"]\n"""', '"区域养老服务中心"]').replace(
        'types = ["社区养老服务站", "日间照料中心", "农村幸福院"]\n', 'types = ["区域养老服务中心"]\n'
    )
    (demo.study.folder / "wrong.toml").write_text(text, encoding="utf-8")
    try:
        with pytest.raises(InputError) as stopped:
            open_study(demo.study.folder / "wrong.toml")
    finally:
        (demo.study.folder / "wrong.toml").unlink()
    told = stopped.value.text("en")
    assert "[hierarchy] mode" in told
    assert "[[hierarchy.level]] id: 'centre' stands more than once" in told
    assert "[[hierarchy.level]] types: '区域养老服务中心' stands more than once" in told


def invoke(*arguments: object) -> str:
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def times(demo: RunResult, tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    """The study and service, with travel times at hand so that commands need not search again."""
    from careshed.reach import write_travel_times

    path = write_travel_times(tmp_path_factory.mktemp("places") / "t.parquet", demo.services[0].times)
    return [demo.study.path, "-s", "childcare", "--times", path]


def test_the_command_assigns_people_by_another_rule_and_rate(demo: RunResult, times: list[object], tmp_path: Path):
    told = invoke("assign-places", *times, "-o", tmp_path / "p.csv", "--rule", "nearest", "--demand-rate", "0.5", "--lang", "en")
    assert f"{demo.study.cells['p0_3'].sum() / 2:,.0f} people look for a place" in told
    assert (tmp_path / "p.csv").stat().st_size > 0


def test_the_command_writes_the_places_map(times: list[object], tmp_path: Path):
    invoke("write-places-map", *times, "-o", tmp_path / "p.html", "--lang", "en")
    assert "have a place within 15 minutes" in (tmp_path / "p.html").read_text(encoding="utf-8")


def test_the_command_measures_catchments_by_the_method_asked(demo: RunResult, times: list[object], tmp_path: Path):
    for method in ("2sfca", "e2sfca"):
        told = invoke("floating-catchment", *times, "-o", tmp_path / f"{method}.gpkg", "--method", method, "--lang", "en")
        assert "children under 3 × 30.0%" in told
    plain, enhanced = (gpd.read_file(tmp_path / f"{m}.gpkg")["places_per_1000_seekers"] for m in ("2sfca", "e2sfca"))
    people = demo.study.cells["p0_3"].to_numpy()
    # Both share out all places of catchments that hold anybody (Σ P·A = Σ S), so the means agree; cells differ.
    assert (plain * people).sum() == pytest.approx((enhanced * people).sum())
    assert (plain - enhanced).abs().max() > 1
    # The workbook and the map show the same figures.
    assert np.allclose(enhanced.fillna(-1), demo.services[0].places.access.access.fillna(-1))


@pytest.mark.parametrize(
    ("by", "shown"), [("measure", "基尼系数"), ("setting", "城镇"), ("unit", "鼓楼街道"), ("group", "3岁以下婴幼儿")]
)
def test_the_command_reports_fairness_in_four_ways(times: list[object], tmp_path: Path, by: str, shown: str):
    invoke("equity-report", *times, "-o", tmp_path / "e.csv", "--by", by)
    table = pd.read_csv(tmp_path / "e.csv", encoding="utf-8-sig", dtype=str)
    assert table.isin([shown]).any(axis=None)
    assert (table["备注"] == "虚构数据，仅供演示").all()


def test_the_command_scores_units_with_every_part(times: list[object], tmp_path: Path):
    told = invoke("service-score", *times, "-o", tmp_path / "s.csv", "--lang", "en")
    table = pd.read_csv(tmp_path / "s.csv", encoding="utf-8-sig")
    assert "weighted mean" in told
    assert {"Score", "Rank", "people in reach", "Worst rank under any weights"} <= set(table.columns)
    assert table["Level"].isin(["street (jiedao)", "township"]).all()


def test_the_command_links_facilities_level_by_level(demo: RunResult, tmp_path: Path):
    told = invoke("build-hierarchy", demo.study.path, "-o", tmp_path / "h.xlsx", "--lang", "en")
    assert "→" in told
    assert openpyxl.load_workbook(tmp_path / "h.xlsx").sheetnames == ["Levels", "Links", "Parents"]


def test_the_command_counts_the_longer_walks_of_those_who_lose_their_facility(demo: RunResult, tmp_path: Path):
    from careshed.network import build_network
    from careshed.reach import travel_times

    study, before = demo.study, demo.services[0].times
    closed = before.facilities.index[before.nearest_facility[study.cells["p0_3"].to_numpy().argmax()]]
    told = invoke("compare-runs", study.path, "-s", "childcare", "--close", closed, "-o", tmp_path / "c.csv", "--lang", "en")
    table = pd.read_csv(tmp_path / "c.csv", encoding="utf-8-sig").set_index("Name")
    network = build_network(study.streets, mode=study.mode("childcare"), crs=study.crs, snap_m=study.snap_m)
    after = travel_times(network, before.facilities.drop(closed), study.cells, limit_min=15)
    known = (before.nearest_cost >= 0) & (after.nearest_cost >= 0)
    lost = ((before.nearest_cost - after.nearest_cost) / 60_000 * study.cells["p0_3"].to_numpy())[known].sum()
    assert lost < 0
    assert table.loc["All", "Saved in all (person-minutes)"] == pytest.approx(lost, abs=0.1)
    assert "0 come within 15 minutes" in told


def test_the_command_shows_what_the_plan_adds_and_compares_with_another_study(demo: RunResult, tmp_path: Path):
    told = invoke("compare-runs", demo.study.path, "-s", "childcare", "--with-plan", "-o", tmp_path / "c.html", "--lang", "en")
    plan = demo.services[0].plan
    assert f"{plan.people_covered_after - plan.people_covered_before:,.0f} come within 15 minutes" in told
    assert "<html" in (tmp_path / "c.html").read_text(encoding="utf-8")
    same = invoke("compare-runs", demo.study.path, "-s", "childcare", "--against", demo.study.path, "-o", tmp_path / "s.xlsx")
    assert "0 人新增" in same


def test_two_studies_that_judge_differently_are_not_compared(demo: RunResult, tmp_path: Path):
    other = demo.study.folder / "other.toml"
    other.write_text(
        demo.study.path.read_text(encoding="utf-8").replace("within_minutes = 15", "within_minutes = 10", 1), "utf-8"
    )
    asked = ["compare-runs", str(demo.study.path), "-s", "childcare", "--against", str(other), "-o", str(tmp_path / "c.csv")]
    result = CliRunner().invoke(cli.app, asked)
    other.unlink()
    assert "within_minutes: 15.0 / 10.0" in str(result.exception)


def test_people_go_where_their_catchment_says(demo: RunResult, times: list[object], tmp_path: Path):
    own = demo.services[0].times.facilities.index[0]
    table = tmp_path / "zones.csv"
    units = demo.study.units.index[demo.study.units["level"] == "street"]
    table.write_text("街道,设施\n" + "".join(f"{unit},{own}\n" for unit in units), encoding="utf-8-sig")
    invoke("assign-places", *times, "--catchment", table, "-o", tmp_path / "p.xlsx", "--lang", "en")
    rows = list(openpyxl.load_workbook(tmp_path / "p.xlsx")["By facility"].iter_rows(values_only=True))
    taken = {row[0]: row[3] for row in rows if isinstance(row[3], int | float)}
    assert taken[own] > 0
    assert sum(taken.values()) == taken[own]
    table.write_text("街道\n990101001\n", encoding="utf-8")
    result = CliRunner().invoke(cli.app, [str(one) for one in ["assign-places", *times, "--catchment", table, "-o", "p.csv"]])
    assert "needs two columns" in str(result.exception)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["equity-report", "-o", "e.html"], "this command writes .xlsx, .csv"),
        (["write-places-map", "-o", "m.xlsx"], "this command writes .html"),
        (["floating-catchment", "-o", "c.csv"], "this command writes .geojson, .json, .gpkg"),
        (["compare-runs", "-o", "c.csv"], "say what changes"),
        (["compare-runs", "-o", "c.csv", "--close", "TY001,TY002"], "repeat --close for each"),
        (["floating-catchment", "-o", "c.gpkg", "--minutes", "0"], "0"),
    ],
)
def test_what_a_command_cannot_do_it_says(demo: RunResult, arguments: list[str], told: str):
    name, *rest = arguments
    result = CliRunner().invoke(cli.app, [name, str(demo.study.path), "-s", "childcare", *rest])
    assert result.exit_code != 0
    assert told in str(result.exception)


def test_errors_speak_the_language_of_the_study(demo: RunResult, monkeypatch, capsys):
    wrong = demo.study.folder / "english.toml"
    text = demo.study.path.read_text(encoding="utf-8").replace('lang = "zh"', 'lang = "en"').replace("snap_m", "snapm")
    wrong.write_text(text, encoding="utf-8")
    for asked, told in (([], "unknown key"), (["--lang=zh"], "未知的键"), (["--lang", "en"], "unknown key")):
        monkeypatch.setattr("sys.argv", ["careshed", "open-study", str(wrong), *asked])
        with pytest.raises(SystemExit):
            cli.main()
        assert told in capsys.readouterr().err
    wrong.unlink()
    monkeypatch.setattr("sys.argv", ["careshed", "run", str(demo.study.folder / "none.toml")])
    with pytest.raises(SystemExit):
        cli.main()
    assert "none.toml" in capsys.readouterr().err


def test_commands_refuse_what_the_study_lacks(demo: RunResult, tmp_path: Path):
    folder = demo.study.folder
    text = demo.study.path.read_text(encoding="utf-8")
    (folder / "plain.toml").write_text(text[: text.index("[hierarchy]")], encoding="utf-8")
    result = CliRunner().invoke(cli.app, ["build-hierarchy", str(folder / "plain.toml"), "-o", str(tmp_path / "h.xlsx")])
    (folder / "plain.toml").unlink()
    assert isinstance(result.exception, ValueError)
    assert "has no [hierarchy]" in str(result.exception)
