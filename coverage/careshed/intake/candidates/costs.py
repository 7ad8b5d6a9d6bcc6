"""Read a plan's cost model: what a square metre, a place or a bed costs."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from careshed.intake.columns import nearest
from careshed.intake.sources import damaged, must_exist, stop
from careshed.schema import Fault, InputError

Per = Literal["m2", "place", "bed"]


@dataclass(frozen=True)
class Price:
    """What one unit of a facility costs, as a plan's projects imply."""

    title_zh: str
    title_en: str
    per: Per
    yuan: float
    """Yuan for each square metre, place or bed."""
    types: tuple[str, ...] = ()
    """Facility types it holds for, as the plan names them."""
    classes: tuple[str, ...] = ()
    """Classes of operator it was derived from; all if empty."""
    note_zh: str = ""
    note_en: str = ""


class _Cost(BaseModel):
    """The keys of ``[[cost]]`` that matter here; the whole profile is checked where the plan is judged."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    title_zh: str
    title_en: str
    per: Per
    yuan: float
    types: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    note_zh: str = ""
    note_en: str = ""


def read_prices(profile: str, folder: str | Path = ".") -> tuple[Price, ...]:
    """Read the cost model of a plan, empty where the plan has none.

    Parameters
    ----------
    profile
        Id of a shipped profile, or path of a TOML file, relative to `folder`.

    Raises
    ------
    careshed.schema.InputError
        If there is no such profile, or its costs cannot be read.

    >>> [price.yuan for price in read_prices("chifeng-2022") if "敬老院" in price.types]
    [3500.0, 3985.8]
    """
    source = _shipped().get(profile)
    if source is not None:
        return _prices(Path(f"{profile}.toml"), source.read_bytes())
    path = Path(folder) / profile
    if path.suffix != ".toml" and not path.exists():
        known = sorted(_shipped())
        near = nearest(profile, known)
        hint = (f"是否应为 {near}？", f"Did you mean {near}? ") if near else ("", "")
        listed = ", ".join(known)
        cure = (
            f"{hint[0]}内置规划：{listed}；或写 TOML 文件的路径。",
            f"{hint[1]}Shipped: {listed}; or the path of a TOML file.",
        )
        raise stop(profile, "unknown_profile", ("没有该规划", "there is no such profile"), cure)
    must_exist(path)
    return _prices(path, path.read_bytes())


def _shipped() -> dict[str, Traversable]:
    """Find the plans that careshed ships, as data, by id."""
    folder: Final = resources.files("careshed").joinpath("policy", "profiles")
    return {one.name.removesuffix(".toml"): one for one in folder.iterdir() if one.name.endswith(".toml")}


def _prices(file: Path, content: bytes) -> tuple[Price, ...]:
    try:
        raw = tomllib.loads(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise damaged(file, error) from error
    entries = raw.get("cost", [])
    found: list[Price] = []
    faults: list[Fault] = []
    for number, entry in enumerate(entries if isinstance(entries, list) else [entries], start=1):
        try:
            found.append(Price(**_Cost.model_validate(entry).model_dump()))
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            told = (f"[[cost]] {number}: {key} 不正确（{first['msg']}）", f"[[cost]] {number}: {key} is wrong ({first['msg']})")
            cure = ("careshed profiles 可查看样例。", "See a shipped profile for how it is written.")
            faults += stop(file, "bad_cost", told, cure).faults
    if faults:
        raise InputError(faults)
    return tuple(found)
