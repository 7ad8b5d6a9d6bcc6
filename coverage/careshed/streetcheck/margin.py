"""Tell whose answer could change with data from beyond the edge of the study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from careshed.access import check_cells
from careshed.network import Attached, Network, attach
from careshed.network.model import Bool, Float, Int32, Int64
from careshed.reach import TravelTimes, cost_limit
from careshed.reach.nearest import nearest_spots
from careshed.words import Lang, group_name, pick

if TYPE_CHECKING:
    from geopandas import GeoDataFrame, GeoSeries

EDGE_M: Final = 50.0
"""A street that ends within this of the edge of the data was cut there: extracts are cut a little inside or outside."""

SLIT_M: Final = 25.0
"""Outlines of neighbouring units that lie up to twice this apart were meant to touch."""

HARD_M: Final = 50.0
"""A hard border is drawn as a line, and a river has banks: streets that leave within this of it lead nowhere."""


@dataclass(frozen=True)
class Exits:
    """Where streets lead out of what is known: the first point beyond which there are no data."""

    piece: Int32
    """Straight piece of street, position among ``network.pieces``, shape (exits,)."""
    share: Float
    """Share of the piece at which the exit lies, 0 to 1."""
    x: Float
    """Metres."""
    y: Float

    def __len__(self) -> int:
        return len(self.piece)

    def __getitem__(self, kept: Bool) -> Exits:
        return Exits(self.piece[kept], self.share[kept], self.x[kept], self.y[kept])

    def points(self, crs: str) -> GeoSeries:
        """Draw the exits as points in the network's CRS, for a map."""
        import geopandas as gpd

        return gpd.GeoSeries(gpd.points_from_xy(self.x, self.y), crs=crs)

    def attached(self, network: Network) -> Attached:
        """Give the exits as places that lie on their streets."""
        count, edge = len(self), network.pieces[1][self.piece]
        no = np.zeros(count, dtype=bool)
        return Attached(
            places=count, place=np.arange(count, dtype=np.int32), edge=edge, x=self.x, y=self.y, piece=self.piece,
            share=self.share, leg_m=np.zeros(count), fault=np.full(count, "", dtype="<U7"), moved=no, shut=no,
        )  # fmt: skip


@dataclass(frozen=True)
class MarginReport:
    """Whose answer could change with data from beyond the edge."""

    exits: Exits
    cost_to_exit: Int64
    """Cost from each cell to the nearest exit, −1 where none can be reached, shape (cells,)."""
    nearest_exit: NDArray[np.int32]
    """That exit, −1 where none can be reached."""
    could_change: Bool
    """Cells to which a facility right at an exit would be nearer than the nearest known, within the limit."""
    could_gain: Bool
    """Of these, cells that reach no known facility within the limit: coverage could only be higher by them."""
    group: str
    people: float
    """All people of the group within what is known."""
    people_changed: float
    people_gained: float
    limit: tuple[float, str]
    """The limit and its unit, ``minutes`` or ``metres``."""
    needed_m: float
    """Margin beyond the edge with which no answer could change: the limit at the highest speed, metres."""
    cut: Exits
    """Places where streets leave that a hard border makes no exits."""

    @property
    def cut_by_border(self) -> int:
        """Exits that a hard border cuts."""
        return len(self.cut)

    def text(self, lang: Lang = "zh") -> str:
        """Say in a sentence whose answer could change."""
        limit, unit = self.limit
        who, much = group_name(self.group, lang), f"{self.needed_m / 1000:,.1f}"
        share = self.people_changed / self.people if self.people else 0.0
        cut = len(self.cut)
        told = f"（另有 {cut} 处止于硬边界，不计）", f" ({cut} more end at hard borders and do not count)"
        border = told if cut else ("", "")
        if not self.people_changed:
            zh = f"{len(self.exits)} 处街道通往数据以外{border[0]}；界外数据不影响任何{who}的结果（共 {self.people:,.0f} 人）。"
            en = f"{len(self.exits)} streets lead out of the data{border[1]}; this changes no answer of {self.people:,.0f} {who}."
            return pick(lang, zh, en)
        zh = (
            f"{len(self.exits)} 处街道通往数据以外{border[0]}；"
            f"{self.people:,.0f} 名{who}中 {self.people_changed:,.0f} 人（{share:.1%}）"
            f"的结果可能因界外数据而变，其中 {self.people_gained:,.0f} 人目前 {limit:g} {'分钟' if unit == 'minutes' else '米'}内"
            f"不可达。数据外扩 {much} 公里可消除此影响。"
        )
        en = (
            f"{len(self.exits)} streets lead out of the data{border[1]}; "
            f"the answer for {self.people_changed:,.0f} ({share:.1%}) of {self.people:,.0f} {who} could change with data from "
            f"beyond, and {self.people_gained:,.0f} of them reach nothing within {limit:g} {unit} today. Data {much} km beyond "
            f"the edge settle it."
        )
        return pick(lang, zh, en)


