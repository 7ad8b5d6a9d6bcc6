"""Count who has a place, who finds none in reach and who is out of reach: in all, by unit, by cell, by facility."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from careshed.access import unit_sums
from careshed.maps.facts import Scope
from careshed.maps.layers import NO_CLASS, Layer, Shade
from careshed.maps.panel import Legend
from careshed.maps.population import painted_cells, population_breaks
from careshed.maps.text import count, say, share
from careshed.maps.wording import PLACES, told
from careshed.words import led_parts, level_name, pick

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

    from careshed.schema import Grid
    from careshed.supply.catchments import CatchmentResult

STATES: Final = ("served", "no_place", "out_of_reach", "unjudged")
"""What may be true of a person: exactly one of these."""

SPLIT_COLOURS: Final = ("#2b8a8c", "#92cac6", "#e6a91f", "#f6dc98", "#cf5a24", "#efb193", "#9aa1a8")
"""Served, in reach without a place, out of reach, each full and pale; cannot be judged. The three differ in lightness too."""

FULL_TONE: Final = 0.75
"""A cell's colour is full where its most frequent state holds for at least this share of its people."""

ACCESS_COLOURS: Final = ("#ddd8cf", "#d6e2f2", "#a8c4e2", "#78a3cf", "#4a7fb5", "#1f5490")
"""Nothing within reach, then few to many places a person."""

SHARE_COLOURS: Final = ("#ddd8cf", "#d3ebe8", "#a3d3cf", "#6db5b3", "#3a9092", "#0a6168")
"""Nobody of a unit has a place, then few to many."""


class Assigned(Protocol):
    """Who goes where, as a map needs it: what an assignment of people to places holds."""

    @property
    def cells(self) -> pd.DataFrame:
        """Index ``cell_id``; ``people`` and, adding up to it, ``served``, ``no_place``, ``out_of_reach``, ``unjudged``."""

    @property
    def facilities(self) -> pd.DataFrame:
        """Index ``facility_id``; ``places`` (NaN unknown), ``served``, ``spare`` (below 0 where over-full), ``load`` (share)."""

    @property
    def links(self) -> pd.DataFrame:
        """One row a cell and a facility that takes people from it: ``cell_id``, ``facility_id``, ``people``."""

    @property
    def group(self) -> str:
        """Population group assigned."""

    @property
    def limit(self) -> int:
        """Largest cost that is in reach (≤), milliseconds or millimetres."""


@dataclass(frozen=True)
class Split:
    """People in each of the states; together they are everyone."""

    people: float
    served: float
    no_place: float
    out_of_reach: float
    unjudged: float

    @property
    def rounded(self) -> dict[str, int]:
        """The four as whole people that add up to the people shown: `careshed.words.led_parts`."""
        parts = (self.served, self.no_place, self.out_of_reach, self.unjudged)
        return dict(zip(STATES, led_parts(self.people, parts), strict=True))


def whole_split(cells: pd.DataFrame) -> Split:
    """Add up the split of all cells."""
    return Split(*(float(cells[name].sum()) for name in ("people", *STATES)))


def unit_split(cells: pd.DataFrame, unit: pd.Series, units: GeoDataFrame) -> dict[str, Split]:
    """Add up the split by unit; a unit counts for its parents too."""
    names = ["people", *STATES]
    codes, sums = unit_sums(cells[names].to_numpy(dtype=float), unit.to_numpy(), units)
    return {code: Split(*row) for code, row in zip(codes, sums.tolist(), strict=True)}


def split_sentence(scope: Scope, split: Split, limit: str) -> str:
    """Say in one sentence who has a place, who finds none and who is out of reach."""
    whole, found = round(split.people), split.rounded
    sentence = told(
        PLACES,
        scope.lang,
        "key",
        place=scope.place,
        people=count(whole),
        who=scope.seekers,
        served=count(found["served"]),
        served_part=share(split.served, split.people),
        limit=limit,
        no_place=count(found["no_place"]),
        no_place_part=share(split.no_place, split.people),
        out=count(found["out_of_reach"]),
        out_part=share(split.out_of_reach, split.people),
    )
    end = say(scope.lang, "key_unjudged", count(found["unjudged"])) if found["unjudged"] else say(scope.lang, "key_end")
    return sentence + end


def split_parts(split: Split, scope: Scope) -> list[tuple[str, str, float]]:
    """Name the states with their people, for a stacked bar."""
    labels = {name: told(PLACES, scope.lang, name) for name in STATES[:3]} | {"unjudged": say(scope.lang, "unjudged")}
    return [(name, labels[name], float(people)) for name, people in split.rounded.items()]


