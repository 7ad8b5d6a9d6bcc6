"""Compare two scorecards: facilities, rules, units and people, and say it in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from careshed.access import ALL, lineage
from careshed.policy.changes.explain import Explained
from careshed.policy.changes.facilities import KINDS, FacilityChange, compare_facilities
from careshed.policy.changes.rules import MOVES, RuleChange, UnitChange, compare_rules
from careshed.policy.judging.card import STATES, Both, Scorecard
from careshed.schema import TIERS, Fault, InputError
from careshed.words import Lang, group_name, pick

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

_PEOPLE: Final = 0.5
"""Change in people below which a population counts as the same: rasters hold fractions."""


@dataclass(frozen=True)
class CardChanges:
    """What changed between two runs."""

    before: Scorecard
    after: Scorecard
    facilities: tuple[FacilityChange, ...]
    rules: tuple[RuleChange, ...]
    explained: Explained | None
    notes: tuple[Both, ...]
    """What the reader must know of the comparison."""

    @property
    def opened(self) -> tuple[FacilityChange, ...]:
        """Facilities that operate now and did not."""
        return tuple(one for one in self.facilities if one.kind == "opened")

    @property
    def closed(self) -> tuple[FacilityChange, ...]:
        """Facilities that operated and no longer do, those that vanished from the registers while operating included."""
        return tuple(one for one in self.facilities if one.facilities < 0)

    @property
    def turned(self) -> tuple[RuleChange, ...]:
        """Rules whose state changed."""
        return tuple(one for one in self.rules if one.turned)

    @property
    def units(self) -> tuple[UnitChange, ...]:
        """Units whose verdict by a rule turned."""
        return tuple(unit for rule in self.rules for unit in rule.units if unit.turned)

    @property
    def people(self) -> dict[str, tuple[float, float]]:
        """Population group -> people before and after in all, groups that did not change left out."""
        return self._people(ALL)

    def _people(self, unit: str) -> dict[str, tuple[float, float]]:
        was, now = self.before.people.get(unit, {}), self.after.people.get(unit, {})
        both = {group: (was.get(group, 0.0), now.get(group, 0.0)) for group in dict.fromkeys([*was, *now])}
        return {group: pair for group, pair in both.items() if abs(pair[1] - pair[0]) >= _PEOPLE}

    def facility_table(self, lang: Lang = "zh") -> pd.DataFrame:
        """List the facilities that changed: what became of them, type, unit, places before and after."""
        import pandas as pd

        rows = [
            (pick(lang, *KINDS[one.kind]), one.kind, one.now.name, one.now.type, one.now.unit, one.before and one.before.places,
             one.after and one.after.places, one.places, one.late)
            for one in self.facilities
        ]  # fmt: skip
        columns = ["change", "kind", "name", "type", "unit", "places_before", "places_after", "operating_places", "late"]
        return pd.DataFrame(rows, columns=columns, index=pd.Index([one.id for one in self.facilities], name="facility_id"))

    def rule_table(self, lang: Lang = "zh", *, all_rules: bool = False) -> pd.DataFrame:
        """List the rules that changed (or all of them): state, value and target before and after, and why."""
        import pandas as pd

        chosen = [one for one in self.rules if all_rules or one.altered]
        rows = []
        for one in chosen:
            targets = (held.target if held is not None else None for held in (one.before, one.after))
            turned = [sum(unit.turned == way for unit in one.units) for way in (1, -1)]
            states = (_state(state, lang) for state in one.states)
            unit = one.rule.unit(lang)
            told = (one.rule.title(lang), pick(lang, *MOVES[one.move]), one.move)
            rows.append((*told, *states, *one.value, one.change, unit, *targets, one.turned, *turned, self.why(one, lang)))
        columns = ["title", "change", "move", "state_before", "state_after", "value_before", "value_after", "value_change"]
        columns += ["in_unit", "target_before", "target_after", "turned", "units_gained", "units_lost", "why"]
        return pd.DataFrame(rows, columns=columns, index=pd.Index([one.id for one in chosen], name="rule_id"))

    def unit_table(self, units: GeoDataFrame | None = None, *, tier: int = 2, lang: Lang = "zh") -> pd.DataFrame:
        """Say unit by unit what opened and closed, how places and people changed and which rules turned.

        Parameters
        ----------
        units
            The study's units; with them, facilities and verdicts of finer units count for the unit of `tier` above them. Without,
            every unit that changed stands for itself.

        Returns
        -------
        pandas.DataFrame
            Index ``unit_id``; ``name``, ``opened``, ``closed``, ``places`` (change in operating places), ``people_before``,
            ``people`` (all residents), ``gained``, ``lost`` (titles of rules that the unit, or one below it, now meets or no
            longer meets). Units without any change are left out.
        """
        import pandas as pd

        home = _home(units, tier)
        names = unit_names(self, units)
        found: dict[str, _Sum] = {}
        for change in self.facilities:
            code = home.get(change.now.unit, change.now.unit)
            own = found.setdefault(code, _Sum())
            own.opened += change.facilities > 0
            own.closed += change.facilities < 0
            own.places += change.places
        for rule in self.rules:
            for unit in rule.units:
                if unit.turned and (unit.unit in names or unit.unit in home):
                    own = found.setdefault(home.get(unit.unit, unit.unit), _Sum())
                    (own.gained if unit.turned > 0 else own.lost).append(rule.rule.title(lang))
        for code in self.after.people if units is None else dict.fromkeys(home.values()):
            if code != ALL and self._people(code):
                found.setdefault(code, _Sum())
        order = [code for code in (found if units is None else [str(one) for one in units.index]) if code in found]
        order += [code for code in found if code not in order]
        rows = [(names.get(code, code), *self._row(code, found[code], lang)) for code in order]
        columns = ["name", "opened", "closed", "places", "people_before", "people", "gained", "lost"]
        return pd.DataFrame(rows, columns=columns, index=pd.Index(order, name="unit_id", dtype="str"))

    def _row(self, code: str, own: _Sum, lang: Lang) -> tuple[int, int, float, float, float, str, str]:
        was, now = (card.people.get(code, {}).get("total", float("nan")) for card in (self.before, self.after))
        gained, lost = (pick(lang, "；", "; ").join(dict.fromkeys(titles)) for titles in (own.gained, own.lost))
        return own.opened, own.closed, own.places, was, now, gained, lost

    def why(self, change: RuleChange, lang: Lang = "zh") -> str:
        """Say why a rule changed: by the exact explanation where there is one, else by what the cards prove."""
        if self.explained is not None and change.id in self.explained.rules:
            return self.explained.rules[change.id].told(lang)
        parts = []
        for reason in change.reasons:
            amount = "" if reason.amount is None else pick(lang, f"（{reason.amount:+.4g}）", f" ({reason.amount:+.4g})")
            parts.append(f"{pick(lang, *reason.words)}{amount}")
        return pick(lang, "；", "; ").join(parts)

    def text(self, lang: Lang = "zh") -> str:
        """Tell the changes in lines for a report or the terminal."""
        return "\n".join(_lines(self, lang))


class _Sum:
    """What adds up for one unit."""

    def __init__(self) -> None:
        self.opened, self.closed, self.places = 0, 0, 0.0
        self.gained: list[str] = []
        self.lost: list[str] = []


def compare_cards(before: Scorecard, after: Scorecard, *, explained: Explained | None = None) -> CardChanges:
    """Say what changed between two runs of a city: what opened and closed, which rules turned, by unit, and why.

    Parameters
    ----------
    before, after
        Scorecards of two dates, as `judge_plan` makes them or `load_scorecard` reads them.
    explained
        Why values changed, from `explain_changes`; without it, reasons are those that the two cards alone prove.

    Raises
    ------
    careshed.schema.InputError
        If the later card is of an earlier date than the other.
    """
    if before.data_date and after.data_date and before.data_date > after.data_date:
        told = (
            f"先后颠倒：{before.data_date} 在 {after.data_date} 之后",
            f"the runs are the wrong way round: {before.data_date} is after {after.data_date}",
        )
        raise InputError([Fault("wrong_order", f"{before.study}", *told, "请交换两次运行。", "Swap the two runs.")])
    facilities = compare_facilities(before.places, after.places, year=before.year)
    rules = compare_rules(before.results, after.results, facilities)
    return CardChanges(before, after, facilities, rules, explained, tuple(_notes(before, after)))


def _notes(before: Scorecard, after: Scorecard) -> Iterator[Both]:
    if before.study != after.study:
        yield (
            f"两份计分卡的研究名称不同：{before.study}、{after.study}",
            f"the cards are of two studies: {before.study}, {after.study}",
        )
    if before.profile != after.profile:
        yield (
            f"两份计分卡的规划不同：{before.profile}、{after.profile}；仅比较编号相同的指标",
            f"the cards are of two plans: {before.profile}, {after.profile}; only rules of the same id are compared",
        )
    if before.data_date == after.data_date:
        date = after.data_date or "—"
        yield f"两次运行的数据日期相同：{date}", f"both runs state the same date of data: {date}"
    if not before.places or not after.places:
        yield "有一份计分卡没有设施清单，设施变化不完整", "a card lists no facilities, so changes in facilities are incomplete"


def _home(units: GeoDataFrame | None, tier: int) -> dict[str, str]:
    """Say which unit of a tier holds every unit below it."""
    if units is None:
        return {}
    found = {}
    for code in (str(one) for one in units.index):
        above = [one for one in lineage(code, units) if TIERS[str(units.at[one, "level"])] == tier]
        if above:
            found[code] = above[0]
    return found


def unit_names(changes: CardChanges, units: GeoDataFrame | None = None) -> dict[str, str]:
    """Name the units: as the study does, else as the cards do."""
    if units is not None:
        return {str(code): str(name) for code, name in units["name"].items()}
    known = set(changes.before.people) | set(changes.after.people)
    results = [*changes.before.results, *changes.after.results]
    return {unit.unit: unit.name for result in results for unit in result.units if unit.unit in known}


def _state(state: str | None, lang: Lang) -> str:
    return "—" if state is None else pick(lang, *dict(STATES)[state])  # type: ignore[index]


def headline(changes: CardChanges, lang: Lang = "zh") -> str:
    """Say in one sentence what changed."""
    opened, closed, turned = len(changes.opened), len(changes.closed), len(changes.turned)
    better, worse = (sum(one.move == move for one in changes.rules) for move in ("better", "worse"))
    people = changes.people.get("total")
    moved = pick(lang, "人口数据未变", "the population is the same") if people is None else _moved(people, lang)
    return pick(
        lang,
        f"新运营设施 {opened} 处，停业 {closed} 处；{better} 项指标好转，{worse} 项变差，{turned} 项判定改变；{moved}。",
        f"{opened} facilities opened and {closed} closed; {better} rules are better, {worse} worse, "
        f"{turned} changed state; {moved}.",
    )


def _moved(people: tuple[float, float], lang: Lang) -> str:
    was, now = people
    return pick(
        lang,
        f"总人口由 {was:,.0f} 变为 {now:,.0f}（{now - was:+,.0f}）",
        f"residents went from {was:,.0f} to {now:,.0f} ({now - was:+,.0f})",
    )


def _lines(changes: CardChanges, lang: Lang) -> Iterator[str]:
    before, after = changes.before, changes.after
    yield f"{after.study} · {after.name(lang)}"
    yield pick(lang, f"{before.data_date} → {after.data_date}", f"{before.data_date} to {after.data_date}")
    yield headline(changes, lang)
    for note in changes.notes:
        yield pick(lang, f"注意：{note[0]}", f"Note: {note[1]}")
    names = unit_names(changes)
    for one in changes.facilities:
        yield f"  {facility_line(one, lang, names)}"
    groups = {group: pair for group, pair in changes.people.items() if group != "total"}
    for group, (was, now) in groups.items():
        yield f"  {group_name(group, lang)}: {was:,.0f} → {now:,.0f} ({now - was:+,.0f})"
    for rule in changes.rules:
        if rule.altered:
            yield f"  {rule_line(changes, rule, lang)}"
    if changes.explained is not None:
        yield changes.explained.told(lang)


def facility_line(change: FacilityChange, lang: Lang, names: Mapping[str, str]) -> str:
    """Tell one facility's change in a line; `names` of units by code."""
    place, words = change.now, pick(lang, *KINDS[change.kind])
    was, now = (one.places if one is not None else None for one in (change.before, change.after))
    size = f"{now or was:g}" if change.kind not in ("more", "fewer") and (now or was) else ""
    if change.kind in ("more", "fewer"):
        size = f"{was:g} → {now:g}"
    late = pick(lang, "（补登）", " (entered late)") if change.late else ""
    told = [part for part in (place.type, names.get(place.unit, place.unit), size) if part]
    return pick(
        lang, f"{words}{late}：{place.name}（{'，'.join(told)}）", f"{words}{late}: {place.name} ({', '.join(told)})"
    )  # fmt: skip