def margin_report(
    network: Network,
    times: TravelTimes,
    cells: GeoDataFrame,
    *,
    group: str,
    minutes: float | None = None,
    metres: float | None = None,
    known: shapely.Geometry | None = None,
    known_m: float = 0.0,
    hard: GeoSeries | None = None,
    hard_m: float = HARD_M,
    edge_m: float = EDGE_M,
) -> MarginReport:
    """Tell whose answer could change with streets and facilities from beyond the edge of the data.

    A cell is flagged if, along the streets, it is nearer to an exit than to the nearest facility it has, and the exit is
    within the limit (≤): a facility right at the exit would then be its nearest. Exits are the points at which streets leave
    the ground that is known, and streets that end within `edge_m` of its edge or of the bounds of the street data.

    Parameters
    ----------
    times
        Travel times on this network, of these cells.
    minutes, metres
        The limit a resident is judged by.
    known
        Ground within which streets and facilities are all known, such as the union of the units; None if they are known as far
        as the street data go.
    known_m
        Metres beyond `known` to which streets and facilities have been read too.
    hard
        Lines or areas beyond which nothing matters, such as a national border or a wide river: streets that leave within
        `hard_m` of them (≤), or beyond them as seen from `known`, are no exits.

    Notes
    -----
    One search from all exits at once. People are taken to come to a facility beyond the edge along a street that crosses it; a
    facility just beyond the edge that would join a street within by its own straight leg is not allowed for.

    Raises
    ------
    ValueError
        If the cells are not those of the travel times, the limit is of the other metric, or the network is of another mode.
    """
    check_cells(times, cells, group)
    if network.mode != times.mode:
        raise ValueError(f"the travel times are for mode {times.mode.name!r}, the network for {network.mode.name!r}")
    limit = cost_limit(minutes=minutes, metres=metres, metric=times.metric)
    ground = None if known is None or shapely.is_empty(known) else shapely.buffer(known, known_m) if known_m else known
    exits = find_exits(network, ground, edge_m=edge_m)
    outward = _outward(exits, None if hard is None else hard.to_crs(network.crs), known, hard_m)
    cut, exits = exits[~outward], exits[outward]
    joined = attach(network, cells)
    cost, owner = nearest_spots(network, exits.attached(network), joined, metric=times.metric, direction=times.direction)
    inside = np.ones(len(cells), bool) if ground is None else _within(ground, cells)
    nearest = np.where(times.nearest_cost < 0, np.iinfo(np.int64).max, times.nearest_cost)
    changed = inside & (cost >= 0) & (cost <= limit) & (cost < nearest)
    gained = changed & (nearest > limit)
    people = cells[group].to_numpy(dtype=float)
    speed = network.top_speed_kmh or network.mode.top_speed_kmh
    return MarginReport(
        exits=exits,
        cost_to_exit=cost,
        nearest_exit=owner,
        could_change=changed,
        could_gain=gained,
        group=group,
        people=float(people[inside].sum()),
        people_changed=float(people[changed].sum()),
        people_gained=float(people[gained].sum()),
        limit=(float(metres), "metres") if minutes is None and metres is not None else (float(minutes or 0), "minutes"),
        needed_m=limit / 1000.0 * (speed / 3.6 if times.metric == "time" else 1.0),
        cut=cut,
    )


