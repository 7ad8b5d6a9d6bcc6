"""Make small towns that can be checked by hand: streets in metres, places by coordinates."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
from pyproj import Transformer

from careshed.intake.streets import Streets

CRS = "EPSG:32651"
EAST, NORTH = 500_000.0, 3_900_000.0
"""Where the towns lie: metres that are added to every coordinate."""


def streets(
    nodes: dict[str, tuple[float, float]],
    ways: Sequence[str | Sequence[str]],
    *,
    oneway: Sequence[int] = (),
    steps: Sequence[int] = (),
) -> Streets:
    """Make streets from named points in metres and ways given as sequences of names; `oneway`, `steps` number ways."""
    names = list(nodes)
    xy = np.array([nodes[name] for name in names], dtype=float)
    lon, lat = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True).transform(xy[:, 0] + EAST, xy[:, 1] + NORTH)
    way_node = [names.index(name) for way in ways for name in way]
    count = len(ways)
    table = pd.DataFrame(
        {
            "highway": ["steps" if w in steps else "residential" for w in range(count)],
            "name": "",
            "walk_forward": True,
            "walk_backward": [w not in oneway for w in range(count)],
            "steps": [w in steps for w in range(count)],
            "bridge": False,
            "tunnel": False,
            "rank": 2,
        },
        index=pd.Index(np.arange(count), name="way_id"),
    )
    return Streets(
        node_id=np.arange(1, len(names) + 1, dtype=np.int64),
        lon=np.asarray(lon),
        lat=np.asarray(lat),
        ways=table,
        way_ptr=np.concatenate([[0], np.cumsum([len(way) for way in ways])]).astype(np.int64),
        way_node=np.array(way_node, dtype=np.int32),
        source="town",
    )


def points(xy: Sequence[tuple[float, float]] | np.ndarray, *, ids: Sequence | None = None, **columns: object) -> gpd.GeoDataFrame:
    """Make places at metres (x, y)."""
    array = np.asarray(xy, dtype=float).reshape(-1, 2)
    index = pd.Index(range(len(array)) if ids is None else ids)
    geometry = gpd.points_from_xy(array[:, 0] + EAST, array[:, 1] + NORTH)
    return gpd.GeoDataFrame(pd.DataFrame(columns, index=index), geometry=geometry, crs=CRS, index=index)
