"""Put travel costs of several modes into one matrix: each cell by the mode of its people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from careshed.modes import Kind, Mode
from careshed.reach.times import TravelTimes

if TYPE_CHECKING:
    from collections.abc import Mapping


def mix_times(parts: Sequence[TravelTimes], which: NDArray[np.int64]) -> TravelTimes:
    """Take every cell's costs from the mode by which its people travel.

    Parameters
    ----------
    parts
        One matrix a mode, of the same facilities and cells, metric, limit and direction.
    which
        Part that each cell goes by, shape (cells,).

    Returns
    -------
    TravelTimes
        Its mode names all of them. A facility is at fault only where no mode can join it.

    Raises
    ------
    ValueError
        If the parts do not fit each other or `which`.

    >>> import geopandas as gpd, pandas as pd
    >>> from careshed.modes import CAR, WALK_OLDER
    >>> spot = gpd.GeoDataFrame(geometry=gpd.points_from_xy([0], [0]), index=["a"], crs="EPSG:32651")
    >>> def made(mode, *minutes):
    ...     cost = np.array(minutes) * 60_000
    ...     return TravelTimes(spot, pd.RangeIndex(2), np.array([0, 2]), np.array([0, 1], np.int32), cost.astype(np.uint32),
    ...                        cost, np.zeros(2, np.int32), np.array(["", ""]), np.array([""]), "time", 3_600_000,
    ...                        "to_facility", mode, 150.0)
    >>> mixed = mix_times([made(WALK_OLDER, 10, 50), made(CAR, 2, 9)], np.array([0, 1]))
    >>> (mixed.nearest_cost / 60_000).tolist(), mixed.mode.en
    ([10.0, 9.0], 'older adult on foot / car')
    """
    first = parts[0]
    _check(parts, which)
    count = len(first.facilities)
    kept = [which[part.indices] == at for at, part in enumerate(parts)]
    row = np.concatenate([np.repeat(np.arange(count), np.diff(part.indptr))[own] for part, own in zip(parts, kept, strict=True)])
    cell = np.concatenate([part.indices[own] for part, own in zip(parts, kept, strict=True)])
    cost = np.concatenate([part.cost[own] for part, own in zip(parts, kept, strict=True)])
    order = np.lexsort((cell, row))
    at, faults = np.arange(len(which)), np.stack([part.facility_fault for part in parts])
    return replace(
        first,
        indptr=np.concatenate([[0], np.cumsum(np.bincount(row, minlength=count))]).astype(np.int64),
        indices=cell[order].astype(np.int32),
        cost=cost[order],
        nearest_cost=np.stack([part.nearest_cost for part in parts])[which, at],
        nearest_facility=np.stack([part.nearest_facility for part in parts])[which, at],
        cell_fault=np.stack([part.cell_fault for part in parts])[which, at],
        facility_fault=np.where((faults == "").any(axis=0), "", faults[0]),
        mode=mixed_mode([part.mode for part in parts]),
    )


def mixed_mode(modes: Sequence[Mode], scopes: Mapping[str, tuple[str, str]] | None = None) -> Mode:
    """Name several modes as one, for outputs that say how people travel; its own figures are those of the first.

    Parameters
    ----------
    scopes
        Name of a mode -> whom it is for, Chinese and English.
    """
    for_whom = scopes or {}
    zh = [f"{mode.zh}（{for_whom[mode.name][0]}）" if mode.name in for_whom else mode.zh for mode in modes]
    en = [f"{mode.en} ({for_whom[mode.name][1]})" if mode.name in for_whom else mode.en for mode in modes]
    faster: Kind = next((mode.kind for mode in modes if mode.kind != "foot"), "foot")
    return replace(
        modes[0],
        name="+".join(mode.name for mode in modes),
        zh="／".join(zh),
        en=" / ".join(en),
        source="; ".join(f"{mode.en}: {mode.source}" for mode in modes),
        source_zh="；".join(f"{mode.zh}：{mode.source_zh or mode.source}" for mode in modes),
        kind=faster,
        parts=tuple(modes),
    )


def _check(parts: Sequence[TravelTimes], which: NDArray[np.int64]) -> None:
    first = parts[0]
    for part in parts[1:]:
        same = part.facilities.index.equals(first.facilities.index) and part.cell_ids.equals(first.cell_ids)
        if not same or (part.metric, part.limit, part.direction) != (first.metric, first.limit, first.direction):
            raise ValueError("the matrices to be mixed differ in facilities, cells, metric, limit or direction")
    if which.shape != (len(first.cell_ids),) or (len(which) and not 0 <= int(which.min()) <= int(which.max()) < len(parts)):
        raise ValueError(f"every one of {len(first.cell_ids)} cells must name one of {len(parts)} matrices")
