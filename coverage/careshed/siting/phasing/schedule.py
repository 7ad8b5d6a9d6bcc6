"""Make phases from what a plan promises year by year."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Final, Literal

from careshed.schema import InputError
from careshed.siting.phasing.phase import Phase
from careshed.siting.planning.rule_checks import bad

if TYPE_CHECKING:
    from careshed.policy.model import Profile, Rule
    from careshed.schema import Fault

Counts = Literal["places", "sites"]

COUNTS: Final[dict[str, Counts]] = {
    "places_added": "places",
    "places_per_1000": "places",
    "places": "places",
    "facilities": "sites",
}
"""Measure of a rule that phases can be made of -> what a phase must bring."""


def phases_by_year(
    added: Mapping[int, float],
    *,
    counts: Counts = "places",
    yuan: Mapping[int, float] | None = None,
    sites: Mapping[int, int] | None = None,
) -> tuple[Phase, ...]:
    """Make a phase of every year that must bring so many new sites or places, such as a row of a breakdown.

    Parameters
    ----------
    added
        Year -> what that year must add; a year with 0 is a phase all the same.
    yuan, sites
        Year -> money, and most new sites, of that year; a year that is missing has no limit.

    Examples
    --------
    >>> phases_by_year({2026: 2, 2027: 1}, counts="sites", yuan={2026: 3e6})
    (Phase(year=2026, name='', sites=None, yuan=3000000.0, at_least_sites=2, weight=None, at_least_places=0.0),
     Phase(year=2027, name='', sites=None, yuan=None, at_least_sites=1, weight=None, at_least_places=0.0))
    """
    return tuple(
        Phase(
            year,
            sites=(sites or {}).get(year),
            yuan=(yuan or {}).get(year),
            at_least_sites=ceil(added[year]) if counts == "sites" else 0,
            at_least_places=float(added[year]) if counts == "places" else 0.0,
        )
        for year in sorted(added)
    )


def phases_of(
    profile: Profile,
    rule_id: str,
    *,
    part: float = 1.0,
    people: float | None = None,
    today: float = 0.0,
    since: int | None = None,
    yuan: Mapping[int, float] | None = None,
    sites: Mapping[int, int] | None = None,
) -> tuple[Phase, ...]:
    """Make a phase of every year for which a rule of a plan states a target.

    ``places_added`` (Shuozhou's ``tuo_added``, Chifeng's ``tuo_inclusive_per_year``): every year brings what it states.
    ``places_per_1000`` (Chifeng's ``tuo_per_1000_by_year``), ``places`` and ``facilities``: every year must have reached its
    target, so a phase brings what is missing after what stands `today` and what the years before bring; rounded up.

    Parameters
    ----------
    part
        Share of the plan's target that falls to the study, such as a county's by `careshed.policy.breakdown`.
    people
        People that a target per 1,000 speaks of, in the whole area of the plan.
    today
        Places or facilities that stand in the whole area of the plan; only where targets say what must have been reached.
    since
        First year to plan. What the years before should have added is taken as past; what they should have reached is not.
    yuan, sites
        As in `phases_by_year`.

    Raises
    ------
    careshed.schema.InputError
        If there is no such rule, or it states no targets by year that sites can meet; names those that do.

    Examples
    --------
    >>> from careshed.policy.loading import load_profile
    >>> [(one.year, one.at_least_places) for one in phases_of(load_profile("shuozhou-2023"), "tuo_added", since=2024)]
    [(2024, 1800.0), (2025, 2008.0)]
    >>> chifeng = load_profile("chifeng-2022")
    >>> [(one.year, one.at_least_places) for one in phases_of(chifeng, "tuo_per_1000_by_year", people=4_036_010, today=5497)]
    [(2022, 2576.0), (2023, 4036.0), (2024, 4036.0), (2025, 2018.0)]
    """
    rule = next((one for one in profile.rules if one.id == rule_id), None)
    faults = _faults(profile, rule, rule_id, part, people)
    if rule is None or faults:
        raise InputError(faults)
    added = dict(rule.by_year) if rule.measure == "places_added" else _missing(rule, people or 0.0, today, since)
    mine = {year: _whole(amount, part) for year, amount in added.items() if since is None or year >= since}
    if not mine:
        last = max(rule.by_year)
        cure = (f"最后一年为 {last}。", f"Its last year is {last}.")
        raise InputError(
            [
                bad(
                    "no_phases",
                    "该规则在所给年份以后没有目标",
                    "the rule has no target from this year on",
                    *cure,
                    found=str(since),
                )
            ]
        )
    return phases_by_year(mine, counts=COUNTS[rule.measure], yuan=yuan, sites=sites)


def _whole(amount: float, part: float) -> float:
    """A part of an amount, rounded up to whole places or sites."""
    return float(ceil(Fraction(str(amount)) * Fraction(str(part))))


def _missing(rule: Rule, people: float, today: float, since: int | None) -> dict[int, float]:
    """What each year must bring so that it has reached its target."""
    found: dict[int, float] = {}
    have = float(ceil(today)) if today == ceil(today) else today
    for year in sorted(rule.by_year):
        if since is not None and year < since:
            continue
        stated = Fraction(str(rule.by_year[year]))
        target = float(ceil(stated * Fraction(str(people)) / 1000)) if rule.measure == "places_per_1000" else float(stated)
        found[year] = max(target - have, 0.0)
        have = max(target, have)
    return found


def _faults(profile: Profile, rule: Rule | None, rule_id: str, part: float, people: float | None) -> list[Fault]:
    fitting = [one.id for one in profile.rules if one.by_year and one.measure in COUNTS and one.op in (">=", ">", "=")]
    named = ", ".join(fitting) or "—"
    cure = (f"{profile.id} 中可用的规则：{named}。", f"Rules of {profile.id} that do: {named}.")
    found: list[Fault] = []
    if rule is None:
        found.append(bad("unknown_rule", "政策文件中没有这条规则", "the plan has no such rule", *cure, found=rule_id))
    elif rule.id not in fitting:
        zh, en = "该规则没有可由选址实现的分年度目标", "the rule states no targets by year that new sites could meet"
        found.append(bad("rule_without_years", zh, en, *cure, found=rule_id))
    elif rule.measure == "places_per_1000" and not (people is not None and 0 < people < float("inf")):
        more = ("请填写 people。", "Give people.")
        found.append(
            bad("no_people", "千人指标需要人口数", "a target per 1,000 needs the number of people", *more, found=str(people))
        )
    if not 0 < part <= 1:
        found.append(bad("bad_share", "part 应大于 0、至多为 1", "part must be above 0 and at most 1", found=str(part)))
    return found
