"""Gather ways one by one and turn them into arrays, cut where a barrier stops people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from careshed.intake.streets.barriers import BarrierList
from careshed.intake.streets.model import Streets
from careshed.intake.streets.parting import part_at
from careshed.intake.streets.tagging import way_table
from careshed.schema import Checked, Fault, InputError, file_label

if TYPE_CHECKING:
    import pandas as pd


class Drawn(NamedTuple):
    """Ways as arrays, with what their tags mean."""

    node_id: NDArray[np.int64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    table: pd.DataFrame
    """As `Streets.ways`."""
    way_ptr: NDArray[np.int64]
    way_node: NDArray[np.int32]
    unread: Counter[tuple[str, str]]
    """Texts of tags that could not be read, by key and text."""


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
        self.bits: dict[int, int] = {}
        """Node id -> what the node does to traffic."""
        self.water: list[tuple[tuple[float, float], ...]] = []
        self.islands: list[tuple[int, tuple[tuple[float, float], ...]]] = []
        """Land in water: the place of the outline in `water`, and the outline of the land."""
        self.broken: list[int] = []
        """Relations of which the file does not hold all."""
        self.barriers = BarrierList()
        self.short = 0
        self.single = 0
        self.bulk: Drawn | None = None
        """Ways that came as arrays, in place of those added one by one."""

    def add_water(self, outline: list[tuple[float, float]]) -> None:
        """Keep an area of water; lines and outlines of fewer than three corners are none."""
        if len(outline) > 3 and outline[0] == outline[-1]:
            self.water.append(tuple(outline))

    def add(self, way_id: int, nodes: Sequence[tuple[int, float, float]], tags: dict[str, str]) -> None:
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

    def drawn(self) -> Drawn:
        """Turn the ways into arrays and read their tags."""
        if self.bulk is not None:
            return self.bulk
        table, unread = way_table(self.way_id, self.tags)
        return Drawn(
            np.fromiter(self.position, dtype=np.int64, count=len(self.position)), np.array(self.lon), np.array(self.lat),
            table, np.array(self.way_ptr, dtype=np.int64), np.array(self.way_node, dtype=np.int32), unread,
        )  # fmt: skip


def finish(ways: WayList, barriers: set[int], skipped: Counter[str], label: str) -> Checked[Streets]:
    """Turn gathered ways into arrays, with what was left out told."""

    drawn = ways.drawn() if ways.way_id or ways.bulk is not None else None
    if drawn is None and ways.short:
        raise bad(
            Path(label),
            "no_coordinates",
            "道路的点在文件中都没有坐标",
            "no node of the streets has coordinates in the file",
            "点须排在道路之前，且编号为正；可用 osmium sort 或 osmium renumber 处理",
            "nodes must come before ways and have positive ids; osmium sort and osmium renumber do this",
        )
    if drawn is None:
        raise bad(
            Path(label),
            "empty",
            "文件中没有任何街道",
            "the file holds no street",
            "请核对是否选错文件",
            "check that it is the right file",
        )
    bits = np.zeros(len(drawn.node_id), dtype=np.uint8)
    at, which = _positions(drawn.node_id, list(ways.bits))
    bits[at] = np.array(list(ways.bits.values()), dtype=np.uint8)[which]
    streets = Streets(
        node_id=drawn.node_id,
        lon=drawn.lon,
        lat=drawn.lat,
        ways=drawn.table,
        way_ptr=drawn.way_ptr,
        way_node=drawn.way_node,
        source=label,
        node_bits=bits,
        water=tuple(ways.water),
        islands=tuple(ways.islands),
        barriers=ways.barriers.barriers(),
    )
    shut = np.zeros(len(bits), dtype=bool)
    shut[_positions(drawn.node_id, sorted(barriers))[0]] = True
    cut, _, gates = part_at(streets, shut)
    return Checked(cut, (*_told(cut, ways, skipped, gates, label), *_unread(drawn.unread, label)))


def _positions(node_id: NDArray[np.int64], wanted: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find some nodes among all: positions of those that are there, and which of the wanted each is."""
    import pandas as pd

    found = pd.Index(np.array(wanted, dtype=np.int64)).get_indexer(pd.Index(node_id))
    at = np.flatnonzero(found >= 0)
    return at, found[at]


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
    if ways.broken:
        yield _broken(ways.broken, label)
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


def _broken(relations: Sequence[int], label: str) -> Fault:
    """Tell the water and walls of whose outline the file holds a part."""
    listed = ", ".join(map(str, relations[:12])) + (" …" if len(relations) > 12 else "")
    count = len(relations)
    return Fault(
        "relation_incomplete",
        label,
        f"{count} 处水面或围墙（关系）的边界不完整，按文件中已有部分作为屏障，未闭合的不绘为水面",
        f"{count} waters or walls mapped as relations are not whole in the file: what is there is a barrier, "
        "outlines that do not close are not drawn",
        "请导出更大的范围，或用 osmium extract -s smart 补全关系。",
        "Export a larger area, or complete relations with osmium extract -s smart.",
        found=listed,
        severity="noted",
    )


def _unread(unread: Counter[tuple[str, str]], label: str) -> Iterator[Fault]:
    """Tell the tags whose text could not be read, each key once with its texts."""
    cure = ("如需采用，请改为数字，如 50、30 mph 或 8%。", "Write a figure such as 50, 30 mph or 8% where it matters.")
    then = {"maxspeed": ("按道路等级计速", "the class of street decides"), "incline": ("按未知处理", "it counts as unknown")}
    for key in sorted({key for key, _ in unread}):
        texts = {text: count for (one, text), count in sorted(unread.items()) if one == key}
        count, told = sum(texts.values()), ", ".join(f"{text} ×{count}" for text, count in texts.items())
        zh = f"{count} 条道路的 {key} 无法识别，{then[key][0]}"
        en = f"{key} of {count} ways cannot be read, {then[key][1]}"
        yield Fault("tag_unread", label, zh, en, *cure, column=key, found=told[:200], severity="noted")


def bad(path: Path, code: str, zh: str, en: str, cure_zh: str = "", cure_en: str = "", found: str = "") -> InputError:
    return InputError([Fault(code, file_label(path), zh, en, cure_zh, cure_en, found=found)])
