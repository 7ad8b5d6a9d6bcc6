"""Say what the map shows in numbers and sentences, each with its denominator."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame

from careshed.maps.text import count, in_sentence, levels_text, minutes_text, say, share
from careshed.words import Lang, group_name, led_parts, pick, whole_parts

if TYPE_CHECKING:
    from careshed.modes import Mode
    from careshed.reach import TravelTimes
    from careshed.run.results import ServiceResult
    from careshed.siting import SitePlan
    from careshed.study import Study

MS_PER_MINUTE = 60_000
"""Costs are milliseconds of travel."""


@dataclass(frozen=True)
class Reached:
    """People of one group who reach a facility within one limit."""

    group: str
    minutes: float
    people: float
    covered: float
    unjudged: float
    """People of cells attached to no street, or to streets that join no facility."""

    @property
    def whole(self) -> tuple[int, int, int]:
        """People reached, out of reach and unjudged as shown everywhere: `reached_parts`."""
        return reached_parts(self.people, self.covered, self.unjudged)

    @property
    def missed(self) -> int:
        """People out of reach as shown, those who cannot be judged not among them."""
        return self.whole[1]


def reached_parts(people: float, covered: float, unjudged: float) -> tuple[int, int, int]:
    """Show people as reached, out of reach and unjudged, whole people that add up to the people shown; reached as in tables.

    >>> reached_parts(100.4, 50.3, 0.45), reached_parts(459.342, 57.492, 34.399)
    ((50, 50, 0), (57, 368, 34))
    """
    reached, missed, unknown = led_parts(people, (covered, people - covered - unjudged, unjudged))
    return reached, missed, unknown


def effect_parts(had: float, gained: float, lost: float, left: float, unjudged: float) -> tuple[int, int, int, int, int]:
    """Show what sites do for people, as whole people that add up: to all, to those in reach then, and to those out of it.

    >>> effect_parts(2.5044, 4.6028, 0.0, 19.0214, 2.3073)
    (3, 4, 0, 19, 2)
    """
    people = had + gained + lost + left + unjudged
    reached, missed, unknown = reached_parts(people, had + gained, unjudged)
    before, gone = min(round(had), reached), min(round(lost), missed)
    return before, reached - before, gone, missed - gone, unknown


def gap_parts(gaps: GeoDataFrame, one: Reached | None = None) -> tuple[int, int]:
    """Show the people in gaps and those of them who cannot be judged, in step with the parts shown of everyone.

    Parameters
    ----------
    one
        Who reaches the service, where the gaps are its: what is shown then adds up to its people.
    """
    people, unjudged = (float(gaps[name].sum()) for name in ("people", "unjudged"))
    if one is not None and max(abs(one.people - one.covered - people), abs(one.unjudged - unjudged)) < 1e-3:
        _, missed, unknown = one.whole
    else:
        missed, unknown = whole_parts(people, (people - unjudged, unjudged))
    return missed + unknown, unknown


@dataclass(frozen=True)
class Scope:
    """Whom and what the page speaks of."""

    lang: Lang
    place: str
    service: str
    """Name of the service as printed, or ""."""
    group: str
    minutes: float | None
    """Limit a resident is judged by, minutes; None where nothing states one."""
    groups: tuple[str, ...]
    limits: tuple[float, ...]
    mode: Mode | None
    demand_rate: float = 1.0
    """Share of the group that looks for a place, where places are counted."""

    @property
    def seekers(self) -> str:
        """Name the people who look for a place."""
        who = group_name(self.group, self.lang)
        if self.demand_rate == 1:
            return who
        rate = f"{self.demand_rate:.1%}"
        return pick(self.lang, f"需要位子的{who}（假设占 {rate}）", f"{who} who look for a place (assumed: {rate})")


def scope_of(
    study: Study,
    *,
    service: str | None,
    group: str | None,
    lang: Lang | None,
    times: TravelTimes | None,
    covered: pd.DataFrame | None,
) -> Scope:
    """Settle whom the page speaks of: the arguments first, then the service, then the tables given."""
    told = study.service(service) if service is not None else None
    lang = lang or study.lang
    judged = told.within_minutes if told else _largest_limit(covered)
    shown = group or (told.group if told else _first_group(study, covered))
    others = told.groups_shown if told else ()
    limits = told.minutes if told else ()
    return Scope(
        lang=lang,
        place=study.name,
        service=told.name(lang) if told else "",
        group=shown,
        minutes=judged,
        groups=tuple(dict.fromkeys((shown, *others))),
        limits=tuple(sorted({*limits, *([judged] if judged is not None else [])})),
        mode=times.mode if times is not None else None,
    )


def only_service(study: Study) -> str | None:
    """Name the study's service where it has just one; otherwise the caller must say which is meant."""
    return study.services[0].id if len(study.services) == 1 else None


