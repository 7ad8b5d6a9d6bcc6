"""Tell which streets hang together, who lives on those that do not, and how much street of each class there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from careshed.network.model import Float, Network
from careshed.streetcheck.gaps import gated_parts

if TYPE_CHECKING:
    from careshed.intake.streets import Streets
    from careshed.network import Attached


def street_parts(streets: Streets, network: Network, cells: Attached, people: Float) -> pd.DataFrame:
    """Tabulate the parts of the network that do not hang together, the longest first.

    Returns
    -------
    pandas.DataFrame
        Index ``part``; ``km``, ``people`` (of the group, who join it), ``role`` (``main``, ``islet``, ``fragment``), ``gated``
        (a shut gate or wall closes it off), ``x``, ``y`` (a junction of it, metres).
    """
    nearest = np.unique(cells.place, return_index=True)[1]
    part = network.component[network.edge_u[cells.edge[nearest]]]
    count = len(network.component_m)
    role = np.where(network.main, "main", np.where(network.fragment, "fragment", "islet"))
    first = np.unique(network.component, return_index=True)[1]
    columns = {
        "km": network.component_m / 1000.0,
        "people": np.bincount(part, weights=people[cells.place[nearest]], minlength=count),
        "role": role,
        "gated": gated_parts(streets, network),
        "x": network.x[first],
        "y": network.y[first],
    }
    return pd.DataFrame(columns, index=pd.RangeIndex(count, name="part"))


def class_lengths(streets: Streets, network: Network) -> pd.DataFrame:
    """Add up the length of streets by class, and how much of it the mode may use.

    Returns
    -------
    pandas.DataFrame
        Index ``highway``, the most prominent class first; ``ways``, ``km``, ``km_used``.
    """
    metres = way_metres(streets, network.crs)
    used = np.bincount(network.edge_way, weights=network.edge_m, minlength=len(metres))
    table = pd.DataFrame(
        {
            "highway": streets.ways["highway"].to_numpy(),
            "rank": streets.ways["rank"].to_numpy(),
            "ways": 1,
            "km": metres / 1000.0,
            "km_used": used / 1000.0,
        }
    )
    added = table.groupby(["rank", "highway"], sort=True)[["ways", "km", "km_used"]].sum().reset_index()
    return added.sort_values(["rank", "km", "highway"], ascending=[True, False, True]).drop(columns="rank").set_index("highway")


def way_lines(streets: Streets, crs: str) -> NDArray[np.object_]:
    """Draw the ways as lines in `crs`."""
    return np.asarray(streets.lines(crs).geometry.array, dtype=object)


def way_metres(streets: Streets, crs: str) -> Float:
    """Length of every way, metres."""
    return np.asarray(shapely.length(way_lines(streets, crs)), dtype=np.float64)
