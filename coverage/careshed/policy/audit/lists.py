"""Check project lists: their counts, doublets, costs and densities, and what they come to against the targets."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from statistics import median

from careshed.policy.audit.figures import Delivery, Project, ProjectList, Relation
from careshed.policy.audit.plausible import COST_FACTOR, PLAUSIBLE
from careshed.policy.audit.results import Check, Figure, Figures, Reading
from careshed.policy.audit.spans import Span, number, read_printed
from careshed.policy.audit.sums import bounds_outcome
from careshed.policy.audit.verdict import check

FEWEST_OF_A_TYPE = 3
"""Projects of a type with area and cost that a median needs."""


def check_projects(listed: ProjectList, figures: Figures, issued: datetime.date) -> Iterator[Check]:
    """Does a list hold what it says, and is every line one that can be believed?"""
    for section, name in listed.sections.items():
        yield _count_check(listed, section, figures[name])
    yield from _density_checks(listed)
    yield _over_check(listed, issued)
    yield _doublet_check(listed)
    yield from _cost_checks(listed)


def _figure(listed: ProjectList, project: Project, printed: str, unit: str) -> Figure:
    return Figure(
        f"{listed.id}.{project.no}", f"第{project.no}项 {project.name}", f"project {project.no}, {project.name}", printed, unit,
        project.end, "count", read_printed(printed), project.quote, project.source,
    )  # fmt: skip


def _shown(listed: ProjectList, projects: Iterable[Project]) -> list[Figure]:
    """Projects as figures, with the most telling number of each."""
    told = []
    for project in projects:
        printed, unit = next(
            (
                (value, unit)
                for value, unit in (
                    (project.places, "个托位"),
                    (project.beds, "张"),
                    (project.area, "平方米"),
                    (project.land, "平方米用地"),
                )
                if value
            ),
            (str(project.end), "年底"),
        )
        told.append(_figure(listed, project, printed, unit))
    return told


def _relation(listed: ProjectList, name: str, zh: str, en: str) -> Relation:
    return Relation(id=f"{listed.id}.{name}", title_zh=f"{listed.title_zh}：{zh}", title_en=f"{listed.title_en}: {en}")


def _count_check(listed: ProjectList, section: str, stated: Figure) -> Check:
    rows = [project for project in listed.row if project.section == section]
    fits = len(rows) == stated.span.value
    relation = _relation(listed, f"count.{section}", f"“{section}”的项数", f"projects under “{section}”")
    arithmetic = (
        f"清单列出 {len(rows)} 项 {'=' if fits else '≠'} {stated.text()}",
        f"{len(rows)} listed {'=' if fits else '≠'} {stated.text()}",
    )
    numbers = [("listed", Fraction(len(rows))), ("stated", stated.span.value)]
    return check(relation, "count", "closes" if fits else "open", stated, arithmetic, (stated,), (), numbers)


def _density_checks(listed: ProjectList) -> Iterator[Check]:
    """Floor area per place or bed, and floor area over land, of every project that states both."""
    for project in listed.row:
        pairs = (
            ("m2_per_place", project.area, project.places),
            ("m2_per_bed", project.area, project.beds),
            ("floor_per_land", project.area, project.land),
        )
        for key, above, below in pairs:
            if above and below and project.builds:
                yield _density_check(listed, project, key, above, below)


def _density_check(listed: ProjectList, project: Project, key: str, above: str, below: str) -> Check:
    bounds = PLAUSIBLE[key]
    spans = read_printed(above), read_printed(below)
    each = spans[0] / spans[1]
    outcome, told = bounds_outcome(each, bounds)
    relation = _relation(
        listed, f"{project.no}.{key}", f"第{project.no}项 {project.name}", f"project {project.no}, {project.name}"
    )
    sum_ = f"{number(spans[0].value)} ÷ {number(spans[1].value)} = {number(each.value)}"
    shown = [_figure(listed, project, above, "平方米")]
    return check(
        relation,
        key,
        outcome,
        shown[0],
        (f"{sum_} {bounds.unit_zh}", f"{sum_} {bounds.unit_en}"),
        shown,
        told,
        [("each", each.value)],
    )


def _over_check(listed: ProjectList, issued: datetime.date) -> Check:
    over = [project for project in listed.row if project.end < issued.year]
    relation = _relation(listed, "over", "印发前已到期的项目", "projects over before the plan was issued")
    arithmetic = (
        f"{len(listed.row)} 项中 {len(over)} 项的建设期限早于 {issued.year} 年",
        f"{len(over)} of {len(listed.row)} end before {issued.year}",
    )
    told: list[Reading] = [] if not over else [
        (f"第 {_nos(over)} 项不能算作印发之后的新增", f"nos {_nos(over)} cannot count as additions after the date of issue"),
    ]  # fmt: skip
    figures = _shown(listed, over) or _shown(listed, listed.row[:1])
    numbers = [("over", Fraction(len(over))), ("projects", Fraction(len(listed.row)))]
    return check(
        relation, "over", "doubtful" if over else "closes", figures[0], arithmetic, figures if over else (), told, numbers
    )


def _nos(projects: Iterable[Project]) -> str:
    return ", ".join(str(project.no) for project in projects)


def _doublet_check(listed: ProjectList) -> Check:
    groups: dict[tuple[str, ...], list[Project]] = {}
    for project in listed.row:
        if project.area and project.invest:
            groups.setdefault((project.area, project.invest, project.grant), []).append(project)
    doubled = [group for group in groups.values() if len(group) > 1]
    relation = _relation(listed, "doublets", "面积、投资完全相同的项目", "projects with the same area and cost")
    told = [_alike(group) for group in doubled]
    arithmetic = (
        f"{len(listed.row)} 项中有 {len(doubled)} 组相同",
        f"groups alike among {len(listed.row)} projects: {len(doubled)}",
    )
    shown = _shown(listed, (project for group in doubled for project in group))
    main = shown[0] if shown else _shown(listed, listed.row[:1])[0]
    return check(
        relation,
        "doublets",
        "doubtful" if doubled else "closes",
        main,
        arithmetic,
        shown,
        told,
        [("groups", Fraction(len(doubled)))],
    )


def _alike(group: Sequence[Project]) -> Reading:
    nos, area, cost = _nos(group), number(read_printed(group[0].area).value), group[0].invest
    return (
        f"第 {nos} 项均为 {area} 平方米、{cost} 万元：核对是否重复",
        f"nos {nos} all have {area} m² and cost {cost} × 10,000 yuan: one project twice?",
    )


def _cost_checks(listed: ProjectList) -> Iterator[Check]:
    """Cost per m² of a type's projects against their median."""
    for type_ in dict.fromkeys(project.type for project in listed.row):
        priced = [
            project for project in listed.row if project.type == type_ and project.builds and project.area and project.invest
        ]
        if len(priced) >= FEWEST_OF_A_TYPE:
            yield _cost_check(listed, type_, priced)