def _largest_limit(covered: pd.DataFrame | None) -> float | None:
    return None if covered is None or covered.empty else float(np.max(np.asarray(covered["minutes"], dtype=float)))


def _first_group(study: Study, covered: pd.DataFrame | None) -> str:
    if covered is not None and len(covered):
        return str(covered["group"].iloc[0])
    return next((name for name in ("total", "p60", "p0_3") if name in study.cells.columns), "")


def reached_counts(scope: Scope, cells: GeoDataFrame, times: TravelTimes | None, covered: pd.DataFrame | None) -> list[Reached]:
    """Count who reaches a facility, for every group and limit shown: from the coverage table, else from the travel times."""
    if covered is not None:
        return _from_table(scope, covered)
    if times is None or times.metric != "time":
        return []
    judged = np.asarray(times.cell_fault) == ""
    cost = np.asarray(times.nearest_cost)
    table = cells.reindex(times.cell_ids)
    found = []
    for group in scope.groups:
        people = np.asarray(table[group], dtype=float) if group in table else np.zeros(0)
        for minutes in scope.limits if len(people) else ():
            near = judged & (cost >= 0) & (cost <= minutes * MS_PER_MINUTE)
            found.append(Reached(group, minutes, float(people.sum()), float(people[near].sum()), float(people[~judged].sum())))
    return found


def _from_table(scope: Scope, covered: pd.DataFrame) -> list[Reached]:
    whole = covered[covered.index == "ALL"]
    people = np.asarray(whole[["minutes", "people", "covered", "unjudged"]], dtype=float).tolist()
    order = {group: place for place, group in enumerate(scope.groups)}
    found = [Reached(str(group), *figures) for group, figures in zip(whole["group"], people, strict=True)]
    return sorted(found, key=lambda one: (order.get(one.group, len(order)), one.group, one.minutes))


def judged_count(scope: Scope, counts: Sequence[Reached]) -> Reached | None:
    """Pick the one count the page leads with."""
    return next((one for one in counts if one.group == scope.group and one.minutes == scope.minutes), None)


def reached_of(one: ServiceResult) -> Reached:
    """Count who reaches a service of a run within the limit that residents are judged by."""
    service, table = one.service, one.covered
    at = (table.index == "ALL") & (table["minutes"] == service.within_minutes) & (table["group"] == service.group)
    people, covered, unjudged = (float(value) for value in table.loc[at, ["people", "covered", "unjudged"]].iloc[0])
    return Reached(service.group, service.within_minutes, people, covered, unjudged)


def key_sentence(scope: Scope, one: Reached | None) -> str:
    """Say in one sentence who can reach the service and who cannot."""
    if one is None:
        return ""
    lang, mode = scope.lang, scope.mode
    covered, missed, unjudged = one.whole
    how = pick(lang, mode.zh if mode else "步行", f" ({mode.en})" if mode else "")
    told = say(
        lang,
        "key",
        place=scope.place,
        people=count(one.people),
        who=group_name(one.group, lang),
        covered=count(covered),
        part=share(one.covered, one.people),
        how=how,
        limit=minutes_text(one.minutes),
        target=in_sentence(scope.service) or pick(lang, "设施", "a facility"),
        missed=count(missed),
    )
    return told + (say(lang, "key_unjudged", count(unjudged)) if unjudged else say(lang, "key_end"))


