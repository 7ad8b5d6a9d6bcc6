"""Write barriers, gates and water as text beside streets, and read them back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from careshed.intake.streets.barriers import KINDS, Barriers
from careshed.intake.streets.model import Streets
from careshed.intake.streets.ways import bad

KEY: Final = "careshed_ground"
"""Attribute of a saved graph that holds barriers and water."""


def ground_text(streets: Streets) -> str:
    """Write the barriers, gates and water of streets as JSON, "" where there are none; coordinates are kept to the last digit."""
    known = streets.barriers
    if known is None and not streets.water:
        return ""
    told: dict[str, Any] = {"water": streets.water, "islands": streets.islands}
    if known is not None:
        told["barriers"] = {
            "kinds": [KINDS[kind] for kind in known.kind.tolist()],
            **{name: getattr(known, name).tolist() for name in _ARRAYS if name != "kind"},
            "cut_streets": known.cut_streets,
            "behind": known.behind,
        }
    return json.dumps(told, separators=(",", ":"))


_ARRAYS: Final[dict[str, type[np.generic]]] = {
    "lon": np.float64, "lat": np.float64, "ptr": np.int64, "kind": np.uint8,
    "gate_lon": np.float64, "gate_lat": np.float64, "gate_m": np.float64, "gate_own": np.bool_,
}  # fmt: skip


def with_ground(streets: Streets, text: str, label: str) -> Streets:
    """Give streets the barriers, gates and water of `ground_text`.

    Raises
    ------
    careshed.schema.InputError
        If the text is not as `ground_text` writes it.
    """
    try:
        told = json.loads(text)
        barriers = _barriers(told["barriers"]) if "barriers" in told else None
        water = tuple(_outline(one) for one in told["water"])
        islands = tuple((int(at), _outline(one)) for at, one in told["islands"])
    except (ValueError, KeyError, TypeError) as error:
        raise bad(
            Path(label), "ground_unread", "屏障与水面无法读取", "its barriers and water cannot be read",
            "请重新保存，或删去属性 careshed_ground", "save it again, or delete the attribute careshed_ground",
            found=str(error)[:120],
        ) from error  # fmt: skip
    return replace(streets, barriers=barriers, water=water, islands=islands)


def _outline(corners: list[list[float]]) -> tuple[tuple[float, float], ...]:
    return tuple((float(lon), float(lat)) for lon, lat in corners)


def _barriers(told: dict[str, Any]) -> Barriers:
    told = told | {"kind": [KINDS.index(kind) for kind in told.pop("kinds")]}
    arrays = {name: np.array(told.pop(name), dtype=kind) for name, kind in _ARRAYS.items()}
    if len(arrays["ptr"]) != len(arrays["kind"]) + 1 or arrays["ptr"][-1] != len(arrays["lon"]):
        raise ValueError("lines and corners do not fit")
    return Barriers(**arrays, cut_streets=bool(told["cut_streets"]), behind=told["behind"])
