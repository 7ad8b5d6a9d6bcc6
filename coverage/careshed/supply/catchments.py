"""Measure who finds a place: floating catchments, in which people compete for the places within their reach.

A facility's *ratio* is its places over the people who come to it; a cell's *access* adds up the ratios within reach. The
methods differ only in how much a pair counts in either sum, so each is two columns of weights over the same sparse pairs
of facility j and cell i, within the limit (≤): with people Pᵢ, places Sⱼ and the decay's weight wᵢⱼ,

    Rⱼ = Sⱼ / Σᵢ drawᵢⱼ Pᵢ        Aᵢ = Σⱼ gainᵢⱼ Rⱼ

A catchment that holds nobody has no ratio (NaN) and adds 0 to every cell in it, which are cells without people. It is never
infinite.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

import numpy as np

from careshed.schema import Fault
from careshed.supply.decay import Decay, Flat
from careshed.supply.weighing import Floats, Pairs, hidden_cells, pairs_within, people_of, places_of

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

    from careshed.reach import TravelTimes

Method = Literal["2sfca", "e2sfca", "3sfca", "bfca", "m2sfca", "huff", "congested"]
"""A way of letting people compete for places; each has a function below with its formula and source."""

METHOD_NAMES: Final[dict[Method, tuple[str, str]]] = {
    "2sfca": ("两步移动搜索法（2SFCA）", "two-step floating catchments (2SFCA)"),
    "e2sfca": ("增强两步移动搜索法（E2SFCA）", "enhanced two-step floating catchments (E2SFCA)"),
    "3sfca": ("三步移动搜索法（3SFCA）", "three-step floating catchments (3SFCA)"),
    "bfca": ("平衡移动搜索法（BFCA）", "balanced floating catchments (BFCA)"),
    "m2sfca": ("改进两步移动搜索法（M2SFCA）", "modified two-step floating catchments (M2SFCA)"),
    "huff": ("Huff三步移动搜索法（H3SFCA）", "Huff three-step floating catchments (H3SFCA)"),
    "congested": ("考虑拥挤的Huff移动搜索法", "Huff catchments with crowding"),
}
"""Method -> (Chinese, English)."""


@dataclass(frozen=True)
class CatchmentResult:
    """Places for the people of a group: for every cell what its people find, for every facility how crowded it is."""

    access: pd.Series[float]
    """Places per `per` people that each cell's people find, index ``cell_id``: 0 where nothing is in reach or every catchment
    in reach holds nobody; NaN where a cell cannot be judged or reaches only facilities whose places are unknown."""
    ratio: pd.Series[float]
    """Places per `per` people in each facility's catchment, index ``facility_id``: NaN where places are unknown or the
    catchment holds nobody; small is crowded."""
    demand: pd.Series[float]
    """People in each facility's catchment, weighed as the method weighs them; NaN where places are unknown."""
    unknown_in_reach: pd.Series[int]
    """Facilities of unknown places in each cell's reach: where above 0, `access` leaves them out."""
    unknown: pd.Index[str]
    """Facilities without known places: left out, neither drawing people nor offering places."""
    empty: pd.Index[str]
    """Facilities of known places whose catchment holds nobody."""
    per: float
    """People that `access` and `ratio` are counted by: 1 for places per person, 1000 for places per thousand."""
    method: Method
    group: str
    limit: int
    """Largest cost that counts (≤), milliseconds or millimetres."""


