"""Write what changed between two runs as one page to read on screen or print, and as a workbook."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from careshed.policy.changes.cards import CardChanges, figure, headline, met_counts, met_words, unit_names
from careshed.policy.changes.facilities import KINDS, FacilityChange
from careshed.policy.changes.rules import MOVES, RuleChange
from careshed.policy.changes.series import places_over_time
from careshed.policy.judging.card import STATES
from careshed.policy.types import catalogue
from careshed.report.supervision_drawings import dumbbell, places_chart, units_map
from careshed.report.supervision_style import STYLE
from careshed.schema import TIERS
from careshed.words import Lang, group_name, pick

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

_TIER = 2
_YEARS_BACK = 7
"""Years shown before the latest."""


def write_changes(
    path: str | Path,
    changes: CardChanges,
    lang: Lang = "zh",
    *,
    units: GeoDataFrame | None = None,
    series: pd.DataFrame | None = None,
) -> Path:
    """Write what changed since the last run as one page that opens without a network and prints.

    Parameters
    ----------
    units
        The study's units, for names and the map; without them units are told by the names that the cards hold, and no map is
        drawn.
    series
        Places over time, as `places_over_time` or `places_by_card` gives them; left out, the last eight years by the later card.

    Returns
    -------
    pathlib.Path
        The file written; the same input gives the same bytes.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(_page(changes, lang, units, _series(changes) if series is None else series), encoding="utf-8", newline="\n")
    return target


def _series(changes: CardChanges) -> pd.DataFrame:
    last = changes.after.year
    dated = [place.opened for place in changes.after.places if place.opened is not None]
    last = last if last is not None else int(max(dated, default=0))
    return places_over_time(changes.after.places, last - _YEARS_BACK, last)


def _page(changes: CardChanges, lang: Lang, units: GeoDataFrame | None, series: pd.DataFrame) -> str:
    after = changes.after
    dates = f"{changes.before.data_date or '—'} → {after.data_date or '—'}"
    title = escape(pick(lang, f"{after.study}：两次运行之间的变化", f"{after.study}: what changed between two runs"))
    made_up = pick(lang, "虚构数据，仅供演示", "made-up data, for demonstration")
    ribbon = f'<p class="ribbon">{made_up}</p>\n' if after.made_up else ""
    body = "".join(
        (
            _facilities(changes, lang, units),
            _rules(changes, lang),
            _units(changes, lang, units),
            _over_time(series, lang),
            _people(changes, lang),
            _how(changes, lang),
        )
    )
    return (
        f'<!doctype html>\n<html lang="{pick(lang, "zh-CN", "en")}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{title}</title><style>{STYLE}</style></head>\n<body><main>\n{ribbon}<h1>{title}</h1>\n"
        f'<p class="soft">{escape(dates)} · {escape(after.name(lang))}</p>\n'
        f'<p class="hero">{escape(headline(changes, lang))}</p>\n{_tiles(changes, lang)}{body}{_foot(changes, lang)}'
        "</main></body></html>\n"
    )


def _tiles(changes: CardChanges, lang: Lang) -> str:
    better, worse = (sum(one.move == move for one in changes.rules) for move in ("better", "worse"))
    figures = (
        ("up", len(changes.opened), pick(lang, "处新运营设施", "facilities opened")),
        ("down", len(changes.closed), pick(lang, "处停业或已无登记", "closed or no longer listed")),
        ("up", better, pick(lang, "项指标好转", "rules better")),
        ("down", worse, pick(lang, "项指标变差", "rules worse")),
        ("", len(changes.turned), pick(lang, "项判定改变", "verdicts changed")),
    )
    items = "".join(
        f"<li{_classed(kind if count else '')}><b>{count}</b><span>{words}</span></li>" for kind, count, words in figures
    )
    return f'<ul class="tiles">{items}</ul>\n'


def _classed(name: str) -> str:
    return f' class="{name}"' if name else ""


def _head(*names: tuple[str, str], lang: Lang) -> str:
    """Write a header row; a name that ends in # is of a column of numbers."""
    cells = "".join(
        f'<th scope="col"{_classed("n" if zh.endswith("#") else "")}>{pick(lang, zh, en).rstrip("#")}</th>' for zh, en in names
    )
    return f"<thead><tr>{cells}</tr></thead>"


def _facilities(changes: CardChanges, lang: Lang, units: GeoDataFrame | None) -> str:
    title = pick(lang, "设施", "Facilities")
    if not changes.facilities:
        none = pick(lang, "登记表中的设施没有变化。", "The registers hold the same facilities.")
        return f"<section><h2>{title}</h2><p>{none}</p></section>\n"
    names = unit_names(changes, units)
    rows = "".join(_facility(one, names, lang) for one in changes.facilities)
    named = (("变化", "Change"), ("名称", "Name"), ("类型", "Type"), ("所属单元", "Unit"))
    head = _head(*named, ("床位（托位）#", "Places#"), ("运营床位变化#", "In operation#"), lang=lang)
    return f'<section><h2>{title}</h2>\n<div class="wide"><table>{head}<tbody>\n{rows}</tbody></table></div></section>\n'


