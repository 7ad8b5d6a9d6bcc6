"""Read the streets of an OSM PBF file in bulk, without a Python object for every node and way."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from careshed.intake.streets.relations import may_hold_barriers
from careshed.intake.streets.walking import RANK, TAGS

if TYPE_CHECKING:
    from pandas.api.extensions import ExtensionArray

Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]
Line = list[tuple[float, float]]

KEYS: Final = ("highway", "barrier", "route", "natural", "waterway", "railway", "kerb", "crossing")
"""A node or way with none of these keys says nothing about streets."""

KNOWN_FEATURES: Final = frozenset({"OsmSchema-V0.6", "DenseNodes"})
"""What a file may require of its reader; history files and others are left to osmium."""

_BULK_TAGS: Final = tuple(sorted(TAGS - {"name"}))
_CODE: Final = {key.encode(): number for number, key in enumerate(_BULK_TAGS, 2)} | {b"name": 1}
_MOST_BLOB: Final = 32 * 2**20
LON7, LAT7 = 1_800_000_000, 900_000_000
"""Bounds of the Earth in 1e-7 degrees."""


class TaggedNode(NamedTuple):
    """A node that says something about streets."""

    node_id: int
    lon: float
    lat: float
    on_earth: bool
    tags: dict[str, str]


class OtherWay(NamedTuple):
    """A way that is no street and may be a barrier, water or a route."""

    position: int
    """Place among the ways of the file."""
    line: Line
    tags: dict[str, str]


class BulkStreets(NamedTuple):
    """The streets of a file."""

    node_id: Int64
    """Nodes in the order in which the ways first meet them."""
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    way_id: Int64
    way_ptr: Int64
    way_node: NDArray[np.int32]
    position: Int64
    """Place of each way among the ways of the file."""
    names: ExtensionArray
    tag_set: Int64
    """Which of `tag_sets` each way has."""
    tag_sets: list[dict[str, str]]
    """Tags without the name, every set of them once."""
    short: int
    """Nodes of ways without coordinates."""
    single: int
    """Ways left out for fewer than two nodes."""


class Town(NamedTuple):
    """All that a PBF file tells about streets."""

    nodes: list[TaggedNode]
    streets: BulkStreets
    others: list[OtherWay]
    relations: bool = False
    """Whether relations of the file may be barriers, see `careshed.intake.streets.relations`."""


class NotInBulk(ValueError):
    """The file is damaged or uses a rarer part of the format: osmium shall read it or say what is wrong."""


def read_town(path: Path) -> Town | None:
    """Read the streets of a PBF file in bulk, None where it is damaged or uses a rarer part of the format."""
    gathered = _Gathered()
    try:
        for block in _blocks(path):
            gathered.take(block)
        return gathered.town()
    except (ValueError, IndexError, zlib.error, UnicodeDecodeError, OverflowError):
        return None


def _fields(data: memoryview) -> Iterator[tuple[int, int, memoryview]]:
    """Go through the fields of a small message: number, value if it is a number, content if it has any."""
    from careshed.intake.streets._pbf import field as head

    raw = np.frombuffer(data, dtype=np.uint8)
    at, end = 0, len(raw)
    while at < end:
        number, kind, start, at, value = head(raw, at, end)
        yield int(number), int(value), data[start:at] if kind == 2 else data[:0]


def _blocks(path: Path) -> Iterator[memoryview]:
    """Go through the data blocks of a file, unpacked; the header must ask for nothing special."""
    with path.open("rb") as file:
        header_seen = False
        while size := file.read(4):
            head = {
                number: (value, content) for number, value, content in _fields(_exactly(file.read(int.from_bytes(size)), size))
            }
            length = head[3][0] if 3 in head else -1
            if not 0 < length <= _MOST_BLOB:
                raise NotInBulk("blob of odd size")
            data = _unpacked(memoryview(file.read(length)), length)
            kind = bytes(head[1][1]) if 1 in head else b""
            if kind == b"OSMHeader":
                header_seen = True
                _check_header(data)
            elif kind == b"OSMData":
                if not header_seen:
                    raise NotInBulk("no header")
                yield data


def _exactly(data: bytes, size: bytes) -> memoryview:
    if len(size) != 4 or len(data) != int.from_bytes(size) or not data:
        raise NotInBulk("cut short")
    return memoryview(data)


def _unpacked(blob: memoryview, length: int) -> memoryview:
    """Undo the compression of a blob: none or zlib; others are rare."""
    if len(blob) != length:
        raise NotInBulk("cut short")
    fields = {number: (value, content) for number, value, content in _fields(blob)}
    if 1 in fields:
        return fields[1][1]
    if 3 not in fields:
        raise NotInBulk("compressed in a rarer way")
    data = zlib.decompress(fields[3][1])
    if len(data) != fields.get(2, (len(data),))[0]:
        raise NotInBulk("size of block")
    return memoryview(data)


def _check_header(data: memoryview) -> None:
    for number, _, content in _fields(data):
        odd = number == 4 and bytes(content).decode() not in KNOWN_FEATURES
        if odd or (number == 5 and bytes(content) == b"LocationsOnWays"):
            raise NotInBulk("feature")


@dataclass
class _Gathered:
    """What the blocks of a file have told so far."""

    node_ids: list[Int64] = field(default_factory=list)
    lons: list[NDArray[np.int32]] = field(default_factory=list)
    lats: list[NDArray[np.int32]] = field(default_factory=list)
    nodes: list[TaggedNode] = field(default_factory=list)
    way_ids: list[Int64] = field(default_factory=list)
    positions: list[Int64] = field(default_factory=list)
    refs: list[Int64] = field(default_factory=list)
    ref_counts: list[Int64] = field(default_factory=list)
    name: list[Int64] = field(default_factory=list)
    names: dict[bytes, int] = field(default_factory=lambda: {b"": 0})
    tag_set: list[Int64] = field(default_factory=list)
    sets: dict[bytes, int] = field(default_factory=dict)
    texts: dict[bytes, int] = field(default_factory=dict)
    other: list[tuple[int, dict[str, str], Int64]] = field(default_factory=list)
    ways: int = 0
    relations: bool = False

    def take(self, block: memoryview) -> None:
        """Read one block: its texts first, then its groups of nodes or ways."""
        from careshed.intake.streets import _pbf

        table: list[bytes] = []
        groups: list[memoryview] = []
        unit, lat0, lon0 = 100, 0, 0
        for number, value, content in _fields(block):
            if number == 1:
                spans = _pbf.strings(np.frombuffer(content, dtype=np.uint8), 0, len(content)).tolist()
                raw = bytes(content)
                table = [raw[start:stop] for start, stop in spans]
            elif number == 2:
                groups.append(content)
            elif number == 17:
                unit = value
            elif number in (19, 20):
                offset = value - 2**64 if value >= 2**63 else value
                lat0, lon0 = (offset, lon0) if number == 19 else (lat0, offset)
        for group in groups:
            self._take_group(group, table, unit, lat0, lon0)

    def _take_group(self, group: memoryview, table: list[bytes], unit: int, lat0: int, lon0: int) -> None:
        """Read a group, all of one kind; of relations only whether a look at them is worth it."""
        from careshed.intake.streets import _pbf

        data = np.frombuffer(group, dtype=np.uint8)
        if not len(data):
            return
        number, _, start, stop, _ = _pbf.field(data, 0, len(data))
        if number == 1 or (number == 2 and self.ways):
            raise NotInBulk("plain nodes, or nodes after ways")
        if number == 2:
            ids, lat, lon, tags = _pbf.dense_nodes(data, start, stop)
            self.node_ids.append(ids)
            self.lats.append(_pbf.degrees7(lat, lat0, unit))
            self.lons.append(_pbf.degrees7(lon, lon0, unit))
            if len(tags):
                self._take_tagged(tags, table)
        elif number == 3:
            self._take_ways(_Ways(*_pbf.ways_in(data, 0, len(data), len(table))), table)
        elif number == 4:
            self.relations = self.relations or may_hold_barriers(table)

    def _take_tagged(self, tags: Int64, table: list[bytes]) -> None:
        from careshed.intake.streets import _pbf

        ids, lons, lats = self.node_ids[-1], self.lons[-1], self.lats[-1]
        told = _having(table, _NODE_KEYS), _having(table, _SIGNAL_KEYS), _having(table, _SIGNALS)
        found, packed = _pbf.wanted_nodes(tags, len(ids), *told), tags.tolist()
        at = found[:, 0]
        places = zip(ids[at].tolist(), lons[at].tolist(), lats[at].tolist(), found[:, 1:].tolist(), strict=True)
        for node_id, lon, lat, (first, last) in places:
            on_earth = abs(lon) <= LON7 and abs(lat) <= LAT7
            own = _dict(packed[first:last:2], packed[first + 1 : last : 2], table)
            self.nodes.append(TaggedNode(node_id, lon / 1e7, lat / 1e7, on_earth, own))

    def _take_ways(self, ways: _Ways, table: list[bytes]) -> None:
        """Keep the streets of a group in bulk, and the other ways that may matter one by one."""
        owner = np.repeat(np.arange(len(ways.ident)), np.diff(ways.tag_ptr))
        is_street = np.zeros(len(ways.ident), dtype=bool)
        street_tag = _having(table, _HIGHWAY)[ways.key] & _having(table, _STREETS)[ways.value]
        is_street[owner[street_tag]] = True
        may_matter = np.zeros(len(ways.ident), dtype=bool)
        may_matter[owner[_having(table, _WANTED)[ways.key]]] = True
        if b"reservoir" in table or b"basin" in table:
            may_matter[owner[_having(table, _LANDUSE)[ways.key] & _having(table, _BASINS)[ways.value]]] = True
        for at in np.flatnonzero(may_matter & ~is_street).tolist():
            span, nodes = slice(*ways.tag_ptr[at : at + 2]), slice(*ways.ref_ptr[at : at + 2])
            tags = _dict(ways.key[span].tolist(), ways.value[span].tolist(), table)
            self.other.append((self.ways + at, tags, ways.ref[nodes]))
        self._take_streets(ways, owner, is_street, table)
        self.ways += len(ways.ident)

    def _take_streets(self, ways: _Ways, owner: Int64, is_street: Bool, table: list[bytes]) -> None:
        streets = np.flatnonzero(is_street)
        self.way_ids.append(ways.ident[streets])
        self.positions.append(self.ways + streets)
        counts = np.diff(ways.ref_ptr)
        self.refs.append(ways.ref[np.repeat(is_street, counts)])
        self.ref_counts.append(counts[streets])
        code = np.fromiter((_CODE.get(text, 0) for text in table), dtype=np.int64, count=len(table))
        kept = is_street[owner] & (code[ways.key] > 0) & (_lengths(table)[ways.value] > 0)
        named = kept & (code[ways.key] == 1)
        name = np.zeros(len(ways.ident), dtype=np.int64)
        name[owner[named]] = _shared(ways.value[named], table, self.names)
        self.name.append(name[streets])
        kept &= ~named
        packed = code[ways.key[kept]] << 32 | _shared(ways.value[kept], table, self.texts)
        counts = np.bincount(owner[kept], minlength=len(ways.ident))[streets]
        self.tag_set.append(_sets(packed, np.concatenate([[0], np.cumsum(counts)]), self.sets))

    def town(self) -> Town:
        """Put together what was gathered: find the nodes of every way."""
        import pandas as pd

        from careshed.intake.streets import _pbf

        ids, lon7, lat7 = _joined(self.node_ids), np.concatenate([_NONE7, *self.lons]), np.concatenate([_NONE7, *self.lats])
        if len(ids) and (ids.min() <= 0 or not (np.diff(ids) > 0).all()):
            order = np.argsort(ids, kind="stable")
            ids, lon7, lat7 = ids[order], lon7[order], lat7[order]
            if ids[0] <= 0 or not (np.diff(ids) > 0).all():
                raise NotInBulk("ids below 1, or twice")
        ptr = np.concatenate([[0], np.cumsum(_joined(self.ref_counts))])
        (shelf, bits), off_earth = (
            _pbf.shelves(ids),
            (np.abs(lon7.astype(np.int64)) > LON7) | (np.abs(lat7.astype(np.int64)) > LAT7),
        )
        place = _known(_pbf.places_of(ids, shelf, bits, _joined(self.refs)), off_earth)
        kept, way_ptr, way_node, at, short = _pbf.numbered(place, ptr, len(ids))
        names = pd.Series([text.decode() for text in self.names]).array.take(_joined(self.name)[kept])
        streets = BulkStreets(
            ids[at], lon7[at] / 1e7, lat7[at] / 1e7, _joined(self.way_ids)[kept], way_ptr, way_node,
            _joined(self.positions)[kept], names, _joined(self.tag_set)[kept], self._tag_sets(),
            int(short), int((~kept).sum()),
        )  # fmt: skip
        others = []
        for position, tags, refs in self.other:
            near = _known(_pbf.places_of(ids, shelf, bits, refs), off_earth)
            near = near[near >= 0]
            line = list(zip((lon7[near] / 1e7).tolist(), (lat7[near] / 1e7).tolist(), strict=True))
            others.append(OtherWay(position, line, tags))
        return Town(self.nodes, streets, others, self.relations)

    def _tag_sets(self) -> list[dict[str, str]]:
        texts = [text.decode() for text in self.texts]
        found = []
        for packed in self.sets:
            codes = np.frombuffer(packed, dtype=np.int64).tolist()
            found.append({_BULK_TAGS[(code >> 32) - 2]: texts[code & 0xFFFFFFFF] for code in codes})
        return found


class _Ways(NamedTuple):
    """A group of ways as packed: texts by their place in the block's table."""

    ident: Int64
    tag_ptr: Int64
    key: Int64
    value: Int64
    ref_ptr: Int64
    ref: Int64