def split_classes(cells: pd.DataFrame) -> NDArray[np.uint8]:
    """Give each cell the state of most of its people, pale where it holds for fewer than three quarters; ties take the worse.

    >>> import pandas as pd
    >>> table = pd.DataFrame({"people": [4, 4, 0, 2], "served": [4, 2, 0, 1], "no_place": [0, 1, 0, 1],
    ...                       "out_of_reach": [0, 1, 0, 0], "unjudged": [0, 0, 0, 0]})
    >>> split_classes(table).tolist()
    [1, 2, 0, 4]
    """
    worst_first = cells[["out_of_reach", "no_place", "served", "unjudged"]].to_numpy(dtype=float)
    state = np.array([2, 1, 0, 3])[worst_first.argmax(axis=1)]
    people = cells["people"].to_numpy(dtype=float)
    pale = (worst_first.max(axis=1) < FULL_TONE * people) & (state < 3)
    return np.where(people > 0, 1 + 2 * state + pale, 0).astype(np.uint8)


def split_layer(cells: GeoDataFrame, split: pd.DataFrame, grid: Grid | None) -> Layer:
    """Paint who has a place, who finds none and who is out of reach."""
    return painted_cells(cells, split_classes(split), SPLIT_COLOURS, grid)


def split_legend(scope: Scope) -> Legend:
    """Explain the colours of the split."""
    names = [told(PLACES, scope.lang, name) for name in ("served", "no_place_short", "out_of_reach")]
    names.append(say(scope.lang, "unjudged"))
    full = [*SPLIT_COLOURS[:6:2], SPLIT_COLOURS[6]]
    steps = tuple(zip(full, names, strict=True))
    return Legend("split", told(PLACES, scope.lang, "split"), steps, note=told(PLACES, scope.lang, "split_note"))


def access_layer(cells: GeoDataFrame, access: CatchmentResult, people: NDArray[np.float64], grid: Grid | None) -> Layer | None:
    """Paint the places within reach per 1,000 people who compete for them; cells without people stay clear."""
    per_thousand = access.access.reindex(cells.index).to_numpy(dtype=float) * (1000 / access.per)
    shown = (people > 0) & ~np.isnan(per_thousand)
    breaks = population_breaks(per_thousand[shown])
    if not breaks:
        return None
    classes = np.where(per_thousand > 0, 2 + np.searchsorted(breaks, per_thousand, side="right"), 1)
    painted = np.where(shown, classes, 0).astype(np.uint8)
    return {"breaks": breaks} | painted_cells(cells, painted, ACCESS_COLOURS[: len(breaks) + 2], grid)


def break_labels(breaks: list[float], unit: str = "") -> list[str]:
    """Label the classes that breaks make, nothing at all first.

    >>> break_labels([20.0, 40.0])
    ['0', '<20', '≥20', '≥40']
    """
    texts = [f"{value:,g}{unit}" for value in breaks]
    return [f"0{unit}", f"<{texts[0]}", *(f"≥{text}" for text in texts)]


def access_legend(layer: Layer, access: CatchmentResult, scope: Scope) -> Legend:
    """Explain the colours of places within reach, and name the method."""
    from careshed.supply.catchments import METHOD_NAMES

    breaks = cast(list[float], layer["breaks"])
    method = pick(scope.lang, *METHOD_NAMES[access.method])
    return Legend(
        "access",
        told(PLACES, scope.lang, "access"),
        tuple(zip(ACCESS_COLOURS, break_labels(breaks), strict=False)),
        told(PLACES, scope.lang, "access_unit", scope.seekers),
        told(PLACES, scope.lang, "access_note", method),
    )


def share_breaks(splits: Mapping[str, Split]) -> list[float]:
    """Split the units' shares with a place into classes at round numbers, percent."""
    return population_breaks(np.array([100 * one.served / one.people for one in splits.values() if one.people > 0]))


def unit_shade(splits: Mapping[str, Split], breaks: list[float], scope: Scope) -> Shade:
    """Colour a unit by the share of its people who have a place, and put the three answers into words."""

    def shade(unit: str, row: Mapping[str, object]) -> tuple[int, list[str]]:
        one = splits.get(unit)
        heading = f"{row.get('name', '')} · {level_name(str(row.get('level', '')), scope.lang)}"
        if one is None or not one.people > 0:
            return NO_CLASS, [heading, say(scope.lang, "no_people")]
        part = 100 * one.served / one.people
        kind = 1 + int(np.searchsorted(breaks, part, side="right")) if part > 0 else 0
        who = pick(scope.lang, "{} 名{}", "{} {}").format(count(one.people), scope.seekers)
        form = pick(scope.lang, "{} {}（{}）", "{} {} ({})")
        parts = [(label, people) for _, label, people in split_parts(one, scope) if people]
        lines = [form.format(label, count(people), share(people, one.people)) for label, people in parts]
        return kind, [heading, who, *lines]

    return shade


def share_legend(breaks: list[float], tiers: list[str], scope: Scope) -> Legend:
    """Explain the colours of units."""
    steps = tuple(zip(SHARE_COLOURS, break_labels(breaks, "%") if breaks else ["0%"], strict=False))
    return Legend(" ".join(tiers), told(PLACES, scope.lang, "figure_note"), steps)