def _facility(change: FacilityChange, names: dict[str, str], lang: Lang) -> str:
    place = change.now
    was, now = (None if one is None else one.places for one in (change.before, change.after))
    size = figure(now if now is not None else was) if was == now or None in (was, now) else f"{figure(was)} → {figure(now)}"
    sign = "gain" if change.facilities > 0 or change.places > 0 else "loss" if change.facilities < 0 or change.places < 0 else ""
    late = pick(lang, "按登记年份早于上次运行，属补登", "dated before the earlier run: entered late") if change.late else ""
    kind = catalogue()[place.type].name_en if lang == "en" and place.type in catalogue() else place.type
    unit = names.get(place.unit, place.unit)
    moved = f"{change.places:+,.0f}".replace("-", "−") if change.places else "0"
    small = f"<small>{escape(late)}</small>" if late else ""
    return (
        f'<tr><td class="w"><span class="mark {sign}">{pick(lang, *KINDS[change.kind])}</span></td>'
        f"<td>{escape(place.name)}<small>{escape(change.id)}</small></td><td>{escape(kind)}</td><td>{escape(unit)}{small}</td>"
        f'<td class="n">{size}</td><td class="n {sign}">{moved}</td></tr>\n'
    )


def _rules(changes: CardChanges, lang: Lang) -> str:
    altered = [one for one in changes.rules if one.altered]
    order = list(MOVES)
    altered.sort(key=lambda one: (not one.turned, order.index(one.move)))
    title = pick(lang, f"指标（{len(altered)} 项有变化）", f"Rules ({len(altered)} changed)")
    rest = len(changes.rules) - len(altered)
    same = pick(lang, f"其余 {rest} 项没有变化。", f"The other {rest} did not change.")
    drawn = ("○ 之前 ● 现在 ┃ 目标", "○ before ● now ┃ target")
    figures = (("之前#", "Before#"), ("现在#", "Now#"), ("目标#", "Target#"))
    head = _head(("指标", "Rule"), *figures, drawn, ("判定", "Verdict"), lang=lang)
    rows = "".join(_rule(changes, one, lang) for one in altered)
    table = f'<div class="wide"><table>{head}<tbody>\n{rows}</tbody></table></div>' if altered else ""
    return f'<section><h2>{title}</h2>\n<p class="soft">{same}</p>{table}</section>\n'


def _rule(changes: CardChanges, change: RuleChange, lang: Lang) -> str:
    held = change.after or change.before
    targets = [] if held is None else [one.target for one in held.targets]
    sign = {"better": "gain", "worse": "loss"}.get(change.move, "")
    arrow = {"better": "▲ ", "worse": "▼ "}.get(change.move, "")
    states = " → ".join(dict.fromkeys("—" if one is None else pick(lang, *STATES[one]) for one in change.states))
    was, now = change.value
    counts = met_counts(change)
    by_unit = not change.change and len(set(counts)) == 2
    shown = counts if by_unit else (figure(was), figure(now))
    why = changes.why(change, lang).replace(" -", " −").replace("(-", "(−").replace("（-", "（−")
    told = [part for part in ("" if by_unit else met_words(change, lang), why) if part]
    if change.move in ("only_before", "only_after", "judged", "unjudged"):
        told.insert(0, pick(lang, *MOVES[change.move]))
    small = f"<small>{escape(pick(lang, '；', '; ').join(told))}</small>" if told else ""
    picture = dumbbell(was, now, targets, upper=change.rule.op in ("<=", "<"))
    due = " / ".join(figure(one) for one in targets) or "—"
    return (
        f"<tr{_classed('turned' if change.turned else '')}><td>{escape(change.rule.title(lang))}{small}</td>"
        f'<td class="n">{shown[0]}</td><td class="n {sign}">{arrow}{shown[1]}</td>'
        f'<td class="n">{due}<small>{escape(change.rule.unit(lang))}</small></td>'
        f'<td>{picture}</td><td class="w">{escape(states)}</td></tr>\n'
    )


def _units(changes: CardChanges, lang: Lang, units: GeoDataFrame | None) -> str:
    table = changes.unit_table(units, lang=lang, tier=_TIER)
    shown = table[(table[["opened", "closed", "places"]] != 0).any(axis=1) | (table["gained"] != "") | (table["lost"] != "")]
    title = pick(lang, "街道与乡镇", "Streets and townships") if units is not None else pick(lang, "单元", "Units")
    if shown.empty:
        none = pick(lang, "没有单元的设施或判定发生变化。", "No unit's facilities or verdicts changed.")
        return f"<section><h2>{title}</h2><p>{none}</p></section>\n"
    figures = (("新运营#", "Opened#"), ("停业#", "Closed#"), ("床位（托位）#", "Places#"))
    head = _head(("单元", "Unit"), *figures, ("判定变化", "Verdicts"), lang=lang)
    rows = "".join(_unit(row, lang) for row in shown.to_dict("records"))
    listed = f'<div class="wide"><table>{head}<tbody>\n{rows}</tbody></table></div>'
    drawn = "" if units is None else units_map(units[units["level"].map(TIERS) == _TIER], table, lang)
    if not drawn:
        return f"<section><h2>{title}</h2>\n{listed}</section>\n"
    note = pick(
        lang,
        "数字为运营床位（托位）的增减：蓝为增，橙为减；粗框为有指标判定改变的单元。",
        "Figures are places in operation gained or lost: blue gained, orange lost; heavy outline where a rule's verdict turned.",
    )
    side = f'<figure style="margin:0">{drawn}<p class="soft">{note}</p></figure>'
    return f'<section><h2>{title}</h2>\n<div class="side">{side}{listed}</div></section>\n'


