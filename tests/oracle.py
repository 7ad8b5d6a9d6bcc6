"""Compute the slow, independent answers that the tests compare with."""

from __future__ import annotations

import networkx as nx
import numpy as np

from careshed.network import Attached, Network


def split_graph(network: Network, metric: str, **ends: Attached) -> nx.MultiDiGraph:
    """Build a graph whose edges are split wherever a place joins; pieces cost the difference of the integer offsets.

    Nodes are ``("node", n)``, ``("on", edge, f, b)`` and ``(end, place)``; legs join places to their foot points both ways.
    """
    costs = network.costs(metric)
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(("node", n) for n in range(len(network.x)))
    stops: dict[int, set[tuple[int, int]]] = {}
    for name, attached in ends.items():
        f, b, leg = attached.offsets(network, metric)
        graph.add_nodes_from((name, place) for place in range(attached.places))
        for option in range(len(attached.place)):
            edge, at = int(attached.edge[option]), (int(f[option]), int(b[option]))
            stops.setdefault(edge, set()).add(at)
            foot, place = ("on", edge, *at), (name, int(attached.place[option]))
            graph.add_edge(place, foot, cost=int(leg[option]))
            graph.add_edge(foot, place, cost=int(leg[option]))
    for edge in range(len(network.edge_u)):
        whole = (int(costs.edge_f[edge]), int(costs.edge_b[edge]))
        inner = [(("on", edge, *at), at) for at in sorted(stops.get(edge, ()))]
        chain = [(("node", int(network.edge_u[edge])), (0, 0)), *inner, (("node", int(network.edge_v[edge])), whole)]
        for (start, (f0, b0)), (end, (f1, b1)) in zip(chain[:-1], chain[1:], strict=True):
            at_end = (start[0] == "on") != (end[0] == "on")  # a foot point at an end is that junction
            if network.forward[edge] or (at_end and f1 == f0):
                graph.add_edge(start, end, cost=f1 - f0)
            if network.backward[edge] or (at_end and b1 == b0):
                graph.add_edge(end, start, cost=b1 - b0)
    return graph


def travel_costs(
    network: Network,
    sources: Attached,
    targets: Attached,
    *,
    metric: str,
    towards: bool,
    rows: list[int] | None = None,
    limit: int | None = None,
) -> np.ndarray:
    """Costs of every source (or of `rows`) × target by NetworkX, −1 where there is no way or it is beyond `limit`."""
    graph = split_graph(network, metric, source=sources, target=targets)
    if towards:
        graph = graph.reverse(copy=False)
    rows = list(range(sources.places)) if rows is None else rows
    found = np.full((len(rows), targets.places), -1, dtype=np.int64)
    for at, row in enumerate(rows):
        costs = nx.single_source_dijkstra_path_length(
            _without_shortcuts(graph, row), ("source", row), cutoff=limit, weight="cost"
        )
        for (kind, *rest), cost in costs.items():
            if kind == "target":
                found[at, rest[0]] = cost
    return found


def _without_shortcuts(graph: nx.MultiDiGraph, row: int) -> nx.MultiDiGraph:
    """Hide the places a journey must not pass through: any source but this one, and out of any target."""

    def passable(start: tuple, end: tuple, _key: int) -> bool:
        return start[0] != "target" and end[0] != "source" and (start[0] != "source" or start[1] == row)

    return nx.subgraph_view(graph, filter_edge=passable)
