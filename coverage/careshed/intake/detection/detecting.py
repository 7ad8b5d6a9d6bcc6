"""Score what coordinates may be by how the points sit on streets and in their units, against the same points moved at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import shapely
from geopandas import GeoDataFrame
from numpy.typing import ArrayLike, NDArray

from careshed.datum import Datum, bd09_from_gcj02, gcj02_from_wgs84, in_china_box
from careshed.intake.detection.ground import NearStreets, degrees, local_metres
from careshed.intake.detection.hints import mixed, small_shift
from careshed.intake.detection.hypotheses import HYPOTHESES, Hypothesis, undo
from careshed.intake.detection.verdict import DatumVerdict, Score
from careshed.intake.streets import Streets

FEWEST_POINTS: Final = 50
"""Fewer points are not judged."""

SUREST: Final = 0.8
"""Share of resamples in which the best hypothesis must beat all others and all random moves."""

LEAST_MARGIN: Final = 8.0
"""Least lead over the second best, and over the best random move, in log units."""

_MOVES: Final = 40
"""Random moves of the points, as rivals: where one of them does better, none of the hypotheses holds."""

_MOVED_M: Final = (250.0, 1_500.0)
"""Least and greatest length of a random move: as far as the datums lie apart."""

_RESAMPLES: Final = 200

_BESIDE_M: Final = (5.0, 60.0)
"""Where buildings stand beside a street."""

_ON_STREET: Final = 0.5
"""Weight of a point on the carriageway: a building is there only by a slip of the pin."""

_FROM_M, _TO_M = 2.0, 7.0
"""The weight rises from `_ON_STREET` to 1 between these distances."""

_EDGE_M, _FADE_M = 60.0, 9.0
"""Beyond about so many metres the weight falls off, over so many metres."""

_SEEN_M: Final = 150.0
"""Beyond this distance the weight is the same."""

_AWAY: Final = 0.08
"""Weight of a point far from any street."""

_BEYOND: Final = -1.0
"""Added to the log weight of a point beyond what the streets cover: facilities stand in the city whose streets are at hand."""

_IN_UNIT, _OUT_OF_UNIT = 0.9, 0.1
"""Weight of a point within and beyond its declared unit."""

_KNOWN_UNIT: Final = 0.5
"""Least share of the points that must declare a unit that there is, so that units count."""


@dataclass(frozen=True)
class _Evidence:
    """What the points are held against."""

    near: NearStreets | None
    shapes: NDArray[np.object_] | None
    """Polygon of each point's unit, degrees; None where it has none."""
    anywhere: shapely.Geometry | None
    """All units in one, where points declare none."""
    by_chance: float = 0.0
    """Mean log weight of places spread evenly over what the streets cover."""


def detect_datum(
    points: ArrayLike,
    *,
    streets: Streets | NearStreets | None,
    units: GeoDataFrame | None = None,
    declared_units: Sequence[str] | None = None,
    declared: Datum | None = None,
    fewest: int = FEWEST_POINTS,
    seed: int = 0,
) -> DatumVerdict:
    """Say which datum the points of a register are in, by how they sit on streets and in their units; convert nothing.

    Buildings stand 5 to 60 m beside a street and in the unit that the register declares. Under the right hypothesis nearly
    all points do; under a wrong one, some hundred metres off, they lie as points moved at random lie. Each hypothesis is
    scored by the sum of the points' log weights; the verdict asks for a lead over all others, and over the points moved at
    random, that holds in 80 % of resamples (bootstrap; Efron 1979). A tenth of the points may be wild. ``hints`` say what does
    not go with one datum for all: a share of the points that fits another, or all of them moved a little.

    Parameters
    ----------
    points
        Longitude and latitude as the file has them, degrees, shape (points, 2); rows with NaN are left out.
    streets
        Streets in WGS-84, or these prepared by `NearStreets.of`; None where only units are at hand.
    units
        Polygons in any system, index the code.
    declared_units
        Code that each point declares, "" for none; left out, lying in any unit counts.
    declared
        What the study states; the verdict says whether the points contradict it.
    fewest
        Fewer points are not judged.
    seed
        Of the random moves and resamples; the same seed gives the same verdict.

    Raises
    ------
    ValueError
        If there are neither streets nor units, or `declared_units` is not one for each point.
    """
    if streets is None and units is None:
        raise ValueError("a datum is detected by streets or units; neither is given")
    given = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    if declared_units is not None and len(declared_units) != len(given):
        raise ValueError(f"{len(given)} points, but {len(declared_units)} declared units")
    whole: NDArray[np.bool_] = np.asarray(np.isfinite(given).all(axis=1), dtype=np.bool_)
    codes = None if declared_units is None else [code for code, keep in zip(declared_units, whole, strict=True) if keep]
    held, stated = given[whole], declared or ""
    refused = _refused(held, fewest)
    if refused is not None:
        return DatumVerdict(None, 0.0, 0.0, 0.0, len(held), stated, (), refused)
    near = NearStreets.of(streets) if isinstance(streets, Streets) else streets
    return _judged(held, _evidence(near, units, codes), stated, np.random.default_rng(seed))


