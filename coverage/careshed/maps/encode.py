"""Pack geometry, pictures and text so that one small page can carry a town."""

from __future__ import annotations

import base64
import json
import re
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

STEP_DEG: Final = 1e-5
"""Coordinates are rounded to this many degrees, about 1.1 m on the ground; the page's script knows the same figure."""

Block = dict[str, str | int]
"""Packed geometry: ``n`` points of each line, ``d`` steps from point to point, ``r`` rings of each area."""

DEFLATE_FROM: Final = 1024
"""Shorter arrays are not deflated: little to gain, and the page is easier to read."""

DEFLATED: Final = "~"
"""Leads a deflated array; no character of base64."""


def varints(values: NDArray[np.int64]) -> bytes:
    """Pack whole numbers, small ones into one byte (seven bits a byte, sign in the lowest bit).

    >>> list(varints(np.array([0, -1, 1, 64])))
    [0, 1, 2, 128, 1]
    """
    unsigned = ((values << 1) ^ (values >> 63)).astype(np.uint64)
    limits = np.uint64(1) << np.arange(7, 63, 7, dtype=np.uint64)
    size = 1 + np.searchsorted(limits, unsigned, side="right")
    start = np.cumsum(size) - size
    out = np.zeros(int(np.sum(size)), dtype=np.uint8)
    for byte in range(int(np.max(size, initial=0))):
        here = size > byte
        low = (unsigned[here] >> np.uint64(7 * byte)) & np.uint64(127)
        more = (size[here] > byte + 1).astype(np.uint64) << np.uint64(7)
        out[start[here] + byte] = (low | more).astype(np.uint8)
    return out.tobytes()


def packed(values: NDArray[np.int64]) -> str:
    """Pack whole numbers as text for the page: varints in base64, long ones deflated (RFC 1951) with a leading ``~``.

    The page inflates them itself: `DecompressionStream` came with Chromium 103, after the browsers of many office machines.

    >>> packed(np.array([0, -1, 1, 64]))
    'AAECgAE='
    >>> packed(np.arange(5000) % 7)[0], len(packed(np.arange(5000) % 7)) < 200
    ('~', True)
    """
    raw = varints(values)
    if len(raw) >= DEFLATE_FROM:
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
        short = deflate.compress(raw) + deflate.flush()
        if len(short) < 0.9 * len(raw):
            return DEFLATED + base64.b64encode(short).decode("ascii")
    return base64.b64encode(raw).decode("ascii")


def block_bytes(block: Mapping[str, object]) -> int:
    """Count the characters that a packed block takes in the page.

    >>> block_bytes({"n": "AAEC", "d": "AA=="})
    8
    """
    return sum(len(text) for text in block.values() if isinstance(text, str))


def lines_block(lines: NDArray[np.object_]) -> Block:
    """Pack lines given in degrees; parts of a multi-line count as lines of their own.

    Points that fall together after rounding are written once.
    """
    parts = shapely.get_parts(lines)
    counts, steps = _steps(shapely.get_coordinates(parts), shapely.get_num_coordinates(parts))
    return {"n": packed(counts), "d": packed(steps)}


def areas_block(areas: NDArray[np.object_]) -> Block:
    """Pack polygons given in degrees, one entry an area; its outlines and holes are rings filled by the even-odd rule."""
    parts, area_of_part = shapely.get_parts(areas, return_index=True)
    rings, part_of_ring = shapely.get_rings(parts, return_index=True)
    per_area = np.bincount(area_of_part[part_of_ring], minlength=len(areas)).astype(np.int64)
    counts, steps = _steps(shapely.get_coordinates(rings), shapely.get_num_coordinates(rings))
    return {"r": packed(per_area), "n": packed(counts), "d": packed(steps)}


def points_block(points: NDArray[np.object_]) -> Block:
    """Pack one point an entry, given in degrees; a facility with several entrances is shown at their middle."""
    middles = shapely.centroid(points)
    counts = np.ones(len(middles), dtype=np.int64)
    steps = _deltas(_rounded(shapely.get_coordinates(middles)))
    return {"n": packed(counts), "d": packed(steps)}


def _rounded(degrees: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.rint(degrees / STEP_DEG).astype(np.int64)


def _deltas(points: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.diff(points, axis=0, prepend=np.zeros((1, 2), dtype=np.int64)).ravel()


def _steps(degrees: NDArray[np.float64], counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    points = _rounded(degrees)
    line = np.repeat(np.arange(len(counts)), counts)
    keep = np.ones(len(points), dtype=bool)
    keep[1:] = np.any(points[1:] != points[:-1], axis=1) | (line[1:] != line[:-1])
    kept = np.bincount(line[keep], minlength=len(counts)).astype(np.int64)
    return kept, _deltas(points[keep])


def json_text(value: Mapping[str, object] | Sequence[object]) -> str:
    """Write data as JSON that stays data inside a page: no character in it can open a tag or a template.

    >>> json_text({"name": "<b>{{1}}"})
    '{"name":"\\\\u003cb>\\\\u007b{1}}"}'
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    text = text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    # folium renders what elements return as a template once more; in JSON "{" before {, % or # stands only inside strings
    return re.sub(r"\{(?=[{%#])", r"\\u007b", text)


def png_uri(classes: NDArray[np.uint8], colours: Sequence[str]) -> str:
    """Write a picture of class numbers as a PNG with a palette, as a data address; class 0 is transparent.

    Parameters
    ----------
    classes
        Class of each pixel, shape (rows, columns); class k takes ``colours[k - 1]``, ``#rrggbb``.
    """
    height, width = classes.shape
    palette = b"\0\0\0" + b"".join(bytes.fromhex(colour[1:]) for colour in colours)
    rows = np.zeros((height, width + 1), dtype=np.uint8)
    rows[:, 1:] = classes
    chunks = (
        _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        _chunk(b"PLTE", palette),
        _chunk(b"tRNS", b"\0" + b"\xff" * len(colours)),
        _chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)),
        _chunk(b"IEND", b""),
    )
    return "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(chunks)).decode("ascii")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
