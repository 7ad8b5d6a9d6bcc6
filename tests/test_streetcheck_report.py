"""The report of the check of streets, its command, and repairs that a study applies."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from openpyxl import load_workbook
from towns import CRS, points, streets
from typer.testing import CliRunner

from careshed.cli import app
from careshed.intake.streets.repairing import read_repairs, write_repairs
from careshed.modes import WALK_ADULT
from careshed.network import build_network
from careshed.report.streets import write_streets
from careshed.report.streets_page import FIRST, MORE, hero
from careshed.run import run_study
from careshed.schema import Fault, InputError
from careshed.streetcheck import check_streets
from careshed.study import open_study


def report_of(*, name="", faults=(), spread=0, **options):
    """A street with a side street that ends 5 m short of it; `spread` further such side streets."""
    nodes = {"a": (0, 0), "b": (9000, 0), "c": (500, 5), "d": (500, 405)}
    ways = ["ab", "cd"]
    for k in range(spread):
        x = 700.0 + 100 * k
        nodes |= {f"s{k}": (x, -5.0), f"e{k}": (x, -40.0)}
        ways.append((f"s{k}", f"e{k}"))
    town = streets(nodes, ways)
    town = replace(town, ways=town.ways.assign(name=[name] * len(ways)))
    cells = points([(500, 405), (900, 0)], p60=[10.0, 3.0])
    network = build_network(town, mode=WALK_ADULT, crs=CRS)
    told = {"facilities": points([(0, 0)], ids=["f"]), "minutes": 15.0} | options
    return check_streets(town, network, cells, "p60", faults=faults, **told)


class Reader(HTMLParser):
    """Collect tags and text, and see that every tag is closed."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br", "path", "circle"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in ("path", "circle"):
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(path):
    page = Reader()
    page.feed(path.read_text(encoding="utf-8"))
    assert page.open == []
    return page


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_tells_every_finding_and_draws_it(tmp_path, lang):
    report = report_of()
    page = read(write_streets(tmp_path / "out" / "streets.html", report, study_name="青湾", lang=lang, data_date="2025-06-30"))
    text = " ".join(page.text)
    for one in report.findings:
        assert one.text(lang) in text
        assert one.proposal(lang) in text
    assert hero(report, lang) in text
    assert {"zh": "2025-06-30", "en": "Data of 2025-06-30"}[lang] in text
    circles = [attrs for tag, attrs in page.tags if tag == "circle"]
    assert len(circles) == len(report.findings)
    assert {"zh": "虚构", "en": "Made-up"}[lang] not in text
    assert not any("src" in attrs or attrs.get("href", "").startswith("http") for _, attrs in page.tags)


def test_the_headline_says_what_joining_a_gap_brings():
    assert hero(report_of(), "en") == (
        "3 of 13 people aged 60+ reach a facility within 15 minutes. Joining one gap brings up to 10 more (1 gaps were joined "
        "one by one). 10 live on streets that join no others."
    )
    assert (
        hero(report_of(facilities=None, minutes=None), "en")
        == "13 people aged 60+ in all. 10 live on streets that join no others."
    )
    # In 12 minutes of 80 m nobody gains who lives 905 m away? 905 m are 11.3 minutes: in 11 minutes nobody does.
    assert "None of the 1 gaps joined one by one" in hero(report_of(minutes=11.0), "en")
    assert "10 人" in hero(report_of(minutes=None, metres=1000.0), "zh")


def test_text_from_data_is_escaped(tmp_path):
    unread = Fault("tag_unread", "s", "<b>坏</b>", "<b>bad</b>", found="<i>x</i>")
    page = write_streets(tmp_path / "s.html", report_of(name="<script>x</script>", faults=[unread]), study_name="<u>", lang="en")
    text = page.read_text(encoding="utf-8")
    assert "<script>" not in text
    assert "<b>bad" not in text
    assert "<u>" not in text
    assert "&lt;script&gt;x&lt;/script&gt;" in text


def test_the_same_findings_give_the_same_bytes(tmp_path):
    for suffix in (".html", ".xlsx"):
        one, two = (write_streets(tmp_path / f"{k}{suffix}", report_of(), made_up=True).read_bytes() for k in "ab")
        assert one == two


