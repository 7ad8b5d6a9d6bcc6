"""Find the nearest of some spots on the streets for every place, by one search from all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from careshed.reach.search import _Ends, _nearest

if TYPE_CHECKING:
    from careshed.network import Attached, Network
    from careshed.reach.times import Direction, Metric


def nearest_spots(
    network: Network, spots: Attached, places: Attached, *, metric: Metric, direction: Direction = "to_facility"
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Find what it costs every place to get to the nearest of some spots, however far, and which one that is.

    Parameters
    ----------
    spots, places
        Joined to the streets already, so that a spot lies on just the street it is meant for.

    Returns
    -------
    tuple
        Cost, milliseconds or millimetres, and position of the spot (ties: the first); −1 where none can be reached.
    """
    if not spots.places:
        none = np.full(places.places, -1, dtype=np.int64)
        return none, none.astype(np.int32)
    return _nearest(_Ends(network, metric, direction == "to_facility", spots, places))
