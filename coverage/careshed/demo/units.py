"""Divide the made-up town into districts, streets, townships, communities and villages that nest exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiPoint, Point, Polygon, STRtree

from careshed.demo.form import CRS, Form
from careshed.demo.rural import HAMLETS, SEATS, Hamlet, north_of_river, village_groups
from careshed.demo.town import Town
from careshed.demo.ways import Floats, lines_of, polygons_of

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

PREFIX: Final = "9901"
"""First four digits of all codes; no province or prefecture has them (GB/T 2260)."""

DISTRICTS: Final = ("青湾区", "临河区")
STREETS: Final[dict[str, tuple[float, float]]] = {
    "鼓楼街道": (-500, 300),
    "南门街道": (900, -100),
    "站前街道": (100, 1350),
    "铁北街道": (600, 2500),
    "朝阳街道": (2000, 900),
    "经开街道": (3100, 300),
    "河西街道": (-2300, -300),
    "南岸街道": (700, -2100),
}
"""Streets (jiedao) and where their offices stood first, plan metres; the last two south of the river."""

COMMUNITIES: Final = 40
VILLAGES_EACH: Final = 4
COMMUNITY_NAMES: Final = (
    "鼓楼", "书院", "文庙", "西街", "北关", "南门", "东市", "钟楼", "码头", "粮市", "站前", "工人村", "铁路新村",
    "机务段", "永安", "铁北", "窑厂", "北苑", "砖瓦厂", "青年路", "朝阳", "文昌", "育才", "康乐", "翠竹", "金桂",
    "锦绣", "听潮", "创业", "工业园", "科技园", "河西", "柳堤", "纺织厂", "西苑", "渡口", "南岸", "滨江", "银杏",
    "春晖", "长宁", "丽景", "海棠", "新城",
)  # fmt: skip

Ints = NDArray[np.int64]
UnitRow = tuple[str, str, str, str, str, str, Ints]
"""Code, name, level, parent, setting, kind, and the faces the unit is made of."""


@dataclass(frozen=True)
class Patch:
    """The ground in small pieces, each wholly within one community or village."""

    faces: tuple[Polygon, ...]
    people: Floats
    """Residents, relative, a face."""
    north: NDArray[np.bool_]
    """On the core's side of the river."""
    sides: Ints
    """Which side of all barriers, as bits."""
    urban: NDArray[np.bool_]


def make_units(town: Town) -> GeoDataFrame:
    """Draw all units, larger ones first.

    Returns
    -------
    geopandas.GeoDataFrame
        Columns ``code``, ``name``, ``level``, ``parent``, ``setting``, ``kind``, ``geometry``; children tile their parent.
    """
    import geopandas as gpd

    patch = _patch(town)
    street = _streets(patch)
    rows: list[UnitRow] = []
    labels, names = _communities(patch, street)
    villages, parts = _villages(patch, town.hamlets)
    labels[~patch.urban] = villages[~patch.urban]
    labels = _contiguous(patch, labels)
    for district, (north, name) in enumerate(zip((True, False), DISTRICTS, strict=True), start=1):
        code = f"{PREFIX}{district:02d}"
        below = _street_rows(code, labels, street, names, north) + _township_rows(code, labels, parts, north)
        own = np.concatenate([faces for *_, faces in below])
        rows += [(code, name, "county", "", "", "区", np.unique(own)), *below]
    shapes = [_union(town, [patch.faces[n] for n in faces]) for *_, faces in rows]
    table = [row[:-1] for row in rows]
    frame = gpd.GeoDataFrame(table, columns=["code", "name", "level", "parent", "setting", "kind"], geometry=shapes, crs=CRS)
    order = {"county": 0, "street": 1, "township": 1, "community": 2, "village": 2}
    return frame.iloc[np.lexsort([frame["code"], frame["level"].map(order)])].reset_index(drop=True)


def _union(town: Town, faces: Sequence[Polygon]) -> shapely.MultiPolygon:
    merged = town.warp.shape(shapely.coverage_union_all(list(faces)))
    return shapely.MultiPolygon(polygons_of(merged))


def _patch(town: Town) -> Patch:
    """Cut the ground along streets, barriers, the river and the lines midway between villages."""
    form = town.form
    inner = [grid.line for grid in form.mesh if grid.axis != "split"]
    inner += [barrier.line.intersection(form.urban) for barrier in form.barriers]
    country = form.bounds.difference(form.urban)
    seeds = MultiPoint([hamlet.at for hamlet in town.hamlets])
    outer = [shapely.voronoi_polygons(seeds, extend_to=form.bounds.buffer(500), only_edges=True).intersection(country)]
    outer += [form.barriers[0].line.intersection(country), form.bounds.exterior, form.urban.exterior]
    lines = [line for part in inner + outer for line in lines_of(part)]
    noded = shapely.segmentize(shapely.union_all(shapely.set_precision(lines, 0.01), grid_size=0.01), 60)
    faces = sorted(polygons_of(shapely.polygonize(lines_of(noded))), key=lambda face: (face.centroid.x, face.centroid.y))
    middles = [face.representative_point() for face in faces]
    north = north_of_river(form)
    sides = np.array([[side.contains(at) for side in (north, *_rail_and_road_sides(form))] for at in middles])
    urban = np.array([form.urban.contains(at) for at in middles])
    return Patch(tuple(faces), _people(town, faces), sides[:, 0], sides @ np.array([1, 2, 4]), urban)


