"""Draw the streets that are reached, to the metre along each edge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from careshed.isochrones.field import Field, PieceReach
from careshed.isochrones.lattice import Float
from careshed.isochrones.outline import limits_of
from careshed.network import Network
from careshed.reach import Direction

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


def reached_streets(
    network: Network,
    facilities: GeoDataFrame,
    *,
    minutes: Sequence[float] | None = None,
    metres: Sequence[float] | None = None,
    direction: Direction = "to_facility",
    options: int = 1,
) -> GeoDataFrame:
    """Draw the streets from which any facility is reached within each limit, to the metre along each edge.

    Returns
    -------
    GeoDataFrame
        One row a limit, cumulative; columns ``minutes`` or ``metres``, ``length_m``; geometry MultiLineString.
    """
    import geopandas as gpd
    import shapely

    metric, name, values, limits = limits_of(minutes, metres)
    field = Field(network, facilities, metric, direction, options)
    reach = field.together(limits[-1])
    lines = [shapely.MultiLineString() if reach is None else _reached_part(network, reach, limit) for limit in limits]
    return gpd.GeoDataFrame({name: values, "length_m": shapely.length(lines)}, geometry=lines, crs=network.crs)


def _reached_part(network: Network, reach: PieceReach, limit: int) -> object:
    """Join the stretches of all pieces that are within `limit`: from either end, and around facilities on the piece."""
    import shapely

    count = len(reach.piece)
    own = np.repeat(np.arange(count), np.diff(reach.own_ptr))
    with np.errstate(invalid="ignore", divide="ignore"):
        from_a = np.clip(_stretch(limit - reach.near_a, reach.cost_b), 0.0, 1.0)
        from_b = 1.0 - np.clip(_stretch(limit - reach.near_b, reach.cost_f), 0.0, 1.0)
        spare = limit - reach.own_leg
        low = np.clip(reach.own_share - _stretch(spare, reach.cost_f[own]), 0.0, 1.0)
        high = np.clip(reach.own_share + _stretch(spare, reach.cost_b[own]), 0.0, 1.0)
    piece = np.concatenate([np.arange(count), np.arange(count), own])
    start, end = np.concatenate([np.zeros(count), from_b, low]), np.concatenate([from_a, np.ones(count), high])
    piece, start, end = _joined(piece[end > start], start[end > start], end[end > start])
    a = network.pieces[0][reach.piece[piece]]
    x, y = network.vertex_x, network.vertex_y
    ends = [np.column_stack([x[a] + share * (x[a + 1] - x[a]), y[a] + share * (y[a + 1] - y[a])]) for share in (start, end)]
    merged = shapely.line_merge(shapely.multilinestrings(shapely.linestrings(np.stack(ends, axis=1))))
    return shapely.multilinestrings(shapely.get_parts(merged))


def _joined(piece: NDArray[np.int64], start: Float, end: Float) -> tuple[NDArray[np.int64], Float, Float]:
    """Join overlapping stretches of the same piece.

    >>> [part.tolist() for part in _joined(np.array([0, 0, 1]), np.array([0.5, 0.0, 0.0]), np.array([1.0, 0.6, 0.2]))]
    [[0, 1], [0.0, 0.0], [1.0, 0.2]]
    """
    if not len(piece):
        return piece, start, end
    order = np.lexsort((start, piece))
    piece, start, end = piece[order], start[order], end[order]
    furthest = np.maximum.accumulate(end + 2.0 * piece)
    fresh = np.concatenate([[True], start[1:] + 2.0 * piece[1:] > furthest[:-1]])
    return piece[fresh], start[fresh], np.maximum.reduceat(end, np.flatnonzero(fresh))


def _stretch(spare: Float, cost: Float) -> Float:
    """Share of a piece that a spare cost pays for: all of it where it costs nothing, none where nothing is spare."""
    share = np.where(cost > 0, spare / cost, 1.0)
    return np.where(spare < 0, 0.0, np.nan_to_num(share, nan=0.0, posinf=1.0))
