"""Join streets that end short of each other, from a list that a planner can read, change and undo."""

from __future__ import annotations

import csv
import io
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from careshed.intake.encodings import decode
from careshed.intake.sources import must_exist, stop
from careshed.intake.streets.model import Streets
from careshed.schema import Checked, Fault, InputError, file_label

Ints = NDArray[np.int64]

MOVED_M: Final = 1.0
"""A street that has moved by more than this since the list was made is another street."""

METRES_PER_DEGREE: Final = 111_195.0
"""Of latitude, on a sphere of 6,371 km; for comparing spots a few metres apart."""

YES: Final = frozenset({"yes", "是", "1", "true"})
NO: Final = frozenset({"no", "否", "0", "false"})


@dataclass(frozen=True)
class Repair:
    """A short link from the end of one street to another street; one row of the list of repairs."""

    use: bool
    """Whether the link is made; set to ``no`` in the list it is undone."""
    from_node: int
    """Node of the street that ends, as `Streets.node_id` numbers it."""
    to_node: int
    """Node that it is joined with, or the first of the two between which it is joined."""
    to_next: int | None
    """Second of the two nodes; None where it is joined with `to_node` itself."""
    from_lon: float
    from_lat: float
    to_lon: float
    to_lat: float
    gap_m: float
    """Length of the link, metres."""
    people: float = 0.0
    """People concerned, as the check of streets counted them."""
    counted: str = ""
    """How they were counted: ``gain``, ``at_most``, ``living``."""
    street: str = ""
    """Names of the two streets, for the reader."""


COLUMNS: Final = tuple(field.name for field in fields(Repair))


