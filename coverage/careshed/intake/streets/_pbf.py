"""Compiled loops that take OSM's PBF blocks apart; each raises ValueError where the bytes are not as the format has them."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
from __future__ import annotations

import numpy as np
from numba import njit

_CUT_SHORT = "the bytes end inside a number"
_ODD = "the bytes are not laid out as expected"


@njit(cache=True, nogil=True)
def varint(data, at, end):
    """Read one number of variable length: the number and where the next byte is."""
    value, shift = np.uint64(0), np.uint64(0)
    while at < end and shift < np.uint64(64):
        byte = data[at]
        at += 1
        value |= np.uint64(byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += np.uint64(7)
    raise ValueError(_CUT_SHORT)


@njit(cache=True, nogil=True)
def signed(value):
    """Undo the zigzag that keeps small negative numbers short."""
    return np.int64(value >> np.uint64(1)) ^ -np.int64(value & np.uint64(1))


@njit(cache=True, nogil=True)
def field(data, at, end):
    """Read the head of a field: its number, its kind, where its content starts and ends, and its value if it is a number."""
    head, at = varint(data, at, end)
    number, kind = np.int64(head >> np.uint64(3)), np.int64(head & np.uint64(7))
    if kind == 0:
        value, stop = varint(data, at, end)
        return number, kind, at, stop, value
    if kind == 2:
        size, at = varint(data, at, end)
        if size > np.uint64(end - at):
            raise ValueError(_CUT_SHORT)
        return number, kind, at, at + np.int64(size), np.uint64(0)
    if kind == 1 or kind == 5:
        stop = at + (8 if kind == 1 else 4)
        if stop > end:
            raise ValueError(_CUT_SHORT)
        return number, kind, at, stop, np.uint64(0)
    raise ValueError(_ODD)


@njit(cache=True, nogil=True)
def numbers_in(data, at, end):
    """Count the numbers packed between two places."""
    count = 0
    for i in range(at, end):
        if data[i] < 0x80:
            count += 1
    return count


@njit(cache=True, nogil=True)
def strings(data, at, end):
    """Find where each text of a string table starts and ends."""
    count, here = 0, at
    while here < end:
        _, _, _, here, _ = field(data, here, end)
        count += 1
    found = np.zeros((count, 2), np.int64)
    for i in range(count):
        _, kind, start, stop, _ = field(data, at, end)
        if kind != 2:
            raise ValueError(_ODD)
        found[i, 0], found[i, 1] = start, stop
        at = stop
    return found


@njit(cache=True, nogil=True)
def unpack(data, at, end, delta, found, first):
    """Read packed numbers into `found` from place `first` on; with `delta` they are signed steps. Gives the place after."""
    last = np.int64(0)
    while at < end:
        value, at = varint(data, at, end)
        if delta:
            last += signed(value)
            found[first] = last
        else:
            found[first] = np.int64(value)
        first += 1
    return first


@njit(cache=True, nogil=True)
def unpacked(data, at, end, delta):
    """Read packed numbers; with `delta` they are signed steps from one to the next."""
    found = np.empty(numbers_in(data, at, end), np.int64)
    unpack(data, at, end, delta, found, 0)
    return found


@njit(cache=True, nogil=True)
def dense_nodes(data, at, end):
    """Read a group of nodes: ids, latitudes and longitudes in units of the block, and their tags as packed."""
    none = np.empty(0, np.int64)
    ids, lat, lon, tags = none, none, none, none
    while at < end:
        number, kind, start, at, _ = field(data, at, end)
        if number in (1, 8, 9, 10) and kind != 2:
            raise ValueError(_ODD)
        if number == 1:
            ids = unpacked(data, start, at, True)
        elif number == 8:
            lat = unpacked(data, start, at, True)
        elif number == 9:
            lon = unpacked(data, start, at, True)
        elif number == 10:
            tags = unpacked(data, start, at, False)
    if len(lat) != len(ids) or len(lon) != len(ids):
        raise ValueError(_ODD)
    return ids, lat, lon, tags


@njit(cache=True, nogil=True)
def degrees7(values, offset, granularity):
    """Turn units of the block into 1e-7 degrees, rounded towards zero as libosmium does."""
    found = np.empty(len(values), np.int32)
    for i in range(len(values)):
        nano = offset + granularity * values[i]
        whole = abs(nano) // 100
        whole = whole if nano >= 0 else -whole
        found[i] = whole if -2147483648 <= whole <= 2147483647 else 2147483647
    return found


@njit(cache=True, nogil=True)
def wanted_nodes(tags, nodes, wanted, asked, telling):
    """Find the nodes that have a wanted key, or an asked one with a telling value: position, first and last place of its tags."""
    found = np.empty((len(tags) // 2, 3), np.int64)
    count, at, node = 0, 0, 0
    while at < len(tags):
        start, some = at, False
        while at < len(tags) and tags[at] != 0:
            if at + 1 >= len(tags) or not (0 < tags[at] < len(wanted) and 0 <= tags[at + 1] < len(wanted)):
                raise ValueError(_ODD)
            some |= wanted[tags[at]] or (asked[tags[at]] and telling[tags[at + 1]])
            at += 2
        if some:
            found[count, 0], found[count, 1], found[count, 2] = node, start, at
            count += 1
        at += 1
        node += 1
    if node > nodes:
        raise ValueError(_ODD)
    return found[:count]


@njit(cache=True, nogil=True)
def _way_parts(data, at, end):
    """Find the parts of one way: its id, and where its keys, values and nodes are."""
    ident, place = np.int64(0), np.zeros(6, np.int64)
    while at < end:
        number, kind, start, at, value = field(data, at, end)
        if number == 1 and kind == 0:
            ident = np.int64(value)
        elif number in (2, 3, 8):
            which = 0 if number == 2 else (2 if number == 3 else 4)
            if kind != 2 or place[which + 1] > 0:
                raise ValueError(_ODD)
            place[which], place[which + 1] = start, at
    return ident, place


@njit(cache=True, nogil=True)
def ways_in(data, at, end, strings_known):
    """Read a group of ways: ids, where the tags of each start, keys and values, where its nodes start, and their ids."""
    ways, tags, refs, here = 0, 0, 0, at
    while here < end:
        number, kind, start, here, _ = field(data, here, end)
        if number == 3 and kind == 2:
            _, place = _way_parts(data, start, here)
            ways += 1
            tags += numbers_in(data, place[0], place[1])
            refs += numbers_in(data, place[4], place[5])
    ident, tag_ptr, ref_ptr = np.empty(ways, np.int64), np.zeros(ways + 1, np.int64), np.zeros(ways + 1, np.int64)
    key, value, ref = np.empty(tags, np.int64), np.empty(tags, np.int64), np.empty(refs, np.int64)
    ways, tags, refs = 0, 0, 0
    while at < end:
        number, kind, start, at, _ = field(data, at, end)
        if number != 3 or kind != 2:
            continue
        ident[ways], place = _way_parts(data, start, at)
        if numbers_in(data, place[2], place[3]) != numbers_in(data, place[0], place[1]):
            raise ValueError(_ODD)
        unpack(data, place[2], place[3], False, value, tags)
        tags = unpack(data, place[0], place[1], False, key, tags)
        refs = unpack(data, place[4], place[5], True, ref, refs)
        ways += 1
        tag_ptr[ways], ref_ptr[ways] = tags, refs
    for i in range(tags):
        if not (0 <= key[i] < strings_known and 0 <= value[i] < strings_known):
            raise ValueError(_ODD)
    return ident, tag_ptr, key, value, ref_ptr, ref


@njit(cache=True, nogil=True)
def shelves(ids):
    """Sort positive, ascending `ids` onto shelves by their first bits: where each shelf starts, and the bits left out."""
    bits = 0
    while len(ids) and ids[-1] >> bits > 2 * len(ids):
        bits += 1
    start = np.empty((ids[-1] >> bits if len(ids) else 0) + 2, np.int32)
    shelf = 0
    for i in range(len(ids)):
        while shelf <= ids[i] >> bits:
            start[shelf] = i
            shelf += 1
    start[shelf:] = len(ids)
    return start, bits


@njit(cache=True, nogil=True)
def place_of(ids, start, bits, wanted):
    """Find the first place in the sorted `ids` of at least `wanted`, on the shelf where it would be."""
    shelf = wanted >> bits
    if wanted < 0 or shelf + 1 >= len(start):
        return len(ids)
    low, high = np.int64(start[shelf]), np.int64(start[shelf + 1])
    while low < high:
        middle = (low + high) // 2
        if ids[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def places_of(ids, start, bits, refs):
    """Find each node in the sorted `ids`: its position, −1 where it is absent."""
    found = np.empty(len(refs), np.int64)
    at = -1
    for i in range(len(refs)):
        at += 1  # the nodes of a way often come one after the other
        if at >= len(ids) or ids[at] != refs[i]:
            at = place_of(ids, start, bits, refs[i])
        found[i] = at if at < len(ids) and ids[at] == refs[i] else -1
    return found


@njit(cache=True, nogil=True)
def alike(values, ptr):
    """Find for each run of values, from one place in `ptr` to the next, the first run that has the same ones."""
    runs = len(ptr) - 1
    size = 4
    while size < 2 * runs:
        size *= 2
    slot, first = np.full(size, -1, np.int64), np.empty(runs, np.int64)
    for run in range(runs):
        start, length = ptr[run], ptr[run + 1] - ptr[run]
        code = length
        for i in range(length):
            code = (code * 8191 + values[start + i]) % 2147483647
        at = code & (size - 1)
        while slot[at] >= 0 and not _same(values, ptr, slot[at], start, length):
            at = (at + 1) & (size - 1)
        if slot[at] < 0:
            slot[at] = run
        first[run] = slot[at]
    return first


@njit(cache=True, nogil=True)
def _same(values, ptr, run, start, length):
    same = ptr[run + 1] - ptr[run] == length
    for i in range(length if same else 0):
        same = same and values[ptr[run] + i] == values[start + i]
    return same


@njit(cache=True, nogil=True)
def numbered(place, ptr, nodes):
    """Number the nodes of ways as they first appear; ways of fewer than two known nodes are left out.

    Returns the ways kept, where their nodes start, the nodes along them, the place of each node, and how many were missing.
    """
    number = np.full(nodes, -1, np.int32)
    order = np.empty(min(nodes, len(place)), np.int64)
    kept, starts = np.zeros(len(ptr) - 1, np.bool_), np.zeros(len(ptr), np.int64)
    along = np.empty(len(place), np.int32)
    seen, used, ways, missing = 0, 0, 0, 0
    for way in range(len(ptr) - 1):
        known = 0
        for i in range(ptr[way], ptr[way + 1]):
            known += place[i] >= 0
        missing += ptr[way + 1] - ptr[way] - known
        if known < 2:
            continue
        for i in range(ptr[way], ptr[way + 1]):
            at = place[i]
            if at >= 0:
                if number[at] < 0:
                    number[at] = seen
                    order[seen] = at
                    seen += 1
                along[used] = number[at]
                used += 1
        kept[way] = True
        ways += 1
        starts[ways] = used
    return kept, starts[: ways + 1], along[:used], order[:seen], missing
