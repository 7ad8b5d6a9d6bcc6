"""Join places to edges of the network, at the foot point on the street."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from careshed.network.barriers import Joints, go_round
from careshed.network.model import HALF_MM, Bins, Bool, Float, Int32, Network, UInt32
from careshed.schema import Fault

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
    """Leg between place and street, metres: straight, or by way of a gate where walls shut the place in."""
    fault: NDArray[np.str_]
    """Why a place joins no street: ``"far"`` (none within the snap limit), ``"barrier"`` (every leg would cross water, a railway,
    a motorway or a wall), else ``""``; shape (places,)."""
    moved: Bool
    """Places with an entrance whose nearest street lies behind a barrier, so that it joins another, shape (places,)."""
    shut: Bool
    """Places with an entrance from which every leg crosses a barrier, joined regardless or not at all, shape (places,)."""

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
        A place farther than ``network.snap_m`` from every street has no option and the fault ``"far"``. A leg does not cross
        water, railways, motorways and walls (``network.barriers``): of the nearest streets the first without one between
        counts, and where walls shut a place in, the shortest way by one of their gates, within the same limit. Where there is
        no such way either, the place has no option and the fault ``"barrier"``, unless the study wants it joined regardless.

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
    piece, share, metres, moved, shut = join_points(network, xy, options)
    found = piece >= 0
    row = np.nonzero(found)[0]
    piece, share = piece[found], share[found]
    start, edge = network.pieces
    a = start[piece]
    fault = np.full(len(places), "far", dtype="<U7")
    fault[place[shut]] = "barrier"
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
        moved=np.isin(np.arange(len(places)), place[moved]),
        shut=np.isin(np.arange(len(places)), place[shut]),
    )


def nearest_pieces(network: Network, xy: Float, options: int) -> tuple[Int32, Float, Float]:
    """Find the nearest pieces that can be joined without crossing a barrier; see `join_points`.

    Returns
    -------
    tuple
        Pieces of the `options` nearest edges, nearest first, −1 where there is none within the snap limit; the share along
        each; its distance in metres. All of shape (points, options).
    """
    return join_points(network, xy, options)[:3]


def join_points(network: Network, xy: Float, options: int) -> Joints:
    """Find where points join: the nearest pieces of the network proper, of fragments where none of those is in reach.

    Legs that cross a barrier are replaced as `careshed.network.barriers.go_round` does.
    """
    nearest = _nearest_pieces(network, xy, options)
    if network.barriers is None:
        none = np.zeros(len(xy), dtype=bool)
        return Joints(*nearest, none, none)
    return go_round(network, network.barriers, xy, *nearest)


def _nearest_pieces(network: Network, xy: Float, options: int) -> tuple[Int32, Float, Float]:
    """Find the nearest pieces whatever lies between."""
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


def leg_faults(network: Network, cells: GeoDataFrame, group: str) -> list[Fault]:
    """Tell how many people do not take the street nearest to them because of barriers; who is shut in, coverage tells."""
    if network.barriers is None:
        return []
    attached = attach(network, cells)
    people = cells[group].to_numpy(dtype=float)
    lost = attached.fault == "barrier"
    told = (
        (
            "leg_moved",
            attached.moved,
            "最近的街道隔着水面、铁路、高速公路或围墙，改接其他街道",
            "have water, a railway, a motorway or a wall before the nearest street and join another",
        ),
        (
            "leg_regardless",
            attached.shut & ~lost,
            "四周被阻隔，按研究文件仍接入最近的街道",
            "are shut in and join the nearest street regardless, as the study says",
        ),
    )
    found = []
    for code, at, zh, en in told:
        here = at & (people > 0)
        if here.any():
            zh, en = f"{int(here.sum())} 个人口格网{zh}", f"{int(here.sum())} population cells {en}"
            found.append(Fault(code, "", zh, en, severity="noted", people=float(people[here].sum()), found=group))
    return found