_WANTED: Final = frozenset(key.encode() for key in KEYS)
_NODE_KEYS: Final = frozenset({b"barrier", b"kerb"})
_SIGNAL_KEYS: Final = frozenset({b"highway", b"crossing"})
_SIGNALS: Final = frozenset({b"traffic_signals"})
"""A node without a key of the first kind does nothing to travel unless it says of one of the second that it is signals."""
_HIGHWAY: Final = frozenset({b"highway"})
_LANDUSE: Final = frozenset({b"landuse"})
_BASINS: Final = frozenset({b"reservoir", b"basin"})
_STREETS: Final = frozenset(kind.encode() for kind in RANK)


def _having(table: list[bytes], texts: frozenset[bytes]) -> Bool:
    return np.fromiter((text in texts for text in table), dtype=bool, count=len(table))


def _known(place: Int64, off_earth: Bool) -> Int64:
    """Take out the nodes whose coordinates are no place on Earth."""
    return np.where(off_earth[place] & (place >= 0), -1, place) if off_earth.any() else place


def _shared(value: Int64, table: list[bytes], known: dict[bytes, int]) -> Int64:
    """Number texts across blocks, as they are first met."""
    used = np.flatnonzero(np.bincount(value, minlength=len(table)))
    number = np.zeros(len(table), dtype=np.int64)
    number[used] = [known.setdefault(table[at], len(known)) for at in used.tolist()]
    return number[value]


def _sets(packed: Int64, ptr: Int64, known: dict[bytes, int]) -> Int64:
    """Number sets of tags across blocks, as they are first met."""
    from careshed.intake.streets import _pbf

    first: Int64 = _pbf.alike(packed, ptr)
    number = np.zeros(len(first), dtype=np.int64)
    fresh = np.flatnonzero(first == np.arange(len(first)))
    texts = (packed[ptr[at] : ptr[at + 1]].tobytes() for at in fresh.tolist())
    number[fresh] = [known.setdefault(text, len(known)) for text in texts]
    return number[first]


def _lengths(table: list[bytes]) -> Int64:
    return np.fromiter(map(len, table), dtype=np.int64, count=len(table))


def _dict(keys: list[int], values: list[int], table: list[bytes]) -> dict[str, str]:
    return {_text(table[key]): _text(table[value]) for key, value in zip(keys, values, strict=True)}


@lru_cache(maxsize=4096)
def _text(text: bytes) -> str:
    return text.decode()


_NONE7: Final[NDArray[np.int32]] = np.empty(0, dtype=np.int32)


def _joined(parts: list[Int64]) -> Int64:
    return np.concatenate([np.empty(0, dtype=np.int64), *parts])
