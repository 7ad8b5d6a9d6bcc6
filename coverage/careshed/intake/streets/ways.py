"""Gather ways one by one and turn them into arrays, cut where a barrier stops people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from careshed.intake.streets.model import Streets
from careshed.intake.streets.walking import RANK, walkable
from careshed.schema import Checked, Fault, InputError, file_label


class WayList:
    """Ways gathered one by one, before they become arrays."""

    def __init__(self) -> None:
        self.position: dict[int, int] = {}
        self.lon: list[float] = []
        self.lat: list[float] = []
        self.way_id: list[int] = []
        self.way_ptr: list[int] = [0]
        self.way_node: list[int] = []
        self.tags: list[dict[str, str]] = []
        self.structure: list[tuple[bool, bool]] = []
        self.water: list[tuple[tuple[float, float], ...]] = []
        self.short = 0
        self.single = 0

    def add_water(self, outline: list[tuple[float, float]]) -> None:
        """Keep an area of water; lines and outlines of fewer than three corners are none."""
        if len(outline) > 3 and outline[0] == outline[-1]:
            self.water.append(tuple(outline))

    def add(
        self,
        way_id: int,
        nodes: Sequence[tuple[int, float, float]],
        tags: dict[str, str],
        structure: tuple[bool, bool] = (False, False),
    ) -> None:
        if len(nodes) < 2:
            self.single += 1
            return
        position, lon, lat, way_node = self.position, self.lon, self.lat, self.way_node
        for ref, x, y in nodes:
            at = position.get(ref)
            if at is None:
                at = position[ref] = len(lon)
                lon.append(x)
                lat.append(y)
            way_node.append(at)
        self.way_id.append(way_id)
        self.way_ptr.append(len(way_node))
        self.tags.append(tags)
        self.structure.append(structure)


def finish(ways: WayList, barriers: set[int], skipped: Counter[str], label: str) -> Checked[Streets]:
    """Turn gathered ways into arrays, with what was left out told."""
    import pandas as pd

    if not ways.way_id and ways.short:
        raise bad(
            Path(label),
            "no_coordinates",
            "道路的点在文件中都没有坐标",
            "no node of the streets has coordinates in the file",
            "点须排在道路之前，且编号为正；可用 osmium sort 或 osmium renumber 处理",
            "nodes must come before ways and have positive ids; osmium sort and osmium renumber do this",
        )
    if not ways.way_id:
        raise bad(
            Path(label),
            "empty",
            "文件中没有任何街道",
            "the file holds no street",
            "请核对是否选错文件",
            "check that it is the right file",
        )
    walks = np.array([walkable(tags) for tags in ways.tags], dtype=bool).reshape(-1, 2)
    table = pd.DataFrame(
        {
            "highway": [tags["highway"] for tags in ways.tags],
            "name": [tags.get("name", "") for tags in ways.tags],
            "walk_forward": walks[:, 0],
            "walk_backward": walks[:, 1],
            "steps": [tags["highway"] == "steps" for tags in ways.tags],
            "bridge": [bridge for bridge, _ in ways.structure],
            "tunnel": [tunnel for _, tunnel in ways.structure],
            "rank": [RANK[tags["highway"]] for tags in ways.tags],
        },
        index=pd.Index(ways.way_id, name="way_id"),
    )
    node_id = np.fromiter(ways.position, dtype=np.int64, count=len(ways.position))
    streets = Streets(
        node_id=node_id,
        lon=np.array(ways.lon),
        lat=np.array(ways.lat),
        ways=table,
        way_ptr=np.array(ways.way_ptr, dtype=np.int64),
        way_node=np.array(ways.way_node, dtype=np.int32),
        source=label,
        water=tuple(ways.water),
    )
    cut, gates = _cut_at(streets, barriers)
    return Checked(cut, tuple(_told(cut, ways, skipped, gates, label)))


def _cut_at(streets: Streets, barriers: set[int]) -> tuple[Streets, int]:
    """Part the ways at nodes that stop people: each way gets an end of its own there."""
    from dataclasses import replace

    shut = np.isin(streets.node_id, np.fromiter(barriers, dtype=np.int64, count=len(barriers)))
    at = np.flatnonzero(shut[streets.way_node])
    if not len(at):
        return streets, 0
    starts, ends = streets.way_ptr[:-1], streets.way_ptr[1:] - 1
    inner = at[~np.isin(at, np.concatenate([starts, ends]))]
    copied = np.insert(streets.way_node, inner, streets.way_node[inner])
    shift = np.searchsorted(inner, np.arange(len(streets.way_node)), side="left")
    first = np.concatenate([starts + shift[starts], inner + np.arange(len(inner)) + 1])
    order = np.argsort(first, kind="stable")
    owner = np.concatenate([np.arange(len(starts)), np.searchsorted(streets.way_ptr, inner, side="right") - 1])[order]
    ptr = np.append(first[order], len(copied))
    loose = np.flatnonzero(shut[copied])
    fresh = len(streets.node_id) + np.arange(len(loose))
    original = copied[loose]
    copied = copied.copy()
    copied[loose] = fresh
    lowest = min(0, int(streets.node_id.min()))
    return (
        replace(
            streets,
            node_id=np.concatenate([streets.node_id, lowest - 1 - np.arange(len(loose))]),
            lon=np.concatenate([streets.lon, streets.lon[original]]),
            lat=np.concatenate([streets.lat, streets.lat[original]]),
            ways=streets.ways.iloc[owner],
            way_ptr=ptr.astype(np.int64),
            way_node=copied.astype(np.int32),
        ),
        len(np.unique(original)),
    )


def _told(streets: Streets, ways: WayList, skipped: Counter[str], gates: int, label: str) -> Iterator[Fault]:
    """Say what was left out on the way in."""
    shut = int((~(streets.ways["walk_forward"] | streets.ways["walk_backward"])).sum())
    told = [
        (
            gates,
            "gates_shut",
            "noted",
            f"{gates} 处门或墙阻断步行，道路在此断开",
            f"{gates} gates or walls stop walkers; streets are cut there",
        ),
        (
            shut,
            "not_walkable",
            "noted",
            f"{shut} 条道路不允许步行，未用于步行",
            f"{shut} ways may not be walked and are not used on foot",
        ),
        (
            ways.single,
            "single_node",
            "dropped",
            f"{ways.single} 条道路不足两个点",
            f"{ways.single} ways with fewer than two nodes",
        ),
        (
            ways.short,
            "node_missing",
            "dropped",
            f"{ways.short} 个道路点在文件中没有坐标",
            f"{ways.short} nodes of ways have no coordinates in the file",
        ),
    ]
    for count, code, severity, zh, en in told:
        if count:
            yield Fault(code, label, zh, en, severity=severity)  # type: ignore[arg-type]
    if skipped:
        classes = ", ".join(f"{name} {count}" for name, count in sorted(skipped.items()))
        yield Fault(
            "not_a_street",
            label,
            f"{sum(skipped.values())} 条路线不是街道，未采用",
            f"{sum(skipped.values())} ways are no streets and are left out",
            found=classes,
            severity="dropped",
        )


def bad(path: Path, code: str, zh: str, en: str, cure_zh: str = "", cure_en: str = "", found: str = "") -> InputError:
    return InputError([Fault(code, file_label(path), zh, en, cure_zh, cure_en, found=found)])
