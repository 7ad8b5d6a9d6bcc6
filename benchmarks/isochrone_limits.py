"""Measure isochrones: CPU time, truth against brute force, certificates, memory, people by polygon and by cell."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd
import shapely
from level_set import BruteForce
from synthetic import rural_prefecture
from verdicts import MB, Verdicts, data_folder, forget_peak, peak_bytes, resident_bytes, skip

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from shapely import MultiPolygon

    from careshed.network import Network

SNAP_M: Final = 60.0
STEP_M: Final = 5.0
MOST_MS: Final = 6.0
"""CPU time of an isochrone of 900 m once the lattice stands, milliseconds."""

LEAST_IOU: Final = {900.0: 0.99, 300.0: 0.98}
"""Limit, metres -> least median share of the joint area that polygon and brute force have in common."""

MOST_BEYOND, MOST_LEFT_OUT, GOAL_LEFT_OUT = 0.2, 1.5, 1.0
"""Certificate at 300 m: street inside that is beyond, and reachable street left out, per cent."""

DIAGONAL: Final = float(np.sqrt(2.0))
"""Any point lies among four lattice points; where they disagree the line passes between them, at most a diagonal away."""

MOST_RURAL_MB: Final = 1000.0
ROUNDS: Final = 5
SAMPLE: Final = 200
"""Grid points whose nearest street is looked up a second way, in a search tree."""

CHECKED_EVERY_M: Final = 2.0
"""Distance of the street points of our own certificate, metres; careshed's are 15 m apart."""


class Town(NamedTuple):
    """Porto Alegre's streets, cells and health posts."""

    network: Network
    cells: GeoDataFrame
    posts: GeoDataFrame


def porto_alegre(folder: Path, snap_m: float) -> Town:
    """Read the streets for an adult's walk, and the cells, of which those with health posts are facilities."""
    import geopandas as gpd

    import careshed
    from careshed.intake.streets import read_streets

    network = careshed.build_network(read_streets(folder / "poa_osm.pbf").table, mode=careshed.WALK_ADULT, snap_m=snap_m)
    table = pd.read_csv(folder / "poa_hexgrid.csv", index_col="id")
    cells = gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(table["lon"], table["lat"]), crs="EPSG:4326").to_crs(network.crs)
    return Town(network, cells, cells[cells["healthcare"] > 0])


def joined(town: Town) -> Town:
    """Keep the posts that join a street: the others have no isochrone and would flatter the mean."""
    from careshed.network import attach

    return town._replace(posts=town.posts[attach(town.network, town.posts).fault == ""])


def measure(verdicts: Verdicts, *, quick: bool) -> None:
    """Print all measurements of isochrones and their verdicts."""
    folder = data_folder("porto_alegre")
    if folder is None:
        skip("Isochrones of Porto Alegre", "the folder porto_alegre is neither under ../shared/data nor under $CARESHED_DATA")
    else:
        town = joined(porto_alegre(folder, SNAP_M))
        print(f"\nIsochrones of Porto Alegre: {len(town.posts)} health posts, snap {SNAP_M:g} m, lattice {STEP_M:g} m")
        speed(town, verdicts)
        truth(town, verdicts, 3 if quick else 12)
        certificate(town, verdicts)
        for snap, limit in ((SNAP_M, 900.0), (300.0, 1200.0)):
            cells_and_polygons(porto_alegre(folder, snap), limit, verdicts)
    rural(verdicts, 30.0 if quick else 100.0)


def speed(town: Town, verdicts: Verdicts) -> None:
    """Time isochrones of 900 m once the lattice stands, and print those of other limits."""
    import careshed

    for limit in (300.0, 500.0, 900.0, 1200.0):
        careshed.draw_isochrones(town.network, town.posts, metres=[limit], step_m=STEP_M)
        spent = []
        for _ in range(ROUNDS):
            start = time.process_time()
            careshed.draw_isochrones(town.network, town.posts, metres=[limit], step_m=STEP_M)
            spent.append((time.process_time() - start) / len(town.posts) * 1000.0)
        print(f"  {limit:,.0f} m: {statistics.median(spent):.2f} ms of CPU an isochrone ({min(spent):.2f}–{max(spent):.2f})")
        if limit == 900.0:
            verdicts.at_most("isochrone of 900 m: CPU", statistics.median(spent), MOST_MS, "ms")