def test_many_findings_are_folded_and_only_the_first_are_numbered(tmp_path):
    report = report_of(spread=FIRST + 3, exact=0)
    page = read(write_streets(tmp_path / "s.html", report, lang="en"))
    text = " ".join(page.text)
    assert f"{len(report.findings) - FIRST} more" in text
    assert "fragments, nobody lives there" in text
    assert sum(attrs.get("r") == "2.5" for tag, attrs in page.tags if tag == "circle") > 30
    assert ".tiles.five" in MORE


def test_a_report_without_findings_says_so(tmp_path):
    town = streets({"a": (0, 0), "b": (900, 0)}, ["ab"])
    network = build_network(town, mode=WALK_ADULT, crs=CRS)
    report = check_streets(town, network, points([(500, 0)], p60=[1.0]), "p60")
    assert "没有发现问题" in write_streets(tmp_path / "s.html", report).read_text(encoding="utf-8")
    empty = replace(report, lines=report.lines.iloc[:0], over_water=2)
    text = write_streets(tmp_path / "t.html", empty, lang="en").read_text(encoding="utf-8")
    assert "<svg" not in text
    assert "2 gaps across water or barriers are left out" in text


def test_the_workbook_has_a_sheet_for_findings_parts_and_classes(tmp_path):
    report = report_of()
    book = load_workbook(write_streets(tmp_path / "s.xlsx", report, study_name="青湾", made_up=True))
    assert book.sheetnames == ["道路检查", "互不相接的路网", "按等级的道路长度"]
    values = [value for row in book["道路检查"].iter_rows(values_only=True) for value in row if value is not None]
    assert report.findings[0].zh in values
    assert any("虚构" in str(value) for value in values)
    lengths = [row for row in book["按等级的道路长度"].iter_rows(values_only=True) if row[0] == "residential"]
    assert lengths[0][1] == 2
    assert lengths[0][2] == pytest.approx(9.4, abs=1e-3)


def test_no_other_kind_of_file_is_written(tmp_path):
    with pytest.raises(ValueError, match=r"written as \.html or \.xlsx, not '\.pdf'"):
        write_streets(tmp_path / "s.pdf", report_of())


def test_a_large_network_is_drawn_by_its_most_prominent_streets(monkeypatch):
    monkeypatch.setattr("careshed.streetcheck.checking.MOST_LINES", 3)
    assert len(report_of(spread=10).lines) == 3


STUDY = """
[study]
name = "小城"
crs = "EPSG:32651"
made_up = true
[streets]
file = "streets.osm"
[population.table]
file = "people.csv"
crs = "EPSG:4326"
datum = "WGS-84"
[units]
file = "units.geojson"
[[facilities]]
file = "homes.csv"
crs = "EPSG:4326"
datum = "WGS-84"
[[service]]
id = "care"
types = ["养老站"]
group = "p60"
mode = "adult"
"""


@pytest.fixture
def study(tmp_path):
    """A small study: a street, a side street that ends 5 m short of it, ten people at its far end."""
    folder = tmp_path / "study"
    folder.mkdir()
    spots = points([(0, 0), (9000, 0), (500, 5), (500, 405)]).to_crs("EPSG:4326").geometry
    nodes = "".join(f'<node id="{at + 1}" version="1" lon="{p.x:.9f}" lat="{p.y:.9f}"/>' for at, p in enumerate(spots))
    way = '<way id="{0}" version="1"><nd ref="{1}"/><nd ref="{2}"/><tag k="highway" v="residential"/></way>'
    text = f'<osm version="0.6">{nodes}{way.format(1, 1, 2)}{way.format(2, 3, 4)}</osm>'
    (folder / "streets.osm").write_text(text, encoding="utf-8")
    rows = "".join(f"{at},{p.x:.7f},{p.y:.7f},{10 - at}\n" for at, p in enumerate(spots.iloc[::-1]))
    (folder / "people.csv").write_text(f"id,lon,lat,p60\n{rows}", encoding="utf-8")
    start = spots.iloc[0]
    home = f"编号,名称,类型,状态,经度,纬度\nf,养老站,养老站,运营,{start.x:.7f},{start.y:.7f}\n"
    (folder / "homes.csv").write_text(home, encoding="utf-8")
    units = points([(4500, 0)], id=["u"], name=["小城"], level=["street"])
    units.assign(geometry=units.buffer(6000)).to_crs("EPSG:4326").to_file(folder / "units.geojson", driver="GeoJSON")
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    return folder / "study.toml"