def units_without(facilities: GeoDataFrame | None, units: GeoDataFrame | None) -> tuple[int, int, tuple[str, ...]] | None:
    """Count the streets and townships without a facility of their own: those without, all, and their levels."""
    from careshed.access import presence

    if facilities is None or units is None or "unit" not in facilities.columns:
        return None
    table = presence(facilities, units)
    if table.empty:
        return None
    return int((~table["has_one"]).sum()), len(table), tuple(dict.fromkeys(str(level) for level in table["level"]))


def lead_sentence(scope: Scope, one: Reached | None, without: tuple[int, int, tuple[str, ...]] | None) -> str:
    """Say the one sentence that matters: where there is none, and who lives too far from any; "" where neither is known.

    >>> scope = Scope("en", "Qingwan", "Childcare", "p0_3", 15.0, ("p0_3",), (15.0,), None)
    >>> lead_sentence(scope, Reached("p0_3", 15.0, 9500.0, 6374.0, 6.0), (4, 14, ("street", "township")))
    '4 of 14 streets and townships have no such facility; 3,120 children under 3 live more than 15 minutes away.'
    """
    lang, parts = scope.lang, []
    if without is not None:
        none, whole, levels = without
        key = "lead" if none else "lead_everywhere"
        parts.append(say(lang, key, none=none, all=whole, levels=_plural(levels, lang)))
    if one is not None:
        limit, who = minutes_text(one.minutes), group_name(one.group, lang)
        _, missed, unjudged = one.whole
        key = "lead_far_unjudged" if unjudged > missed else "lead_far"
        parts.append(say(lang, key, missed=count(missed), who=who, limit=limit, unjudged=count(unjudged)))
    return say(lang, "lead_join").join(parts) + say(lang, "lead_end") if parts else ""


def _plural(levels: Sequence[str], lang: Lang) -> str:
    return levels_text(list(levels), lang) if lang == "zh" else " and ".join(f"{level}s" for level in levels)


def plan_sentences(scope: Scope, plan: SitePlan) -> list[str]:
    """Say what the sites add, and what no plan of that size can exceed."""
    lang, n, total = scope.lang, len(plan.sites), plan.people_total
    if not n:
        return [say(lang, "plan_none", plan.n_asked)]
    lines = [
        say(
            lang,
            "plan_gain" if n != 1 else "plan_gain_one",
            n=n,
            after=share(plan.people_covered_after, total),
            before=share(plan.people_covered_before, total),
            reached=count(plan.people_covered_after),
            whole=count(total),
            who=group_name(plan.group, lang),
        )
    ]
    if plan.n_asked > n:
        lines.append(say(lang, "plan_short", plan.n_asked, n))
    if total > 0:
        proven = plan.status == "optimal"
        lines.append(say(lang, "plan_best" if proven else "plan_bound", plan.n_asked, share(plan.bound, total)))
    if not plan.reproducible:
        lines.append(say(lang, "plan_stopped"))
    return lines


def service_facilities(study: Study, service: str | None, times: TravelTimes | None) -> GeoDataFrame | None:
    """Give the facilities to draw: the service's, or those the travel times were computed from."""
    if service is not None:
        return study.facilities(service)
    return times.facilities if times is not None else None


def first(row: Mapping[str, object], *names: str) -> str:
    """Read the first named text that is there and not empty.

    >>> first({"name": "", "kind": "idle school"}, "name", "kind")
    'idle school'
    """
    texts = (row.get(name) for name in names)
    return next((str(text) for text in texts if text is not None and str(text) not in ("", "nan", "None")), "")


def number(row: Mapping[str, object], name: str) -> float:
    """Read a number from a row, NaN where it is missing.

    >>> number({"places": 30}, "places"), number({}, "places")
    (30.0, nan)
    """
    value = row.get(name)
    return math.nan if pd.isna(cast(float, value)) else float(cast(float, value))