def rule_line(changes: CardChanges, change: RuleChange, lang: Lang) -> str:
    """Tell one rule's change in a line."""
    was, now = (figure(value) for value in change.value)
    states = " → ".join(dict.fromkeys(_state(state, lang) for state in change.states))
    why = changes.why(change, lang)
    units = f"（{met_words(change, lang)}）" if lang == "zh" else f" ({met_words(change, lang)})"
    units = units if met_words(change, lang) else ""
    tail = f" — {why}" if why else ""
    unit = change.rule.unit(lang)
    return f"{change.rule.title(lang)}: {was} → {now} {unit} [{states}]{units}{tail}".replace(" %", "%")


def met_counts(change: RuleChange) -> tuple[str, ...]:
    """Give how many units met the target before and after, where they are held against it one by one; else ()."""
    held = [one for one in (change.before, change.after) if one is not None]
    if not change.units or not all(any(unit.met is not None for unit in one.units) for one in held):
        return ()
    return tuple(f"{sum(unit.met is True for unit in one.units)}/{len(one.units)}" for one in held)


def met_words(change: RuleChange, lang: Lang) -> str:
    """Say how many units met the target before and after, "" where they are not held against it one by one."""
    counts = " → ".join(dict.fromkeys(met_counts(change)))
    gained, lost = (sum(unit.turned == way for unit in change.units) for way in (1, -1))
    moved = f" (+{gained} −{lost})" if gained and lost else ""
    return pick(lang, f"达标单元 {counts}{moved}", f"units that meet it {counts}{moved}") if counts else ""


def figure(value: float | None) -> str:
    """Write a value as planners do: whole where it is, else to two or three digits; a dash where it is not known.

    >>> figure(7257.0), figure(3.16543), figure(28.2608), figure(None)
    ('7,257', '3.17', '28.3', '—')
    """
    if value is None:
        return "—"
    if value == round(value):
        return f"{value:,.0f}"
    return f"{value:,.1f}" if abs(value) >= 10 else f"{value:.3g}"