def write_repairs(path: str | Path, repairs: Iterable[Repair]) -> Path:
    """Write repairs as a CSV list: the log of what is joined, and the file that ``[streets] repairs`` reads.

    A row is undone by ``no`` in its column ``use``, or by taking it out.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(_row(one) for one in repairs)
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text.getvalue(), encoding="utf-8-sig", newline="")
    return target


def kept_first(used: Iterable[Repair], found: Iterable[Repair]) -> tuple[Repair, ...]:
    """Put the repairs in use before those found anew, so that a list written again undoes none of them.

    >>> link = Repair(True, 1, 2, None, 116.0, 40.0, 116.0, 40.00001, 1.1)
    >>> [one.use for one in kept_first([link], [replace(link, use=False), replace(link, use=False, from_node=3)])]
    [True, False]
    """
    first: dict[tuple[int, int, int | None], Repair] = {}
    for one in used:
        if one.use:
            first.setdefault((one.from_node, one.to_node, one.to_next), one)
    return (*first.values(), *(one for one in found if (one.from_node, one.to_node, one.to_next) not in first))


def _row(one: Repair) -> list[str]:
    street = f"'{one.street}" if one.street.startswith(("=", "+", "-", "@", "\t", "\r")) else one.street
    return [
        "yes" if one.use else "no", str(one.from_node), str(one.to_node), "" if one.to_next is None else str(one.to_next),
        *(f"{value:.9f}" for value in (one.from_lon, one.from_lat, one.to_lon, one.to_lat)),
        f"{one.gap_m:.2f}", f"{one.people:.1f}", one.counted, street,
    ]  # fmt: skip


def read_repairs(path: str | Path) -> tuple[Repair, ...]:
    """Read a list of repairs.

    Raises
    ------
    careshed.schema.InputError
        If the file is missing, lacks a column, or holds what is no number; with every such row.
    """
    file = Path(path)
    must_exist(file)
    try:
        rows = list(csv.reader(io.StringIO(decode(file.read_bytes()).text, newline="")))
    except UnicodeDecodeError as error:
        told = ("文件编码无法识别", "the text encoding is not recognised")
        raise stop(file, "bad_encoding", told, ("请另存为 UTF-8 编码的 CSV。", "Save it as CSV in UTF-8.")) from error
    header = [name.strip() for name in rows[0]] if rows else []
    lacking = [name for name in COLUMNS[:9] if name not in header]
    cure = (
        "请用 careshed check-streets 重新生成该清单。",
        "Make the list again with careshed check-streets.",
    )
    if lacking:
        listed = ", ".join(lacking)
        raise stop(file, "missing_column", (f"缺少列：{listed}", f"columns are missing: {listed}"), cure)
    faults: list[Fault] = []
    found = [_read(file, number, dict(zip(header, row, strict=False)), faults) for number, row in enumerate(rows[1:], 2) if row]
    if faults:
        raise InputError(faults)
    return tuple(one for one in found if one is not None)


def _read(file: Path, number: int, row: dict[str, str], faults: list[Fault]) -> Repair | None:
    """Read one row; what cannot be read is told."""
    wrong: list[tuple[str, str]] = []

    def number_of(name: str, kind: type[int] | type[float], blank: float | None = None) -> float:
        text = row.get(name, "").strip()
        if not text and blank is not None:
            return blank
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            wrong.append((name, text))
        return value

    use = row["use"].strip().lower()
    if use not in YES | NO:
        wrong.append(("use", use))
    whole = [number_of(name, int) for name in ("from_node", "to_node")]
    following = number_of("to_next", int) if row["to_next"].strip() else None
    spots = [number_of(name, float) for name in ("from_lon", "from_lat", "to_lon", "to_lat")]
    gap, people = number_of("gap_m", float, 0.0), number_of("people", float, 0.0)
    told = ("既不是是（yes）或否（no），也不是数字", "is neither yes or no nor a number")
    cure = ("use 列写 yes 或 no，其余列请勿改动。", "Write yes or no in the column use, and leave the others as they are.")
    faults += [
        Fault("bad_repair", file_label(file), *told, *cure, row=str(number), column=key, found=text) for key, text in wrong
    ]
    if wrong:
        return None
    ends = int(whole[0]), int(whole[1]), None if following is None else int(following)
    a, b, c, d = spots
    return Repair(use in YES, *ends, a, b, c, d, gap, people, row.get("counted", ""), row.get("street", "").lstrip("'"))


def apply_repairs(streets: Streets, repairs: Sequence[Repair], *, file: str = "repairs.csv") -> Checked[Streets]:
    """Join streets as a list of repairs says; the streets given stay as they are.

    Each repair adds a way of its own, a straight link open both ways to whoever may use the street that ended, of its class; a
    street that is joined between two of its nodes gets a node there. The added ways are numbered below all others.

    Returns
    -------
    Checked[Streets]
        The very same streets if no repair is in use. A repair whose streets are not where the list says is not made, and told.
    """
    faults: list[Fault] = []
    place = _Places(streets)
    made = [(one, spots) for one in repairs if one.use and (spots := _spots(streets, place, one, file, faults)) is not None]
    if not made:
        return Checked(streets, tuple(faults))
    metres = sum(one.gap_m for one, _ in made)
    zh, en = (
        f"按修补清单连接 {len(made)} 处断头，共 {metres:.0f} 米",
        f"{len(made)} gaps joined by the list of repairs, {metres:.0f} m",
    )
    faults.append(Fault("gaps_joined", file, zh, en, severity="repaired"))
    return Checked(_joined(streets, made), tuple(faults))


@dataclass(frozen=True)
class _Spots:
    """Where one repair joins: the node that ends, and either a node or the pieces between two nodes."""

    start: int
    end: int
    """Position of the node joined with, −1 where a new one is made."""
    pieces: tuple[int, ...]
    """Positions in ``way_node`` at which the pieces to be parted start."""


class _Places:
    """Look up nodes by id, and the first way that each is part of."""

    def __init__(self, streets: Streets) -> None:
        self.order = np.argsort(streets.node_id, kind="stable")
        self.ids = streets.node_id[self.order]

    def of(self, node: int) -> int:
        """Position of a node, −1 where the streets have none of this id."""
        at = int(np.searchsorted(self.ids, node))
        return int(self.order[at]) if at < len(self.ids) and self.ids[at] == node else -1


def _spots(streets: Streets, place: _Places, one: Repair, file: str, faults: list[Fault]) -> _Spots | None:
    """Find the nodes of a repair, each where the list says; else tell that the list no longer fits."""
    start, end = place.of(one.from_node), place.of(one.to_node)
    following = end if one.to_next is None else place.of(one.to_next)
    fits = min(start, end, following) >= 0 and _near(streets, start, one.from_lon, one.from_lat)
    pieces: tuple[int, ...] = ()
    if fits and one.to_next is None:
        fits = _near(streets, end, one.to_lon, one.to_lat)
    elif fits:
        pieces = _pieces(streets, end, following)
        fits = bool(pieces) and _beside(streets, end, following, one) <= MOVED_M
    if fits:
        return _Spots(start, end if one.to_next is None else -1, pieces)
    zh, en = "该处道路与修补清单不符，未连接", "the streets are not as the list of repairs says; nothing is joined"
    cure = ("请用 careshed check-streets 重新检查后更新清单。", "Check the streets again with careshed check-streets.")
    found = f"{one.from_node} → {one.to_node}"
    faults.append(Fault("repair_stale", file, zh, en, *cure, found=found, severity="dropped", people=one.people))
    return None


def _metres(lon: float, lat: float, to_lon: float, to_lat: float) -> tuple[float, float]:
    return (to_lon - lon) * METRES_PER_DEGREE * math.cos(math.radians(lat)), (to_lat - lat) * METRES_PER_DEGREE


def _near(streets: Streets, at: int, lon: float, lat: float) -> bool:
    return math.hypot(*_metres(float(streets.lon[at]), float(streets.lat[at]), lon, lat)) <= MOVED_M


def _beside(streets: Streets, a: int, b: int, one: Repair) -> float:
    """Distance of the new joint from the piece that it is to lie on, metres."""
    lon, lat = float(streets.lon[a]), float(streets.lat[a])
    px, py = _metres(lon, lat, one.to_lon, one.to_lat)
    bx, by = _metres(lon, lat, float(streets.lon[b]), float(streets.lat[b]))
    length = bx * bx + by * by
    share = min(1.0, max(0.0, (px * bx + py * by) / length)) if length else 0.0
    return math.hypot(px - share * bx, py - share * by)


def _pieces(streets: Streets, a: int, b: int) -> tuple[int, ...]:
    """Positions in ``way_node`` of the pieces between two nodes, whichever way they are drawn."""
    node = streets.way_node
    inner = np.ones(len(node), dtype=bool)
    inner[streets.way_ptr[1:] - 1] = False
    at = np.flatnonzero(inner & ((node == a) | (node == b)))
    following = node[at + 1]
    return tuple(at[((node[at] == a) & (following == b)) | ((node[at] == b) & (following == a))].tolist())


def _joined(streets: Streets, made: Sequence[tuple[Repair, _Spots]]) -> Streets:
    """Add the new joints to the ways they lie on, and the links behind all ways."""
    count = len(streets.node_id)
    joints: dict[tuple[float, float], int] = {}
    for one, spots in made:
        if spots.end < 0:
            joints.setdefault((one.to_lon, one.to_lat), count + len(joints))
    ends = [spots.end if spots.end >= 0 else joints[one.to_lon, one.to_lat] for one, spots in made]
    way_node, way_ptr = _parted(streets, made, ends)
    owner = [_way_of(streets, spots.start) for _, spots in made]
    links = np.array([[spots.start, end] for (_, spots), end in zip(made, ends, strict=True)], dtype=np.int32)
    table = _link_table(streets, owner)
    lowest = min(0, int(streets.node_id.min()))
    bits = streets.node_bits
    return replace(
        streets,
        node_id=np.concatenate([streets.node_id, lowest - 1 - np.arange(len(joints))]),
        lon=np.concatenate([streets.lon, [lon for lon, _ in joints]]),
        lat=np.concatenate([streets.lat, [lat for _, lat in joints]]),
        node_bits=None if bits is None else np.concatenate([bits, np.zeros(len(joints), dtype=np.uint8)]),
        ways=pd.concat([streets.ways, table]),
        way_ptr=np.concatenate([way_ptr, way_ptr[-1] + 2 * np.arange(1, len(made) + 1)]).astype(np.int64),
        way_node=np.concatenate([way_node, links.ravel()]).astype(np.int32),
    )


def _parted(streets: Streets, made: Sequence[tuple[Repair, _Spots]], ends: Sequence[int]) -> tuple[NDArray[np.int32], Ints]:
    """Put the new joints between the nodes of the pieces they lie on, in the order in which they come."""
    inserted: defaultdict[int, dict[int, float]] = defaultdict(dict)
    for (one, spots), end in zip(made, ends, strict=True):
        for at in spots.pieces:
            first = int(streets.way_node[at])
            away = math.hypot(*_metres(float(streets.lon[first]), float(streets.lat[first]), one.to_lon, one.to_lat))
            inserted[at][end] = away
    after = [(at, node) for at in sorted(inserted) for _, node in sorted((away, node) for node, away in inserted[at].items())]
    places, nodes = np.array([at for at, _ in after], dtype=np.int64), np.array([node for _, node in after], dtype=np.int32)
    way_node = np.insert(streets.way_node, places + 1, nodes)
    added = np.searchsorted(places, streets.way_ptr, side="left")
    return way_node, (streets.way_ptr + added).astype(np.int64)


def _way_of(streets: Streets, node: int) -> int:
    at = int(np.flatnonzero(streets.way_node == node)[0])
    return int(np.searchsorted(streets.way_ptr, at, side="right")) - 1


def _link_table(streets: Streets, owner: Sequence[int]) -> pd.DataFrame:
    """Rows of the links: as the streets that ended, open both ways, and neither steps nor crossing."""
    table = streets.ways.iloc[list(owner)].copy()
    for prefix in ("walk", "cycle", "car"):
        if f"{prefix}_forward" in table:
            either = table[f"{prefix}_forward"] | table[f"{prefix}_backward"]
            table[f"{prefix}_forward"] = table[f"{prefix}_backward"] = either
    table["highway"] = table["highway"].where(~table["steps"], "footway")
    table["steps"] = False
    for name, value in (("incline", math.nan), ("crossing", "")):
        if name in table:
            table[name] = value
    lowest = min(0, int(streets.ways.index.min()))
    table.index = pd.Index([lowest - 1 - number for number in range(len(table))], name=streets.ways.index.name)
    return table
