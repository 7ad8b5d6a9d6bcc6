"""Find in a run what a brief says: the service that leads, its numbers, rows of its tables, what is not certain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from careshed.maps.facts import gap_parts, reached_of, reached_parts
from careshed.maps.split import whole_split
from careshed.maps.text import counted, in_sentence
from careshed.report.premises import premises_words
from careshed.report.scorecard_words import one_gap, state_text, target_words, value_text
from careshed.report.tables import limit_words, number
from careshed.schema import merge_rows
from careshed.words import Lang, group_name, pick, spanned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from careshed.policy.judging import Scorecard
    from careshed.run import RunResult, ServiceResult

GAPS_SHOWN: Final = 6
"""Largest gaps listed, those of all services together, but at least two of each."""

RULES_SHOWN: Final = 5
"""Targets that the brief lists; the workbook has all of them."""

DASH: Final = "–"

SHARED: Final = " *"
"""Stands behind a site whose premises another service is to use too."""


@dataclass(frozen=True)
class Counts:
    """People of a service's group within its limit."""

    people: float
    covered: float
    unjudged: float
    could_change: float
    """People who cannot reach one today and could with data from beyond the edge."""

    @property
    def whole(self) -> tuple[int, int, int]:
        """People reached, out of reach and unjudged as shown, as on the map."""
        return reached_parts(self.people, self.covered, self.unjudged)

    @property
    def missed(self) -> int:
        """People out of reach as shown."""
        return self.whole[1]

    @property
    def share(self) -> float | None:
        """Share reached, None where nobody lives."""
        return self.covered / self.people if self.people else None


def counts_of(one: ServiceResult) -> Counts:
    """Count who reaches a service within the limit that residents are judged by."""
    table = one.covered
    at = (table.index == "ALL") & (table["minutes"] == one.service.within_minutes) & (table["group"] == one.service.group)
    row = table[at].iloc[0]
    edge = number(row["could_change"]) if "could_change" in table.columns else None
    return Counts(float(row["people"]), float(row["covered"]), float(row["unjudged"]), edge or 0.0)


def leading(result: RunResult) -> ServiceResult:
    """Choose the service that the brief leads with: the one that the smallest share of its people reach."""
    shares = [(1.0 if (share := counts_of(one).share) is None else share, at) for at, one in enumerate(result.services)]
    return result.services[min(shares)[1]]


def percent(part: float, whole: float) -> str:
    """Write a share, a dash where nobody lives.

    >>> percent(1, 3), percent(0, 0)
    ('33.3%', '–')
    """
    return f"{part / whole:.1%}" if whole else DASH


def three_numbers(one: ServiceResult, lang: Lang) -> list[tuple[str, str]]:
    """Give the three numbers of a service, each with what it counts and of how many."""
    counts, plan, service = counts_of(one), one.plan, one.service
    who, limit = group_name(service.group, lang), limit_words(service.within_minutes, None, lang)
    target = in_sentence(service.name(lang))
    people = f"{counts.people:,.0f}"
    found = [
        (
            percent(counts.covered, counts.people),
            pick(lang, f"{people} 名{who}中\n{limit}内可到{target}", f"of {people} {who}\nreach {target} within {limit}"),
        ),
        (
            f"{counts.missed:,}",
            pick(lang, f"名{who}\n到不了", f"{who}\ncannot reach it"),
        ),
    ]
    if len(plan.sites):
        n, bound = len(plan.sites), percent(plan.bound, plan.people_total)
        sites = "sites" if n != 1 else "site"
        told = pick(lang, f"建成 {n} 处后可达\n（上限 {bound}）", f"with {n} new {sites}\n(at most {bound} possible)")
        return [*found, (percent(plan.people_covered_after, plan.people_total), told)]
    return [*found, (f"{len(one.gaps):,}", pick(lang, "处服务缺口\n未提出新增点位", "gaps\nno new sites are proposed"))]