def truth(town: Town, verdicts: Verdicts, count: int) -> None:
    """Compare polygons with the cost evaluated at every metre, and measure the certificate a second way."""
    import careshed

    brute = BruteForce(town.network)
    posts = town.posts.iloc[np.linspace(0, len(town.posts) - 1, count).astype(int)]
    shares: dict[float, list[float]] = {limit: [] for limit in LEAST_IOU}
    street = np.zeros(4)
    unequal = 0
    polygons = {
        limit: careshed.draw_isochrones(town.network, posts, metres=[limit], step_m=STEP_M).geometry for limit in LEAST_IOU
    }
    for number, point in enumerate(posts.geometry):
        x, y = (np.arange(np.floor(at - 900.0), np.ceil(at + 900.0)) + 0.5 for at in (point.x, point.y))
        points = brute.join(x, y)
        unequal += _unequal_legs(brute, points.leg, x, y, seed=number)
        cost = brute.costs((point.x, point.y), points, 900.0)
        for limit, shapes in polygons.items():
            shares[limit].append(_iou(cost <= limit, shapes.iloc[number], x, y))
        street += _street_shares(brute, point, 300.0, polygons[300.0].iloc[number])
    verdicts.equal(f"grid points with another nearest street in a search tree ({SAMPLE} × {count} points)", unequal, 0)
    for limit, found in shares.items():
        print(f"  {limit:,.0f} m: IoU {min(found):.4f}–{max(found):.4f} with the cost at every metre, {count} health posts")
        verdicts.at_least(f"isochrone of {limit:g} m: median IoU with brute force", statistics.median(found), LEAST_IOU[limit])
    _judge_street(f"own points every {CHECKED_EVERY_M:g} m, {count} posts", *street, verdicts)


def _unequal_legs(brute: BruteForce, leg: np.ndarray, x: np.ndarray, y: np.ndarray, *, seed: int) -> int:
    """Count grid points of a sample whose distance to the nearest street differs from that by a search tree."""
    random = np.random.default_rng(seed)
    rows, columns = random.integers(0, len(y), SAMPLE), random.integers(0, len(x), SAMPLE)
    tree = np.array([brute.nearest(x[c], y[r])[2] for r, c in zip(rows, columns, strict=True)])
    return int((~np.isclose(leg[rows, columns], tree, rtol=0.0, atol=1e-6)).sum())


def _iou(inside: np.ndarray, shape: MultiPolygon, x: np.ndarray, y: np.ndarray) -> float:
    """Share of the joint area that both have; 1 where both are empty."""
    from rasterio.features import geometry_mask
    from rasterio.transform import from_origin

    if shape.is_empty:
        return float(not inside.any())
    transform = from_origin(x[0] - 0.5, y[-1] + 0.5, 1.0, 1.0)
    drawn = geometry_mask([shape], inside.shape, transform, invert=True)[::-1]
    return float((inside & drawn).sum() / (inside | drawn).sum())


def _street_shares(brute: BruteForce, post: shapely.Point, limit: float, shape: MultiPolygon) -> np.ndarray:
    """Street points inside, inside but beyond, reachable, reachable but outside."""
    points, xy = brute.street_points((post.x, post.y), limit + 2 * SNAP_M, CHECKED_EVERY_M)
    reachable = brute.costs((post.x, post.y), points, limit) <= limit
    shapely.prepare(shape)
    inside = shapely.contains_xy(shape, xy[:, 0], xy[:, 1])
    return np.array([inside.sum(), (inside & ~reachable).sum(), reachable.sum(), (reachable & ~inside).sum()], dtype=float)


def certificate(town: Town, verdicts: Verdicts) -> None:
    """Add up careshed's own certificates of all posts at 300 m."""
    import careshed

    polygons = careshed.draw_isochrones(town.network, town.posts, metres=[300.0], step_m=STEP_M)
    found = careshed.certify(town.network, town.posts, polygons)
    sums = [
        sum(getattr(one, name) for one in found) for name in ("inside_m", "inside_beyond_m", "reachable_m", "outside_reachable_m")
    ]
    _judge_street(f"careshed's certificates, {len(found)} posts", *sums, verdicts)


def _judge_street(how: str, inside: float, beyond: float, reachable: float, left_out: float, verdicts: Verdicts) -> None:
    share = 100.0 * left_out / reachable
    goal = f"% (goal {GOAL_LEFT_OUT:g}: {'met' if share <= GOAL_LEFT_OUT else 'not met'})"
    verdicts.at_most(f"street inside 300 m but beyond ({how})", 100.0 * beyond / inside, MOST_BEYOND, "%")
    verdicts.at_most(f"street within 300 m but left out ({how})", share, MOST_LEFT_OUT, goal)