def _rail_and_road_sides(form: Form) -> tuple[Polygon, Polygon]:
    rail, road = form.barriers[1].line, form.barriers[2].line
    return Polygon([*rail.coords, (9000, 9000), (-9000, 9000)]), Polygon([*road.coords, (9000, -9000), (9000, 9000)])


def _people(town: Town, faces: Sequence[Polygon]) -> Floats:
    xy, weight = np.vstack(town.homes.xy), np.concatenate(town.homes.weight)
    home, face = STRtree(list(faces)).query(shapely.points(xy), predicate="within")
    return np.asarray(np.bincount(face, weights=weight[home], minlength=len(faces)), dtype=np.float64) + 1e-6


def _streets(patch: Patch) -> Ints:
    """Give each face of the town its street: the nearest office, barriers making the way long."""
    seats = np.array(list(STREETS.values()))
    middle = shapely.get_coordinates(shapely.centroid(list(patch.faces)))
    # the side bits of each office: north of the river 1, north of the railway 2, beyond the expressway 4
    side = np.array([1, 1, 1, 3, 1, 5, 0, 0])
    away = np.hypot(*(middle[:, None] - seats[None]).T).T
    for bit, metres in ((1, 9000), (2, 1500), (4, 1500)):
        away = away + metres * ((patch.sides[:, None] & bit) != (side[None] & bit))
    return np.asarray(np.argmin(away, axis=1), dtype=np.int64)


def _communities(patch: Patch, street: Ints) -> tuple[Ints, dict[int, str]]:
    """Group each street's faces into communities of about equal population."""
    people = np.array([patch.people[patch.urban & (street == s)].sum() for s in range(len(STREETS))])
    counts = np.maximum(2, np.floor(people / people.sum() * COMMUNITIES)).astype(int)
    while counts.sum() < COMMUNITIES:
        counts[np.argmax(people / counts)] += 1
    while counts.sum() > COMMUNITIES:
        counts[np.argmax(counts - people / people.sum() * COMMUNITIES)] -= 1
    labels = np.full(len(street), -1, dtype=np.int64)
    names: dict[int, str] = {}
    start = 0
    for s, count in enumerate(counts):
        own = np.flatnonzero(patch.urban & (street == s))
        labels[own] = start + _grouped(patch, own, int(count))
        names |= {start + n: f"{COMMUNITY_NAMES[start + n]}社区" for n in range(count)}
        start += count
    return labels, names


def _grouped(patch: Patch, own: Ints, count: int) -> Ints:
    """Group faces around `count` middles, weighted by people (k-means, farthest points first)."""
    xy = shapely.get_coordinates(shapely.centroid([patch.faces[n] for n in own]))
    weight = patch.people[own] + 20
    chosen = [int(np.argmax(weight))]
    while len(chosen) < count:
        far = np.min([np.hypot(*(xy - xy[c]).T) for c in chosen], axis=0)
        chosen.append(int(np.argmax(far * (weight > 40))))
    middle = xy[chosen]
    for _ in range(12):
        label = np.argmin(np.hypot(*(xy[:, None] - middle[None]).T).T, axis=1)
        for n in range(count):
            if (label == n).any():
                middle[n] = np.average(xy[label == n], axis=0, weights=weight[label == n])
    return np.asarray(label, dtype=np.int64)


def _villages(patch: Patch, hamlets: Sequence[Hamlet]) -> tuple[Ints, dict[str, list[tuple[int, str, str]]]]:
    """Give each rural face the village of its nearest hamlet on the same side of the river."""
    group = np.zeros(len(hamlets), dtype=np.int64)
    parts: dict[str, list[tuple[int, str, str]]] = {}
    number = 1000
    for township in SEATS:
        seat = next(n for n, hamlet in enumerate(hamlets) if hamlet.seat and hamlet.township == township)
        group[seat] = number
        parts[township] = [(number, f"{township}街社区", "community")]
        for own in village_groups(hamlets, township, VILLAGES_EACH):
            number += 1
            group[own] = number
            parts[township].append((number, f"{_village_name(number)}村", "village"))
        number += 1
    at = np.array([hamlet.at.coords[0] for hamlet in hamlets])
    middle = shapely.get_coordinates(shapely.point_on_surface(list(patch.faces)))
    away = np.hypot(*(middle[:, None] - at[None]).T).T
    side = _sides_of(patch, hamlets)
    away = away + 9000 * (patch.north[:, None] != side[None])
    return group[np.argmin(away, axis=1)], parts