def floating_catchment(
    times: TravelTimes,
    cells: GeoDataFrame,
    *,
    group: str = "total",
    method: Method = "e2sfca",
    minutes: float | None = None,
    metres: float | None = None,
    decay: Decay | None = None,
    supply: str | pd.Series[float] = "places",
    per: float = 1.0,
) -> CatchmentResult:
    """Measure how many places the people of each cell find, given who else comes for them.

    Cells at exactly the limit count (≤). Facilities of unknown places are left out and listed. Places of 0 are known: such a
    facility offers nothing, but in ``3sfca`` and ``bfca`` it draws people as the formulas say; leave it out of the travel
    times if it offers no such service. Rational agents (RAAM) answer another question, in travel cost, and have a
    function of their own: `careshed.supply.agents.rational_agents`.

    Parameters
    ----------
    method
        ``2sfca``, ``e2sfca``, ``3sfca``, ``bfca``, ``m2sfca``, ``huff`` or ``congested``: see `enhanced`, `three_step`,
        `balanced`, `modified`, `huff` and `congested`.
    minutes, metres
        Limit of the catchments, of the travel costs' own metric and within the limit searched.
    decay
        How much less a farther place counts, its figures in the unit of the limit; ``2sfca`` takes none, ``e2sfca`` needs one,
        the others weigh all alike without.
    supply
        Column of places in the facilities, or places by facility id.
    per
        People to count places by.

    Raises
    ------
    ValueError
        If the cells are not those of the travel times, the limit does not fit, or places or people are no counts.

    Examples
    --------
    Luo and Wang (2003, fig. 3): place a is within reach of eight people, b of four, and one of them reaches both.

    >>> import geopandas as gpd, numpy as np, pandas as pd
    >>> from careshed.modes import WALK_ADULT
    >>> from careshed.reach import TravelTimes
    >>> people = gpd.GeoDataFrame({"total": np.ones(11)}, index=pd.RangeIndex(1, 12, name="cell_id"))
    >>> places = gpd.GeoDataFrame({"places": [1.0, 1.0]}, index=["a", "b"])
    >>> reached = np.array([1, 2, 3, 4, 6, 7, 9, 10, 4, 5, 8, 11], dtype=np.int32) - 1
    >>> times = TravelTimes(places, people.index, np.array([0, 8, 12]), reached, np.full(12, 1_200_000, dtype=np.uint32),
    ...     np.full(11, 1_200_000), np.zeros(11, dtype=np.int32), np.full(11, ""), np.full(2, ""), "time", 1_800_000,
    ...     "to_facility", WALK_ADULT, 150.0)
    >>> found = floating_catchment(times, people, method="2sfca", minutes=20)
    >>> found.access.loc[[1, 4, 5]].tolist()
    [0.125, 0.375, 0.25]
    """
    import pandas as pd

    people, places = people_of(times, cells, group), places_of(times, supply)
    decay = _decay_for(method, decay)
    if not 0 < per < np.inf:
        raise ValueError(f"places are counted per a number of people above 0, not {per}")
    known = ~np.isnan(places)
    pairs = pairs_within(times, minutes=minutes, metres=metres, rows=known)
    draw, gain = WEIGHING[method](pairs, pairs.weights(decay), people, np.where(known, places, 0.0))
    demand = pairs.to_facilities(draw, people)
    ratio = np.divide(places, demand, out=np.full(len(places), np.nan), where=known & (demand > 0))
    access = pairs.to_cells(gain, np.nan_to_num(ratio))
    unknown_in_reach, hidden = hidden_cells(times, pairs, known)
    access[hidden | (times.cell_fault != "")] = np.nan
    facility_ids = times.facilities.index
    return CatchmentResult(
        access=pd.Series(access * per, index=times.cell_ids, name="access"),
        ratio=pd.Series(ratio * per, index=facility_ids, name="ratio"),
        demand=pd.Series(np.where(known, demand, np.nan), index=facility_ids, name="demand"),
        unknown_in_reach=pd.Series(unknown_in_reach, index=times.cell_ids, name="unknown_in_reach"),
        unknown=facility_ids[~known],
        empty=facility_ids[known & ~(demand > 0)],
        per=float(per),
        method=method,
        group=group,
        limit=pairs.limit,
    )


