"""Ask Valhalla for walks through one town, and whether it walks a way or passes a node."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Rules = frozenset[str]

SPEED_KMH: Final = 4.8
MOST_APART: Final = 0.05
"""Share of a walk from which a difference must be explained."""

DETOUR_M: Final = 15.0
"""A node that Valhalla passes with more of a detour, metres, is shut to it; less is another street beside."""

FERRY, STEPS, SEARCH = "ferry taken for a walk", "steps cost 30 m extra", "search stops early"
SEARCHING: Final[Rules] = frozenset({FERRY, STEPS, SEARCH})
"""Rules of Valhalla's search. Asked for the shortest walk, it weighs ferries by their minutes among metres, and adds its penalty
of 30 s for steps as 30 m; its matrix for many places stops when more searching seems unlikely to help."""


class Peer:
    """Valhalla on one town."""

    def __init__(self, pbf: Path, folder: Path) -> None:
        """Build Valhalla's tiles of an extract."""
        import valhalla

        (folder / "tiles").mkdir(parents=True)
        (folder / "none.tar").touch()
        config = valhalla.get_config(tile_extract=folder / "none.tar", tile_dir=folder / "tiles")
        config["mjolnir"] |= {"tile_extract": "", "admin": "", "timezone": "", "concurrency": 1}
        config["service_limits"]["pedestrian"] |= {
            "max_matrix_location_pairs": 10**6, "max_locations": 2000, "max_matrix_distance": 1e6, "max_distance": 1e6,
        }  # fmt: skip
        config["service_limits"]["allow_hard_exclusions"] = True
        config["loki"]["service_defaults"]["minimum_reachability"] = 0  # careshed joins a place to whatever street is there
        for part in ("mjolnir", "loki", "thor", "odin", "meili"):
            config[part].setdefault("logging", {})["type"] = ""
        file = folder / "valhalla.json"
        file.write_text(json.dumps(config), encoding="utf-8")
        program = Path(valhalla.__file__).parent / "bin" / "valhalla_build_tiles"
        subprocess.run([program, "-c", file, pbf], check=True, capture_output=True)
        self.actor = valhalla.Actor(config)
        config["thor"]["source_to_target_algorithm"] = "timedistancematrix"  # searches to the end, from every place
        self.exact = valhalla.Actor(config)

    def matrix(self, places: list[dict[str, float]], without: Rules = frozenset()) -> tuple[Float, Float]:
        """Metres and seconds between all places, NaN where there is no way, without some rules of its search."""
        # shortest: the cost is the length; without it Valhalla prefers footpaths and avoids steps to taste
        costing: dict[str, Any] = {"walking_speed": SPEED_KMH, "shortest": True}
        if STEPS in without:
            costing |= {"step_penalty": 0, "elevator_penalty": 0}
        if FERRY in without:
            costing["exclude_ferries"] = True
        request = {
            "sources": places, "targets": places, "costing": "pedestrian", "costing_options": {"pedestrian": costing},
            "verbose": False,
        }  # fmt: skip
        told = (self.exact if SEARCH in without else self.actor).matrix(request)["sources_to_targets"]
        metres, seconds = (np.array(told[name], dtype=np.float64) for name in ("distances", "durations"))
        # where there is no way, the search to the end leaves the metres of the place before, and only the seconds say so
        return np.where(np.isfinite(seconds), metres * 1000.0, np.nan), seconds

    def detour(self, start: dict[str, float], end: dict[str, float], metres: float) -> bool:
        """Tell whether it cannot walk from one place to another in about so many metres."""
        try:
            found = self.matrix([start, end])[0][0, 1]
        except RuntimeError:  # no way at all
            return True
        return not found <= metres * (1 + MOST_APART) + DETOUR_M

    def walks(self, places: list[dict[str, float]], ways: list[int]) -> list[int]:
        """In how many directions, 0 to 2, it walks the way that lies at each place."""
        told = self.actor.locate({"locations": places, "costing": "pedestrian", "verbose": True})
        found = [[(edge["edge_info"]["way_id"], edge["edge"]["forward"]) for edge in one["edges"] or []] for one in told]
        return [len({forward for other, forward in edges if other == way}) for edges, way in zip(found, ways, strict=True)]


def lonlat(crs: str, x: Float, y: Float) -> list[dict[str, float]]:
    """Give points as places for Valhalla."""
    from pyproj import Transformer

    lon, lat = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(x, y)
    pairs = zip(np.round(lon, 7).tolist(), np.round(lat, 7).tolist(), strict=True)
    return [{"lat": y, "lon": x, "radius": 0} for x, y in pairs]