def _outward(exits: Exits, hard: GeoSeries | None, known: shapely.Geometry | None, hard_m: float) -> Bool:
    """Which exits are neither at a hard border nor beyond one, seen from the nearest of the ground that is known."""
    if hard is None or not len(hard):
        return np.ones(len(exits), dtype=bool)
    border, spots = shapely.union_all(hard.to_numpy()), shapely.points(exits.x, exits.y)
    shapely.prepare(border)
    stopped = shapely.distance(spots, border) <= hard_m
    if known is not None and not shapely.is_empty(known):
        stopped |= shapely.intersects(border, shapely.shortest_line(spots, known))
    return np.asarray(~stopped)


def _within(ground: shapely.Geometry, cells: GeoDataFrame) -> Bool:
    """Which cells lie on known ground; those beyond are not the study's."""
    shapely.prepare(ground)
    inside: Bool = np.asarray(shapely.intersects(ground, cells.geometry.to_numpy()))
    return inside


def find_exits(network: Network, ground: shapely.Geometry | None, *, edge_m: float = EDGE_M) -> Exits:
    """Find where streets leave the ground that is known, or are cut at the edge of the data.

    Parameters
    ----------
    ground
        What is known, metres; None for as far as the street data go.
    """
    x, y = network.vertex_x, network.vertex_y
    frame = shapely.boundary(shapely.box(x.min(), y.min(), x.max(), y.max()))
    cut = _cut_ends(network, frame, ground, edge_m)
    if ground is None:
        return cut
    crossing = _crossings(network, ground)
    names = ("piece", "share", "x", "y")
    return Exits(*(np.concatenate([getattr(one, name) for one in (crossing, cut)]) for name in names))


def _cut_ends(network: Network, frame: shapely.Geometry, ground: shapely.Geometry | None, edge_m: float) -> Exits:
    """Ends of streets near the bounds of the data, or from within near the edge of the ground."""
    degree = np.bincount(np.concatenate([network.edge_u, network.edge_v]), minlength=len(network.x))
    spots = shapely.points(network.x, network.y)
    cut = (degree == 1) & (shapely.distance(spots, frame) <= edge_m)
    if ground is not None:
        shapely.prepare(ground)
        inside = shapely.intersects(ground, spots)
        cut = inside & (cut | ((degree == 1) & (shapely.distance(spots, shapely.boundary(ground)) <= edge_m)))
    by_u, by_v = np.flatnonzero(cut[network.edge_u]), np.flatnonzero(cut[network.edge_v])
    vertex = np.concatenate([network.vertex_ptr[by_u], network.vertex_ptr[by_v + 1] - 2])
    share = np.repeat([0.0, 1.0], [len(by_u), len(by_v)])
    node = np.concatenate([network.edge_u[by_u], network.edge_v[by_v]])
    return Exits(_piece_at(network, vertex), share, network.x[node], network.y[node])


def _piece_at(network: Network, vertex: Int64) -> Int32:
    """Piece that starts at each vertex."""
    return np.searchsorted(network.pieces[0], vertex).astype(np.int32)


def _crossings(network: Network, ground: shapely.Geometry) -> Exits:
    """Points at which streets cross the edge of the ground; a street that only touches it crosses nothing."""
    start = network.pieces[0]
    xy = np.column_stack([network.vertex_x, network.vertex_y])
    lines = np.asarray(shapely.linestrings(np.stack([xy[start], xy[start + 1]], axis=1)), dtype=object)
    shapely.prepare(ground)
    across = np.flatnonzero(~shapely.covers(ground, lines) & shapely.intersects(ground, lines))
    edge_of_ground = shapely.boundary(ground)
    points, row = shapely.get_coordinates(shapely.intersection(lines[across], edge_of_ground), return_index=True)
    piece = across[row].astype(np.int32)
    a = xy[start[piece]]
    run = np.hypot(*(xy[start[piece] + 1] - a).T)
    share = np.clip(np.hypot(*(points - a).T) / np.where(run > 0, run, 1.0), 0.0, 1.0)
    return Exits(piece, share, points[:, 0], points[:, 1])