def enhanced(pairs: Pairs, weights: Floats, people: Floats, places: Floats) -> tuple[Floats, Floats]:  # noqa: ARG001
    """Weigh pairs alike in both steps: draw = gain = w (2SFCA: Luo and Wang, 2003; E2SFCA: Luo and Qi, 2009).

    Rⱼ = Sⱼ / Σᵢ wᵢⱼ Pᵢ and Aᵢ = Σⱼ wᵢⱼ Rⱼ, with w = 1 within the limit for 2SFCA (Environment and Planning B 30, 865–884) and
    a decay for E2SFCA (Health & Place 15, 1100–1107). Σᵢ Pᵢ Aᵢ is the places of all catchments that hold anybody.
    """
    return weights, weights


def three_step(pairs: Pairs, weights: Floats, people: Floats, places: Floats) -> tuple[Floats, Floats]:  # noqa: ARG001
    """Let people split over what they reach: draw = gain = G·w (3SFCA: Wan, Zou and Sternberg, 2012, IJGIS 26, 1073–1089).

    Gᵢⱼ = wᵢⱼ / Σₖ wᵢₖ, Rⱼ = Sⱼ / Σᵢ Gᵢⱼ wᵢⱼ Pᵢ and Aᵢ = Σⱼ Gᵢⱼ wᵢⱼ Rⱼ. Σᵢ Pᵢ Aᵢ is the places of all catchments that hold
    anybody.
    """
    both = weights * _share_of_cell(pairs, weights)
    return both, both


def balanced(pairs: Pairs, weights: Floats, people: Floats, places: Floats) -> tuple[Floats, Floats]:  # noqa: ARG001
    """Count nobody and no service level twice (BFCA: Paez, Higgins and Vivona, 2019, PLoS ONE 14(6), e0218773).

    drawᵢⱼ = wᵢⱼ / Σₖ wᵢₖ (people split over facilities) and gainᵢⱼ = wᵢⱼ / Σₖ wₖⱼ (a ratio splits over cells): demand adds up to
    the people in reach of anything, and Σᵢ Aᵢ = Σⱼ Rⱼ. It is the ratios that are kept, not the places.
    """
    column = pairs.spread(pairs.to_facilities(weights, np.ones(pairs.cells)))
    return _share_of_cell(pairs, weights), _divided(weights, column)


def modified(pairs: Pairs, weights: Floats, people: Floats, places: Floats) -> tuple[Floats, Floats]:  # noqa: ARG001
    """Let distance cost places as well as share them: draw = w, gain = w² (M2SFCA: Delamater, 2013, Health & Place 24, 30–43).

    Aᵢ = Σⱼ wᵢⱼ² Sⱼ / Σₖ wₖⱼ Pₖ. With weights up to 1, Σᵢ Pᵢ Aᵢ falls short of the places the farther people live from them: that
    shortfall is what the method measures.
    """
    return weights, np.square(weights)


def huff(pairs: Pairs, weights: Floats, people: Floats, places: Floats) -> tuple[Floats, Floats]:  # noqa: ARG001
    """Let people prefer what is near and large: draw = gain = H·w (H3SFCA: Luo, 2014, Transactions in GIS 18, 436–448).

    Hᵢⱼ = Sⱼ wᵢⱼ / Σₖ Sₖ wᵢₖ (Huff, 1963), otherwise as 3SFCA. A facility without places draws nobody.
    """
    both = weights * _share_of_cell(pairs, weights * pairs.spread(places))
    return both, both


ROUNDS: Final = 200
"""Most rounds of `congested`. Near the solution a round leaves at most half the error of the one before (the averaged map has
eigenvalues between 0 and ½), so some 50 reach the last digit."""