def _unit(row: Mapping[Hashable, object], lang: Lang) -> str:
    places = float(str(row["places"]))
    sign = "gain" if places > 0 else "loss" if places < 0 else ""
    met, lost = pick(lang, "▲ 达到：", "▲ now meets: "), pick(lang, "▼ 不再达到：", "▼ no longer meets: ")
    verdicts = "".join(
        f'<span class="{kind}">{words}</span>{escape(str(row[key]))}<br>'
        for key, kind, words in (("gained", "gain", met), ("lost", "loss", lost))
        if row[key]
    )
    moved = f"{places:+,.0f}".replace("-", "−") if places else "0"
    return (
        f'<tr><td class="w">{escape(str(row["name"]))}</td><td class="n">{row["opened"]}</td><td class="n">{row["closed"]}</td>'
        f'<td class="n {sign}">{moved}</td><td>{verdicts.removesuffix("<br>") or "—"}</td></tr>\n'
    )


def _over_time(series: pd.DataFrame, lang: Lang) -> str:
    charts = "".join(places_chart(series, counts, lang) for counts in ("places", "beds"))
    if not charts:
        return ""
    title = pick(lang, "床位与托位的动态", "Places and beds over time")
    note = pick(
        lang,
        "按登记的开办、停业年份，各期末运营的床位（托位）；未填开办年份者各期均计入，未填床位（托位）数者不计。",
        "In operation at the end of each period, by the registers' opening and closing years; facilities without an opening year "
        "count throughout, those without a number of places not at all.",
    )
    told = f'<p class="soft">{note}</p>{_by_type(series, lang)}'
    return f'<section><h2>{title}</h2>\n<div class="charts">{charts}</div>{told}</section>\n'


def _by_type(series: pd.DataFrame, lang: Lang) -> str:
    """Lay out places by type and period, folded away."""
    wide = series.pivot_table(index="type", columns="period", values="places", aggfunc="sum", fill_value=0.0)
    wide = wide[wide.index.isin(list(catalogue())) & (wide.sum(axis=1) > 0)]
    head = _head(("类型", "Type"), *((f"{period}#", f"{period}#") for period in map(str, wide.columns)), lang=lang)
    rows = "".join(
        f"<tr><td>{escape(pick(lang, str(name), catalogue()[str(name)].name_en))}</td>"
        + "".join(f'<td class="n">{figure(float(value))}</td>' for value in values)
        + "</tr>\n"
        for name, values in zip(wide.index, wide.to_numpy(), strict=True)
    )
    words = pick(lang, "分类型明细", "By type")
    return f'<details><summary>{words}</summary><div class="wide"><table>{head}<tbody>\n{rows}</tbody></table></div></details>'


def _people(changes: CardChanges, lang: Lang) -> str:
    title = pick(lang, "人口", "People")
    if not changes.people:
        return f"<section><h2>{title}</h2><p>{pick(lang, '人口数据没有变化。', 'The population is the same.')}</p></section>\n"
    head = _head(("人群", "Group"), ("之前#", "Before#"), ("现在#", "Now#"), ("变化#", "Change#"), lang=lang)
    rows = "".join(
        f'<tr><td>{escape(group_name(group, lang))}</td><td class="n">{was:,.0f}</td><td class="n">{now:,.0f}</td>'
        f'<td class="n">{f"{now - was:+,.0f}".replace("-", "−")}</td></tr>\n'
        for group, (was, now) in changes.people.items()
    )
    return f'<section><h2>{title}</h2>\n<table style="max-width:34rem">{head}<tbody>\n{rows}</tbody></table></section>\n'


def _how(changes: CardChanges, lang: Lang) -> str:
    told = [pick(lang, *note) for note in changes.notes]
    if changes.explained is not None:
        told.append(changes.explained.told(lang))
    else:
        told.append(
            pick(
                lang,
                "原因仅列两份计分卡本身能证明的部分：计数与分母各自的影响取两种先后次序的平均，两者之和等于总变化。",
                "Reasons are those that the two cards alone prove; counted and denominator are averaged over both orders.",
            )
        )
    items = "".join(f"<li>{escape(one)}</li>" for one in told)
    return f'<section><h2>{pick(lang, "如何得出", "How this was found")}</h2><ul class="notes">{items}</ul></section>\n'


def _foot(changes: CardChanges, lang: Lang) -> str:
    check = changes.after.check(lang)
    note = pick(lang, "由 careshed 比较两次运行保存的计分卡得出。", "Made by careshed from the scorecards that two runs saved.")
    return f"<footer>{escape(note)} {escape(check)}</footer>\n"
