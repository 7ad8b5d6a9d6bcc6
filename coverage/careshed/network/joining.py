"""Join places to edges of the network, at the foot point on the street."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from careshed.network.model import HALF_MM, Bins, Float, Int32, Network, UInt32

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame


@dataclass(frozen=True)
class Attached:
    """Where places join the network: one or more options each, ordered by place."""

    places: int
    """Number of places."""
    place: Int32
    """Position of the place that each option belongs to, ascending, shape (options,)."""
    edge: Int32
    """Edge joined, shape (options,)."""
    x: Float
    """Foot point on the street, metres."""
    y: Float
    piece: Int32
    """Straight piece joined, position among ``network.pieces``."""
    share: Float
    """Share of the piece at which the foot point lies, 0 to 1."""
    leg_m: Float
    """Straight leg between place and street, metres."""
    fault: NDArray[np.str_]
    """``"far"`` where a place joins no street, else ``""``, shape (places,)."""

    def offsets(self, network: Network, metric: str) -> tuple[UInt32, UInt32, UInt32]:
        """Give forward offset, backward offset and leg of every option as integer costs."""
        costs = network.costs(metric)
        start = network.pieces[0][self.piece]
        return (
            _between(costs.vertex_f, start, self.share),
            _between(costs.vertex_b, start, self.share),
            np.rint(self.leg_m * costs.per_metre).astype(np.uint32),
        )


def _between(vertex: UInt32, start: Int32, share: Float) -> UInt32:
    """Round the offset of a point on a piece to an integer between those of its ends."""
    first = vertex[start].astype(np.float64)
    return np.rint(first + share * (vertex[start + 1] - first)).astype(np.uint32)


def attach(network: Network, places: GeoDataFrame, *, options: int = 1) -> Attached:
    """Join places to the nearest streets, at the foot point on the edge and not at a junction.

    Parameters
    ----------
    places
        Points, or MultiPoints where a place has several entrances; each entrance joins on its own. In the network's CRS.
    options
        How many of the nearest edges each entrance may use.

    Returns
    -------
    Attached
        A place farther than ``network.snap_m`` from every street has no option and the fault ``"far"``.

    Raises
    ------
    ValueError
        If `places` is in another CRS or holds lines or areas, or `options` is below 1.
    """
    import shapely

    if options < 1:
        raise ValueError(f"options must be at least 1, not {options}")
    if places.crs is None or places.crs != network.crs:
        raise ValueError(f"places are in {places.crs}, the network in {network.crs}; convert them with to_crs first")
    kinds = set(places.geometry.geom_type.dropna()) - {"Point", "MultiPoint"}
    if kinds:
        raise ValueError(f"places must be Points or MultiPoints (entrances), not {', '.join(sorted(kinds))}; use their entrances")
    xy, place = shapely.get_coordinates(places.geometry.to_numpy(), return_index=True)
    piece, share, metres = nearest_pieces(network, xy, options)
    found = piece >= 0
    row = np.nonzero(found)[0]
    piece, share = piece[found], share[found]
    start, edge = network.pieces
    a = start[piece]
    fault = np.full(len(places), "far", dtype="<U5")
    fault[place[row]] = ""
    return Attached(
        places=len(places),
        place=place[row].astype(np.int32),
        edge=edge[piece],
        x=network.vertex_x[a] + share * (network.vertex_x[a + 1] - network.vertex_x[a]),
        y=network.vertex_y[a] + share * (network.vertex_y[a + 1] - network.vertex_y[a]),
        piece=piece,
        share=share,
        leg_m=metres[found],
        fault=fault,
    )


def nearest_pieces(network: Network, xy: Float, options: int) -> tuple[Int32, Float, Float]:
    """Find the nearest pieces of the network proper, and of fragments for points that have none of those in reach.

    Returns
    -------
    tuple
        Pieces of the `options` nearest edges, nearest first, −1 where there is none within the snap limit; the share along
        each; its distance in metres. All of shape (points, options).
    """
    from careshed import _kernels

    start, edge = network.pieces
    proper, slips = network.bins

    def look(points: Float, bins: Bins) -> tuple[Int32, Float, Float]:
        px, py = points[:, 0].copy(), points[:, 1].copy()
        found = _kernels.nearest_pieces(
            px, py, network.snap_m + HALF_MM, options, network.vertex_x, network.vertex_y, start, edge, *bins
        )
        return found  # type: ignore[no-any-return]

    piece, share, metres = look(xy, proper)
    alone = np.flatnonzero(piece[:, 0] < 0)
    if len(alone) and len(slips.piece):
        piece[alone], share[alone], metres[alone] = look(xy[alone], slips)
    return piece, share, metres


def attachment_table(network: Network, places: GeoDataFrame, attached: Attached) -> pd.DataFrame:
    """Tabulate where places join the streets: one row a place, its nearest option, ``leg_m`` NaN where it joins none."""
    import pandas as pd

    order = np.lexsort((attached.leg_m, attached.place))
    nearest = order[np.unique(attached.place, return_index=True)[1]]
    rows = attached.place[nearest]
    leg, part = np.full(attached.places, np.nan), np.full(attached.places, -1)
    leg[rows] = attached.leg_m[nearest]
    part[rows] = network.component[network.edge_u[attached.edge[nearest]]]
    return pd.DataFrame({"leg_m": leg, "component": part, "fault": attached.fault}, index=places.index)
