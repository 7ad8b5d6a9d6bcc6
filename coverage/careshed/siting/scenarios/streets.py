"""Change a network for a scenario: another speed, paths taken out, links added."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from careshed.network import Costs, Network, build_network
from careshed.siting.scenarios.faults import refuse, wrong
from careshed.siting.scenarios.inputs import Paths, Speed

if TYPE_CHECKING:
    from careshed.intake.streets import Streets
    from careshed.modes import Mode

Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class Routing:
    """What it takes to find travel costs anew: the network they came from and the streets it was built of."""

    network: Network
    streets: Streets
    build: Callable[[Mode], Network] | None = None
    """How to build the network for another speed; needed where it was built with an elevation model. None: from the streets."""
    threads: int | None = None
    """Threads of the search; the answer is the same with any number."""


def mode_at(mode: Mode, speed: Speed) -> Mode:
    """The mode with a scenario's speeds; seconds at crossings stay as they are."""
    factor = speed.factor
    steps = mode.steps_factor if speed.steps_factor is None else speed.steps_factor
    return replace(
        mode,
        speed_kmh=mode.speed_kmh * factor,
        leg_speed_kmh=mode.leg_speed_kmh * (factor if speed.leg_factor is None else speed.leg_factor),
        steps_factor=steps,
        speeds_kmh=tuple((highway, own * factor) for highway, own in mode.speeds_kmh),
        maxspeed_share=None if mode.maxspeed_share is None else mode.maxspeed_share * factor,
    )


def changed_network(routing: Routing, speed: Speed, paths: Paths) -> Network:
    """Build the network of a scenario: speeds first, then paths taken out, then links added.

    Edges that are taken out are gone: places that joined them join the next street.

    Raises
    ------
    careshed.schema.InputError
        If no way is of a class named, nothing would be left, or a link's end lies beyond the snap limit of every junction.
    """
    network = routing.network
    if speed.changes:
        network = _rebuilt(routing, mode_at(network.mode, speed))
    if paths.missing_share:
        network = _without(network, routing.streets, paths)
    return _linked(network, paths) if paths.links else network


def _rebuilt(routing: Routing, mode: Mode) -> Network:
    """The network for another speed; streets alone do not know the slopes it was built with."""
    network = routing.network
    if routing.build is not None:
        return routing.build(mode)
    if vars(mode).get("hills", "none") != "none":
        zh, en = "路网按高程计算坡度，仅凭街道无法重建", "the network was built with slopes, which streets alone do not tell"
        cure = ("请给出 Routing(..., build=...)。", "Give Routing(..., build=...).")
        refuse([wrong("slopes", zh, en, *cure, found=mode.name)])
    return build_network(routing.streets, mode=mode, crs=network.crs, snap_m=network.snap_m)


def _without(network: Network, streets: Streets, paths: Paths) -> Network:
    kinds = streets.ways["highway"].astype(str).to_numpy()
    named = sorted(set(paths.classes) & set(kinds[network.edge_way]))
    if not named:
        known = ", ".join(sorted(set(kinds[network.edge_way])))
        zh, en = "路网中没有所指类别的道路", "the network has no way of the classes said to be missing"
        refuse([wrong("no_such_class", zh, en, f"现有：{known}。", f"It has: {known}.", found=", ".join(paths.classes))])
    soft = np.isin(kinds[network.edge_way], paths.classes)
    gone = soft & (np.random.default_rng(paths.seed).random(len(soft)) < paths.missing_share)
    if gone.all():
        zh, en = "去掉缺失道路后路网为空", "without the missing paths there is no street left"
        refuse([wrong("no_street_left", zh, en, "请减小缺失比例。", "Lower the share.", found=f"{paths.missing_share:g}")])
    return _kept(network, ~gone)


