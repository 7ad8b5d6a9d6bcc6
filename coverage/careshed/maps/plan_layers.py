"""Draw what a plan changes: who is in reach before and after, what is built, extended and closed, and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from careshed.maps.encode import points_block
from careshed.maps.facts import effect_parts, first, number
from careshed.maps.layers import NO_CLASS, Layer, Shade, fifth, ramp, rows
from careshed.maps.panel import bar_of
from careshed.maps.population import painted_cells
from careshed.maps.text import count, say, share
from careshed.siting.planning import Demand
from careshed.siting.planning.wording import yuan_text
from careshed.siting.studying import StudyPlan
from careshed.siting.studying.counting import hosting, reached_cells
from careshed.siting.studying.listing import Listed, listed, reason_text, sure_text
from careshed.words import Lang, group_name, level_name, pick

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.schema import Grid

WORDS: Final[dict[str, tuple[str, str]]] = {
    "conflict": ("规则不能全部满足", "The rules cannot all be met"),
    "built": ("方案点位", "Sites of the plan"),
    "new": ("新增", "new"),
    "extended": ("扩建", "extended"),
    "closed": ("关闭", "closed"),
    "kept": ("保留的设施", "Existing sites kept"),
    "sureness": ("各处有多稳妥", "how sure each site is"),
    "sure": ("可靠", "sure"),
    "in most scenarios": ("多数情景成立", "in most scenarios"),
    "doubtful": ("存疑", "doubtful"),
    "had": ("现已可达", "in reach today"),
    "gained": ("因方案而可达", "in reach by the plan"),
    "lost": ("因关闭而不再可达", "no longer in reach"),
    "left": ("仍不可达", "still out of reach"),
    "out": ("不可达", "out of reach"),
    "effect": ("方案效果", "What the plan changes"),
    "today": ("现状缺口", "Gaps today"),
    "then": ("建成后缺口", "Gaps after the plan"),
    "by_unit": ("按{}看建成后可达比例", "Share in reach after the plan, by {}"),
    "fills": ("图上颜色", "Colour the map by"),
    "unit": ("单元", "unit"),
    "before": ("现状", "today"),
    "after": ("建成后", "after"),
    "gain": ("新增", "gains"),
    "lose": ("减少", "loses"),
    "changes": ("各{}可达比例", "Share in reach: {}"),
    "largest_gaps": ("建成后仍存的缺口", "Gaps that remain"),
    "gaps": ("建成后仍存的缺口", "Gaps that remain"),
}
"""Key -> (Chinese, English) of a plan's page."""

HAD, GAINED, LEFT, UNJUDGED, LOST = "#a9d3cf", "#0a6168", "#e8925e", "#9aa1a8", "#8f1c13"

PIN: Final = "#7c1f56"
YEARS: Final = ("#2c1160", "#5b1a77", "#8c2981", "#b5367a", "#d8456c", "#ee6a50")
"""Phases, early to late; steps of lightness that white figures stand on."""

SURE: Final = {"sure": YEARS[0], "in most scenarios": YEARS[2], "doubtful": YEARS[4]}
"""How sure a site is (`Robustness.sites`, ``verdict_en``) -> its colour."""

SIGNS: Final = {"extended": "+", "closed": "×"}
COLOURS: Final = {"extended": "#1f5490", "closed": "#6b747c"}


def word(lang: Lang, key: str, *values: object) -> str:
    """Word one piece of a plan's page.

    >>> word("en", "by_unit", "street")
    'Share in reach after the plan, by street'
    """
    return pick(lang, *WORDS[key]).format(*values)


def cell_states(solved: StudyPlan, demand: Demand) -> dict[str, NDArray[np.bool_]]:
    """Tell for every cell whether it is in reach today and when the plan is carried out, and whether that can be judged."""
    problem = solved.problem
    sites = hosting(solved.plan).get(demand.service, frozenset())
    today, then = reached_cells(problem, demand, None), reached_cells(problem, demand, sites)
    return {"today": today, "then": then, "unjudged": _off_streets(solved, demand, sites) & ~today & ~then}


def _off_streets(solved: StudyPlan, demand: Demand, sites: frozenset[str]) -> NDArray[np.bool_]:
    """Mark cells that join no street, or streets cut off on which none of the sites stands: a candidate not built joins none."""
    from careshed.maps.whatif.packing import islet_groups  # whose page draws in the colours of this module

    existing, options = (matrices[demand.service] for matrices in (solved.problem.existing, solved.problem.options))
    code, islets = islet_groups(existing, options)
    names = [str(name) for name in (*existing.facilities.index, *options.facilities.index)]
    joined = np.array([True, False, *(any(names[at] in sites for at in islet) for islet in islets)])
    return np.asarray(~joined[code])


