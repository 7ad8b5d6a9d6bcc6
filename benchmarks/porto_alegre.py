"""Study Porto Alegre for real: its health posts, with its schools as sites for more, from the OSM extract to the map.

``python benchmarks/porto_alegre.py [--out DIR]`` writes the study into DIR (a temporary folder if left out), runs it twice and
prints PASS or FAIL a limit. The data stay where they are, at ``../shared/data`` or ``$CARESHED_DATA``: streets OSM (ODbL),
population IBGE, packaged by r5r. The grid tells how many people, posts and schools a cell has, not where in the cell they are.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import shapely
from verdicts import Verdicts, data_folder

if TYPE_CHECKING:
    from careshed.run import RunResult

SNAP_M: Final = 300.0
"""A cell's centre may lie in the middle of its 0.1 km²; farther from any street than this, its people are not judged."""

CRS: Final = "EPSG:32722"
PARENT_LEVEL: Final = 7
"""H3 resolution of the units: cells of 0.1 km² (resolution 9) to units of 5 km²."""

PEOPLE: Final = 812_935
LIVED_IN, POSTS, SCHOOLS = 1124, 117, 177
"""Cells with people (of 1,227), with health posts, with schools, as counted in the source."""

MOST_SECONDS: Final = 15.0
ISLET_SHARE, FRAGMENT_M = 0.05, 1000.0
"""An islet has less than this share of all street; a part shorter than this is joined only where no other street is near."""

STUDY: Final = """\
[study]
name = "Porto Alegre"
lang = "en"
data_date = "2020-08"
crs = "{crs}"
snap_m = {snap}

[streets]
file = "{streets}"

[population.table]
file = "cells.csv"
crs = "EPSG:4326"
datum = "WGS-84"

[units]
file = "units.gpkg"

[[facilities]]
file = "health_posts.csv"
crs = "EPSG:4326"
datum = "WGS-84"
type = "health post"

[[candidates]]
file = "schools.csv"
crs = "EPSG:4326"
datum = "WGS-84"

[[service]]
id = "health_post"
name_zh = "卫生站"
name_en = "Health posts"
types = ["health post"]
group = "total"
mode = "older"
minutes = [5, 10, 15]
within_minutes = 15
n_sites = 10

[map]
attribution = "Streets © OpenStreetMap contributors (ODbL); population IBGE, packaged by r5r"
"""


def write_study(data: Path, folder: Path) -> Path:
    """Write the study file and its tables; the streets are read where they lie."""
    folder.mkdir(parents=True, exist_ok=True)
    grid = pd.read_csv(data / "poa_hexgrid.csv").fillna({"healthcare": 0, "schools": 0})
    place = ["id", "lon", "lat"]
    cells = grid[[*place, "population"]].rename(columns={"population": "total"})
    posts = grid.loc[grid["healthcare"] > 0, [*place, "healthcare"]].rename(columns={"healthcare": "places"})
    schools = grid.loc[grid["schools"] > 0, place].assign(kind="school")
    for name, table in (("cells", cells), ("health_posts", posts), ("schools", schools)):
        named = (
            table
            if name == "cells"
            else table.assign(name=[f"{name[:-1].replace('_', ' ')} cell {cell}" for cell in table["id"]])
        )
        named.to_csv(folder / f"{name}.csv", index=False)
    _units(grid["id"]).to_file(folder / "units.gpkg", layer="units", driver="GPKG")
    streets = Path(os.path.relpath(data / "poa_osm.pbf", folder)).as_posix()
    file = folder / "study.toml"
    file.write_text(STUDY.format(crs=CRS, snap=SNAP_M, streets=streets), encoding="utf-8")
    return file


def _units(cells: pd.Series[str]) -> gpd.GeoDataFrame:
    """Draw the H3 parents of the cells."""
    import h3

    parents = sorted({h3.cell_to_parent(cell, PARENT_LEVEL) for cell in cells})
    outlines = [shapely.Polygon([(lon, lat) for lat, lon in h3.cell_to_boundary(parent)]) for parent in parents]
    columns = {
        "code": parents,
        "name": [f"H3 {parent}" for parent in parents],
        "level": "community",
        "parent": "",
        "setting": "urban",
    }
    return gpd.GeoDataFrame(columns, geometry=outlines, crs="EPSG:4326")


# What follows counts the people on islets a second time and shares no code with careshed: its own reading of the extract, its own
# copy of the documented walking filter, NetworkX for the parts, shapely for the nearest street.