def _kept(network: Network, edges: Bool) -> Network:
    """Leave only some edges, and count the connected parts anew."""
    sizes = np.diff(network.vertex_ptr)
    vertices = np.repeat(edges, sizes)
    ptr = np.concatenate([[0], np.cumsum(sizes[edges])]).astype(np.int64)

    def cut(costs: Costs) -> Costs:
        parts = costs.vertex_f[vertices], costs.vertex_b[vertices], costs.edge_f[edges], costs.edge_b[edges]
        return Costs(*parts, costs.per_metre)

    return _rejoined(
        replace(
            network,
            edge_u=network.edge_u[edges],
            edge_v=network.edge_v[edges],
            edge_way=network.edge_way[edges],
            forward=network.forward[edges],
            backward=network.backward[edges],
            vertex_ptr=ptr,
            vertex_x=network.vertex_x[vertices],
            vertex_y=network.vertex_y[vertices],
            time=cut(network.time),
            length=cut(network.length),
            _made={},
        )
    )


def _rejoined(network: Network) -> Network:
    """Number the connected parts anew, the longest first."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    nodes, u, v = len(network.x), network.edge_u, network.edge_v
    joined = coo_array((np.ones(len(u), dtype=np.int8), (u, v)), shape=(nodes, nodes))
    count, label = connected_components(joined.tocsr(), directed=False)
    metres = np.bincount(label[u], weights=network.edge_m, minlength=count)
    order = np.argsort(-metres, kind="stable")
    rank = np.empty(count, dtype=np.int32)
    rank[order] = np.arange(count, dtype=np.int32)
    return replace(network, component=rank[label], component_m=np.asarray(metres[order], dtype=np.float64), _made={})


def _linked(network: Network, paths: Paths) -> Network:
    """Add straight two-way links between the junctions nearest to their ends."""
    ends = np.array(paths.links, dtype=np.float64).reshape(-1, 2)
    away = np.hypot(network.x[None, :] - ends[:, :1], network.y[None, :] - ends[:, 1:])
    node = away.argmin(axis=1)
    far = [f"{x:g}, {y:g}" for (x, y), metres in zip(ends, away.min(axis=1), strict=True) if metres > network.snap_m]
    zh, en = "新增连接的端点附近没有路口", "no junction lies within the snap limit of a link's end"
    refuse([wrong("loose_link", zh, en, "请核对坐标。", "Check its coordinates.", found=one) for one in far])
    u, v = node[::2].astype(np.int32), node[1::2].astype(np.int32)
    metres = np.hypot(network.x[u] - network.x[v], network.y[u] - network.y[v])
    both = np.ones(len(u), dtype=np.bool_)
    return _rejoined(
        replace(
            network,
            edge_u=np.concatenate([network.edge_u, u]),
            edge_v=np.concatenate([network.edge_v, v]),
            edge_way=np.concatenate([network.edge_way, np.full(len(u), -1, dtype=np.int32)]),
            forward=np.concatenate([network.forward, both]),
            backward=np.concatenate([network.backward, both]),
            vertex_ptr=np.concatenate([network.vertex_ptr, network.vertex_ptr[-1] + 2 * np.arange(1, len(u) + 1)]),
            vertex_x=np.concatenate([network.vertex_x, network.x[np.column_stack([u, v]).ravel()]]),
            vertex_y=np.concatenate([network.vertex_y, network.y[np.column_stack([u, v]).ravel()]]),
            time=_longer(network.time, metres * 3600.0 / network.mode.speed_kmh),
            length=_longer(network.length, metres * 1000.0),
            _made={},
        )
    )


def _longer(costs: Costs, more: NDArray[np.float64]) -> Costs:
    whole = np.rint(more).astype(np.uint32)
    offsets = np.column_stack([np.zeros_like(whole), whole]).ravel()
    return Costs(
        np.concatenate([costs.vertex_f, offsets]),
        np.concatenate([costs.vertex_b, offsets]),
        np.concatenate([costs.edge_f, whole]),
        np.concatenate([costs.edge_b, whole]),
        costs.per_metre,
    )