def effect_layers(solved: StudyPlan, demand: Demand, grid: Grid | None) -> dict[str, Layer]:
    """Paint who is in reach already, who gains, who stays out; and the gaps before and after."""
    cells, states = solved.problem.study.cells, cell_states(solved, demand)
    lived = cells[demand.group].to_numpy(dtype=float) > 0
    today, then, unjudged = states["today"], states["then"], states["unjudged"]
    effect = np.where(today & then, 1, np.where(then, 2, np.where(today, 5, np.where(unjudged, 4, 3))))
    painted: dict[str, tuple[NDArray[np.int64], tuple[str, ...]]] = {"effect": (effect, (HAD, GAINED, LEFT, UNJUDGED, LOST))}
    for key, state in (("before", today), ("after", then)):
        painted[key] = (np.where(state, 1, np.where(unjudged, 3, 2)), (HAD, LEFT, UNJUDGED))
    return {
        key: painted_cells(cells, np.where(lived, classes, 0).astype(np.uint8), colours, grid)
        for key, (classes, colours) in painted.items()
    }


def effect_bar(solved: StudyPlan, demand: Demand, lang: Lang) -> dict[str, object]:
    """Stack everybody by what the plan does for them; the figure is the share in reach when it is carried out."""
    people = solved.problem.study.cells[demand.group].to_numpy(dtype=float) * demand.rate
    states = cell_states(solved, demand)
    today, then, unjudged = states["today"], states["then"], states["unjudged"]
    parts = (
        ("had", today & then),
        ("gained", then & ~today),
        ("lost", today & ~then),
        ("not_reached", ~today & ~then & ~unjudged),
        ("unjudged", unjudged),
    )
    names = {"not_reached": word(lang, "left"), "unjudged": say(lang, "unjudged")}
    whole = effect_parts(*(float(people[mine].sum()) for _, mine in parts))
    named = [(kind, names.get(kind) or word(lang, kind), float(n)) for (kind, _), n in zip(parts, whole, strict=True)]
    return bar_of(named, float(people.sum())) | {"share": share(float(people[then].sum()), float(people.sum()))}


def unit_shade(solved: StudyPlan, demand: Demand, lang: Lang) -> Shade:
    """Colour a unit by the share in reach after the plan, and put both shares into words."""
    table = unit_rows(solved, demand)

    def shade(unit: str, row: Mapping[str, object]) -> tuple[int, list[str]]:
        heading = f"{first(row, 'name')} · {level_name(first(row, 'level'), lang)}"
        values = table.get(unit)
        if values is None or not number(values, "people") > 0:
            return NO_CLASS, [heading, say(lang, "no_people")]
        people, was, now = (number(values, key) for key in ("people", "before", "after"))
        told = pick(
            lang,
            f"{group_name(demand.group, lang)} {count(people)} 人：{share(was, people)} → {share(now, people)}",
            f"{count(people)} {group_name(demand.group, lang)}: {share(was, people)} → {share(now, people)}",
        )
        new = number(values, "new")
        return fifth(now, people), [heading, told, *([pick(lang, f"新增 {new:.0f} 处", f"{new:.0f} new")] if new else [])]

    return shade


def unit_rows(solved: StudyPlan, demand: Demand) -> dict[str, Mapping[str, object]]:
    """Read the plan's counts by unit for one demand."""
    table = solved.by_unit
    mine = table[(table["group"] == demand.group) & (table["service"] == demand.service)]
    return {str(row["unit"]): row for _, row in rows(mine.reset_index(drop=True))}


def phase_colours(solved: StudyPlan) -> dict[int, str]:
    """Give every year its colour."""
    years = list(solved.phased.opened) if solved.phased is not None else []
    return dict(zip(years, ramp(YEARS, len(years)), strict=True))


def sure_colours(solved: StudyPlan) -> dict[str, str]:
    """Give every new site the colour of how sure it is, where scenarios were tried and the plan has no years."""
    stressed = solved.extras.stressed
    if stressed is None or solved.phased is not None:
        return {}
    verdicts = stressed.sites["verdict_en"]
    return {name: SURE.get(str(verdicts.get(name)), PIN) for name in solved.plan.new}


def place_table(solved: StudyPlan) -> GeoDataFrame:
    """Put all sites of a plan, closed ones too, into one table in the order of the list."""
    problem, order = solved.problem, listed(solved)
    parts = [times.facilities for times in (*problem.options.values(), *problem.existing.values())]
    joint = pd.concat([part[["name", "unit", "places", "geometry"]] for part in parts if len(part)])
    joint = joint[~joint.index.duplicated()]
    return gpd.GeoDataFrame(joint.loc[[one.id for one in order]], geometry="geometry", crs=problem.study.crs)


