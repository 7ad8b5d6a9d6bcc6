"""Tell what a planner should know about a siting answer: rules that cannot be met, sites not needed, people out of reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

from careshed.schema import Fault
from careshed.siting.problem import PARTS_PER_PERSON, Ints, Problem, Sparse
from careshed.siting.rules import UnitRules
from careshed.words import group_name

if TYPE_CHECKING:
    from careshed.reach import TravelTimes


def source_file(times: TravelTimes) -> str:
    """Name the file or files that the candidates come from, as the study does."""
    if "file" not in times.facilities.columns:
        return ""
    return ", ".join(sorted({str(file) for file in times.facilities["file"]} - {""}))


def plan_findings(
    options: TravelTimes,
    problem: Problem,
    rules: UnitRules,
    demand: Ints,
    pairs: Sparse,
    *,
    built: int,
    people: Ints,
    group: str,
    limit: tuple[str, str],
) -> tuple[Fault, ...]:
    """Collect the findings in a fixed order.

    Parameters
    ----------
    demand
        Millionths of a person on each cell whom no existing facility reaches.
    pairs
        Candidate × cell pairs within the limit.
    built
        Sites in the plan.
    group
        Population group that the sites are for.
    limit
        The limit in words, Chinese and English.
    """
    file = source_file(options)
    told = [
        *rules.findings,
        _unattached(options, file),
        _too_few_sites(problem, rules),
        _too_little_money(problem, rules),
        _no_candidates(options, file),
        _nothing_to_do(people, demand),
        _out_of_reach(demand, pairs, len(options.facilities), file, group, limit),
        _fewer_suffice(problem, built),
    ]
    return tuple(fault for fault in told if fault is not None)


def _noted(code: str, zh: str, en: str, *, file: str = "", cure_zh: str = "", cure_en: str = "", people: float = 0.0) -> Fault:
    return Fault(code=code, file=file, zh=zh, en=en, cure_zh=cure_zh, cure_en=cure_en, severity="noted", people=people)


def _unattached(options: TravelTimes, file: str) -> Fault | None:
    lost = sorted(str(name) for name in options.facilities.index[options.facility_fault != ""])
    if not lost:
        return None
    few = ", ".join(lost[:8]) + (" …" if len(lost) > 8 else "")
    return _noted(
        "candidate_unattached",
        f"{len(lost)} 个候选点未能接入道路，不参与选址：{few}",
        f"{len(lost)} candidate(s) join no street and are not considered: {few}",
        file=file,
        cure_zh="请核对其坐标，或增大接入距离。",
        cure_en="Check their coordinates or raise the snap distance.",
    )


def _too_few_sites(problem: Problem, rules: UnitRules) -> Fault | None:
    needed = int(problem.leaves.sum())
    if problem.n >= needed:
        return None
    return _noted(
        "fewer_sites_than_units",
        f"{len(rules.needed)} 个单元尚无设施，至少需要 {needed} 处新选址，现仅 {problem.n} 处；"
        "先使尽可能多的单元有设施，再使覆盖人数最多",
        f"{len(rules.needed)} unit(s) still need a facility, which takes at least {needed} site(s); with {problem.n}, "
        "as many units as possible get one, and among such choices the most people are reached",
        cure_zh=f"请将选址数增至 {needed}。",
        cure_en=f"Ask for {needed} sites.",
    )


def _too_little_money(problem: Problem, rules: UnitRules) -> Fault | None:
    if problem.budget is None or problem.n < int(problem.leaves.sum()) or problem.serves_all:
        return None
    return _noted(
        "budget_below_units",
        f"{len(rules.needed)} 个单元尚无设施，预算 {problem.budget:,} 元不够；先使尽可能多的单元有设施，再使覆盖人数最多",
        f"{len(rules.needed)} unit(s) still need a facility, more than {problem.budget:,} yuan can pay; as many units as "
        "possible get one, and among such choices the most people are reached",
        cure_zh="请增加预算，或用 [[plan]] 查看至少需要多少。",
        cure_en="Raise the budget, or ask a [[plan]] how much is needed at least.",
    )


def _no_candidates(options: TravelTimes, file: str) -> Fault | None:
    if len(options.facilities):
        return None
    return _noted("no_candidates", "没有候选点，无从选址", "there are no candidates to choose from", file=file)


def _nothing_to_do(people: Ints, demand: Ints) -> Fault | None:
    if not people.sum():
        return _noted("no_people", "研究范围内没有这类人口", "no people of this group live on the cells")
    if not demand.sum():
        return _noted("all_covered", "现有设施已覆盖全部这类人口", "the existing facilities already reach everyone of this group")
    return None


def _out_of_reach(demand: Ints, pairs: Sparse, candidates: int, file: str, group: str, limit: tuple[str, str]) -> Fault | None:
    """Tell how many people no candidate reaches, however many are built."""
    beyond = demand.copy()
    beyond[pairs.items] = 0
    people = int(beyond.sum()) / PARTS_PER_PERSON
    if not candidates or people < 1:
        return None
    return _noted(
        "beyond_all_candidates",
        f"即使建成全部 {candidates} 个候选点，仍有 {people:,.0f} 名{group_name(group, 'zh')}不在 {limit[0]}范围内",
        f"even with all {candidates} candidates built, {people:,.0f} {group_name(group, 'en')} stay beyond {limit[1]}",
        file=file,
        cure_zh="请在这些人附近补充候选点。",
        cure_en="Add candidates near them.",
        people=people,
    )


def _fewer_suffice(problem: Problem, built: int) -> Fault | None:
    if built >= problem.n or not len(problem.ids):
        return None
    return _noted(
        "fewer_sites_suffice",
        f"{built} 处即可达到最大覆盖，其余 {problem.n - built} 处不会再增加覆盖人数",
        f"{built} site(s) already reach all that candidates can reach; {problem.n - built} more would add nobody",
    )