def congested(pairs: Pairs, weights: Floats, people: Floats, places: Floats) -> tuple[Floats, Floats]:
    """Let people turn away from what is crowded: Huff's choice among ratios as found, in equilibrium.

    pᵢⱼ = wᵢⱼ Rⱼ / Σₖ wᵢₖ Rₖ with Rⱼ = Sⱼ / Σᵢ pᵢⱼ Pᵢ, draw = gain = p: Huff's (1963, Land Economics 39, 81–90) choice, where what
    attracts is not a facility's places but its places *per person who comes*. It is the stochastic user equilibrium of Fisk
    (1980, Transportation Research B 14, 243–255) with crowding cost ln(people/places), the only minimum of a convex function;
    Rⱼ ← √(Sⱼ / Σᵢ (wᵢⱼ Pᵢ / Σₖ wᵢₖ Rₖ)), the mean in logarithms of a ratio and of the ratio that it brings about, finds it.
    Σᵢ Pᵢ Aᵢ is the places of all catchments that hold anybody.
    """
    matrix = pairs.matrix(weights)
    sought = (np.asarray(matrix @ people) > 0) & (places > 0)
    ratio = np.divide(places, np.asarray(matrix @ people), out=np.zeros(len(places)), where=sought)
    for _ in range(ROUNDS):
        found = np.asarray(matrix.T @ ratio)
        calling = np.asarray(matrix @ _divided(people, found))
        answer = np.sqrt(_divided(places * sought, calling))
        change = np.abs(answer - ratio)
        ratio = answer
        if (change <= 1e-14 * answer).all():
            break
    share = _share_of_cell(pairs, weights * pairs.spread(ratio))
    return share, share


WEIGHING: Final[dict[Method, Callable[[Pairs, Floats, Floats, Floats], tuple[Floats, Floats]]]] = {
    "2sfca": enhanced,
    "e2sfca": enhanced,
    "3sfca": three_step,
    "bfca": balanced,
    "m2sfca": modified,
    "huff": huff,
    "congested": congested,
}
"""Method -> how much each pair draws people to a facility, and how much of its ratio a cell gains."""


def _decay_for(method: Method, decay: Decay | None) -> Decay:
    if method not in get_args(Method):
        raise ValueError(f"no method {method!r}; there are: {', '.join(get_args(Method))}")
    if method == "2sfca" and decay is not None:
        raise ValueError("2sfca counts everything within the limit alike; with a decay it is e2sfca")
    if method == "e2sfca" and decay is None:
        raise ValueError("e2sfca needs a decay, such as Step((5, 10, 15), (1, 0.68, 0.22)); without one it is 2sfca")
    return decay if decay is not None else Flat()


def _share_of_cell(pairs: Pairs, weights: Floats) -> Floats:
    """Each pair's share of its cell's weights, 0 where the cell has none."""
    return _divided(weights, pairs.to_cells(weights, np.ones(len(pairs.indptr) - 1))[pairs.indices])


def _divided(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


FAULTS: Final = {
    "places_unknown": (
        "“{name}”的床位或托位数未知，未计入供给",
        "the places of {name!r} are unknown; it is left out of the supply",
        ("请在登记表中补充", "add them to the register"),
    ),
    "catchment_empty": (
        "“{name}”的服务范围内无人居住，没有人均值",
        "nobody lives in the catchment of {name!r}; it has no places per person",
        ("请核对位置和人口数据", "check its position and the population"),
    ),
}
"""Kind of fault -> (Chinese, English, cures)."""


def catchment_faults(times: TravelTimes, result: CatchmentResult) -> list[Fault]:
    """Tell which facilities were left out because nobody knows their places, and which stand where nobody lives."""
    table, found = times.facilities, []
    for code, ids in (("places_unknown", result.unknown), ("catchment_empty", result.empty)):
        zh, en, cure = FAULTS[code]
        for facility_id in ids:
            facility = table.loc[facility_id]
            name = str(facility.get("name", facility_id))
            file, row = str(facility.get("file", "")), str(facility.get("row", ""))
            found.append(Fault(code, file, zh.format(name=name), en.format(name=name), *cure, row=row, severity="noted"))
    return found