def built_layer(solved: StudyPlan, lang: Lang) -> Layer | None:
    """Draw what is built, extended and closed; new sites numbered, coloured by year where there are years."""
    order, table = listed(solved), place_table(solved)
    shown = [one for one in order if one.fate != "kept"]
    if not shown:
        return None
    points = table.loc[[one.id for one in shown]].to_crs("EPSG:4326").geometry
    listing = built_rows(solved, lang)
    return {
        "points": points_block(np.asarray(points.array, dtype=object)),
        "fates": [one.fate for one in shown],
        "signs": [str(row["sign"]) for row in listing],
        "colours": [str(row["colour"]) for row in listing],
        "names": [f"{row['sign']}: {row['name']}" for row in listing],
        "tips": [
            [text for text in map(str, (row["name"], row["where"], row["gain"], row["means"], row["reason"])) if text]
            for row in listing
        ],
    }


def built_rows(solved: StudyPlan, lang: Lang) -> list[dict[str, object]]:
    """List what is built, extended and closed."""
    years, sure, table = phase_colours(solved), sure_colours(solved), place_table(solved)
    found: list[dict[str, object]] = []
    for one in listed(solved):
        if one.fate != "kept":
            row = dict(zip(table.columns, table.loc[one.id], strict=True))
            colour = COLOURS.get(one.fate) or years.get(one.year or 0) or sure.get(one.id, PIN)
            found.append(_built_row(solved, one, row, lang) | {"place": len(found), "colour": colour})
    return found


def _built_row(solved: StudyPlan, one: Listed, row: Mapping[str, object], lang: Lang) -> dict[str, object]:
    units, reasons = solved.problem.study.units["name"], solved.extras.reasons
    told = reasons.table.loc[one.id] if reasons is not None and one.id in reasons.table.index else None
    gain = "" if told is None else say(lang, "new_people", count(float(str(told["people_new"]))))
    fate = "" if one.fate == "new" else word(lang, one.fate)
    parts = (fate, str(units.get(first(row, "unit"), "")), str(one.year or ""), sure_text(solved, one.id, lang))
    where = " · ".join(text for text in parts if text)
    return {
        "sign": SIGNS.get(one.fate, str(one.rank)),
        "name": first(row, "name") or one.id,
        "where": where,
        "gain": gain,
        "means": _means(solved, one, lang),
        "reason": reason_text(solved, one.id, lang),
        "fate": one.fate,
        "year": one.year,
    }


def _means(solved: StudyPlan, one: Listed, lang: Lang) -> str:
    """What a site costs net of subsidy."""
    if one.fate == "closed" or one.id not in solved.plan.sites.index:
        return ""
    net = float(solved.plan.sites.loc[[one.id], "net_yuan"].sum())
    return pick(lang, *yuan_text(net)) if net else ""


def built_groups(solved: StudyPlan, lang: Lang) -> list[tuple[str, str, list[dict[str, object]]]]:
    """Group the list by year, then what is extended and closed; heading, colour and rows of each."""
    listing, colours = built_rows(solved, lang), phase_colours(solved)
    groups: list[tuple[str, str, list[dict[str, object]]]] = []
    if colours:
        for year, colour in colours.items():
            mine = [row for row in listing if row["year"] == year]
            told = pick(lang, f"{year} 年（{len(mine)} 处）", f"{year} ({len(mine)})")
            groups.append((told, colour, mine))
    else:
        groups.append(("", "", [row for row in listing if row["fate"] == "new"]))
    groups += [(word(lang, fate), "", [row for row in listing if row["fate"] == fate]) for fate in ("extended", "closed")]
    return [group for group in groups if group[2]]


def change_rows(solved: StudyPlan, demand: Demand, tier_places: list[tuple[int, str, str]]) -> list[dict[str, object]]:
    """Lay out both shares by unit, those that gain most people first."""
    table = unit_rows(solved, demand)
    found = []
    for place, code, name in tier_places:
        values = table.get(code)
        if values is None or not number(values, "people") > 0:
            continue
        people, was, now = (number(values, key) for key in ("people", "before", "after"))
        points = 100 * (now - was) / people
        row = {"place": place, "name": name, "before": share(was, people), "after": share(now, people)}
        told = {"points": f"+{points:.1f}" if points >= 0.05 else "" if abs(points) < 0.05 else f"−{-points:.1f}"}
        moved = {"gain": count(now - was) if now - was >= 0.5 else "–", "lose": count(was - now) if was - now >= 0.5 else "–"}
        found.append((now - was, row | told | moved))
    return [row for _, row in sorted(found, key=lambda one: -one[0])]
