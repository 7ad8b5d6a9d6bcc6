"""Hold streets as they were mapped, before any mode of travel is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame, GeoSeries

    from careshed.intake.streets.barriers import Barriers


@dataclass(frozen=True)
class Streets:
    """Ways as they were mapped, before any mode of travel is chosen; coordinates in degrees, WGS-84."""

    node_id: NDArray[np.int64]
    """Node ids, as the source numbers them; negative where they were made here, shape (nodes,)."""
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    ways: pd.DataFrame
    """Index ``way_id``; columns ``highway``, ``name``, ``walk_forward``, ``walk_backward``, ``steps``, ``bridge``, ``tunnel``,
    ``rank``. Where the source tells: ``cycle_forward``, ``cycle_backward``, ``car_forward``, ``car_backward``,
    ``maxspeed_kmh`` (NaN unknown), ``incline`` (rise over run with the drawing direction, NaN unknown), ``wheels`` (False where
    a wheelchair is stopped), ``crossing`` ("", ``open`` or ``signals``: a crossing for walkers mapped as a way)."""
    way_ptr: NDArray[np.int64]
    """Where the nodes of each way start in `way_node`, shape (ways + 1,)."""
    way_node: NDArray[np.int32]
    """Positions of nodes along the ways."""
    source: str
    """File or graph they came from."""
    node_bits: NDArray[np.uint8] | None = None
    """What each node does to traffic, see `careshed.intake.streets.driving.node_bits`; None where the source tells nothing."""
    repairs: pd.DataFrame | None = None
    """Joints that a layer of lines lacked: ``kind``, ``line``, ``other`` (rows of the file), ``x``, ``y`` (metres, UTM),
    ``gap_m``; None where streets come noded."""
    water: tuple[tuple[tuple[float, float], ...], ...] = ()
    """Outlines of lakes and rivers, degrees, for maps to draw; nothing is computed from them."""
    islands: tuple[tuple[int, tuple[tuple[float, float], ...]], ...] = ()
    """Land within lakes and rivers: position of the outline in `water`, and the outline of the land."""
    barriers: Barriers | None = None
    """What people cannot walk straight across, and the gates in walls; None where nothing is known of any."""

    def bounds_lonlat(self) -> tuple[float, float, float, float]:
        """Give west, south, east, north in degrees."""
        return float(self.lon.min()), float(self.lat.min()), float(self.lon.max()), float(self.lat.max())

    def lines(self, crs: str) -> GeoDataFrame:
        """Draw the ways as lines: index ``way_id``, columns of `ways`, geometry in `crs`."""
        import geopandas as gpd
        import shapely

        node = self.way_node
        which = np.repeat(np.arange(len(self.ways)), np.diff(self.way_ptr))
        lines = shapely.linestrings(np.column_stack([self.lon[node], self.lat[node]]), indices=which)
        return gpd.GeoDataFrame(self.ways, geometry=lines, crs="EPSG:4326").to_crs(crs)

    def water_areas(self, crs: str) -> GeoSeries:
        """Draw lakes and rivers as polygons in `crs`, empty where the source has none."""
        import geopandas as gpd
        import shapely

        holes: dict[int, list[tuple[tuple[float, float], ...]]] = {}
        for at, island in self.islands:
            holes.setdefault(at, []).append(island)
        areas = shapely.make_valid([shapely.Polygon(outline, holes.get(at)) for at, outline in enumerate(self.water)])
        return gpd.GeoSeries(areas, crs="EPSG:4326").to_crs(crs)
