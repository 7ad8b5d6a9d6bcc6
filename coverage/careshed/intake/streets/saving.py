"""Save streets as GraphML or as a layer of lines, and networks as GraphML: OSMnx, NetworkX, QGIS and careshed read them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from careshed.intake.streets.barriers import KINDS, Barriers
from careshed.intake.streets.ground import KEY, ground_text
from careshed.intake.streets.model import Streets

if TYPE_CHECKING:
    import networkx as nx
    import shapely
    from geopandas import GeoDataFrame


class HasGraph(Protocol):
    """A network of one mode, see `careshed.network.Network`."""

    def to_networkx(self) -> nx.MultiDiGraph:
        """Hand it to NetworkX."""
        ...


def save_graphml(streets: Streets | HasGraph, path: str | Path) -> Path:
    """Save streets, to be read again as a study's streets, or one mode's network, for NetworkX and OSMnx.

    Streets are saved with the tags that say what may be travelled, as read: `read_streets` gives the same travel times for every
    mode, with its barriers, gates and water. A network is saved in its own CRS with ``time_ms`` and ``length``
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


def save_lines(streets: Streets, path: str | Path) -> Path:
    """Save streets as a GeoPackage that a GIS edits and `read_street_lines` reads back to the same network.

    Layer ``streets`` holds the ways with their tags; its columns ``node_ids`` and ``node_bits`` say which vertices are joined and
    what stands at them, so that a locked gate stays locked. Lines added in the GIS have neither and are joined like those of
    any layer. Layers ``barriers``, ``gates`` and ``water`` hold what there is of them. Name the file in the study with
    ``layer = "streets"``.

    Returns
    -------
    Path
        The file written, whole or not at all.

    >>> from careshed.intake.streets import read_streets
    >>> from careshed.intake.streets.lines import read_street_lines
    >>> import tempfile, networkx as nx
    >>> town = nx.MultiDiGraph([(1, 2, {"highway": "steps"})], crs="epsg:4326")
    >>> for node in town:
    ...     town.nodes[node].update(x=116 + node / 1000, y=40.0)
    >>> file = save_lines(read_streets(town).table, Path(tempfile.mkdtemp()) / "town.gpkg")
    >>> read_street_lines(file, layer="streets").table.ways["highway"].tolist()
    ['steps']
    """
    target = Path(path)
    if target.suffix.lower() != ".gpkg":
        raise ValueError(f"streets are saved as GeoPackage (.gpkg), not {target.suffix!r}  请用 .gpkg")
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f"{target.stem}.part.gpkg")
    aside.unlink(missing_ok=True)
    for name, table in _layers(streets).items():
        table.to_file(aside, layer=name, driver="GPKG", index=False)
    aside.replace(target)
    return target


def _layers(streets: Streets) -> dict[str, GeoDataFrame]:
    """Lay streets, barriers, gates and water out as tables, degrees; layers without a row are left out."""
    import geopandas as gpd

    found = {"streets": _ways_table(streets)}
    known = streets.barriers
    if known is not None:
        found["barriers"] = _barrier_table(known)
        at = gpd.points_from_xy(known.gate_lon, known.gate_lat)
        found["gates"] = gpd.GeoDataFrame({"within_m": known.gate_m, "own": known.gate_own}, geometry=at, crs="EPSG:4326")
    found["water"] = streets.water_areas("EPSG:4326").to_frame("geometry")
    return {name: table for name, table in found.items() if len(table)}


def _ways_table(streets: Streets) -> GeoDataFrame:
    """The ways as lines with the tags that say how they were read, and their nodes."""
    import geopandas as gpd
    import pandas as pd

    told = [_tags({str(name): value for name, value in row.items()}) for row in streets.ways.to_dict("records")]
    bits = streets.node_bits if streets.node_bits is not None else np.zeros(len(streets.node_id), dtype=np.uint8)
    lines, ids, marks = [], [], []
    for (turned, _), start, stop in zip(told, streets.way_ptr[:-1].tolist(), streets.way_ptr[1:].tolist(), strict=True):
        nodes = streets.way_node[start:stop][:: -1 if turned else 1]
        lines.append(np.column_stack([streets.lon[nodes], streets.lat[nodes]]))
        ids.append(" ".join(map(str, streets.node_id[nodes].tolist())))
        marks.append(" ".join(map(str, bits[nodes].tolist())) if bits[nodes].any() else "")
    table = pd.DataFrame([{key: _said(value) for key, value in tags.items()} for _, tags in told]).fillna("")
    table["node_ids"], table["node_bits"] = ids, marks
    return gpd.GeoDataFrame(table, geometry=[_line(xy) for xy in lines], crs="EPSG:4326")


def _line(xy: NDArray[np.float64]) -> shapely.LineString:
    import shapely

    return shapely.LineString(xy)


def _said(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _barrier_table(known: Barriers) -> GeoDataFrame:
    import geopandas as gpd
    import shapely

    line = np.repeat(np.arange(len(known.kind)), np.diff(known.ptr))
    shapes = shapely.linestrings(np.column_stack([known.lon, known.lat]), indices=line) if len(line) else []
    kinds = [KINDS[kind] for kind in known.kind.tolist()]
    return gpd.GeoDataFrame({"type": kinds}, geometry=shapes, crs="EPSG:4326")


def streets_graph(streets: Streets) -> nx.MultiDiGraph:
    """Draw the streets as a graph as OSMnx does: an edge from junction to junction, along the drawing direction."""
    import networkx as nx
    import shapely

    graph = nx.MultiDiGraph(crs="epsg:4326")
    if ground := ground_text(streets):
        graph.graph[KEY] = ground
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
