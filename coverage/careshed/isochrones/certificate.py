"""Certify polygons: how much street inside lies beyond the limit, how much reachable street is left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from careshed.isochrones.field import Field, PieceReach, ranges
from careshed.isochrones.lattice import Float
from careshed.network import Network, nearest_pieces
from careshed.reach import Direction, Metric, cost_limit

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from shapely import MultiPolygon

CERTIFICATE_M: Final = 15.0
"""Distance between the street points at which a polygon is checked, metres."""


@dataclass(frozen=True)
class Certificate:
    """How far a polygon and the travel costs it stands for disagree, measured along the streets."""

    limit: float
    """Minutes or metres, as the polygon's."""
    inside_m: float
    """Street inside the polygon, metres."""
    inside_beyond_m: float
    """Street inside the polygon that lies beyond the limit, metres."""
    reachable_m: float
    """Street within the limit, metres."""
    outside_reachable_m: float
    """Street within the limit that the polygon leaves out, metres."""

    @property
    def inside_beyond(self) -> float:
        """Share of the street inside that is beyond the limit, 0 where nothing is inside."""
        return self.inside_beyond_m / self.inside_m if self.inside_m else 0.0

    @property
    def outside_reachable(self) -> float:
        """Share of the reachable street that is left out, 0 where nothing is reachable."""
        return self.outside_reachable_m / self.reachable_m if self.reachable_m else 0.0


def certify(
    network: Network,
    facilities: GeoDataFrame,
    polygons: GeoDataFrame,
    *,
    direction: Direction = "to_facility",
    options: int = 1,
    every_m: float = CERTIFICATE_M,
) -> list[Certificate]:
    """Measure how true isochrone polygons are, on street points every 15 m: one certificate a polygon, in order.

    Parameters
    ----------
    polygons
        What `draw_isochrones` or `merged_isochrones` gave for the same facilities; any other polygons with ``minutes`` or
        ``metres`` may be measured too.
    """
    name = "minutes" if "minutes" in polygons else "metres"
    metric: Metric = "time" if name == "minutes" else "length"
    field = Field(network, facilities, metric, direction, options)
    values = [float(value) for value in polygons[name]]
    limits = [cost_limit(minutes=value) if metric == "time" else cost_limit(metres=value) for value in values]
    most = max(limits, default=1)
    points = _StreetPoints(network, every_m)
    if "facility_id" in polygons:
        costs = dict(field.alone(most))
        rows = facilities.index.get_indexer(polygons["facility_id"])
        reaches = [costs.get(int(row)) for row in rows]
    else:
        reaches = [field.together(most)] * len(limits)
    return [
        points.certificate(value, limit, shape, reach, field.costs.per_metre)
        for value, limit, shape, reach in zip(polygons[name], limits, polygons.geometry, reaches, strict=True)
    ]


class _StreetPoints:
    """Points along all streets, each standing for an equal stretch, and where each joins the network.

    A point joins the piece it lies on, without a leg. A point on a fragment is a location like any other: it joins the next
    street of the network proper if one is within the snap limit.
    """

    def __init__(self, network: Network, every_m: float) -> None:
        start, edge = network.pieces
        x, y = network.vertex_x, network.vertex_y
        length = np.hypot(x[start + 1] - x[start], y[start + 1] - y[start])
        count = np.maximum(1, np.ceil(length / every_m).astype(np.int64))
        piece = np.repeat(np.arange(len(start)), count)
        at = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        share = (at + 0.5) / count[piece]
        a = start[piece]
        px, py = x[a] + share * (x[a + 1] - x[a]), y[a] + share * (y[a + 1] - y[a])
        leg_m = np.zeros(len(piece))
        slip = np.flatnonzero(network.fragment[network.component[network.edge_u]][edge[piece]])
        metres = (length / count)[piece]
        if len(slip):
            found, where, far = nearest_pieces(network, np.column_stack([px[slip], py[slip]]), 1)
            piece[slip], share[slip], leg_m[slip] = found[:, 0], where[:, 0], far[:, 0]
        order = np.argsort(piece, kind="stable")
        self.share, self.leg_m, self.metres = share[order], leg_m[order], metres[order]
        self.x, self.y = px[order], py[order]
        self.ptr = np.searchsorted(piece[order], np.arange(len(start) + 1))

    def cost(self, reach: PieceReach | None, per_metre: float) -> Float:
        """Travel cost at every point, infinite out of reach; `per_metre` is the cost of a metre of leg."""
        cost = np.full(len(self.x), np.inf)
        if reach is None:
            return cost
        at = ranges(self.ptr[reach.piece], self.ptr[reach.piece + 1])
        k = np.repeat(np.arange(len(reach.piece)), np.diff(self.ptr)[reach.piece])
        share = self.share[at]
        to_a, to_b = _part(share, reach.cost_b[k]), _part(1 - share, reach.cost_f[k])
        cost[at] = np.minimum(reach.near_a[k] + to_a, reach.near_b[k] + to_b)
        own = np.repeat(np.arange(len(reach.piece)), np.diff(reach.own_ptr))
        for option, k0 in enumerate(own):
            mine = slice(self.ptr[reach.piece[k0]], self.ptr[reach.piece[k0] + 1])
            ahead = reach.own_share[option] - self.share[mine]
            along = _part(np.maximum(ahead, 0.0), reach.cost_f[k0]) + _part(np.maximum(-ahead, 0.0), reach.cost_b[k0])
            cost[mine] = np.minimum(cost[mine], along + reach.own_leg[option])
        return cost + self.leg_m * per_metre

    def certificate(
        self, value: float, limit: int, shape: MultiPolygon, reach: PieceReach | None, per_metre: float
    ) -> Certificate:
        """Compare one polygon with the costs."""
        import shapely

        shapely.prepare(shape)
        west, south, east, north = shape.bounds if not shape.is_empty else (0.0, 0.0, -1.0, -1.0)
        inside = (self.x >= west) & (self.x <= east) & (self.y >= south) & (self.y <= north)
        inside[inside] = shapely.contains_xy(shape, self.x[inside], self.y[inside])
        reachable = self.cost(reach, per_metre) <= limit
        metres = self.metres
        return Certificate(
            limit=float(value),
            inside_m=float(metres[inside].sum()),
            inside_beyond_m=float(metres[inside & ~reachable].sum()),
            reachable_m=float(metres[reachable].sum()),
            outside_reachable_m=float(metres[reachable & ~inside].sum()),
        )


def _part(share: Float, cost: Float | float) -> Float:
    """Cost of a share of a piece: nothing for no share, even where the piece is closed and costs infinity."""
    return np.where(share > 0, np.where(share > 0, share, 1.0) * cost, 0.0)
