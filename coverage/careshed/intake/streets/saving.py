"""Save streets and networks as GraphML, which OSMnx, NetworkX and careshed read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from careshed.intake.streets.model import Streets

if TYPE_CHECKING:
    import networkx as nx


class HasGraph(Protocol):
    """A network of one mode, see `careshed.network.Network`."""

    def to_networkx(self) -> nx.MultiDiGraph:
        """Hand it to NetworkX."""
        ...


def save_graphml(streets: Streets | HasGraph, path: str | Path) -> Path:
    """Save streets, to be read again as a study's streets, or one mode's network, for NetworkX and OSMnx.

    Streets are saved with the tags that say what may be travelled, as read: `read_streets` gives the same travel times for every
    mode. Water and barriers are not saved. A network is saved in its own CRS with ``time_ms`` and ``length``
    and is not read again.

    Returns
    -------
    Path
        The file written.
    """
    import osmnx

    target = Path(path)
    graph = streets_graph(streets) if isinstance(streets, Streets) else streets.to_networkx()
    osmnx.save_graphml(graph, target)
    return target


def streets_graph(streets: Streets) -> nx.MultiDiGraph:
    """Draw the streets as a graph as OSMnx does: an edge from junction to junction, along the drawing direction."""
    import networkx as nx
    import shapely

    graph = nx.MultiDiGraph(crs="epsg:4326")
    first, last, way = _runs(streets)
    ends = np.unique(streets.way_node[np.concatenate([first, last])])
    bits = streets.node_bits if streets.node_bits is not None else np.zeros(len(streets.node_id), dtype=np.uint8)
    for node in ends.tolist():
        graph.add_node(int(streets.node_id[node]), x=float(streets.lon[node]), y=float(streets.lat[node]))
        if bits[node]:
            graph.nodes[int(streets.node_id[node])]["node_bits"] = int(bits[node])
    tags = [_tags({str(name): value for name, value in row.items()}) for row in streets.ways.to_dict("records")]
    for start, stop, at in zip(first.tolist(), last.tolist(), way.tolist(), strict=True):
        turned, told = tags[at]
        nodes = streets.way_node[start : stop + 1][:: -1 if turned else 1]
        shape: dict[str, Any] = {}
        if len(nodes) > 2:
            shape["geometry"] = shapely.LineString(np.column_stack([streets.lon[nodes], streets.lat[nodes]]))
        osmid = int(streets.ways.index[at])
        graph.add_edge(int(streets.node_id[nodes[0]]), int(streets.node_id[nodes[-1]]), osmid=osmid, **told, **shape)
    return graph


def _runs(streets: Streets) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Cut the ways at nodes met twice and at nodes that do something to traffic: first and last place, and the way."""
    cut = np.bincount(streets.way_node, minlength=len(streets.node_id)) > 1
    if streets.node_bits is not None:
        cut |= streets.node_bits > 0
    key = cut[streets.way_node]
    key[streets.way_ptr[:-1]] = True
    key[streets.way_ptr[1:] - 1] = True
    at = np.flatnonzero(key)
    way = np.searchsorted(streets.way_ptr, at, side="right") - 1
    same = way[:-1] == way[1:]
    return at[:-1][same], at[1:][same], way[:-1][same]


_DIRECTIONS: Final = ("forward", "backward")


def _tags(way: dict[str, Any]) -> tuple[bool, dict[str, Any]]:
    """Write tags that read as the way was read, and whether it must be drawn the other way round: OSMnx has no −1."""
    walk, cycle, car = (
        [bool(way.get(f"{kind}_{one}", way[f"walk_{one}"])) for one in _DIRECTIONS] for kind in ("walk", "cycle", "car")
    )
    turned = car == [False, True]
    if turned:
        walk, cycle, car = walk[::-1], cycle[::-1], car[::-1]
    tags: dict[str, Any] = {"highway": way["highway"], "oneway": car == [True, False]}
    tags |= {
        "foot": "yes" if any(walk) else "no",
        "motorcar": "yes" if any(car) else "no",
        "bicycle": "yes" if any(cycle) else "no",
    }
    tags |= {f"foot:{one}": "no" for one, open_ in zip(_DIRECTIONS, walk, strict=True) if any(walk) and not open_}
    tags["oneway:bicycle"] = {(True, False): "yes", (False, True): "-1"}.get((cycle[0], cycle[1]), "no")
    tags |= {key: "yes" for key in ("bridge", "tunnel") if way[key]} | ({"name": way["name"]} if way["name"] else {})
    if np.isfinite(way.get("maxspeed_kmh", np.nan)):
        tags["maxspeed"] = f"{way['maxspeed_kmh']:.6f}"
    if np.isfinite(way.get("incline", np.nan)):
        tags["incline"] = f"{way['incline'] * (-100 if turned else 100):.6f}%"
    if not way.get("wheels", True):
        tags["wheelchair"] = "no"
    if way.get("crossing"):
        tags |= {"footway": "crossing", "crossing": "traffic_signals" if way["crossing"] == "signals" else "uncontrolled"}
    return turned, tags
