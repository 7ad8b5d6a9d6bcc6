"""Part ways at nodes that stop travel."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from careshed.intake.streets.model import Streets


class Parted(NamedTuple):
    """Streets parted at some nodes."""

    streets: Streets
    owner: NDArray[np.int64]
    """The way before parting that each way was part of, shape (ways,)."""
    nodes: int
    """How many nodes were parted."""


def part_at(streets: Streets, shut: NDArray[np.bool_]) -> Parted:
    """Part the ways at nodes that stop travel, shape (nodes,): each way gets an end of its own there."""
    at = np.flatnonzero(shut[streets.way_node])
    if not len(at):
        return Parted(streets, np.arange(len(streets.ways)), 0)
    starts, ends = streets.way_ptr[:-1], streets.way_ptr[1:] - 1
    tip = np.zeros(len(streets.way_node), dtype=bool)
    tip[starts] = tip[ends] = True
    inner = at[~tip[at]]
    copied = np.insert(streets.way_node, inner, streets.way_node[inner])
    first = np.concatenate([starts + np.searchsorted(inner, starts, side="left"), inner + np.arange(len(inner)) + 1])
    order = np.argsort(first, kind="stable")
    owner = np.concatenate([np.arange(len(starts)), np.searchsorted(streets.way_ptr, inner, side="right") - 1])[order]
    ptr = np.append(first[order], len(copied))
    loose = np.flatnonzero(shut[copied])
    fresh = len(streets.node_id) + np.arange(len(loose))
    original = copied[loose]
    copied = copied.copy()
    copied[loose] = fresh
    lowest = min(0, int(streets.node_id.min()))
    return Parted(
        replace(
            streets,
            node_id=np.concatenate([streets.node_id, lowest - 1 - np.arange(len(loose))]),
            lon=np.concatenate([streets.lon, streets.lon[original]]),
            lat=np.concatenate([streets.lat, streets.lat[original]]),
            node_bits=None if streets.node_bits is None else np.concatenate([streets.node_bits, streets.node_bits[original]]),
            ways=streets.ways.iloc[owner],
            way_ptr=ptr.astype(np.int64),
            way_node=copied.astype(np.int32),
        ),
        owner,
        len(np.unique(original)),
    )