STREET: Final = frozenset(
    [
        *("motorway", "motorway_link", "trunk", "trunk_link", "primary", "primary_link", "secondary", "secondary_link"),
        *("tertiary", "tertiary_link", "unclassified", "residential", "living_street", "road", "pedestrian", "service", "track"),
        *("footway", "path", "steps", "bridleway", "corridor", "elevator", "platform", "cycleway"),
    ]
)
NOT_ON_FOOT: Final = frozenset({"motorway", "motorway_link", "cycleway"})
FOOT_YES: Final = frozenset({"yes", "designated", "permissive", "destination", "official", "customers"})
FOOT_NO: Final = frozenset({"no", "private", "use_sidepath", "use_sidewalk"})
ACCESS_NO: Final = frozenset({"no", "agricultural", "forestry", "military"})
SOLID: Final = frozenset({"wall", "fence", "retaining_wall", "hedge", "debris"})


def may_walk(tags: Mapping[str, str]) -> bool:
    """Say whether a way may be walked in either direction, as the documentation of careshed's walking filter has it."""
    foot = tags.get("foot", "")
    if tags.get("highway") not in STREET or foot in FOOT_NO:
        return False
    closed = tags["highway"] in NOT_ON_FOOT or tags.get("access") in ACCESS_NO or tags.get("motorroad") == "yes"
    return not closed or foot in FOOT_YES


def blocks(tags: Mapping[str, str]) -> bool:
    """Say whether a barrier on a way stops people on foot."""
    foot = tags.get("foot", "")
    shut = foot in FOOT_NO or tags.get("locked") == "yes" or tags.get("barrier") in SOLID
    return "barrier" in tags and shut and foot not in FOOT_YES


class Parts(NamedTuple):
    """Connected parts of the walkable streets."""

    lines: np.ndarray
    """Straight pieces of street in `CRS`."""
    part: np.ndarray
    """Part that each piece belongs to."""
    metres: np.ndarray
    """Street length of each part."""

    @property
    def main(self) -> np.ndarray:
        """Parts that are no islets."""
        return self.metres >= ISLET_SHARE * self.metres.sum()

    @property
    def fragment(self) -> np.ndarray:
        """Parts that are joined only where no other street is near."""
        return self.metres < FRAGMENT_M

    def nearest(self, points: np.ndarray) -> np.ndarray:
        """Part that each point joins: of the nearest street within the snap limit, −1 where there is none."""
        found = np.full(len(points), -1)
        for kind in (self.fragment, ~self.fragment):  # the streets proper come last and so win
            pieces = np.flatnonzero(kind[self.part])
            tree = shapely.STRtree(self.lines[pieces])
            point, piece = tree.query_nearest(points, max_distance=SNAP_M, all_matches=False)
            found[point] = self.part[pieces[piece]]
        return found


def parts_of(pbf: Path) -> Parts:
    """Read the extract, keep what may be walked, cut it at barriers, and number the connected parts."""
    import osmium
    from pyproj import Transformer

    blocked: set[int] = set()
    ways: list[list[int]] = []
    lonlat: dict[int, tuple[float, float]] = {}
    for item in osmium.FileProcessor(str(pbf)).with_locations():
        if item.is_node() and blocks(dict(item.tags)):
            blocked.add(item.id)
        elif item.is_way() and may_walk(dict(item.tags)):
            ways.append([node.ref for node in item.nodes])
            lonlat.update((node.ref, (node.lon, node.lat)) for node in item.nodes)
    project = Transformer.from_crs("EPSG:4326", CRS, always_xy=True)
    x, y = project.transform(*np.array(list(lonlat.values())).T)
    xy = dict(zip(lonlat, zip(x.tolist(), y.tolist(), strict=True), strict=True))
    return _numbered(list(_segments(ways, blocked)), xy)


def _segments(ways: Sequence[Sequence[int]], blocked: set[int]) -> Iterator[tuple[Any, Any]]:
    """Give the pieces of all ways by their ends; at a barrier every piece has an end of its own."""
    for number, way in enumerate(ways):
        for at, (a, b) in enumerate(zip(way[:-1], way[1:], strict=True)):
            start = (a, number, at, "from") if a in blocked else a
            end = (b, number, at, "to") if b in blocked else b
            yield start, end


def _numbered(segments: Sequence[tuple[Any, Any]], xy: Mapping[int, tuple[float, float]]) -> Parts:
    graph = nx.Graph(segments)
    part_of = {node: number for number, part in enumerate(nx.connected_components(graph)) for node in part}
    part = np.array([part_of[start] for start, _ in segments])
    ends = [[xy[node[0] if isinstance(node, tuple) else node] for node in segment] for segment in segments]
    lines = shapely.linestrings(np.array(ends))
    return Parts(lines, part, np.bincount(part, weights=shapely.length(lines)))


class Islets(NamedTuple):
    """People whose streets join the main network by no walkable way."""

    without: float
    """People on islets without a facility, who cannot be judged."""
    cells: tuple[str, ...]
    """Their cells, ascending."""
    in_all: float
    """People on islets with a facility or without."""
    far: float
    """People with no street within the snap limit."""


