"""The whole chain of demand on a town of four cells, as a study file would state it."""

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from pydantic import ValidationError
from shapely.geometry import box
from towns import CRS, EAST, NORTH, points, streets

from careshed.demand import DemandSection, prepare_demand
from careshed.modes import WALK_OLDER
from careshed.network import build_network
from careshed.schema import Population

TOWN = {"a": (0.0, 0.0), "b": (1000.0, 0.0), "c": (1000.0, 800.0), "d": (0.0, 800.0)}
UNITS = gpd.GeoDataFrame(
    {"level": ["township", "township"], "parent": ["", ""], "name": ["西", "东"]},
    geometry=[box(EAST - 500, NORTH - 500, EAST + 500, NORTH + 2000), box(EAST + 500, NORTH - 500, EAST + 2000, NORTH + 2000)],
    index=pd.Index(["w", "e"], name="unit_id"),
    crs=CRS,
)  # fmt: skip
CELLS = points(
    [(250, 50), (750, 50), (750, 850), (4000, 4000)], ids=range(4), total=[100.0, 200.0, 60.0, 40.0], unit=["w", "e", "e", ""]
)


CENSUS = "代码,总人口,0岁,1-4岁,60岁及以上\nw,110,2,4,30\ne,260,5,10,65\n"


def write(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return name


def test_every_step_keeps_everybody_and_later_years_carry_their_scenario(tmp_path: Path) -> None:
    town = streets(TOWN, ["ab", "bc", "cd"])
    network = build_network(town, mode=WALK_OLDER, crs=CRS)
    settings = DemandSection.model_validate(
        {
            "ages": {
                "table": {"file": write(tmp_path, "census.csv", CENSUS)},
                "groups": ["total", "p60", "p0_3"],
                "differ": "cells",
            },
            "priority": {
                "file": write(tmp_path, "disabled.csv", "代码,disabled\nw,10\ne,13\n"),
                "by": {"disabled": "p60"},
                "weights": {"p60": 1, "disabled": 1},
            },
            "refine": {"size_m": 500, "step_m": 100},
            "scenario": [
                {"name_zh": "趋势", "name_en": "trend", "source": "假设", "base_year": 2025, "years": [2025, 2030, 2035],
                 "rate": {"total": 0.0, "p60": 0.02, "p0_3": -0.01}},
            ],
            "housing": {
                "file": write(tmp_path, "housing.csv", "经度,纬度,交付年份,规划人口\n123.0020,35.2495,2028,100\n"),
                "crs": "EPSG:4326", "datum": "WGS-84", "since": 2025, "shares": {"p60": 0.1, "p0_3": 0.05, "disabled": 0.01},
            },
        }
    )  # fmt: skip
    done = prepare_demand(Population(CELLS, None), UNITS, settings, folder=tmp_path, network=network, ways=town.ways)
    assert done.refined is not None
    totals = done.cells[["total", "p60", "disabled"]].sum()
    # cells hold: w 100 of the census' 110, e all 260; p60 of w is 30 · 100 / 110; the cell in no unit gets the shares of all
    west, everywhere = 30 * 100 / 110, (30 * 100 / 110 + 65) / 360
    assert totals.tolist() == pytest.approx([400.0, west + 65 + 40 * everywhere, 23.0], rel=1e-9)
    assert done.cells["demand"].sum() == pytest.approx(totals["p60"] + totals["disabled"])
    by_source = done.cells.groupby(done.refined.source)["total"].sum()
    assert by_source.tolist() == pytest.approx([100.0, 200.0, 60.0, 40.0], rel=1e-12)
    assert set(done.cells["unit"]) == {"w", "e", ""}
    assert len(done.ledger.steps) == 3
    assert {"margins_differ", "cells_without_margin", "street_weights", "left_at_centre"} <= {fault.code for fault in done.faults}
    assert [(later.scenario.year, round(later.cells["total"].sum())) for later in done.years] == [
        (2025, 400),
        (2030, 500),
        (2035, 500),
    ]
    assert done.years[2].cells["p60"].sum() == pytest.approx(totals["p60"] * 1.02**10 + 10, rel=1e-9)
    assert done.years[1].cells["unit"].iloc[-1] == "w"
    assert "demand" in done.years[1].cells


def test_shares_and_homes_do_as_well(tmp_path: Path) -> None:
    homes = gpd.GeoDataFrame(
        {"层数": [2, 6]},
        geometry=[box(EAST + 200, NORTH, EAST + 210, NORTH + 10), box(EAST + 300, NORTH, EAST + 310, NORTH + 10)],
        crs=CRS,
    )
    homes.to_file(tmp_path / "homes.gpkg")
    settings = DemandSection.model_validate(
        {
            "ages": {"shares": {"p60": 0.2}},
            "refine": {"onto": "buildings", "size_m": 500, "buildings": {"file": "homes.gpkg"}},
            "scenario": [
                {"name_zh": "规划", "source": "规划", "base_year": 2025, "years": [2030],
                 "totals": {2030: {"file": write(tmp_path, "t.csv", "代码,总人口\nw,300\ne,260\n")}}}
            ],
        }
    )  # fmt: skip
    done = prepare_demand(Population(CELLS, None), UNITS, settings, folder=tmp_path)
    whole = prepare_demand(
        Population(CELLS, None), UNITS, settings.model_copy(update={"scenario": ()}), folder=tmp_path, areas=CELLS.buffer(2000)
    )
    assert whole.cells["total"].sum() == pytest.approx(400.0)
    assert whole.refined is not None
    assert whole.refined.at_centre.tolist() == [3]
    # 100 people on 2 and 6 storeys of one footprint
    assert done.cells["total"].tolist()[:2] == [25.0, 75.0]
    assert done.cells["p60"].tolist()[:2] == [5.0, 15.0]
    assert done.years[0].cells["total"].tolist() == pytest.approx([75.0, 225.0, 200.0, 60.0, 40.0])
    assert done.years[0].scenario.en == "规划"


def test_columns_of_age_classes_become_groups_before_they_are_fitted(tmp_path: Path) -> None:
    cells = CELLS.drop(columns="total").assign(f_0=1.0, f_1=8.0, f_5=30.0, f_60=10.0, m_0=1.0, m_1=8.0, m_5=30.0, m_60=12.0)
    settings = DemandSection.model_validate(
        {
            "ages": {
                "classes": True,
                "groups": ["total", "p0_3", "p60"],
                "table": {"file": write(tmp_path, "c.csv", "代码,60岁及以上\nw,30\ne,50\n")},
            }
        }
    )
    done = prepare_demand(Population(cells, None), UNITS, settings, folder=tmp_path)
    assert done.cells["total"].tolist() == pytest.approx([100.0] * 4)
    # w has one cell, e two alike; the cell in no unit keeps its own ages
    assert done.cells["p60"].tolist() == pytest.approx([30.0, 25.0, 25.0, 22.0])
    assert done.cells["p0_3"].tolist()[3] == pytest.approx(10.0)
    assert "f_0" not in done.cells
    assert "1 cell(s) (100.0 people) lie in no unit of the table; they keep their own ages" in [
        fault.text() for fault in done.faults
    ]
    assert len(done.ledger.steps) == 2
    odd = DemandSection.model_validate({"ages": {"classes": True, "groups": ["p65"]}})
    with pytest.raises(ValueError, match=r"the age columns cannot give p65: the open class 60\+ cannot be cut"):
        prepare_demand(Population(cells, None), UNITS, odd, folder=tmp_path)


def test_a_study_that_asks_for_nothing_keeps_its_population(tmp_path: Path) -> None:
    done = prepare_demand(Population(CELLS, None), UNITS, DemandSection(), folder=tmp_path)
    assert done.cells is CELLS
    assert (done.years, done.refined, done.faults, done.ledger.text()) == ((), None, (), "")


def test_a_step_that_lacks_what_it_needs_says_so(tmp_path: Path) -> None:
    for section, told in (
        ({"refine": {"size_m": 500}}, "refinement to streets needs the network"),
        ({"refine": {"size_m": 500, "onto": "buildings"}}, "refinement to buildings needs"),
        ({"refine": {}}, r"cells have no known size\. State size_m in metres, such as 250"),
        ({"scenario": [{"name_zh": "x", "source": "y", "base_year": 2025, "years": [2030]}]}, "states neither a rate nor totals"),
    ):
        with pytest.raises(ValueError, match=told):
            prepare_demand(Population(CELLS, None), UNITS, DemandSection.model_validate(section), folder=tmp_path)
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        DemandSection.model_validate({"refine": {"stepm": 5}})