def raw_degrees(facilities: GeoDataFrame, datum: Datum | None) -> NDArray[np.float64]:
    """Give the coordinates of a table that was read in a datum as the file had them, for `detect_datum`.

    Returns
    -------
    numpy.ndarray
        Longitude and latitude in `datum`, degrees, shape (facilities, 2); NaN for facilities without a place.
    """
    flat = shapely.centroid(np.asarray(facilities.to_crs("EPSG:4326").geometry.array, dtype=object))
    lon, lat = shapely.get_x(flat), shapely.get_y(flat)
    if datum in ("GCJ-02", "BD-09"):
        lon, lat = gcj02_from_wgs84(lon, lat)
    if datum == "BD-09":
        lon, lat = bd09_from_gcj02(lon, lat)
    return np.column_stack([lon, lat])


def _refused(points: NDArray[np.float64], fewest: int) -> tuple[str, str] | None:
    """Say why points are not judged at all."""
    if len(points) < fewest:
        return f"只有 {len(points)} 个点，至少需要 {fewest} 个", f"only {len(points)} points, {fewest} are needed"
    if in_china_box(points[:, 0], points[:, 1]).mean() < 0.5:
        return "点不在中国，各基准无差别", "the points are not in China, where alone the datums differ"
    return None


def _evidence(near: NearStreets | None, units: GeoDataFrame | None, codes: Sequence[str] | None) -> _Evidence:
    """Look up the polygon of each point's unit; where hardly any is known, all units in one stand for them."""
    by_chance = 0.0 if near is None else float(np.log(_street_weight(near.distances(near.everywhere(), most=_SEEN_M))).mean())
    if units is None or units.geometry.isna().all():
        return _Evidence(near, None, None, by_chance)
    lonlat = units.to_crs("EPSG:4326")
    shapes = dict(zip(lonlat.index.astype(str), np.asarray(lonlat.geometry.array, dtype=object), strict=True))
    if codes is not None:
        found = np.array([shapes.get(str(code)) for code in codes] + [None], dtype=object)[:-1]
        if (~shapely.is_missing(found)).mean() >= _KNOWN_UNIT:
            shapely.prepare(found)
            return _Evidence(near, found, None, by_chance)
    anywhere = shapely.union_all(shapely.make_valid(np.array(list(shapes.values()), dtype=object)))
    shapely.prepare(anywhere)
    return _Evidence(near, None, anywhere, by_chance)


def _judged(points: NDArray[np.float64], evidence: _Evidence, declared: str, chance: np.random.Generator) -> DatumVerdict:
    """Score all hypotheses, and see how firmly the best one leads."""
    places = [undo(points, hypothesis) for hypothesis in HYPOTHESES]
    each = np.array([_log_weights(place, evidence) for place in places])
    prior = np.array([hypothesis.prior for hypothesis in HYPOTHESES])
    total = each.sum(axis=1) + prior
    order = np.argsort(-total, kind="stable")
    best = int(order[0])
    moved = np.array([_log_weights(place, evidence) for place in _moves(places[best], chance)])
    draws = chance.multinomial(len(points), np.full(len(points), 1.0 / len(points)), size=_RESAMPLES)
    rivals = np.column_stack([draws @ np.delete(each, best, axis=0).T + np.delete(prior, best), draws @ moved.T])
    sure = float((draws @ each[best] + prior[best] > rivals.max(axis=1)).mean())
    margin, above = float(total[best] - total[order[1]]), float(each[best].sum() - moved.sum(axis=1).max())
    scores = tuple(_score(HYPOTHESES[at], places[at], evidence, float(total[at])) for at in order)
    why_not = _doubts(sure, margin, above)
    many = len(points) >= FEWEST_POINTS
    hints = [mixed(each, best, moved)] if many else []
    if many and evidence.near is not None:
        hints.append(small_shift(places[best], partial(_log_weights, evidence=evidence), draws, SUREST))
    told = tuple(hint for hint in hints if hint[0])
    fits: Hypothesis | None = None if why_not[0] else HYPOTHESES[best]
    return DatumVerdict(fits, sure, margin, above, len(points), declared, scores, why_not, told)