def count_islets(data: Path) -> Islets:
    """Count the people on islets independently of careshed."""
    parts = parts_of(data / "poa_osm.pbf")
    grid = pd.read_csv(data / "poa_hexgrid.csv")
    joined = parts.nearest(_centres(grid))
    served = parts.main.copy()
    served[[part for part in joined[(grid["healthcare"] > 0).to_numpy()] if part >= 0]] = True
    people = grid["population"].to_numpy(dtype=float)
    island = (joined >= 0) & ~parts.main[joined]
    alone = (joined >= 0) & ~served[joined]
    return Islets(
        float(people[alone].sum()),
        tuple(sorted(grid["id"][alone & (people > 0)])),
        float(people[island].sum()),
        float(people[joined < 0].sum()),
    )


def listed_islets(result: RunResult, data: Path) -> tuple[float, tuple[str, ...]]:
    """Give the people and cells that careshed lists as on an islet."""
    service = result.services[0]
    there = service.times.cell_fault == "islet"
    cells = result.study.cells[there]
    grid = pd.read_csv(data / "poa_hexgrid.csv")
    nearest = shapely.STRtree(_centres(grid)).nearest(cells.geometry.to_numpy())
    return float(cells["total"].sum()), tuple(sorted(grid["id"].iloc[nearest]))


def _centres(grid: pd.DataFrame) -> np.ndarray:
    """Centres of the cells in `CRS`."""
    return gpd.GeoSeries(gpd.points_from_xy(grid["lon"], grid["lat"]), crs="EPSG:4326").to_crs(CRS).to_numpy()


def seconds_to_map(study: Path) -> tuple[float, RunResult]:
    """Run the study and time it, from the PBF to the map and all lists."""
    from careshed.run import run_study

    start = time.perf_counter()
    result = run_study(study, progress=False)
    return time.perf_counter() - start, result


def judge(result: RunResult, data: Path, verdicts: Verdicts) -> None:
    """Check what the run found against the source and the independent count."""
    service = result.services[0]
    cells, plan = result.study.cells, service.plan
    verdicts.equal("cells with people, with health posts, with schools", _counts(result), (LIVED_IN, POSTS, SCHOOLS))
    verdicts.equal("people in the cells", round(float(cells["total"].sum())), PEOPLE)
    whole = service.covered.loc[["ALL"]]
    verdicts.equal("people in the denominator of every limit", {round(people) for people in whole["people"]}, {PEOPLE})
    islets, (people, ids) = count_islets(data), listed_islets(result, data)
    verdicts.equal("people listed as on an islet, and their cells", (people, ids), (islets.without, islets.cells))
    far = float(cells["total"][service.times.cell_fault == "far"].sum())
    verdicts.equal("people listed as too far from any street", far, islets.far)
    page = next(file for file in result.files if file.suffix == ".html").read_text(encoding="utf-8")
    verdicts.equal("the map says that the grid has counts and no points", "counts per cell, no positions of people" in page, True)
    verdicts.equal("the map names its sources", "population IBGE, packaged by r5r" in page, True)
    print(
        f"  on islets without a health post {islets.without:,.0f} people in {len(islets.cells)} cells; on islets in all "
        f"{islets.in_all:,.0f}; farther than {SNAP_M:g} m from any street {islets.far:,.0f}"
    )
    for row in whole.itertuples():
        print(f"  within {row.minutes:g} minutes: {row.covered:,.0f} of {row.people:,.0f} people, {row.unjudged:,.0f} not judged")
    print(
        f"  {len(plan.sites)} schools more: {plan.people_covered_after:,.0f} people, bound {plan.bound:,.0f} ({plan.status}); "
        f"{len(service.gaps)} gaps"
    )


def _counts(result: RunResult) -> tuple[int, int, int]:
    service = result.services[0]
    return len(result.study.cells), len(service.times.facilities), len(service.options.facilities)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the study, run it twice, and judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, help="folder for the study, its maps and tables")
    chosen = parser.parse_args(arguments)
    data = data_folder("porto_alegre")
    if data is None:
        print("SKIP Porto Alegre: the folder porto_alegre is neither under ../shared/data nor under $CARESHED_DATA")
        return 0
    folder = (chosen.out or Path(tempfile.mkdtemp(prefix="porto_alegre_"))).resolve()
    study, verdicts = write_study(data, folder), Verdicts()
    first, _ = seconds_to_map(study)
    cpu = time.process_time()
    second, result = seconds_to_map(study)
    cpu = time.process_time() - cpu
    print(f"Porto Alegre in {folder}: first run {first:.1f} s, second {second:.1f} s ({cpu:.1f} s of CPU)")
    verdicts.at_most("from PBF to map and lists, warm", second, MOST_SECONDS, "s")
    judge(result, data, verdicts)
    print(f"  map: {next(file for file in result.files if file.suffix == '.html')}")
    return verdicts.exit_code()


if __name__ == "__main__":
    sys.exit(main())