def test_the_command_writes_a_report_and_a_list_of_repairs_which_the_study_then_applies(study, tmp_path):
    listed = study.parent / "repairs.csv"
    out = ["-o", str(tmp_path / "s.html"), "--repairs", str(listed)]
    run = CliRunner().invoke(app, ["check-streets", str(study), *out, "--exact", "2", "--lang", "en"])
    assert run.exit_code == 0, run.output
    assert "Streets that end just short of each other: 1, " in run.output
    assert "Joining one gap brings up to 10 more" in run.output
    assert (tmp_path / "s.html").is_file()
    repairs = read_repairs(listed)
    assert repairs
    assert not any(one.use for one in repairs)
    before = open_study(study)
    text = study.read_text(encoding="utf-8")
    study.write_text(text.replace("[streets]\n", '[streets]\nrepairs = "repairs.csv"\n'), encoding="utf-8")
    unused = open_study(study)
    assert (unused.streets.way_node == before.streets.way_node).all()
    write_repairs(listed, [replace(one, use=at == 0) for at, one in enumerate(repairs)])
    mended = open_study(study)
    assert len(mended.streets.ways) == len(before.streets.ways) + 1
    assert [fault.severity for fault in mended.faults if fault.code == "gaps_joined"] == ["repaired"]
    assert np.isfinite(mended.network(WALK_ADULT).x).all()
    again = CliRunner().invoke(app, ["check-streets", str(study), *out, "--exact", "0", "--lang", "en"])
    assert "the 1 in use stay in the list, first" in again.output  # a list written again undoes no choice
    assert [one.use for one in read_repairs(listed)][:1] == [True]
    assert len(open_study(study).streets.ways) == len(before.streets.ways) + 1
    listed.unlink()
    with pytest.raises(InputError, match=r"repairs\.csv"):
        open_study(study)


def test_the_command_prints_where_no_file_is_asked_for_and_takes_another_mode(study, tmp_path):
    study = str(study)
    border = tmp_path / "border.geojson"
    points([(0, 0)]).to_crs("EPSG:4326").to_file(border, driver="GeoJSON")
    run = CliRunner().invoke(app, ["check-streets", study, "--mode", "older", "--exact", "0", "--border", str(border)])
    assert run.exit_code == 0, run.output
    assert "疑似断头未接：1，孤立路网：" in run.output
    odd = CliRunner().invoke(app, ["check-streets", study, "--mode", "flying"])
    assert "there is no mode 'flying'" in str(odd.exception)
    odd = CliRunner().invoke(app, ["check-streets", study, "-o", "x.csv"])
    assert "this command writes .html, .xlsx" in str(odd.exception)


def test_a_run_writes_who_could_be_covered_from_beyond_the_edge_into_its_coverage(study):
    # The outline is a square of 800 m around the facility: the long street leaves it at x = 800.
    units = points([(0, 0)], id=["u"], name=["小城"], level=["street"])
    square = units.assign(geometry=units.buffer(800).envelope)
    square.to_crs("EPSG:4326").to_file(study.parent / "units.geojson", driver="GeoJSON")
    done = run_study(study, progress=False)
    covered = done.services[0].covered
    row = covered[(covered["group"] == "p60") & (covered["minutes"] == 15)].loc["ALL"]
    # Ten live at the end (500, 405) of the side street, at the northern bounds of the street data: it may go on there, and today
    # they reach nothing. Nine at (500, 5) join the long street: 505 m to the facility, 305 m to the exit, so only their
    # time could change. Seven live at the facility; eight, at (9000, 0), outside the study.
    assert row["could_change"] == 10.0
    (fault,) = [fault for fault in done.faults if fault.code == "edge_of_data"]
    assert fault.people == 19.0
    assert any(file.name == "care_coverage.xlsx" for file in done.files)