def cells_and_polygons(town: Town, limit: float, verdicts: Verdicts) -> None:
    """Count people within reach by cell and by polygon: they may differ only by cells that the line cuts."""
    import geopandas as gpd

    import careshed

    network = town.network
    random = np.random.default_rng(3)
    west, south, east, north = town.cells.total_bounds
    points = gpd.points_from_xy(random.uniform(west, east, 50_000), random.uniform(south, north, 50_000))
    more = gpd.GeoDataFrame({"population": 0.0}, geometry=points, crs=town.cells.crs, index=np.arange(len(points)).astype(str))
    cells = pd.concat([town.cells[["population", "geometry"]], more])
    times = careshed.travel_times(network, town.posts, cells, limit_m=limit)
    by_cell = times.reached(metres=limit)
    shape = careshed.merged_isochrones(network, town.posts, metres=[limit]).geometry.iloc[0]
    field = careshed.surface(network, town.posts, metres=limit)
    assert field is not None
    shapely.prepare(shape)
    by_polygon = shapely.contains(shape, cells.geometry.to_numpy())
    other = by_cell != by_polygon
    off = shapely.distance(shape.boundary, cells.geometry.to_numpy()[other])
    people = cells["population"].to_numpy()
    lived_in = (people[other] > 0).sum()
    print(
        f"  {limit:,.0f} m, snap {network.snap_m:g} m, lattice {field.step_m:g} m: {people[by_cell].sum():,.0f} people by cell, "
        f"{people[by_polygon].sum():,.0f} by polygon, {people[other].sum():,.0f} in {lived_in} cells that differ; of "
        f"{len(more):,} further points {other.sum() - lived_in} differ, the farthest {off.max(initial=0.0):.1f} m off the line"
    )
    case = f"({limit:g} m, snap {network.snap_m:g} m)"
    beyond = int((off[people[other] > 0] > field.step_m).sum())
    verdicts.equal(f"cells that polygon and cost judge otherwise, more than a lattice step off the line {case}", beyond, 0)
    farthest = float(off.max(initial=0.0))
    verdicts.at_most(f"farthest of all points judged otherwise, off the line {case}", farthest, field.step_m * DIAGONAL, "m")


def rural(verdicts: Verdicts, side_km: float) -> None:
    """Measure in a fresh process what isochrones of a rural prefecture hold in memory."""
    command = [sys.executable, str(Path(__file__).resolve()), str(side_km)]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    print(
        f"\nRural prefecture, {side_km**2:,.0f} km²: {told['street_km']:,.0f} km of street, {told['facilities']} facilities; "
        f"merged 5, 10 and 15 minutes in {told['merged_s']:.1f} s of CPU, {told['alone']} facilities alone at "
        f"{told['alone_ms']:.1f} ms each; lattice tiles {told['lattice_mb']:,.0f} MB, held {told['grown_mb']:,.0f} MB at most"
    )
    verdicts.at_most(f"lattice tiles kept for {side_km**2:,.0f} km²", told["lattice_mb"], MOST_RURAL_MB, "MB")
    verdicts.at_most(f"peak beyond the network for {side_km**2:,.0f} km²", told["grown_mb"], MOST_RURAL_MB, "MB")


def rural_memory(side_km: float) -> dict[str, float]:
    """Draw merged and single isochrones of a made-up prefecture and tell the memory they took."""
    import geopandas as gpd

    import careshed
    from careshed.isochrones import Lattice

    network, villages = rural_prefecture(side_km=side_km)
    places = villages[:: max(1, len(villages) // 300)]
    index = pd.Index([f"f{number:03d}" for number in range(len(places))])
    facilities = gpd.GeoDataFrame(geometry=gpd.points_from_xy(places[:, 0], places[:, 1]), crs=network.crs, index=index)
    alone = facilities.iloc[:: max(1, len(facilities) // 100)]
    careshed.travel_times(network, facilities.iloc[:1], facilities.iloc[:1], limit_m=10.0)  # makes bins and graph
    before = resident_bytes()
    forget_peak()
    start = time.process_time()
    careshed.merged_isochrones(network, facilities, minutes=[5, 10, 15])
    merged = time.process_time()
    careshed.draw_isochrones(network, alone, minutes=[15])
    lattices = [made for made in network._made.values() if isinstance(made, Lattice)]
    return {
        "street_km": float(network.edge_m.sum() / 1000.0),
        "facilities": len(facilities),
        "alone": len(alone),
        "merged_s": merged - start,
        "alone_ms": (time.process_time() - merged) / len(alone) * 1000.0,
        "lattice_mb": sum(lattice.bytes for lattice in lattices) / MB,
        "grown_mb": (peak_bytes() - before) / MB,
    }


if __name__ == "__main__":
    print(json.dumps(rural_memory(float(sys.argv[1]))))