def _doubts(sure: float, margin: float, above: float) -> tuple[str, str]:
    """Say why the best hypothesis does not lead firmly enough, "" where it does."""
    if above < LEAST_MARGIN:
        return (
            "无论按哪种基准，点与道路、单元的吻合都不比随机移动后好",
            "under no datum do the points sit better on streets and in units than when moved at random",
        )
    if margin < LEAST_MARGIN or sure < SUREST:
        return (
            f"两种解释相差太小（重抽样支持 {sure:.0%}，需 {SUREST:.0%}）",
            f"two explanations are too close ({sure:.0%} of resamples agree, {SUREST:.0%} are needed)",
        )
    return "", ""


def _moves(places: NDArray[np.float64], chance: np.random.Generator) -> list[NDArray[np.float64]]:
    """Move all points together, by random lengths in random directions."""
    angle, metres = chance.uniform(0.0, 2.0 * np.pi, _MOVES), chance.uniform(*_MOVED_M, _MOVES)
    middle = (float(places[:, 0].mean()), float(places[:, 1].mean()))
    here = local_metres(places, middle)
    steps = np.column_stack([np.cos(angle) * metres, np.sin(angle) * metres])
    return [degrees(here + step, middle) for step in steps]


def _log_weights(places: NDArray[np.float64], evidence: _Evidence) -> NDArray[np.float64]:
    """Weigh each point by where it stands: beside a street, and in its unit."""
    weights = np.zeros(len(places))
    if evidence.near is not None:
        weights = np.log(_street_weight(evidence.near.distances(places, most=_SEEN_M)))
        weights[~evidence.near.covers(places)] = evidence.by_chance + _BEYOND
    inside = _inside(places, evidence)
    if inside is not None:
        weights += np.where(np.isnan(inside), 0.0, np.log(np.where(inside == 1.0, _IN_UNIT, _OUT_OF_UNIT)))
    return weights


def _street_weight(metres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weigh a distance to the nearest street: low on it, 1 beside it, falling off about 60 m."""
    rising = _ON_STREET + (1.0 - _ON_STREET) * np.clip((metres - _FROM_M) / (_TO_M - _FROM_M), 0.0, 1.0)
    falling = _AWAY + (1.0 - _AWAY) / (1.0 + np.exp(np.clip((metres - _EDGE_M) / _FADE_M, -50.0, 50.0)))
    return np.asarray(rising * falling, dtype=np.float64)


def _inside(places: NDArray[np.float64], evidence: _Evidence) -> NDArray[np.float64] | None:
    """Say for each point whether it lies in its unit: 1, 0, or NaN where it has none; None without units."""
    if evidence.shapes is not None:
        known = ~shapely.is_missing(evidence.shapes)
        within = shapely.intersects_xy(evidence.shapes, places[:, 0], places[:, 1])
        return np.where(known, within.astype(np.float64), np.nan)
    if evidence.anywhere is not None:
        return np.asarray(shapely.intersects_xy(evidence.anywhere, places[:, 0], places[:, 1]), dtype=np.float64)
    return None


def _score(hypothesis: Hypothesis, places: NDArray[np.float64], evidence: _Evidence, total: float) -> Score:
    metres = evidence.near.distances(places) if evidence.near is not None else np.full(len(places), np.nan)
    inside = _inside(places, evidence)
    known = inside[~np.isnan(inside)] if inside is not None else np.array([])
    beside = float(((metres >= _BESIDE_M[0]) & (metres <= _BESIDE_M[1])).mean()) if evidence.near is not None else float("nan")
    in_units = float(known.mean()) if len(known) else float("nan")
    return Score(hypothesis, float(np.median(metres)), beside, in_units, total)