def service_rows(result: RunResult, lang: Lang) -> list[tuple[str, ...]]:
    """Word the main figures of every service for a table."""
    rows: list[tuple[str, ...]] = []
    for one in result.services:
        counts, plan, service = counts_of(one), one.plan, one.service
        built = len(plan.sites)
        rows.append(
            (
                service.name(lang),
                pick(lang, "，", ", ").join((group_name(service.group, lang), limit_words(service.within_minutes, None, lang))),
                f"{counts.people:,.0f}", percent(counts.covered, counts.people), f"{counts.missed:,}",
                str(built) if built else DASH, percent(plan.people_covered_after, plan.people_total) if built else DASH,
                percent(plan.bound, plan.people_total) if built else DASH,
            )
        )  # fmt: skip
    return rows


def gap_rows(result: RunResult, lang: Lang) -> tuple[list[tuple[str, ...]], list[int]]:
    """Word the largest gaps of every service; gives the rows and which of them name a service."""
    rows: list[tuple[str, ...]] = []
    bands = []
    most = max(GAPS_SHOWN // len(result.services), 2)
    for one in result.services:
        if not len(one.gaps):
            continue
        if len(result.services) > 1:
            bands.append(len(rows))
            rows.append((f"{one.service.name(lang)}{pick(lang, '：', ': ')}{of_gaps(one, lang)}", "", "", "", ""))
        for rank, row in enumerate(one.gaps.head(most).to_dict("records"), start=1):
            minutes = number(row["minutes_nearest"])
            gone = ("时间表中没有", "not in the table") if one.service.tables else ("沿路网到不了", "no street leads there")
            near = pick(lang, *gone) if minutes is None else f"{minutes:.0f}"
            nearest = DASH if minutes is None else str(row["nearest_name"]) or DASH
            rows.append((str(rank), spanned(row, lang) or DASH, f"{float(row['people']):,.0f}", near, nearest))
    return rows, bands


def of_gaps(one: ServiceResult, lang: Lang) -> str:
    """Say how many gaps a service has with how many people, and how many of these cannot be judged."""
    people, unjudged = gap_parts(one.gaps, reached_of(one))
    zh, en = f"{len(one.gaps)} 处，{people:,} 人", f"{counted(len(one.gaps), 'gap')} with {counted(people, 'person', 'people')}"
    if unjudged:
        zh, en = f"{zh}（其中 {unjudged:,} 人无法判断）", f"{en} ({unjudged:,} of them cannot be judged)"
    return pick(lang, zh, en)


def places_sentence(one: ServiceResult, lang: Lang) -> str:
    """Say who finds a place, "" where the places of no facility are known."""
    found = one.places
    if found is None:
        return ""
    total = whole_split(found.assignment.cells)
    served, none, out, unjudged = (f"{count:,}" for count in total.rounded.values())
    rest = pick(lang, f"，{unjudged} 人无法判断", f", {unjudged} cannot be judged") if unjudged != "0" else ""
    people = f"{total.people:,.0f}"
    told = pick(lang, f"按需求率 {found.demand_rate:.1%}（假设）计，", f"If {found.demand_rate:.1%} look for a place (assumed), ")
    rate, name = told if found.demand_rate < 1 else "", one.service.name(lang)
    zh = f"{rate}{people} 人需要{name}的位子：{served} 人有位，{none} 人可达而无空位，{out} 人不可达{rest}。"
    en = (
        f"{rate}{people} people need {in_sentence(name)}: {served} have a place, "
        f"{none} are in reach "
        f"but find none free, {out} are out of reach{rest}."
    )
    return pick(lang, zh, en)


def site_rows(one: ServiceResult, lang: Lang, services: Sequence[ServiceResult] = ()) -> list[tuple[str, ...]]:
    """Word the ranked sites of a service for a table; those that others of the services propose too have a mark."""
    shared = premises_words(services, one, lang)
    rows: list[tuple[str, ...]] = []
    for name, row in zip(one.plan.sites.index, one.plan.sites.to_dict("records"), strict=True):
        cost = number(row["cost_yuan"])
        rows.append(
            (
                str(row["rank"]), f"{row['name'] or name}{SHARED if str(name) in shared else ''}",
                str(row["unit_name"] or row["unit"] or DASH),
                f"{float(row['people_new']):,.0f}", _share(number(row["share_cumulative"])), money(cost, lang),
            )
        )  # fmt: skip
    return rows


def total_row(one: ServiceResult, lang: Lang) -> tuple[str, ...]:
    """Sum the ranked sites of a service in the columns of `site_rows`, as the sentences about it count."""
    sites, plan = one.plan.sites, one.plan
    gained = f"{plan.people_covered_after - plan.people_covered_before:,.0f}"
    cost = number(sites["cost_yuan"].sum(skipna=False))
    count_of = pick(lang, f"合计 {len(sites)} 处", f"Total of {len(sites)}")
    return ("", count_of, "", gained, percent(plan.people_covered_after, plan.people_total), money(cost, lang))


def rounding_note(built: Sequence[ServiceResult], lang: Lang) -> str:
    """Say why shown counts of sites do not add up to the shown total, "" where they do."""
    for one in built:
        plan = one.plan
        shown = sum(round(float(people)) for people in plan.sites["people_new"])
        if shown != round(plan.people_covered_after - plan.people_covered_before):
            zh = "人数四舍五入列出，合计按未取整的人数，与各处之和可能差几人。"
            return pick(lang, zh, "Counts are rounded; totals are of unrounded counts and can differ by a few.")
    return ""


def _share(share: float | None) -> str:
    return DASH if share is None else f"{share:.1%}"


def money(yuan: float | None, lang: Lang) -> str:
    """Write money in 10,000 yuan in Chinese, in yuan in English; a dash where it is not known."""
    if yuan is None:
        return DASH
    return pick(lang, f"{yuan / 10_000:,.1f}", f"{yuan:,.0f}")


def rule_rows(card: Scorecard, lang: Lang) -> list[tuple[str, ...]]:
    """Word the targets that are short or contradicted, those that touch most people first."""
    due = [result for result in card.results if result.state in ("short", "contradicted") and result.targets]
    due.sort(key=lambda result: -(result.people_short or 0.0))
    return [
        (
            result.rule.title(lang), value_text(result, lang), target_words(result, lang),
            one_gap(result, result.targets[0], lang), f"{result.people_short:,.0f}" if result.people_short else DASH,
            state_text(result.state, lang),
        )
        for result in due[:RULES_SHOWN]
    ]  # fmt: skip


def uncertain(result: RunResult, lang: Lang) -> list[str]:
    """Say what the figures leave open: people who cannot be judged, the edge of the data, assumptions, faults, proofs."""
    return [
        *_unjudged(result, lang),
        *_edge(result, lang),
        *_assumed(result, lang),
        pick(
            lang,
            "人口为每格计数，无个人位置，以格中心判断；出行时间按路网计算，未实地核走。",
            "People are counts per cell without positions, judged at the centre of the cell; times are computed "
            "along streets and were "
            "not walked.",
        ),
        *_how_sure(result, lang),
        *_faults(result, lang),
    ]


def _unjudged(result: RunResult, lang: Lang) -> list[str]:
    told = []
    for one in result.services:
        people = counts_of(one).whole[2]
        if people:
            name, who = one.service.name(lang), group_name(one.service.group, lang)
            told.append(pick(lang, f"{name} {people:,} 名{who}", f"{people:,} {who} ({in_sentence(name)})"))
    if not told:
        return []
    listed_ = pick(lang, "、", ", ").join(told)
    table = any(one.service.tables for one in result.services)  # imported times leave out whom they do not name
    where = pick(lang, "或不在导入的时间表中" if table else "", " or is missing from the imported times" if table else "")
    zh = f"无法判断的人：{listed_}住在接不上路网的地方{where}，仍计入分母；其可达与否尚不可知。"
    en = f"People who cannot be judged: {listed_} live where no street joins{where}; they stay in every denominator."
    return [pick(lang, zh, en)]


def _edge(result: RunResult, lang: Lang) -> list[str]:
    told = [(one.service.name(lang), counts_of(one).could_change) for one in result.services]
    told = [(name, people) for name, people in told if people >= 0.5]
    if not told:
        return []
    comma = pick(lang, "、", ", ")
    who = comma.join(
        pick(lang, f"{name} {people:,.0f} 人", f"{people:,.0f} people ({in_sentence(name)})") for name, people in told
    )
    zh = f"研究边界：若有界外的设施和道路数据，现判为不可达者中可能改变的有 {who}。"
    return [pick(lang, zh, f"The edge: data from beyond it could change the answer for {who}.")]


def _assumed(result: RunResult, lang: Lang) -> list[str]:
    rates = [(one.service.name(lang), one.places.demand_rate) for one in result.services if one.places is not None]
    rates = [(name, rate) for name, rate in rates if rate < 1]
    if not rates:
        return []
    comma = pick(lang, "、", ", ")
    told = comma.join(f"{name if lang == 'zh' else in_sentence(name)} {rate:.1%}" for name, rate in rates)
    zh = f"需求率为假设（{told}），各处相同；位子的余缺随之变化，可达率不受影响。"
    return [
        pick(
            lang,
            zh,
            f"Shares of people who look for a place are assumed ({told}), everywhere alike; reach does not depend on them.",
        )
    ]


def _how_sure(result: RunResult, lang: Lang) -> list[str]:
    """Say how the choice of sites fares under errors of speed and people, or that this was not tried."""
    told = [
        f"{solved.section.name(lang)}{pick(lang, '：', ': ')}{solved.extras.stressed.summary(lang)}"
        for solved in result.plans
        if solved.extras.stressed is not None
    ]
    stopped = [one.service.name(lang) for one in result.services if not one.plan.reproducible]
    stopped += [solved.section.name(lang) for solved in result.plans if not solved.plan.reproducible]
    if stopped:
        names = pick(lang, "、", ", ").join(stopped)
        told.append(
            pick(
                lang,
                f"{names}的计算因安全时限中止，重算可能更好。",
                f"Stopped by the safety limit, another run may do better: {names}.",
            )
        )
    sites = any(len(one.plan.sites) for one in result.services)
    if sites and not any(solved.extras.stressed is not None for solved in result.plans):
        zh = "选址结果依赖步速、时限和人口数据；本次未做情景检验，定点前宜核实。"
        en = "The choice of sites rests on speeds, limits and people; no scenarios were tried in this run: check before building."
        told.append(pick(lang, zh, en))
    return told


def _faults(result: RunResult, lang: Lang) -> list[str]:
    """Say how many faults the data have, and the two that touch most people."""
    counts = {
        severity: sum(fault.severity == severity for fault in result.faults) for severity in ("dropped", "repaired", "noted")
    }
    if not result.faults:
        return [pick(lang, "输入数据未发现问题。", "No fault was found in the input.")]
    out, mended, noted = counts["dropped"], counts["repaired"], counts["noted"]
    zh = f"数据问题 {len(result.faults)} 条：未采用 {out} 条，已修正 {mended} 条，提示 {noted} 条，详见成果表。"
    en = f"{len(result.faults)} faults of data: {out} left out, {mended} repaired, {noted} noted; "
    en += "the workbook lists all."
    worst = sorted((fault for fault in merge_rows(result.faults) if fault.people >= 0.5), key=lambda fault: -fault.people)[:1]
    if worst:
        what = f"{worst[0].file}{pick(lang, '，', ', ') if worst[0].file else ''}{worst[0].text(lang)}"
        end = "" if what.endswith(("。", ".")) else pick(lang, "。", ".")
        zh += f"涉及人数最多的是：{what}{end}"
        en += f" The one that touches most people: {what}{end}"
    return [pick(lang, zh, en)]
