"""Say what became of every facility between two runs: opened, closed, appeared, vanished, grew or shrank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from careshed.policy.judging.card import Place

Kind = Literal["opened", "closed", "appeared", "vanished", "moved_on", "more", "fewer", "edited"]

KINDS: Final[dict[Kind, tuple[str, str]]] = {
    "opened": ("新运营", "opened"),
    "closed": ("停业", "closed"),
    "vanished": ("登记表中已无", "no longer in the registers"),
    "more": ("增加床位（托位）", "gained places"),
    "fewer": ("减少床位（托位）", "lost places"),
    "appeared": ("新列项目", "new project"),
    "moved_on": ("项目状态变化", "project changed status"),
    "edited": ("登记信息修改", "register entry changed"),
}
"""What became of a facility -> (Chinese, English), in the order in which they are told."""

FIELDS: Final[dict[str, tuple[str, str]]] = {
    "name": ("名称", "name"),
    "type": ("类型", "type"),
    "unit": ("所属单元", "unit"),
    "places": ("床位（托位）数", "places"),
    "opened": ("开办年份", "opening year"),
    "closed": ("停业年份", "closing year"),
    "status": ("状态", "status"),
}
"""Fields of a register entry that are compared -> (Chinese, English)."""


@dataclass(frozen=True)
class FacilityChange:
    """One facility that is not as it was."""

    kind: Kind
    id: str
    before: Place | None
    after: Place | None
    fields: tuple[str, ...]
    """Fields that differ; empty where it is in one run only."""
    late: bool = False
    """Whether the registers date the opening or closing before the year of the earlier run, so that it is an entry made late."""

    @property
    def now(self) -> Place:
        """The facility as last known."""
        found = self.after or self.before
        if found is None:
            raise ValueError(f"{self.id} is in neither run")
        return found

    @property
    def places(self) -> float:
        """Change in places that operate, 0 where they are not known."""
        return operating_places(self.after) - operating_places(self.before)

    @property
    def facilities(self) -> int:
        """Change in facilities that operate: 1, 0 or −1."""
        return int(_operates(self.after)) - int(_operates(self.before))


def _operates(place: Place | None) -> bool:
    return place is not None and place.status == "operating"


def operating_places(place: Place | None) -> float:
    """Give the places of a facility that operates, 0 where it does not or where they are not known."""
    return (place.places or 0.0) if place is not None and place.status == "operating" else 0.0


def compare_facilities(before: Sequence[Place], after: Sequence[Place], *, year: int | None = None) -> tuple[FacilityChange, ...]:
    """Say what became of every facility between two runs; those that are as they were are left out.

    Facilities are known by their id. One that operated and is no longer listed has vanished: closed without a year, or struck
    from the register.

    Parameters
    ----------
    year
        Year of the earlier run; openings and closings that the registers date before it were entered late.

    Examples
    --------
    >>> old = Place("a", "Garden", "托育机构", "building", "u1", 40.0, None, None)
    >>> new = Place("a", "Garden", "托育机构", "operating", "u1", 45.0, 2025.0, None)
    >>> [(one.kind, one.places) for one in compare_facilities([old], [new])]
    [('opened', 45.0)]
    """
    first, second = {place.id: place for place in before}, {place.id: place for place in after}
    found = []
    for code in dict.fromkeys([*first, *second]):
        old, new = first.get(code), second.get(code)
        fields = _differing(old, new)
        if old is None or new is None or fields:
            kind = _kind(old, new, fields)
            if kind is not None:
                found.append(FacilityChange(kind, code, old, new, fields, _late(kind, new, year)))
    order = list(KINDS)
    return tuple(sorted(found, key=lambda change: (order.index(change.kind), change.id)))


def _differing(old: Place | None, new: Place | None) -> tuple[str, ...]:
    if old is None or new is None:
        return ()
    return tuple(name for name in FIELDS if getattr(old, name) != getattr(new, name))


def _kind(old: Place | None, new: Place | None, fields: tuple[str, ...]) -> Kind | None:
    """Decide what became of a facility; None for what was shut before it was ever seen, or shut and struck."""
    if _operates(new) and not _operates(old):
        return "opened"
    if new is None:
        return None if old is not None and old.status == "closed" else "vanished"
    if _operates(old):
        if not _operates(new):
            return "closed"
        if "places" in fields and old is not None and old.places is not None and new.places is not None:
            return "more" if new.places > old.places else "fewer"
        return "edited"
    if old is None:
        return None if new.status == "closed" else "appeared"
    return "moved_on" if "status" in fields else "edited"


def _late(kind: Kind, new: Place | None, year: int | None) -> bool:
    if year is None or new is None:
        return False
    dated = {"opened": new.opened, "closed": new.closed}.get(kind)
    return dated is not None and dated < year
