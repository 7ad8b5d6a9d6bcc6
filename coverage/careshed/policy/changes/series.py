"""Count places and beds over time, from opening and closing dates and from card to card."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from careshed.policy.judging.card import Place, Scorecard

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("period", "type", "facilities", "places", "places_unknown", "undated")


def places_over_time(places: Sequence[Place], first: int, last: int, *, by: str = "type") -> pd.DataFrame:
    """Count facilities and places open at the end of each year, so that a city can watch them grow.

    A facility counts from the year it opened to the year before it closed, as when a plan is judged for a past year; one of
    unknown opening year counts in all years and is told apart. Registers keep years, not quarters: quarters come from
    `places_by_card`.

    Parameters
    ----------
    places
        Facilities of a card (`Scorecard.places`).
    first, last
        Years, both included.
    by
        ``type`` or ``unit``.

    Returns
    -------
    pandas.DataFrame
        Columns ``period`` (year), ``type`` (or ``unit``), ``facilities``, ``places``, ``places_unknown`` (facilities that state
        none), ``undated`` (facilities without an opening year).

    Examples
    --------
    >>> garden = Place("a", "Garden", "托育机构", "operating", "u", 40.0, 2022.0, None)
    >>> shut = Place("b", "Old garden", "托育机构", "closed", "u", 30.0, 2015.0, 2023.0)
    >>> places_over_time([garden, shut], 2021, 2023)["places"].tolist()
    [30.0, 70.0, 40.0]
    """
    if last < first:
        raise ValueError(f"last year {last} is before first {first}")
    rows = []
    for year in range(first, last + 1):
        rows += _counted(str(year), [place for place in places if _open_in(place, year)], by)
    return _table(rows, by)


def places_by_card(cards: Sequence[Scorecard], *, by: str = "type") -> pd.DataFrame:
    """Count facilities and places in operation at the date of each card: what the quarterly runs saw.

    Returns
    -------
    pandas.DataFrame
        As `places_over_time`; ``period`` is the card's date, the earliest first.
    """
    rows = []
    for card in sorted(cards, key=lambda card: card.data_date):
        rows += _counted(card.data_date, [place for place in card.places if place.status == "operating"], by)
    return _table(rows, by)


def _open_in(place: Place, year: int) -> bool:
    if place.status not in ("operating", "closed"):
        return False
    if place.opened is not None and place.opened >= year + 1:
        return False
    return place.closed is None or place.closed >= year + 1


def _counted(period: str, places: Sequence[Place], by: str) -> list[tuple[str, str, int, float, int, int]]:
    groups: dict[str, list[Place]] = {}
    for place in places:
        groups.setdefault(str(getattr(place, by)), []).append(place)
    return [
        (
            period,
            name,
            len(own),
            float(sum(place.places or 0.0 for place in own)),
            sum(place.places is None for place in own),
            sum(place.opened is None for place in own),
        )
        for name, own in sorted(groups.items())
    ]


def _table(rows: list[tuple[str, str, int, float, int, int]], by: str) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows, columns=[name if name != "type" else by for name in COLUMNS])