def _village_name(number: int) -> str:
    return HAMLETS[(number - 1001) % len(HAMLETS)]


def _sides_of(patch: Patch, hamlets: Sequence[Hamlet]) -> NDArray[np.bool_]:
    face = STRtree(list(patch.faces)).nearest([Point(hamlet.at) for hamlet in hamlets])
    return np.asarray(patch.north[face])


def _contiguous(patch: Patch, labels: Ints) -> Ints:
    """Give stray pieces to the neighbour they share the longest line with, on the same bank and of the same kind."""
    a, b = STRtree(list(patch.faces)).query(list(patch.faces), predicate="intersects")
    a, b = a[a < b], b[a < b]
    faces = np.array(patch.faces, dtype=object)
    shared = shapely.length(shapely.intersection(faces[a], faces[b]))
    joined = (shared > 1) & (patch.north[a] == patch.north[b]) & (patch.urban[a] == patch.urban[b])
    near: dict[int, list[tuple[int, float]]] = {n: [] for n in range(len(faces))}
    for i, j, length in zip(a[joined], b[joined], shared[joined], strict=True):
        near[i].append((int(j), float(length)))
        near[j].append((int(i), float(length)))
    labels = labels.copy()
    for _ in range(6):
        strays = _strays(patch, labels, near)
        for n in strays:
            borders: dict[int, float] = {}
            for other, length in near[n]:
                if labels[other] != labels[n]:
                    borders[int(labels[other])] = borders.get(int(labels[other]), 0.0) + length
            if borders:
                labels[n] = max(sorted(borders), key=lambda label: borders[label])
        if not strays:
            break
    return labels


def _strays(patch: Patch, labels: Ints, near: Mapping[int, Sequence[tuple[int, float]]]) -> list[int]:
    """List faces cut off from the most populous piece of their unit."""
    seen: set[int] = set()
    pieces: dict[int, list[list[int]]] = {}
    for start in range(len(labels)):
        if start in seen:
            continue
        piece, queue = [], [start]
        seen.add(start)
        while queue:
            n = queue.pop()
            piece.append(n)
            for other, _ in near[n]:
                if other not in seen and labels[other] == labels[start]:
                    seen.add(other)
                    queue.append(other)
        pieces.setdefault(int(labels[start]), []).append(piece)
    strays = []
    for parts in pieces.values():
        parts.sort(key=lambda piece: -patch.people[piece].sum())
        strays += [n for piece in parts[1:] for n in piece]
    return sorted(strays)


def _street_rows(district: str, labels: Ints, street: Ints, names: Mapping[int, str], north: bool) -> list[UnitRow]:
    rows: list[UnitRow] = []
    owner = {label: int(np.bincount(street[labels == label]).argmax()) for label in names if (labels == label).any()}
    own = [s for s in range(len(STREETS)) if (s < 6) == north]
    for n, s in enumerate(own, start=1):
        code = f"{district}{n:03d}"
        members = [label for label in names if owner.get(label) == s]
        faces = [np.flatnonzero(labels == label) for label in members]
        rows.append((code, list(STREETS)[s], "street", district, "urban", "街道", np.concatenate(faces)))
        for m, (label, face) in enumerate(zip(members, faces, strict=True), start=1):
            rows.append((f"{code}{m:03d}", names[label], "community", code, "urban", "社区", face))
    return rows


def _township_rows(
    district: str, labels: Ints, parts: Mapping[str, Sequence[tuple[int, str, str]]], north: bool
) -> list[UnitRow]:
    rows: list[UnitRow] = []
    own = [name for n, name in enumerate(SEATS) if (n < 3) == north]
    for n, name in enumerate(own):
        kind = name[-1]
        code = f"{district}{(100 if kind == '镇' else 200) + n:03d}"
        members = [(label, unit, level, np.flatnonzero(labels == label)) for label, unit, level in parts[name]]
        members = [member for member in members if len(member[3])]
        rows.append((code, name, "township", district, "rural", kind, np.concatenate([member[3] for member in members])))
        for m, (_, unit, level, faces) in enumerate(members):
            last = m + 1 if level == "community" else 199 + m
            rows.append((f"{code}{last:03d}", unit, level, code, "rural", "社区" if level == "community" else "村", faces))
    return rows


def write_units(path: Path, units: GeoDataFrame) -> None:
    """Write all units as one GeoPackage layer ``units``, the same bytes for the same units."""
    from careshed.report.stable import stabilise_gpkg

    path.unlink(missing_ok=True)
    note = "青湾市为虚构城市 / a made-up town"
    units.to_file(path, layer="units", driver="GPKG", layer_options={"DESCRIPTION": note, "IDENTIFIER": "units"})
    stabilise_gpkg(path)