def _yuan_per_m2(project: Project) -> Fraction:
    return read_printed(project.invest).value * 10_000 / read_printed(project.area).value


def _cost_check(listed: ProjectList, type_: str, priced: Sequence[Project]) -> Check:
    middle = median(_yuan_per_m2(project) for project in priced)
    far = [project for project in priced if not middle / COST_FACTOR <= _yuan_per_m2(project) <= middle * COST_FACTOR]
    relation = _relation(listed, f"cost.{type_}", f"{type_}的单位造价", f"cost per m² of {type_}")
    told = [
        (
            f"第{p.no}项 {p.name}：{number(_yuan_per_m2(p))} 元/平方米",
            f"project {p.no}, {p.name}: {number(_yuan_per_m2(p))} yuan per m²",
        )
        for p in far
    ]
    arithmetic = (
        f"中位数 {number(middle)} 元/平方米，{len(far)} 项超出其 1/{COST_FACTOR}–{COST_FACTOR} 倍",
        f"median {number(middle)} yuan per m²; {len(far)} outside a third to {COST_FACTOR} times of it",
    )
    shown = _shown(listed, far)
    numbers = [("median", middle), ("far", Fraction(len(far))), *((f"cost_{p.no}", _yuan_per_m2(p)) for p in far)]
    return check(relation, "cost", "doubtful" if far else "closes", _shown(listed, priced)[0], arithmetic, shown, told, numbers)


