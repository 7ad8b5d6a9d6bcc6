"""Find places for which two answers are right: as near to one street as to another."""

from __future__ import annotations

import numpy as np
from geopandas import GeoDataFrame

from careshed.network import Network, attach


def between_streets(network: Network, places: GeoDataFrame) -> np.ndarray:
    """Tell which places may join one edge or another, to the millimetre.

    Two edges with the same junction as foot point are no tie: there the lower piece is joined, by cells and lattice alike.
    """
    two = attach(network, places, options=2)
    row = np.flatnonzero(two.place[1:] == two.place[:-1])
    close = np.abs(np.diff(two.leg_m))[row] < 1e-3
    apart = np.hypot(np.diff(two.x)[row], np.diff(two.y)[row]) > 1e-3
    at_end = ((two.share == 0.0) | (two.share == 1.0))[row]
    found = np.zeros(len(places), dtype=bool)
    found[two.place[row[close & (apart | ~at_end)]]] = True
    return found
