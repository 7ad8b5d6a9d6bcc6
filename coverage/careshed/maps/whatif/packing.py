"""Pack people and travel costs so that a page can count exactly what Python counts."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from careshed.access import NEIGHBOURS, cell_spacing
from careshed.maps.encode import packed
from careshed.maps.facts import MS_PER_MINUTE

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.reach import TravelTimes

MOST_LIMITS: Final = 240
"""Limits a page may offer: the page holds the place of a limit in one byte."""

SCALES: Final = (1, 10, 100, 1000, 10_000, 1_000_000)
"""Parts of a person that counts are tried to be whole numbers of."""


def offered_limits(minutes: Sequence[float], stored: int) -> list[float]:
    """List the limits a page can count exactly: every whole minute, those of the service, and the largest searched.

    Parameters
    ----------
    minutes
        Limits that must be among them, where travel was searched so far.
    stored
        Largest cost searched, milliseconds.

    >>> offered_limits([2.5, 4, 30], 240_000)
    [1.0, 2.0, 2.5, 3.0, 4.0]
    """
    whole = int(stored // MS_PER_MINUTE)
    step = max(-(-whole // (MOST_LIMITS // 2)), 1)
    wanted = {float(minute) for minute in range(step, whole + 1, step)} | {float(minute) for minute in minutes}
    kept = sorted(minute for minute in wanted if 0 < round(minute * MS_PER_MINUTE) <= stored)
    return kept or [stored / MS_PER_MINUTE]


def limit_classes(cost: NDArray[np.uint32], limits: Sequence[float]) -> NDArray[np.int64]:
    """Give the place of the smallest limit that each cost is within (≤); as many as there are limits where it is within none.

    A cost is within a limit exactly where its class is at most the limit's place: nothing is lost for the limits offered.

    >>> limit_classes(np.array([0, 60_000, 60_001, 120_001], np.uint32), [1, 2])
    array([0, 0, 1, 2])
    """
    ends = np.array([round(minutes * MS_PER_MINUTE) for minutes in limits], dtype=np.int64)
    return np.searchsorted(ends, cost.astype(np.int64), side="left")


def packed_pairs(matrices: Sequence[TravelTimes], limits: Sequence[float]) -> dict[str, str]:
    """Pack who reaches which site: ``n`` pairs of each site, ``d`` steps from cell to cell, ``c`` the class of each pair."""
    counts, steps, classes = [], [], []
    for times in matrices:
        kind = limit_classes(times.cost, limits)
        kept = kind < len(limits)
        row = np.repeat(np.arange(len(times.facilities)), np.diff(times.indptr))[kept]
        cell = times.indices[kept].astype(np.int64)
        first = np.ones(len(cell), dtype=bool)
        first[1:] = row[1:] != row[:-1]
        counts.append(np.bincount(row, minlength=len(times.facilities)).astype(np.int64))
        steps.append(np.where(first, cell, np.diff(cell, prepend=np.int64(0))))
        classes.append(kind[kept])
    joint = [np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64) for parts in (counts, steps, classes)]
    return {"n": packed(joint[0]), "d": packed(joint[1]), "c": packed(joint[2])}


def _bytes(values: NDArray[np.generic]) -> str:
    return base64.b64encode(values.tobytes()).decode("ascii")


def packed_people(people: NDArray[np.float64]) -> dict[str, object]:
    """Pack people so that the page reads the very same numbers: in the smallest form from which every bit comes back.

    Whole parts of a person (``scale`` of them), single or double precision, whichever fits exactly.

    >>> packed_people(np.array([0.5, 3.0]))["scale"]
    10
    >>> packed_people(np.array([0.1, 1 / 3]))["kind"]
    'f8'
    """
    found: list[dict[str, object]] = []
    for scale in SCALES:
        parts = np.rint(people * scale)
        if np.array_equal(parts / scale, people) and float(np.max(parts, initial=0.0)) < 2**31:
            found.append({"kind": "parts", "scale": scale, "d": packed(parts.astype(np.int64))})
            break
    single = people.astype("<f4")
    if np.array_equal(single.astype(np.float64), people):
        found.append({"kind": "f4", "d": _bytes(single)})
    found.append({"kind": "f8", "d": _bytes(people.astype("<f8"))})
    return min(found, key=lambda one: len(str(one["d"])))


def packed_neighbours(cells: GeoDataFrame) -> dict[str, str]:
    """Pack which cells are neighbours, as gaps are gathered: ``n`` later neighbours of each cell, ``d`` how far on they stand."""
    from scipy.spatial import cKDTree

    from careshed.access import GROUND_M, _on_grid

    spacing, gridded = cell_spacing(cells), _on_grid(cells)
    within = spacing * NEIGHBOURS if gridded else max(GROUND_M, spacing * NEIGHBOURS)
    xy = np.column_stack([cells.geometry.x, cells.geometry.y])
    pairs = cKDTree(xy).query_pairs(within, p=2.0 if gridded else np.inf, output_type="ndarray").astype(np.int64)
    pairs = np.sort(pairs.reshape(-1, 2), axis=1)
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    counts = np.bincount(pairs[:, 0], minlength=len(cells)).astype(np.int64)
    return {"n": packed(counts), "d": packed(pairs[:, 1] - pairs[:, 0])}


def islet_groups(times: TravelTimes, options: TravelTimes) -> tuple[NDArray[np.int64], list[list[int]]]:
    """Say which cells cannot be judged, and by which sites they could be.

    A cell on an islet of streets can be judged once a site stands on its islet. Cells and sites belong to one islet where travel
    times join them.

    Returns
    -------
    tuple
        Per cell 0 (judged), 1 (cannot be judged) or 2 + the place of its group; the sites of each group, facilities first and
        then candidates, as their places among all sites.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    today, then = np.asarray(times.cell_fault), np.asarray(options.cell_fault)
    opened, shut = (today == "islet") & (then == ""), (today == "") & (then == "islet")
    code = np.where((today != "") & (then != ""), 1, np.where(today != "", 1, 0)).astype(np.int64)
    at, site = [], []
    for matrix, mine, before in ((times, shut, 0), (options, opened, len(times.facilities))):
        row = np.repeat(np.arange(len(matrix.facilities)), np.diff(matrix.indptr)) + before
        kept = mine[matrix.indices]
        near = np.flatnonzero(mine & (matrix.nearest_facility >= 0))
        at += [matrix.indices[kept].astype(np.int64), near]
        site += [row[kept], matrix.nearest_facility[near].astype(np.int64) + before]
    cell_of, site_of = np.concatenate(at), np.concatenate(site)
    if not len(cell_of):
        return code, []
    cells, size = len(today), len(today) + len(times.facilities) + len(options.facilities)
    graph = coo_array((np.ones(len(cell_of), dtype=np.int8), (cell_of, site_of + cells)), shape=(size, size))
    label = connected_components(graph.tocsr(), directed=False)[1]
    kinds, group = np.unique(label[np.unique(cell_of)], return_inverse=True)
    code[np.unique(cell_of)] = 2 + group
    places = np.unique(site_of)
    return code, [[int(one) for one in places[label[cells + places] == kind]] for kind in kinds]