def check_delivery(relation: Delivery, listed: ProjectList, figures: Figures) -> Check:
    """Does the project list come to the target?"""
    target = figures[relation.target]
    of_type = [project for project in listed.row if project.type in relation.types]
    by_area = relation.counts == "area"
    counted = [project for project in of_type if getattr(project, relation.counts) and (project.builds or not by_area)]
    amounts = [read_printed(getattr(project, relation.counts)) for project in counted]
    amount = sum((span.value for span in amounts), Fraction(0))
    made, arithmetic = _made(relation, figures, amount, amounts)
    fits = made >= target.span.low
    stating = sum(bool(project.beds or project.places) for project in of_type)
    numbers = [("amount", amount), ("made", made), ("percent", made / target.span.value * 100)]
    numbers += [("target", target.span.value), ("stating", Fraction(stating))]
    told = [] if fits else [_unsupported(made, target.span.value)]
    zh = f"{len(of_type)} 个项目中 {stating} 个写明床位或托位"
    told.append((zh, f"{stating} of {len(of_type)} projects state beds or places"))
    _concentration(counted, amounts, amount, told, numbers)
    named = figures.of(name for name in (*relation.m2_of, relation.m2_per, relation.target) if name)
    used = (*([] if by_area else _shown(listed, counted)), *named)
    arithmetic += f" {'≥' if fits else '<'} {target.text()}"
    return check(relation, "delivery", "closes" if fits else "doubtful", target, arithmetic, used, told, numbers)


def _unsupported(made: Fraction, target: Fraction) -> Reading:
    share, rest = number(made / target * 100), number(target - made)
    return (
        f"项目清单只合目标的 {share}%，其余 {rest} 没有项目支撑",
        f"the list comes to {share}% of the target; {rest} have no project behind them",
    )


def _made(relation: Delivery, figures: Figures, amount: Fraction, amounts: Sequence[Span]) -> tuple[Fraction, str]:
    """Beds or places that the projects come to, and the sum."""
    if relation.counts != "area":
        told = " + ".join(number(span.value) for span in amounts) or "0"
        return amount, told if len(amounts) < 2 else f"{told} = {number(amount)}"
    if relation.m2_per:
        per, told = figures[relation.m2_per].span.value, figures[relation.m2_per].text()
    else:
        area, places = figures.of(relation.m2_of)
        per, told = area.span.value / places.span.value, f"({area.text()} ÷ {places.text()})"
    return amount / per, f"{number(amount)} ÷ {told} = {number(amount / per)}"


def _concentration(
    counted: Sequence[Project],
    amounts: Sequence[Span],
    amount: Fraction,
    told: list[Reading],
    numbers: list[tuple[str, Fraction]],
) -> None:
    """Say where two projects make most of the list."""
    if len(counted) < 4:
        return
    largest = sorted(zip((span.value for span in amounts), counted, strict=True), key=lambda pair: (-pair[0], pair[1].no))[:2]
    share = sum((value for value, _ in largest), Fraction(0)) / amount * 100
    numbers.append(("largest_two_percent", share))
    if share > 50:
        nos = _nos(sorted((project for _, project in largest), key=lambda project: project.no))
        told.append((f"第 {nos} 两项占总量的 {number(share, 0)}%", f"nos {nos} alone make {number(share, 0)}% of it"))
